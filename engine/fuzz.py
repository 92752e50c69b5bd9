"""`python -m engine fuzz PARSER --inputs N`: malformed input into one parser, or `all`, in processes that may die.

The input follows from the seed, so that whatever is found can be found again: the seed of the batch is printed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

Targets = dict[str, tuple[Callable[[], Callable[[bytes], bool]], Callable[[Random], bytes]]]
BATCH = 100_000
ALL = "all"
LOOP = "loop-"  # what the names of the loop's own parsers begin with
LOOP_BATCH = 2_500_000  # compiled code feeds them
WHOLE = ("engine-answers", "engine-feed")  # what is read is applied, by an engine in memory (engine.fuzz_engine)
HANG_SECONDS = 60.0  # of processor time
PATIENCE = 20  # a process that does nothing hangs after so many times as long
START_SECONDS = 120.0  # compiling the parser is part of the first batch
CRASHES_TO_STOP = 20


@dataclass
class Result:
    """What the last line says. `refused` inputs were malformed and said so."""

    parser: str
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    crashes: int = 0
    hangs: int = 0
    seconds: float = 0.0
    inputs_per_second: int = 0


def targets() -> Targets:
    """Every parser that is fed by itself: a maker of the target, and good input."""
    from engine import fuzz_accounts
    from engine.protocols import fuzz_targets

    return fuzz_targets.TARGETS | fuzz_accounts.TARGETS


def everything() -> list[str]:
    """The names of all that can be fed."""
    return sorted([*targets(), *WHOLE])


def _feed(parser: str, seed: int, count: int, answer: Connection) -> None:
    """One batch, in a process of its own. Sends (inputs, accepted, what went wrong)."""
    from engine.native import BACKEND
    from engine.protocols.fuzz_loops import LOOPS, fuzz_loop
    from engine.protocols.fuzz_targets import spoiled
    from engine.protocols.layouts import MalformedMessage

    if parser in WHOLE:
        from engine.fuzz_engine import fuzz_engine

        answer.send(fuzz_engine(parser, seed, count))
        return
    make, good = targets()[parser]
    if BACKEND == "native" and parser in LOOPS:
        answer.send((count, fuzz_loop(parser, good, seed, count), ""))
        return
    target, accepted, done = make(), 0, 0
    for raw in spoiled(good, Random(seed)):
        if done == count:
            break
        done += 1
        try:
            accepted += target(raw)
        except MalformedMessage:
            continue
        except Exception as wrong:  # noqa: BLE001 whatever a parser raises but MalformedMessage is what we look for
            answer.send((done, accepted, f"{type(wrong).__name__}: {wrong}; input {raw.hex()}"))
            return
    answer.send((done, accepted, ""))


def _processor_seconds(process: int) -> float:
    """Processor time that a process has used, user and system."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answers(ours: Connection, process: int, seconds: float) -> bool:
    """Whether an answer comes within so much processor time: on a busy machine a slow batch is not a hang."""
    started = time.monotonic()
    while not ours.poll(min(seconds, 0.2)):
        waited = time.monotonic() - started
        if waited > seconds and (waited > PATIENCE * seconds or _processor_seconds(process) > seconds):
            return False
    return True


def _batch(result: Result, seed: int, count: int) -> None:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_feed, args=(result.parser, seed, count, theirs), daemon=True)
    process.start()
    theirs.close()
    wait = HANG_SECONDS + (START_SECONDS if result.inputs == 0 else 0)
    wrong = f"no answer within {wait:.0f} s"
    try:
        if _answers(ours, process.pid or 0, wait):
            done, accepted, wrong = ours.recv()
            result.inputs += done
            result.accepted += accepted
            result.refused += done - accepted - bool(wrong)
            result.crashes += bool(wrong)
        else:
            result.hangs += 1
    except EOFError:
        process.join(5)
        result.crashes += 1
        wrong = f"the process died with status {process.exitcode}"
    finally:
        process.kill()
        process.join()
        ours.close()
    if wrong:
        print(f"engine fuzz {result.parser}: seed {seed}: {wrong}", file=sys.stderr)


def fuzz(parser: str, inputs: int, seed: int) -> Result:
    """Feed `inputs` inputs to the parser; stop early after many crashes."""
    result, started = Result(parser), time.monotonic()
    size = LOOP_BATCH if parser.startswith(LOOP) else BATCH
    batch = 0
    while batch * size < inputs and result.crashes + result.hangs < CRASHES_TO_STOP:
        _batch(result, seed + batch, min(size, inputs - batch * size))
        batch += 1
    result.seconds = round(time.monotonic() - started, 3)
    result.inputs_per_second = round(result.inputs / result.seconds) if result.seconds else 0
    return result


def cover(parser: str, inputs: int, seed: int) -> int:
    """Coverage-guided instead: a process of its own with atheris, whose output and status are passed on."""
    with tempfile.TemporaryDirectory() as corpus:
        command = [sys.executable, "-m", "engine.fuzz_coverage", parser, str(inputs), str(seed), corpus]
        return subprocess.run(command, check=False).returncode


def main(arguments: list[str]) -> int:
    """The command. 1 when anything crashed or hung."""
    from engine.protocols import fuzz_loops  # noqa: F401 read once, and not by each process that is forked

    parser = argparse.ArgumentParser(prog="python -m engine fuzz", description="Malformed input into parsers.")
    parser.add_argument("parser", choices=[ALL, *everything()], help="one of them, or all in turn")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coverage", action="store_true", help="guided by coverage, where atheris is installed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.inputs < 1:
        parser.error("--inputs is a positive number")
    wanted = everything() if options.parser == ALL else [options.parser]
    if options.coverage and options.parser in WHOLE:
        parser.error("--coverage watches a parser by itself, not the engine")
    if options.coverage:
        return max(cover(name, options.inputs, options.seed) for name in wanted if name not in WHOLE)
    return max([_say(fuzz(name, options.inputs, options.seed), options.json) for name in wanted])


def _say(result: Result, as_json: bool) -> int:
    """Print a line of it. 1 when anything crashed or hung."""
    if as_json:
        print(json.dumps(asdict(result)), flush=True)
    else:
        print(
            f"{result.parser}: {result.inputs} inputs in {result.seconds} s, {result.accepted} accepted, "
            f"{result.refused} refused, {result.crashes} crashes, {result.hangs} hangs, "
            f"{result.inputs_per_second} inputs a second",
            flush=True,
        )
    return 1 if result.crashes or result.hangs else 0
