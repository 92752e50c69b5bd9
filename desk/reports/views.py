"""What orders cost: reports of days and backtests, by group and by parent order, with files to take away."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from desk.accounts import policy
from desk.accounts.person import person
from desk.refusals import Invalid, NotFound, Refusal
from desk.reports import services
from desk.reports.bars import bars
from desk.reports.models import CostReport
from desk.reports.reading import LABELS, CostFiles, GroupRow, to_money
from engine.messages.codes import Liquidity, OrderState, Side
from engine.messages.tca import BY_FILL, BY_PARENT, COSTS, HORIZON_LABELS, HORIZONS_NS

SHOWN = 100
SHOWN_PARENTS = 100
SHOWN_FILLS = 500
DRAWN_GROUPS = 5
GROUPINGS = (*BY_PARENT, *BY_FILL)
FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
SECOND_NS = 1_000_000_000


@login_required
def reports(request: HttpRequest) -> HttpResponse:
    """The reports that there are, and a form for another."""
    user = person(request)
    typed, error = request.POST.get("day", ""), ""
    if request.method == "POST":
        try:
            return redirect("reports:costs", services.request_day(user, typed).pk)
        except Refusal as refusal:
            if refusal.status in (403, 404):
                raise
            error = refusal.errors["day"] if isinstance(refusal, Invalid) else refusal.sentence
    context = {
        "rows": services.visible_reports(user)[:SHOWN],
        "may_make": policy.may_make_report(user),
        "day": typed or timezone.now().date().isoformat(),
        "error": error,
    }
    return render(request, "reports/reports.html", context, status=422 if error else 200)


@login_required
@require_GET
def costs(request: HttpRequest, report_id: int) -> HttpResponse:
    """One report: totals, one grouping, the parents that count most."""
    user = person(request)
    found = services.find_report(user, report_id)
    context: dict[str, Any] = {"report": found, "may_make": policy.may_make_report(user)}
    if found.state == CostReport.State.DONE:
        context |= _result(CostFiles(found, services.teams_of(user)), _grouping(request), _key(request))
    return render(request, "reports/costs.html", context)


def _result(files: CostFiles, grouping: str, key: int | None) -> dict[str, Any]:
    rows, total = files.groups(grouping), files.total()
    drawn = bars([row.part_points for row in rows] + [total.part_points])
    parents = files.largest(SHOWN_PARENTS, grouping, key)
    return {
        "total": total,
        "groups": list(zip(rows, drawn, strict=False)),
        "total_bar": drawn[-1],
        "parts": COSTS,
        "grouping": grouping,
        "grouping_label": LABELS[grouping],
        "groupings": LABELS.items(),
        "chosen": files.label_of_seen(grouping, key, rows) if key is not None else "",
        "by_parent": grouping in BY_PARENT,
        "parents": parents,
        "horizons": HORIZON_LABELS,
        "exports": [(table, form) for table in ("parents", "orders", "fills") for form in FORMATS],
    }


@login_required
@require_GET
def progress(request: HttpRequest, report_id: int) -> HttpResponse:
    """The part of the page that asks for itself again until the report is made; then the whole page is loaded."""
    found = services.find_report(person(request), report_id)
    if found.finished:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "reports/_progress.html", {"report": found})


@login_required
@require_GET
def markouts(request: HttpRequest, report_id: int) -> JsonResponse:
    """Markouts of the largest groups, for the chart: seconds, and basis points of each group."""
    rows = _files(request, report_id).groups(_grouping(request))
    told = [row for row in rows if any(value is not None for value in row.markouts)]
    told.sort(key=lambda row: -row.sums["filled"])
    lines = [_line(row) for row in told[:DRAWN_GROUPS]]
    return JsonResponse({"seconds": [ns / SECOND_NS for ns in HORIZONS_NS], "labels": HORIZON_LABELS, "lines": lines})


def _line(row: GroupRow) -> dict[str, Any]:
    return {"label": row.label, "points": row.markouts}


@login_required
@require_GET
def parent(request: HttpRequest, report_id: int, row: int) -> HttpResponse:
    """One parent: its costs, its orders and its fills."""
    files = _files(request, report_id)
    found = files.parent(row)
    orders = [_told(order, files) for order in files.part_of("orders", row)]
    context = {
        "report": services.find_report(person(request), report_id),
        "parent": found,
        "bar": bars([found["part_points"]])[0],
        "parts": list(zip(COSTS, found["costs"], found["part_points"], strict=True)),
        "orders": orders,
        "fills": [_told(fill, files) for fill in files.part_of("fills", row)[:SHOWN_FILLS]],
        "horizons": list(zip(HORIZON_LABELS, found["markouts"], strict=True)),
    }
    return render(request, "reports/parent.html", context)


def _told(row: Any, files: CostFiles) -> dict[str, Any]:
    """A row of orders or fills with names and decimals."""
    told = {name: row[name].item() for name in row.dtype.names}
    words = {"side": Side, "state": OrderState, "liquidity": Liquidity}
    named = {f"{name}_word": kind(told[name]).name for name, kind in words.items() if name in told}
    prices = {name: to_money(told[f"{name}_2"]) or None for name in ("sent", "middle") if f"{name}_2" in told}
    money = {f"{name}_money": to_money(told[name]) for name in (*COSTS, "shortfall")}
    return told | named | prices | money | {
        "price_money": to_money(2 * told["price"]), "venue_name": files.label("venue", told["venue"]),
    }  # fmt: skip


@login_required
@require_GET
def path(request: HttpRequest, report_id: int, row: int) -> JsonResponse:
    """The middle while the parent was worked, and its fills, for the chart: seconds and prices."""
    files = _files(request, report_id)
    found = files.parent(row)
    points, fills = files.part_of("paths", row), files.part_of("fills", row)
    return JsonResponse(
        {
            "time": [point["time_ns"].item() / SECOND_NS for point in points],
            "middle": [float(to_money(point["middle_2"])) for point in points],
            "fill_time": [fill["time_ns"].item() / SECOND_NS for fill in fills],
            "fill_price": [float(to_money(2 * fill["price"])) for fill in fills],
            "arrival": None if found["arrival"] is None else float(found["arrival"]),
            "vwap": None if found["vwap"] is None else float(found["vwap"]),
        }
    )


@login_required
@require_GET
def export(request: HttpRequest, report_id: int, table: str, form: str) -> FileResponse:
    """A table as a file: the firm's, or the person's team's."""
    file = _files(request, report_id).export(table, form)
    name = f"costs-{report_id}-{table}.{form}"
    return FileResponse(file.open("rb"), as_attachment=True, filename=name, content_type=FORMATS[form])


def _files(request: HttpRequest, report_id: int) -> CostFiles:
    user = person(request)
    return CostFiles(services.find_report(user, report_id), services.teams_of(user))


def _grouping(request: HttpRequest) -> str:
    asked = request.GET.get("by", "venue")
    if asked not in GROUPINGS:
        raise NotFound("There is no such grouping.")
    return asked


def _key(request: HttpRequest) -> int | None:
    text = request.GET.get("key", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise NotFound("There is no such group.")
    return int(text)
