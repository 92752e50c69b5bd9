"""Denials of the risk gate by kind: which category a reason is of, and what its numbers are."""

from __future__ import annotations

from desk.blotter.models import Denial
from desk.blotter.sentences import denial_sentence
from engine.messages.codes import DenialReason as R

LIMIT, KILL, STATE, TERMS, MARKET, VENUE, BREAK = "limit", "kill", "state", "terms", "market", "venue", "break"
CATEGORIES = {
    LIMIT: (R.LIMIT_UNSET, R.ORDER_QUANTITY, R.ORDER_VALUE, R.PRICE_COLLAR, R.POSITION, R.ORDER_RATE, R.DAILY_LOSS),
    KILL: (R.KILL_ACTIVE,),
    STATE: (R.ENGINE_NOT_ACTIVE, R.CAPACITY, R.STALE_REQUEST),
    TERMS: (R.TICK_SIZE, R.INVALID_FIELD, R.NOTIONAL_OVERFLOW, R.UNKNOWN_INSTRUMENT),
    MARKET: (
        R.REFERENCE_MISSING, R.BOOK_DIRTY, R.INSTRUMENT_HALTED, R.INSTRUMENT_PAUSED, R.QUOTATION_ONLY,
        R.OPERATIONAL_HALT, R.MARKET_WIDE_HALT, R.IPO_PENDING, R.AUCTION_COLLAR, R.SHORT_SALE_RESTRICTED,
        R.MARKET_CLOSED,
    ),
    VENUE: (R.VENUE_DOWN, R.WOULD_TAKE, R.AUCTION_MISSING, R.AUCTION_OVER, R.TIME_IN_FORCE),
    BREAK: (R.INSTRUMENT_BREAK,),
}  # fmt: skip
OTHER = "other"
_CATEGORY_OF = {reason: category for category, reasons in CATEGORIES.items() for reason in reasons}
IN_MONEY = frozenset(
    {R.ORDER_VALUE, R.DAILY_LOSS, R.TICK_SIZE, R.WOULD_TAKE, R.AUCTION_COLLAR, R.SHORT_SALE_RESTRICTED}
)


def category_of(reason: R) -> str:
    """What kind of thing stood against the order."""
    return _CATEGORY_OF.get(reason, OTHER)


def is_money(reason: R) -> bool:
    """Whether what was measured is money or a price; else it is shares, basis points, a count or a code."""
    return reason in IN_MONEY


def sentence_of(denial: Denial) -> str:
    """Why, for people."""
    return denial_sentence(denial.reason, denial.limit_name, denial.scope, denial.measured, denial.bound)
