"""Cost reports on the screen: a worker makes them from the engine's journal, people see the rows of their teams."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from desk.accounts.models import User
from desk.link.projector import project
from desk.refusals import Conflict, Invalid, NotFound, NotPermitted
from desk.reports import tasks
from desk.reports.bars import WIDTH, bars
from desk.reports.models import CostReport
from desk.reports.reading import CostFiles
from desk.reports.services import find_report, report_on, request_day, teams_of
from desk.reports.tasks import ask_again, make_report
from desk.research.models import Backtest
from desk.strategies.definitions import definition_of
from desk.strategies.models import Strategy
from tests.desk.journal_records import Journal

State = CostReport.State
DONE = """
import pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
out.mkdir()
(out / "asked.txt").write_text(" ".join(sys.argv[1:]))
(out / "costs.json").write_text("fitted")
"""
NOT_WHOLE = """
import pathlib, sys
pathlib.Path(sys.argv[sys.argv.index("--out") + 1]).mkdir()
"""
FAILED = """
import sys
sys.exit("study tca: the journal is cut")
"""


@pytest.fixture
def engine_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give the task another engine program."""

    def install(source: str) -> None:
        script = tmp_path / "engine.py"
        script.write_text(source)
        monkeypatch.setattr(tasks, "ENGINE", [sys.executable, str(script)])

    return install


def shown(user: User, address: str) -> str:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_report_of_a_day_is_made_by_the_engine_and_made_again_when_asked(
    alice: User, engine_state: Path, engine_does: Callable[[str], None]
) -> None:
    report = request_day(alice, "2026-01-02")
    with pytest.raises(Conflict, match="is being made"):
        request_day(alice, "2026-01-02")
    engine_does(FAILED)
    make_report(report.pk)
    report.refresh_from_db()
    assert (report.state, report.failure, report.artefacts) == (State.FAILED, "study tca: the journal is cut", "")
    assert request_day(alice, "2026-01-02").pk == report.pk
    engine_does(NOT_WHOLE)
    make_report(report.pk)
    report.refresh_from_db()
    assert (report.state, report.artefacts) == (State.FAILED, "")
    assert report.failure.startswith("Its files could not be written: ")
    assert request_day(alice, "2026-01-02").pk == report.pk
    engine_does(DONE)
    make_report(report.pk)
    report.refresh_from_db()
    directory = engine_state / "reports" / str(report.pk)
    assert (report.state, report.failure, report.artefacts) == (State.DONE, "", str(directory))
    asked = (directory / "asked.txt").read_text().split()
    assert asked == ["study", "tca", str(engine_state), "--out", f"{directory}.new", "--day", "2026-01-02"]
    assert (engine_state / "costs.json").read_text() == "fitted"
    engine_does(FAILED)
    make_report(report.pk)
    assert CostReport.objects.get(pk=report.pk).state == State.DONE


def test_a_day_must_be_one_that_has_come_and_viewers_ask_for_none(alice: User, frank: User) -> None:
    for text in ("yesterday", "2026-02-30", (timezone.now() + timedelta(days=2)).date().isoformat()):
        with pytest.raises(Invalid):
            request_day(alice, text)
    with pytest.raises(NotPermitted):
        request_day(frank, "2026-01-02")
    assert not CostReport.objects.exists()


