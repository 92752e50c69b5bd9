"""The worker's task: one backtest in a process of its own, its progress and its results into the row.

The task may be delivered twice: a worker that starts asks again for whatever has not ended, because the one before may
have been killed with it. So a backtest runs under a lock of the database, which ends with the connection that holds it;
results go to a directory of the backtest's own, written anew; and a backtest that has ended is not run again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.utils import timezone

from desk.environment import PROJECT_ROOT
from desk.operations.advisory_lock import advisory_lock
from desk.operations.processes import die_with_parent
from desk.reports.services import report_on
from desk.research.models import Backtest
from desk.research.recordings import recording_directory
from desk.risk.bounds import snapshot
from engine.messages.backtest import BacktestConfig, write_backtest
from engine.messages.control import DefineVenue, StartStrategy
from engine.messages.secrets import SECRET

ENGINE = [sys.executable, "-m", "engine"]
POLL_SECONDS = 0.5
STOP_SECONDS = 5.0
FAILURE_LINES = 20
LOCK_CLASS = 0x6274  # "bt": what the first number of an advisory lock means here
State = Backtest.State


class BacktestFailed(Exception):
    """The engine ended with an error; the text is what it wrote last."""


@shared_task(acks_late=True, reject_on_worker_lost=True)
def run_backtest(backtest_id: int) -> None:
    """Run one backtest to its end, its failure, or its cancellation; nothing while another worker does."""
    with advisory_lock(LOCK_CLASS, backtest_id) as free:
        if free:
            _run_to_its_end(backtest_id)


@worker_ready.connect
def ask_again(**_: object) -> None:
    """At the start of a worker: nothing that was queued or running may be forgotten."""
    for pk in Backtest.objects.filter(state__in=[State.QUEUED, State.RUNNING]).values_list("pk", flat=True):
        run_backtest.delay(pk)


def _run_to_its_end(backtest_id: int) -> None:
    started = Backtest.objects.filter(pk=backtest_id, state__in=[State.QUEUED, State.RUNNING])
    if not started.update(state=State.RUNNING, started_at=timezone.now(), progress=0.0, failure=""):
        return
    backtest = Backtest.objects.select_related("strategy__venue").get(pk=backtest_id)
    directory = _fresh_directory(backtest)
    try:
        _write_config(backtest, directory / "backtest.toml")
        if _run(backtest, directory):
            totals = json.loads((directory / "result.json").read_text())
            _end(backtest, State.DONE, totals=totals, progress=1.0, artefacts=str(directory))
            report_on(backtest)
    except (BacktestFailed, OSError, ValueError) as error:
        _end(backtest, State.FAILED, failure=str(error))


def _fresh_directory(backtest: Backtest) -> Path:
    directory = settings.STATE / "backtests" / str(backtest.pk)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def costs_file() -> Path:
    """What the newest report of a day fitted."""
    return Path(settings.STATE) / "costs.json"


def _write_config(backtest: Backtest, path: Path) -> None:
    venue = backtest.strategy.venue
    # A backtest signs in nowhere, so its file holds no password.
    public = {name: "unused" if SECRET.search(name) and value else value for name, value in venue.settings.items()}
    costs = path.with_name("costs.json") if backtest.fitted_costs else None
    if costs is not None:
        shutil.copyfile(costs_file(), costs)  # kept with the results: the next report makes another
    config = BacktestConfig(
        recording=str(recording_directory(backtest.recording)),
        venues=[DefineVenue(venue.number, venue.name, venue.protocol, public)],
        strategies=[StartStrategy(**backtest.definition)],
        limits=snapshot(),
        costs=str(costs or ""),
    )
    write_backtest(path, config)


def _run(backtest: Backtest, directory: Path) -> bool:
    """True when the engine finished, False when the backtest was canceled meanwhile. Raises BacktestFailed."""
    arguments = [*ENGINE, "backtest", str(directory / "backtest.toml"), "--out", str(directory)]
    arguments += ["--recording", "--json"]
    with (directory / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            arguments,
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
    tail: list[str] = []
    try:
        for lines in _lines(process):
            tail = [*tail, *(line for line in lines if not line.startswith("progress "))][-FAILURE_LINES:]
            if not _note_progress(backtest, lines):
                return False
        if process.wait() != 0:
            raise BacktestFailed("\n".join(tail) or f"The engine ended with status {process.returncode}.")
    finally:
        _stop(process)
    return True


def _lines(process: subprocess.Popen[bytes]) -> Iterator[list[str]]:
    """What the process wrote on standard error, whole lines, at least every POLL_SECONDS, until it closes it."""
    assert process.stderr is not None
    descriptor = process.stderr.fileno()
    rest = b""
    with DefaultSelector() as selector:
        selector.register(descriptor, EVENT_READ)
        while True:
            data = os.read(descriptor, 65_536) if selector.select(POLL_SECONDS) else None
            if data == b"":
                break
            *whole, rest = (rest + (data or b"")).split(b"\n")
            yield [line.decode(errors="replace") for line in whole]
    yield [rest.decode(errors="replace")] if rest else []


def _note_progress(backtest: Backtest, lines: list[str]) -> bool:
    """Keep the newest progress; False when somebody canceled the backtest."""
    progress = backtest.progress
    for line in lines:
        if line.startswith("progress "):
            with contextlib.suppress(ValueError):
                progress = min(1.0, max(0.0, float(line.split()[1])))
    running = Backtest.objects.filter(pk=backtest.pk, state=State.RUNNING)
    if progress != backtest.progress:
        backtest.progress = progress
        return bool(running.update(progress=progress))
    return running.exists()


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _end(backtest: Backtest, state: str, **values: object) -> None:
    running = Backtest.objects.filter(pk=backtest.pk, state=State.RUNNING)
    running.update(state=state, finished_at=timezone.now(), **values)
