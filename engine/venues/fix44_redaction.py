"""Passwords taken out of what QuickFIX writes: it keeps every message it sends, the Logon with its password too.

The letters of the password become stars in the file, and CheckSum(10) is made right again: QuickFIX reads its store
when it is asked to resend, and refuses what does not add up. Nothing else of the file changes, not even a length.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

BEGIN, TRAILER = b"8=FIX", b"\x0110="
LOGON = b"\x0135=A\x01"
PASSWORD = re.compile(rb"\x01(?:96|554|925)=([^\x01]+)\x01")
LONGEST_LOGON = 4096
STAR = ord("*")


class Redaction:
    """Of some files that grow: each look goes on where the last one ended."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self._seen = dict.fromkeys(paths, 0)

    def look(self) -> None:
        """Blot out what was written since."""
        for path, seen in self._seen.items():
            if path.exists() and path.stat().st_size > seen:
                self._seen[path] = _blot(path, seen)


def _blot(path: Path, start: int) -> int:
    """Where the next look begins: before a logon that has no end yet."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        end = len(data)
        while (mark := data.find(LOGON, start)) >= 0:
            begin = data.rfind(BEGIN, max(0, mark - LONGEST_LOGON), mark)
            trailer = data.find(TRAILER, mark, mark + LONGEST_LOGON)
            if trailer < 0 or trailer + 8 > end:
                return max(0, mark - LONGEST_LOGON) if end - mark < LONGEST_LOGON else mark + len(LOGON)
            if begin >= 0:
                _blot_message(data, begin, trailer)
            start = trailer
        return max(start, end - len(LOGON))


def _blot_message(data: mmap.mmap, begin: int, trailer: int) -> None:
    message = bytearray(data[begin : trailer + 1])
    spans = [match.span(1) for match in PASSWORD.finditer(bytes(message))]
    if not spans:
        return
    for first, last in spans:
        message[first:last] = bytes([STAR]) * (last - first)
    data[begin : trailer + 1] = bytes(message)
    data[trailer + 4 : trailer + 7] = b"%03d" % (sum(message) % 256)
