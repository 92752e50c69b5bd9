"""Parsers that `python -m engine fuzz` feeds, and good input for it to spoil.

A target takes bytes and says whether they were accepted; MalformedMessage means that they were refused. Targets of
compiled code put the bytes in front of an untouchable page first. Anything else that happens is a crash.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Any

import numpy as np

from engine.guarded_memory import GuardedBuffer
from engine.messages.journal import ORDER_REPORT
from engine.native import address_of
from engine.protocols import (
    binance_lines,
    fix,
    fix_fields,
    fix_reports,
    itch50,
    itch50_layouts,
    itch50_offsets,
    moldudp64,
    moldudp64_blocks,
    ouch42,
    ouch42_layouts,
    ouch42_reports,
    ouch50,
    ouch50_appendage,
    ouch50_layouts,
    ouch50_reports,
    sbe_market,
    soupbintcp,
    soupbintcp_frames,
)
from engine.protocols.captures import MalformedCapture, frames
from engine.protocols.internet import ETHERNET, segment
from engine.protocols.layouts import Kind, Layout, MalformedMessage, Tail

Target = Callable[[bytes], bool]
Near = Mapping[str, Callable[[Random], Any]]
NEARLY_ALWAYS = 0.9
LONGEST_INPUT = 4096
CORPUS_BITS = 10
CORPUS = 1 << CORPUS_BITS  # good messages that a batch is spoiled from
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x20, 0x30, 0x22)


def _value(kind: Kind, random: Random) -> Any:
    if kind.name.startswith("alpha"):
        return "".join(random.choices("ABCDELNORSTUXYZ ", k=kind.length))
    if kind.name.startswith("numeric"):
        return random.randrange(10 ** min(kind.length, 9))
    top = 256**kind.length // (2 if kind.code == "i" else 1)
    return random.choice((0, 1, 100, random.randrange(top), top - 1))


def any_message(layout: Layout, random: Random, near: Near | None = None) -> bytes:
    """A message of random values; the fields that `near` names mostly have one of its values."""
    values = {name: _value(kind, random) for name, kind, _ in layout.rows} | {"type": layout.code}
    for name in values:  # in the order of the fields: the same seed gives the same message in every process
        if near and name in near and random.random() < NEARLY_ALWAYS:
            values[name] = near[name](random)
    fixed = layout.write(values)
    if layout.tail is Tail.APPENDAGE:
        names = random.sample(sorted(ouch50_layouts.TAGS), random.randrange(4))
        options = {name: _value(ouch50_layouts.OPTIONS[ouch50_layouts.TAGS[name]][1], random) for name in names}
        fixed += ouch50_appendage.encode(options)
    return fixed


def _any_of(layouts: Iterable[Layout]) -> Callable[[Random], bytes]:
    listed = tuple(layouts)
    return lambda random: any_message(random.choice(listed), random)


good_itch = _any_of(itch50_layouts.MESSAGES)
good_inbound = _any_of(ouch50_layouts.INBOUND)
good_outbound = _any_of(ouch50_layouts.OUTBOUND)
good_inbound42 = _any_of(ouch42_layouts.INBOUND)
good_outbound42 = _any_of(ouch42_layouts.OUTBOUND)


def good_mold(random: Random) -> bytes:
    """A downstream packet of a few ITCH messages."""
    return moldudp64.encode(
        "SESSION001", random.randrange(2**40), [good_itch(random) for _ in range(random.randrange(6))]
    )


def good_soup(random: Random) -> bytes:
    """A packet, most often with an answer in it."""
    if random.random() < 0.3:
        return soupbintcp.encode("login_accepted", session="DAY", sequence=random.randrange(10**9))
    return soupbintcp.encode("sequenced_data", good_outbound(random))


def good_binance(random: Random) -> bytes:
    """An event of a stream or a snapshot, most often in the envelope of a combined stream."""

    def digits() -> str:
        return f"{random.randrange(10 ** random.randrange(1, 9))}.{random.randrange(10**8):08d}"

    def rows() -> list[list[str]]:
        return [[digits(), digits()] for _ in range(random.randrange(5))]

    last = random.randrange(1, 2**40)
    named = {"E": random.randrange(2**41), "s": "BTCUSDT"}
    event: dict[str, Any] = random.choice(
        (
            {"e": "depthUpdate", **named, "U": last - random.randrange(9) % last, "u": last, "b": rows(), "a": rows()},
            {"lastUpdateId": last, "bids": rows(), "asks": rows()},
            {"e": "trade", **named, "T": named["E"], "t": last, "p": digits(), "q": digits(), "m": True, "M": True},
            {"u": last, "s": "BTCUSDT", "b": digits(), "B": digits(), "a": digits(), "A": digits()},
        )
    )
    if "lastUpdateId" not in event and random.random() < 0.8:
        event = {"stream": "btcusdt@depth", "data": event}
    return json.dumps(event).encode()


def good_sbe(random: Random) -> bytes:
    """A message of our own market data templates."""

    def group(count: int, *sizes: int) -> bytes:
        rows = b"".join(random.randrange(1, 256**size).to_bytes(size, "little") for _ in range(count) for size in sizes)
        return sum(sizes).to_bytes(2, "little") + count.to_bytes(2, "little") + rows

    name, number = b"BTCUSDT".ljust(20, b"\0"), random.randbytes(5) + bytes(3)
    block, rest = random.choice(
        (
            (name + number * 2, group(random.randrange(4), 8, 8) * 2),
            (name + number * 3, group(random.randrange(4), 8, 8) * 2),
            (name + number, group(random.randrange(4), 8, 8, 8, 1, 1)),
            (name + number * 6, b""),
            (name + number + b"T", b"\3\0why"),
        )
    )
    template = {36: 1, 44: 2, 28: 3, 68: 4, 29: 5}[len(block)]
    head = b"".join(value.to_bytes(2, "little") for value in (len(block), template, 901, 1))
    return head + block + rest


def good_snapshot(random: Random) -> bytes:
    """A short GLIMPSE snapshot as it comes over SoupBinTCP."""
    messages = [good_itch(random) for _ in range(random.randrange(4))]
    messages.append(itch50.encode_end_of_snapshot(random.randrange(10**9)))
    login = soupbintcp.encode("login_accepted", session="DAY", sequence=1)
    return login + b"".join(soupbintcp.encode("sequenced_data", message) for message in messages)


def good_capture(random: Random) -> bytes:
    """A pcap capture of one Ethernet frame with a datagram in it."""
    payload = good_mold(random)
    udp = b"\x65\x90\x67\x6d" + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload
    ip = b"\x45\0" + (20 + len(udp)).to_bytes(2, "big") + b"\0\1\0\0\x40\x11\0\0" + bytes(8) + udp
    frame = bytes(12) + b"\x81\0\0\x64\x08\0" + ip
    record = bytes(8) + len(frame).to_bytes(4, "little") * 2
    return b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(8) + b"\xff\xff\0\0\1\0\0\0" + record + frame


def read_capture(raw: bytes) -> bool:
    """Frames, segments and what a datagram carries."""
    try:
        for frame in frames(io.BytesIO(raw)):
            found = segment(frame.raw, ETHERNET)
            if found is not None:
                moldudp64.decode(found.payload)
    except MalformedCapture as wrong:
        raise MalformedMessage(str(wrong)) from wrong
    return True


def read_snapshot(raw: bytes) -> bool:
    """Every whole packet of a stream, and the message of a snapshot in it."""
    for frame in soupbintcp.Splitter().feed(raw):
        packet = soupbintcp.decode(frame)
        if packet.name == "sequenced_data":
            itch50.decode_snapshot(packet.payload)
    return True


def split_stream(raw: bytes) -> bool:
    """Every whole packet of a stream, and the message in it."""
    for packet in soupbintcp.Splitter().feed(raw):
        soupbintcp.decode(packet)
    return True


class Records:
    """What the loop's parsers write to. Whoever uses the addresses keeps this, and with it the memory."""

    def __init__(self) -> None:
        self._report, self._fields = np.zeros(1, ORDER_REPORT), np.zeros(1, fix_fields.FIX_FIELDS)
        self.report, self.fields = address_of(self._report), address_of(self._fields)


