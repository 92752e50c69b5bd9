"""No allocation, no interpreter, no lock and no system call but receive, send and poll in the loop: counted under load.

The loop runs in a process of its own (`counted_loop.py`) and trades with this one, which is its market and its venue.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.native import BACKEND
from engine.protocols import itch50, moldudp64, ouch50, soupbintcp
from tests.engine.hotpath.counted_loop import ALLOWED
from tests.engine.hotpath.ouch_venue import accepted, executed, sequenced
from tests.engine.loop_builder import FEED_SESSION, INSTRUMENTS, OPEN_NS, SECOND_NS

pytestmark = pytest.mark.skipif(BACKEND != "native", reason="about compiled code")

ROOT = Path(__file__).resolve().parents[3]
MIDDLE = 1_000_000
ORDERS = 600
ANSWER_WITHIN_S = 0.2
STARTS_WITHIN_S = 600.0  # the hot path may have to be compiled
WITHIN_S = 60.0
Process = subprocess.Popen[str]


class Market:
    """Quotes whose spread swings, over UDP; a venue that accepts and fills every order at once, on a stream."""

    def __init__(self) -> None:
        self.feeds = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for feed in self.feeds:
            feed.bind(("127.0.0.1", 0))
        self.engine_end, self.venue_end = socket.socketpair()
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._splitter = soupbintcp.Splitter()
        self._sequence = 1
        self._reference = 1
        self._resting: dict[int, tuple[int, int]] = {}
        self.rounds = 0
        self.orders = 0
        self.packets = 0  # orders, cancels where the market was faster than we, and heartbeats

    def close(self) -> None:
        for end in (*self.feeds, self.engine_end, self.venue_end, self._out):
            end.close()

    def quote(self, middles: dict[int, int], time_ns: int) -> None:
        """New tops, in one packet on each line."""
        messages = []
        for instrument, middle in middles.items():
            named = {"stock_locate": instrument, "timestamp_ns": time_ns}
            messages += [
                itch50.encode("order_delete", reference=reference, **named)
                for reference in self._resting.pop(instrument, ())
            ]
            self._resting[instrument] = (self._reference, self._reference + 1)
            for side, price in (("B", middle - 100), ("S", middle + 100)):
                fields = named | {"reference": self._reference, "side": side, "quantity": 500, "price": price}
                messages.append(itch50.encode("add_order", instrument=INSTRUMENTS[instrument - 1].name, **fields))
                self._reference += 1
        packet = moldudp64.encode(FEED_SESSION, self._sequence, messages)
        self._sequence += len(messages)
        for feed in self.feeds:
            self._out.sendto(packet, feed.getsockname())

    def answer(self) -> bool:
        """Take what the loop sent; each order is accepted and filled, and then it is too late to cancel it. False when
        nothing came."""
        try:
            raw = self.venue_end.recv(1 << 16)
        except TimeoutError:
            return False
        assert raw, "the loop has closed its session"
        packets = [soupbintcp.decode(packet) for packet in self._splitter.feed(raw)]
        self.packets += len(packets)
        asked = [ouch50.decode_inbound(p.payload) for p in packets if p.layout.name == "unsequenced_data"]
        for order in (message for message in asked if message.layout.name == "enter_order"):
            number, side, quantity, price = (
                order.values[name] for name in ("user_reference", "side", "quantity", "price")
            )
            self.orders += 1
            answers = (accepted(number, quantity, side=side), executed(number, quantity, number, price))
            self.venue_end.sendall(sequenced(*answers))
        return True

    def trade(self, orders: int) -> None:
        """Until so many more orders came: the pair's spread swings from side to side, the strategy follows."""
        self.venue_end.settimeout(ANSWER_WITHIN_S)
        wanted = self.orders + orders
        deadline = time.monotonic() + WITHIN_S
        while self.orders < wanted:
            assert time.monotonic() < deadline, f"{wanted - self.orders} orders did not come"
            swing = 2_000 if self.rounds % 2 else -2_000
            self.quote({1: MIDDLE + swing, 2: MIDDLE}, OPEN_NS + self.rounds * SECOND_NS)
            self.rounds += 1
            self.answer()


