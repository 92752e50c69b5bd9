"""A seeded scenario over the books; prints everything it saw. Run in both backends, the lines must be equal."""

from __future__ import annotations

import random

from engine.hotpath.book import (
    BookMemory,
    add_order,
    delete_order,
    quantity_ahead,
    reduce_order,
    replace_order,
    track_own,
)
from engine.hotpath.book_depth import level


def scenario(seed: int, steps: int) -> list[str]:
    """Lines of outcomes, tops and levels after `steps` operations of `seed`."""
    draw = random.Random(seed)
    memory = BookMemory([100, 1], 200, window=64)
    book = memory.address
    lines = []
    middle = 1_000_000
    for step in range(steps):
        middle += draw.choice((-1, 0, 0, 1)) * 300
        listing, venue, reference = draw.randrange(2), draw.choice((1, 2)), draw.randrange(150)
        side, quantity = draw.choice((1, 2)), draw.choice((1, 50, 100, 0x7FFFFFFF))
        price = draw.choice((middle + 100 * draw.randrange(-20, 20), middle + draw.randrange(5000), 0x7FFFFFFE, 1))
        match draw.randrange(6):
            case 0 | 1:
                outcome = add_order(book, venue, listing, reference, side, price, quantity)
            case 2:
                outcome = reduce_order(book, venue, reference, draw.choice((1, 10, 50)))
            case 3:
                outcome = delete_order(book, venue, reference)
            case 4:
                outcome = replace_order(book, venue, reference, draw.randrange(150), price, quantity)
            case _:
                outcome = track_own(book, venue, reference)
        row = memory.book[0]
        ahead = quantity_ahead(book, venue, reference)
        lines.append(f"{step} {outcome} {ahead} {row['top_changed']} {row['recentred']} {memory.tops.tolist()}")
    return lines + [str(level(memory, s >> 1, (s & 1) + 1, 100).tolist()) for s in range(4)]


if __name__ == "__main__":
    print("\n".join(scenario(7, 1500)))