def _loop_reports(parse_report: Callable[[int, int, int, int], int]) -> Callable[[], Target]:
    """A `parse_report` of the loop on guarded memory."""

    def make() -> Target:
        buffer, records = GuardedBuffer(LONGEST_INPUT), Records()

        def parse(raw: bytes) -> bool:
            return bool(parse_report(buffer.place(raw), len(raw), 0, records.report))

        return parse

    return make


def loop_blocks() -> Target:
    """The walk over MoldUDP64 blocks as the loop does it, with the length check of each ITCH message."""
    buffer = GuardedBuffer(LONGEST_INPUT)

    def walk(raw: bytes) -> bool:
        start = buffer.place(raw)
        count = moldudp64_blocks.packet_count(start, len(raw))
        if count < 0:
            return False
        place = start + moldudp64_blocks.HEADER_LENGTH
        for _ in range(0 if count == moldudp64_blocks.END_OF_SESSION else count):
            length = moldudp64_blocks.next_block(place, start + len(raw))
            if length < 0:
                return False
            if length > 0:
                itch50_offsets.message_length(raw[place - start + moldudp64_blocks.BLOCK_HEADER_LENGTH])
            place += moldudp64_blocks.BLOCK_HEADER_LENGTH + length
        return True

    return walk


def loop_frames() -> Target:
    """SoupBinTCP framing as the loop does it, every whole packet's payload parsed as a report."""
    buffer, records = GuardedBuffer(LONGEST_INPUT), Records()

    def walk(raw: bytes) -> bool:
        place = buffer.place(raw)
        end = place + len(raw)
        while (length := soupbintcp_frames.next_frame(place, end - place)) > 0:
            payload = length - soupbintcp_frames.HEADER_LENGTH
            ouch50_reports.parse_report(place + soupbintcp_frames.PAYLOAD, payload, 0, records.report)
            place += length
        return bool(length == soupbintcp_frames.PARTIAL)

    return walk


