"""The loop's FIX writers and readers on memory of their own, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.messages.journal import ORDER_REPORT
from engine.native import address_of, touched
from engine.protocols import fix_encode, fix_fields, fix_reports
from engine.protocols.fix_wire import make_wire


class Writer:
    """Messages of one session, as bytes. `number` is the next MsgSeqNum(34)."""

    def __init__(self, version: str = "4.4", account: str = "", number: int = 1) -> None:
        self._number = touched(1, np.dtype("<i8"))
        self._number[0] = number
        self._wire = make_wire(address_of(self._number), version, "DESK", "VENUE", account)
        self._symbol = touched(1, np.dtype("S8"))
        self._buffer = touched(fix_encode.LONGEST_MESSAGE, np.dtype("u1"))

    @property
    def number(self) -> int:
        return int(self._number[0])

    def write(self, name: str, *arguments: Any) -> bytes:
        """What `fix_encode.NAME` writes; an instrument is given as text, a request id as bytes."""
        given: list[Any] = []
        for argument in arguments:
            if isinstance(argument, str):
                self._symbol[0] = argument.encode().ljust(8)
                given.append(address_of(self._symbol))
            else:
                given.append(argument)
        length = getattr(fix_encode, name)(address_of(self._wire), address_of(self._buffer), *given)
        return bytes(self._buffer[:length])


class Reader:
    """Frames and the reports in them."""

    def __init__(self) -> None:
        self._buffer = touched(16384, np.dtype("u1"))
        self._fields = touched(1, fix_fields.FIX_FIELDS)
        self._report = touched(1, ORDER_REPORT)

    def frame(self, raw: bytes) -> int:
        """What `next_fix_frame` says of these bytes."""
        self._buffer[: len(raw)] = np.frombuffer(raw, np.uint8)
        return int(fix_fields.next_fix_frame(address_of(self._buffer), len(raw)))

    def fields(self, raw: bytes) -> tuple[int, dict[int, str]]:
        """MsgType as `parse_fields` says it, and the fields that it found by tag."""
        self._buffer[: len(raw)] = np.frombuffer(raw, np.uint8)
        start = address_of(self._buffer)
        kind = int(fix_fields.parse_fields(start, len(raw), address_of(self._fields)))
        found = {}
        for tag, at, length in zip(fix_fields.TAGS, self._fields["at"][0], self._fields["length"][0], strict=True):
            if length:
                found[tag] = raw[at - start : at - start + length].decode("latin-1")
        return kind, found

    def report(self, raw: bytes) -> tuple[int, dict[str, int]]:
        """What `parse_report` makes of a message."""
        kind, _ = self.fields(raw)
        outcome = int(fix_reports.parse_report(kind, address_of(self._fields), address_of(self._report)))
        return outcome, self._values()

    def corrected(self) -> dict[str, int]:
        """The second report of a correction."""
        assert fix_reports.parse_correction(address_of(self._fields), address_of(self._report)) == fix_reports.REPORT
        return self._values()

    def timestamp(self, text: str) -> int:
        """What `read_timestamp` says."""
        raw = text.encode()
        self._buffer[: len(raw)] = np.frombuffer(raw, np.uint8)
        return int(fix_fields.read_timestamp(address_of(self._buffer), len(raw)))

    def _values(self) -> dict[str, int]:
        return {name: int(self._report[name][0]) for name in ORDER_REPORT.names or ()}
