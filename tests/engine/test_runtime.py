"""What the engine asks of the machine: granted as asked, or told in a sentence; each in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from engine.runtime import parse_processors, processor_list

ROOT = Path(__file__).resolve().parents[2]
PROCESSORS = sorted(os.sched_getaffinity(0))
TWO = pytest.mark.skipif(len(PROCESSORS) < 2, reason="this process may run on one processor only")


def asked(body: str, limits: dict[int, int] | None = None, **settings: Any) -> dict[str, Any]:
    """Run `body` in a process with a Runtime of these settings. What it leaves in `found`, and the granted rows."""
    source = f"""
import ctypes, gc, json, os, resource, subprocess, sys, threading
from pathlib import Path
for number, bound in {limits or {}}.items():
    resource.setrlimit(number, (bound, bound))
from engine.config import EngineConfig
from engine import runtime as module
from engine.runtime import Runtime, among_helpers
found = {{}}
runtime = Runtime(EngineConfig(Path("i"), Path("s"), **{settings!r}))
try:
    runtime.begin()
{textwrap.indent(textwrap.dedent(body), "    ")}
except ValueError as error:
    found["refused"] = str(error)
print(json.dumps(found | {{"rows": runtime.rows()}}))
"""
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def row(answer: dict[str, Any], setting: str) -> dict[str, Any]:
    (found,) = (row for row in answer["rows"] if row["setting"] == setting)
    return dict(found)


def test_a_list_of_processors_is_read_and_written() -> None:
    assert parse_processors("0,2-4, 7") == {0, 2, 3, 4, 7}
    assert processor_list({7, 0, 2}) == "0,2,7"
    for text in ("", "a", "3-1", "1-", "-1", "1,,2", "0x1"):
        with pytest.raises(ValueError, match="is no list of processors"):
            parse_processors(text)


@TWO
def test_the_loop_has_its_processor_and_everything_else_the_others() -> None:
    body = """
    def where(name):
        found[name] = sorted(os.sched_getaffinity(0))
    def thread(name):
        made = threading.Thread(target=where, args=(name,)); made.start(); made.join()
    thread("before")
    runtime.enter_loop()
    where("loop")
    with among_helpers():
        thread("session")
        found["process"] = json.loads(subprocess.run(
            [sys.executable, "-c", "import os; print(sorted(os.sched_getaffinity(0)))"],
            capture_output=True, text=True).stdout)
    where("loop again")
    """
    answer = asked(body, loop_cpu=PROCESSORS[-1])
    others = PROCESSORS[:-1]
    assert {name: answer[name] for name in ("before", "loop", "session", "process", "loop again")} == {
        "before": others,
        "loop": PROCESSORS[-1:],
        "session": others,
        "process": others,
        "loop again": PROCESSORS[-1:],
    }
    words = f"the loop is on {PROCESSORS[-1]}, everything else on {processor_list(set(others))}"
    assert row(answer, "loop_cpu") == {
        "setting": "loop_cpu",
        "asked": str(PROCESSORS[-1]),
        "obtained": True,
        "words": words,
    }


def test_processors_that_are_not_there_are_refused() -> None:
    allowed = processor_list(set(PROCESSORS))
    assert asked("pass", loop_cpu=4000)["refused"] == f"loop_cpu is 4000, but this process may run on {allowed} only"
    helpers = asked("pass", helper_cpus="4000-4001")["refused"]
    assert helpers == f"helper_cpus has 4000,4001, but this process may run on {allowed} only"


def test_the_collector_is_off_and_what_is_there_is_frozen() -> None:
    answer = asked("runtime.enter_loop(); found |= {'on': gc.isenabled(), 'frozen': gc.get_freeze_count() > 1000}")
    assert (answer["on"], answer["frozen"]) == (False, True)
    assert row(answer, "garbage collector")["obtained"]


def test_memory_that_may_be_locked_is_locked_and_new_memory_too() -> None:
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if limit != resource.RLIM_INFINITY and not can_lock():
        pytest.skip("this process may not lock memory")
    body = """
    runtime.enter_loop()
    def locked():
        return int(next(l for l in open("/proc/self/status") if l.startswith("VmLck")).split()[1])
    before = locked()
    import mmap
    fresh = mmap.mmap(-1, 8 << 20)
    found |= {"before": before, "grown": locked() - before}
    """
    answer = asked(body, lock_memory=True)
    assert answer["before"] > 1000
    assert answer["grown"] == 8 << 10
    assert row(answer, "lock_memory")["obtained"]


def can_lock() -> bool:
    status = Path("/proc/self/status").read_text()
    return bool(int(status.split("CapEff:")[1].split()[0], 16) >> 14 & 1)


def test_memory_that_may_not_be_locked_is_told_with_the_way_out() -> None:
    body = """
    module._has_capability = lambda number: False
    runtime.enter_loop()
    found["locked"] = int(next(l for l in open("/proc/self/status") if l.startswith("VmLck")).split()[1])
    """
    answer = asked(body, {resource.RLIMIT_MEMLOCK: 64 << 10}, lock_memory=True)
    assert answer["locked"] == 0
    assert row(answer, "lock_memory") == {
        "setting": "lock_memory",
        "asked": "true",
        "obtained": False,
        "words": "not locked: this process may lock 64 KiB; set LimitMEMLOCK=infinity",
    }


def test_real_time_priority_is_had_or_told_and_never_inherited() -> None:
    body = """
    module._throttle_words = lambda: "the throttle is on"
    runtime.enter_loop()
    found["policy"] = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    ran = subprocess.run([sys.executable, "-c", "import os; print(os.sched_getscheduler(0))"],
                         capture_output=True, text=True)
    found["child"] = int(ran.stdout)
    """
    answer = asked(body, realtime_priority=1, wait="spinning")
    found = row(answer, "realtime_priority")
    assert answer["child"] == os.SCHED_OTHER
    if found["obtained"]:
        assert answer["policy"] == os.SCHED_FIFO
        assert found["words"] == "SCHED_FIFO, but the throttle is on"
    else:
        assert answer["policy"] == os.SCHED_OTHER
        assert "set LimitRTPRIO, or CAP_SYS_NICE" in found["words"]


def test_what_nobody_asked_for_is_left_alone() -> None:
    answer = asked("runtime.enter_loop(); found |= {'cpus': sorted(os.sched_getaffinity(0))}")
    assert answer["cpus"] == PROCESSORS
    assert [row["setting"] for row in answer["rows"]] == ["garbage collector", "huge_pages"]


@pytest.mark.parametrize("policy", ["transparent", "reserved", "never"])
def test_a_big_table_is_zeroed_aligned_and_advised(policy: str) -> None:
    body = """
    import numpy as np
    from engine.native import address_of, touched
    table = touched((9 << 20) // 8, np.dtype("<i8"))
    small = touched(100, np.dtype("<i8"))
    address = address_of(table)
    found |= {"sum": int(table.sum()), "size": table.nbytes}
    found |= {"aligned": address % (2 << 20), "small": address_of(small) % 64}
    flags, inside = "", False
    for line in open("/proc/self/smaps"):
        if "-" in line.split()[0] and ":" not in line.split()[0]:
            first, last = (int(part, 16) for part in line.split()[0].split("-"))
            inside = first <= address + (2 << 20) < last
        elif inside and line.startswith("VmFlags"):
            flags = line
    found["flags"] = flags.split()[1:]
    """
    answer = asked(body, huge_pages=policy)
    assert (answer["sum"], answer["size"], answer["aligned"], answer["small"]) == (0, 9 << 20, 0, 0)
    flag = {"transparent": {"hg"}, "reserved": {"hg", "ht"}, "never": {"nh"}}[policy]
    assert flag & set(answer["flags"])
