"""`make up` as a person meets it: starts, is reachable, stops, and leaves nothing behind."""

import urllib.request

import pytest

from tests.processes import processes_of, wait_until_gone
from tests.running_desk import RunningDesk

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("launcher"), pytest.mark.timeout(1200)]
NAMES = (
    "postgres",
    "valkey-server",
    "engine exchange",
    "engine run",
    "engine reconcile",
    "manage.py project",
    "celery",
    "uvicorn",
)


def running(desk: RunningDesk) -> list[str]:
    commands = processes_of(desk.state).values()
    return [name for name in NAMES if any(name in command for command in commands)]


def test_it_starts_stops_starts_again_with_the_same_users_and_killed_leaves_no_process(first_desk: RunningDesk) -> None:
    desk = first_desk
    assert running(desk) == list(NAMES)
    with urllib.request.urlopen(f"{desk.address}/readyz") as answer:
        assert answer.status == 200
    assert set(desk.passwords) == {"viewer", "trader", "risk", "admin"}
    assert not any(
        password.encode() in file.read_bytes()
        for password in desk.passwords.values()
        for file in (desk.state / "logs").iterdir()
    )
    assert desk.stop() == 0
    assert processes_of(desk.state) == {}
    assert desk.printed[-1] == "Everything has stopped.\n"
    desk.start()
    assert "Sign in as viewer, trader, risk, admin." in "".join(desk.printed)
    assert running(desk) == list(NAMES)
    desk.kill()
    wait_until_gone(desk.state)
