"""Which protocol travels over which: files, datagrams and TCP streams as decoded messages, for the decode door."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from engine.protocols import binance_lines, binaryfile, fix, itch50, moldudp64, ouch42, ouch50, soupbintcp
from engine.protocols.captures import MalformedCapture, frames
from engine.protocols.fix_names import named
from engine.protocols.internet import TCP, UDP, segment
from engine.protocols.itch50_layouts import BY_CODE as ITCH_BY_CODE
from engine.protocols.layouts import Layout, MalformedMessage, Message
from engine.protocols.moldudp64_layouts import DOWNSTREAM, REQUEST
from engine.protocols.ouch50 import Direction
from engine.protocols.sbe import Decoder, as_message, split_messages
from engine.protocols.sbe_market import market_decoder
from engine.protocols.tcp_streams import Stream

CHUNK = 1 << 16
ORDER_ENTRY = {"ouch42": ouch42.decode, "ouch50": ouch50.decode}


@dataclass(frozen=True)
class Decoded:
    """One message; `context` says what its bytes alone do not (direction, transport)."""

    message: Message
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def counted_as(self) -> str:
        """The message's type, with the transport before it when the message belongs to that."""
        kind = self.message.type or self.message.name
        return f"{self.context['protocol']}:{kind}" if "protocol" in self.context else kind


@dataclass(frozen=True)
class Malformed:
    """Bytes that were not a message."""

    reason: str


Results = Iterator[Decoded | Malformed]


def _each(decoder: Callable[[bytes], Message], pieces: Iterable[bytes]) -> Results:
    for raw in pieces:
        try:
            yield Decoded(decoder(raw))
        except MalformedMessage as wrong:
            yield Malformed(str(wrong))


# Datagrams


def _mold_layout(name: str) -> Layout:
    return Layout(name, "", name, DOWNSTREAM.rows, DOWNSTREAM.tail)


_MOLD = {name: _mold_layout(name) for name in ("data", "heartbeat", "end_of_session")}


def _mold_packet(raw: bytes) -> Decoded:
    """A downstream packet as one message, or the 20 bytes of a request."""
    try:
        packet = moldudp64.decode(raw)
    except MalformedMessage:
        if len(raw) == REQUEST.length:
            return Decoded(Message(REQUEST, REQUEST.read(raw, REQUEST.length)))
        raise
    values = DOWNSTREAM.read(raw, DOWNSTREAM.length)
    return Decoded(Message(_MOLD[packet.kind], values), {"messages": [message.hex() for message in packet.messages]})


def _datagram(raw: bytes, protocol: str) -> Results:
    try:
        if protocol == "moldudp64":
            yield _mold_packet(raw)
        else:
            yield from _each(itch50.decode, moldudp64.decode(raw).messages)
    except MalformedMessage as wrong:
        yield Malformed(str(wrong))


# TCP streams


def _soup_packet(raw: bytes, protocol: str) -> Decoded:
    """A SoupBinTCP packet, or the message in it. Packets of the session itself are shown whatever the protocol."""
    packet = soupbintcp.decode(raw)
    if protocol == "soupbintcp":
        return Decoded(packet)
    if packet.type == "S" and protocol in ("itch50", "glimpse"):
        return Decoded(itch50.decode_snapshot(packet.payload))
    if packet.type in "SU" and protocol in ORDER_ENTRY:
        direction = Direction.OUTBOUND if packet.type == "S" else Direction.INBOUND
        return Decoded(ORDER_ENTRY[protocol](packet.payload, direction), {"direction": direction.value})
    if packet.type in "SU":
        raise MalformedMessage(f"{protocol} does not travel in {packet.name}")
    return Decoded(packet, {"protocol": "soupbintcp"})


class _Connection:
    """One direction of a connection: segments in, messages out. A lost boundary costs one malformed item."""

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol
        self.stream = Stream()
        self.splitter = soupbintcp.Splitter()

    def chunk(self, raw: bytes) -> Results:
        try:
            for packet in self.splitter.feed(raw):
                try:
                    yield _soup_packet(packet, self.protocol)
                except MalformedMessage as wrong:
                    yield Malformed(str(wrong))
        except MalformedMessage as wrong:
            self.splitter = soupbintcp.Splitter()
            yield Malformed(str(wrong))

    def cut(self) -> Results:
        """What remains of a packet whose rest is missing."""
        if self.splitter.waiting:
            yield Malformed(f"the stream breaks off {self.splitter.waiting} bytes into a packet")
            self.splitter = soupbintcp.Splitter()

    def end(self) -> Results:
        yield from self.cut()
        while self.stream.skip_gap():
            for raw in self.stream.rest():
                yield from self.chunk(raw)
            yield from self.cut()


class _FixConnection:
    """One direction of a FIX connection. Bytes between messages cost one malformed item."""

    def __init__(self) -> None:
        self.stream = Stream()
        self.splitter = fix.Splitter()

    def chunk(self, raw: bytes) -> Results:
        for frame in self.splitter.feed(raw):
            yield from self._skipped()
            try:
                yield Decoded(named(fix.decode(frame)))
            except MalformedMessage as wrong:
                yield Malformed(str(wrong))
        yield from self._skipped()

    def _skipped(self) -> Results:
        for _ in range(self.splitter.garbled):
            yield Malformed("bytes that are no message were skipped")
        self.splitter.garbled = 0

    def cut(self) -> Results:
        """What remains of a message whose rest is missing."""
        if self.splitter.waiting:
            yield Malformed(f"the stream breaks off {self.splitter.waiting} bytes into a message")
            self.splitter = fix.Splitter()

    def end(self) -> Results:
        yield from self.cut()
        while self.stream.skip_gap():
            for raw in self.stream.rest():
                yield from self.chunk(raw)
            yield from self.cut()


