"""Acceptance definitions of FIX sessions (`.def` files, as QuickFIX's tests have them), played over a socket.

A line is `iCONNECT`, `iDISCONNECT`, `eDISCONNECT`, `I` and a message to send, or `E` and the message that must come;
`i2,CONNECT` and the like name one of several connections. <TIME>, <TIME+n> and <TIME-n> stand for the time, in seconds.
BodyLength(9) and CheckSum(10) are added where a line has none. Times and checksums that come are compared by form only.
"""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from engine.protocols.fix import Splitter

SOH = "\x01"
_LINE = re.compile(r"([IiEe])(?:(\d+),)?(.*)", re.DOTALL)
_TIME = re.compile(r"<TIME(?:([+-]\d+))?>")
_STAMP = re.compile(r"\d{8}-\d{2}:\d{2}:\d{2}(\.\d{3})?")
FORMS = {"10": re.compile(r"\d{3}"), **dict.fromkeys(("42", "52", "60", "122"), _STAMP)}
WAIT_S = 15.0


class NotAsDefined(Exception):
    """Something else happened than the definition says."""


@dataclass
class _Connection:
    stream: socket.socket
    splitter: Splitter = field(default_factory=Splitter)
    frames: list[bytes] = field(default_factory=list)


def complete(text: str, now_s: float) -> str:
    """A line's message with its times, length and checksum."""
    text = _TIME.sub(
        lambda found: time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(now_s + int(found[1] or 0))), text.rstrip("\r\n")
    )
    if f"{SOH}9=" not in text:
        first, _, rest = text.partition(SOH)
        body = rest[: rest.rindex(f"{SOH}10=") + 1] if f"{SOH}10=" in rest else rest
        text = f"{first}{SOH}9={len(body)}{SOH}{rest}"
    if f"{SOH}10=" not in text:
        text += f"10={sum(text.encode('latin-1')) % 256:03}{SOH}"
    return text


class Player:
    """Plays one definition against the acceptor at `port`."""

    def __init__(self, port: int, wait_s: float = WAIT_S) -> None:
        self._port, self._wait_s = port, wait_s
        self._connections: dict[str, _Connection] = {}

    def play(self, path: Path) -> None:
        """NotAsDefined, naming the line, when something else happens than the definition says."""
        try:
            for number, line in enumerate(path.read_text(encoding="latin-1").split("\n"), 1):
                found = _LINE.fullmatch(line.rstrip("\r"))
                if line.startswith("#") or found is None:
                    continue
                try:
                    self._step(found[1], found[2] or "", found[3])
                except (NotAsDefined, OSError) as wrong:
                    raise NotAsDefined(f"line {number}: {wrong}") from None
        finally:
            for connection in self._connections.values():
                connection.stream.close()
            self._connections.clear()

    def _step(self, kind: str, name: str, text: str) -> None:
        match kind, text.strip():
            case "i", "CONNECT":
                stream = socket.create_connection(("127.0.0.1", self._port), self._wait_s)
                self._connections[name] = _Connection(stream)
            case "i", "DISCONNECT":
                self._connections.pop(name).stream.close()
            case "e", "DISCONNECT":
                self._expect_end(self._connections.pop(name))
            case "I", _:
                self._connections[name].stream.sendall(complete(text, time.time()).encode("latin-1"))
            case "E", _:
                self._expect(self._connections[name], complete(text, time.time()))
            case _:
                raise NotAsDefined(f"{text!r} is not understood")

    def _expect(self, connection: _Connection, expected: str) -> None:
        frame = self._next_frame(connection)
        if frame is None:
            raise NotAsDefined(f"the connection ended; expected {_shown(expected)}")
        came = frame.decode("latin-1")
        wanted, given = _pairs(expected), _pairs(came)
        same = len(wanted) == len(given) and all(map(_alike, wanted, given))
        if not same:
            raise NotAsDefined(f"{_shown(came)} came; expected {_shown(expected)}")

    def _expect_end(self, connection: _Connection) -> None:
        frame = self._next_frame(connection)
        connection.stream.close()
        if frame is not None:
            raise NotAsDefined(f"{_shown(frame.decode('latin-1'))} came; expected the end of the connection")

    def _next_frame(self, connection: _Connection) -> bytes | None:
        """The next message; None when the connection ended."""
        while not connection.frames:
            connection.stream.settimeout(self._wait_s)
            try:
                raw = connection.stream.recv(65536)
            except TimeoutError:
                raise NotAsDefined(f"nothing came within {self._wait_s:g} s") from None
            except ConnectionResetError:
                return None
            if not raw:
                return None
            connection.frames += connection.splitter.feed(raw)
        return connection.frames.pop(0)


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(tag, value) for tag, _, value in (pair.partition("=") for pair in text.split(SOH) if pair)]


def _alike(wanted: tuple[str, str], given: tuple[str, str]) -> bool:
    form = FORMS.get(wanted[0])
    return wanted[0] == given[0] and bool(form.fullmatch(given[1]) if form else wanted[1] == given[1])


def _shown(text: str) -> str:
    return text.replace(SOH, "|")
