"""The two sides of a ring: the loop's functions, the light process's object, and a death on either side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine.native import address_of
from engine.transport.ring_file import BODY_SIZE, RingFile, open_ring
from engine.transport.rings import ring_advance, ring_peek, ring_pop, ring_push, ring_waiting

ROOT = Path(__file__).parents[3]

PRODUCER = """
import sys
from pathlib import Path
from engine.transport.ring_file import open_ring
ring = open_ring(Path(sys.argv[1]), 64)
last = int(sys.argv[2])
while ring.tail < last:
    ring.push(1 + ring.tail % 7, (ring.tail + 1).to_bytes(8, "little") * 12)
"""

CONSUMER = """
import os, sys
from pathlib import Path
from engine.transport.ring_file import open_ring
ring = open_ring(Path(sys.argv[1]), 64)
done = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
last = int(sys.argv[3])
written = os.fstat(done).st_size // 8
while ring.head < last:
    record = ring.peek()
    if record is None:
        continue
    sequence, kind, body = record
    assert body == sequence.to_bytes(8, "little") * 12 and kind == 1 + (sequence - 1) % 7, record
    if sequence > written:
        os.write(done, sequence.to_bytes(8, "little"))
        written = sequence
    ring.advance()
"""


def loop_push(ring: RingFile, kind: int, body: bytes) -> int:
    raw = np.frombuffer(bytearray(body), np.uint8)
    return int(ring_push(ring.address, kind, address_of(raw), len(body)))


def start(source: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", source, *map(str, arguments)], cwd=ROOT)


def test_what_the_loop_pushes_the_other_side_sees_in_order_until_it_advances(tmp_path: Path) -> None:
    ring = open_ring(tmp_path / "ring", 4)
    assert [loop_push(ring, 3, bytes([n]) * n) for n in (1, 2, 96)] == [1, 1, 1]
    seen = []
    while (record := ring.peek()) is not None:
        assert ring.peek() == record
        seen.append(record)
        ring.advance()
    assert seen == [(n, 3, (bytes([size]) * size).ljust(96, b"\0")) for n, size in ((1, 1), (2, 2), (3, 96))]


def test_what_the_other_side_pushes_the_loop_sees_in_order_until_it_advances(tmp_path: Path) -> None:
    ring, target = open_ring(tmp_path / "ring", 4), np.zeros(BODY_SIZE, np.uint8)
    for n in (5, 6):
        assert ring.push(n, bytes([n]) * n)
    assert ring_waiting(ring.address) == 2
    assert [ring_peek(ring.address, address_of(target)) for _ in range(2)] == [5, 5]
    assert target.tobytes() == (b"\5" * 5).ljust(96, b"\0")
    ring_advance(ring.address)
    assert ring_pop(ring.address, address_of(target)) == 6
    assert target.tobytes() == (b"\6" * 6).ljust(96, b"\0")
    assert (ring_pop(ring.address, address_of(target)), ring_waiting(ring.address), ring.peek()) == (0, 0, None)


def test_a_full_ring_refuses_and_loses_nothing(tmp_path: Path) -> None:
    ring = open_ring(tmp_path / "ring", 2)
    assert [loop_push(ring, 1, b"a"), ring.push(1, b"b")] == [1, True]
    assert [loop_push(ring, 1, b"c"), ring.push(1, b"d")] == [0, False]
    assert (ring.head, ring.tail, ring.peek()) == (0, 2, (1, 1, b"a".ljust(96, b"\0")))


def test_attaching_again_continues_where_it_was(tmp_path: Path) -> None:
    first = open_ring(tmp_path / "ring", 4)
    for n in range(3):
        first.push(1, bytes([n]))
    first.advance()
    again = open_ring(tmp_path / "ring", 4)
    assert (again.head, again.tail, again.created_ns) == (1, 3, first.created_ns)
    assert again.peek() == (2, 1, b"\1".ljust(96, b"\0"))


@pytest.mark.parametrize("capacity", [0, 1, 3, 100])
def test_a_capacity_that_is_no_power_of_two_is_refused(tmp_path: Path, capacity: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        open_ring(tmp_path / "ring", capacity)


def test_a_file_that_is_no_ring_of_this_capacity_is_refused(tmp_path: Path) -> None:
    open_ring(tmp_path / "ring", 4)
    (tmp_path / "other").write_bytes(bytes((tmp_path / "ring").stat().st_size))
    with pytest.raises(ValueError, match="not a ring of 8 records"):
        open_ring(tmp_path / "ring", 8)
    with pytest.raises(ValueError, match="not a ring of 4 records"):
        open_ring(tmp_path / "other", 4)


def test_bad_records_and_an_empty_advance_are_refused(tmp_path: Path) -> None:
    ring = open_ring(tmp_path / "ring", 4)
    with pytest.raises(ValueError, match="not a ring record"):
        ring.push(0, b"")
    with pytest.raises(ValueError, match="not a ring record"):
        ring.push(1, bytes(97))
    with pytest.raises(RuntimeError, match="nothing to advance over"):
        ring.advance()


@pytest.mark.parametrize("victim", ["producer", "consumer"])
def test_killing_either_side_again_and_again_loses_and_doubles_nothing(tmp_path: Path, victim: str) -> None:
    path, done, last = tmp_path / "ring", tmp_path / "done", 60_000
    ring = open_ring(path, 64)
    starters = {"producer": lambda: start(PRODUCER, path, last), "consumer": lambda: start(CONSUMER, path, done, last)}
    processes = {name: starter() for name, starter in starters.items()}
    deadline = time.monotonic() + 60
    kills = 0
    try:
        while ring.head < last and time.monotonic() < deadline:
            if kills < 5 and ring.head > (kills + 1) * last // 8:
                os.kill(processes[victim].pid, signal.SIGKILL)
                processes[victim].wait()
                processes[victim] = starters[victim]()
                kills += 1
            time.sleep(0.001)
        assert [process.wait(10) for process in processes.values()] == [0, 0]
    finally:
        for process in processes.values():
            process.kill()
    assert kills == 5
    assert np.fromfile(done, "<u8").tolist() == list(range(1, last + 1))
