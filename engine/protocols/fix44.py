"""FIX 4.4 as both ends of a session here speak it: tags, codes, text of times and prices. QuickFIX frames the messages.

`docs/protocols/fix44.md` has the messages. Fields are text by tag; what a message may not contain is MalformedMessage.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Mapping

from engine.messages.codes import Liquidity, Side, TimeInForce
from engine.messages.prices import from_decimal, to_decimal
from engine.protocols.layouts import MalformedMessage

Fields = Mapping[int, str]

NEW_ORDER_SINGLE, ORDER_CANCEL_REQUEST, ORDER_CANCEL_REPLACE_REQUEST = "D", "F", "G"
ORDER_STATUS_REQUEST, ORDER_MASS_STATUS_REQUEST = "H", "AF"
EXECUTION_REPORT, ORDER_CANCEL_REJECT, BUSINESS_MESSAGE_REJECT = "8", "9", "j"
HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT, LOGOUT, LOGON = "0", "1", "2", "3", "5", "A"

ACCOUNT, CL_ORD_ID, CUM_QTY, EXEC_ID, EXEC_INST, EXEC_REF_ID, LAST_PX, LAST_QTY = 1, 11, 14, 17, 18, 19, 31, 32
MSG_SEQ_NUM, MSG_TYPE, ORDER_ID, ORDER_QTY, ORD_STATUS, ORD_TYPE, ORIG_CL_ORD_ID = 34, 35, 37, 38, 39, 40, 41
POSS_DUP_FLAG, PRICE, REF_SEQ_NUM, SENDER_COMP_ID, SIDE, SYMBOL, TEXT, TIME_IN_FORCE = 43, 44, 45, 49, 54, 55, 58, 59
TRANSACT_TIME, CXL_REJ_REASON, ORD_REJ_REASON, TEST_REQ_ID, EXEC_TYPE, LEAVES_QTY = 60, 102, 103, 112, 150, 151
EXPIRE_TIME = 126
AVG_PX, REF_MSG_TYPE, SESSION_REJECT_REASON, BUSINESS_REJECT_REASON = 6, 372, 373, 380
CXL_REJ_RESPONSE_TO, SECONDARY_EXEC_ID = 434, 527
USERNAME, PASSWORD, MASS_STATUS_REQ_ID, LAST_LIQUIDITY_IND, TOT_NUM_REPORTS, LAST_RPT_REQUESTED = (
    553, 554, 584, 851, 911, 912,
)  # fmt: skip

SIDES = {Side.BUY: "1", Side.SELL: "2"}
TIMES_IN_FORCE = {
    TimeInForce.DAY: "0",
    TimeInForce.IOC: "3",
    TimeInForce.FOK: "4",
    TimeInForce.POST_ONLY: "0",
    TimeInForce.AT_OPEN: "2",
    TimeInForce.AT_CLOSE: "7",
    TimeInForce.GTC: "1",
    TimeInForce.GTD: "6",
}
POSTS_ONLY = "6"  # ExecInst(18): participate do not initiate
LIQUIDITIES = {"1": Liquidity.ADDED, "2": Liquidity.REMOVED, "3": Liquidity.REMOVED}
LIMIT = "2"  # OrdType(40)
LIMIT_ON_CLOSE = "B"  # of FIX 4.2, whose TimeInForce(59) knows no close
UNKNOWN_ORDER = 5  # OrdRejReason(103)
LARGEST_PRICE = 1 << 62

_TIME = re.compile(r"(\d{8}-\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?", re.ASCII)


def read_fields(text: str) -> dict[int, str]:
    """The fields of a message's text by tag; of a repeated tag the first."""
    fields: dict[int, str] = {}
    for pair in text.split("\x01"):
        tag, equals, value = pair.partition("=")
        if equals and tag.isascii() and tag.isdecimal():
            fields.setdefault(int(tag), value)
    return fields


def write_fields(fields: Fields) -> str:
    """The text of which `read_fields` makes these fields again."""
    return "".join(f"{tag}={value}\x01" for tag, value in fields.items())


def needed(fields: Fields, tag: int) -> str:
    """A field that must be there."""
    value = fields.get(tag)
    if not value:
        raise MalformedMessage(f"field {tag} is missing")
    return value


def read_quantity(fields: Fields, tag: int, default: str = "") -> int:
    """A whole number of shares; `default` stands for an absent field."""
    text = fields.get(tag) or default or needed(fields, tag)
    whole, _, fraction = text.partition(".")
    if not whole.isascii() or not whole.isdecimal() or fraction.strip("0") or len(whole) > 18:
        raise MalformedMessage(f"field {tag}: {text!r} is not a whole quantity")
    return int(whole)


def read_price(fields: Fields, tag: int) -> int:
    """A price in 1/10,000, not negative."""
    text = needed(fields, tag)
    try:
        price = from_decimal(text)
    except ValueError as error:
        raise MalformedMessage(f"field {tag}: {error}") from None
    if not 0 <= price < LARGEST_PRICE:
        raise MalformedMessage(f"field {tag}: {text} is not a price")
    return price


def price_text(price: int) -> str:
    """A price in 1/10,000 as a decimal with four places."""
    return str(to_decimal(price))


def read_time(text: str) -> int:
    """UTCTimestamp to nanoseconds since the epoch; 0 when absent."""
    if not text:
        return 0
    match = _TIME.fullmatch(text)
    try:
        seconds = calendar.timegm(time.strptime(match[1], "%Y%m%d-%H:%M:%S")) if match else -1
    except ValueError:
        seconds = -1
    if match is None or seconds < 0:
        raise MalformedMessage(f"{text!r} is not a UTCTimestamp")
    return seconds * 1_000_000_000 + int((match[2] or "").ljust(9, "0"))


def time_text(time_ns: int) -> str:
    """Nanoseconds since the epoch as a UTCTimestamp with milliseconds."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(seconds)) + f".{rest // 1_000_000:03}"
