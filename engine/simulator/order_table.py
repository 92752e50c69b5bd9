"""Order key to order row: open addressing, linear probing; a removal closes its hole, so nothing decays over a day."""

from __future__ import annotations

from engine.native import hot, view
from engine.simulator.layout import BOOK, OWNER_SHIFT, SLOT


@hot
def order_key(owner, user_reference):
    """Key of an order; never 0, because user references start at 1."""
    return (owner << OWNER_SHIFT) | user_reference


@hot
def home_slot(key, mask):
    """Where a key belongs. The products stay below 2**63 in both backends."""
    folded = ((key & 0xFFFFFFFFFF) ^ ((key >> OWNER_SHIFT) * 2654435)) & 0x7FFFFFFF
    return ((folded * 0x61C88647) >> 15) & mask


@hot
def find_order(book, key):
    """Order row of `key`, or 0."""
    header = view(book, 1, BOOK)[0]
    mask = header.slot_mask
    slots = view(header.slots, mask + 1, SLOT)
    place = home_slot(key, mask)
    while slots[place].key != 0:
        if slots[place].key == key:
            return slots[place].order
        place = (place + 1) & mask
    return 0


@hot
def insert_order(book, key, order):
    """Remember `order` under `key`. The table has twice the order capacity, so a place is always found."""
    header = view(book, 1, BOOK)[0]
    mask = header.slot_mask
    slots = view(header.slots, mask + 1, SLOT)
    place = home_slot(key, mask)
    while slots[place].key != 0:
        place = (place + 1) & mask
    slots[place].key = key
    slots[place].order = order


@hot
def remove_order(book, key):
    """Forget `key` and move later members of its probe run into the hole."""
    header = view(book, 1, BOOK)[0]
    mask = header.slot_mask
    slots = view(header.slots, mask + 1, SLOT)
    hole = home_slot(key, mask)
    while slots[hole].key != key:
        if slots[hole].key == 0:
            return
        hole = (hole + 1) & mask
    place = (hole + 1) & mask
    while slots[place].key != 0:
        home = home_slot(slots[place].key, mask)
        if ((place - home) & mask) >= ((place - hole) & mask):
            slots[hole].key = slots[place].key
            slots[hole].order = slots[place].order
            hole = place
        place = (place + 1) & mask
    slots[hole].key = 0
    slots[hole].order = 0
