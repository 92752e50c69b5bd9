"""A slow, obviously right book of many listings: one dict of orders, levels summed when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass

APPLIED, UNKNOWN_ORDER, FULL, BAD_VALUE, DUPLICATE = range(5)
BUY, SELL = 1, 2


@dataclass
class Order:
    listing: int
    side: int
    price: int
    quantity: int


class DictBook:
    """Orders by (venue, reference), in arrival order, as a dict keeps them."""

    def __init__(self, listing_count: int, order_capacity: int) -> None:
        self.listing_count = listing_count
        self.order_capacity = order_capacity
        self.orders: dict[tuple[int, int], Order] = {}

    def add(self, venue: int, listing: int, reference: int, side: int, price: int, quantity: int) -> int:
        if side not in (BUY, SELL) or not 0 < price <= 0x7FFFFFFE or not 0 < quantity <= 0x7FFFFFFF:
            return BAD_VALUE
        if not 0 <= reference < 1 << 56 or not 0 <= listing < self.listing_count:
            return BAD_VALUE
        if (venue, reference) in self.orders:
            return DUPLICATE
        if len(self.orders) == self.order_capacity:
            return FULL
        self.orders[venue, reference] = Order(listing, side, price, quantity)
        return APPLIED

    def reduce(self, venue: int, reference: int, quantity: int) -> int:
        if quantity <= 0:
            return BAD_VALUE
        order = self.orders.get((venue, reference))
        if order is None:
            return UNKNOWN_ORDER
        order.quantity -= quantity
        if order.quantity > 0:
            return APPLIED
        del self.orders[venue, reference]
        return APPLIED if order.quantity == 0 else BAD_VALUE

    def delete(self, venue: int, reference: int) -> int:
        return UNKNOWN_ORDER if self.orders.pop((venue, reference), None) is None else APPLIED

    def replace(self, venue: int, old: int, new: int, price: int, quantity: int) -> int:
        order = self.orders.pop((venue, old), None)
        if order is None:
            return UNKNOWN_ORDER
        return self.add(venue, order.listing, new, order.side, price, quantity)

    def levels(self, listing: int, side: int) -> list[tuple[int, int, int]]:
        """(price, quantity, orders) from best to worst."""
        found: dict[int, list[int]] = {}
        for order in self.orders.values():
            if (order.listing, order.side) == (listing, side):
                found.setdefault(order.price, []).append(order.quantity)
        return [(price, sum(q), len(q)) for price, q in sorted(found.items(), reverse=side == BUY)]

    def quantity_ahead(self, venue: int, reference: int) -> int:
        """Summed quantity of the orders that came earlier at the same price; -1 without such an order."""
        own = self.orders.get((venue, reference))
        ahead = 0
        for key, order in self.orders.items():
            if key == (venue, reference):
                return ahead
            if own and (order.listing, order.side, order.price) == (own.listing, own.side, own.price):
                ahead += order.quantity
        return -1
