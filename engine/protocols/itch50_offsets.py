"""Names of every ITCH 5.0 offset, as module integers that compiled code reads as constants.

`ADD_ORDER` is the type byte, `ADD_ORDER_LENGTH` the message's length, `ADD_ORDER_PRICE` the offset of its price; so
for every message and field of `itch50_layouts`. All messages share `STOCK_LOCATE`, `TRACKING_NUMBER` and
`TIMESTAMP_NS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.native import hot
from engine.protocols.itch50_layouts import MESSAGES
from engine.protocols.layouts import offsets

globals().update(offsets(MESSAGES))

STOCK_LOCATE = 1
TRACKING_NUMBER = 3
TIMESTAMP_NS = 5
SHORTEST = min(layout.length for layout in MESSAGES)

LENGTHS = np.zeros(256, np.int64)
for _layout in MESSAGES:
    LENGTHS[ord(_layout.code)] = _layout.length


@hot
def message_length(message_type):
    """Bytes that a message of this type byte must have; 0 for a type that ITCH 5.0 does not know."""
    return LENGTHS[message_type & 0xFF]


if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...
