"""ExecutionReport(8) and OrderCancelReject(9) into ORDER_REPORT bodies, in the loop. FIX 4.2, 4.4 and 5.0 SP2.

The fields that a body gets are those of `ouch50_reports`; `venue_reference` is our order id, taken from ClOrdID(11) or
OrigClOrdID(41). docs/protocols/fix.md has the table. FIX 4.2 says with ExecTransType(20) what later versions say with
ExecType(150).
"""

from __future__ import annotations

import numpy as np

from engine.messages.codes import Liquidity, ReportKind, Side
from engine.messages.journal import ORDER_REPORT
from engine.native import hot, load_u8, view, zero_bytes
from engine.protocols import fix_fields
from engine.protocols.fix_fields import FIX_FIELDS, read_digits, read_scaled, read_timestamp

MALFORMED = 0
REPORT = 1
NO_REPORT = 2  # nothing changed
STATUS = 3  # the answer to a question
CORRECTION = 4  # the body says BROKEN; `parse_correction` makes the fill that took its place
RESTATED = 5  # the body says ACCEPTED with what is left of an order that the venue changed by itself

ACCEPTED = int(ReportKind.ACCEPTED)
REPLACED = int(ReportKind.REPLACED)
CANCELED = int(ReportKind.CANCELED)
EXECUTED = int(ReportKind.EXECUTED)
REJECTED = int(ReportKind.REJECTED)
CANCEL_REJECTED = int(ReportKind.CANCEL_REJECTED)
CANCEL_PENDING = int(ReportKind.CANCEL_PENDING)
EXPIRED = int(ReportKind.EXPIRED)
BROKEN = int(ReportKind.BROKEN)
ADDED, REMOVED = int(Liquidity.ADDED), int(Liquidity.REMOVED)
BUY, SELL = int(Side.BUY), int(Side.SELL)

EXECUTION_REPORT, ORDER_CANCEL_REJECT = ord("8"), ord("9")
CANCEL_MARK, YES = ord("C"), ord("Y")
ABSENT = -2
REPORT_BYTES = ORDER_REPORT.itemsize
LARGEST_REASON = 255

# What an ExecType(150) says. FILL and the others are cases of `parse_execution`.
FILL, IGNORED, UNDONE, CORRECTED, ASKED, CHANGED = 21, 22, 23, 24, 25, 26
MEANING = np.zeros(256, np.int64)
for _letters, _meaning in (
    ("0", ACCEPTED),
    ("12F", FILL),
    ("3C", EXPIRED),
    ("4", CANCELED),
    ("5", REPLACED),
    ("6", CANCEL_PENDING),
    ("8", REJECTED),
    ("79ABEJKL", IGNORED),
    ("D", CHANGED),
    ("G", CORRECTED),
    ("H", UNDONE),
    ("I", ASKED),
):
    for _letter in _letters:
        MEANING[ord(_letter)] = _meaning
TRANSACTIONS = np.zeros(256, np.int64)  # ExecTransType(20) other than New
TRANSACTIONS[ord("1")], TRANSACTIONS[ord("2")], TRANSACTIONS[ord("3")] = UNDONE, CORRECTED, ASKED


@hot
def read_quantity(fields, place):
    """A whole quantity; ABSENT (-2) without the field, -1 when it is not whole."""
    row = view(fields, 1, FIX_FIELDS)[0]
    if row.length[place] == 0:
        return ABSENT
    return read_scaled(row.at[place], row.length[place], 0)


@hot
def read_price(fields, place):
    """A price in 1/10,000; ABSENT (-2) without the field, -1 when it is not one."""
    row = view(fields, 1, FIX_FIELDS)[0]
    if row.length[place] == 0:
        return ABSENT
    return read_scaled(row.at[place], row.length[place], 4)


@hot
def read_letter(fields, place):
    """The one character of a field; 0 without the field or when it has more."""
    row = view(fields, 1, FIX_FIELDS)[0]
    return load_u8(row.at[place]) if row.length[place] == 1 else 0


