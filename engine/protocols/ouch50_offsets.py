"""Names of every OUCH 5.0 offset, as module integers that compiled code reads as constants.

`ENTER_ORDER` is the type byte, `ENTER_ORDER_LENGTH` the bytes before the appendage length, `ENTER_ORDER_PRICE` the
offset of its price; so for every message and field of `ouch50_layouts`. Names of the two directions differ:
`CANCEL_ORDER` goes to the venue, `CANCELED` comes from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.protocols.layouts import offsets
from engine.protocols.ouch50_layouts import INBOUND, OUTBOUND, TAGS

globals().update(offsets((*INBOUND, *OUTBOUND)))
globals().update({f"TAG_{name.upper()}": tag for name, tag in TAGS.items()})

APPENDAGE_LENGTH_FIELD = 2
TIMESTAMP_NS = 1
OUTBOUND_USER_REFERENCE = 9  # of every outbound message that names one order, but REPLACED

if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...
