"""Plugin of pytest: one PostgreSQL and one Valkey for the whole session, shared by its workers.

It is named in `addopts` because pytest-django reads the settings before any `conftest.py`. DATABASE_URL and REDIS_URL
replace the embedded servers. Each xdist worker has its own test database and its own Valkey database number.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from desk.operations.embedded import remove_private_copy, start_services
from desk.operations.processes import Child

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
services: list[Child] = []
temporary_state: list[Path] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    # A wrapper runs before pytest-django's own hook, which reads the settings.
    start_or_share(early_config.known_args_namespace.file_or_dir)
    return (yield)


def start_or_share(paths: list[str]) -> None:
    """Start the servers, or, in a worker, take those of the session with a Valkey database of its own."""
    if IS_WORKER:
        if "REDIS_URL" not in os.environ:
            return  # tests of the engine alone
        number = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) % 15 + 1
        os.environ["REDIS_URL"] = os.environ["REDIS_URL"].replace("db=0", f"db={number}")
        return
    if _engine_only(paths):
        return
    if "DESK_STATE" not in os.environ:
        state = Path(tempfile.mkdtemp(prefix="desk-tests-"))
        temporary_state.append(state)
        os.environ["DESK_STATE"] = str(state)
    own_database = not os.environ.get("DATABASE_URL")
    services.extend(start_services(Path(os.environ["DESK_STATE"]), os.environ))
    if own_database:
        _forget_on_power_cut(os.environ["DATABASE_URL"])


def _forget_on_power_cut(address: str) -> None:
    """Nothing of a test has to survive the machine, so its commits need not wait for the disk."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")


def _engine_only(paths: list[str]) -> bool:
    """The engine runs with the whole web side down, and so do its tests when they are asked for alone."""
    return bool(paths) and all("tests/engine" in path for path in paths)


def pytest_unconfigure() -> None:
    for child in reversed(services):
        child.ask_to_stop()
        child.wait_stopped()
    services.clear()
    for state in temporary_state:
        remove_private_copy(state)
        shutil.rmtree(state, ignore_errors=True)
    temporary_state.clear()
