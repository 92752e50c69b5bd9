"""A generated trading day of ITCH 5.0 messages, shaped like a real file: many instruments, few of them busy.

Instruments by Zipf's law, order references that rise with gaps, lifetimes from moments to the whole day, prices close
to a wandering market with some stubs far away. The books themselves tell the generator where the market is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.hotpath.book_layout import BOOK, BUY, ORDER, TOP, BookMemory
from engine.hotpath.itch_book import apply_itch
from engine.hotpath.order_index import find_order, order_key
from engine.native import (
    address_of,
    hot,
    load_be16,
    load_be64,
    load_i64,
    load_u8,
    store_be16,
    store_be32,
    store_be48,
    store_be64,
    store_i64,
    store_u8,
    touched,
    view,
)
from engine.protocols import itch50_offsets as itch

VENUE = 1
TICK = 100
ZIPF_EXPONENT = 0.75
DRAWS = 1 << 16
MOST_LISTINGS = 20_000
ORDERS_SHARE = 4  # fewer than one message in this many leaves an order behind
LONGEST_BLOCK = 52
RECENT = 64
TAKEN_FROM_FRONT = 8  # one cancel or delete in so many is of the order that is next to trade
MIX = {"A": 446, "F": 16, "D": 348, "U": 102, "E": 56, "X": 15, "I": 8, "P": 7, "C": 2}  # in 1/1000
SHARES = np.repeat([ord(kind) for kind in MIX], list(MIX.values())).astype(np.int64)

ADD, ADD_ATTRIBUTED, DELETE, REPLACE = itch.ADD_ORDER, itch.ADD_ORDER_ATTRIBUTED, itch.ORDER_DELETE, itch.ORDER_REPLACE
EXECUTED, EXECUTED_WITH_PRICE = itch.ORDER_EXECUTED, itch.ORDER_EXECUTED_WITH_PRICE
CANCEL, TRADE = itch.ORDER_CANCEL, itch.TRADE
ADD_LENGTH, ATTRIBUTED_LENGTH = itch.ADD_ORDER_LENGTH, itch.ADD_ORDER_ATTRIBUTED_LENGTH

SESSION = np.dtype(
    [
        (name, "<i8")
        for name in (
            "random",
            "reference",  # last one given
            "added",  # orders ever added
            "time_ns",
            "middles",  # addresses
            "draws",
            "shares",
            "references",  # of every order ever added; 0 when it is gone
            "recent",  # JOINED rows: the last RECENT orders that joined each side of each listing, in a circle
            "joined",  # how many joined each side
        )
    ]
)


JOINED = np.dtype([("place", "<i8"), ("price", "<i8")])
JOINED_BYTES = JOINED.itemsize
OWN_ORDER = np.dtype([("reference", "<i8"), ("known_at", "<i8")])  # known_at: address of a block


@hot
def draw(session, below):
    """A number from 0 up to, not including, `below` (at most 2**31): xorshift of 32 bits."""
    state = view(session, 1, SESSION)[0]
    number = state.random
    number ^= (number << 13) & 0xFFFFFFFF
    number ^= number >> 17
    number ^= (number << 5) & 0xFFFFFFFF
    state.random = number
    return ((number & 0x7FFFFFFF) * below) >> 31


@hot
def pick_order(book, session):
    """Place of a living order: young ones mostly, but every age has its share; -1 when none was found."""
    state = view(session, 1, SESSION)[0]
    count = state.added
    for _ in range(16):
        span = 64
        while span < count and draw(session, 8) != 0:
            span *= 2
        place = count - 1 - draw(session, min(span, count)) if count > 0 else -1
        for at in range(place, max(place - 64, -1), -1):
            if load_i64(state.references + at * 8) != 0:
                return at
    return -1


@hot
def note_joined(session, listing, side, price):
    """The order that was numbered last joins a side at a price."""
    state = view(session, 1, SESSION)[0]
    listing_side = listing * 2 + side - 1
    count = load_i64(state.joined + listing_side * 8)
    row = view(state.recent + listing_side * RECENT * JOINED_BYTES, RECENT, JOINED)[count % RECENT]
    row.place = state.added - 1
    row.price = price
    store_i64(state.joined + listing_side * 8, count + 1)


@hot
def pick_front(book, session, listing):
    """Place of the order that trades next: the oldest at the best price of the side that the market moves against; -1
    when the side is empty or nobody at its best price joined lately."""
    state = view(session, 1, SESSION)[0]
    header = view(book, 1, BOOK)[0]
    top = view(header.tops, header.listing_count, TOP)[listing]
    above = 2 * load_i64(state.middles + listing * 8) - top.bid - top.ask
    sells = above > 0 or (above == 0 and draw(session, 2) == 0)
    best = top.ask if sells else top.bid
    listing_side = listing * 2 + (1 if sells else 0)
    count = load_i64(state.joined + listing_side * 8)
    rows = view(state.recent + listing_side * RECENT * JOINED_BYTES, RECENT, JOINED)
    for at in range(max(count - RECENT, 0), count):
        row = rows[at % RECENT]
        if row.price == best and load_i64(state.references + row.place * 8) != 0:
            return row.place
    return -1


@hot
def pick_changed(book, session, kind, listing):
    """Place of the order that a message of this kind is about. Trades are with the order at the front."""
    trades = kind in (EXECUTED, EXECUTED_WITH_PRICE)
    leaves = kind in (CANCEL, DELETE)
    if trades or (leaves and draw(session, TAKEN_FROM_FRONT) == 0):
        place = pick_front(book, session, listing)
        if place >= 0:
            return place
    return pick_order(book, session)


@hot
def choose_price(book, session, listing, side):
    """A price for a new order that does not cross: near the market, seldom far from it."""
    state = view(session, 1, SESSION)[0]
    header = view(book, 1, BOOK)[0]
    top = view(header.tops, header.listing_count, TOP)[listing]
    middle = load_i64(state.middles + listing * 8) + (draw(session, 64) == 0) * (draw(session, 3) - 1) * TICK
    store_i64(state.middles + listing * 8, middle)
    away = 1
    while away < 200 and draw(session, 4) != 0:
        away += 1 + draw(session, 2)
    if draw(session, 400) == 0:
        away = draw(session, middle // (2 * TICK))
    if side == BUY:
        price = middle - away * TICK
        if top.ask_quantity != 0:
            price = min(price, top.ask - TICK)
    else:
        price = middle + away * TICK
        if top.bid_quantity != 0:
            price = max(price, top.bid + TICK)
    return max(price, TICK)


@hot
def choose_quantity(session):
    """Round lots mostly."""
    if draw(session, 3) != 0:
        return 100
    return 1 + draw(session, 1000)


@hot
def next_reference(session):
    """References rise with gaps: the venue numbers more than what it shows."""
    state = view(session, 1, SESSION)[0]
    state.reference += 1 + draw(session, 7)
    store_i64(state.references + state.added * 8, state.reference)
    state.added += 1
    return state.reference


@hot
def write_start(session, message, kind, locate):
    """The eleven bytes that every message starts with."""
    state = view(session, 1, SESSION)[0]
    state.time_ns += 1 + draw(session, 2000)
    store_u8(message, kind)
    store_be16(message + itch.STOCK_LOCATE, locate)
    store_be16(message + itch.TRACKING_NUMBER, 0)
    store_be48(message + itch.TIMESTAMP_NS, state.time_ns)


@hot
def write_add(book, session, message, kind, listing):
    """An order joins; returns the message's length."""
    write_start(session, message, kind, listing + 1)
    side = BUY + draw(session, 2)
    store_be64(message + itch.ADD_ORDER_REFERENCE, next_reference(session))
    store_u8(message + itch.ADD_ORDER_SIDE, 66 if side == BUY else 83)
    store_be32(message + itch.ADD_ORDER_QUANTITY, choose_quantity(session))
    store_be64(message + itch.ADD_ORDER_INSTRUMENT, instrument_name(listing))
    price = choose_price(book, session, listing, side)
    store_be32(message + itch.ADD_ORDER_PRICE, price)
    note_joined(session, listing, side, price)
    if kind == ADD_ATTRIBUTED:
        store_be32(message + itch.ADD_ORDER_ATTRIBUTED_ATTRIBUTION, 0x4D4D4D4D)
        return ATTRIBUTED_LENGTH
    return ADD_LENGTH


