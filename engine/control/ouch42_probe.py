"""After a login to an OUCH 4.2 venue: which of our orders has it seen? The dialect has no account query.

Every order without an outcome is sent again under its own token, ascending, but of no shares. A venue that has seen the
token ignores it, as the dialect says, and its sequenced messages tell what became of the order; another one rejects it
and has the token used up. Nothing can trade late. A probe under a fresh token comes last: when it is rejected,
everything before it has been answered.
"""

from __future__ import annotations

import time

import numpy as np

from engine.hotpath.dialects import INSTRUMENT_BYTES
from engine.hotpath.entries import flush_unsent, send_void, strategy_number
from engine.hotpath.memory import EngineMemory
from engine.messages.codes import OrderState, Side
from engine.native import address_of, touched
from engine.protocols.ouch42_encode import write_token

DOUBTFUL = (OrderState.PENDING_NEW, OrderState.UNKNOWN)
TOKEN_BYTES = 16


def send_probe(memory: EngineMemory, venue: int) -> None:
    """Send what settles the venue's orders, and the probe whose answer makes the session ready."""
    token = touched(TOKEN_BYTES, np.dtype("u1"))
    at = address_of(token)
    orders = memory.orders
    mine = orders[(orders["venue"] == venue) & (orders["order_id"] > 0) & (orders["filled"] == 0)]
    for order in np.sort(mine[np.isin(mine["state"], DOUBTFUL)], order="order_id"):
        write_token(at, int(strategy_number(memory.address, int(order["strategy"]))), int(order["order_id"]))
        symbol = int(memory.core["instruments"][0]) + int(order["instrument"]) * INSTRUMENT_BYTES
        send_void(memory.address, venue, at, int(order["side"]), symbol)
    token[:14] = np.frombuffer(b"Q%013d" % (time.time_ns() // 1_000_000 % 10**13), np.uint8)
    symbol = int(memory.core["instruments"][0]) + INSTRUMENT_BYTES
    send_void(memory.address, venue, at, int(Side.BUY), symbol)
    flush_unsent(memory.address)
