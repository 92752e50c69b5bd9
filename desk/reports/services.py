"""What people do with cost reports: ask for one, find one, choose the rows that they may see."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import record
from desk.refusals import Conflict, Invalid, NotFound
from desk.reports.models import CostReport
from desk.reports.reading import CostFiles
from desk.reports.tasks import make_report
from desk.research.models import Backtest

State = CostReport.State


def visible_reports(user: User) -> QuerySet[CostReport]:
    """Reports of days, and those of the backtests that the person may see."""
    rows = CostReport.objects.select_related("backtest__strategy", "requested_by")
    backtests = policy.visible(Backtest.objects.all(), user, "strategy__team")
    return rows.filter(Q(backtest=None) | Q(backtest__in=backtests))


def find_report(user: User, report_id: int) -> CostReport:
    """NotFound when there is none, or it is of another team's backtest."""
    found = visible_reports(user).filter(pk=report_id).first()
    if found is None:
        raise NotFound("There is no such report.")
    return found


def teams_of(user: User) -> frozenset[int] | None:
    """Numbers of the teams whose rows the person may see; None: all."""
    if policy.sees_every_team(user):
        return None
    return frozenset({user.team_id} if user.team_id else ())


def costs_of_parent(user: User, parent_id: int, day: date) -> list[tuple[int, dict[str, Any]]]:
    """What a parent order cost by the finished report of its day: the report's number and the parent's row (one for
    each leg and side of a multi-leg order) as `CostFiles.parent` has it. Empty without such a report."""
    report = visible_reports(user).filter(day=day, state=State.DONE).first()
    if report is None:
        return []
    try:
        files = CostFiles(report, teams_of(user))
        rows = np.flatnonzero(files.parents["parent_id"] == parent_id)
        return [(report.pk, files.parent(int(row))) for row in rows if files.sees(int(files.parents[row]["team"]))]
    except NotFound:
        return []


def request_day(actor: User, text: str) -> CostReport:
    """Queue the report of a day, made anew when there was one. Raises NotPermitted, Invalid, Conflict."""
    policy.require(policy.may_make_report(actor), "Your role may not make reports.")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid({"day": "A day is written like 2026-01-31."}) from None
    if day > timezone.now().date():
        raise Invalid({"day": "That day has not come yet."})
    with transaction.atomic():
        report = _queued(actor, f"day:{day}", day=day)
        record(actor, "report.requested", f"cost report of {day}", after={"day": str(day)})
    return report


def report_on(backtest: Backtest) -> CostReport:
    """Queue the report of a backtest that has finished."""
    with transaction.atomic():
        return _queued(backtest.submitted_by, f"backtest:{backtest.pk}", backtest=backtest)


def _queued(actor: User, key: str, **subject: object) -> CostReport:
    found = CostReport.objects.select_for_update().filter(key=key).first()
    if found is not None and not found.finished:
        raise Conflict("This report is being made.", code="report_unfinished")
    asked = {"requested_by": actor, "requested_at": timezone.now()}
    values = subject | asked | {"state": State.QUEUED, "failure": "", "finished_at": None}
    report, _ = CostReport.objects.update_or_create(key=key, defaults=values)
    transaction.on_commit(lambda: make_report.delay(report.pk))
    return report
