"""FIX messages outside the loop: streams into frames, frames into fields and back. Versions 4.2, 4.4 and FIXT.1.1.

A frame is one message as it stood on the wire. Garbled ones are skipped by the splitter or refused by `decode`; the
session asks for them again, because their numbers are missing (FIX Session Protocol, "message recovery").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.protocols.fix_bounds import BYTES_AFTER, LONGEST_FRAME
from engine.protocols.layouts import MalformedMessage

SOH = b"\x01"
BEGIN = b"8=FIX"
_HEAD = re.compile(rb"8=(FIX[^\x01]{1,11})\x019=([0-9]{1,5})\x01")
_TRAILER = re.compile(rb"\x0110=([0-9]{3})\x01\Z")
_TAG = re.compile(r"-?[0-9]{1,9}")

Pairs = Iterable[tuple[int, str]]


@dataclass(frozen=True)
class FixMessage:
    """`fields` as they came, from MsgType(35) on, without BeginString(8), BodyLength(9) and CheckSum(10)."""

    begin_string: str
    fields: tuple[tuple[int, str], ...]

    @property
    def type(self) -> str:
        """MsgType(35)."""
        return self.fields[0][1]

    def get(self, tag: int, default: str = "") -> str:
        """The first field with this tag."""
        return next((value for known, value in self.fields if known == tag), default)

    def number(self, tag: int) -> int:
        """A field that must be a whole number. MalformedMessage when it is absent or none."""
        text = self.get(tag)
        if not text.isascii() or not text.isdecimal() or len(text) > 18:
            raise MalformedMessage(f"field {tag}: {text!r} is not a number")
        return int(text)


def encode(begin_string: str, fields: Pairs) -> bytes:
    """A whole message of these fields, MsgType(35) first; length and checksum are added."""
    body = "".join(f"{tag}={value}\x01" for tag, value in fields).encode("latin-1")
    head = f"8={begin_string}\x019={len(body)}\x01".encode("latin-1")
    return head + body + b"10=%03d\x01" % (sum(head + body) % 256)


def decode(raw: bytes) -> FixMessage:
    """One frame. MalformedMessage when its length, checksum or fields are not right."""
    head, trailer = _HEAD.match(raw), _TRAILER.search(raw)
    if head is None or trailer is None:
        raise MalformedMessage("a message does not begin with 8= and 9= or not end with 10=")
    body = raw[head.end() : trailer.start() + 1]
    if len(body) != int(head[2]):
        raise MalformedMessage(f"BodyLength(9) says {int(head[2])}, there are {len(body)} bytes")
    if sum(raw[: trailer.start() + 1]) % 256 != int(trailer[1]):
        raise MalformedMessage(f"CheckSum(10) is wrong: {trailer[1].decode()}")
    fields = tuple(_fields(body))
    if not fields or fields[0][0] != 35 or not fields[0][1]:
        raise MalformedMessage("MsgType(35) is not the third field")
    return FixMessage(head[1].decode("latin-1"), fields)


def _fields(body: bytes) -> Iterator[tuple[int, str]]:
    place, data_tag, data_length = 0, 0, 0
    while place < len(body):
        equals = body.find(b"=", place)
        text = body[place : max(equals, place)].decode("latin-1")
        if equals < 0 or not _TAG.fullmatch(text):
            raise MalformedMessage(f"{text!r} is not a tag")
        tag, start = int(text), equals + 1
        end = start + data_length if data_tag and tag == data_tag else body.find(SOH, start)
        if end < start or body[end : end + 1] != SOH:
            raise MalformedMessage(f"field {tag} has no end")
        value = body[start:end].decode("latin-1")
        data_tag, place = BYTES_AFTER.get(tag, 0), end + 1
        if data_tag:
            if not value.isascii() or not value.isdecimal() or len(value) > 5:
                raise MalformedMessage(f"field {tag}: {value!r} is not a length")
            data_length = int(value)
        yield tag, value


class Splitter:
    """A byte stream as frames. `garbled` counts the places where bytes had to be skipped to find the next one."""

    def __init__(self) -> None:
        self.garbled = 0
        self._waiting = b""

    @property
    def waiting(self) -> int:
        """Bytes of a frame that has not ended yet."""
        return len(self._waiting)

    @property
    def rest(self) -> bytes:
        """Those bytes."""
        return self._waiting

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """Every frame that ends in these bytes.

        A frame ends with the first CheckSum(10) at or after its stated length: one that says too much takes the next
        one with it.
        """
        self._waiting += raw
        while True:
            start = self._waiting.find(BEGIN)
            if start > 0:
                self.garbled += 1
                self._waiting = self._waiting[start:]
            elif start < 0:
                self._drop_noise()
                return
            end = self._end()
            if end == 0:
                return
            if end > 0:
                frame, self._waiting = self._waiting[:end], self._waiting[end:]
                yield frame
            else:
                self.garbled += 1
                self._waiting = self._waiting[len(BEGIN) :]

    def _drop_noise(self) -> None:
        """No frame begins here; its first bytes may be the last ones."""
        kept = next((n for n in range(len(BEGIN) - 1, 0, -1) if self._waiting.endswith(BEGIN[:n])), 0)
        if len(self._waiting) > kept:
            self.garbled += 1
            self._waiting = self._waiting[len(self._waiting) - kept :]

    def _end(self) -> int:
        """Where the first frame ends; 0 when its end has not come, -1 when it is none."""
        head = _HEAD.match(self._waiting)
        if head is None:
            return -1 if self._waiting.count(SOH) > 1 or len(self._waiting) > 40 else 0
        if int(head[2]) > LONGEST_FRAME:
            return -1
        trailer = self._waiting.find(b"\x0110=", head.end() + int(head[2]) - 1)
        end = self._waiting.find(SOH, trailer + 1) if trailer >= 0 else -1
        if end >= 0:
            return end + 1
        return -1 if len(self._waiting) > head.end() + int(head[2]) + LONGEST_FRAME else 0
