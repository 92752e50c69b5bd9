"""`python -m engine fuzz`: what it finds, and that every parser of ours survives a little of it."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine import fuzz
from engine.fuzz_engine import ENGINES, FedEngine
from engine.guarded_memory import GuardedBuffer
from engine.messages.codes import OrderState
from engine.protocols import fuzz_loops, fuzz_targets

ROOT = Path(__file__).parents[2]


# A target called "sample" whose parser is `read`. In a process of its own: one with threads, as this one may be, must
# not fork.
SAMPLE = """
import ctypes, faulthandler, json, sys, time
from dataclasses import asdict
from engine import fuzz
from engine.guarded_memory import GuardedBuffer
from engine.protocols import fuzz_targets
from engine.protocols.layouts import MalformedMessage

{read}
fuzz_targets.TARGETS["sample"] = (lambda: read, lambda random: random.randbytes(8))
print(json.dumps(asdict(fuzz.fuzz("sample", 100, 7))))
"""


def sample(read: str) -> tuple[dict[str, Any], str]:
    """What fuzzing found in a parser of this source, and what was said."""
    command = [sys.executable, "-c", SAMPLE.format(read=read)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def all_parsers() -> dict[str, dict[str, Any]]:
    """What the command says of each. As people start it: a process with threads, as this one may be, must not fork."""
    command = [sys.executable, "-m", "engine", "fuzz", "all", "--inputs", "3000", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return {summary["parser"]: summary for summary in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("parser", fuzz.everything())
def test_every_parser_survives_malformed_input(parser: str, all_parsers: dict[str, dict[str, Any]]):
    summary = all_parsers[parser]
    assert (summary["inputs"], summary["crashes"], summary["hangs"]) == (3000, 0, 0)
    assert summary["accepted"] > 0
    assert summary["refused"] > 0


def test_refusals_are_counted_apart_from_what_was_accepted():
    result, _ = sample("def read(raw): raise MalformedMessage('never')")
    assert [result[name] for name in ("inputs", "accepted", "refused", "crashes")] == [100, 0, 100, 0]


def test_any_other_exception_is_a_crash_and_names_its_input():
    result, said = sample("def read(raw): return {}[len(raw)]")
    assert [result[name] for name in ("inputs", "refused", "crashes")] == [1, 0, 1]
    assert "seed 7: KeyError" in said


def test_a_read_beyond_the_input_kills_the_process_and_is_a_crash():
    result, said = sample(
        "buffer = GuardedBuffer(64)\n"
        "def read(raw):\n"
        "    faulthandler.disable()\n"
        "    return ctypes.string_at(buffer.place(raw), len(raw) + 1) == raw\n"
    )
    assert result["crashes"] == 1
    assert "died with status -11" in said


def test_a_read_of_the_last_byte_is_fine():
    buffer = GuardedBuffer(64)
    assert ctypes.string_at(buffer.place(b"abc"), 3) == b"abc"


def test_a_parser_that_does_not_come_back_is_a_hang():
    result, _ = sample(
        "fuzz.HANG_SECONDS, fuzz.START_SECONDS, fuzz.CRASHES_TO_STOP = 0.2, 0.0, 1\ndef read(raw): time.sleep(30)"
    )
    assert result["hangs"] == 1


def test_the_same_seed_gives_the_same_input():
    def first(seed: int) -> list[bytes]:
        endless = fuzz_targets.spoiled(fuzz_targets.good_itch, Random(seed))
        return [next(endless) for _ in range(50)]

    assert first(3) == first(3)
    assert first(3) != first(4)


def test_an_unknown_parser_is_a_clear_sentence():
    done = subprocess.run(
        [sys.executable, "-m", "engine", "fuzz", "nothing"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"invalid choice: 'nothing'" in done.stderr


def test_loops_of_compiled_code_make_the_same_inputs_of_the_same_seed():
    def accepted(seed: int) -> int:
        return fuzz_loops.fuzz_loop("loop-blocks", fuzz_targets.good_mold, seed, 400)

    assert accepted(3) == accepted(3)
    assert 0 < accepted(3) < 400


def test_every_parser_of_the_loop_is_fed_by_compiled_code():
    assert sorted(fuzz_loops.LOOPS) == sorted(name for name in fuzz_targets.TARGETS if name.startswith(fuzz.LOOP))


def test_the_engine_as_a_whole_trades_while_it_is_fed():
    fed = FedEngine(3)
    for feed, good in ENGINES.values():
        spoiler = fuzz_loops.Spoiler(good, 3)
        for _ in range(1500):
            length = int(fuzz_loops.next_input(spoiler.address))
            feed(fed, spoiler.end - length, length)
        fed.look()
    assert sorted(ENGINES) == sorted(fuzz.WHOLE)
    assert int(fed.core["orders_entered"]) > 50
    assert int(fed.row["fills"]) > 5
    assert OrderState.FILLED in fed.memory.orders["state"].tolist()
    assert int(fed.memory.book.book[0]["live_orders"]) > 10


def test_exposure_that_is_not_what_the_orders_have_left_is_a_crash():
    fed = FedEngine(3)
    fed.memory.cells["working_buy"][1] += 1
    with pytest.raises(AssertionError, match="working_buy of ALPHA: 1 reserved, orders have 0"):
        fed.look()


def test_guidance_by_coverage_is_for_a_parser_by_itself():
    command = [sys.executable, "-m", "engine", "fuzz", "engine-feed", "--inputs", "10", "--coverage"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--coverage watches a parser by itself, not the engine" in done.stderr


def test_guidance_by_coverage_says_what_it_needs_or_runs():
    command = [sys.executable, "-m", "engine", "fuzz", "sbe", "--inputs", "2000", "--coverage"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if find_spec("atheris") is None:
        assert (done.returncode, done.stderr.splitlines()) == (
            2,
            ["engine fuzz: --coverage needs the package atheris, which is not installed; without it input is random"],
        )
    else:
        assert done.returncode == 0, done.stderr