def decode_capture(source: BinaryIO, protocol: str) -> Results:
    """Every message in the datagrams (MoldUDP64) and TCP streams (SoupBinTCP) of a capture, read as `protocol`."""
    connections: dict[Any, _Connection | _FixConnection] = {}
    try:
        for frame in frames(source):
            try:
                found = segment(frame.raw, frame.link_type)
            except MalformedMessage as wrong:
                yield Malformed(str(wrong))
                continue
            if found is None:
                continue
            if found.transport == UDP and protocol in ("itch50", "moldudp64"):
                yield from _datagram(found.payload, protocol)
            elif found.transport == TCP and protocol != "moldudp64":
                made = _FixConnection() if protocol == "fix" else _Connection(protocol)
                connection = connections.setdefault(found.flow, made)
                for raw in connection.stream.add(found):
                    yield from connection.chunk(raw)
    except MalformedCapture as wrong:
        if not connections and "start" in str(wrong):
            raise
        yield Malformed(str(wrong))
    for connection in connections.values():
        yield from connection.end()


# Raw files


def _peek(source: BinaryIO, length: int) -> bytes:
    return bytes(source.peek(length)[:length])  # type: ignore[attr-defined]


def _bare_itch(source: BinaryIO) -> Results:
    """Messages without length prefixes: the type says how long each is, so the first unknown type ends the reading."""
    while kind := source.read(1):
        layout = ITCH_BY_CODE.get(chr(kind[0]))
        raw = kind + source.read(layout.length - 1) if layout else kind
        yield from _each(itch50.decode, [raw])
        if layout is None:
            return


def _raw_itch(source: BinaryIO) -> Results:
    if _peek(source, 1) > b"\0":
        yield from _bare_itch(source)
        return
    try:
        for raw in binaryfile.messages(source):
            yield from _each(itch50.decode, [raw])
    except MalformedMessage as wrong:
        yield Malformed(str(wrong))


def _raw_mold(source: BinaryIO) -> Results:
    raw, place = source.read(), 0
    while place < len(raw):
        try:
            _, after = moldudp64.decode_prefix(raw, place)
            yield _mold_packet(raw[place:after])
        except MalformedMessage as wrong:
            if len(raw) - place == REQUEST.length:
                yield _mold_packet(raw[place:])
            else:
                yield Malformed(str(wrong))
            return
        place = after


def _raw_soup(source: BinaryIO, protocol: str = "soupbintcp") -> Results:
    connection = _Connection(protocol)
    while raw := source.read(CHUNK):
        for result in connection.chunk(raw):
            yield result
            if isinstance(result, Malformed) and connection.splitter.waiting == 0:
                return
    yield from connection.end()


def _ouch_item(raw: bytes, protocol: str) -> Decoded:
    """A length-prefixed item of a raw file: a SoupBinTCP packet, or an OUCH message of either direction."""
    try:
        return _soup_packet(len(raw).to_bytes(2, "big") + raw, protocol)
    except MalformedMessage as first:
        for direction in Direction:
            try:
                return Decoded(ORDER_ENTRY[protocol](raw, direction), {"direction": direction.value})
            except MalformedMessage:
                continue
        raise first


def _raw_ouch(source: BinaryIO, protocol: str) -> Results:
    try:
        for raw in binaryfile.messages(source):
            try:
                yield _ouch_item(raw, protocol)
            except MalformedMessage as wrong:
                yield Malformed(str(wrong))
    except MalformedMessage as wrong:
        yield Malformed(str(wrong))


def _raw_fix(source: BinaryIO) -> Results:
    connection = _FixConnection()
    while raw := source.read(CHUNK):
        yield from connection.chunk(raw)
    yield from connection.end()


def sbe_messages(raw: bytes, decoder: Decoder) -> Results:
    """SBE messages behind each other, in frames or bare."""
    for message in split_messages(raw, decoder):
        yield Malformed(str(message)) if isinstance(message, MalformedMessage) else Decoded(as_message(message))


def sbe_datagrams(source: BinaryIO, decoder: Decoder) -> Results:
    """The same from the datagrams of a capture."""
    try:
        for frame in frames(source):
            found = segment(frame.raw, frame.link_type)
            if found is not None and found.transport == UDP:
                yield from sbe_messages(found.payload, decoder)
    except MalformedMessage as wrong:
        yield Malformed(str(wrong))


PROTOCOLS: dict[str, Callable[[BinaryIO], Results]] = {
    "binance": lambda source: _each(binance_lines.decode_line, binance_lines.lines(source)),
    "itch50": _raw_itch,
    "moldudp64": _raw_mold,
    "sbe": lambda source: sbe_messages(source.read(), market_decoder()),
    "soupbintcp": _raw_soup,
    "glimpse": lambda source: _raw_soup(source, "glimpse"),
    "ouch42": lambda source: _raw_ouch(source, "ouch42"),
    "ouch50": lambda source: _raw_ouch(source, "ouch50"),
    "fix": _raw_fix,
}


def decode_raw(source: BinaryIO, protocol: str) -> Results:
    """Every message of a file without capture headers. `source` must be able to peek."""
    return PROTOCOLS[protocol](source)
