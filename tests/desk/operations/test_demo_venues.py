"""The demo's venues: what the desk defines is what the demo's exchange opens and the engine takes."""

import json
from collections import Counter
from pathlib import Path

import pytest

from desk.operations.configurations import write_exchange_config
from desk.operations.demo import USER, Market
from desk.operations.demo_venues import VENUES, demo_venues, shared_out
from engine.simulator.config import MIDPOINT, VenueConfig, read_config
from engine.venues import read_venue
from engine.venues.fields import Address


@pytest.fixture
def market(tmp_path: Path) -> Market:
    made = Market(tmp_path)
    made.earlier_session.mkdir(parents=True)
    (made.directory / "first_port").write_text("26400")
    write_exchange_config(made)
    return made


def opened(market: Market) -> dict[str, VenueConfig]:
    return {venue.name: venue for venue in read_config(market.exchange_config).venues}


def test_each_is_reached_where_the_exchange_listens(market: Market) -> None:
    venues = opened(market)
    assert [demo.name for demo in demo_venues(market)] == ["XSIM", "XTWO", "XMID", "XBRK"]
    for demo in demo_venues(market):
        theirs, ours = venues[demo.name], read_venue(demo.protocol, demo.settings(market))
        assert ours.order_address == Address("127.0.0.1", theirs.order_port)  # type: ignore[union-attr]
        assert (ours.maker_fee, ours.taker_fee) in ((theirs.maker_fee, theirs.taker_fee), (theirs.taker_fee,) * 2)
        assert [user.name for user in theirs.users] == [USER]
        assert theirs.users[0].password == market.password
        lines = [f"{line.host}:{line.port}" for line in (ours.feed_line_a, ours.feed_line_b) if line]
        assert lines == [*theirs.line_a, *theirs.line_b]
        if theirs.reference:
            assert demo.settings(market)["priced_by"] == str(next(d.number for d in VENUES if d.name == "XSIM"))
            assert theirs.reference == "XSIM"


def test_no_two_listen_on_one_port(market: Market) -> None:
    text = market.exchange_config.read_text()
    ports = [
        port
        for venue in opened(market).values()
        for port in (venue.order_port, venue.retransmission_port, venue.snapshot_port)
        if port
    ]
    lines = [line for venue in opened(market).values() for line in (*venue.line_a, *venue.line_b)]
    assert len(set(ports)) == len(ports)
    assert len(set(lines)) == len(lines)
    assert max(ports) < 26400 + 32
    assert json.dumps(market.password) in text


def test_three_protocols_and_a_pool_and_a_broker_are_among_them(market: Market) -> None:
    kinds = {name: (venue.protocol, venue.kind) for name, venue in opened(market).items()}
    assert kinds == {
        "XSIM": ("ouch50", "lit"),
        "XTWO": ("ouch42", "lit"),
        "XMID": ("fix50sp2", MIDPOINT),
        "XBRK": ("fix42", "broker"),
        "XFIX": ("fix44", "lit"),
    }


def test_strategies_are_shared_out_over_all_of_them() -> None:
    assert Counter(demo.name for demo in shared_out(list(VENUES), 24)) == {"XSIM": 10, "XTWO": 6, "XMID": 5, "XBRK": 3}
    assert [demo.name for demo in shared_out(list(VENUES), 5)] == ["XSIM", "XTWO", "XMID", "XBRK", "XSIM"]
    assert {demo.name for demo in shared_out(list(VENUES[:1]), 24)} == {"XSIM"}


def test_a_market_of_an_earlier_release_keeps_the_venues_that_it_opens(market: Market) -> None:
    market.exchange_config.write_text('out = "exchange"\n[[venues]]\nname = "XSIM"\nid = 1\n')
    assert [demo.name for demo in demo_venues(market)] == ["XSIM"]