class Child:
    """The process with the loop, and what it says."""

    def __init__(self, market: Market, *, spinning: int, confined: bool, preload: Path | None = None) -> None:
        descriptors = [market.engine_end.fileno(), *(feed.fileno() for feed in market.feeds)]
        options = {"order": descriptors[0], "feeds": descriptors[1:], "spinning": spinning, "confined": confined}
        environment = os.environ | ({"LD_PRELOAD": str(preload)} if preload else {})
        self.process: Process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.hotpath.counted_loop", json.dumps(options)],
            cwd=ROOT,
            env=environment,
            pass_fds=descriptors,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.thread = int(self.heard()["thread"])

    def heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the loop's process ended: {self.process.wait()}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def stats(self) -> dict[str, Any]:
        self.say("stats")
        return self.heard()


@contextmanager
def trading(**options: Any) -> Iterator[tuple[Market, Child]]:
    """A market and a loop that has begun to trade there."""
    market = Market()
    child = Child(market, **options)
    try:
        market.trade(6)
        yield market, child
    finally:
        child.process.kill()
        child.process.communicate()
        market.close()


@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="system calls by x86-64 number")
@pytest.mark.parametrize("spinning", [0, 1], ids=["backing_off", "spinning"])
def test_the_loops_thread_makes_no_system_call_but_receive_send_and_poll(spinning: int) -> None:
    with trading(spinning=spinning, confined=True) as (market, child):
        market.trade(ORDERS)
        time.sleep(0.05)  # idle turns are confined, too
        stats = child.stats()
        assert stats["alive"]
        assert stats["orders"] >= market.orders >= ORDERS
        assert (stats["warm_decisions"] > 0) == bool(spinning)
        child.say("wake")  # the first step back into the interpreter is the last
        assert child.process.wait(WITHIN_S) == -signal.SIGSYS


@pytest.mark.parametrize("spinning", [0, 1], ids=["backing_off", "spinning"])
def test_compiled_code_takes_no_memory_and_the_interpreter_is_not_entered(spinning: int) -> None:
    with trading(spinning=spinning, confined=False) as (market, child):
        before = child.stats()
        market.trade(ORDERS)
        after = child.stats()
    assert after["orders"] >= market.orders >= before["orders"] + ORDERS // 2
    assert after["numba"] == before["numba"]
    assert after["frame"] == before["frame"]
    assert str(after["frame"]).startswith("turn_for_ever ")


def test_orders_flow_while_another_thread_keeps_the_interpreters_lock() -> None:
    with trading(spinning=0, confined=False) as (market, child):
        child.say("hold")
        assert child.heard() == {"holding": True}
        held_since = time.monotonic()
        market.trade(40)
        took_s = time.monotonic() - held_since
        stats = child.heard()
    if took_s > 2:
        pytest.skip(f"this machine was too slow to trade while the lock was held: {took_s:.1f} s")
    assert stats["orders"] >= market.orders >= 46


@pytest.mark.skipif(shutil.which(os.environ.get("CC") or "cc") is None, reason="no C compiler for the counting library")
def test_a_preloaded_library_sees_every_receive_and_send_and_no_allocation(tmp_path: Path) -> None:
    library = tmp_path / "counting.so"
    source = Path(__file__).with_name("counting.c")
    compiler = os.environ.get("CC") or "cc"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    with trading(spinning=0, confined=False, preload=library) as (market, child):
        before, packets = child.stats(), market.packets
        market.trade(ORDERS)
        after = child.stats()
        while market.answer():
            pass
    grown = {name: after[name] - before[name] for name in ("allocations", "receives", "sends", "orders")}
    assert grown["allocations"] == 0
    # What one packet or answer causes leaves in one send.
    assert market.packets - packets >= grown["sends"] >= ORDERS // 4
    assert grown["receives"] > grown["sends"]


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace here")
def test_strace_sees_nothing_else(tmp_path: Path) -> None:
    traced = tmp_path / "traced"
    with trading(spinning=0, confined=False) as (market, child):
        tracer = subprocess.Popen(
            ["strace", "-p", str(child.thread), "-o", str(traced)], stderr=subprocess.PIPE, text=True
        )
        assert tracer.stderr is not None
        attached = tracer.stderr.readline()
        if "attached" not in attached:
            tracer.wait()
            pytest.skip(f"strace may not look here: {attached.strip()}")
        market.trade(50)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(WITHIN_S)
        assert child.stats()["alive"]
    calls = re.findall(r"^(\w+)\(", traced.read_text(), re.MULTILINE)
    resumed = {"restart_syscall"}  # how the kernel goes on with the poll that the tracer interrupted when it came
    seen = set(calls) - resumed
    assert {"recvfrom", "sendto"} <= seen <= set(ALLOWED)  # a loop that always had something to do did not poll
    assert calls.count("sendto") >= 10
