"""Whatever passes the wire's check of types is applied or refused: nothing a person sends stops the loop's thread."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.algorithms import compiled_algorithm
from engine.messages import control
from engine.messages.control import APPLIED, REFUSED, Command, decode_command
from engine.messages.costs import CostRow
from engine.strategies import compiled_kind
from tests.engine.loop_builder import ALPHA, PARAMETERS, SECOND_NS, START_NS, Loop

LARGE = (1 << 62) - 1
NUMBERS = st.one_of(st.integers(-2, 9), st.integers(-LARGE, LARGE), st.sampled_from([1_000_000, 1 << 31, 1 << 32]))
TEXTS = st.one_of(st.sampled_from(["pairs", "ouch50", "fix44", "127.0.0.1:1", "desk", "bob", ""]), st.text(max_size=12))
SETTINGS = st.sampled_from(
    ["order_address", "user", "password", "feed_line_a", "maker_fee", "lockstep", "sender_comp_id", "x"]
)
LIMITS = st.sampled_from(["scope", "scope_id", "position", "order_quantity", "collar_basis_points", "daily_loss", "x"])
BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "int": NUMBERS,
    "str": TEXTS,
    "list[int]": st.lists(NUMBERS, max_size=4),
    "list[dict[str, int]]": st.lists(st.dictionaries(LIMITS, NUMBERS, max_size=6), max_size=3),
    "list[dict[str, float]]": st.lists(
        st.dictionaries(st.sampled_from([*CostRow.__dataclass_fields__, "x"]), NUMBERS, max_size=14), max_size=3
    ),
    "dict[str, str]": st.dictionaries(SETTINGS, TEXTS, max_size=8),
    "dict[str, float]": st.dictionaries(
        st.sampled_from([*PARAMETERS, "x"]), st.one_of(NUMBERS, st.floats(-1e300, 1e300)), max_size=8
    ),
}
KINDS = sorted(set(control.BODIES) - {control.HELLO})


@st.composite
def commands(draw: st.DrawFn) -> Command:
    kind = draw(st.sampled_from(KINDS))
    fields = control.BODIES[kind].__dataclass_fields__
    body = {name: draw(BY_TYPE[str(field.type)]) for name, field in fields.items()}
    if kind == control.START_STRATEGY and draw(st.booleans()):
        body |= {"kind": "pairs", "kind_hash": compiled_kind("pairs").hash, "parameters": PARAMETERS}
        body |= {"instruments": [1, 2], "venue": 1}
    if kind == control.ENTER_PARENT and draw(st.booleans()):
        body |= {"algorithm": "twap", "kind_hash": compiled_algorithm("twap").hash, "venues": [1, 2], "strategy": 0}
        body |= {"parameters": {"slices": 10, "patience": 1.0}, "instrument": ALPHA, "side": 1, "price": 0}
        body |= {"start_ns": 0, "end_ns": START_NS + draw(st.sampled_from([1, 3600])) * SECOND_NS, "expires_ns": 0}
    if kind == control.APPLY_LIMITS and draw(st.booleans()):
        body["based_on"] = shared().configuration.limits_version
    return control.command(control.BODIES[kind](**body), "alice")


@cache
def shared() -> Loop:
    loop = Loop()
    loop.wide_limits()
    loop.quote(ALPHA, 999_900, 1_000_100)
    return loop


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(commands())
def test_every_well_typed_command_is_answered(command: Command) -> None:
    loop = shared()
    status = loop.commands.execute(decode_command(command.encode()))
    assert status.outcome in (APPLIED, REFUSED)
    assert (status.reason == "") == (status.outcome == APPLIED)
    loop.journal.take()
    for venue in loop.memory.venues:
        venue["outbound_used"] = 0
