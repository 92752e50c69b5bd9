"""Our acceptor and QuickFIX as its client: every version, over a real socket, and over a restart of ours."""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import quickfix

from engine.simulator.fix_echo import EchoAcceptor

CONFIG = """\
[DEFAULT]
ConnectionType=initiator
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=30
ReconnectInterval=1
FileStorePath={directory}/store
FileLogPath={directory}/log
UseDataDictionary=Y
{dictionaries}
[SESSION]
BeginString={begin}
SenderCompID=CLIENT
TargetCompID=ECHO
SocketConnectHost=127.0.0.1
SocketConnectPort={port}
"""
FIXT = """\
TransportDataDictionary={folder}/FIXT11.xml
AppDataDictionary={folder}/FIX50SP2.xml
DefaultApplVerID=FIX.5.0SP2
"""
BEGIN = {"4.2": "FIX.4.2", "4.4": "FIX.4.4", "5.0SP2": "FIXT.1.1"}


class _Client(quickfix.Application):
    def __init__(self, told: Connection) -> None:
        super().__init__()
        self.told = told

    def onCreate(self, session: object) -> None:  # noqa: N802
        """Nothing to do."""

    def onLogon(self, session: object) -> None:  # noqa: N802
        self.told.send(("logon", ""))

    def onLogout(self, session: object) -> None:  # noqa: N802
        self.told.send(("logout", ""))

    def toAdmin(self, message: object, session: object) -> None:  # noqa: N802
        """Nothing to add."""

    def toApp(self, message: object, session: object) -> None:  # noqa: N802
        """Nothing to add."""

    def fromAdmin(self, message: object, session: object) -> None:  # noqa: N802
        """Nothing to do."""

    def fromApp(self, message: object, session: object) -> None:  # noqa: N802
        self.told.send(("order", message.getField(11)))  # type: ignore[attr-defined]


def _quickfix(version: str, port: int, directory: str, commands: Connection, told: Connection) -> None:
    """A QuickFIX client in a process of its own: it ends its process when it is destroyed."""
    folder = f"{sys.prefix}/share/quickfix"
    fixed = f"DataDictionary={folder}/FIX{version.replace('.', '')}.xml"
    dictionaries = FIXT.format(folder=folder) if version == "5.0SP2" else fixed
    path = Path(directory) / "client.cfg"
    path.write_text(CONFIG.format(begin=BEGIN[version], port=port, directory=directory, dictionaries=dictionaries))
    settings, client = quickfix.SessionSettings(str(path)), _Client(told)
    store, log = quickfix.FileStoreFactory(settings), quickfix.FileLogFactory(settings)
    initiator = quickfix.SocketInitiator(client, store, settings, log)
    initiator.start()
    while (order := commands.recv()) is not None:
        message = quickfix.Message()
        message.getHeader().setField(quickfix.MsgType("D"))
        for tag, value in ((11, order), (21, "1"), (38, "100"), (40, "1"), (54, "1"), (55, "ABC")):
            message.setField(tag, value)
        message.setField(quickfix.TransactTime())
        quickfix.Session.sendToTarget(message, quickfix.SessionID(BEGIN[version], "CLIENT", "ECHO"))
    initiator.stop()
    told.send(("stopped", ""))


@pytest.mark.parametrize("version", BEGIN)
def test_quickfix_gets_its_orders_back_and_both_numbers_survive_our_restart(tmp_path: Path, version: str) -> None:
    (tmp_path / "client").mkdir()
    acceptor = EchoAcceptor(version, "ECHO", ["CLIENT"], tmp_path / "ours")
    acceptor.start()
    context = multiprocessing.get_context("spawn")
    (ours, theirs), (heard, told) = context.Pipe(), context.Pipe(duplex=False)
    arguments = (version, acceptor.port, str(tmp_path / "client"), theirs, told)
    process = context.Process(target=_quickfix, args=arguments, daemon=True)
    process.start()
    try:
        seen = [_next(heard)]
        ours.send("1")
        seen.append(_next(heard))
        ours.send("2")
        seen.append(_next(heard))
        acceptor.stop()
        seen.append(_next(heard))
        port = acceptor.port
        acceptor = EchoAcceptor(version, "ECHO", ["CLIENT"], tmp_path / "ours", port=port)
        acceptor.start()
        seen.append(_next(heard))
        ours.send("3")
        seen.append(_next(heard))
        ours.send(None)
        seen += [_next(heard), _next(heard)]
    finally:
        process.kill()
        process.join()
        acceptor.stop()
    assert seen == [
        ("logon", ""), ("order", "1"), ("order", "2"), ("logout", ""), ("logon", ""), ("order", "3"), ("logout", ""),
        ("stopped", ""),
    ]  # fmt: skip
    text = (tmp_path / "client" / "log" / f"{BEGIN[version]}-CLIENT-ECHO.messages.current.log").read_text()
    assert "\x0135=3\x01" not in text
    assert "\x0135=2\x01" not in text


def _next(heard: Connection) -> tuple[str, str]:
    assert heard.poll(60), "QuickFIX said nothing"
    return heard.recv()
