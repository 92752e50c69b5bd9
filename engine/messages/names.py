"""Which enumeration a field of a journal body holds, for everything that shows records to people."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from engine.messages.codes import (
    DenialReason,
    EngineState,
    FeedEventKind,
    LimitName,
    Liquidity,
    OrderAction,
    OrderState,
    RecordKind,
    ReportKind,
    Scope,
    SessionState,
    Side,
    StrategyState,
    TimeInForce,
)

_ORDER = {"action": OrderAction, "side": Side, "time_in_force": TimeInForce}

FIELD_CODES: dict[RecordKind, dict[str, type[IntEnum]]] = {
    RecordKind.ORDER_REQUEST: _ORDER,
    RecordKind.DENIAL: {**_ORDER, "reason": DenialReason, "scope": Scope, "limit_name": LimitName},
    RecordKind.ORDER_REPORT: {"kind": ReportKind, "side": Side, "liquidity": Liquidity, "state": OrderState},
    RecordKind.SESSION_EVENT: {"state": SessionState},
    RecordKind.FEED_EVENT: {"kind": FeedEventKind},
    RecordKind.ENGINE_STATE: {"state": EngineState, "scope": Scope},
    RecordKind.STRATEGY_STATE: {"state": StrategyState},
}
_HIDDEN = frozenset({"reserved", "unused"})


def code_name(code: type[IntEnum], value: int) -> str | int | None:
    """Name of a code; None for 0 where no code is 0; the number itself when this version does not know it."""
    try:
        return code(value).name
    except ValueError:
        return value or None


def named_fields(kind: RecordKind, body: np.void) -> dict[str, Any]:
    """The fields of a body as plain values, codes by name, reserved bytes left out."""
    codes = FIELD_CODES.get(kind, {})
    fields: dict[str, Any] = {}
    for name in body.dtype.names or ():
        if name in _HIDDEN:
            continue
        value = body[name].item()
        fields[name] = code_name(codes[name], value) if name in codes else value
    return fields
