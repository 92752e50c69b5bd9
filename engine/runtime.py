"""What the engine asks of the machine at its start, and what it got: a processor of its own, locked memory, huge pages,
real-time scheduling, a garbage collector that keeps still.

Nothing here is needed to trade: what the machine does not grant is said in a sentence (at the start, in the catalogue
and on the Operations page), and the engine runs without it. docs/runtime.md tells how a host grants it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.config import EngineConfig
from engine.pages import choose_huge_pages, huge_page_words

LOCK_CURRENT, LOCK_FUTURE = 1, 2
CAP_IPC_LOCK = 14
REALTIME_RUNTIME = Path("/proc/sys/kernel/sched_rt_runtime_us")

_helpers: set[int] = set()


@dataclass(frozen=True)
class Granted:
    """One setting: what was asked for, whether it was obtained, and what that means, in words."""

    setting: str
    asked: str
    obtained: bool
    words: str


def parse_processors(text: str) -> set[int]:
    """Processors of a list like "0,2-3". ValueError with a sentence for anything else."""
    found: set[int] = set()
    for part in text.split(","):
        matched = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part.strip(), re.ASCII)
        first, last = (int(matched[1]), int(matched[2] or matched[1])) if matched else (1, 0)
        if last < first:
            raise ValueError(f"{text!r} is no list of processors; write it like 0,2-3")
        found |= set(range(first, last + 1))
    return found


def processor_list(processors: set[int]) -> str:
    """The list as text, in order."""
    return ",".join(map(str, sorted(processors)))


@contextmanager
def among_helpers() -> Iterator[None]:
    """What the loop's thread starts meanwhile (threads, processes) runs where the helpers do, not on its processor."""
    if not _helpers:
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _helpers)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


class Runtime:
    """Asks in the order that is needed: `begin` before any memory or thread, `enter_loop` in the loop's thread when
    everything else is there."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self.granted: list[Granted] = []

    def begin(self) -> None:
        """Choose pages, and keep everything that starts from now on away from the loop's processor. ValueError when the
        processors that the configuration names are not there."""
        choose_huge_pages(self._config.huge_pages)
        allowed = os.sched_getaffinity(0)
        cpu = self._config.loop_cpu
        if cpu >= 0 and cpu not in allowed:
            raise ValueError(f"loop_cpu is {cpu}, but this process may run on {processor_list(allowed)} only")
        helpers = allowed - {cpu}
        if self._config.helper_cpus:
            helpers = parse_processors(self._config.helper_cpus)
            if not helpers <= allowed:
                missing = processor_list(helpers - allowed)
                raise ValueError(
                    f"helper_cpus has {missing}, but this process may run on {processor_list(allowed)} only"
                )
        if helpers and helpers != allowed:
            os.sched_setaffinity(0, helpers)
            _helpers.update(helpers)

    def enter_loop(self) -> None:
        """The calling thread becomes the loop's."""
        self._freeze()
        self._lock_memory()
        obtained, words = huge_page_words()
        self._note("huge_pages", self._config.huge_pages, obtained, words)
        self._pin()
        self._raise_priority()

    def rows(self) -> list[dict[str, str | bool]]:
        """For the catalogue."""
        return [asdict(row) for row in self.granted]

    def sentences(self) -> list[str]:
        """For people, at the start: what was asked for and what became of it."""
        return [f"{row.setting} {row.asked}: {row.words}" for row in self.granted]

    def _note(self, setting: str, asked: str, obtained: bool, words: str) -> None:
        self.granted.append(Granted(setting, asked, obtained, words))

    def _freeze(self) -> None:
        gc.collect()
        gc.freeze()
        gc.disable()
        words = f"{gc.get_freeze_count():,} objects frozen; collections run in a helper thread only"
        self._note("garbage collector", "off", True, words)

    def _lock_memory(self) -> None:
        if not self._config.lock_memory:
            return
        limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        if limit != resource.RLIM_INFINITY and not _has_capability(CAP_IPC_LOCK):
            words = f"not locked: this process may lock {limit >> 10} KiB; set LimitMEMLOCK=infinity"
            self._note("lock_memory", "true", False, words)
            return
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mlockall(LOCK_CURRENT | LOCK_FUTURE) == 0:
            self._note("lock_memory", "true", True, f"{_locked_mib()} MiB locked, and whatever is mapped later")
        else:
            self._note("lock_memory", "true", False, f"not locked: {os.strerror(ctypes.get_errno())}")

    def _pin(self) -> None:
        cpu = self._config.loop_cpu
        if cpu < 0:
            return
        os.sched_setaffinity(0, {cpu})
        rest = processor_list(_helpers) if _helpers else "the same one"
        self._note("loop_cpu", str(cpu), True, f"the loop is on {cpu}, everything else on {rest}")

    def _raise_priority(self) -> None:
        priority = self._config.realtime_priority
        if not priority:
            return
        try:
            # Threads and processes that the loop's thread starts do not inherit it.
            policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
            os.sched_setscheduler(0, policy, os.sched_param(priority))
        except OSError as error:
            words = f"not granted ({error.strerror}): set LimitRTPRIO, or CAP_SYS_NICE"
            self._note("realtime_priority", str(priority), False, words)
            return
        words = "SCHED_FIFO"
        if self._config.wait == "spinning" and (throttled := _throttle_words()):
            words += f", but {throttled}"
        self._note("realtime_priority", str(priority), True, words)


def _has_capability(number: int) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def _locked_mib() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmLck:"):
            return int(line.split()[1]) >> 10
    return 0


def _throttle_words() -> str:
    """What the kernel's throttle does to a loop that never sleeps; empty when it is off."""
    try:
        runtime_us = int(REALTIME_RUNTIME.read_text())
    except OSError:
        return ""
    if not 0 <= runtime_us < 1_000_000:
        return ""
    stopped_ms = (1_000_000 - runtime_us) // 1000
    return (
        f"the kernel stops a loop that never sleeps for {stopped_ms} ms of each second: kernel.sched_rt_runtime_us = -1"
    )