@hot
def instrument_name(listing):
    """I and five digits, padded with blanks, as one big-endian integer."""
    name = 0
    rest = listing
    for digit in range(5):
        name |= (48 + rest % 10) << (16 + 8 * digit)
        rest //= 10
    return (73 << 56) | name | 0x2020


@hot
def write_change(book, session, message, kind, place):
    """Something happens to the order at `place`; returns the message's length."""
    state = view(session, 1, SESSION)[0]
    header = view(book, 1, BOOK)[0]
    reference = load_i64(state.references + place * 8)
    row = find_order(book, order_key(VENUE, reference))
    order = view(header.orders, header.order_capacity + 1, ORDER)[row]
    listing = order.listing_side >> 1
    part = order.quantity
    write_start(session, message, kind, listing + 1)
    store_be64(message + itch.ORDER_DELETE_REFERENCE, reference)
    if kind == DELETE:
        store_i64(state.references + place * 8, 0)
        return itch.ORDER_DELETE_LENGTH
    if kind == REPLACE:
        store_i64(state.references + place * 8, 0)
        side = (order.listing_side & 1) + 1
        price = choose_price(book, session, listing, side)
        store_be64(message + itch.ORDER_REPLACE_NEW_REFERENCE, next_reference(session))
        store_be32(message + itch.ORDER_REPLACE_QUANTITY, choose_quantity(session))
        store_be32(message + itch.ORDER_REPLACE_PRICE, price)
        note_joined(session, listing, side, price)
        return itch.ORDER_REPLACE_LENGTH
    if part > 1 and (kind == CANCEL or draw(session, 3) == 0):
        part = 1 + draw(session, part - 1)
    if part == order.quantity:
        store_i64(state.references + place * 8, 0)
    store_be32(message + itch.ORDER_CANCEL_QUANTITY, part)
    if kind == CANCEL:
        return itch.ORDER_CANCEL_LENGTH
    store_be64(message + itch.ORDER_EXECUTED_MATCH_NUMBER, state.time_ns)
    if kind == EXECUTED:
        return itch.ORDER_EXECUTED_LENGTH
    store_u8(message + itch.ORDER_EXECUTED_WITH_PRICE_PRINTABLE, 89)
    store_be32(message + itch.ORDER_EXECUTED_WITH_PRICE_PRICE, order.price)
    return itch.ORDER_EXECUTED_WITH_PRICE_LENGTH


