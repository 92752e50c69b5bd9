"""MoldUDP64 1.00: the packets of both directions. A packet's kind follows from its place and its message count."""

from __future__ import annotations

from engine.protocols.layouts import U16, U64, Layout, Row, Tail, alpha

SESSION: Row = ("session", alpha(10), "session of the feed")

DOWNSTREAM = Layout(
    "downstream",
    "",
    "Downstream packet",
    (
        SESSION,
        ("sequence", U64, "sequence number of the first message, or of the next one where the packet holds none"),
        ("message_count", U16, "messages in the packet; 0 is a heartbeat, 65535 the end of the session"),
    ),
    Tail.PAYLOAD,
)
MESSAGE_BLOCK = Layout(
    "message_block",
    "",
    "Message block, `message_count` times",
    (
        (
            "message_length",
            U16,
            "bytes of the message that follows; its sequence number is one more than the last one's",
        ),
    ),
    Tail.PAYLOAD,
)
REQUEST = Layout(
    "request",
    "",
    "Request packet, to the retransmission server",
    (
        SESSION,
        ("sequence", U64, "first message that is wanted"),
        ("message_count", U16, "how many messages are wanted"),
    ),
)
MESSAGES = (DOWNSTREAM, MESSAGE_BLOCK, REQUEST)
END_OF_SESSION = 0xFFFF
