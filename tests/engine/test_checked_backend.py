"""The checked build: an access by address outside registered memory is an exception where it happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import numpy as np
from engine.guarded_memory import GuardedBuffer
from engine.memory_regions import OutOfBounds
from engine.native import *

neighbours = np.zeros(64, np.uint8)
table, record = neighbours[16:32], np.dtype([("a", "<i8"), ("b", "<i8")])
start = address_of(table)
made = touched(2, record)
guarded = GuardedBuffer(64).place(b"abc")
buffer = GuardedBuffer(64)
guarded = buffer.place(b"abc")
copied = np.zeros(4, np.uint8)
def outcome(what):
    try:
        what()
        return "fine"
    except OutOfBounds as wrong:
        return "out of bounds"
print([outcome(what) for what in (
    lambda: load_i64(start + 8), lambda: load_i64(start + 9), lambda: load_u8(start - 1), lambda: load_be48(start + 10),
    lambda: store_be32(start + 12, 1), lambda: store_be32(start + 13, 1), lambda: view(start, 1, record),
    lambda: view(start, 2, record), lambda: view(address_of(made), 2, record),
    lambda: view(address_of(made), 3, record),
    lambda: copy_bytes(address_of(copied), start, 4), lambda: copy_bytes(address_of(copied), start, 5),
    lambda: load_be16(guarded + 1), lambda: load_be16(guarded + 2), lambda: load_u8(guarded - 1),
    lambda: crc32c(start, 17), lambda: zero_bytes(start, 16), lambda: load_u8(12345),
)])
"""
EXPECTED = [
    "fine", "out of bounds", "out of bounds", "fine", "fine", "out of bounds", "fine", "out of bounds", "fine",
    "out of bounds", "fine", "out of bounds", "fine", "out of bounds", "out of bounds", "out of bounds", "fine",
    "out of bounds",
]  # fmt: skip


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"ENGINE_BACKEND": "checked"}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_an_access_outside_registered_memory_is_an_exception() -> None:
    done = run("-c", SCRIPT)
    assert (done.stdout.strip(), done.stderr) == (str(EXPECTED), "")


@pytest.mark.parametrize("parser", ["engine-answers", "engine-feed"])
def test_an_engine_that_is_fed_malformed_input_touches_nothing_but_its_tables(parser: str) -> None:
    done = run("-m", "engine", "fuzz", parser, "--inputs", "1500", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(done.stdout)[name] for name in ("inputs", "crashes", "hangs")] == [1500, 0, 0]


@pytest.mark.parametrize("parser", ["loop-blocks", "loop-fix", "loop-frames", "loop-reports", "loop-reports-42"])
def test_the_parsers_of_the_loop_touch_nothing_beside_their_input(parser: str) -> None:
    done = run("-m", "engine", "fuzz", parser, "--inputs", "2000", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert (summary["inputs"], summary["crashes"], summary["hangs"]) == (2000, 0, 0)


def test_a_session_of_orders_touches_nothing_but_its_tables() -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "tests/engine/hotpath/test_ring_sessions.py")
    assert done.returncode == 0, done.stdout
