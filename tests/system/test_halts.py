"""A venue halts an instrument over real sockets: the gate refuses, the venue refuses, and both take orders again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.messages import control
from engine.messages.codes import Side, TimeInForce
from engine.simulator.floor_port import DONE, tell
from engine.simulator.generator import default_instruments
from tests.system.engine_rig import TEAM, XSIM, Rig, running, wait_until

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("engine"), pytest.mark.timeout(900)]
HELD, FREE = default_instruments()[:2]


def top(rig: Rig, instrument: int) -> dict[str, Any]:
    return next(row for row in rig.state_frame()["tops"] if row["instrument"] == instrument)


def enter(rig: Rig, number: int, instrument: int, price: int, side: Side = Side.BUY) -> control.Status:
    order = control.EnterOrder(f"halt {number}", TEAM, instrument, XSIM, int(side), 100, price, int(TimeInForce.DAY))
    return rig.send(order)


def far_below(rig: Rig, instrument: int) -> int:
    """A price that does not trade at once: one per cent below the bid."""
    bid = wait_until(lambda: top(rig, instrument)["bid"], "a bid")
    return int(bid) * 99 // 10_000 * 100


def test_a_halted_instrument_refuses_and_resumes(tmp_path: Path) -> None:
    with running(Rig(tmp_path, default_instruments())) as rig:
        rig.write_exchange(market="seed = 7\nrate = 100.0")
        rig.start_exchange()
        rig.start_engine()
        rig.define_ouch_venue()
        rig.apply_limits([])
        ready = tmp_path / "exchange" / "exchange.json"

        def status_is(word: str, instrument: int = HELD.id) -> bool:
            return bool(top(rig, instrument)["status"] == word)

        def floor(order: str) -> None:
            assert tell(ready, order) == DONE

        wait_until(lambda: rig.state_frame()["engine_state"] == "ACTIVE", "the engine is active")
        wait_until(lambda: rig.state_frame()["venues"][0]["session"] == "UP", "the session is up")
        wait_until(lambda: status_is("TRADING"), "the opening was heard")
        wait_until(lambda: not rig.state_frame()["feeds"][0]["dirty"], "the book is whole")
        held, free = far_below(rig, HELD.id), far_below(rig, FREE.id)
        assert enter(rig, 1, HELD.id, held).applied
        floor(f"halt {HELD.name} T1")
        wait_until(lambda: status_is("HALTED"), "the halt was heard")
        refused = enter(rig, 2, HELD.id, held)
        assert (refused.applied, refused.body["denial"]) == (False, "INSTRUMENT_HALTED")
        assert enter(rig, 3, FREE.id, free).applied
        floor(f"resume {HELD.name}")
        wait_until(lambda: status_is("TRADING"), "trading resumes")
        assert enter(rig, 4, HELD.id, held).applied
        floor(f"short-sale {HELD.name} 1")
        wait_until(lambda: status_is("SHORT_SALE_RESTRICTED"), "the restriction was heard")
        assert enter(rig, 5, HELD.id, held, Side.SELL).body["denial"] == "SHORT_SALE_RESTRICTED"
        floor("breaker 1")
        wait_until(lambda: status_is("MARKET_WIDE_HALT", FREE.id), "the breach was heard")
        assert enter(rig, 6, FREE.id, free).body["denial"] == "MARKET_WIDE_HALT"
        floor("resume all")
        wait_until(lambda: status_is("TRADING", FREE.id), "trading resumes everywhere")
        assert enter(rig, 7, FREE.id, free).applied
        assert "does not list NONE" in tell(ready, "halt NONE")
        assert rig.stop_engine() == 0
        assert rig.door("journal", "replay", str(rig.state))["identical"] is True
