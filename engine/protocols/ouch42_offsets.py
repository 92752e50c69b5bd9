"""Names of every OUCH 4.2 offset, as `ouch50_offsets` has them for OUCH 5.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.protocols.layouts import offsets
from engine.protocols.ouch42_layouts import INBOUND, OUTBOUND

globals().update(offsets((*INBOUND, *OUTBOUND)))

TIMESTAMP_NS = 1
OUTBOUND_TOKEN = 9  # of every outbound message that names an order; in REPLACED the replacement's
TOKEN_LENGTH = 14

if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...
