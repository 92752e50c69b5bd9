"""A small venue for tests: QuickFIX acceptors in a process of their own, with a few orders and no market.

DAY orders rest; IOC orders are filled in two halves at their price. `hold` makes a venue answer nothing until asked.
Tests talk to it through a proxy, so only methods are seen, and what they take and give is pickled.
"""

from __future__ import annotations

import itertools
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

import quickfix

from engine.protocols.fix44 import read_fields

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
LogoutTimeout=1
[SESSION]
BeginString={begin}
SenderCompID={name}
TargetCompID=DESK
SocketAcceptPort={port}
"""


BEGIN = {"4.2": "FIX.4.2", "4.4": "FIX.4.4", "5.0SP2": "FIXT.1.1"}
DICTIONARIES = {
    "4.2": "DataDictionary={folder}/FIX42.xml",
    "4.4": "DataDictionary={folder}/FIX44.xml",
    "5.0SP2": "TransportDataDictionary={folder}/FIXT11.xml\nAppDataDictionary={folder}/FIX50SP2.xml\n"
    "DefaultApplVerID=FIX.5.0SP2",
}

TYPES = {
    "ExecutionReport": "8", "OrderCancelReject": "9", "ResendRequest": "2", "TestRequest": "1", "Reject": "3",
    "BusinessMessageReject": "j",
}  # fmt: skip

_NUMBERS = itertools.count(1)
_KEPT: list[Any] = []


@dataclass
class Resting:
    cl_ord_id: str
    symbol: str
    side: str
    quantity: int
    price: str
    executed: int = 0
    status: str = "0"

    @property
    def leaves(self) -> int:
        return self.quantity - self.executed if self.status in "01" else 0


class Venue:
    """What a test may do with one acceptor. Orders are named by ClOrdID(11)."""

    def __init__(self, directory: Path, version: str = "4.4") -> None:
        # QuickFIX keeps one registry of sessions a process.
        name = f"VENUE{next(_NUMBERS)}"
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        directory.mkdir()
        path = directory / "acceptor.cfg"
        dictionaries = DICTIONARIES[version].format(folder=f"{sys.prefix}/share/quickfix")
        begin = BEGIN[version]
        path.write_text(
            SETTINGS.format(dictionaries=dictionaries, directory=directory, port=port, name=name, begin=begin)
        )
        self._application = _Application(quickfix.SessionID(begin, name, "DESK"))
        settings = quickfix.SessionSettings(str(path))
        store, log = quickfix.FileStoreFactory(settings), quickfix.FileLogFactory(settings)
        acceptor = quickfix.SocketAcceptor(self._application, store, settings, log)
        acceptor.start()
        self._address = (name, port)
        # QuickFIX crashes when an acceptor that ran is destroyed, and it holds bare pointers to the others.
        _KEPT.append((self._application, settings, store, log, acceptor))

    def address(self) -> tuple[str, int]:
        """Its CompID and port."""
        return self._address

    def received(self, message_type: str = "") -> list[dict[int, str]]:
        """Application messages so far, of one type or all."""
        return [fields for fields in self._application.received if message_type in ("", fields[35])]

    def admin(self, message_type: str) -> list[dict[int, str]]:
        """Session messages so far, of one type."""
        return [fields for fields in self._application.admin if fields[35] == message_type]

    def errors(self) -> list[str]:
        """What went wrong in callbacks."""
        return self._application.errors

    def hold(self, on: bool) -> None:
        """Answer nothing by itself, or answer again."""
        self._application.hold = on

    def answer(self, index: int) -> None:
        """Answer one received message now."""
        self._application.answer(self._application.received[index])

    def executed(self) -> dict[str, int]:
        """What was executed of every order."""
        return {name: order.executed for name, order in self._application.orders.items()}

    def change(self, cl_ord_id: str, **values: Any) -> None:
        """Change an order behind everybody's back."""
        for name, value in values.items():
            setattr(self._application.orders[cl_ord_id], name, value)

    def fill(self, cl_ord_id: str, quantity: int) -> str:
        """Fill part of an order; the execution's id."""
        return self._application.fill(self._application.orders[cl_ord_id], quantity)

    def report(self, cl_ord_id: str, exec_type: str, more: dict[int, str] | None = None) -> str:
        """Send an ExecutionReport(8) of an order as it is, with some fields replaced; the execution's id."""
        return self._application.report(self._application.orders[cl_ord_id], exec_type, more)

    def send(self, message_name: str, fields: dict[int, str]) -> None:
        """Send any message."""
        self._application.send(message_name, fields)

    def drop(self) -> None:
        """Cut the connection."""
        quickfix.Session.lookupSession(self._application.session).disconnect()

    def close(self) -> None:
        """Log out and let nobody in."""
        quickfix.Session.lookupSession(self._application.session).logout()

    def reset(self) -> None:
        """Begin both numbers at 1, as QuickFIX does at midnight."""
        quickfix.Session.lookupSession(self._application.session).reset()

    def open(self) -> None:
        """Let the desk in again."""
        quickfix.Session.lookupSession(self._application.session).logon()


