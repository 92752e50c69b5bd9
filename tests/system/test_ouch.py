"""Both dialects of OUCH over real sockets: traded, killed, recovered; replaced, broken, killed with one request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.messages import control
from engine.messages.codes import OrderState, Scope, Side, TimeInForce
from engine.simulator.floor_port import DONE, tell
from engine.simulator.generator import default_instruments
from tests.system.agreement import EngineLog, OracleLog, disagreements
from tests.system.engine_rig import TEAM, USER, XSIM, Rig, running, wait_until

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("engine"), pytest.mark.timeout(900)]
INSTRUMENTS = default_instruments()
NAMES = {row.name: row.id for row in INSTRUMENTS}


def started(rig: Rig, rate: float) -> tuple[OracleLog, EngineLog]:
    rig.write_exchange(market=f"seed = 7\nrate = {rate}")
    rig.start_exchange()
    rig.start_engine()
    rig.define_ouch_venue()
    rig.apply_limits([1, 2])
    exchange = OracleLog(rig.directory / "exchange" / "oracle.jsonl", USER, "XSIM")
    return exchange, EngineLog(rig.state, XSIM)


def venue(rig: Rig) -> dict[str, Any]:
    row: dict[str, Any] = rig.state_frame()["venues"][0]
    return row


def ready_to_trade(rig: Rig) -> None:
    wait_until(lambda: rig.state_frame()["engine_state"] == "ACTIVE", "the engine is active")
    wait_until(lambda: venue(rig)["session"] == "UP", "the session is up")
    wait_until(lambda: not rig.state_frame()["feeds"][0]["dirty"], "the books are whole")


def test_a_venue_of_the_older_dialect_is_traded_killed_and_recovered(tmp_path: Path) -> None:
    with running(Rig(tmp_path, INSTRUMENTS, dialect="ouch42")) as rig:
        exchange, engine = started(rig, 400.0)
        for strategy in (1, 2):
            rig.start_pairs(strategy, 4 * strategy - 3, 4 * strategy - 2)

        def traded(more: int) -> None:
            engine.read()
            wanted = engine.fills.total() + more
            wait_until(lambda: engine.read() or engine.fills.total() >= wanted, rig.said("run"), 60)

        traded(5)
        for _ in range(2):
            rig.kill_engine()
            rig.start_engine()
            traded(3)
        rig.apply(control.Kill(int(Scope.FIRM), 0, "the end of the test"))

        def at_rest() -> bool:
            engine.read()
            left = [order for order, (_, leaves) in engine.orders.items() if leaves]
            return not left and not disagreements(exchange, engine, NAMES, quiet=True)

        try:
            wait_until(at_rest, "every order has ended")
        finally:
            faults = disagreements(exchange, engine, NAMES, quiet=True)
        assert faults == []
        assert venue(rig)["malformed"] == 0
        assert rig.stop_engine() == 0
        assert rig.door("journal", "replay", str(rig.state))["identical"]


@pytest.mark.parametrize("dialect", ["ouch50", "ouch42"])
def test_an_order_is_replaced_filled_broken_and_everything_killed(tmp_path: Path, dialect: str) -> None:
    with running(Rig(tmp_path, INSTRUMENTS, dialect=dialect)) as rig:
        exchange, engine = started(rig, 100.0)
        ready_to_trade(rig)
        instrument = INSTRUMENTS[0]

        def top() -> dict[str, Any]:
            row: dict[str, Any] = next(r for r in rig.state_frame()["tops"] if r["instrument"] == instrument.id)
            return row

        wait_until(lambda: top()["bid"] and top()["ask"], "a book")

        def enter(name: str, price: int) -> int:
            order = control.EnterOrder(name, TEAM, instrument.id, XSIM, int(Side.BUY), 100, price, int(TimeInForce.DAY))
            return int(rig.apply(order).body["order_id"])

        def state(order_id: int) -> OrderState | None:
            engine.read()
            return engine.orders.get(order_id, (None, 0))[0]

        low = int(top()["bid"]) * 99 // 10_000 * 100
        order_id = enter("first", low)
        wait_until(lambda: state(order_id) == OrderState.ACCEPTED, "the order is accepted")
        kept = rig.apply(control.ReplaceOrder(order_id, low, 60)).body["order_id"]
        assert kept == order_id
        wait_until(lambda: engine.read() or engine.orders[order_id] == (OrderState.ACCEPTED, 60), "it is modified")
        number = int(
            rig.apply(control.ReplaceOrder(order_id, int(top()["ask"]) * 101 // 10_000 * 100, 80)).body["order_id"]
        )
        wait_until(lambda: state(number) == OrderState.FILLED, "the replacement is filled")
        assert engine.orders[order_id] == (OrderState.CANCELED, 0) or state(order_id) is not None
        wait_until(lambda: rig.state_frame()["positions"], "the position is shown")
        seen = rig.apply(control.ViewSession(XSIM, 200)).body
        told = [message["name"].removeprefix("Order ") for message in seen["messages"] if message["order"] == number]
        assert (told[0], told[-1], seen["rates"]["refused"]) == ("Executed", "Replace Order", 0)
        assert "Login Accepted, from the server" in {message["name"] for message in seen["messages"]}
        matches = [match for match, reference in engine.fills if reference == number]
        for match in matches:
            assert tell(tmp_path / "exchange" / "exchange.json", f"break {match}") == DONE
        wait_until(
            lambda: all(row["quantity"] == 0 for row in rig.state_frame()["positions"]), "the trade is taken back"
        )

        resting = enter("second", low)
        wait_until(lambda: state(resting) == OrderState.ACCEPTED, "the order is accepted")
        rig.apply(control.Kill(int(Scope.FIRM), 0, "test"))
        wait_until(lambda: state(resting) == OrderState.CANCELED, "the order is canceled")
        assert venue(rig)["order_entry"] == ("disabled" if dialect == "ouch50" else "enabled")
        rig.apply(control.Rearm(int(Scope.FIRM), 0, "test", "somebody else"))
        ready_to_trade(rig)
        again = enter("third", low)
        wait_until(lambda: state(again) == OrderState.ACCEPTED, "orders are taken again")
        assert (venue(rig)["order_entry"], venue(rig)["malformed"]) == ("enabled", 0)
        assert exchange.last_sequence == 0
        assert rig.stop_engine() == 0
        assert rig.door("journal", "replay", str(rig.state))["identical"]


def test_a_refused_login_is_a_sentence_and_a_corrected_one_connects_at_once(tmp_path: Path) -> None:
    with running(Rig(tmp_path, INSTRUMENTS)) as rig:
        rig.write_exchange(market="seed = 7\nrate = 20.0")
        rig.start_exchange()
        rig.start_engine()
        settings = {"order_address": f"127.0.0.1:{rig.order_ports[XSIM]}", "user": USER, "password": "wrong"}
        rig.apply(control.DefineVenue(XSIM, "XSIM", "ouch50", settings | rig._feed(XSIM)))
        wait_until(lambda: "user or password is wrong" in venue(rig)["why"], "the sentence is shown")
        assert rig.said("run").count("user or password is wrong") == 1
        rig.define_ouch_venue()
        wait_until(lambda: venue(rig)["session"] == "UP", "the session is up")
        assert venue(rig)["why"] == ""
