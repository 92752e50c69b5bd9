"""NewOrderSingle to ExecutionReport and back over loopback: our codec at both ends, and QuickFIX at both ends."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from engine.messages.codes import Side, TimeInForce
from engine.messages.journal import ORDER_REPORT
from engine.native import (
    address_of,
    clock_gettime,
    hot,
    recv,
    send,
    store_i64,
    touched,
    view,
)
from engine.protocols import fix_encode, fix_fields, fix_reports, fix_text
from engine.protocols.fix_fields import FIX_FIELDS
from engine.protocols.fix_wire import make_wire

MONOTONIC, REALTIME = 1, 0
ROOM = 1 << 14
EXECUTION_REPORT = ord("8")
REST = b"150=F\x0139=2\x0155=ABC\x0154=1\x0138=100\x0144=12.3400\x0132=100\x0131=12.3400\x01151=0\x0114=100\x016=0\x01"
REST_LENGTH = len(REST)
ORDER_ID_TAG, EXEC_ID_TAG = fix_text.text_of("37="), fix_text.text_of("17=")
BUY, DAY = int(Side.BUY), int(TimeInForce.DAY)
SETTINGS = """\
[DEFAULT]
ConnectionType={role}
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=30
UseDataDictionary=N
SocketNodelay=Y
SocketReuseAddress=Y
ReconnectInterval=1
[SESSION]
BeginString=FIX.4.4
SenderCompID={ours}
TargetCompID={theirs}
SocketAcceptPort={port}
SocketConnectHost=127.0.0.1
SocketConnectPort={port}
"""


class End:
    """One end's memory: what it writes with and reads into."""

    def __init__(self, ours: str, theirs: str) -> None:
        self.number = touched(1, np.dtype("<i8"))
        self.number[0] = 1
        self.wire_row = make_wire(address_of(self.number), "4.4", ours, theirs)
        self.inbound, self.outbound = (touched(ROOM, np.dtype("u1")) for _ in range(2))
        self.fields_row, self.report_row = touched(1, FIX_FIELDS), touched(1, ORDER_REPORT)
        self.spare = touched(2, np.dtype("<i8"))
        self.wire, self.fields, self.report = (
            address_of(array) for array in (self.wire_row, self.fields_row, self.report_row)
        )

    def places(self) -> tuple[int, int, int, int, int]:
        """Addresses: wire, inbound, outbound, fields, spare."""
        return self.wire, address_of(self.inbound), address_of(self.outbound), self.fields, address_of(self.spare)


@hot
def read_message(fd, inbound, fields):
    """One whole message, waited for. Its MsgType, or -1 when the connection ended or it is garbled."""
    used = 0
    while True:
        received = recv(fd, inbound + used, ROOM - used, 0)
        if received <= 0:
            return -1
        used += received
        length = fix_fields.next_fix_frame(inbound, used)
        if length < 0:
            return -1
        if length > 0:
            return fix_fields.parse_fields(inbound, length, fields)


@hot
def serve(fd, wire, inbound, outbound, fields, spare, rest):
    """Fill every order that comes until the connection ends."""
    count = 0
    while read_message(fd, inbound, fields) >= 0:
        count += 1
        row = view(fields, 1, FIX_FIELDS)[0]
        at, total = fix_encode.begin_message(wire, outbound, EXECUTION_REPORT, clock_gettime(REALTIME, spare))
        at, total = fix_encode.write_number_field(at, total, ORDER_ID_TAG, count)
        at, total = fix_text.write_text(at, total, fix_encode.CL_ORD_ID)
        length = row.length[fix_fields.CL_ORD_ID]
        at, total = fix_text.write_bytes(at, total, row.at[fix_fields.CL_ORD_ID], length)
        at, total = fix_text.write_letter(at, total, fix_text.SOH)
        at, total = fix_encode.write_number_field(at, total, EXEC_ID_TAG, count)
        at, total = fix_text.write_bytes(at, total, rest, REST_LENGTH)
        at, total = fix_encode.write_transact_time(at, total, wire, clock_gettime(REALTIME, spare))
        send(fd, outbound, fix_encode.end_message(wire, outbound, at, total), 0)
    return count


@hot
def ask(fd, wire, inbound, outbound, fields, spare, report, symbol, count, times):
    """Send `count` orders, each when the one before is filled; nanoseconds of each at `times`. How many were filled."""
    for number in range(1, count + 1):
        before = clock_gettime(MONOTONIC, spare)
        now = clock_gettime(REALTIME, spare)
        length = fix_encode.write_new_order(wire, outbound, number, BUY, 100, symbol, 123_400, DAY, 0, now)
        send(fd, outbound, length, 0)
        kind = read_message(fd, inbound, fields)
        if kind < 0 or fix_reports.parse_report(kind, fields, report) != fix_reports.REPORT:
            return number - 1
        store_i64(times + 8 * (number - 1), clock_gettime(MONOTONIC, spare) - before)
    return count


class OwnPair:
    """Our ends, in two threads without the interpreter."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self._client = socket.create_connection(listener.getsockname())
        self._server, _ = listener.accept()
        listener.close()
        for end in (self._client, self._server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._asking, self._serving = End("DESK", "VENUE"), End("VENUE", "DESK")
        self._rest = np.frombuffer(REST, np.uint8).copy()
        self._symbol = np.frombuffer(b"ABC     ", np.uint8).copy()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        serve(self._server.fileno(), *self._serving.places(), address_of(self._rest))

    def run(self, count: int) -> np.ndarray[Any, Any]:
        """Nanoseconds of so many round trips. RuntimeError when one failed."""
        times = touched(count, np.dtype("<i8"))
        arguments = (self._asking.report, address_of(self._symbol), count, address_of(times))
        if ask(self._client.fileno(), *self._asking.places(), *arguments) != count:
            raise RuntimeError("an answer of our own other end could not be read")
        return times

    def close(self) -> None:
        """End both ends."""
        self._client.close()
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()


def _quickfix(role: str, port: int, count: Connection, told: Connection) -> None:
    """One QuickFIX end, in a process of its own: it ends its process when it is destroyed."""
    from engine.bench.fix_quickfix import Asking, Serving, start

    names = ("CLIENT", "SERVER") if role == "initiator" else ("SERVER", "CLIENT")
    text = SETTINGS.format(role=role, ours=names[0], theirs=names[1], port=port)
    application = Asking(told) if role == "initiator" else Serving(told)
    kept = start(role, text, application)
    while (wanted := count.recv()) is not None:
        application.run(wanted)
    del kept


class QuickFixPair:
    """QuickFIX at both ends, from Python, in two processes with stores in memory."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        self._counts, self._told, self._processes = [], [], []
        for role in ("acceptor", "initiator"):
            (ours, theirs), (heard, told) = context.Pipe(), context.Pipe(duplex=False)
            process = context.Process(target=_quickfix, args=(role, port, theirs, told), daemon=True)
            process.start()
            self._counts.append(ours)
            self._told.append(heard)
            self._processes.append(process)
        if not self._told[1].poll(60) or self._told[1].recv() != "logged on":
            raise RuntimeError("QuickFIX did not log on to itself")

    def run(self, count: int) -> np.ndarray[Any, Any]:
        """Nanoseconds of so many round trips."""
        self._counts[1].send(count)
        if not self._told[1].poll(120):
            raise RuntimeError("QuickFIX did not answer itself")
        return np.array(self._told[1].recv(), np.int64)

    def close(self) -> None:
        """End both processes."""
        for process in self._processes:
            with contextlib.suppress(OSError):
                process.kill()
            process.join()
        time.sleep(0)
