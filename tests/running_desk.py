"""The whole product as `make up` runs it: real processes on a state of their own, for system and browser tests."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from engine.messages.endpoints import shared_memory_directory
from engine.messages.socket_folders import leave_socket_directory

PROJECT_ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 600.0
STOP_SECONDS = 120.0
LAST_LINE = "Logs are in"  # of what it says when it is up
OWN_SERVERS = ("DATABASE_URL", "REDIS_URL", "PYTEST_XDIST_WORKER")


class DeskFailed(Exception):
    """The desk did not start; the text is what it printed."""


@dataclass
class RunningDesk:
    """One desk. `passwords` by user name are those that it printed on its first start."""

    state: Path
    port: int
    process: "subprocess.Popen[str] | None" = None
    printed: list[str] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Return when the desk has printed its address, or raise DeskFailed."""
        self.printed = []
        environment = {name: value for name, value in os.environ.items() if name not in OWN_SERVERS}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=PROJECT_ROOT,
            env=environment | {"DESK_STATE": str(self.state), "PORT": str(self.port), "DESK_STOP_WITH_PARENT": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        up = threading.Event()
        threading.Thread(target=self._read, args=(self.process.stdout, up), daemon=True).start()
        if not up.wait(START_SECONDS) or not any(line.startswith(LAST_LINE) for line in self.printed):
            self.kill()
            raise DeskFailed("".join(self.printed))
        self.passwords |= dict(re.findall(r"^    (\w+) +(\S+)$", "".join(self.printed), flags=re.MULTILINE))

    def _read(self, output: IO[str], up: threading.Event) -> None:
        for line in output:
            self.printed.append(line)
            if line.startswith(LAST_LINE):
                up.set()
        up.set()
        output.close()

    def stop(self) -> int:
        """Ask the launcher to stop everything; return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def remove(self) -> None:
        """Delete everything it wrote; what still runs is killed."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(shared_memory_directory(self.state), ignore_errors=True)
        leave_socket_directory(self.state)
        shutil.rmtree(self.state, ignore_errors=True)

    def kill(self) -> None:
        """End the launcher as the kernel does it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


def new_desk() -> RunningDesk:
    """Return a desk that was never started, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return RunningDesk(Path(tempfile.mkdtemp(prefix="desk-")), port)
