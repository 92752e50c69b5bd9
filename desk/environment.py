"""What the desk reads from its environment: read once, typed, and refused loudly when it makes no sense.

The variables are listed in `docs/configuration.md`. Without `DATABASE_URL` and `REDIS_URL` the servers of `make up` are
meant, so that every management command works while they run.
"""

import hashlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from engine.messages.prices import LARGEST_PROTECTION

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SOCKET_PATH_LIMIT = 80
"""Longest directory for sockets: a Unix socket's path has 108 bytes, the name in it up to 28."""


class BadEnvironment(Exception):
    """A variable of the environment holds something the desk cannot use."""


@dataclass(frozen=True)
class Environment:
    """The desk's settings from outside; paths are absolute."""

    state: Path
    database_url: str
    redis_url: str
    debug: bool
    https: bool
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    port: int
    market_protection: int


def read_environment(variables: os._Environ[str] | dict[str, str] = os.environ) -> Environment:
    """Return the environment as values, or raise BadEnvironment with a sentence that names the variable."""
    state = Path(variables.get("DESK_STATE") or PROJECT_ROOT / ".state").absolute()
    port = read_port(variables)
    hosts = _words(variables, "DESK_HOSTS") or ("localhost", "127.0.0.1", "[::1]")
    scheme = "https" if _flag(variables, "DESK_HTTPS") else "http"
    return Environment(
        state=state,
        database_url=variables.get("DATABASE_URL") or embedded_database_url(state),
        redis_url=variables.get("REDIS_URL") or embedded_redis_url(state),
        debug=_flag(variables, "DESK_DEBUG"),
        https=scheme == "https",
        hosts=hosts,
        origins=_words(variables, "DESK_ORIGINS") or tuple(f"{scheme}://{host}:{port}" for host in hosts),
        port=port,
        market_protection=_protection(variables),
    )


def read_port(variables: os._Environ[str] | dict[str, str] = os.environ) -> int:
    """Return the web port from PORT, 8000 when unset."""
    text = variables.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise BadEnvironment(f"PORT is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def _protection(variables: os._Environ[str] | dict[str, str]) -> int:
    text = variables.get("DESK_MARKET_PROTECTION") or "50"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LARGEST_PROTECTION:
        raise BadEnvironment(
            f"DESK_MARKET_PROTECTION is {text!r}; it must be a number of basis points from 1 to {LARGEST_PROTECTION}."
        )
    return int(text)


def _flag(variables: os._Environ[str] | dict[str, str], name: str) -> bool:
    text = variables.get(name, "0")
    if text not in {"0", "1"}:
        raise BadEnvironment(f"{name} is {text!r}; it must be 0 or 1.")
    return text == "1"


def _words(variables: os._Environ[str] | dict[str, str], name: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in variables.get(name, "").split(",") if word.strip())


def socket_directory(state: Path) -> Path:
    """Return where this state's Unix sockets live: inside it, or elsewhere when its path is too long."""
    directory = state.absolute() / "sockets"
    if len(os.fsencode(directory)) <= SOCKET_PATH_LIMIT:
        return directory
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"desk-{os.getuid()}-{digest}"


def embedded_database_url(state: Path, name: str = "desk") -> str:
    """Return the URL of the database in the embedded PostgreSQL of this state."""
    return f"postgresql://desk@/{name}?host={quote(str(postgres_socket_directory(state)), safe='')}"


def postgres_socket_directory(state: Path) -> Path:
    """Return the directory of PostgreSQL's socket: a private one when its private copy runs as another user."""
    note = state / "postgres.directory"
    return Path(note.read_text().strip()) if note.exists() else socket_directory(state)


def embedded_redis_url(state: Path, database: int = 0) -> str:
    """Return the URL of the embedded Valkey of this state."""
    return f"unix://{socket_directory(state)}/valkey.sock?db={database}"


def django_database(url: str) -> dict[str, object]:
    """Return Django's DATABASES entry for a `postgresql://user:password@host:port/name?option=value` URL."""
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in {"postgresql", "postgres"} or not name:
        raise BadEnvironment(f"DATABASE_URL must look like postgresql://user@host:5432/name, not {parts.scheme}://...")
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = options.pop("host", None) or (unquote(parts.hostname) if parts.hostname else "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def celery_broker_url(redis_url: str) -> str:
    """Return a REDIS_URL in the words of Celery, which spells Unix sockets in its own way."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[-1]
    return f"redis+socket://{parts.path}?virtual_host={database}"


def secret_key(state: Path) -> str:
    """Return the signing key: DESK_SECRET_KEY, or one made on the first start and kept in the state directory."""
    if os.environ.get("DESK_SECRET_KEY"):
        return os.environ["DESK_SECRET_KEY"]
    path = state / "secret_key"
    if not path.exists():
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = state / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