@hot
def generate(book, session, target, count):
    """Write `count` length-prefixed messages at `target` and apply them to the generator's books; returns the end."""
    state = view(session, 1, SESSION)[0]
    at = target
    for _ in range(count):
        kind = load_i64(state.shares + draw(session, 1000) * 8)
        listing = load_i64(state.draws + draw(session, DRAWS) * 8)
        message = at + 2
        place = -1
        changes = kind != ADD and kind != ADD_ATTRIBUTED and kind != TRADE and kind != itch.NET_ORDER_IMBALANCE
        if changes:
            place = pick_changed(book, session, kind, listing)
        if place >= 0:
            length = write_change(book, session, message, kind, place)
        elif kind == TRADE or kind == itch.NET_ORDER_IMBALANCE:
            write_start(session, message, kind, listing + 1)
            length = itch.message_length(kind)
        else:
            length = write_add(book, session, message, ADD_ATTRIBUTED if kind == ADD_ATTRIBUTED else ADD, listing)
        store_be16(at, length)
        apply_itch(book, VENUE, message, length)
        at = message + length
    return at


@dataclass(frozen=True)
class ItchSession:
    """Length-prefixed messages in one buffer, and what it takes to replay them."""

    blocks: np.ndarray[Any, Any]
    messages: int
    listings: int
    most_orders: int
    tops: np.ndarray[Any, Any] | None = None  # of every listing at the end, as the generator's books have them

    @property
    def address(self) -> int:
        return address_of(self.blocks)

    def beginning(self, messages: int) -> ItchSession:
        """The first messages alone."""
        end = int(skip_blocks(self.address, self.address + len(self.blocks), messages))
        return ItchSession(self.blocks[: end - self.address], messages, self.listings, self.most_orders)

    def own_orders(self, count: int) -> np.ndarray[Any, Any]:
        """About `count` orders, evenly from the whole session, to be tracked as ours: OWN_ORDER records."""
        found = np.zeros(count, OWN_ORDER)
        every = max(1, self.messages // (2 * count))
        used = pick_own(self.address, self.address + len(self.blocks), every, address_of(found), count)
        return found[: int(used)]


@hot
def skip_blocks(start, end, count):
    """Address after the first `count` blocks, or after the last whole one."""
    at = start
    for _ in range(count):
        if at + 2 > end or at + 2 + load_be16(at) > end:
            return at
        at += 2 + load_be16(at)
    return at


@hot
def pick_own(start, end, every, target, count):
    """Store an order that joins once in `every` of them; returns how many. Every second one becomes known as ours only
    after it joined, as when the venue's answer comes after the feed."""
    at = start
    joined = 0
    found = 0
    rows = view(target, count, OWN_ORDER)
    while at + 2 <= end and at + 2 + load_be16(at) <= end and found < count:
        kind = load_u8(at + 2)
        following = at + 2 + load_be16(at)
        if (kind == ADD and load_be16(at) == ADD_LENGTH) or (
            kind == ADD_ATTRIBUTED and load_be16(at) == ATTRIBUTED_LENGTH
        ):
            joined += 1
            if joined % every == 0:
                rows[found].reference = load_be64(at + 2 + itch.ADD_ORDER_REFERENCE)
                rows[found].known_at = following if found & 1 else at
                found += 1
        at = following
    return found


@hot
def count_blocks(start, end, target):
    """Store the number of blocks and the highest stock locate at `target`; returns where the last whole block ends."""
    at = start
    count = 0
    highest = 0
    while at + 2 <= end and load_be16(at) > 0 and at + 2 + load_be16(at) <= end:
        length = load_be16(at)
        if length > itch.STOCK_LOCATE + 2:
            highest = max(highest, load_be16(at + 2 + itch.STOCK_LOCATE))
        at += 2 + length
        count += 1
    store_i64(target, count)
    store_i64(target + 8, highest)
    return at


def load_session(blocks: np.ndarray[Any, Any]) -> ItchSession:
    """A session from the bytes of a BinaryFILE. ValueError when there is none."""
    found = np.zeros(2, np.int64)
    start = address_of(blocks)
    end = int(count_blocks(start, start + len(blocks), address_of(found)))
    messages, highest = (int(number) for number in found)
    if not messages or highest > MOST_LISTINGS:
        raise ValueError(f"not a BinaryFILE of ITCH 5.0: {messages} messages, highest stock locate {highest}")
    return ItchSession(blocks[: end - start], messages, max(highest, 1), max(messages // ORDERS_SHARE, 4096))


def open_books(
    listings: int, order_capacity: int, *, queues: bool, window: int = 1024, own_capacity: int = 1
) -> BookMemory:
    """Books for every instrument of a session; stock locates are 1 to `listings`."""
    tick_sizes = [TICK] * listings
    memory = BookMemory(
        tick_sizes, order_capacity, venues=VENUE, window=window, queues=queues, own_capacity=own_capacity
    )
    for listing in range(listings):
        memory.map_locate(VENUE, listing + 1, listing)
    return memory


def generate_session(messages: int, listings: int = 8000, seed: int = 1) -> ItchSession:
    """A session of `messages` messages over `listings` instruments; the same seed gives the same bytes."""
    random = np.random.default_rng(seed)
    weights = (1 + np.arange(listings)) ** -ZIPF_EXPONENT
    edges = np.floor(np.cumsum(weights) / weights.sum() * DRAWS).astype(np.int64)
    ranks = random.permutation(listings)
    draws = ranks[np.minimum(np.searchsorted(edges, np.arange(DRAWS), side="right"), listings - 1)].astype(np.int64)
    middles = (random.lognormal(3.5, 0.8, listings) * 100).astype(np.int64).clip(300, 90_000) * TICK
    references = np.zeros(messages + 1, np.int64)
    recent, joined = np.zeros((listings * 2, RECENT), JOINED), np.zeros(listings * 2, np.int64)
    shares = SHARES.copy()
    session = touched(1, SESSION)
    row = session[0]
    row["random"], row["time_ns"] = seed * 2654435761 & 0xFFFFFFFF | 1, 34_200_000_000_000
    row["middles"], row["draws"] = address_of(middles), address_of(draws)
    row["shares"], row["references"] = address_of(shares), address_of(references)
    row["recent"], row["joined"] = address_of(recent), address_of(joined)
    blocks = np.zeros(messages * LONGEST_BLOCK, np.uint8)
    memory = open_books(listings, max(messages // ORDERS_SHARE, 4096), queues=False)
    end = generate(memory.address, address_of(session), address_of(blocks), messages)
    used = blocks[: int(end) - address_of(blocks)]
    most = int(memory.book[0]["used_orders"])
    return ItchSession(used, messages, listings, most, memory.tops.copy())
