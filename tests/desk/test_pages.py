"""Every role on every page: what is shown, what is refused, what is not there."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from desk.accounts.models import User
from desk.audit.models import AuditEntry
from desk.blotter.models import OrderEntry
from desk.blotter.services import OrderTicket, enter_order
from desk.link.projector import project
from desk.reports.models import CostReport
from desk.research.models import Backtest
from desk.risk.models import ChangeRequest
from desk.risk.services import propose_limits, propose_rule
from desk.strategies.definitions import definition_of
from desk.strategies.models import Strategy
from engine.messages.codes import OrderState, ReportKind, Scope, Side
from tests.desk.fake_engine import FakeEngine, undone
from tests.desk.journal_records import Journal

TRADER, FOREIGN, RISK, ADMIN, VIEWER, NOBODY = "alice", "bob", "charlie", "erin", "frank", None
COLLEAGUE = "gina"  # of the trader's team
EVERYBODY = (TRADER, FOREIGN, RISK, ADMIN, VIEWER, NOBODY)
SIGNED_IN = (200, 200, 200, 200, 200, 302)
OWN_TEAM = (200, 404, 200, 200, 200, 302)
POST_ONLY = (405, 405, 405, 405, 405, 302)

# What GET answers to the trader of the team, one of another team, risk, admin, a viewer, and nobody.
SHOWN: dict[str, tuple[int, ...]] = {
    "": SIGNED_IN,
    "livez": (200,) * 6,
    "readyz": (200,) * 6,
    "admin/login/": (403, 403, 302, 302, 403, 302),
    "accounts/": SIGNED_IN,
    "accounts/sign-in/": (302, 302, 302, 302, 302, 200),
    "accounts/sign-out/": (405,) * 6,
    "accounts/password/": POST_ONLY,
    "accounts/keys/": POST_ONLY,
    "accounts/keys/revoke/": POST_ONLY,
    "accounts/sessions/end/": POST_ONLY,
    "markets/instruments/": SIGNED_IN,
    "markets/venues/": SIGNED_IN,
    "markets/venues/new/": (403, 403, 200, 200, 403, 302),
    "markets/venues/<int:number>/": SIGNED_IN,
    "markets/venues/<int:number>/remove/": POST_ONLY,
    "markets/venues/<int:number>/session/": SIGNED_IN,
    "markets/venues/<int:number>/session/connect/": POST_ONLY,
    "markets/venues/<int:number>/session/disconnect/": POST_ONLY,
    "markets/venues/<int:number>/session/reset/": POST_ONLY,
    "strategies/": SIGNED_IN,
    "strategies/archived/": SIGNED_IN,
    "strategies/new/": (200, 200, 403, 403, 403, 302),
    "strategies/new/definition/": SIGNED_IN,
    "strategies/<int:strategy_id>/": OWN_TEAM,
    "strategies/<int:strategy_id>/change/": (200, 404, 403, 403, 403, 302),
    "strategies/<int:strategy_id>/start/": POST_ONLY,
    "strategies/<int:strategy_id>/stop/": POST_ONLY,
    "strategies/<int:strategy_id>/archive/": POST_ONLY,
    "strategies/<int:strategy_id>/restore/": POST_ONLY,
    "blotter/orders/": SIGNED_IN,
    "blotter/fills/": SIGNED_IN,
    "blotter/refused/": SIGNED_IN,
    "blotter/orders/cancel/": POST_ONLY,
    "blotter/orders/replace/": POST_ONLY,
    "blotter/ticket/": (200, 200, 403, 403, 403, 302),
    "blotter/ticket/method/": SIGNED_IN,
    "blotter/parents/": SIGNED_IN,
    "blotter/parents/cancel/": POST_ONLY,
    "blotter/parents/<int:parent_id>/": OWN_TEAM,
    "blotter/orders/<int:order_id>/": OWN_TEAM,
    "blotter/orders.csv": SIGNED_IN,
    "blotter/fills.csv": SIGNED_IN,
    "blotter/queue/": SIGNED_IN,
    "blotter/queue/<int:waiting>/": OWN_TEAM,
    "blotter/queue/<int:waiting>/release/": POST_ONLY,
    "blotter/queue/<int:waiting>/return/": POST_ONLY,
    "blotter/queue/<int:waiting>/ask/": POST_ONLY,
    "positions/": SIGNED_IN,
    "positions/pnl-points.json": SIGNED_IN,
    "risk/limits/": SIGNED_IN,
    "risk/limits/<str:target>/": (200, 404, 200, 403, 403, 302),
    "risk/approvals/": SIGNED_IN,
    "risk/changes/<int:change_id>/": OWN_TEAM,
    "risk/changes/<int:change_id>/approve/": POST_ONLY,
    "risk/changes/<int:change_id>/reject/": POST_ONLY,
    "risk/second-person/": SIGNED_IN,
    "risk/second-person/<int:team_id>/": (200, 404, 200, 403, 403, 302),
    "risk/breaks/": SIGNED_IN,
    "risk/breaks/resolve/": POST_ONLY,
    "risk/kill/": SIGNED_IN,
    "risk/kill/rearm/": POST_ONLY,
    "research/backtests/": SIGNED_IN,
    "research/backtests/new/": SIGNED_IN,
    "research/backtests/compare/": SIGNED_IN,
    "research/backtests/<int:backtest_id>/": OWN_TEAM,
    "research/backtests/<int:backtest_id>/progress/": OWN_TEAM,
    "research/backtests/<int:backtest_id>/equity.json": OWN_TEAM,
    "research/backtests/<int:backtest_id>/cancel/": POST_ONLY,
    "reports/costs/": SIGNED_IN,
    "reports/costs/<int:report_id>/": SIGNED_IN,
    "reports/costs/<int:report_id>/progress/": (204, 204, 204, 204, 204, 302),
    "reports/costs/<int:report_id>/markouts.json": SIGNED_IN,
    "reports/costs/<int:report_id>/parents/<int:row>/": OWN_TEAM,
    "reports/costs/<int:report_id>/parents/<int:row>/path.json": OWN_TEAM,
    "reports/costs/<int:report_id>/<str:table>.<str:form>": OWN_TEAM,
    "audit/": (403, 403, 200, 200, 403, 302),
    "operations/": SIGNED_IN,
}

# Forms that change something: address, what is sent, and who brings it about.
DEEDS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "start": ("strategies/<int:strategy_id>/start/", {}, (TRADER,)),
    "stop": ("strategies/<int:strategy_id>/stop/", {}, (TRADER, RISK, ADMIN)),
    "cancel": ("blotter/orders/cancel/", {"order_id": "1"}, (TRADER, RISK, ADMIN)),
    "change an order": (
        "blotter/orders/replace/",
        {"order_id": "3", "price": "100.05", "quantity": "50"},
        (TRADER,),
    ),
    "cancel a parent order": ("blotter/parents/cancel/", {"parent_id": "2"}, (TRADER, RISK, ADMIN)),
    "approve": ("risk/changes/<int:change_id>/approve/", {"diff_hash": "<hash>"}, (RISK,)),
    "reject": ("risk/changes/<int:change_id>/reject/", {"note": "no"}, (TRADER, RISK)),
    "release": (
        "blotter/queue/<int:waiting>/release/",
        {"terms": "as asked", "diff_hash": "<waiting_hash>"},
        (RISK, COLLEAGUE),
    ),
    "release as a change": ("risk/changes/<int:waiting>/approve/", {"diff_hash": "<waiting_hash>"}, (RISK, COLLEAGUE)),
    "return": ("blotter/queue/<int:waiting>/return/", {"note": "too large"}, (TRADER, RISK, COLLEAGUE)),
    "ask again": ("blotter/queue/<released>/ask/", {}, (TRADER, RISK, COLLEAGUE)),
    "change which orders wait": (
        "risk/second-person/<team>/",
        {"notional": "5000", "reason": "a larger team"},
        (TRADER, RISK, COLLEAGUE),
    ),
    "approve which orders wait": ("risk/changes/<rule>/approve/", {"diff_hash": "<rule_hash>"}, (RISK,)),
    "resolve a break": ("risk/breaks/resolve/", {"name": "1-7-missing-here", "sentence": "settled"}, (RISK, ADMIN)),
    "kill the firm": ("risk/kill/", {"target": "firm.0", "reason": "stop"}, (RISK, ADMIN)),
    "kill the team": ("risk/kill/", {"target": "team.<team>", "reason": "stop"}, (TRADER, RISK, ADMIN)),
    "cancel the backtest": ("research/backtests/<int:backtest_id>/cancel/", {}, (TRADER, RISK)),
    "ask for a report": ("reports/costs/", {"day": "2026-01-02"}, (TRADER, FOREIGN, RISK, ADMIN)),
    "connect the venue": ("markets/venues/<int:number>/session/connect/", {}, (RISK, ADMIN)),
    "disconnect the venue": ("markets/venues/<int:number>/session/disconnect/", {"reason": "stop"}, (RISK, ADMIN)),
    "propose numbers": (
        "markets/venues/<int:number>/session/reset/",
        {"next_inbound": "1", "next_outbound": "1", "reason": "agreed by telephone"},
        (RISK, ADMIN),
    ),
    "remove the venue": ("markets/venues/<int:number>/remove/", {}, (RISK, ADMIN)),
}


def patterns(resolver: Any = None, prefix: str = "") -> list[str]:
    """Addresses of the desk's own pages."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver) and address not in ("admin/", "api/v1/"):
            found += patterns(entry, address)
        elif isinstance(entry, URLPattern):
            found.append(address)
    return found


