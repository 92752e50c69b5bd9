"""The embedded servers: private, kept over restarts, and gone when their launcher is."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from desk.environment import embedded_database_url, embedded_redis_url, postgres_socket_directory, socket_directory
from desk.operations.embedded import remove_private_copy, start_services
from tests.processes import processes_of, wait_until_gone

START_AND_WAIT = """
import signal, sys
from pathlib import Path
from desk.operations.embedded import remove_private_copy, start_services
servers = list(start_services(Path(sys.argv[1]), {}))
print("ready", flush=True)
signal.pause()
"""


def stop(children: list) -> None:
    for child in reversed(children):
        child.ask_to_stop()
        assert child.wait_stopped()


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    variables: dict[str, str] = {}
    servers = list(start_services(tmp_path, variables))
    with psycopg.connect(variables["DATABASE_URL"]) as database:
        database.execute("create table kept as select 42 as answer")
    redis.Redis.from_url(variables["REDIS_URL"]).set("kept", "42")
    stop(servers)

    servers = list(start_services(tmp_path, {}))
    with psycopg.connect(embedded_database_url(tmp_path)) as database:
        assert database.execute("select answer from kept").fetchall() == [(42,)]
    assert redis.Redis.from_url(embedded_redis_url(tmp_path)).get("kept") == b"42"
    stop(servers)
    assert processes_of(tmp_path) == {}


def test_nobody_else_may_enter_and_nothing_listens_on_a_port(tmp_path: Path) -> None:
    servers = list(start_services(tmp_path, {}))
    try:
        assert stat.S_IMODE(socket_directory(tmp_path).stat().st_mode) == 0o700
        with psycopg.connect(embedded_database_url(tmp_path)) as database:
            assert database.execute("show listen_addresses").fetchone() == ("",)
        assert redis.Redis.from_url(embedded_redis_url(tmp_path)).config_get("port") == {"port": "0"}
    finally:
        stop(servers)


def test_servers_that_the_environment_names_are_not_started(tmp_path: Path) -> None:
    variables = {"DATABASE_URL": "postgresql://desk@db/desk", "REDIS_URL": "redis://cache/0"}
    assert list(start_services(tmp_path, variables)) == []
    assert variables == {"DATABASE_URL": "postgresql://desk@db/desk", "REDIS_URL": "redis://cache/0"}


@pytest.mark.parametrize("namespace", ["allowed", "refused"])
def test_a_killed_launcher_leaves_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespace: str) -> None:
    if namespace == "refused":
        monkeypatch.setenv("DESK_NO_USER_NAMESPACE", "1")
    launcher = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(tmp_path)], stdout=subprocess.PIPE, text=True, process_group=0
    )
    assert launcher.stdout is not None
    assert launcher.stdout.readline() == "ready\n"
    places = [tmp_path, postgres_socket_directory(tmp_path)]
    assert all(processes_of(place) for place in places)
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    launcher.stdout.close()
    for place in places:
        wait_until_gone(place)
    remove_private_copy(tmp_path)
