"""A FIX venue is cut off in the middle of an order, at every byte of it: no position is wrong afterwards.

What OUCH does then is in tests/system/test_recovery.py, over the same scissors.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.messages.codes import OrderState
from engine.protocols.fix import FixMessage
from engine.protocols.fix44 import (
    AVG_PX,
    CL_ORD_ID,
    CUM_QTY,
    EXEC_ID,
    EXEC_TYPE,
    EXECUTION_REPORT,
    LAST_PX,
    LAST_QTY,
    LEAVES_QTY,
    ORD_REJ_REASON,
    ORD_STATUS,
    ORDER_ID,
    ORDER_QTY,
    PRICE,
    SIDE,
    SYMBOL,
)
from engine.protocols.fix_session import FixSession
from engine.simulator.fix_echo import EchoAcceptor
from tests.engine.loop_builder import ALPHA
from tests.engine.venues.fix_loop import FixLoop
from tests.system.cutting_proxy import CuttingProxy, FixFrames

LIMIT = 1_000_000
ENDED = (OrderState.DENIED, OrderState.FILLED)


class FillingVenue:
    """Fills every order at once and whole, and says of one it never saw that it does not know it."""

    def __init__(self) -> None:
        self.orders: dict[str, int] = {}

    def __call__(self, session: FixSession, message: FixMessage, now_ns: int) -> None:
        name, side, symbol = message.get(CL_ORD_ID), message.get(SIDE), message.get(SYMBOL)
        about = [(ORDER_ID, f"V{name}"), (CL_ORD_ID, name), (SYMBOL, symbol), (SIDE, side), (AVG_PX, "0")]
        if message.type == "H":
            done = self.orders.get(name)
            self._say(session, about, now_ns, "I", "8" if done is None else "2", done or 0, [(ORD_REJ_REASON, "5")])
            return
        assert name not in self.orders, "an order came twice"
        quantity = self.orders[name] = int(message.get(ORDER_QTY))
        terms = [(ORDER_QTY, str(quantity)), (PRICE, message.get(PRICE))]
        fill = [(LAST_PX, message.get(PRICE)), (LAST_QTY, str(quantity))]
        self._say(session, about, now_ns, "0", "0", 0, [*terms, (LEAVES_QTY, str(quantity))])
        self._say(session, about, now_ns, "F", "2", quantity, [*terms, *fill, (LEAVES_QTY, "0")])

    def _say(
        self, session: FixSession, about: list[tuple[int, str]], now_ns: int, exec_type: str, status: str,
        executed: int, more: list[tuple[int, str]],
    ) -> None:  # fmt: skip
        name = f"X{exec_type}{dict(about)[CL_ORD_ID]}"
        state = [(EXEC_ID, name), (EXEC_TYPE, exec_type), (ORD_STATUS, status), (CUM_QTY, str(executed))]
        left = [] if any(tag == LEAVES_QTY for tag, _ in more) else [(LEAVES_QTY, "0")]
        session.send(EXECUTION_REPORT, [*about, *state, *more, *left], now_ns)


@pytest.fixture
def cut_off(tmp_path: Path) -> Iterator[tuple[FixLoop, FillingVenue, CuttingProxy]]:
    venue = FillingVenue()
    acceptor = EchoAcceptor("4.4", "VENUE", ["DESK"], tmp_path / "venue", application=venue)
    acceptor.start()
    proxy = CuttingProxy(acceptor.port, FixFrames)
    desk = FixLoop(tmp_path / "desk", "VENUE", proxy.port)
    desk.up()
    yield desk, venue, proxy
    desk.close()
    proxy.close()
    acceptor.stop()


def test_an_order_cut_at_any_byte_fills_whole_or_was_never_sent(
    cut_off: tuple[FixLoop, FillingVenue, CuttingProxy],
) -> None:
    desk, venue, proxy = cut_off
    at, length, filled = 0, 0, 0
    while at <= length:
        proxy.cut_after(at)
        number = desk.order(quantity=10, price=LIMIT)
        desk.until(lambda seen=at: proxy.cuts > seen, f"the cut after {at} bytes")
        desk.until(lambda order=number: desk.state_of(order) in ENDED, f"what became of the order cut after {at} bytes")
        desk.up()
        length = proxy.longest
        reached = at == length
        filled += 10 * reached
        assert (at, desk.state_of(number)) == (at, OrderState.FILLED if reached else OrderState.DENIED)
        assert (at, str(number) in venue.orders) == (at, reached)
        assert int(desk.memory.cells[ALPHA]["position"]) == filled == sum(venue.orders.values())
        at += 1
    assert length > 120
    assert [report[0] for report in desk.reports].count("EXECUTED") == 1
    assert int(desk.row["fills"]) == 1
