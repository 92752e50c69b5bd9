"""`python -m engine binance CONFIG`: one Binance account beside the loop, started by the engine (`binance_start`).

Market data goes to the loop's feed line as ITCH, orders come and go through two rings. It has the interpreter to
itself, never imports numba, dies with the engine, and leaves records and rings for the next process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from websockets.exceptions import WebSocketException

from engine.messages.instruments import Instrument, read_instruments
from engine.protocols.binance import Snapshot, decode, read_event
from engine.protocols.layouts import MalformedMessage
from engine.transport.ring_file import open_ring
from engine.venues.binance import BinanceSettings, read_settings
from engine.venues.binance_api import TooManyRequests, WebSocketApi, get_json, stream
from engine.venues.binance_market import MarketFeed
from engine.venues.binance_orders import read_listing
from engine.venues.binance_session import ApiError, BinanceSession, NotSent
from engine.venues.binance_start import BinanceConfig, read_config, ring_paths, session_directory, tag_of
from engine.venues.fix44_compaction import compact
from engine.venues.fix44_records import open_records
from engine.venues.level_feed import LevelFeed
from engine.venues.parent import die_with
from engine.venues.secret_files import SecretFiles

Say = Callable[[str], None]
SNAPSHOT_LEVELS = 5000
SNAPSHOT_EVERY_S = 1.0
FIRST_RETRY_S, LONGEST_RETRY_S = 0.2, 10.0
RENEW_AFTER_S = 23.5 * 3600  # the venue ends connections after 24 hours
HEARTBEAT_S = 0.5
SILENCE_S = 3.5  # the loop believes another feed session after three seconds without the last one
BUSY_WAIT_S, IDLE_WAIT_S, IDLE_AFTER_S = 0.0002, 0.002, 1.0
BROKEN = (OSError, TimeoutError, WebSocketException)


class Market:
    """Keeps the streams and the feed going."""

    def __init__(self, settings: BinanceSettings, feed: MarketFeed, heard: Callable[[], None], say: Say) -> None:
        self._settings, self._feed, self._heard, self._say = settings, feed, heard, say
        self._snapshots: set[asyncio.Task[None]] = set()
        self._fetching: set[str] = set()

    async def keep_streams(self) -> None:
        """Connect, again and again. A connection that grows old is replaced by one that already brings messages: what
        both bring is old by its update number."""
        retry_s = FIRST_RETRY_S
        current: asyncio.Task[None] | None = None
        while True:
            bringing = asyncio.Event()
            following = asyncio.create_task(self._follow(bringing))
            arrived = asyncio.create_task(bringing.wait())
            await asyncio.wait({following, arrived}, return_when=asyncio.FIRST_COMPLETED)
            arrived.cancel()
            if bringing.is_set():
                retry_s = FIRST_RETRY_S
                if current is not None:
                    current.cancel()
                current = following
                await asyncio.wait({current}, timeout=RENEW_AFTER_S)
                if not current.done():
                    continue
            if current is None or current.done():
                current = None
                self._feed.lose("the market streams broke; connecting again")
            await asyncio.sleep(retry_s)
            retry_s = min(LONGEST_RETRY_S, retry_s * 2)

    async def _follow(self, bringing: asyncio.Event) -> None:
        try:
            async for raw in stream(self._settings.stream_url, self._settings.symbols):
                bringing.set()
                self._heard()
                self.take(raw)
        except BROKEN as error:
            self._say(f"market streams: {error}")

    def take(self, raw: bytes | str) -> None:
        """One message of a stream."""
        try:
            self._feed.take(decode(raw))
        except (MalformedMessage, ValueError) as wrong:
            self._feed.malformed += 1
            self._say(f"a message of a market stream cannot be used: {wrong}")

    async def keep_feed(self) -> None:
        """Snapshots that are wanted, heartbeats, requests for what was lost, and another session after midnight UTC."""
        beat_s = 0.0
        while True:
            for name in self._feed.wanted - self._fetching:
                self._fetching.add(name)
                task = asyncio.create_task(self._fetch(name))
                self._snapshots.add(task)
                task.add_done_callback(self._snapshots.discard)
            self._feed.feed.answer_requests()
            now_s = time.monotonic()
            if now_s - beat_s >= HEARTBEAT_S:
                beat_s = now_s
                self._feed.feed.heartbeat()
            if self._feed.day_is_over:
                self._feed.end()
                await asyncio.sleep(SILENCE_S)
                self._feed.begin(session_name())
            await asyncio.sleep(0.02)

    async def _fetch(self, name: str) -> None:
        try:
            value = await asyncio.to_thread(
                get_json, self._settings.rest_url, "/api/v3/depth", {"symbol": name, "limit": SNAPSHOT_LEVELS}
            )
            snapshot = read_event(value)
            if isinstance(snapshot, Snapshot) and self._feed.snapshot(name, snapshot):
                return
            await asyncio.sleep(SNAPSHOT_EVERY_S)
        except TooManyRequests as patience:
            self._say(f"{name}: {patience}")
            await asyncio.sleep(patience.seconds)
        except (OSError, MalformedMessage, ValueError) as wrong:
            self._say(f"{name}: no snapshot: {wrong}")
            await asyncio.sleep(SNAPSHOT_EVERY_S)
        finally:
            self._fetching.discard(name)


def session_name() -> str:
    """Name of a feed session, ten characters: the second at which it began."""
    return f"{time.time_ns() // 1_000_000_000:010d}"


async def keep_api(api: WebSocketApi, session: BinanceSession, say: Say) -> None:
    """Connect for orders, again and again."""
    retry_s = FIRST_RETRY_S
    while True:
        started_s = time.monotonic()
        try:
            running = asyncio.create_task(api.run(session.connected))
            done, _ = await asyncio.wait({running}, timeout=RENEW_AFTER_S)
            if not done:
                running.cancel()
            await running
            say("the connection for orders was closed")
        except (ApiError, NotSent, ConnectionError, *BROKEN) as error:
            say(f"orders: {error}")
        except asyncio.CancelledError:
            if not running.cancelled():
                raise
        session.lost()
        if time.monotonic() - started_s > LONGEST_RETRY_S:
            retry_s = FIRST_RETRY_S
        await asyncio.sleep(retry_s)
        retry_s = min(LONGEST_RETRY_S, retry_s * 2)


async def keep_orders(session: BinanceSession) -> None:
    """Requests of the loop."""
    busy_until_s = 0.0
    while True:
        now_s = time.monotonic()
        if session.step():
            busy_until_s = now_s + IDLE_AFTER_S
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(BUSY_WAIT_S if now_s < busy_until_s else IDLE_WAIT_S)


async def wait_for_end(parent: int) -> None:
    """Until SIGTERM, SIGINT or the end of the engine."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    while not stopping.is_set() and os.getppid() == parent:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.5)