class VenueManager(BaseManager):
    """The process of the venues."""


VenueManager.register("Venue", Venue)


class _Application(quickfix.Application):
    def __init__(self, session: Any) -> None:
        super().__init__()
        self.session = session
        self.received: list[dict[int, str]] = []
        self.admin: list[dict[int, str]] = []
        self.orders: dict[str, Resting] = {}
        self.hold = False
        self.errors: list[str] = []
        self.executions = itertools.count(1)

    def _guard(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 - QuickFIX's thread must live
            self.errors.append(repr(error))

    def onCreate(self, session: Any) -> None:  # noqa: N802
        pass

    def onLogon(self, session: Any) -> None:  # noqa: N802
        pass

    def onLogout(self, session: Any) -> None:  # noqa: N802
        pass

    def toAdmin(self, message: Any, session: Any) -> None:  # noqa: N802
        pass

    def fromAdmin(self, message: Any, session: Any) -> None:  # noqa: N802
        self.admin.append(read_fields(message.toString()))

    def toApp(self, message: Any, session: Any) -> None:  # noqa: N802
        pass

    def fromApp(self, message: Any, session: Any) -> None:  # noqa: N802
        fields = read_fields(message.toString())
        self.received.append(fields)
        if not self.hold:
            self._guard(self.answer, fields)

    def answer(self, fields: dict[int, str]) -> None:
        {"D": self._new, "F": self._cancel, "G": self._replace, "H": self._status}[fields[35]](fields)

    def _new(self, fields: dict[int, str]) -> None:
        order = Resting(fields[11], fields[55], fields[54], int(fields[38]), fields[44])
        self.orders[order.cl_ord_id] = order
        self.report(order, "0")
        if fields[59] == "3":
            self.fill(order, order.quantity // 2)
            self.fill(order, order.quantity - order.executed)

    def _cancel(self, fields: dict[int, str]) -> None:
        order = self.orders.get(fields[41])
        if order is None or not order.leaves:
            self.refuse(fields, "1", order)
            return
        order.status = "4"
        self.report(order, "4", {11: fields[11], 41: fields[41]})

    def _replace(self, fields: dict[int, str]) -> None:
        order = self.orders.get(fields[41])
        if order is None or not order.leaves:
            self.refuse(fields, "2", order)
            return
        new = Resting(fields[11], order.symbol, order.side, int(fields[38]), fields[44], order.executed, order.status)
        order.status = "5"
        self.orders[new.cl_ord_id] = new
        self.report(new, "5", {41: fields[41]})

    def _status(self, fields: dict[int, str]) -> None:
        order = self.orders.get(fields[11])
        if order is None:
            unknown = Resting(fields[11], fields[55], fields[54], 0, "0", status="8")
            self.report(unknown, "I", {37: "NONE", 103: "5"})
        else:
            self.report(order, "I")

    def fill(self, order: Resting, quantity: int, more: dict[int, str] | None = None) -> str:
        order.executed += quantity
        order.status = "2" if order.executed == order.quantity else "1"
        return self.report(order, "F", {31: order.price, 32: str(quantity), 851: "2"} | (more or {}))

    def report(self, order: Resting, exec_type: str, more: dict[int, str] | None = None) -> str:
        execution = f"X{next(self.executions)}"
        fields = {
            37: f"V{order.cl_ord_id}", 11: order.cl_ord_id, 17: execution, 150: exec_type, 39: order.status,
            55: order.symbol, 54: order.side, 38: str(order.quantity), 44: order.price, 14: str(order.executed),
            151: str(order.leaves), 6: "0", 60: "20260102-10:20:30.123",
        }  # fmt: skip
        self.send("ExecutionReport", self._dialect(fields | (more or {})))
        return execution

    def refuse(self, fields: dict[int, str], response_to: str, order: Resting | None) -> None:
        known = {37: f"V{order.cl_ord_id}", 39: order.status} if order else {37: "NONE", 39: "8"}
        values = {11: fields[11], 41: fields[41], 434: response_to, 102: "1" if order is None else "0"}
        self.send("OrderCancelReject", known | values)

    def _dialect(self, fields: dict[int, str]) -> dict[int, str]:
        """FIX 4.2 says of a fill how much of the order it filled, and of an answer that it is one."""
        if self.session.getBeginString().getValue() != "FIX.4.2":
            return fields
        exec_type = fields[150]
        own = {20: "3" if exec_type == "I" else "1" if exec_type == "H" else "0"}
        return fields | own | ({150: fields[39]} if exec_type in "FIH" else {})

    def send(self, message_name: str, fields: dict[int, str]) -> None:
        message = quickfix.Message()
        message.getHeader().setField(quickfix.MsgType(TYPES[message_name]))
        for tag, value in fields.items():
            message.setField(tag, value)
        quickfix.Session.sendToTarget(message, self.session)