def test_a_worker_that_starts_asks_again_for_what_is_not_made(
    alice: User, cost_report: CostReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = request_day(alice, "2026-01-02")
    asked: list[int] = []
    monkeypatch.setattr(make_report, "delay", asked.append)
    ask_again()
    assert asked == [waiting.pk]


def test_a_backtest_has_a_report_and_its_recording_goes_when_it_is_made(
    alice: User, bob: User, strategy: Strategy, engine_state: Path, engine_does: Callable[[str], None]
) -> None:
    (engine_state / "recording.bin").write_bytes(b"packets")
    backtest = Backtest.objects.create(
        strategy=strategy, definition=definition_of(strategy), recording="monday", submitted_by=alice,
        artefacts=str(engine_state),
    )  # fmt: skip
    engine_does(DONE)
    report = report_on(backtest)
    make_report(report.pk)
    assert CostReport.objects.get(pk=report.pk).state == State.DONE
    assert not (engine_state / "recording.bin").exists()
    assert find_report(alice, report.pk) == report
    with pytest.raises(NotFound):
        find_report(bob, report.pk)


def test_the_page_shows_the_figures_of_the_example_in_every_grouping(alice: User, cost_report: CostReport) -> None:
    page = shown(alice, f"/reports/costs/{cost_report.pk}/?by=instrument")
    figures = ("0.60", "0.60", "1.20", "2.40", "0.18")
    for text in (*figures, "4.98", "ALPHA", "60 of 100", f"/reports/costs/{cost_report.pk}/parents/0/"):
        assert text in page
    for grouping in ("venue", "algorithm", "strategy", "time_of_day", "size", "liquidity"):
        assert "4.98" in shown(alice, f"/reports/costs/{cost_report.pk}/?by={grouping}")
    assert "None." in shown(alice, f"/reports/costs/{cost_report.pk}/?by=instrument&key=2")


def test_somebody_of_another_team_sees_that_there_is_a_report_and_nothing_of_it(
    bob: User, charlie: User, cost_report: CostReport
) -> None:
    named = shown(charlie, f"/reports/costs/{cost_report.pk}/?by=instrument&key=1")
    assert '<span class="count">ALPHA</span>' in named
    page = shown(bob, f"/reports/costs/{cost_report.pk}/?by=instrument&key=1")
    assert "ALPHA" not in page
    assert "No orders" in page
    assert "4.98" not in page
    assert "4.98" in shown(charlie, f"/reports/costs/{cost_report.pk}/")


def test_a_parents_page_has_its_costs_orders_fills_and_path(alice: User, cost_report: CostReport) -> None:
    page = shown(alice, f"/reports/costs/{cost_report.pk}/parents/0/")
    for text in ("Order 1", "60 of 100", "100.04", "100.0133", "100.03", "X1", "Removed", "4.98"):
        assert text in page
    path = json.loads(shown(alice, f"/reports/costs/{cost_report.pk}/parents/0/path.json"))
    assert (path["fill_price"], path["arrival"], path["vwap"]) == ([100.04], 100.0, 100.0133)
    assert (path["middle"][0], path["middle"][-1], len(path["time"])) == (100.0, 100.06, 120)
    marks = json.loads(shown(alice, f"/reports/costs/{cost_report.pk}/markouts.json"))
    points = [round(point, 2) for point in marks["lines"][0]["points"][:2]]
    assert (marks["seconds"], points, marks["lines"][0]["points"][2:]) == ([1, 10, 60, 300], [-1.0, 2.0], [None, None])


def test_a_parent_orders_page_has_what_it_cost_once_the_day_has_a_report(
    alice: User, market: object, cost_report: CostReport
) -> None:
    journal = Journal(0, alice.team_id or 0)
    journal.parent(812)
    project(journal.data)
    assert "costs-title" not in shown(alice, "/blotter/parents/812/")
    table = Path(cost_report.artefacts) / "parents.npy"
    rows = np.load(table)
    rows["parent_id"] = 812
    np.save(table, rows)
    page = shown(alice, "/blotter/parents/812/")
    panel = page[page.index('id="costs-title"') :].split("</section>")[0]
    for text in (f"/reports/costs/{cost_report.pk}/parents/0/", "60", "0.60", "1.20", "2.40", "0.18", "4.98"):
        assert text in panel


def test_files_are_those_of_the_team(alice: User, charlie: User, cost_report: CostReport) -> None:
    for user in (alice, charlie):
        files = CostFiles(cost_report, teams_of(user))
        assert files.export("fills", "csv").read_text().count("\n") == 2
        assert files.export("orders", "parquet").read_bytes()[:4] == b"PAR1"
    assert "team-" in str(CostFiles(cost_report, teams_of(alice)).export("fills", "csv"))
    (Path(cost_report.artefacts) / "export" / f"team-{alice.team_id}").rename(
        Path(cost_report.artefacts) / "export" / "team-0"
    )
    with pytest.raises(NotFound):
        CostFiles(cost_report, frozenset()).export("fills", "csv")
    with pytest.raises(NotFound):
        CostFiles(cost_report, teams_of(alice)).export("fills", "xlsx")
    assert CostFiles(cost_report, None).total().shortfall == Decimal("4.98")


def test_bars_have_one_scale_and_zero_between_gains_and_costs() -> None:
    first, second = bars([[3.0, 1.0, None, -1.0, 0.0], [-2.0, 0.0, 0.0, 0.0, 2.0]])
    assert first.zero == second.zero == round(WIDTH / 3, 1)
    assert [(s.name, s.x, s.width) for s in first.segments] == [
        ("spread", 333.3, 500.0), ("impact", 833.3, 166.7), ("opportunity", 166.7, 166.7),
    ]  # fmt: skip
    assert [(s.name, s.x, s.width) for s in second.segments] == [("spread", 0.0, 333.3), ("fees", 333.3, 333.3)]
    assert bars([[0.0] * 5])[0].segments == []
