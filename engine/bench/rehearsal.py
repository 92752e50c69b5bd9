"""Which packets cause which orders, found in memory before anything is measured.

The packets come in blocks. Orders are answered at the end of a block, when all of them are there, and the next block
begins when the answers have been taken: so what is sent does not depend on how fast anybody is, and every contestant
can be asked for exactly these bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.bench.decision_path import DecisionPath, MemoryLogs
from engine.bench.itch_session import VENUE
from engine.bench.market import Market
from engine.bench.responder import Responder, rehearse
from engine.hotpath.tables import OUTBOUND_BYTES
from engine.messages.control import StartStrategy
from engine.native import address_of

BLOCK = 250  # packets between answers
ROOM = 32 << 20


@dataclass(frozen=True)
class Rehearsal:
    """Packet n makes the engine send bytes starts[n] to ends[n] of `stream` (SoupBinTCP frames of OUCH 5.0)."""

    stream: np.ndarray[Any, Any]
    starts: np.ndarray[Any, Any]
    ends: np.ndarray[Any, Any]

    def triggers(self, first: int, last: int) -> np.ndarray[Any, Any]:
        """Numbers of the packets that cause orders."""
        sending = self.ends[first:last] > self.starts[first:last]
        return np.flatnonzero(sending).astype(np.int64) + first

    def compact(self) -> Rehearsal:
        """Without what answers caused: for contestants that only react to packets."""
        lengths = self.ends - self.starts
        ends = np.cumsum(lengths)
        kept = [self.stream[begin:end] for begin, end in zip(self.starts, self.ends, strict=True) if end > begin]
        stream = np.concatenate(kept) if kept else np.zeros(0, np.uint8)
        return Rehearsal(stream, ends - lengths, ends)

    def write(self, path: Path, sequences: np.ndarray[Any, Any]) -> None:
        """For the contestants: a count, then begin and end in the stream by a packet's first message, then the stream.

        All numbers are 64-bit little endian.
        """
        count = int(sequences[-1]) + 1
        begins, ends = np.zeros(count, "<i8"), np.zeros(count, "<i8")
        begins[sequences[:-1]], ends[sequences[:-1]] = self.starts, self.ends
        head = struct.pack("<qq", count, len(self.stream))
        path.write_bytes(head + begins.tobytes() + ends.tobytes() + self.stream.tobytes())


def rehearsed(market: Market, pairs: Sequence[StartStrategy]) -> Rehearsal:
    """The rehearsal of a market. RuntimeError when it is too long for the memory."""
    responder = Responder(rest_every=0, room=ROOM)
    path = DecisionPath(market, pairs, MemoryLogs(market), responder)
    starts, ends = np.zeros(market.count, np.int64), np.zeros(market.count, np.int64)
    arguments = (address_of(market.packets), address_of(market.offsets), market.count)
    marks = (address_of(starts), address_of(ends))
    taken = int(rehearse(path.address, VENUE, responder.address, *arguments, *marks, BLOCK))
    if taken != market.count or responder["sent_used"] + OUTBOUND_BYTES > ROOM:
        raise RuntimeError(f"the rehearsal stopped after {taken} packets: the market is too long for its memory")
    return Rehearsal(responder.kept.copy(), starts, ends)
