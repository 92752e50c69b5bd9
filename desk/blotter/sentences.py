"""Why an order was refused, as a sentence: by the risk gate with what was measured and the bound, or by the venue."""

from __future__ import annotations

from engine.messages.codes import DenialReason, EngineState, LimitName, Scope, TimeInForce
from engine.messages.prices import to_decimal

OWNERS = {
    Scope.FIRM: "the firm's",
    Scope.TEAM: "the team's",
    Scope.STRATEGY: "the strategy's",
    Scope.VENUE: "the venue's",
}
LIMITS = {
    LimitName.ORDER_QUANTITY: "limit of shares per order",
    LimitName.ORDER_VALUE: "limit of value per order",
    LimitName.COLLAR_BASIS_POINTS: "price collar",
    LimitName.POSITION: "position limit",
    LimitName.ORDERS_PER_SECOND: "order rate limit",
    LimitName.DAILY_LOSS: "daily loss limit",
}
WHOLE = {
    DenialReason.VENUE_DOWN: "The order session of the venue is down.",
    DenialReason.REFERENCE_MISSING: "The book has no bid or no ask, so there is no reference for prices.",
    DenialReason.BOOK_DIRTY: "The feed is incomplete: it is catching up, or packets were lost. Its books are not used.",
    DenialReason.CAPACITY: "No more orders fit at once.",
    DenialReason.STALE_REQUEST: "The order came too late: it had expired.",
    DenialReason.NOTIONAL_OVERFLOW: "Price times quantity is too large to count.",
    DenialReason.UNKNOWN_INSTRUMENT: "The engine does not know this instrument.",
    DenialReason.INVALID_FIELD: "Side, price, quantity or time in force makes no sense.",
    DenialReason.OPERATIONAL_HALT: "The venue has halted this instrument on its own market (operational halt).",
}
HALTS = {
    DenialReason.INSTRUMENT_HALTED: "Trading in this instrument is halted",
    DenialReason.INSTRUMENT_PAUSED: "Trading in this instrument is paused",
    DenialReason.QUOTATION_ONLY: "This instrument is in its quotation period and does not trade yet",
}
AFTER_HOURS = ord("M")  # ITCH's letter for the end of market hours


def denial_sentence(reason: int, limit_name: int, scope: int, measured: int, bound: int) -> str:
    """The sentence of one denial; `measured` and `bound` in the unit of the limit."""
    try:
        known = DenialReason(reason)
    except ValueError:
        return f"Reason {reason}."
    owner = OWNERS.get(Scope(scope), "the") if scope in Scope._value2member_map_ else "the"
    if known in WHOLE:
        return WHOLE[known]
    if (status := _status_sentence(known, measured, bound)) is not None:
        return status
    if known == DenialReason.KILL_ACTIVE:
        return f"KILL holds on {owner.removesuffix(chr(39) + 's')}."
    if known == DenialReason.ENGINE_NOT_ACTIVE:
        return f"The engine is {_state(measured)}."
    if known == DenialReason.TICK_SIZE:
        return f"The price {_money(measured)} is not a multiple of the tick size {_money(bound)}."
    if known == DenialReason.WOULD_TAKE:
        return _would_take(measured, bound)
    limit = LIMITS[LimitName(limit_name)] if limit_name in LimitName._value2member_map_ else "limit"
    if known == DenialReason.LIMIT_UNSET:
        return f"{owner[0].upper()}{owner[1:]} {limit} is not set; an unset limit blocks."
    return f"{_measured(known, measured)} over {owner} {limit} of {_bound(known, bound)}."


def _would_take(price: int, opposite: int) -> str:
    told = "The venue does not know post-only orders, and"
    if not opposite:
        return f"{told} shows no book by which to tell whether this one would trade."
    return f"{told} this one would trade at once: {_money(price)} meets {_money(opposite)}."


