"""Fills folded into positions: the arithmetic of `engine/hotpath/positions.py`, exact integers throughout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from desk.positions.models import Position
from engine.messages.codes import Side
from engine.messages.prices import from_decimal, to_decimal

Key = tuple[int | None, int | None, int, int]


@dataclass
class Holding:
    """Money in 1/10,000; `cost` is what the open quantity cost, signed as the quantity."""

    quantity: int = 0
    cost: int = 0
    realised: int = 0
    fees: int = 0
    last_sequence: int = 0

    def fill(self, side: int, price: int, quantity: int, fee: int) -> None:
        """The part that closes takes its share of the cost; what is left opens at the fill's price."""
        signed = quantity if side == Side.BUY else -quantity
        cost_before = self.cost
        opened = quantity
        if self.quantity and (self.quantity > 0) != (signed > 0):
            held = abs(self.quantity)
            closed = min(quantity, held)
            released = abs(self.cost) * closed // held
            self.cost -= released if self.cost > 0 else -released
            opened = quantity - closed
        self.cost += opened * price if signed > 0 else -opened * price
        self.quantity += signed
        self.realised += self.cost - cost_before - signed * price
        self.fees += fee


def fold_fills(fills: Iterable[tuple[int, ...]]) -> None:
    """Apply fills (sequence, strategy, team, instrument, venue, side, price, quantity, fee), in order, to the rows."""
    holdings: dict[Key, Holding] = {}
    for sequence, strategy, team, instrument, venue, side, price, quantity, fee in fills:
        key = (strategy, team, instrument, venue)
        holding = holdings.get(key)
        if holding is None:
            holding = holdings[key] = _load(key)
        holding.fill(side, price, quantity, fee)
        holding.last_sequence = sequence
    _store(holdings)


def _load(key: Key) -> Holding:
    strategy, team, instrument, venue = key
    owner = {"strategy_id": strategy, "team_id": team}  # None is looked for as null
    row = Position.objects.filter(instrument_id=instrument, venue_id=venue, **owner).first()
    if row is None:
        return Holding()
    cost, realised, fees = (from_decimal(value) for value in (row.cost, row.realised, row.fees))
    return Holding(row.quantity, cost, realised, fees, row.last_sequence)


def _store(holdings: dict[Key, Holding]) -> None:
    statement = """
        insert into positions_position (strategy_id, team_id, instrument_id, venue_id, quantity, cost, realised, fees,
            last_sequence)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (strategy_id, team_id, instrument_id, venue_id) do update set quantity = excluded.quantity,
            cost = excluded.cost, realised = excluded.realised, fees = excluded.fees,
            last_sequence = excluded.last_sequence
    """
    rows = [
        (*key, row.quantity, to_decimal(row.cost), to_decimal(row.realised), to_decimal(row.fees), row.last_sequence)
        for key, row in holdings.items()
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)
