"""The worker's task: the engine's study of a journal, in a process of its own, its files put in place when it is whole.

Like a backtest it may be delivered twice, so it runs under a lock of the database, and one that has ended is not made
again until somebody asks.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.utils import timezone

from desk.environment import PROJECT_ROOT
from desk.operations.advisory_lock import advisory_lock
from desk.operations.processes import die_with_parent
from desk.reports.models import CostReport

ENGINE = [sys.executable, "-m", "engine"]
LOCK_CLASS = 0x7463  # "tc": what the first number of an advisory lock means here
LONGEST_FAILURE = 2_000  # characters
State = CostReport.State


@shared_task(acks_late=True, reject_on_worker_lost=True)
def make_report(report_id: int) -> None:
    """Make one report, or say why it cannot be made; nothing while another worker does."""
    with advisory_lock(LOCK_CLASS, report_id) as free:
        if free:
            _make(report_id)


@worker_ready.connect
def ask_again(**_: object) -> None:
    """At the start of a worker: no report that was asked for is forgotten."""
    for pk in CostReport.objects.filter(state__in=[State.QUEUED, State.RUNNING]).values_list("pk", flat=True):
        make_report.delay(pk)


def _make(report_id: int) -> None:
    asked = CostReport.objects.filter(pk=report_id, state__in=[State.QUEUED, State.RUNNING])
    if not asked.update(state=State.RUNNING, failure=""):
        return
    report = CostReport.objects.select_related("backtest").get(pk=report_id)
    directory = settings.STATE / "reports" / str(report.pk)
    made = directory.with_name(f"{report.pk}.new")
    shutil.rmtree(made, ignore_errors=True)
    try:
        failure = _study(report, made)
        if not failure:
            _put_in_place(report, made, directory)
    except OSError as error:
        failure = f"Its files could not be written: {error}."
    values = {"state": State.FAILED, "failure": failure}
    if not failure:
        values = {"state": State.DONE, "artefacts": str(directory)}
    CostReport.objects.filter(pk=report_id).update(finished_at=timezone.now(), **values)


def _put_in_place(report: CostReport, made: Path, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    made.rename(directory)
    if report.backtest is not None:
        (Path(report.backtest.artefacts) / "recording.bin").unlink(missing_ok=True)
    else:
        _publish_costs(directory)


def _publish_costs(directory: Path) -> None:
    """The newest fitted costs, where the router and the simulator look for them."""
    unfinished = settings.STATE / "costs.json.new"
    shutil.copyfile(directory / "costs.json", unfinished)
    unfinished.replace(settings.STATE / "costs.json")


def _study(report: CostReport, out: Path) -> str:
    """Run the engine's study. What it complained of when it failed, else an empty text."""
    source = Path(report.backtest.artefacts) if report.backtest is not None else settings.STATE
    choice = ["--day", str(report.day)] if report.day else []
    out.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*ENGINE, "study", "tca", str(source), "--out", str(out), *choice],
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    if done.returncode == 0:
        return ""
    return done.stderr.strip()[-LONGEST_FAILURE:] or f"The engine ended with status {done.returncode}."
