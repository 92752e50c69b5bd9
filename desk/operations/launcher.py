"""Starts the desk's processes one after another, watches them, and stops them in the reverse order."""

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from desk.operations.orphans import OrphanWatch
from desk.operations.processes import Child, Command, die_with_parent
from desk.operations.progress import Progress
from desk.operations.readiness import NotReady, Probe, wait_until_ready

RESTART_LIMIT = 3
RESTART_WINDOW_SECONDS = 60.0
WATCH_SECONDS = 0.25


class StopAsked(BaseException):
    """Ctrl-C or SIGTERM: not an error, so nothing that handles errors may swallow it."""


class ProcessEnded(Exception):
    """A process that the desk cannot do without has ended; the text says how and ends with what it wrote."""


@dataclass(frozen=True)
class Service:
    """A process that stays, how we know that it is ready, and whether it is started again when it ends.

    `finishes`: it may come to an end of its own (status 0), and everything else goes on without it.
    """

    command: Command
    what: str
    probe: Probe
    ready_seconds: float
    restart: bool
    finishes: bool = False


class Launcher:
    """Owns every process of one `make up`. Used from the main thread only."""

    def __init__(self, logs: Path, progress: Progress) -> None:
        self.logs = logs
        self.progress = progress
        self.children: list[Child] = []
        self.services: dict[str, Service] = {}
        self.restarts: dict[str, list[float]] = {}
        self._orphans = OrphanWatch()

    def adopt(self, child: Child) -> None:
        """Take over a process that was started elsewhere; its end ends everything."""
        self.children.append(child)
        self._orphans.add(child.process.pid, child.command.stop_seconds)

    def _release(self, child: Child) -> None:
        self.children.remove(child)
        self._orphans.remove(child.process.pid)

    def start(self, *services: Service) -> None:
        """Start services side by side and return when all are ready, or raise NotReady."""
        started = [self._start(service) for service in services]
        for service, child in zip(services, started, strict=True):
            with self.progress.step(service.what):
                self._wait_until_ready(service, child)

    def _start(self, service: Service) -> Child:
        child = Child(service.command, self.logs / f"{service.command.name}.log")
        self.adopt(child)
        self.services[child.name] = service
        return child

    def _wait_until_ready(self, service: Service, child: Child) -> None:
        wait_until_ready(child, service.probe, service.ready_seconds, self.progress.sign_of_life)

    def run_to_end(self, command: Command) -> None:
        """Run a command that ends by itself; raise ProcessEnded when it fails."""
        self.join(self.begin(command))

    def begin(self, command: Command) -> Child:
        """Start a command that ends by itself; `join` waits for its end."""
        child = Child(command, self.logs / f"{command.name}.log")
        self.adopt(child)
        return child

    def join(self, child: Child) -> None:
        """Wait until a command that was begun has ended; raise ProcessEnded when it failed."""
        while child.running:
            self.progress.sign_of_life()
            time.sleep(0.02)
        self._release(child)
        if child.process.returncode:
            raise ProcessEnded(f"{child.name} {child.ending()}. It wrote:\n{child.tail()}")

    def watch(self) -> None:
        """Restart what may be restarted, until another ends (ProcessEnded) or we are asked to stop (StopAsked)."""
        while True:
            for child in list(self.children):
                if not child.running:
                    self._mend(child)
            time.sleep(WATCH_SECONDS)

    def _mend(self, child: Child) -> None:
        end = f"{child.name} {child.ending()}"
        service = self.services.get(child.name)
        recent = [at for at in self.restarts.get(child.name, []) if time.monotonic() - at < RESTART_WINDOW_SECONDS]
        if service is not None and service.finishes and child.process.returncode == 0:
            self.progress.say(f"{child.name} has come to its end; everything else goes on.")
            child.wait_stopped()
            self._release(child)
            return
        if service is None or not service.restart:
            raise ProcessEnded(f"{end}; the desk cannot go on without it. It wrote:\n{child.tail()}")
        if len(recent) >= RESTART_LIMIT:
            raise ProcessEnded(f"{end} for the {len(recent) + 1}th time in a minute. It wrote:\n{child.tail()}")
        self.restarts[child.name] = [*recent, time.monotonic()]
        self.progress.say(f"{end}. Its log: {child.log}")
        child.wait_stopped()
        self._orphans.remove(child.process.pid)
        place = self.children.index(child)
        try:
            with self.progress.step(f"Starting {child.name} again"):
                again = self._start(service)
                # It keeps its place in the order in which everything stops.
                self.children[place] = self.children.pop()
                self._wait_until_ready(service, again)
        except NotReady as problem:
            raise ProcessEnded(f"{end} and could not be started again. {problem}") from problem

    def stop(self) -> None:
        """Stop every process, the last started first; say which did not obey."""
        for child in reversed(self.children):
            child.ask_to_stop()
            if not child.wait_stopped():
                self.progress.say(f"{child.name} did not stop within {child.command.stop_seconds:.0f} s and was ended.")
            self._orphans.remove(child.process.pid)
        self.children.clear()
        self._orphans.close()


def raise_when_asked_to_stop() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into StopAsked in the main thread."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise StopAsked

    set_stop_handler(stop)


def set_stop_handler(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Install one handler for every signal that asks to stop."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def output_of(command: Command, log: Path) -> str:
    """Run a command to its end and return its standard output, which is kept out of the log: it may hold passwords."""
    with log.open("ab") as errors:
        done = subprocess.run(
            [str(argument) for argument in command.arguments],
            env=dict(command.environment),
            cwd=command.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            check=False,
            preexec_fn=die_with_parent(command.stop_signal),
        )
    if done.returncode:
        raise ProcessEnded(f"{command.name} ended with status {done.returncode}; see {log}")
    return done.stdout
