"""What a venue says about one listing beside its book, for the state frame."""

from __future__ import annotations

from typing import Any

from engine.hotpath import status_tables as tables

# The widest cause first, as the gate names it.
WORDS = (
    (tables.CLOSED, "CLOSED"),
    (tables.MARKET_WIDE, "MARKET_WIDE_HALT"),
    (tables.HALTED, "HALTED"),
    (tables.PAUSED, "PAUSED"),
    (tables.OPERATIONAL, "OPERATIONAL_HALT"),
    (tables.IPO, "IPO_PENDING"),
    (tables.QUOTATION, "QUOTATION_ONLY"),
    (tables.AFTER_HOURS, "AFTER_HOURS"),
    (tables.COLLAR, "AUCTION_COLLAR"),
    (tables.SHORT_SALE, "SHORT_SALE_RESTRICTED"),
)
MARKETS = {
    "O": "CLOSED",
    "S": "EXTENDED_HOURS",
    "Q": "OPEN",
    "M": "AFTER_HOURS",
    "E": "CLOSED",
    "C": "CLOSED",
}  # by the last system event


POSTPONED = "C"


def status_word(status: Any) -> str | None:
    """The one word that says most about a listing; None while its venue has said nothing."""
    blocks = int(status["blocks"])
    for bit, word in WORDS:
        if blocks & bit:
            return word
    return "TRADING" if status["trading_state"] else None


def letters(value: int, count: int = 1) -> str | None:
    """Characters of the wire as text; None while there are none."""
    return int(value).to_bytes(count, "big").decode("latin-1").strip("\0 ") or None


def listing_state(status: Any) -> dict[str, Any]:
    """Columns of one listing: prices in 1/10,000, absent ones None. `status` is a row of STATUS."""
    blocks = int(status["blocks"])
    stopped = blocks & (tables.HALTED | tables.PAUSED | tables.QUOTATION)
    collar = blocks & tables.COLLAR
    return {
        "status": status_word(status),
        "status_reason": letters(status["reason"], 4) if stopped else None,
        "short_sale": bool(blocks & tables.SHORT_SALE),
        "collar_lower": int(status["collar_lower"]) if collar else None,
        "collar_upper": int(status["collar_upper"]) if collar else None,
        "last_price": int(status["last_price"]) or None,
        "last_quantity": int(status["last_quantity"]) or None,
        "volume": int(status["volume"]),
        "imbalance_side": letters(status["imbalance_direction"]),
        "imbalance_quantity": int(status["imbalance_quantity"]) if status["imbalance_direction"] else None,
        "paired_quantity": int(status["paired_quantity"]) if status["imbalance_direction"] else None,
        "near_price": int(status["near_price"]) or None,
        "retail_interest": letters(status["retail_interest"]),
        "release_time": release_time(status) if blocks & tables.IPO else None,
        "direct_listing": letters(status["open_eligible"]),
        "market_makers": int(status["market_makers"]),
    }


def release_time(status: Any) -> str | None:
    """When an IPO's quotation is to be released, as the venue's time of day; "postponed" when it took that back."""
    if letters(status["release_qualifier"]) == POSTPONED:
        return "postponed"
    minutes, seconds = divmod(int(status["release_seconds"]), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}" if status["release_seconds"] else None


def market_state(market: Any) -> dict[str, Any]:
    """Columns of one venue's feed: its hours and circuit breakers. `market` is a row of MARKET."""
    return {
        "market": MARKETS.get(letters(market["phase"]) or ""),
        "phase": letters(market["phase"]),
        "breached": letters(market["breached"]),
        "unknown_broken": int(market["unknown_broken"]),
    }
