"""Latency of order requests as it leaves the engine: rows of the latency log and of the follow stream.

A row is about one order request. `received_ns` is the engine's clock when the packet, answer or command that caused it
was taken; `decided_ns`, `journaled_ns` and `sent_ns` count from there. `sent_ns` is NEVER for a request that could not
be sent. Little endian.
"""

from __future__ import annotations

import numpy as np

LATENCY_ROW = np.dtype(
    [
        ("sequence", "<u8"),  # of the request in the journal
        ("order_id", "<u8"),
        ("received_ns", "<i8"),
        ("decided_ns", "<i8"),
        ("journaled_ns", "<i8"),
        ("sent_ns", "<i8"),
        ("venue", "<u2"),
        ("action", "u1"),  # OrderAction
        ("cause", "u1"),  # StampCause
        ("reserved", "<u4"),
    ]
)
NEVER = -1

# The stages of an order, each from the stamp before it, and the whole; the quantiles that the state frame has of each.
STAGES = ("decide", "journal", "send", "whole")
QUANTILES = {"p50_ns": 0.5, "p90_ns": 0.9, "p99_ns": 0.99, "p999_ns": 0.999}
