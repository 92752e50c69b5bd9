"""ITCH 5.0 messages that the matching causes, appended as MoldUDP64 blocks: two length bytes, the message."""

from __future__ import annotations

from engine.native import hot, load_i64, store_be16, store_be32, store_be64, store_i64, store_u8, view
from engine.protocols import itch50_offsets as itch
from engine.protocols.itch50_encode import (
    write_add_order,
    write_header,
    write_order_cancel,
    write_order_delete,
    write_order_executed,
    write_order_replace,
)
from engine.simulator.layout import BOOK, INSTRUMENT

INSTRUMENT_SIZE = INSTRUMENT.itemsize
LETTER_BUY = ord("B")


@hot
def room(book):
    """Address of the next message's first byte."""
    header = view(book, 1, BOOK)[0]
    return header.messages + header.message_length + 2


@hot
def publish(book, length):
    """Close the block whose message of `length` bytes was written at `room`."""
    header = view(book, 1, BOOK)[0]
    store_be16(header.messages + header.message_length, length)
    header.message_length += length + 2
    header.message_count += 1


@hot
def day_time(book, time_ns):
    """Nanoseconds since midnight, as ITCH and OUCH stamp."""
    return time_ns - view(book, 1, BOOK)[0].midnight_ns


@hot
def name_address(book, instrument):
    """Address of the instrument's eight characters, the first field of its row."""
    return view(book, 1, BOOK)[0].instruments + instrument * INSTRUMENT_SIZE


@hot
def publish_add(book, instrument, reference, side, quantity, price, time_ns):
    """A displayed order entered the book (A)."""
    name = name_address(book, instrument)
    at = day_time(book, time_ns)
    publish(book, write_add_order(room(book), instrument, at, reference, side, quantity, name, price))


@hot
def publish_executed(book, instrument, reference, quantity, match_number, time_ns):
    """A displayed order traded at its price (E)."""
    at = day_time(book, time_ns)
    publish(book, write_order_executed(room(book), instrument, at, reference, quantity, match_number))


@hot
def publish_trade(book, instrument, quantity, price, match_number, time_ns):
    """A trade against an order that was not displayed (P); since 2014 its side is always B."""
    message = room(book)
    write_header(message, itch.TRADE, instrument, day_time(book, time_ns))
    store_be64(message + itch.TRADE_REFERENCE, 0)
    store_u8(message + itch.TRADE_SIDE, LETTER_BUY)
    store_be32(message + itch.TRADE_QUANTITY, quantity)
    store_i64(message + itch.TRADE_INSTRUMENT, load_i64(name_address(book, instrument)))
    store_be32(message + itch.TRADE_PRICE, price)
    store_be64(message + itch.TRADE_MATCH_NUMBER, match_number)
    publish(book, itch.TRADE_LENGTH)


@hot
def publish_cancel(book, instrument, reference, quantity, time_ns):
    """Part of a displayed order left (X)."""
    publish(book, write_order_cancel(room(book), instrument, day_time(book, time_ns), reference, quantity))


@hot
def publish_delete(book, instrument, reference, time_ns):
    """A displayed order left (D)."""
    publish(book, write_order_delete(room(book), instrument, day_time(book, time_ns), reference))


@hot
def publish_replace(book, instrument, previous, reference, quantity, price, time_ns):
    """A displayed order was replaced without trading (U)."""
    at = day_time(book, time_ns)
    publish(book, write_order_replace(room(book), instrument, at, previous, reference, quantity, price))