@hot
def read_identifier(fields, place):
    """A venue's identifier as a positive number: itself when it is a decimal one, else a digest; 0 without it."""
    row = view(fields, 1, FIX_FIELDS)[0]
    length = row.length[place]
    number = read_digits(row.at[place], length)
    if number >= 0:
        return number
    low = 7
    high = 11
    for at in range(length):
        letter = load_u8(row.at[place] + at)
        low = (low * 131 + letter) & 0x7FFFFFFF
        high = (high * 65599 + letter) & 0x7FFFFFFF
    return 0 if length == 0 else high << 31 | low


@hot
def read_order_id(fields, place):
    """Our order that an identifier names: 17, or 17C5 for a cancel of it. 0 when it is not one of ours."""
    row = view(fields, 1, FIX_FIELDS)[0]
    at = row.at[place]
    length = row.length[place]
    digits = 0
    while digits < length and load_u8(at + digits) != CANCEL_MARK:
        digits += 1
    order_id = read_digits(at, digits)
    if digits < length and read_digits(at + digits + 1, length - digits - 1) < 0:
        return 0
    return order_id if order_id > 0 else 0


@hot
def begin_report(fields, report):
    """The fields that every report has; the others are cleared. False when the time is not one."""
    zero_bytes(report, REPORT_BYTES)
    row = view(fields, 1, FIX_FIELDS)[0]
    body = view(report, 1, ORDER_REPORT)[0]
    order_id = read_order_id(fields, fix_fields.CL_ORD_ID)
    if order_id == 0:
        order_id = read_order_id(fields, fix_fields.ORIG_CL_ORD_ID)
    body.venue_reference = order_id
    if row.length[fix_fields.TRANSACT_TIME] > 0:
        time_ns = read_timestamp(row.at[fix_fields.TRANSACT_TIME], row.length[fix_fields.TRANSACT_TIME])
        if time_ns < 0:
            return False
        body.venue_time_ns = time_ns
    side = read_letter(fields, fix_fields.SIDE)
    if side == 49:  # "1"
        body.side = BUY
    elif side == 50 or side == 53 or side == 54:  # sell, sell short, sell short exempt
        body.side = SELL
    return True


@hot
def fill_report(fields, report):
    """LastPx(31) and LastQty(32) of a fill. MALFORMED without them."""
    body = view(report, 1, ORDER_REPORT)[0]
    price = read_price(fields, fix_fields.LAST_PX)
    quantity = read_quantity(fields, fix_fields.LAST_QTY)
    if price < 0 or quantity <= 0:
        return MALFORMED
    body.kind = EXECUTED
    body.price = price
    body.quantity = quantity
    number = read_identifier(fields, fix_fields.SECONDARY_EXEC_ID)
    body.match_number = number if number > 0 else read_identifier(fields, fix_fields.EXEC_ID)
    liquidity = read_letter(fields, fix_fields.LAST_LIQUIDITY_IND)
    if liquidity == 49:
        body.liquidity = ADDED
    elif liquidity == 50 or liquidity == 51:
        body.liquidity = REMOVED
    return REPORT


@hot
def undo_report(fields, report, corrected):
    """A fill that the venue takes back: the one that ExecRefID(19) names. A correction repeats what replaces it."""
    body = view(report, 1, ORDER_REPORT)[0]
    body.kind = BROKEN
    number = read_identifier(fields, fix_fields.SECONDARY_EXEC_ID)
    body.match_number = number if number > 0 else read_identifier(fields, fix_fields.EXEC_REF_ID)
    price = read_price(fields, fix_fields.LAST_PX)
    quantity = read_quantity(fields, fix_fields.LAST_QTY)
    if price >= 0 and quantity > 0 and not corrected:
        body.price = price
        body.quantity = quantity
    return REPORT if body.match_number > 0 else MALFORMED


@hot
def end_report(fields, report, kind):
    """The rest of an order ended: OrderQty(38) less CumQty(14)."""
    body = view(report, 1, ORDER_REPORT)[0]
    body.kind = kind
    quantity = read_quantity(fields, fix_fields.ORDER_QTY)
    executed = read_quantity(fields, fix_fields.CUM_QTY)
    if quantity == -1 or executed == -1:
        return MALFORMED
    if quantity > 0 and executed >= 0 and quantity > executed:
        body.quantity = quantity - executed
    if kind == REJECTED:
        body.reason = read_reason(fields, fix_fields.ORD_REJ_REASON)
    return REPORT