async def run(config: BinanceConfig) -> None:
    """Everything, until the end."""
    state = Path(config.state)
    settings = read_settings(SecretFiles(Path(config.secrets)).settings("binance", config.settings))
    instruments = chosen(read_instruments(Path(config.instruments)), settings.symbols)
    directory = session_directory(state, config.venue)

    def say(sentence: str) -> None:
        print(f"Binance {config.name}: {sentence}", file=sys.stderr, flush=True)

    records = open_records(directory)
    if compact(records, config.after):
        records.reopen()
    request_path, report_path = ring_paths(state, config.venue)
    reports = open_ring(report_path)

    def heard() -> None:
        reports.heard_ns = time.time_ns()

    decimals = {row.name: row.quantity_decimals for row in instruments}
    body = await asyncio.to_thread(get_json, settings.rest_url, "/api/v3/exchangeInfo", {})
    listing = read_listing(body, decimals)
    lines = [line for line in (settings.feed_line_a, settings.feed_line_b) if line is not None]
    market_feed = MarketFeed(instruments, LevelFeed(lines, settings.retransmission), time.time_ns, say)
    api = WebSocketApi(
        settings.api_url, settings.api_key, settings.api_secret, settings.receive_window_ms,
        lambda event: take_event(session, event), heard,
    )  # fmt: skip
    session = BinanceSession(
        records, open_ring(request_path), reports, api, {row.id: listing[row.name] for row in instruments},
        config.venue, tag_of(directory), config.after, settings.receive_window_ms / 1000, say,
    )  # fmt: skip
    await begin_feed(market_feed, directory)
    market = Market(settings, market_feed, heard, say)
    tasks = [
        asyncio.create_task(work)
        for work in (
            market.keep_streams(), market.keep_feed(), keep_api(api, session, say), keep_orders(session),
            wait_for_end(config.parent),
        )
    ]  # fmt: skip
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    session.lost()
    session.outbox.pump()


async def begin_feed(market: MarketFeed, directory: Path) -> None:
    """The first feed session; after an earlier process only when the loop can believe that it is another one."""
    marker = directory / "feed"
    if marker.exists():
        await asyncio.sleep(SILENCE_S)
    marker.touch()
    market.begin(session_name())


def take_event(session: BinanceSession, event: object) -> None:
    """One event of the user data stream; one that cannot be read starts a reconciliation."""
    try:
        session.event(event if isinstance(event, dict) else {})
    except MalformedMessage as wrong:
        session.doubt(f"a report cannot be read: {wrong}")


def chosen(instruments: list[Instrument], symbols: tuple[str, ...]) -> list[Instrument]:
    """The instruments that are traded here. ValueError when the reference data lacks one."""
    known = {row.name: row for row in instruments}
    missing = [name for name in symbols if name not in known]
    if missing:
        raise ValueError(f"the instruments file has no {', '.join(missing)}")
    return [known[name] for name in symbols]


def main(arguments: list[str]) -> int:
    """Run until SIGTERM, SIGINT or the end of the engine. Exit status 0, or 1 with a sentence."""
    if len(arguments) != 1:
        print("usage: python -m engine binance CONFIG", file=sys.stderr)
        return 2
    try:
        config = read_config(Path(arguments[0]))
        die_with(config.parent)
        os.umask(0o077)
        asyncio.run(run(config))
    except (ValueError, OSError, RuntimeError, TooManyRequests) as error:
        print(f"Binance session: {error}", file=sys.stderr)
        return 1
    sys.stderr.flush()
    os._exit(0)  # a thread that fetches must not keep a stopped engine waiting


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
