"""What `make up` starts: the steps that prepare the state and the services that stay, in the order of their start."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desk.environment import PROJECT_ROOT
from desk.operations.demo import Market
from desk.operations.launcher import Service
from desk.operations.processes import Command
from desk.operations.readiness import answers_hello, answers_http, is_named_in, writes
from engine.messages.endpoints import engine_endpoints

COMPILE_SECONDS = 600.0
START_SECONDS = 120.0


@dataclass(frozen=True)
class Stack:
    """Makes the commands of one desk: its state directory, its environment and where its web side listens."""

    state: Path
    variables: Mapping[str, str]
    host: str
    port: int

    def manage(self, name: str, *arguments: str, stop_seconds: float = 10.0) -> Command:
        return self._python(name, "manage.py", *arguments, stop_seconds=stop_seconds)

    def engine(self, name: str, *arguments: str | Path, stop_seconds: float = 10.0) -> Command:
        return self._python(name, "-m", "engine", *arguments, stop_seconds=stop_seconds)

    def _python(self, name: str, *arguments: str | Path, stop_seconds: float = 10.0) -> Command:
        return Command(name, [sys.executable, *arguments], self.variables, PROJECT_ROOT, stop_seconds=stop_seconds)

    def exchange_service(self, market: Market) -> Service:
        return Service(
            self.engine("exchange", "exchange", market.exchange_config),
            "Opening the simulated exchange",
            is_named_in(market.exchange_ready),
            COMPILE_SECONDS,
            restart=False,
            finishes=True,  # a recorded day is over at some time
        )

    def engine_service(self, config: Path) -> Service:
        return Service(
            self.engine("engine", "run", config),
            "Starting the engine",
            answers_hello(engine_endpoints(self.state).control),
            COMPILE_SECONDS,
            restart=True,
        )

    def projector_service(self) -> Service:
        return Service(
            self.manage("projector", "project"),
            "Starting the projector",
            writes("following"),
            START_SECONDS,
            restart=True,
        )

    def reconciliation_service(self) -> Service:
        return Service(
            self.engine("reconciliation", "reconcile", self.state),
            "Starting the reconciliation",
            writes("following"),
            START_SECONDS,
            restart=True,
        )

    def worker_service(self) -> Service:
        arguments = ["-m", "celery", "-A", "desk", "worker", "--concurrency", "1", "--loglevel", "INFO"]
        return Service(
            self._python("worker", *arguments, "--without-gossip", "--without-mingle"),
            "Starting a worker",
            writes(" ready."),
            START_SECONDS,
            restart=True,
        )

    def web_service(self) -> Service:
        arguments = ["-m", "uvicorn", "desk.asgi:application", "--host", self.host, "--port", str(self.port)]
        quiet = [
            "--no-access-log",
            "--lifespan",
            "off",
            "--ws-per-message-deflate",
            "false",
            "--timeout-graceful-shutdown",
            "3",
        ]
        return Service(
            self._python("web", *arguments, *quiet),
            "Starting the web server",
            answers_http(f"http://127.0.0.1:{self.port}/readyz"),
            START_SECONDS,
            restart=True,
        )