def _status_sentence(reason: DenialReason, measured: int, bound: int) -> str | None:
    """Sentences about what the venue has said of the instrument; None for other reasons."""
    if reason in HALTS:
        code = measured.to_bytes(4, "big").decode("latin-1").strip("\0 ") if 0 < measured < 1 << 32 else ""
        return f"{HALTS[reason]}{f' ({code})' if code.isalnum() else ''}."
    if reason == DenialReason.MARKET_WIDE_HALT:
        return f"The market-wide circuit breaker of level {measured} holds up all trading."
    if reason == DenialReason.IPO_PENDING:
        minutes, seconds = divmod(max(measured, 0), 60)
        return f"IPO: no orders before the release, quoted from {minutes // 60:02}:{minutes % 60:02}:{seconds:02}."
    if reason == DenialReason.AUCTION_COLLAR:
        where = "above the upper" if measured > bound else "below the lower"
        return f"The price {_money(measured)} is {where} price of the auction collar, {_money(bound)}."
    if reason == DenialReason.SHORT_SALE_RESTRICTED:
        against = f"the best bid {_money(bound)}" if bound else "a bid, and there is none"
        return f"Short sales are restricted: {_money(measured)} is not above {against}, and the firm does not own them."
    if reason == DenialReason.INSTRUMENT_BREAK:
        open_ones = "A break of reconciliation is" if measured == 1 else f"{measured:,} breaks of reconciliation are"
        return (
            f"{open_ones} open in this instrument: only orders that reduce a position pass until a person resolves it."
        )
    if reason == DenialReason.AUCTION_MISSING:
        return _auction_missing(measured)
    if reason == DenialReason.TIME_IN_FORCE:
        words = TimeInForce(measured).name if measured in TimeInForce._value2member_map_ else "such"
        return f"This venue has no {words} orders, and a strategy's are not emulated."
    if reason == DenialReason.AUCTION_OVER:
        return f"The {_auction(measured)} of this instrument is over: the order came too late for it."
    if reason == DenialReason.MARKET_CLOSED:
        if measured == AFTER_HOURS:
            return "Market hours are over: only orders that reduce a position pass."
        return "The venue is outside its hours: nothing trades."
    return None


def _auction_missing(time_in_force: int) -> str:
    needed = "market hours" if time_in_force == TimeInForce.AT_OPEN else "an end of trading set"
    return f"This venue has no {_auction(time_in_force)}; people's orders are emulated where it has {needed}."


def _auction(time_in_force: int) -> str:
    return "opening auction" if time_in_force == TimeInForce.AT_OPEN else "closing auction"


def _measured(reason: DenialReason, value: int) -> str:
    if reason == DenialReason.ORDER_QUANTITY:
        return f"{_shares(value)} {'is' if value == 1 else 'are'}"
    if reason == DenialReason.ORDER_VALUE:
        return f"A value of {_money(value)} is"
    if reason == DenialReason.PRICE_COLLAR:
        return f"{value:,} basis points from the market are"
    if reason == DenialReason.POSITION:
        return f"A position of up to {_shares(value)}, working orders counted, is"
    if reason == DenialReason.DAILY_LOSS:
        return f"A loss of {_money(value)} today is"
    return "1 order in a second is" if value == 1 else f"{value:,} orders in a second are"


def _shares(value: int) -> str:
    return f"{value:,} {'share' if value == 1 else 'shares'}"


def _bound(reason: DenialReason, value: int) -> str:
    if reason in (DenialReason.ORDER_VALUE, DenialReason.DAILY_LOSS):
        return _money(value)
    return f"{value:,} basis points" if reason == DenialReason.PRICE_COLLAR else f"{value:,}"


def _money(value: int) -> str:
    return f"{to_decimal(value):,.2f}" if value % 100 == 0 else f"{to_decimal(value):,f}"


def _state(value: int) -> str:
    try:
        return EngineState(value).name.lower()
    except ValueError:
        return f"in state {value}"