@hot
def read_reason(fields, place):
    """A reason's number, at most 255; 0 without one."""
    row = view(fields, 1, FIX_FIELDS)[0]
    if row.length[place] == 0:
        return 0
    number = read_digits(row.at[place], row.length[place])
    return number if 0 <= number < LARGEST_REASON else LARGEST_REASON


@hot
def open_report(fields, report, kind, place):
    """An order is in the venue's book: its quantity from `place`, its number from OrderID(37)."""
    body = view(report, 1, ORDER_REPORT)[0]
    body.kind = kind
    quantity = read_quantity(fields, place)
    price = read_price(fields, fix_fields.PRICE)
    if quantity == -1 or price == -1:
        return MALFORMED
    body.quantity = quantity if quantity > 0 else 0
    body.price = price if price > 0 else 0
    body.match_number = read_identifier(fields, fix_fields.ORDER_ID)
    return REPORT


@hot
def parse_execution(fields, report):
    """ExecutionReport(8) -> what it is (REPORT, ...), with the body at `report` filled where it says one."""
    meaning = MEANING[read_letter(fields, fix_fields.EXEC_TYPE)]
    transaction = TRANSACTIONS[read_letter(fields, fix_fields.EXEC_TRANS_TYPE)]
    if transaction != 0:
        meaning = transaction
    if meaning == 0:
        return MALFORMED
    if meaning == ASKED:
        return STATUS
    if meaning == IGNORED:
        return NO_REPORT
    if not begin_report(fields, report):
        return MALFORMED
    if meaning == FILL:
        return fill_report(fields, report)
    if meaning == UNDONE:
        return undo_report(fields, report, False)
    if meaning == CORRECTED:
        return CORRECTION if undo_report(fields, report, True) == REPORT else MALFORMED
    return parse_change(meaning, fields, report)


@hot
def parse_change(meaning, fields, report):
    """An ExecutionReport(8) that is no fill: the order was opened, changed or ended."""
    if meaning == ACCEPTED:
        return open_report(fields, report, ACCEPTED, fix_fields.ORDER_QTY)
    if meaning == REPLACED:
        return open_report(fields, report, REPLACED, fix_fields.LEAVES_QTY)
    if meaning == CHANGED:
        outcome = open_report(fields, report, ACCEPTED, fix_fields.LEAVES_QTY)
        return RESTATED if outcome == REPORT else outcome
    if meaning == CANCEL_PENDING:
        view(report, 1, ORDER_REPORT)[0].kind = CANCEL_PENDING
        return REPORT
    return end_report(fields, report, meaning)


@hot
def parse_correction(fields, report):
    """The fill with the corrected terms, after a CORRECTION."""
    return fill_report(fields, report) if begin_report(fields, report) else MALFORMED


@hot
def parse_cancel_reject(fields, report):
    """OrderCancelReject(9): a refused cancel leaves the order working, a refused replacement never came to be.

    FIX 4.2 and later say with CxlRejResponseTo(434) which of the two it was.
    """
    response = read_letter(fields, fix_fields.CXL_REJ_RESPONSE_TO)
    if (response != 49 and response != 50) or not begin_report(fields, report):
        return MALFORMED
    body = view(report, 1, ORDER_REPORT)[0]
    body.kind = CANCEL_REJECTED if response == 49 else REJECTED
    body.reason = read_reason(fields, fix_fields.CXL_REJ_REASON)
    return REPORT


@hot
def parse_report(kind, fields, report):
    """The message of MsgType `kind` (as `parse_fields` returned it) into the ORDER_REPORT body at `report`.

    REPORT, CORRECTION or RESTATED when the body was filled; NO_REPORT, STATUS, or MALFORMED, also for any other type.
    """
    if kind == EXECUTION_REPORT:
        return parse_execution(fields, report)
    if kind == ORDER_CANCEL_REJECT:
        return parse_cancel_reject(fields, report)
    return MALFORMED


@hot
def is_possible_duplicate(fields):
    """PossDupFlag(43)."""
    return read_letter(fields, fix_fields.POSS_DUP_FLAG) == YES


@hot
def sequence_of(fields):
    """MsgSeqNum(34); -1 without one."""
    row = view(fields, 1, FIX_FIELDS)[0]
    return read_digits(row.at[fix_fields.MSG_SEQ_NUM], row.length[fix_fields.MSG_SEQ_NUM])
