"""A venue's FIX port: a QuickFIX acceptor beside the exchange's one thread, with the doors of `OrderServer`.

QuickFIX's thread hands messages over through a queue and wakes the selector; the exchange's thread answers. A message
for a client that is away is stored, and resent when it comes back. Sequence numbers are files, so they outlive the
exchange.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import quickfix

from engine.protocols import fix44
from engine.protocols.fix_bounds import BEGIN_STRINGS
from engine.protocols.fix_dictionary import FILES, dictionary_folder
from engine.simulator.fix_account import FixAccount
from engine.simulator.venue import Venue

SETTINGS = """\
[DEFAULT]
ConnectionType=acceptor
StartTime=00:00:00
EndTime=00:00:00
UseDataDictionary=Y
ValidateUserDefinedFields=N
{dictionaries}
FileStorePath={directory}/store
FileLogPath={directory}/log
SocketReuseAddress=Y
SocketNodelay=Y
SocketAcceptHost={host}
SocketAcceptPort={port}
"""
SESSION = """\
[SESSION]
BeginString={begin_string}
SenderCompID={ours}
TargetCompID={theirs}
"""
RAW_DATA = 96
# QuickFIX crashes when an acceptor that has run is stopped or destroyed, and it holds bare pointers to what it was
# given: an acceptor ends with its process.
_KEPT: list[Any] = []


def dictionary_settings(version: str) -> str:
    """QuickFIX's settings that name the version's dictionaries."""
    paths = [dictionary_folder() / name for name in FILES[version]]
    if version != "5.0SP2":
        return f"DataDictionary={paths[0]}"
    return f"TransportDataDictionary={paths[0]}\nAppDataDictionary={paths[1]}\nDefaultApplVerID=FIX.5.0SP2"


class FixAcceptor:
    """`submit(account, message)` is called for what clients send, `gone(account)` when one has logged out.

    `directory` keeps sequence numbers, messages and logs. `passwords` by client CompID; an empty one is not asked for.
    """

    def __init__(
        self,
        venue: Venue,
        comp_id: str,
        passwords: dict[str, str],
        directory: Path,
        selector: selectors.BaseSelector,
        address: tuple[str, int],
        submit: Callable[[FixAccount, bytes], None],
        gone: Callable[[FixAccount], None],
        version: str = "4.4",
    ) -> None:
        self.venue = venue
        self.port = address[1] or _free_port(address[0])
        self._selector, self._submit, self._gone = selector, submit, gone
        self._accounts = [account for account in venue.accounts.values() if isinstance(account, FixAccount)]
        self._sessions = {
            account.user: quickfix.SessionID(BEGIN_STRINGS[version], comp_id, account.user)
            for account in self._accounts
        }
        self._sent = dict.fromkeys(self._sessions, 0)
        self._inbox: deque[tuple[str, bytes]] = deque()
        self._wake_reader, self._wake_writer = socket.socketpair()
        for end in (self._wake_reader, self._wake_writer):
            end.setblocking(False)
        selector.register(self._wake_reader, selectors.EVENT_READ, self._take_inbox)
        self._application = _Application(passwords, self._put)
        self._start(comp_id, directory, address[0], version)

    def _start(self, comp_id: str, directory: Path, host: str, version: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        text = SETTINGS.format(
            dictionaries=dictionary_settings(version),
            directory=directory,
            host=host,
            port=self.port,
        )
        text += "".join(
            SESSION.format(begin_string=BEGIN_STRINGS[version], ours=comp_id, theirs=name) for name in self._sessions
        )
        path = directory / "quickfix.cfg"
        path.write_text(text)
        settings = quickfix.SessionSettings(str(path))
        store, log = quickfix.FileStoreFactory(settings), quickfix.FileLogFactory(settings)
        acceptor = quickfix.SocketAcceptor(self._application, store, settings, log)
        _KEPT.append((self._application, settings, store, log, acceptor))
        acceptor.start()

    def active(self) -> list[str]:
        """CompIDs of the clients that are logged on."""
        return [
            name for name, session in self._sessions.items() if quickfix.Session.lookupSession(session).isLoggedOn()
        ]

    def _put(self, comp_id: str, message: bytes) -> None:
        """From QuickFIX's thread: a message, or nothing when the client has gone."""
        self._inbox.append((comp_id, message))
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes the selector, too
            self._wake_writer.send(b"x")

    def _take_inbox(self, _mask: int, _now_ns: int) -> None:
        self._wake_reader.recv(4096)
        while self._inbox:
            comp_id, message = self._inbox.popleft()
            account = next(account for account in self._accounts if account.user == comp_id)
            if message:
                self._submit(account, message)
            else:
                self._gone(account)

    def send_reports(self, account: FixAccount, last: int, _now_ns: int) -> None:
        """Pass on an account's messages up to number `last`."""
        for raw in account.sequenced[self._sent[account.user] : last]:
            quickfix.Session.sendToTarget(_message(raw), self._sessions[account.user])
        self._sent[account.user] = max(last, self._sent[account.user])

    def keep_alive(self, _now_ns: int) -> None:
        """QuickFIX keeps its sessions alive itself."""

    def end(self, now_ns: int) -> None:
        """End of session for every client."""
        for account in self._accounts:
            self.send_reports(account, len(account.sequenced), now_ns)


class _Application(quickfix.Application):
    """QuickFIX's callbacks, each guarded: an exception that leaves one kills its thread."""

    def __init__(self, passwords: dict[str, str], put: Callable[[str, bytes], None]) -> None:
        super().__init__()
        self._passwords, self._put = passwords, put

    def onCreate(self, session: Any) -> None:  # noqa: N802
        """Nothing to do."""

    def onLogon(self, session: Any) -> None:  # noqa: N802
        """Nothing to do."""

    def onLogout(self, session: Any) -> None:  # noqa: N802
        try:
            self._put(session.getTargetCompID().getValue(), b"")
        except Exception as error:  # noqa: BLE001 - must not leave the callback
            print(f"exchange: FIX logout: {error}", file=sys.stderr)

    def toAdmin(self, message: Any, session: Any) -> None:  # noqa: N802
        """Nothing to add."""

    def toApp(self, message: Any, session: Any) -> None:  # noqa: N802
        """Nothing to add."""

    def fromAdmin(self, message: Any, session: Any) -> None:  # noqa: N802
        refusal = ""
        try:
            fields = fix44.read_fields(message.toString())
            wanted = self._passwords.get(fields.get(fix44.SENDER_COMP_ID, ""), "")
            said = fields.get(fix44.PASSWORD) or fields.get(RAW_DATA)  # FIX 4.2 has no Password(554)
            if fields.get(fix44.MSG_TYPE) == fix44.LOGON and wanted and said != wanted:
                refusal = "the password is wrong"
        except Exception as error:  # noqa: BLE001 - must not leave the callback
            refusal = f"the logon cannot be read: {error}"
        if refusal:
            raise quickfix.RejectLogon(refusal)

    def fromApp(self, message: Any, session: Any) -> None:  # noqa: N802
        try:
            self._put(session.getTargetCompID().getValue(), message.toString().encode("latin-1"))
        except Exception as error:  # noqa: BLE001 - must not leave the callback
            print(f"exchange: FIX message: {error}", file=sys.stderr)


def _message(raw: bytes) -> Any:
    message = quickfix.Message()
    for tag, value in fix44.read_fields(raw.decode("latin-1")).items():
        if tag == fix44.MSG_TYPE:
            message.getHeader().setField(tag, value)
        else:
            message.setField(tag, value)
    return message


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as taken:
        return int(taken.getsockname()[1])
