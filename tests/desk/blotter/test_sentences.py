import pytest

from desk.blotter.sentences import denial_sentence
from engine.messages.codes import DenialReason, LimitName, Scope

Reason = DenialReason


@pytest.mark.parametrize(
    ("reason", "limit", "scope", "measured", "bound", "sentence"),
    [
        (
            Reason.ORDER_QUANTITY,
            1,
            Scope.TEAM,
            5000,
            1000,
            "5,000 shares are over the team's limit of shares per order of 1,000.",
        ),
        (
            Reason.ORDER_VALUE,
            2,
            Scope.FIRM,
            25_000_000,
            10_000_000,
            "A value of 2,500.00 is over the firm's limit of value per order of 1,000.00.",
        ),
        (
            Reason.PRICE_COLLAR,
            3,
            Scope.STRATEGY,
            350,
            300,
            "350 basis points from the market are over the strategy's price collar of 300 basis points.",
        ),
        (
            Reason.POSITION,
            4,
            Scope.STRATEGY,
            5100,
            5000,
            "A position of up to 5,100 shares, working orders counted, is over the strategy's position limit of 5,000.",
        ),
        (
            Reason.ORDER_RATE,
            5,
            Scope.TEAM,
            201,
            200,
            "201 orders in a second are over the team's order rate limit of 200.",
        ),
        (
            Reason.DAILY_LOSS,
            6,
            Scope.TEAM,
            10_000_100,
            10_000_000,
            "A loss of 1,000.01 today is over the team's daily loss limit of 1,000.00.",
        ),
        (
            Reason.LIMIT_UNSET,
            2,
            Scope.STRATEGY,
            0,
            -1,
            "The strategy's limit of value per order is not set; an unset limit blocks.",
        ),
        (Reason.KILL_ACTIVE, 0, Scope.FIRM, 1, 0, "KILL holds on the firm."),
        (Reason.ENGINE_NOT_ACTIVE, 0, 0, 5, 3, "The engine is halted."),
        (Reason.TICK_SIZE, 0, 0, 1_000_050, 100, "The price 100.0050 is not a multiple of the tick size 0.01."),
        (Reason.VENUE_DOWN, 0, 0, 1, 4, "The order session of the venue is down."),
        (Reason.INSTRUMENT_HALTED, 0, 0, 0x54312020, 0, "Trading in this instrument is halted (T1)."),
        (Reason.INSTRUMENT_PAUSED, 0, 0, 0x4C554450, 0, "Trading in this instrument is paused (LUDP)."),
        (Reason.QUOTATION_ONLY, 0, 0, 0, 0, "This instrument is in its quotation period and does not trade yet."),
        (Reason.MARKET_WIDE_HALT, 0, 0, 2, 0, "The market-wide circuit breaker of level 2 holds up all trading."),
        (Reason.IPO_PENDING, 0, 0, 37_800, 0, "IPO: no orders before the release, quoted from 10:30:00."),
        (
            Reason.AUCTION_COLLAR,
            0,
            0,
            1_000_600,
            1_000_500,
            "The price 100.06 is above the upper price of the auction collar, 100.05.",
        ),
        (
            Reason.SHORT_SALE_RESTRICTED,
            0,
            0,
            999_900,
            999_900,
            "Short sales are restricted: 99.99 is not above the best bid 99.99, and the firm does not own them.",
        ),
        (
            Reason.AUCTION_MISSING,
            0,
            0,
            6,
            0,
            "This venue has no closing auction; people's orders are emulated where it has an end of trading set.",
        ),
        (
            Reason.AUCTION_OVER,
            0,
            0,
            5,
            81,
            "The opening auction of this instrument is over: the order came too late for it.",
        ),
        (
            Reason.MARKET_CLOSED,
            0,
            0,
            ord("M"),
            0,
            "Market hours are over: only orders that reduce a position pass.",
        ),
        (Reason.MARKET_CLOSED, 0, 0, ord("C"), 0, "The venue is outside its hours: nothing trades."),
        (250, 0, 0, 0, 0, "Reason 250."),
    ],
)
def test_a_denial_says_what_was_measured_against_which_bound(
    reason: int, limit: int, scope: int, measured: int, bound: int, sentence: str
) -> None:
    assert denial_sentence(reason, limit, scope, measured, bound) == sentence


def test_every_reason_has_a_sentence() -> None:
    sentences = {
        denial_sentence(reason, LimitName.POSITION, Scope.TEAM, 3, 2)
        for reason in DenialReason
        if reason is not DenialReason.NONE
    }
    assert len(sentences) == len(DenialReason) - 1
    assert all(sentence.endswith(".") for sentence in sentences)
