"""SoupBinTCP 3.00 to 4.10: every logical packet. Offsets count from the packet's first byte, its length field."""

from __future__ import annotations

from engine.protocols.layouts import U16, Layout, Row, Tail, alpha, left_padded, numeric

CHAR = alpha(1)


def _packet(
    code: str, name: str, title: str, section: str, *rows: Row, tail: Tail = Tail.NONE, droppable: int = 0
) -> Layout:
    header: tuple[Row, ...] = (
        ("packet_length", U16, "bytes that follow this field"),
        ("type", CHAR, f"`{code}`"),
    )
    return Layout(name, code, title, header + rows, tail, droppable, section)


MESSAGES: tuple[Layout, ...] = (
    _packet("+", "debug", "Debug, from either side", "2.1", tail=Tail.PAYLOAD),
    _packet(
        "A",
        "login_accepted",
        "Login Accepted, from the server",
        "2.2.1",
        ("session", left_padded(10), "session that the client is now in"),
        ("sequence", numeric(20), "sequence number of the next sequenced data packet"),
    ),
    _packet(
        "J",
        "login_rejected",
        "Login Rejected, from the server",
        "2.2.2",
        ("reason", CHAR, "A not authorized, S session not available"),
    ),
    _packet("S", "sequenced_data", "Sequenced Data, from the server", "2.2.3", tail=Tail.PAYLOAD),
    _packet("H", "server_heartbeat", "Server Heartbeat", "2.2.4"),
    _packet("Z", "end_of_session", "End of Session, from the server", "2.2.5"),
    _packet(
        "L",
        "login_request",
        "Login Request, from the client",
        "2.3.1",
        ("username", alpha(6), "user name"),
        ("password", alpha(10), "password"),
        ("session", left_padded(10), "session that is wanted; blank for the current one"),
        ("sequence", numeric(20), "next sequence number that is wanted; 1 for the session's start, 0 for the newest"),
        ("heartbeat_timeout_ms", numeric(5), "silence after which the client is gone, milliseconds (4.10)"),
        droppable=1,
    ),
    _packet(
        "U",
        "unsequenced_data",
        "Unsequenced Data, from the client (from either side since 4.00)",
        "2.3.2",
        tail=Tail.PAYLOAD,
    ),
    _packet("R", "client_heartbeat", "Client Heartbeat", "2.3.3"),
    _packet("O", "logout_request", "Logout Request, from the client", "2.3.4"),
)
BY_CODE = {layout.code: layout for layout in MESSAGES}
BY_NAME = {layout.name: layout for layout in MESSAGES}
LENGTH_FIELD = 2
LONGEST = LENGTH_FIELD + 0xFFFF
