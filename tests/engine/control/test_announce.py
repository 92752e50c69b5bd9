"""The catalogue: everything a form needs, and no secret."""

from __future__ import annotations

import json
from dataclasses import asdict

from engine.build import build_hash
from engine.control.announce import catalogue
from engine.messages.control import DefineVenue
from engine.strategies import compiled_kind, pairs
from engine.venues import VENUES
from tests.engine.loop_builder import INSTRUMENTS, Loop


def test_the_catalogue_says_what_this_engine_can_do_and_knows() -> None:
    loop = Loop(venues=())
    loop.wide_limits()
    loop.define_venue(2, taker_fee="30")
    made = catalogue(loop.configuration, INSTRUMENTS, 4, "paper").as_body()
    assert {name: made[name] for name in ("build_hash", "epoch", "mode", "limits_version", "limits_hash")} == {
        "build_hash": build_hash(),
        "epoch": 4,
        "mode": "PAPER",
        "limits_version": 1,
        "limits_hash": loop.configuration.limits_hash,
    }
    assert made["instruments"] == [asdict(row) for row in INSTRUMENTS]
    assert [kind["protocol"] for kind in made["venue_kinds"]] == list(VENUES)
    (kind,) = made["strategy_kinds"]
    assert (kind["name"], kind["hash"]) == ("pairs", compiled_kind("pairs").hash)
    assert kind["parameters"] == [asdict(parameter) for parameter in pairs.PARAMETERS]


def test_secrets_of_venues_are_left_out() -> None:
    loop = Loop(venues=())
    fix = {
        "order_address": "127.0.0.1:1",
        "sender_comp_id": "US",
        "target_comp_id": "X2",
        "password": "hunter2",
        "feed_line_a": "127.0.0.1:2",
    }
    loop.define_venue(1)
    loop.applied(DefineVenue(2, "X2", "fix44", fix))
    made = catalogue(loop.configuration, INSTRUMENTS, 1, "paper").as_body()
    assert made["venues"] == [
        {
            "venue": 1,
            "name": "X1",
            "protocol": "ouch50",
            "settings": {"order_address": "127.0.0.1:1", "user": "desk", "feed_line_a": "127.0.0.1:2"},
        },
        {
            "venue": 2,
            "name": "X2",
            "protocol": "fix44",
            "settings": {name: value for name, value in fix.items() if name != "password"},
        },
    ]
    text = json.dumps(made)
    assert "hunter2" not in text
    assert '"secret"' in text  # the kind of the field, for the form
