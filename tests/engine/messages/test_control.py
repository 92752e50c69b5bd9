"""Command frames from the wire: whatever comes is a command or a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.messages import control
from engine.messages.control import Command, Status, command, decode_command, decode_status

ID = "0123456789abcdef"


def frame(**changes: Any) -> bytes:
    fields = {"version": 1, "id": ID, "kind": "stop_strategy", "actor": "alice", "body": {"strategy": 7}}
    return json.dumps(fields | changes).encode()


BODIES = [
    control.Hello(),
    control.StartStrategy(7, "pair", 1, "pairs", "0" * 16, 1, [1, 2], {"entry": 2.0}),
    control.StopStrategy(7),
    control.ApplyLimits(0, [{"scope": 1, "scope_id": 0, "position": 5}]),
    control.DefineVenue(1, "XSIM", "ouch50", {"user": "desk"}),
    control.RemoveVenue(1),
    control.EnterOrder("a-1", 1, 1, 1, 1, 100, 10_000, 1),
    control.CancelOrder(3),
    control.ReplaceOrder(3, 10_000, 100),
    control.EnterParent("p-1", 0, 1, 5, "twap", "0" * 16, 1, [1, 2], 1, 100, 0, 0, 60_000_000_000, {"slices": 10.0}),
    control.CancelParent(12),
    control.Kill(1, 0, "now"),
    control.Rearm(1, 0, "over", "bob"),
    control.Preview(1, 1, [1], 1, 100, 0),
    control.Alarm("latency_p99", 1, "slow", 2_000, 1_000),
    control.ConnectVenue(1),
    control.DisconnectVenue(1, "lunch"),
    control.ResetSession(1, 1, 1, "a new day", "bob"),
    control.RaiseBreak("drop-1", "unknown_fill", 1, 2, 3, "a fill nobody sent"),
    control.ResolveBreak("drop-1", "booked by hand"),
    control.ViewSession(1, 20),
    control.ApplyCosts("0" * 16, [{"venue": 1, "impact": 0.5}]),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_command_crosses_and_comes_back_as_it_was(body: Any) -> None:
    made = command(body, "alice", ID)
    decoded = decode_command(made.encode())
    assert decoded == made
    assert control.decode_body(decoded) == body


def test_every_kind_has_its_body() -> None:
    assert sorted(control.BODIES) == sorted({command(body, "alice").kind for body in BODIES})


REFUSED = [
    (b"", "this is not a command"),
    (b"\xff\xfe", "this is not a command"),
    (b"[]", "this is not a command"),
    (b"7", "this is not a command"),
    (b"[" * 100_000, "this is not a command"),
    (b'{"a":' * 100_000, "this is not a command"),
    (frame(colour="green"), "this is not a command"),
    (frame(kind=["stop_strategy"]), "this is not a command"),
    (frame(kind={}), "this is not a command"),
    (frame(kind=None), "this is not a command"),
    (frame(body=[]), "this is not a command"),
    (frame(actor=5), "this is not a command"),
    (frame(id=5), "this is not a command"),
    (frame(version=2), "command version 2 is not 1"),
    (frame(version=[]), "command version [] is not 1"),
    (frame(kind="explode"), "unknown command 'explode'"),
    (frame(id="short"), "a command needs an id of 8 to 64 characters and an actor"),
    (frame(id="x" * 65), "a command needs an id of 8 to 64 characters and an actor"),
    (frame(actor=""), "a command needs an id of 8 to 64 characters and an actor"),
    (frame(body={}), "stop_strategy: "),
    (frame(body={"strategy": "7"}), "stop_strategy: strategy must be int"),
    (frame(body={"strategy": True}), "stop_strategy: strategy must be int"),
    (frame(body={"strategy": 7.0}), "stop_strategy: strategy must be int"),
    (frame(body={"strategy": 1 << 62}), "stop_strategy: strategy must be int"),
    (frame(body={"strategy": 7, "force": 1}), "stop_strategy has no field 'force'"),
]


@pytest.mark.parametrize(("raw", "sentence"), REFUSED)
def test_what_is_no_command_is_refused_in_a_sentence(raw: bytes, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        decode_command(raw)
    assert str(refused.value).startswith(sentence)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(sorted(control.BODIES))


@st.composite
def nearly_commands(draw: st.DrawFn) -> bytes:
    """Frames with fields of the right names and values of any kind."""
    kind = draw(KINDS)
    fields = control.BODIES[kind].__dataclass_fields__
    body = {name: draw(JSON) for name in fields}
    made = {"version": 1, "id": ID, "kind": kind, "actor": "alice", "body": body}
    if draw(st.booleans()):
        made[draw(st.sampled_from(sorted(made)))] = draw(JSON)
    return json.dumps(made).encode()


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=60), nearly_commands()))
def test_any_bytes_are_a_command_or_a_value_error(raw: bytes) -> None:
    try:
        made = decode_command(raw)
    except ValueError:
        return
    assert isinstance(made, Command)
    assert control.decode_body(made)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff", b'{"id": "x"}'])
def test_what_is_no_status_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match="this is not a status"):
        decode_status(raw)


def test_a_status_crosses_and_comes_back_as_it_was() -> None:
    status = Status(ID, control.REFUSED, "because", {"order_id": 5}, 17)
    assert decode_status(status.encode()) == status
    assert not status.applied
