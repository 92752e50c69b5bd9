"""`python -m engine reconcile STATE`: drop copies of the venues against the journal, in a process beside the engine.

It follows the journal as the desk does, listens to the drop copy of every venue that has one, and raises a break, by
command, where the three do not agree. It keeps nothing: started again, it reads journal and drop copies from the start.
"""

from __future__ import annotations

import argparse
import queue
import signal
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import zmq

from engine.config import read_config
from engine.control.drop_copy_listener import DropCopyListener, Heard
from engine.control.reconciling import Break, Reconciliation
from engine.messages import control
from engine.messages.codes import OrderAction, RecordKind, ReportKind, SessionState
from engine.messages.control import (
    DEFINE_VENUE,
    RAISE_BREAK,
    RECONCILIATION,
    REMOVE_VENUE,
    RESOLVE_BREAK,
    RaiseBreak,
    command,
    decode_status,
)
from engine.messages.endpoints import engine_endpoints
from engine.messages.follow import Batch, CreditRequest, FollowRequest, decode_answer, encode_request
from engine.messages.records import TextRecord, records
from engine.venues.fields import parse_address
from engine.venues.secret_files import SecretFiles, secret_files

GRACE_NS, CAUGHT_UP_NS = 5_000_000_000, 1_000_000_000
CREDIT, POLL_MS, SILENCE_S, ANSWER_MS = 16_384, 100, 5.0, 5_000
ANSWERED = ("venue", "order_id", "price", "quantity")
EXECUTIONS = (int(ReportKind.EXECUTED), int(ReportKind.BROKEN))


class DropCopies:
    """Listeners by venue, as the journal defines the venues, and what they and the journal say."""

    def __init__(self, say: Any, secrets: SecretFiles) -> None:
        self._secrets = secrets
        self.inbox: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self.reconciliation = Reconciliation(GRACE_NS)
        self.named: set[str] = set()  # breaks that the journal has
        self._listeners: dict[int, tuple[dict[str, str], DropCopyListener]] = {}
        self._say = say

    def take_record(self, record: Any) -> None:
        """One journal record, in order."""
        if isinstance(record, TextRecord):
            if record.kind == RecordKind.COMMAND:
                self._define(record.document)
        elif record.kind == RecordKind.ORDER_REQUEST:
            body = record.body
            if body["action"] != OrderAction.CANCEL:
                venue, order_id = int(body["venue"]), int(body["order_id"])
                self.reconciliation.asked(venue, order_id, int(body["instrument"]), int(body["quantity"]))
        elif record.kind == RecordKind.ORDER_REPORT and int(record.body["kind"]) in EXECUTIONS:
            body = record.body
            if not body["duplicate"]:
                venue, order_id, price, quantity = (int(body[name]) for name in ANSWERED)
                broken = int(body["kind"]) == ReportKind.BROKEN
                self.reconciliation.answered(venue, order_id, price, quantity, record.time_ns, broken=broken)
        elif record.kind == RecordKind.SESSION_EVENT:
            up = int(record.body["state"]) == SessionState.UP
            self.reconciliation.session(int(record.body["venue"]), time.time_ns(), up=up)

    def take_heard(self, heard: Heard, now_ns: int) -> None:
        """One message of a drop copy."""
        message = heard.message
        if message is None:
            self._take_session(heard, now_ns)
            return
        values = message.values
        reference, match = int(values.get("user_reference", 0)), int(values.get("match_number", 0))
        if message.name in ("executed", "trade_correction"):
            price, quantity = int(values["price"]), int(values["quantity"])
            corrected = message.name == "trade_correction"
            take = self.reconciliation.copied_correction if corrected else self.reconciliation.copied
            take(heard.venue, reference, price, quantity, match, now_ns)
        elif message.name == "broken_trade":
            self.reconciliation.copied_break(heard.venue, reference, match, now_ns)

    def _take_session(self, heard: Heard, now_ns: int) -> None:
        known = self._listeners.get(heard.venue)
        if known is not None and heard.by is not known[1]:
            return  # the last words of one that another has taken the place of
        why = f": {heard.why}" if heard.why else ""
        self._say(f"venue {heard.venue}: the drop copy {'is there' if heard.up else 'is not there'}{why}")
        if heard.up:
            self.reconciliation.heard_from(heard.venue, now_ns)
        else:
            self.reconciliation.silent(heard.venue)

    def _define(self, document: dict[str, Any]) -> None:
        body = document["body"]
        if document["kind"] in (RAISE_BREAK, RESOLVE_BREAK):
            self.named.add(body["name"])
        if document["kind"] not in (DEFINE_VENUE, REMOVE_VENUE):
            return
        venue = int(body["venue"])
        settings = body.get("settings", {})
        known = self._listeners.get(venue)
        if known is not None and known[0] == settings:
            return
        if known is not None:
            known[1].stop()
            del self._listeners[venue]
            self.reconciliation.silent(venue)
        if settings.get("drop_copy"):
            address = parse_address(settings["drop_copy"])
            user, password = settings.get("drop_copy_user", ""), settings.get("drop_copy_password", "")
            self._listeners[venue] = (
                settings,
                DropCopyListener(venue, address, user, password, self.inbox, self._secrets),
            )

    def stop(self) -> None:
        """Hear no more."""
        for _, listener in self._listeners.values():
            listener.stop()


