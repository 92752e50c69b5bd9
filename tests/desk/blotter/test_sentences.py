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
