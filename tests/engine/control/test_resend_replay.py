"""What left again after an outage, replayed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.messages.codes import OrderState, TimeInForce
from tests.engine.control.test_replay import MIDDLE, Lived, manual, replayed, state_of
from tests.engine.loop_builder import BUY, DOWN, SECOND_NS, UP


def test_what_left_again_after_an_outage_is_pending_again_after_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    lived = Lived()
    lived.speak_ouch()
    first = lived.applied(manual(BUY, 100))["order_id"]
    lived.applied(replace(manual(BUY, 50), time_in_force=TimeInForce.IOC, price=MIDDLE + 100))
    lived.applied(manual(BUY, 70))
    lived.session(state=DOWN)
    lived.pass_time(SECOND_NS)
    lived.session(state=UP, next_reference=first)
    states = [OrderState(int(lived.order(first + n)["state"])) for n in range(3)]
    assert states == [OrderState.PENDING_NEW, OrderState.DENIED, OrderState.PENDING_NEW]
    expected = state_of(lived.memory, lived.configuration)

    made = replayed(lived, monkeypatch)

    assert made.found.extra == b""
    assert state_of(made.memory, made.commands.configuration) == expected