class Follower:
    """The journal as it comes. `since_ns`: since when there is nothing older to come; 0 while there is."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._socket: zmq.Socket[bytes] | None = None
        self._last, self._heard_s = 0, 0.0
        self.since_ns = 0

    def poll(self) -> list[Any]:
        """New records, after a short wait."""
        if self._socket is None or time.monotonic() - self._heard_s > SILENCE_S:
            self._connect()
        assert self._socket is not None
        if not self._socket.poll(POLL_MS):
            return []
        self._heard_s = time.monotonic()
        answer = decode_answer(self._socket.recv_multipart())
        if not isinstance(answer, Batch):
            return []
        found = list(records(answer.data)) if answer.count else []
        if answer.count:
            self._last = answer.last
            self._socket.send(encode_request(CreditRequest(answer.count)))
        now_ns = time.time_ns()
        caught_up = not found or now_ns - found[-1].time_ns < CAUGHT_UP_NS
        self.since_ns = (self.since_ns or now_ns) if caught_up else 0
        return found

    def _connect(self) -> None:
        self.close()
        self._socket = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(self._endpoint)
        self._socket.send(encode_request(FollowRequest(self._last, CREDIT, beats=True)))
        self._heard_s, self.since_ns = time.monotonic(), 0

    def close(self) -> None:
        """Follow no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def run(state: Path, stopping: threading.Event, secrets: SecretFiles) -> None:
    """Follow the journal and the drop copies until told to stop."""
    endpoints = engine_endpoints(state)
    copies, journal = DropCopies(_say, secrets), Follower(endpoints.follow)
    try:
        while not stopping.is_set():
            for record in journal.poll():
                copies.take_record(record)
            _take_inbox(copies)
            if journal.since_ns:
                for found in copies.reconciliation.breaks(time.time_ns(), journal.since_ns):
                    if not _raise(endpoints.control, found, copies.named):
                        copies.reconciliation.not_told(found)
    finally:
        copies.stop()
        journal.close()


def _take_inbox(copies: DropCopies) -> None:
    while True:
        try:
            heard = copies.inbox.get_nowait()
        except queue.Empty:
            return
        copies.take_heard(heard, time.time_ns())


def name_of(found: Break) -> str:
    """The same difference has the same name, whoever finds it again."""
    return f"{found.venue}-{found.order_id}-{found.kind.replace(' ', '-')}-{zlib.crc32(found.sentence.encode()):08x}"


def _raise(endpoint: str, found: Break, named: set[str]) -> bool:
    """Have the engine block the instrument, once. False when it could not be told."""
    name = name_of(found)
    if name in named:
        return True
    _say(f"BREAK, {found.kind}: {found.sentence}")
    if not found.instrument:
        return True  # nobody knows which instrument to block
    body = RaiseBreak(name, found.kind, found.venue, found.instrument, found.order_id, found.sentence)
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    try:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(endpoint)
        socket.send(command(body, RECONCILIATION, f"break-{name}"[:64]).encode())
        if not socket.poll(ANSWER_MS):
            return False
        status = decode_status(socket.recv_multipart()[-1])
        if status.outcome != control.APPLIED:
            _say(f"the engine did not take the break: {status.reason}")
        return True
    finally:
        socket.close()


def _say(sentence: str) -> None:
    print(f"reconciliation: {sentence}", file=sys.stderr, flush=True)


def _configured(state: Path) -> Path | None:
    """The folder that the engine was told, if its configuration is in the state directory."""
    path = state / "engine.toml"
    return read_config(path).secrets_folder if path.exists() else None


def main(arguments: list[str]) -> int:
    """Until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m engine reconcile", description=__doc__.splitlines()[0])
    parser.add_argument("state", type=Path, help="the engine's state directory")
    parser.add_argument(
        "--secrets",
        type=Path,
        help="folder of the files that passwords name; else as engine.toml says, or STATE/secrets",
    )
    options = parser.parse_args(arguments)
    try:
        secrets = secret_files(options.state, options.secrets or _configured(options.state))
    except ValueError as error:
        _say(str(error))
        return 1
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    _say("following")
    run(options.state, stopping, secrets)
    return 0