def good_fix(random: Random) -> bytes:
    """An answer of a FIX venue, its fields now and then in another order."""
    quantity, executed = random.randrange(1, 1000), random.randrange(1000)
    fields = [
        (49, "VENUE"), (56, "DESK"), (34, random.randrange(10**6)), (52, "20260102-09:30:00.123"), (37, "V1"),
        (11, random.choice(("17", "17C5", "x"))), (17, random.choice(("900", "E-1"))), (39, random.choice("0124568")),
        (150, random.choice("0123456789ABCDEFGHI")), (55, "ABC"), (54, random.choice("125")), (38, quantity),
        (44, "12.3456"), (31, f"{random.randrange(10**6) / 10_000:.4f}"), (32, quantity), (151, quantity),
        (14, executed), (60, "20260102-09:30:00"), (434, random.choice("12")), (95, 3), (96, "a\x01b"),
    ]  # fmt: skip
    if random.random() < 0.3:
        random.shuffle(fields)
    return fix.encode("FIX.4.4", [(35, random.choice("89")), *((tag, str(value)) for tag, value in fields)])


def split_fix(raw: bytes) -> bool:
    """Every whole FIX message of a stream, and its fields."""
    for frame in fix.Splitter().feed(raw):
        fix.decode(frame)
    return True


def loop_fix() -> Target:
    """FIX framing, fields and answers as the loop reads them."""
    buffer, records = GuardedBuffer(LONGEST_INPUT), Records()

    def walk(raw: bytes) -> bool:
        place = buffer.place(raw)
        end = place + len(raw)
        accepted = False
        while (length := fix_fields.next_fix_frame(place, end - place)) > 0:
            kind = fix_fields.parse_fields(place, length, records.fields)
            if kind < 0:
                return False
            accepted = fix_reports.parse_report(kind, records.fields, records.report) != fix_reports.MALFORMED
            fix_reports.parse_correction(records.fields, records.report)
            place += length
        return accepted and bool(length == fix_fields.PARTIAL)

    return walk


def _readable(decode: Callable[[bytes], Any]) -> Callable[[], Target]:
    def make() -> Target:
        def read(raw: bytes) -> bool:
            decode(raw)
            return True

        return read

    return make


# name: a maker of the target, and good input
TARGETS: dict[str, tuple[Callable[[], Target], Callable[[Random], bytes]]] = {
    "binance": (_readable(binance_lines.decode_line), good_binance),
    "itch50": (_readable(itch50.decode), good_itch),
    "moldudp64": (_readable(moldudp64.decode), good_mold),
    "sbe": (_readable(sbe_market.decode), good_sbe),
    "soupbintcp": (_readable(split_stream), good_soup),
    "glimpse": (_readable(read_snapshot), good_snapshot),
    "ouch50-inbound": (_readable(ouch50.decode_inbound), good_inbound),
    "ouch50-outbound": (_readable(ouch50.decode_outbound), good_outbound),
    "ouch42-inbound": (_readable(lambda raw: ouch42.decode(raw, ouch50.Direction.INBOUND)), good_inbound42),
    "ouch42-outbound": (_readable(lambda raw: ouch42.decode(raw, ouch50.Direction.OUTBOUND)), good_outbound42),
    "captures": (_readable(read_capture), good_capture),
    "loop-reports": (_loop_reports(ouch50_reports.parse_report), good_outbound),
    "loop-reports-42": (_loop_reports(ouch42_reports.parse_report), good_outbound42),
    "loop-blocks": (loop_blocks, good_mold),
    "loop-frames": (loop_frames, good_soup),
    "fix": (_readable(split_fix), good_fix),
    "loop-fix": (loop_fix, good_fix),
}


def spoiled(good: Callable[[Random], bytes], random: Random) -> Iterator[bytes]:
    """Endless input: good bytes cut, lengthened, changed here and there, doubled, or nothing but noise."""
    corpus = [good(random) for _ in range(CORPUS)]
    bits, noise, below = random.getrandbits, random.randbytes, random.random
    while True:
        raw = bytearray(corpus[bits(CORPUS_BITS)])
        for _ in range(bits(2)):
            way = int(below() * 6)
            if way == 0:
                del raw[int(below() * (len(raw) + 1)) :]
            elif way == 1:
                raw += noise(1 + bits(5))
            elif way == 2 and raw:
                raw[int(below() * len(raw))] = EDGES[bits(3)] if bits(1) else bits(8)
            elif way == 3 and raw:
                at = int(below() * len(raw))
                raw[at : at + 2] = noise(2)
            elif way == 4:
                raw += corpus[bits(CORPUS_BITS)]
            else:
                raw = bytearray(noise(int(below() * 80)))
        yield bytes(raw[:LONGEST_INPUT])
