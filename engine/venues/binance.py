"""A Binance spot account: its market data and orders over WebSocket, in a process of its own (`binance_process`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.messages.catalogue import VenueField, VenueKind
from engine.venues.fields import Address, check_settings, market_data_fields, parse_address

KIND = VenueKind(
    protocol="binance",
    label="Binance spot",
    fields=[
        VenueField("symbols", "Instruments", "text", help="names as there, such as BTCUSDT ETHUSDT"),
        VenueField("api_key", "API key", "text", help="of a key that may trade"),
        VenueField("api_secret", "API secret", "secret", help="its HMAC secret"),
        VenueField("rest_url", "REST", "text", "https://testnet.binance.vision", "for snapshots and filters"),
        VenueField("stream_url", "Market streams", "text", "wss://stream.testnet.binance.vision:9443"),
        VenueField("api_url", "WebSocket API", "text", "wss://ws-api.testnet.binance.vision/ws-api/v3", "for orders"),
        VenueField("receive_window_ms", "Receive window", "integer", "5000", "the venue refuses older requests, ms"),
        *market_data_fields(snapshots=False),
    ],
)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST_WINDOW_MS = 60_000
REAL_MONEY = (".binance.com", ".binance.us")
ADDRESSES = ("rest_url", "stream_url", "api_url")


@dataclass(frozen=True)
class BinanceSettings:
    """Typed settings. The feed line is where our own process publishes for the loop; fees in 1/10,000 a unit."""

    symbols: tuple[str, ...]
    api_key: str
    api_secret: str
    rest_url: str
    stream_url: str
    api_url: str
    receive_window_ms: int
    feed_line_a: Address
    feed_line_b: Address | None
    retransmission: Address | None
    maker_fee: int
    taker_fee: int
    priced_by: int = 0
    snapshot: None = None  # the process takes the depth snapshots itself


def read_settings(settings: Mapping[str, str]) -> BinanceSettings:
    """From the texts of a form. ValueError with a sentence."""
    values = check_settings(KIND, settings)
    symbols = tuple(dict.fromkeys(values["symbols"].upper().replace(",", " ").split()))
    if not symbols or not all(name.isascii() and name.isalnum() for name in symbols):
        raise ValueError("Instruments are names such as BTCUSDT, with spaces between them")
    window_ms = int(values["receive_window_ms"])
    if not 100 <= window_ms <= LONGEST_WINDOW_MS:
        raise ValueError(f"Receive window is 100 to {LONGEST_WINDOW_MS} ms")
    line_b = values["feed_line_b"]
    return BinanceSettings(
        symbols=symbols,
        api_key=values["api_key"],
        api_secret=values["api_secret"],
        rest_url=_url(values["rest_url"], "https", "http"),
        stream_url=_url(values["stream_url"], "wss", "ws"),
        api_url=_url(values["api_url"], "wss", "ws"),
        receive_window_ms=window_ms,
        feed_line_a=parse_address(values["feed_line_a"]),
        feed_line_b=parse_address(line_b) if line_b else None,
        retransmission=parse_address(values["retransmission"]) if values["retransmission"] else None,
        maker_fee=int(values["maker_fee"]),
        taker_fee=int(values["taker_fee"]),
    )


def _url(text: str, secure: str, plain: str) -> str:
    """An address; without encryption only on this machine, because requests are signed but not secret."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
        parts = urlsplit("")
    if not host or parts.scheme not in (secure, plain):
        raise ValueError(f"{text!r} is not an address like {secure}://host:port")
    if parts.scheme == plain and host not in LOOPBACK:
        raise ValueError(f"{text!r}: {plain} without encryption goes to this machine only; use {secure}")
    return text.rstrip("/")


def real_money(settings: Mapping[str, str]) -> str:
    """The host among the addresses where orders are for real money, "" when there is none."""
    for name in ADDRESSES:
        host = (urlsplit(settings.get(name, "")).hostname or "").rstrip(".")
        if f".{host}".endswith(REAL_MONEY):
            return host
    return ""
