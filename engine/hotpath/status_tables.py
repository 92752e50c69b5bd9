"""What venues say about their listings beside the book: one row for each listing, one for each venue, recent prints.

`blocks` is the word that the gate looks at: bits of why new orders are refused, 0 while nothing holds them up.
Letters of the wire are kept as their ASCII codes, 0 while nothing was said.
"""

from __future__ import annotations

import numpy as np

HALTED = 1
PAUSED = 2
QUOTATION = 4
OPERATIONAL = 8
MARKET_WIDE = 16
IPO = 32
COLLAR = 64
SHORT_SALE = 128
CLOSED = 256  # outside the venue's hours nothing trades
AFTER_HOURS = 512  # after market hours: what reduces a position may pass
STOPPED = HALTED | PAUSED | QUOTATION | OPERATIONAL | MARKET_WIDE | IPO | CLOSED  # nothing is let through

OPENING_HELD, CLOSING_HELD = 1, 2  # bits of `crossed`

STATUS = np.dtype(
    [
        ("blocks", "<i8"),
        ("trading_state", "<i8"),
        ("reason", "<i8"),  # four characters as a big-endian number
        ("short_sale", "<i8"),
        ("collar_reference", "<i8"),
        ("collar_lower", "<i8"),
        ("collar_upper", "<i8"),
        ("collar_extension", "<i8"),
        ("release_seconds", "<i8"),  # of an IPO's quotation, since midnight
        ("release_qualifier", "<i8"),
        ("ipo_price", "<i8"),
        # prints of crosses and of orders that were not displayed
        ("last_price", "<i8"),
        ("last_quantity", "<i8"),
        ("last_match", "<i8"),
        ("volume", "<i8"),
        ("prints", "<i8"),
        ("broken", "<i8"),
        ("cross_price", "<i8"),
        ("cross_quantity", "<i8"),
        ("cross_type", "<i8"),
        # the last net order imbalance indicator
        ("paired_quantity", "<i8"),
        ("imbalance_quantity", "<i8"),
        ("imbalance_direction", "<i8"),
        ("far_price", "<i8"),
        ("near_price", "<i8"),
        ("reference_price", "<i8"),
        ("imbalance_cross", "<i8"),
        ("retail_interest", "<i8"),
        ("open_eligible", "<i8"),  # of a direct listing with capital raise
        ("market_makers", "<i8"),  # position messages of market participants so far
        ("crossed", "<i8"),  # bits of the crosses that were held today
    ]
)

MARKET = np.dtype(
    [
        ("phase", "<i8"),  # letter of the last system event
        ("breaker_1", "<i8"),  # index levels, in 1/100,000,000
        ("breaker_2", "<i8"),
        ("breaker_3", "<i8"),
        ("breached", "<i8"),  # letter of the highest level that was breached
        ("heard", "<i8"),  # 1 after any message of this kind: the venue speaks ITCH
        ("unknown_broken", "<i8"),  # broken trades of executions whose print is not remembered
    ]
)

PRINT = np.dtype(
    [
        ("match", "<i8"),
        ("listing", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("earlier_match", "<i8"),  # the listing's print before this one
        ("broken", "<i8"),
    ]
)
PRINTS = 1024  # remembered for each venue; a power of two
