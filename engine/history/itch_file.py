"""ITCH 5.0 files of every kind as one stream of length-prefixed messages.

They may be BinaryFILE, bare messages, either of them in gzip, or captures. A capture carries MoldUDP64; a message that
both lines carry is taken once, by its sequence number.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from engine.protocols import moldudp64
from engine.protocols.captures import frames, is_capture
from engine.protocols.internet import UDP, segment
from engine.protocols.itch50_offsets import LENGTHS
from engine.protocols.layouts import MalformedMessage

CHUNK_BYTES = 1 << 22
GZIP_MAGIC = b"\x1f\x8b"


class ItchFile:
    """One file. `chunks` cuts anywhere; `unread` counts what was no ITCH, `missing` lost messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unread = 0
        self.missing = 0

    def unpacked_bytes(self) -> int:
        """About how many bytes the file has, at most: gzip makes ITCH up to eight times smaller."""
        with self.path.open("rb") as source:
            packed = source.read(2) == GZIP_MAGIC
        return self.path.stat().st_size * (8 if packed else 1)

    def chunks(self) -> Iterator[bytes]:
        """The file's messages, each after its two-byte length, as pieces of one stream."""
        with _open(self.path) as source:
            start = source.peek(4)[:4]
            if is_capture(start):
                yield from self._captured(source)
            elif start[:1] > b"\0":
                yield from self._bare(source)
            else:
                while chunk := source.read(CHUNK_BYTES):
                    yield chunk

    def _bare(self, source: BinaryIO) -> Iterator[bytes]:
        """Messages without lengths: the type says how long each is; what follows an unknown type cannot be read."""
        rest = b""
        lengths: list[int] = LENGTHS.tolist()
        while chunk := source.read(CHUNK_BYTES):
            rest += chunk
            place, out = 0, bytearray()
            while place < len(rest):
                length = lengths[rest[place]]
                if length == 0:
                    self.unread += 1
                    yield bytes(out)
                    return
                if place + length > len(rest):
                    break
                out += length.to_bytes(2, "big") + rest[place : place + length]
                place += length
            rest = rest[place:]
            yield bytes(out)
        if rest:
            yield len(rest).to_bytes(2, "big") + rest

    def _captured(self, source: BinaryIO) -> Iterator[bytes]:
        expected: dict[str, int] = {}
        for frame in frames(source):
            try:
                found = segment(frame.raw, frame.link_type)
                if found is None or found.transport != UDP:
                    continue
                packet = moldudp64.decode(found.payload)
            except MalformedMessage:
                self.unread += 1
                continue
            first = packet.sequence
            wanted = expected.setdefault(packet.session, first)
            fresh = packet.messages[max(0, wanted - first) :]
            if first > wanted:
                self.missing += first - wanted
            expected[packet.session] = max(wanted, first + len(packet.messages))
            yield b"".join(len(raw).to_bytes(2, "big") + raw for raw in fresh if raw)


def _open(path: Path) -> Any:
    source = path.open("rb")
    if source.peek(2)[:2] == GZIP_MAGIC:
        return io.BufferedReader(gzip.GzipFile(fileobj=source))
    return source
