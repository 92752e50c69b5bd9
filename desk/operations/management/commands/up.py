"""`manage.py up`: sets up and runs the whole desk with its demo market, until Ctrl-C."""

import os
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from desk.environment import BadEnvironment, Environment, read_environment, socket_directory
from desk.operations.demo import Market, claim_ports, forget_deleted_state
from desk.operations.embedded import ServiceFailed, start_services
from desk.operations.launcher import (
    Launcher,
    ProcessEnded,
    StopAsked,
    output_of,
    raise_when_asked_to_stop,
    set_stop_handler,
)
from desk.operations.ports import PortTaken, require_free_port
from desk.operations.processes import LIBC, PR_SET_PDEATHSIG
from desk.operations.progress import Progress
from desk.operations.readiness import NotReady
from desk.operations.stack import Stack
from desk.operations.state_lock import StateInUse, lock_state
from engine.messages.socket_folders import forget_folder


class Command(BaseCommand):
    help = "Start the desk with its demo market: PostgreSQL, Valkey, exchange, engine, projector, worker and web."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--host", default=os.environ.get("DESK_BIND", "127.0.0.1"), help="where the web side listens"
        )

    def handle(self, *_arguments: Any, **options: Any) -> None:
        raise_when_asked_to_stop()
        if os.environ.get("DESK_STOP_WITH_PARENT") == "1":
            LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
        try:
            environment = read_environment()
            address = f"http://localhost:{environment.port}"
            with lock_state(environment.state, address):
                require_free_port(environment.port, "PORT", options["host"])
                market = Market(environment.state)
                forget_deleted_state(market)
                claim_ports(market)
                run(environment, options["host"], address)
        except StopAsked:
            return
        except (BadEnvironment, StateInUse, PortTaken, ServiceFailed, NotReady, ProcessEnded) as problem:
            raise CommandError(str(problem)) from problem


def run(environment: Environment, host: str, address: str) -> None:
    """Start everything, say where it is, and return only by StopAsked or a failure; nothing runs afterwards."""
    progress = Progress()
    logs = environment.state / "logs"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    launcher = Launcher(logs, progress)
    progress.say(f"The desk's state is in {environment.state}")
    users = ""
    try:
        stack = start_servers(launcher, environment, host)
        compiling = launcher.begin(stack.engine("compile", "compile"))
        users = prepare(launcher, stack, logs)
        with progress.step("Compiling the engine's hot path (half a minute the first time)"):
            launcher.join(compiling)
        serve(launcher, stack)
        announce(progress, address, users, logs)
        users = ""
        launcher.watch()
    finally:
        set_stop_handler(signal.SIG_IGN)
        progress.say("\nStopping ...")
        launcher.stop()
        forget_folder(socket_directory(environment.state))
        progress.say("Everything has stopped.")
        if users:
            # Their passwords are kept nowhere: they are shown even though the desk did not come up.
            progress.say(users)


def start_servers(launcher: Launcher, environment: Environment, host: str) -> Stack:
    """Start PostgreSQL and Valkey unless the environment names others; return what makes the desk's own commands."""
    variables = dict(os.environ) | {"DESK_STATE": str(environment.state), "PORT": str(environment.port)}
    with launcher.progress.step("Starting PostgreSQL and Valkey"):
        for child in start_services(environment.state, variables):
            launcher.adopt(child)
    return Stack(environment.state, variables, host, environment.port)


def serve(launcher: Launcher, stack: Stack) -> None:
    """Start every process of the desk and open the demo."""
    market = Market(stack.state)
    launcher.start(stack.exchange_service(market), stack.engine_service(market.engine_config))
    launcher.start(
        stack.projector_service(), stack.worker_service(), stack.reconciliation_service(), stack.web_service()
    )
    with launcher.progress.step("Opening the demo: limits, venue, strategies"):
        launcher.run_to_end(stack.manage("open_demo", "open_demo"))


def prepare(launcher: Launcher, stack: Stack, logs: Path) -> str:
    """Bring database and demo market up to date; return what the seed says about the demo users."""
    progress = launcher.progress
    with progress.step("Migrating the database"):
        launcher.run_to_end(stack.manage("migrate", "migrate", "--no-input", "--verbosity", "1"))
    with progress.step("Preparing the demo market: an earlier session and its pairs"):
        launcher.run_to_end(stack.manage("demo", "demo"))
    with progress.step("Seeding users, instruments, pairs and limits"):
        return output_of(stack.manage("seed", "seed"), logs / "seed.log")


def announce(progress: Progress, address: str, users: str, logs: Path) -> None:
    progress.say(f"\nThe desk is at {address}\n")
    progress.say(users)
    progress.say(f"Logs are in {logs}. Ctrl-C stops everything.")
