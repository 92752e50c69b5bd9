"""The exchange's FIX 4.4 port in a real process, and the engine's FIX session process against it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.messages.codes import Liquidity, ReportKind, SessionState, Side, TimeInForce
from engine.messages.endpoints import shared_memory_directory
from tests.engine.simulator.oracle_lines import oracle_lines
from tests.engine.venues.fix44_engine import Engine, wait_for

ROOT = Path(__file__).parents[3]


class FixExchange:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.engine.simulator.fix_exchange", str(self.directory), str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def oracle(self) -> list[dict[str, Any]]:
        return oracle_lines(self.directory / "oracle.jsonl")


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[FixExchange]:
    made = FixExchange(tmp_path)
    yield made
    made.kill()


@pytest.fixture
def engine(tmp_path: Path, exchange: FixExchange) -> Iterator[Engine]:
    state = tmp_path / "state"
    state.mkdir()
    made = Engine(state, exchange.port, "XFIX")
    yield made
    made.kill()
    shutil.rmtree(shared_memory_directory(state))


def test_orders_meet_on_the_book_and_both_logs_agree(engine: Engine, exchange: FixExchange) -> None:
    engine.wait_session(SessionState.UP)
    engine.enter(1, quantity=60)
    engine.enter(2, side=Side.SELL, quantity=100, time_in_force=TimeInForce.IOC)
    engine.enter(3, quantity=10)
    engine.wait_reports(6)
    engine.cancel(3)
    engine.wait_reports(7)
    assert sorted(engine.told()) == sorted(
        [
            ("ACCEPTED", 1, 60, 60),
            ("ACCEPTED", 2, 100, 100),
            ("EXECUTED", 2, 60, 40),
            ("EXECUTED", 1, 60, 0),
            ("CANCELED", 2, 40, 0),
            ("ACCEPTED", 3, 10, 10),
            ("CANCELED", 3, 10, 0),
        ]
    )
    fills = {int(r["order_id"]): r for r in engine.journal if r["kind"] == ReportKind.EXECUTED}
    assert [(int(fills[n]["liquidity"]), int(fills[n]["match_number"])) for n in (1, 2)] == [
        (Liquidity.ADDED, 1),
        (Liquidity.REMOVED, 1),
    ]
    written = [(str(line["kind"]).upper(), line["user_reference"], line["quantity"]) for line in exchange.oracle()]
    assert sorted(written) == sorted((kind, order_id, quantity) for kind, order_id, quantity, _ in engine.told())


def test_a_wrong_password_never_comes_up(
    engine: Engine, exchange: FixExchange, capfd: pytest.CaptureFixture[str]
) -> None:
    engine.wait_session(SessionState.UP)
    engine.kill()
    engine.settings["password"] = "wrong"
    engine.start()
    errors: list[str] = []

    def refused() -> bool:
        errors.append(capfd.readouterr().err)
        return "the venue logs out: Rejected Logon Attempt: the password is wrong" in "".join(errors)

    wait_for(refused, "the refusal")
    engine.drain()
    assert SessionState.UP not in engine.sessions[engine.sessions.index(SessionState.DOWN) :]


def test_an_exchange_that_was_killed_has_forgotten_its_orders_and_the_desk_learns_it(
    engine: Engine, exchange: FixExchange
) -> None:
    engine.wait_session(SessionState.UP)
    engine.enter(1)
    engine.wait_reports(1)
    exchange.kill()
    engine.wait_session(SessionState.DOWN)
    exchange.start()
    engine.wait_session(SessionState.UP)
    engine.enter(2)
    engine.wait_reports(3)
    assert engine.told() == [("ACCEPTED", 1, 100, 100), ("CANCELED", 1, 100, 0), ("ACCEPTED", 2, 100, 100)]


def test_fills_while_the_session_process_is_dead_are_found_again(engine: Engine, exchange: FixExchange) -> None:
    engine.wait_session(SessionState.UP)
    for order_id in range(1, 101):
        engine.enter(order_id, side=Side.BUY if order_id % 2 else Side.SELL, quantity=10)
    wait_for(lambda: len(exchange.oracle()) > 20, "orders at the exchange")
    engine.kill()
    engine.start()
    engine.wait_session(SessionState.UP)
    written = [(line["kind"], line["user_reference"], line["quantity"]) for line in exchange.oracle()]
    said = [(kind.lower(), order_id, quantity) for kind, order_id, quantity, _ in engine.told()]
    fills = [row for row in said if row[0] == "executed"]
    assert sorted(fills) == sorted(row for row in written if row[0] == "executed")
    assert len(fills) > 10
    accepted = {row[1] for row in written if row[0] == "accepted"}
    assert {order_id for kind, order_id, *_ in said if kind == "not_sent"} == set(range(1, 101)) - accepted
