"""Compile everything the exchange runs, before the session's clock starts: a small book sees every request."""

from __future__ import annotations

import numpy as np

from engine.messages.codes import OrderAction, Side, TimeInForce
from engine.simulator.generator import Generator, Market, default_instruments
from engine.simulator.layout import FLOW, QUOTE, REPRICE, BookMemory, CancelReason
from engine.simulator.orders import OrderDesk
from engine.simulator.sources import RecordedFlow


def warm_up() -> None:
    """Seconds the first time a build runs, a fraction of one afterwards."""
    instruments = default_instruments(4)
    memory = BookMemory(instruments, order_capacity=1024, level_capacity=512)
    generator = Generator(memory, instruments, Market(depth=4), 0)
    generator.open_books()
    generator.run_until(100_000_000)
    desk = OrderDesk(memory, instruments)
    order = {"owner": 1, "instrument": 1, "side": int(Side.BUY), "price": 100, "quantity": 100, "displayed": 1}
    day = {"time_in_force": int(TimeInForce.DAY)}
    desk.request(action=OrderAction.ENTER, user_reference=1, **order, **day)
    desk.request(action=OrderAction.REPLACE, existing_reference=1, user_reference=2, **order, **day)
    desk.request(action=OrderAction.CANCEL, owner=1, user_reference=2, reason=CancelReason.USER)
    desk.cancel_owned(1, 0, CancelReason.USER, 0)
    desk.set_entry(1, disabled=True)
    desk.resting(1, 1)
    desk.request(action=REPRICE, owner=1, user_reference=1, price=200)
    desk.refusal(**order, **day)
    quote = np.zeros(1, FLOW)
    quote["action"], quote["instrument"], quote["side"], quote["price"], quote["quantity"] = QUOTE, 1, 1, 100, 100
    quote["user_reference"] = 1 << 20
    RecordedFlow(memory, quote).run_until(1)
    memory.take_messages()
    memory.take_results()
