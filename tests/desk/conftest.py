"""A small firm: two teams, a person for each role, instruments, a venue, limits, and an engine to talk to."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from desk.accounts.models import Role, Team, User
from desk.markets.models import Instrument, Venue
from desk.reports.models import CostReport
from desk.risk.bounds import Bound
from desk.risk.services import install_limits
from desk.strategies.models import Strategy
from desk.strategies.services import create_strategy
from engine.messages.codes import Scope
from tests.desk.fake_engine import FakeEngine
from tests.desk.report_files import files_of_team, make_files

BOUNDS: dict[str, Bound] = {
    "order_quantity": 1_000,
    "order_value": Decimal(100_000),
    "collar_basis_points": 500,
    "position": 5_000,
    "orders_per_second": 50,
    "daily_loss": Decimal(10_000),
}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests with real transactions empty every table behind them, the audit trail too, which a desk never allows."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("alter table audit_auditentry disable trigger audit_no_truncate")


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """The same kind of hash, without the work that makes guessing dear: a fifth of a second for every sign-in."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
            patch.setattr(Argon2PasswordHasher, name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def tables_are_emptied_and_no_more() -> Iterator[None]:
    """Behind a test with real transactions Django writes its own permissions anew, a fifth of a second of work. The
    desk asks for none of them: what somebody may do is the role's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.core.management.commands.flush.emit_post_migrate_signal", lambda *_, **__: None)
        yield


@pytest.fixture(autouse=True)
def content_types_are_looked_up_again() -> None:
    """Those that another test made were taken back with it."""
    ContentType.objects.clear_cache()


@pytest.fixture(scope="session", autouse=True)
def static_files_are_found_when_asked_for() -> Iterator[None]:
    """Every client of a test builds the middleware anew, and that would look at two hundred files before it begins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "WHITENOISE_AUTOREFRESH", True, raising=False)
        yield


@pytest.fixture
def engine_state(settings: object, tmp_path: Path) -> Path:
    """A state directory of this test's own, where no engine listens."""
    settings.STATE = tmp_path  # type: ignore[attr-defined]
    cache.clear()
    return tmp_path


@pytest.fixture
def engine(engine_state: Path) -> Iterator[FakeEngine]:
    running = FakeEngine(engine_state).start()
    yield running
    running.stop()


@pytest.fixture
def pairs_team(db: None) -> Team:
    return Team.objects.create(name="Pairs")


@pytest.fixture
def index_team(db: None) -> Team:
    return Team.objects.create(name="Index")


def person(username: str, role: Role, team: Team | None = None) -> User:
    return User.objects.create(username=username, role=role, team=team, password="!")


@pytest.fixture
def alice(pairs_team: Team) -> User:
    """A trader of the pairs team."""
    return person("alice", Role.TRADER, pairs_team)


@pytest.fixture
def gina(pairs_team: Team) -> User:
    """Another trader of the pairs team."""
    return person("gina", Role.TRADER, pairs_team)


@pytest.fixture
def bob(index_team: Team) -> User:
    """A trader of another team."""
    return person("bob", Role.TRADER, index_team)


@pytest.fixture
def charlie(db: None) -> User:
    """A risk manager."""
    return person("charlie", Role.RISK)


@pytest.fixture
def dora(db: None) -> User:
    """Another risk manager."""
    return person("dora", Role.RISK)


@pytest.fixture
def erin(db: None) -> User:
    """An administrator."""
    return person("erin", Role.ADMIN)


@pytest.fixture
def frank(db: None) -> User:
    """A viewer."""
    return person("frank", Role.VIEWER)


@pytest.fixture
def market(db: None) -> Venue:
    """Three instruments and one venue that the engine knows."""
    for number, name in enumerate(("AAA", "BBB", "CCC"), start=1):
        Instrument.objects.create(id=number, name=name, tick_size=Decimal("0.01"))
    return Venue.objects.create(number=1, name="XSIM", protocol="ouch50", answer=Venue.Answer.APPLIED)


@pytest.fixture
def limits(pairs_team: Team) -> None:
    install_limits(Scope.FIRM, 0, BOUNDS)
    install_limits(Scope.TEAM, pairs_team.pk, BOUNDS)


@pytest.fixture(scope="session")
def report_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a cost report, beside the session that it is of."""
    return make_files(tmp_path_factory.mktemp("costs"))


@pytest.fixture
def cost_report(report_files: Path, tmp_path: Path, alice: User) -> CostReport:
    """The report of a day on which only alice's team traded."""
    files = files_of_team(report_files, tmp_path / "cost-report", alice.team_id or 0)
    return CostReport.objects.create(
        key="day:2023-11-14",
        day=date(2023, 11, 14),
        state=CostReport.State.DONE,
        artefacts=str(files),
        requested_by=alice,
        requested_at=timezone.now(),
    )


@pytest.fixture
def strategy(engine: FakeEngine, alice: User, market: Venue, limits: None) -> Strategy:
    """Alice's pairs strategy, stopped."""
    return create_strategy(
        alice,
        name="AAA / BBB",
        kind="pairs",
        venue=1,
        instruments=[1, 2],
        parameters={"hedge_ratio": 1.5, "quantity": 100},
    )
