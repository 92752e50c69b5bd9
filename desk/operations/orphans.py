"""Ends what outlives a launcher that was killed.

The kernel asks every child to stop when its launcher dies (`die_with_parent`), all at the same moment: one that waits
for a server that is gone already, or whose own child goes on, would stay for ever. A process of its own reads from the
launcher which process groups there are; the end of the pipe is the end of the launcher, and what is still there a while
later is ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TextIO

LOOK_SECONDS = 0.05


class OrphanWatch:
    """Starts the process that watches, at the first group that it is told of."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def add(self, group: int, stop_seconds: float) -> None:
        """Have the group ended that many seconds after the launcher, if it is still there."""
        if self._process is None:
            # By its path and without site packages: it needs nothing else, and is there for as long as the desk is.
            command = [sys.executable, "-I", "-S", str(Path(__file__).resolve())]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
            )
        self._tell(f"+ {group} {stop_seconds}")

    def remove(self, group: int) -> None:
        """The group has ended; its number may soon be that of another."""
        self._tell(f"- {group} 0")

    def close(self) -> None:
        """Every group has ended: there is nothing to watch."""
        if self._process is not None:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _tell(self, line: str) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # somebody killed it: the kernel's signal is still there
                print(line, file=self._process.stdin, flush=True)


def groups_left(lines: TextIO) -> dict[int, float]:
    """Read until the launcher's end. The groups that it had then, each with its seconds to stop."""
    groups: dict[int, float] = {}
    for line in lines:
        sign, group, seconds = line.split()
        if sign == "+":
            groups[int(group)] = float(seconds)
        else:
            groups.pop(int(group), None)
    return groups


def end_groups(groups: dict[int, float]) -> None:
    """Return when all have ended. Where nobody reaps orphans the dead stay: a group is ended once, not waited for."""
    started = time.monotonic()
    while groups:
        passed = time.monotonic() - started
        for group, seconds in list(groups.items()):
            try:
                os.killpg(group, signal.SIGKILL if passed >= seconds else 0)
            except (ProcessLookupError, PermissionError):
                del groups[group]
            else:
                if passed >= seconds:
                    del groups[group]
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    end_groups(groups_left(sys.stdin))
