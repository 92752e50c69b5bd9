"""Child processes that never outlive their launcher and leave their last words in a log file."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
TAIL_LINES = 20
GROUP_SECONDS = 1.0
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: int) -> Callable[[], None]:
    """Return a `preexec_fn` that has the kernel send `signal_number` when the starting thread ends, even by SIGKILL."""
    parent = os.getpid()

    def request_signal() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, int(signal_number))
        if os.getppid() != parent:
            os._exit(1)

    return request_signal


@dataclass(frozen=True)
class Command:
    """One process to start: its name on the screen and in `logs/`, its arguments, and how it is asked to stop."""

    name: str
    arguments: Sequence[str | Path]
    environment: Mapping[str, str]
    directory: Path
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    options: Mapping[str, Any] = field(default_factory=dict)


class Child:
    """A running process with its log; must be started from the main thread, whose end is the end of the child."""

    def __init__(self, command: Command, log: Path) -> None:
        self.command = command
        self.log = log
        self.started = time.monotonic()
        with log.open("ab") as output:
            self.log_start = output.tell()
            self.process = subprocess.Popen(
                [str(argument) for argument in command.arguments],
                env=dict(command.environment),
                cwd=command.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(command.stop_signal),
                **command.options,
            )

    @property
    def name(self) -> str:
        return self.command.name

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def tail(self) -> str:
        """Return the last lines this process wrote, indented."""
        with self.log.open("rb") as text:
            text.seek(self.log_start)
            lines = text.read().decode(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])

    def ending(self) -> str:
        """Return how the process ended, in words."""
        status = self.process.returncode
        if status is not None and status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}"

    def ask_to_stop(self) -> None:
        if self.running:
            self.process.send_signal(self.command.stop_signal)

    def wait_stopped(self) -> bool:
        """Wait for the end; return False when it had to be forced. The whole process group is gone afterwards."""
        obeyed = True
        try:
            self.process.wait(self.command.stop_seconds)
        except subprocess.TimeoutExpired:
            obeyed = False
        self._end_group()
        self.process.wait()
        return obeyed

    def _end_group(self) -> None:
        """End what is left of the process group. Where nobody reaps orphans, the dead stay: the wait is bounded."""
        deadline = time.monotonic() + GROUP_SECONDS
        while time.monotonic() < deadline:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                return
            time.sleep(0.01)
