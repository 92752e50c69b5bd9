"""What the API says of the market and of the engine's speed: the running engine's own state, in the API's words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desk.accounts.models import User
from desk.markets.models import Instrument, Venue
from tests.desk.live.fake_follow import FakeFollow, state_of

TOP = {
    "bid": 999_900, "bid_quantity": 500, "ask": None, "ask_quantity": None, "status": "HALTED", "status_reason": "T1",
    "short_sale": True, "collar_lower": None, "collar_upper": 1_100_000, "last_price": 1_000_050, "last_quantity": 40,
    "volume": 0, "imbalance_side": "B", "imbalance_quantity": 300, "near_price": None, "retail_interest": None,
    "paired_quantity": 1_200, "release_time": None, "direct_listing": None, "market_makers": 2,
}  # fmt: skip
SHOWN = {
    "bid": "99.9900", "bid_quantity": "500", "ask": None, "ask_quantity": None, "status": "HALTED",
    "status_reason": "T1", "market": "OPEN", "short_sale": True, "collar_lower": None, "collar_upper": "110.0000",
    "last_price": "100.0050", "last_quantity": "40", "volume": "0", "imbalance_side": "B", "imbalance_quantity": "300",
    "paired_quantity": "1200", "near_price": None, "retail_interest": None, "release_time": None,
    "direct_listing": None, "market_makers": "2",
}  # fmt: skip
QUANTILES = {"n": 3, "p50_ns": 1_000, "p90_ns": 2_000, "p99_ns": 3_000, "p999_ns": 3_000, "max_ns": 3_000}


@pytest.fixture
def follow(engine_state: Path, market: Venue) -> Iterator[FakeFollow]:
    tops = [{"venue": 1, "instrument": row.pk} | TOP for row in Instrument.objects.all()[:2]]
    latency = {"n": 3, "minute": {"whole": QUANTILES}, "day": {"whole": QUANTILES}, "lost": 0}
    alarm = {"name": "latency_p99", "sentence": "too slow", "since_ns": 1_767_349_230_123_456_789}
    venues = [{"venue": 1, "market": "OPEN"}]
    running = FakeFollow(engine_state, state=state_of(tops=tops, venues=venues, latency=latency, alarms=[alarm]))
    yield running.start()
    running.stop()


def test_every_instrument_says_its_prices_and_its_status_at_every_venue(
    follow: FakeFollow, api: Any, alice: User
) -> None:
    rows = api(alice, "GET", "/tops").json()
    assert rows == [{"instrument": name, "venue": "XSIM"} | SHOWN for name in ("AAA", "BBB")]
    assert [row["instrument"] for row in api(alice, "GET", "/tops?instrument=BBB&venue=XSIM").json()] == ["BBB"]
    assert api(alice, "GET", "/tops?instrument=NONE").json()["code"] == "unknown_instrument"


def test_latency_comes_with_its_stages_and_the_alarms_that_hold(follow: FakeFollow, api: Any, alice: User) -> None:
    assert api(alice, "GET", "/latency").json() == {
        "minute": {"whole": QUANTILES},
        "day": {"whole": QUANTILES},
        "alarms": [
            {
                "name": "latency_p99",
                "sentence": "too slow",
                "since": "2026-01-02T10:20:30.123456789Z",
                "since_ns": "1767349230123456789",
            }
        ],
    }


def test_without_an_engine_nobody_guesses_the_market(
    engine_state: Path, monkeypatch: pytest.MonkeyPatch, api: Any, alice: User
) -> None:
    monkeypatch.setattr("desk.link.state.newest_state.__defaults__", (0.05,))
    answer = api(alice, "GET", "/tops")
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unreachable")
