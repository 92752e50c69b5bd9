"""Fuzzing at the speed of compiled code: messages spoiled and parsed in one loop, without Python between two inputs.

Each input ends right before an untouchable page, as with the readable targets. It follows from the seed. Python would
spend its time on making inputs; here one costs about what parsing it does.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np

from engine.guarded_memory import GuardedBuffer
from engine.native import address_of, copy_bytes, hot, load_i64, load_u8, store_u8, touched, view
from engine.protocols import (
    fix_fields,
    fix_reports,
    itch50_offsets,
    moldudp64_blocks,
    ouch42_reports,
    ouch50_reports,
    soupbintcp_frames,
)
from engine.protocols.fuzz_targets import Records

CORPUS = 4096  # good messages of a batch
LONGEST = 4096
SCRATCH = 3 * LONGEST

WORLD = np.dtype(
    [
        (name, "<i8")
        for name in (
            "corpus",  # address of the good messages, behind each other
            "starts",  # where each begins, and the end of the last, as 64-bit numbers
            "messages",
            "scratch",
            "end",  # of every input: the start of the untouchable page
            "random",  # state, 32 bits, never 0
            "report",
            "fields",
            "done",  # inputs so far, for whoever asks what killed the process
        )
    ]
)


@hot
def draw(world, below):
    """A number from 0 to below - 1 (Marsaglia's xorshift, 32 bits)."""
    state = view(world, 1, WORLD)[0]
    number = state.random
    number ^= (number << 13) & 0xFFFFFFFF
    number ^= number >> 17
    number ^= (number << 5) & 0xFFFFFFFF
    state.random = number
    return number % below


@hot
def take_good(world, at):
    """Put a good message at `at`. Returns its length."""
    state = view(world, 1, WORLD)[0]
    place = state.starts + draw(world, state.messages) * 8
    start = load_i64(place)
    length = load_i64(place + 8) - start
    copy_bytes(at, state.corpus + start, length)
    return length


@hot
def noise(world, at, length):
    """`length` bytes of anything."""
    for offset in range(length):
        store_u8(at + offset, draw(world, 256))


@hot
def spoil(world):
    """Make the next input in the scratch memory: a message cut, lengthened, changed, doubled, or nothing but noise.

    Returns its length."""
    state = view(world, 1, WORLD)[0]
    scratch = state.scratch
    length = take_good(world, scratch)
    for _ in range(draw(world, 4)):
        way = draw(world, 6)
        if way == 0:
            length = draw(world, length + 1)
        elif way == 1:
            more = 1 + draw(world, 39)
            noise(world, scratch + length, more)
            length += more
        elif way == 2 and length > 0:
            edge = draw(world, 6)
            value = draw(world, 256)
            if edge < 3:
                value = edge * 127 + (1 if edge == 2 else 0)  # 0, 127, 255
            store_u8(scratch + draw(world, length), value)
        elif way == 3 and length > 1:
            noise(world, scratch + draw(world, length - 1), 2)
        elif way == 4:
            length += take_good(world, scratch + length)
        else:
            length = draw(world, 80)
            noise(world, scratch, length)
        if length > LONGEST:
            length = LONGEST
    return length


@hot
def next_input(world):
    """The next input, right before the untouchable page. Returns its length."""
    state = view(world, 1, WORLD)[0]
    state.done += 1
    length = spoil(world)
    copy_bytes(state.end - length, state.scratch, length)
    return length


@hot
def run_reports_50(world, count):
    """Answers in OUCH 5.0. Returns how many inputs were accepted."""
    state = view(world, 1, WORLD)[0]
    accepted = 0
    for _ in range(count):
        length = next_input(world)
        if ouch50_reports.parse_report(state.end - length, length, 0, state.report) != 0:
            accepted += 1
    return accepted


@hot
def run_reports_42(world, count):
    """Answers in OUCH 4.2. Returns how many inputs were accepted."""
    state = view(world, 1, WORLD)[0]
    accepted = 0
    for _ in range(count):
        length = next_input(world)
        if ouch42_reports.parse_report(state.end - length, length, 0, state.report) != 0:
            accepted += 1
    return accepted


@hot
def walk_mold(place, end):
    """Every block of a packet, with the length check of its ITCH message. 1 when all lie inside."""
    count = moldudp64_blocks.packet_count(place, end - place)
    if count < 0:
        return 0
    at = place + moldudp64_blocks.HEADER_LENGTH
    for _ in range(0 if count == moldudp64_blocks.END_OF_SESSION else count):
        length = moldudp64_blocks.next_block(at, end)
        if length < 0:
            return 0
        if length > 0:
            itch50_offsets.message_length(load_u8(at + moldudp64_blocks.BLOCK_HEADER_LENGTH))
        at += moldudp64_blocks.BLOCK_HEADER_LENGTH + length
    return 1


@hot
def run_blocks(world, count):
    """MoldUDP64 packets. Returns how many inputs were accepted."""
    state = view(world, 1, WORLD)[0]
    accepted = 0
    for _ in range(count):
        accepted += walk_mold(state.end - next_input(world), state.end)
    return accepted


@hot
def walk_soup(place, end, report):
    """Every whole packet of a stream, its payload parsed as a report. 1 when a partial packet is at the end."""
    length = soupbintcp_frames.next_frame(place, end - place)
    while length > 0:
        payload = length - soupbintcp_frames.HEADER_LENGTH
        ouch50_reports.parse_report(place + soupbintcp_frames.PAYLOAD, payload, 0, report)
        place += length
        length = soupbintcp_frames.next_frame(place, end - place)
    return 1 if length == soupbintcp_frames.PARTIAL else 0


@hot
def run_frames(world, count):
    """SoupBinTCP streams. Returns how many inputs were accepted."""
    state = view(world, 1, WORLD)[0]
    accepted = 0
    for _ in range(count):
        accepted += walk_soup(state.end - next_input(world), state.end, state.report)
    return accepted


@hot
def walk_fix(place, end, fields, report):
    """Every whole FIX message of a stream, its fields and what it reports. 1 when the last was accepted."""
    accepted = 0
    length = fix_fields.next_fix_frame(place, end - place)
    while length > 0:
        kind = fix_fields.parse_fields(place, length, fields)
        if kind < 0:
            return 0
        accepted = 1 if fix_reports.parse_report(kind, fields, report) != fix_reports.MALFORMED else 0
        fix_reports.parse_correction(fields, report)
        place += length
        length = fix_fields.next_fix_frame(place, end - place)
    return accepted if length == fix_fields.PARTIAL else 0


@hot
def run_fix(world, count):
    """FIX streams. Returns how many inputs were accepted."""
    state = view(world, 1, WORLD)[0]
    accepted = 0
    for _ in range(count):
        accepted += walk_fix(state.end - next_input(world), state.end, state.fields, state.report)
    return accepted


LOOPS: dict[str, Callable[[int, int], int]] = {
    "loop-blocks": run_blocks,
    "loop-fix": run_fix,
    "loop-frames": run_frames,
    "loop-reports": run_reports_50,
    "loop-reports-42": run_reports_42,
}


class Spoiler:
    """Endless input made by compiled code (`next_input` of its `address`), each right before the page at `end`."""

    def __init__(self, good: Callable[[Random], bytes], seed: int) -> None:
        random = Random(seed)
        messages = [good(random)[:LONGEST] for _ in range(CORPUS)]
        self._corpus = np.frombuffer(b"".join(messages) + b"\0", np.uint8)
        self._starts = np.cumsum([0, *map(len, messages)]).astype("<i8")
        self._scratch, self._buffer = np.zeros(SCRATCH, np.uint8), GuardedBuffer(LONGEST)
        self._records, self._world = Records(), touched(1, WORLD)
        world, self.end = self._world, self._buffer.end
        world["report"], world["fields"] = self._records.report, self._records.fields
        for name, array in (("corpus", self._corpus), ("starts", self._starts), ("scratch", self._scratch)):
            world[name] = address_of(array)
        world["messages"], world["end"], world["random"] = CORPUS, self.end, random.getrandbits(32) | 1
        self.address = address_of(world)


def fuzz_loop(parser: str, good: Callable[[Random], bytes], seed: int, count: int) -> int:
    """`count` inputs into one of LOOPS, spoiled from good ones. Returns how many were accepted."""
    spoiler = Spoiler(good, seed)
    return int(LOOPS[parser](spoiler.address, count))
