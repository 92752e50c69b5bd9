"""Whatever is asked for and answered, exposure with working orders never passes the limit of any account."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hotpath.entries import cancel
from engine.messages.codes import ReportKind
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, OTHER_VENUE, SELL, VENUE, Loop

LIMITS = {"firm": 700, "team": 500, "strategy": 300}
PRICE = 1_000_000


@dataclass(frozen=True)
class Enter:
    side: int
    quantity: int
    for_strategy: bool
    venue: int


@dataclass(frozen=True)
class Answer:
    kind: ReportKind
    which: int
    quantity: int


@dataclass(frozen=True)
class Cancel:
    which: int


ENTERS = st.builds(
    Enter, st.sampled_from([BUY, SELL]), st.integers(-5, 800), st.booleans(), st.sampled_from([VENUE, OTHER_VENUE])
)
ANSWERS = st.builds(
    Answer,
    st.sampled_from([ReportKind.ACCEPTED, ReportKind.EXECUTED, ReportKind.CANCELED, ReportKind.REJECTED]),
    st.integers(0, 40),
    st.integers(1, 400),
)
STEPS = st.lists(st.one_of(ENTERS, ANSWERS, st.builds(Cancel, st.integers(0, 40))), min_size=1, max_size=40)


def prepared() -> Loop:
    loop = Loop()
    loop.wide_limits(**{name: {"position": bound} for name, bound in LIMITS.items()})
    for venue in (VENUE, OTHER_VENUE):
        loop.quote(ALPHA, 999_900, 1_000_100, venue=venue)
    assert loop.start_pairs(instruments=[ALPHA, BRAVO]).applied
    return loop


def happen(loop: Loop, orders: list[int], step: Enter | Answer | Cancel) -> None:
    if isinstance(step, Enter):
        enter = loop.enter_for_strategy if step.for_strategy else loop.enter
        order_id = enter(step.side, step.quantity, PRICE, venue=step.venue)
        orders += [order_id] if order_id > 0 else []
    elif orders and isinstance(step, Cancel):
        cancel(loop.address, orders[step.which % len(orders)])
    elif orders and isinstance(step, Answer):
        order_id = orders[step.which % len(orders)]
        leaves = int(loop.order(order_id)["leaves"])
        if leaves:  # a venue fills no more than what is left
            loop.report(step.kind, order_id, min(step.quantity, leaves), PRICE)


def exposures(loop: Loop) -> dict[str, tuple[int, int, int]]:
    cells = {"firm": loop.cell(0), "team": loop.cell(loop.configuration.team_account(5)), "strategy": loop.leg()}
    return {n: (int(c["position"]), int(c["working_buy"]), int(c["working_sell"])) for n, c in cells.items()}


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_exposure_with_working_orders_never_passes_a_limit(steps: list[Enter | Answer | Cancel]) -> None:
    loop = prepared()
    orders: list[int] = []
    for step in steps:
        happen(loop, orders, step)
        for name, (position, buying, selling) in exposures(loop).items():
            assert buying >= 0 <= selling, name
            assert position + buying <= LIMITS[name], name
            assert selling - position <= LIMITS[name], name
    table = loop.memory.orders
    for side, field in ((BUY, "working_buy"), (SELL, "working_sell")):
        assert int(loop.cell(0)[field]) == int(table["leaves"][table["side"] == side].sum())
