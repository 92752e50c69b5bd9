"""How one venue speaks FIX where venues differ: a TOML file beside the state, named in the venue's settings.

    [orders]
    leave_out = [1]                      # tags that are not sent
    time_format = "milliseconds"         # of TransactTime(60): seconds, milliseconds, microseconds
    [fields.D]                           # fields of our own on messages of a type; `all` for every one
    9001 = "DESK"
    [answers]
    liquidity_tag = 9730                 # where the venue says who added liquidity, if not in LastLiquidityInd(851)
    added = "A"
    removed = "R"
    [questions]
    order_status = true                  # it answers OrderStatusRequest(H)
    mass_status = false                  # it answers OrderMassStatusRequest(AF): then that is asked instead

Everything has a default. FIX 4.2 is brought into the words of 4.4 here, so that nothing else knows of it.
"""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.protocols import fix44
from engine.protocols.fix44 import Fields

EXEC_TRANS_TYPE, HANDL_INST, TRANSACT_TIME = 20, 21, fix44.TRANSACT_TIME
RAW_DATA_LENGTH, RAW_DATA = 95, 96
PRECISIONS = {"seconds": 0, "milliseconds": 3, "microseconds": 6}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII)
AUTOMATIC_PRIVATE = "1"  # HandlInst(21), which FIX 4.2 requires
ORDER_TYPES = (fix44.NEW_ORDER_SINGLE, fix44.ORDER_CANCEL_REPLACE_REQUEST, fix44.ORDER_CANCEL_REQUEST)
_ANSWERS_OF_42 = {"1": "H", "2": "G", "3": "I"}  # ExecTransType(20) to what later versions say in ExecType(150)
_NEEDED = frozenset({11, 35, 38, 40, 41, 44, 54, 55})  # without these an order is none
EVERY = "all"


@dataclass(frozen=True)
class Dialect:
    """`version` is "4.2", "4.4" or "5.0SP2"; `fields` by MsgType(35), or "all"."""

    version: str = "4.4"
    leave_out: frozenset[int] = frozenset()
    fields: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    precision: int = 3
    liquidity_tag: int = fix44.LAST_LIQUIDITY_IND
    added: str = "1"
    removed: str = "2"
    order_status: bool = True
    mass_status: bool = False
    post_only: bool = False  # a setting of the venue, not of the file

    def said(self, message_type: str, fields: Fields, time_ns: int) -> dict[int, str]:
        """A message of ours as this venue wants it."""
        made = dict(fields)
        if message_type in ORDER_TYPES:
            made[TRANSACT_TIME] = time_text(time_ns, self.precision)
            if self.version == "4.2" and message_type != fix44.ORDER_CANCEL_REQUEST:
                made[HANDL_INST] = AUTOMATIC_PRIVATE
        made = {tag: value for tag, value in made.items() if tag not in self.leave_out}
        return made | dict(self.fields.get(EVERY, {})) | dict(self.fields.get(message_type, {}))

    def heard(self, fields: Fields) -> dict[int, str]:
        """A message of the venue in the words of FIX 4.4."""
        made = dict(fields)
        transaction = made.pop(EXEC_TRANS_TYPE, "0")
        if transaction in _ANSWERS_OF_42 and made.get(fix44.MSG_TYPE) == fix44.EXECUTION_REPORT:
            made[fix44.EXEC_TYPE] = _ANSWERS_OF_42[transaction]
        if self.liquidity_tag in made:
            letter = made[self.liquidity_tag]
            made.pop(fix44.LAST_LIQUIDITY_IND, None)
            if letter in (self.added, self.removed):
                made[fix44.LAST_LIQUIDITY_IND] = "1" if letter == self.added else "2"
            elif self.liquidity_tag == fix44.LAST_LIQUIDITY_IND:
                made[fix44.LAST_LIQUIDITY_IND] = letter
        return made

    def credentials(self, username: str, password: str) -> dict[int, str]:
        """What a Logon(A) says of who we are; FIX 4.2 has no fields for it but RawData(96)."""
        if self.version == "4.2":
            return {RAW_DATA_LENGTH: str(len(password)), RAW_DATA: password} if password else {}
        return {tag: value for tag, value in ((fix44.USERNAME, username), (fix44.PASSWORD, password)) if value}


def time_text(time_ns: int, precision: int) -> str:
    """UTCTimestamp with so many places."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    places = f".{rest:09}"[: precision + 1] if precision else ""
    return time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(seconds)) + places


def check_dialect_name(name: str) -> str:
    """The name of a dialect file, or "". ValueError with a sentence: it names a file of one folder, never a path."""
    if name and not NAME.fullmatch(name):
        raise ValueError(f"Dialect: {name!r} is not a name of letters, digits, dots and dashes")
    return name


def read_dialect(state: Path, name: str, version: str) -> Dialect:
    """The dialect of `<state>/dialects/NAME.toml`; without a name what the specification says. ValueError."""
    if not check_dialect_name(name):
        return Dialect(version)
    path = state / "dialects" / f"{name}.toml"
    try:
        raw = tomllib.loads(path.read_text())
        return parse_dialect(raw, version)
    except (OSError, tomllib.TOMLDecodeError, ValueError) as error:
        raise ValueError(f"the dialect {path}: {error}") from None


def parse_dialect(raw: Mapping[str, Any], version: str) -> Dialect:
    """The dialect from a parsed file. ValueError with a sentence for whatever is not as above."""
    known: dict[str, dict[str, type]] = {
        "orders": {"leave_out": list, "time_format": str},
        "answers": {"liquidity_tag": int, "added": str, "removed": str},
        "questions": {"order_status": bool, "mass_status": bool},
    }
    for section, values in raw.items():
        if section != "fields" and section not in known:
            raise ValueError(f"there is no section {section!r}; there are fields, {', '.join(known)}")
        if not isinstance(values, dict):
            raise ValueError(f"{section} is a section, not a value")
        for key, value in values.items():
            if section != "fields" and type(value) is not known[section].get(key):
                raise ValueError(f"{section}.{key} is not a setting of this kind")
    orders, answers, questions = (raw.get(name, {}) for name in known)
    if orders.get("time_format", "milliseconds") not in PRECISIONS:
        raise ValueError(f"orders.time_format is one of {', '.join(PRECISIONS)}")
    leave_out = frozenset(_tag(tag) for tag in orders.get("leave_out", ()))
    if leave_out & _NEEDED:
        raise ValueError(f"tag {min(leave_out & _NEEDED)} cannot be left out of an order")
    if version == "4.2" and questions.get("mass_status"):
        raise ValueError("FIX 4.2 has no OrderMassStatusRequest")
    return Dialect(
        version=version,
        leave_out=leave_out,
        fields={kind: _own_fields(values) for kind, values in raw.get("fields", {}).items()},
        precision=PRECISIONS[orders.get("time_format", "milliseconds")],
        **answers,
        **questions,
    )


def _own_fields(values: Mapping[str, Any]) -> dict[int, str]:
    if not isinstance(values, dict):
        raise ValueError("fields are in sections such as [fields.D]")
    made = {_tag(tag): value for tag, value in values.items()}
    for tag, value in made.items():
        if tag in _NEEDED:
            raise ValueError(f"tag {tag} is an order's own")
        if not isinstance(value, str) or not value or "\x01" in value:
            raise ValueError(f"the value of tag {tag} is a text without control characters")
    return made


def _tag(text: Any) -> int:
    if not str(text).isdecimal() or not 0 < int(text) < 1 << 31:
        raise ValueError(f"{text!r} is not a tag")
    return int(text)
