"""The loop on its parent's sockets, in a thread that the kernel kills at any system call but receive, send and poll.

    python -m tests.engine.hotpath.counted_loop OPTIONS       JSON: order, feeds (descriptors), spinning, confined

It answers lines on standard input with a line of JSON each: `stats` counts, `hold` keeps the interpreter's lock for
HOLD_S, `wake` has the loop come back to the interpreter (which a confined thread does not outlive).
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
import time
from typing import Any

from numba import types

from engine.config import WARM_DECISIONS_US
from engine.control.warm_decisions import WarmDecisions
from engine.hotpath import tables
from engine.hotpath.calibration import cycles_per_us
from engine.hotpath.entries import RUN_LOOP, library_address
from engine.native import BACKEND, call_entry, hot
from engine.quick_compile import quick_compile
from tests.engine.loop_builder import PARAMETERS, UP, VENUE, Loop

HOLD_S = 2
HOUR_NS = 3_600_000_000_000
ALLOWED = {"recvfrom": 45, "sendto": 44, "poll": 7}  # x86-64
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER_AT = 0


class Instruction(ctypes.Structure):
    """One of the kernel's packet filter."""

    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32))


class Program(ctypes.Structure):
    """A filter."""

    _fields_ = (("length", ctypes.c_uint16), ("code", ctypes.POINTER(Instruction)))


def filter_program() -> Program:
    """The system calls in ALLOWED and no other: any other ends the process. The caller keeps it alive."""
    numbers = list(ALLOWED.values())
    code = [Instruction(LOAD, 0, 0, NUMBER_AT)]
    code += [Instruction(JUMP_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    code += [Instruction(RETURN, 0, 0, KILL_PROCESS), Instruction(RETURN, 0, 0, ALLOW)]
    return Program(len(code), (Instruction * len(code))(*code))


prctl = types.ExternalFunction("prctl", types.int32(types.int32, *[types.int64] * 4))


@hot
def run_confined(library, engine, program):
    """The loop, in a thread that is confined to the filter at address `program` from here on. In compiled code, because
    giving up the interpreter's lock is a system call when another thread waits for it."""
    if program != 0 and prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) + prctl(SET_SECCOMP, FILTER, program, 0, 0) != 0:
        return -1
    return call_entry(library, RUN_LOOP, engine, 0, 0, 0, 0, 0)


def built(options: dict[str, Any]) -> tuple[Loop, WarmDecisions]:
    """An engine with a running strategy, its venue on the parent's sockets, and what keeps its decisions warm."""
    loop = Loop(venues=(VENUE,))
    loop.wide_limits()
    row = loop.memory.venues[VENUE]
    row["protocol"], row["fd"], row["feed_fds"][:2] = tables.OUCH50, options["order"], options["feeds"]
    row["heard_ns"] = row["sent_ns"] = time.time_ns() + HOUR_NS
    loop.session(VENUE, UP)
    assert loop.start_pairs(parameters=PARAMETERS).applied
    core = loop.core
    for at, descriptor in enumerate((*options["feeds"], options["order"])):
        loop.memory.polled[at] = (descriptor, 1, 0)
    core["polled_count"], core["spinning"], core["cycles_per_us"] = 3, options["spinning"], cycles_per_us()
    warm_decisions = WarmDecisions(loop.memory, WARM_DECISIONS_US)
    core["wake"] = 1
    with quick_compile():
        run_confined(library_address(), loop.address, 0)
    core["wake"] = 0
    return loop, warm_decisions


class Counts:
    """What can be counted about the loop's thread from outside it."""

    def __init__(self, loop: Loop, warm_decisions: WarmDecisions) -> None:
        self.loop, self.warm_decisions = loop, warm_decisions
        self.native = 0
        if BACKEND == "native":
            from numba.core.runtime import _nrt_python

            _nrt_python.memsys_enable_stats()
        everything = ctypes.CDLL(None)
        self.preloaded = everything if hasattr(everything, "count_this_thread") else None

    def stats(self, thread: threading.Thread) -> dict[str, Any]:
        """The counts now."""
        found: dict[str, Any] = {"orders": int(self.loop.core["orders_entered"]), "alive": thread.is_alive()}
        found["turns"], found["warm_decisions"] = int(self.loop.core["turns"]), self.warm_decisions.count
        frame = sys._current_frames().get(thread.ident or 0)
        found["frame"] = f"{frame.f_code.co_name} {frame.f_lasti}" if frame else None
        if BACKEND == "native":
            from numba.core.runtime import rtsys

            allocated = rtsys.get_allocation_stats()
            found["numba"] = [allocated.alloc, allocated.free]
        if self.preloaded is not None:
            for name in ("allocations", "receives", "sends", "polls"):
                found[name] = int(getattr(self.preloaded, f"counted_{name}")())
        return found


def main() -> None:
    """Serve until standard input ends."""
    options = json.loads(sys.argv[1])
    loop, warm_decisions = built(options)
    counts, program = Counts(loop, warm_decisions), filter_program()

    def turn_for_ever() -> None:
        if counts.preloaded is not None:
            counts.preloaded.count_this_thread()
        if run_confined(library_address(), loop.address, ctypes.addressof(program) if options["confined"] else 0) < 0:
            raise OSError("no filter")

    thread = threading.Thread(target=turn_for_ever, daemon=True)
    thread.start()
    say({"thread": thread.native_id})
    for line in sys.stdin:
        if line.strip() == "hold":
            say({"holding": True})
            ctypes.PyDLL(None).usleep(HOLD_S * 1_000_000)
        elif line.strip() == "wake":
            loop.core["wake"] = 1
            thread.join()
        say(counts.stats(thread))


def say(answer: dict[str, Any]) -> None:
    """One line of JSON."""
    os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
