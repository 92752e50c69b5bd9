import pytest

from desk.live.channels import Channel, may_read, parse_channel

ALICES = frozenset({3})


@pytest.mark.parametrize(
    ("name", "channel", "carries_events"),
    [
        ("engine", Channel("engine", None), False),
        ("tops", Channel("tops", None), False),
        ("positions.3", Channel("positions", 3), False),
        ("pnl.0", Channel("pnl", 0), False),
        ("fills.3", Channel("fills", 3), True),
        ("engine_events", Channel("engine_events", None), True),
    ],
)
def test_a_name_says_topic_team_and_kind(name: str, channel: Channel, carries_events: bool) -> None:
    parsed = parse_channel(name)
    assert (parsed, parsed.carries_events) == (channel, carries_events)


@pytest.mark.parametrize(
    "name", ["", "fills", "fills.", "fills.x", "fills.-1", "fills.²", "engine.3", "secrets.3", 7, None, "f" * 50]
)
def test_other_names_are_no_channels(name: object) -> None:
    with pytest.raises(ValueError, match="channel"):
        parse_channel(name)


@pytest.mark.parametrize(
    ("name", "trader", "risk"),
    [
        ("venues", True, True),
        ("fills.3", True, True),
        ("fills.4", False, False),
        ("pnl.0", False, True),
    ],
)
def test_a_team_is_read_by_those_who_see_it_and_the_firm_by_those_who_see_all(
    name: str, trader: bool, risk: bool
) -> None:
    channel = parse_channel(name)
    assert (may_read(channel, ALICES, False), may_read(channel, ALICES, True)) == (trader, risk)
