"""`python -m engine fix CONFIG`: the process of one QuickFIX session, started by the engine (`fix44_start`).

It has the interpreter to itself, away from the loop, and never imports numba. It dies with the engine; the sequence
numbers, its records and the rings stay, and the next process goes on from there.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import quickfix

from engine.messages.instruments import read_instruments
from engine.protocols.fix_bounds import BEGIN_STRINGS
from engine.transport.ring_file import open_ring
from engine.venues.fix44 import Fix44Settings, read_settings
from engine.venues.fix44_application import Application
from engine.venues.fix44_compaction import compact
from engine.venues.fix44_config import (
    APPLICATION_VERSION,
    QUICKFIX_SETTINGS,
    Fix44Config,
    read_config,
    ring_paths,
    session_directory,
)
from engine.venues.fix44_dialect import Dialect, read_dialect
from engine.venues.fix44_records import open_records
from engine.venues.fix44_redaction import Redaction
from engine.venues.fix44_session import Fix44Session
from engine.venues.parent import die_with
from engine.venues.secret_files import SecretFiles

BUSY_WAIT_S, IDLE_WAIT_S, IDLE_AFTER_S = 0.0001, 0.002, 1.0
STOP_WITHIN_S = 5.0


class QuickFixWire:
    """The way to the venue, through QuickFIX."""

    def __init__(self, settings: Fix44Settings) -> None:
        self._session = quickfix.SessionID(
            BEGIN_STRINGS[settings.version], settings.sender_comp_id, settings.target_comp_id
        )

    def send(self, message: Any) -> bool:
        """False when it was not handed to a connection; resending it later is refused by `Application.toApp`."""
        try:
            return bool(quickfix.Session.sendToTarget(message, self._session))
        except quickfix.SessionNotFound:
            return False

    def logged_on(self) -> bool:
        """Whether both logons were exchanged."""
        session = quickfix.Session.lookupSession(self._session)
        return session is not None and bool(session.isLoggedOn())


def main(arguments: list[str]) -> int:
    """Run the session until SIGTERM, SIGINT or the end of the engine. Exit status 0, or 1 with a sentence."""
    if len(arguments) != 1:
        print("usage: python -m engine fix CONFIG", file=sys.stderr)
        return 2
    try:
        config = read_config(Path(arguments[0]))
        die_with(config.parent)
        os.umask(0o077)
        _run(config)
    except (ValueError, OSError, RuntimeError, quickfix.ConfigError) as error:
        print(f"FIX session: {error}", file=sys.stderr)
        return 1
    return 0


def _run(config: Fix44Config) -> None:
    state = Path(config.state)
    settings = read_settings(SecretFiles(Path(config.secrets)).settings("fix44", config.settings))
    dialect = read_dialect(state, settings.dialect, settings.version)
    dialect = replace(dialect, post_only=bool(settings.post_only))
    symbols = {row.id: row.name for row in read_instruments(Path(config.instruments))}
    directory = session_directory(state, config.venue)

    def say(sentence: str) -> None:
        print(f"FIX {config.name}: {sentence}", file=sys.stderr, flush=True)

    records = open_records(directory)
    if compact(records, config.after):
        records.reopen()
    request_path, report_path = ring_paths(state, config.venue)
    application = Application(dialect, dialect.credentials(settings.username, settings.password), say)
    reports = open_ring(report_path)

    def heard() -> None:
        reports.heard_ns = time.time_ns()

    application.heard = heard
    session = Fix44Session(
        records=records,
        requests=open_ring(request_path),
        reports=reports,
        wire=QuickFixWire(settings),
        symbols=symbols,
        venue=config.venue,
        account=settings.account,
        dialect=dialect,
        after=config.after,
        say=say,
    )
    application.answers = session.answers
    redaction = _redaction(settings, directory)
    redaction.look()
    application.spoken = redaction.look
    initiator = _initiator(application, settings, dialect, directory)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    initiator.start()
    _serve(session, stopping, config.parent)
    # A QuickFIX thread that hangs must not keep a stopped engine waiting.
    threading.Timer(STOP_WITHIN_S, os._exit, (1,)).start()
    initiator.stop()
    session.step()
    sys.stderr.flush()
    os._exit(0)


def _redaction(settings: Fix44Settings, directory: Path) -> Redaction:
    """Of the files in which QuickFIX keeps the session's messages."""
    name = f"{BEGIN_STRINGS[settings.version]}-{settings.sender_comp_id}-{settings.target_comp_id}"
    return Redaction((directory / "log" / f"{name}.messages.current.log", directory / "store" / f"{name}.body"))


def _initiator(application: Application, settings: Fix44Settings, dialect: Dialect, directory: Path) -> Any:
    path = directory / "quickfix.cfg"
    path.write_text(
        QUICKFIX_SETTINGS.format(
            directory=directory,
            begin_string=BEGIN_STRINGS[settings.version],
            precision=dialect.precision,
            application_version=APPLICATION_VERSION.get(settings.version, ""),
            sender=settings.sender_comp_id,
            target=settings.target_comp_id,
            host=settings.order_address.host,
            port=settings.order_address.port,
            heartbeat_seconds=settings.heartbeat_seconds,
        )
    )
    parsed = quickfix.SessionSettings(str(path))
    store, log = quickfix.FileStoreFactory(parsed), quickfix.FileLogFactory(parsed)
    initiator = quickfix.SocketInitiator(application, store, parsed, log)
    initiator.kept = (application, store, parsed, log)  # QuickFIX holds bare pointers to them
    return initiator


def _serve(session: Fix44Session, stopping: threading.Event, parent: int) -> None:
    busy_until_s = 0.0
    while not stopping.is_set() and os.getppid() == parent:
        now_s = time.monotonic()
        if session.step():
            busy_until_s = now_s + IDLE_AFTER_S
        else:
            time.sleep(BUSY_WAIT_S if now_s < busy_until_s else IDLE_WAIT_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
