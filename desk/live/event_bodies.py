"""Journal records as bodies of the EVENT channels: who gets them and what they say."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from desk.blotter.refused import RISK_GATE, rejection_sentence
from desk.blotter.sentences import denial_sentence
from desk.live.channels import FIRM
from desk.live.names import MANUAL, Names
from desk.live.state_rows import decimal_text
from engine.messages import codes
from engine.messages.journal import BODIES, HEADER_SIZE, JOURNAL_HEADER

REMEMBERED_ORDERS = 50_000
STATE_AFTER_REQUEST = {
    codes.OrderAction.ENTER: codes.OrderState.PENDING_NEW,
    codes.OrderAction.REPLACE: codes.OrderState.PENDING_REPLACE,
    codes.OrderAction.CANCEL: codes.OrderState.PENDING_CANCEL,
    codes.OrderAction.MODIFY: codes.OrderState.PENDING_REPLACE,
}


class Event(NamedTuple):
    """One body for one channel."""

    sequence: int
    channel: str
    body: dict[str, Any]


def records(block: bytes) -> Iterator[tuple[np.void, bytes]]:
    """Header and body bytes of each record in a block of raw journal records. ValueError when a length lies."""
    offset = 0
    while offset < len(block):
        if len(block) - offset < HEADER_SIZE:
            raise ValueError(f"a journal record is cut off at byte {offset}")
        header = np.frombuffer(block, JOURNAL_HEADER, 1, offset)[0]
        length = int(header["length"])
        if length < HEADER_SIZE or offset + length > len(block):
            raise ValueError(f"a journal record at byte {offset} says it has {length} bytes")
        yield header, block[offset + HEADER_SIZE : offset + length]
        offset += length


class EventMaker:
    """Turns records into events. Reports of manual orders carry no team: that of recent requests is remembered."""

    def __init__(self) -> None:
        self.names = Names()
        self._team_of_order: OrderedDict[int, int] = OrderedDict()

    def events(self, block: bytes) -> Iterator[Event]:
        """Events of a block, in journal order; text records and timers make none."""
        for header, body in records(block):
            kind = int(header["kind"])
            if kind not in BODIES:
                continue
            record = np.frombuffer(body, BODIES[codes.RecordKind(kind)], 1)[0]
            sequence, time_ns = int(header["sequence"]), int(header["time_ns"])
            for channel, made in self._bodies(codes.RecordKind(kind), record):
                made["time_ns"] = str(time_ns)
                yield Event(sequence, channel, made)

    def _bodies(self, kind: codes.RecordKind, record: np.void) -> Iterator[tuple[str, dict[str, Any]]]:
        if kind == codes.RecordKind.ORDER_REQUEST:
            yield self._request(record)
        elif kind == codes.RecordKind.DENIAL:
            yield self._denial(record)
        elif kind == codes.RecordKind.ORDER_REPORT:
            yield from self._report(record)
        elif kind == codes.RecordKind.SESSION_EVENT:
            venue = self.names.venue(int(record["venue"]))
            state = codes.SessionState(int(record["state"])).name
            yield "engine_events", {"kind": "session", "venue_name": venue, "state": state}
        elif kind == codes.RecordKind.FEED_EVENT:
            venue, event = self.names.venue(int(record["venue"])), codes.FeedEventKind(int(record["kind"])).name
            yield "engine_events", {"kind": "feed", "venue_name": venue, "event": event}
        elif kind == codes.RecordKind.ENGINE_STATE:
            yield "engine_events", {"kind": "engine", "state": codes.EngineState(int(record["state"])).name}
        elif kind == codes.RecordKind.STRATEGY_STATE:
            strategy = int(record["strategy"])
            state = codes.StrategyState(int(record["state"])).name
            team = self.names.teams.get(strategy, FIRM)
            yield f"orders.{team}", {"kind": "strategy", "strategy": strategy, "state": state}

    def _team(self, order_id: int, strategy: int) -> int:
        if strategy != MANUAL and strategy in self.names.teams:
            return self.names.teams[strategy]
        return self._team_of_order.get(order_id, FIRM)

    def _order(self, record: np.void) -> dict[str, Any]:
        return {
            "order_id": str(int(record["order_id"])),
            "strategy": int(record["strategy"]),
            "strategy_name": self.names.strategy(int(record["strategy"])),
            "instrument": int(record["instrument"]),
            "instrument_name": self.names.instrument(int(record["instrument"])),
            "venue_name": self.names.venue(int(record["venue"])),
            "side": _name(codes.Side, record["side"]),
            "quantity": int(record["quantity"]),
            "price": decimal_text(int(record["price"])),
        }

    def _request(self, record: np.void) -> tuple[str, dict[str, Any]]:
        action = codes.OrderAction(int(record["action"]))
        if action not in STATE_AFTER_REQUEST:  # about a venue as a whole
            venue = self.names.venue(int(record["venue"]))
            return "engine_events", {"kind": "venue_request", "venue_name": venue, "action": action.name}
        team = int(record["team"])
        body = self._order(record)
        if action in (codes.OrderAction.ENTER, codes.OrderAction.REPLACE):
            self._remember(int(record["order_id"]), team)
        else:
            body["order_id"] = str(int(record["target_order_id"]) or int(record["order_id"]))
        return f"orders.{team}", {
            **body,
            "kind": "request",
            "action": action.name,
            "state": STATE_AFTER_REQUEST[action].name,
            "leaves": body["quantity"],
            "limits_version": int(record["limits_version"]),
        }

    def _denial(self, record: np.void) -> tuple[str, dict[str, Any]]:
        return f"denials.{int(record['team'])}", {
            **self._order(record),
            "kind": "denial",
            "state": codes.OrderState.DENIED.name,
            "reason": _name(codes.DenialReason, record["reason"]),
            "by": RISK_GATE,
            "sentence": denial_sentence(
                int(record["reason"]),
                int(record["limit_name"]),
                int(record["scope"]),
                int(record["measured"]),
                int(record["bound"]),
            ),
            "limits_version": int(record["limits_version"]),
        }

    def _report(self, record: np.void) -> Iterator[tuple[str, dict[str, Any]]]:
        if record["duplicate"]:
            return
        order_id = int(record["order_id"])
        team = self._team(order_id, int(record["strategy"]))
        kind = codes.ReportKind(int(record["kind"]))
        body = {
            **self._order(record),
            "kind": "report",
            "report": kind.name,
            "state": _name(codes.OrderState, record["state"]),
            "leaves": int(record["leaves"]),
        }
        yield f"orders.{team}", body
        if kind in (codes.ReportKind.EXECUTED, codes.ReportKind.BROKEN):
            yield (
                f"fills.{team}",
                {
                    **body,
                    "fee": decimal_text(int(record["fee"])),
                    "liquidity": _name(codes.Liquidity, record["liquidity"]),
                    "match_number": str(int(record["match_number"])),
                    "broken": kind == codes.ReportKind.BROKEN,
                },
            )
        elif kind == codes.ReportKind.REJECTED:
            by, why = body["venue_name"], rejection_sentence(int(record["reason"]))
            yield f"denials.{team}", {**body, "by": by, "sentence": why}

    def _remember(self, order_id: int, team: int) -> None:
        self._team_of_order[order_id] = team
        if len(self._team_of_order) > REMEMBERED_ORDERS:
            self._team_of_order.popitem(last=False)


def _name(kind: type[IntEnum], value: Any) -> str:
    try:
        return kind(int(value)).name
    except ValueError:
        return str(int(value))
