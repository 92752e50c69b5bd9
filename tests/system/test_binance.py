"""A Binance venue behind a real engine: from a difference of the book to a fill in the journal, gaps, and a replay."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from engine.messages import control
from engine.messages.codes import Side, TimeInForce
from engine.messages.instruments import Instrument
from tests.engine.venues.binance_venue import BinanceVenue
from tests.system.engine_rig import TEAM, Rig, free_port, running, wait_until

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("engine"), pytest.mark.timeout(900)]
VENUE, BITCOIN = 1, 9


def enter(rig: Rig, name: str, quantity: int, price: int) -> Any:
    body = control.EnterOrder(name, TEAM, BITCOIN, VENUE, int(Side.BUY), quantity, price, int(TimeInForce.DAY))
    return rig.send(body)


def test_an_order_goes_out_on_a_difference_and_comes_back_filled_and_a_replay_decides_the_same(tmp_path: Path) -> None:
    bitcoin = Instrument(BITCOIN, "BTCUSDT", tick_size=100, currency="USDT", quantity_decimals=5)
    venue = BinanceVenue()
    with running(Rig(tmp_path, [bitcoin])) as rig:
        rig.start_engine()
        settings = venue.settings(free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM))
        rig.apply(control.DefineVenue(VENUE, "XBIN", "binance", settings))
        rig.apply_limits([])

        def shows(**wanted: Any) -> bool:
            frame = rig.state_frame()
            top, feed = frame["tops"][0], frame["feeds"][0]
            seen = top | {"dirty": feed["dirty"], "session": frame["venues"][0]["session"]}
            return {name: seen[name] for name in wanted} == wanted

        wait_until(lambda: shows(session="UP", dirty=False, ask=1_001_000), "session and book", 60)
        venue.change(asks={"100.05": "0.30000"})
        wait_until(lambda: shows(ask=1_000_500, ask_quantity=30_000), "the difference")
        assert enter(rig, "first", 3_000, 1_000_500).applied
        (client_id,) = wait_until(lambda: list(venue.orders), "the order")
        venue.fill(client_id, "0.03000", "100.05")
        positions = wait_until(lambda: rig.state_frame()["positions"], "the fill")
        assert [(row["instrument"], row["quantity"], row["average_price"]) for row in positions] == [
            (BITCOIN, 3_000, 1_000_500)
        ]
        venue.refuse_snapshots = True
        venue.change({"99.00": "1.00000"}, lost=2)
        wait_until(lambda: shows(dirty=True), "the gap")
        refused = enter(rig, "second", 1_000, 1_000_500)
        assert "DIRTY" in str(refused).upper(), refused
        venue.refuse_snapshots = False
        wait_until(lambda: shows(dirty=False), "the recovery", 30)
        assert enter(rig, "third", 1_000, 1_000_500).applied
        wait_until(lambda: len(venue.orders) == 2, "another order")
        assert rig.stop_engine() == 0
        assert rig.door("journal", "replay", str(rig.state))["identical"]
    venue.close()
