"""What the loop needs to write FIX messages of one session: texts that never change, and the time that was written
last.

The cold path fills a row with `describe_wire`; `fix_encode` reads it. FIX.4.2, FIX.4.4, and FIX.5.0SP2 over FIXT.1.1.
"""

from __future__ import annotations

import numpy as np

from engine.native import address_of, touched
from engine.protocols.fix_bounds import BEGIN_STRINGS, LONGEST_NAME

LENGTH_DIGITS = 3
TYPE_AFTER_LENGTH = len("000|35=")

FIX_WIRE = np.dtype(
    [
        ("number", "<i8"),  # address of MsgSeqNum(34) of the next message that we send
        ("head_length", "<i8"),
        ("length_at", "<i8"),  # where in the head the digits of BodyLength(9) stand
        ("account_length", "<i8"),
        ("handling_length", "<i8"),
        ("head_sum", "<i8"),  # of its bytes but for the digits of BodyLength(9) and the letter of MsgType(35)
        ("account_sum", "<i8"),
        ("handling_sum", "<i8"),
        ("second", "<i8"),  # whole second, and millisecond, since the epoch that `time_text` says; -1 for none yet
        ("millisecond", "<i8"),
        ("time_sum", "<i8"),
        ("time_text", "u1", (24,)),  # YYYYMMDD-HH:MM:SS.mmm and a delimiter
        ("head", "u1", (96,)),  # 8=FIX.4.4|9=000|35=0|49=OURS|56=THEIRS|34=
        ("account", "u1", (32,)),  # 1=ACCOUNT|, empty without one
        ("handling", "u1", (8,)),  # 21=1| where HandlInst(21) is required
    ]
)


def wire_offset(name: str) -> int:
    """Where a field of the row stands, for hot code."""
    assert FIX_WIRE.fields is not None
    return int(FIX_WIRE.fields[name][1])


def make_wire(number: int, version: str, sender: str, target: str, account: str = "") -> np.ndarray:
    """A row for one session; `number` is the address of the next MsgSeqNum(34). The caller keeps it alive.

    ValueError with a sentence when the version is not spoken or a name is too long.
    """
    if version not in BEGIN_STRINGS:
        raise ValueError(f"FIX {version} is not spoken; versions are {', '.join(BEGIN_STRINGS)}")
    for name in (sender, target, account):
        if len(name) > LONGEST_NAME or not name.isascii() or not name.isprintable():
            raise ValueError(f"{name!r}: names have at most {LONGEST_NAME} printable ASCII characters")
    made = touched(1, FIX_WIRE)
    made["number"], made["second"], made["millisecond"] = number, -1, -1
    begin = f"8={BEGIN_STRINGS[version]}\x019="
    made["length_at"] = len(begin)
    texts = {
        "head": f"{begin}000\x0135=0\x0149={sender}\x0156={target}\x0134=",
        "account": f"1={account}\x01" if account else "",
        "handling": "21=1\x01" if version == "4.2" else "",
    }
    raw = made.view(np.uint8)
    for name, text in texts.items():
        made[f"{name}_length"], made[f"{name}_sum"] = len(text), sum(text.encode("ascii"))
        at = wire_offset(name)
        raw[at : at + len(text)] = np.frombuffer(text.encode("ascii"), np.uint8)
    made["head_sum"] -= sum(b"0000")
    assert address_of(made) % 8 == 0
    return made
