"""What a FIX 4.4 message to a client is in the words of another version.

FIX 4.2 says with ExecTransType(20) that a report answers a question, takes a fill back or corrects it, has fills as
ExecType(150) 1 and 2, fewer reasons, and no field for who added liquidity: there this exchange sends its own tag 9730,
A or R, as venues do.
"""

from __future__ import annotations

from engine.protocols import fix44

EXEC_TRANS_TYPE, VENUE_LIQUIDITY = 20, 9730
NEW, TAKEN_BACK, CORRECT, STATUS = "0", "1", "2", "3"
TRADE, TRADE_CANCEL, TRADE_CORRECT, ORDER_STATUS = "F", "H", "G", "I"
_TRANSACTIONS = {ORDER_STATUS: STATUS, TRADE_CANCEL: TAKEN_BACK, TRADE_CORRECT: CORRECT}
_NOT_IN_42 = frozenset(
    {
        fix44.SECONDARY_EXEC_ID,
        fix44.LAST_LIQUIDITY_IND,
        fix44.MASS_STATUS_REQ_ID,
        fix44.TOT_NUM_REPORTS,
        fix44.LAST_RPT_REQUESTED,
    }
)
_LETTERS = {"1": "A", "2": "R"}
BROKER_OPTION = "0"
LAST_ORDER_REASON, LAST_CANCEL_REASON = 8, 3  # of FIX 4.2


def in_words_of(version: str, fields: dict[int, str]) -> dict[int, str]:
    """The fields of a message, MsgType(35) among them, as `version` says them."""
    if version != "4.2":
        return fields
    made = {tag: value for tag, value in fields.items() if tag not in _NOT_IN_42}
    if fields[fix44.MSG_TYPE] == fix44.EXECUTION_REPORT:
        made |= _execution(fields)
    if int(fields.get(fix44.ORD_REJ_REASON, "0")) > LAST_ORDER_REASON:
        made[fix44.ORD_REJ_REASON] = BROKER_OPTION
    if int(fields.get(fix44.CXL_REJ_REASON, "0")) > LAST_CANCEL_REASON:
        made[fix44.CXL_REJ_REASON] = "2"
    return made


def _execution(fields: dict[int, str]) -> dict[int, str]:
    kind, status = fields[fix44.EXEC_TYPE], fields[fix44.ORD_STATUS]
    made = {EXEC_TRANS_TYPE: _TRANSACTIONS.get(kind, NEW)}
    if kind in _TRANSACTIONS:
        made[fix44.EXEC_TYPE] = status
    elif kind == TRADE:
        made[fix44.EXEC_TYPE] = "1" if fields[fix44.LEAVES_QTY] != "0" else "2"
    liquidity = _LETTERS.get(fields.get(fix44.LAST_LIQUIDITY_IND, ""))
    return made | ({VENUE_LIQUIDITY: liquidity} if liquidity else {})