def waiting_order(trader: User, name: str) -> ChangeRequest:
    """A care order that waits."""
    asked = OrderTicket(name, 1, 1, Side.BUY, 100, Decimal(100), care=True, instruction="around the close")
    change = enter_order(trader, asked).entry.change
    assert change is not None
    return change


@pytest.fixture
def things(
    engine: FakeEngine, strategy: Strategy, alice: Any, gina: Any, charlie: Any, cost_report: CostReport
) -> dict[str, Any]:
    journal = Journal(strategy.pk, strategy.team_id)
    journal.enter(1)
    journal.report(1, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    journal.parent(2)
    by_hand = Journal(0, strategy.team_id)
    by_hand.records = journal.records
    by_hand.enter(3)
    by_hand.report(3, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    project(journal.data)
    change = propose_limits(alice, Scope.STRATEGY, strategy.pk, {"position": 9_000}, "room")[0]
    backtest = Backtest.objects.create(
        strategy=strategy, definition=definition_of(strategy), recording="monday", submitted_by=alice
    )
    waiting, released = (waiting_order(alice, f"care-{at}") for at in (1, 2))
    # Released, and the answer was lost.
    ChangeRequest.objects.filter(pk=released.pk).update(state=ChangeRequest.State.APPROVED, approver=charlie)
    OrderEntry.objects.filter(change=released).update(outcome=OrderEntry.Outcome.UNKNOWN, released_at=timezone.now())
    propose_rule(charlie, strategy.team_id, {"notional": "1000000"}, "a new team")
    rule = propose_rule(alice, strategy.team_id, {"notional": "2000000"}, "busy days")
    return {
        "int:waiting": waiting.pk,
        "waiting_hash": waiting.diff_hash,
        "released": released.pk,
        "rule": rule.pk,
        "rule_hash": rule.diff_hash,
        "int:team_id": strategy.team_id,
        "int:strategy_id": strategy.pk,
        "int:change_id": change.pk,
        "int:number": 1,
        "int:order_id": 1,
        "int:parent_id": 2,
        "int:backtest_id": backtest.pk,
        "int:report_id": cost_report.pk,
        "int:row": 0,
        "str:table": "parents",
        "str:form": "parquet",
        "str:target": f"strategy.{strategy.pk}",
        "hash": change.diff_hash,
        "team": strategy.team_id,
    }


def address_of(pattern: str, things: dict[str, Any]) -> str:
    for name, value in things.items():
        pattern = pattern.replace(f"<{name}>", str(value))
    return f"/{pattern}"


def signed_in(user: Any) -> Client:
    client = Client()
    if user:
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("at", range(len(EVERYBODY)), ids=[str(name) for name in EVERYBODY])
def test_every_page(at: int, things: dict[str, Any], request: pytest.FixtureRequest) -> None:
    name = EVERYBODY[at]
    client = signed_in(request.getfixturevalue(name) if name else None)
    answers = {pattern: client.get(address_of(pattern, things)).status_code for pattern in SHOWN}
    assert answers == {pattern: statuses[at] for pattern, statuses in SHOWN.items()}


def test_no_page_is_missing_from_the_table() -> None:
    assert set(patterns()) == set(SHOWN)


def deeds_audited() -> int:
    return AuditEntry.objects.exclude(action__startswith="user.").count()


@pytest.mark.parametrize("name", [*EVERYBODY, COLLEAGUE], ids=str)
def test_every_deed(
    name: str | None, engine: FakeEngine, things: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(name) if name else None)
    done_by = {}
    for deed, (pattern, form, _) in DEEDS.items():
        filled = {key: address_of(text, things)[1:] for key, text in form.items()}
        before = deeds_audited()
        with undone(engine):
            answer = client.post(address_of(pattern, things), filled)
            audited, sent = deeds_audited() - before, engine.kinds()
        done_by[deed] = audited > 0
        if audited:
            assert (deed, answer.status_code) == (deed, 302)
        else:
            assert (deed, sent, answer.status_code in (302, 403, 404)) == (deed, [], True)
    # What a colleague of the trader may do is told where it differs from what the trader may.
    told = {deed for deed in DEEDS if name != COLLEAGUE or COLLEAGUE in DEEDS[deed][2]}
    assert {deed: done_by[deed] for deed in told} == {deed: name in DEEDS[deed][2] for deed in told}


def test_no_form_of_another_site_does_anything(engine: FakeEngine, things: dict[str, Any], charlie: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(charlie, "django.contrib.auth.backends.ModelBackend")
    engine.received.clear()
    answers = {
        deed: client.post(address_of(pattern, things), form).status_code for deed, (pattern, form, _) in DEEDS.items()
    }
    assert answers == dict.fromkeys(DEEDS, 403)
    assert engine.kinds() == []
