"""Settings of venues: what a form may say, and the sentence when it may not."""

from __future__ import annotations

import pytest

from engine.venues import VENUES, fix44, ouch42, ouch50
from engine.venues.fields import Address, SnapshotSettings, check_settings, parse_address

FEED = {"feed_line_a": "127.0.0.1:9001", "feed_line_b": "127.0.0.1:9002", "retransmission": "127.0.0.1:9003"}
OUCH = FEED | {
    "order_address": "127.0.0.1:9000", "user": "desk", "password": "pw", "firm": "DESK",
    "maker_fee": "-20", "taker_fee": "30",
}  # fmt: skip
FIX = FEED | {
    "order_address": "fix.example:9000", "sender_comp_id": "DESK", "target_comp_id": "XFIX", "heartbeat_seconds": "5",
    "username": "", "password": "", "account": "A1", "maker_fee": "0", "taker_fee": "10",
}  # fmt: skip


def test_every_kind_is_registered_under_its_protocol() -> None:
    assert {"ouch50", "ouch42", "fix44", "binance"} <= set(VENUES)
    assert [kind.protocol for kind in VENUES.values()] == list(VENUES)
    for kind in VENUES.values():
        names = [field.name for field in kind.fields]
        assert len(set(names)) == len(names)
        assert {field.kind for field in kind.fields} <= {"text", "integer", "address", "secret"}


def test_ouch_settings_become_typed() -> None:
    assert ouch50.read_settings(OUCH) == ouch50.OuchSettings(
        order_address=Address("127.0.0.1", 9000),
        user="desk",
        password="pw",
        firm="DESK",
        feed_line_a=Address("127.0.0.1", 9001),
        feed_line_b=Address("127.0.0.1", 9002),
        retransmission=Address("127.0.0.1", 9003),
        snapshot=None,
        maker_fee=-20,
        taker_fee=30,
        priced_by=0,
        lockstep=False,
        resend_within_ms=5_000,
    )


def test_fix_settings_become_typed_and_absent_lines_are_none() -> None:
    values = FIX | {"feed_line_b": "", "retransmission": ""}
    assert fix44.read_settings(values) == fix44.Fix44Settings(
        order_address=Address("fix.example", 9000),
        sender_comp_id="DESK",
        target_comp_id="XFIX",
        heartbeat_seconds=5,
        username="",
        password="",
        account="A1",
        version="4.4",
        dialect="",
        feed_line_a=Address("127.0.0.1", 9001),
        feed_line_b=None,
        retransmission=None,
        snapshot=None,
        maker_fee=0,
        taker_fee=10,
        priced_by=0,
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"midpoint": "1"}, "Midpoint: Priced by has to name the venue of whose prices it is the middle"),
        ({"midpoint": "2"}, "Minimum quantity is a number of shares, Midpoint is 0 or 1"),
        ({"minimum_quantity": "-1"}, "Minimum quantity is a number of shares, Midpoint is 0 or 1"),
        ({"order_address": "nowhere"}, "Order entry: 'nowhere' is not an address like 127.0.0.1:9000"),
        ({"order_address": ""}, "Order entry is missing"),
        ({"feed_line_a": "host:0"}, "Feed line A: 'host:0' is not an address like 127.0.0.1:9000"),
        ({"feed_line_a": "host:65536"}, "Feed line A: 'host:65536' is not an address like 127.0.0.1:9000"),
        ({"maker_fee": "0.1"}, "Maker fee: '0.1' is not a whole number"),
        ({"heartbeat_seconds": "0"}, "Heartbeat is 1 to 300 seconds"),
        ({"sender_comp_id": "A\x01B"}, "Our name: at most 100 printable characters are allowed"),
        ({"colour": "red"}, "FIX 4.4, 4.2, 5.0 SP2 through QuickFIX has no setting 'colour'"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:
        fix44.read_settings(FIX | change)
    assert str(refusal.value) == sentence


def test_an_ouch_user_that_does_not_fit_the_login_is_refused() -> None:
    with pytest.raises(ValueError, match="user has at most 6 ASCII characters"):
        ouch50.read_settings(OUCH | {"user": "toolong"})


def test_how_long_a_lost_order_may_leave_again_is_bounded() -> None:
    assert ouch50.read_settings(OUCH | {"resend_within_ms": "0"}).resend_within_ms == 0
    for wrong in ("-1", "60001"):
        with pytest.raises(ValueError, match="Send again within: from 0 to 60000 milliseconds are allowed"):
            ouch50.read_settings(OUCH | {"resend_within_ms": wrong})
    with pytest.raises(ValueError, match="has no setting 'resend_within_ms'"):
        ouch42.read_settings(OUCH | {"resend_within_ms": "0"})


def test_an_absent_setting_has_the_default_that_the_kind_announces() -> None:
    given = {name: value for name, value in FIX.items() if name != "heartbeat_seconds"}
    assert check_settings(fix44.KIND, given)["heartbeat_seconds"] == "5"


@pytest.mark.parametrize("text", ["", ":1", "a:", "a:b", "a b:1", "a:-1", "a:\u0661"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        parse_address(text)


def test_a_snapshot_server_has_an_address_a_login_and_a_bound() -> None:
    given = {"snapshot": "127.0.0.1:9004", "snapshot_user": "desk", "snapshot_password": "pw", "snapshot_after": "500"}
    assert ouch50.read_settings(OUCH | given).snapshot == SnapshotSettings(
        Address("127.0.0.1", 9004), "desk", "pw", 500
    )
    assert fix44.read_settings(FIX | {"snapshot": "127.0.0.1:9004"}).snapshot == SnapshotSettings(
        Address("127.0.0.1", 9004), "", "", 100_000
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("snapshot", "here", "Snapshot: 'here' is not an address"),
        ("snapshot_user", "toolong", "snapshot_user has at most 6"),
        ("snapshot_password", "elevenchars", "snapshot_password has at most 10"),
        ("drop_copy_user", "toolong", "drop_copy_user has at most 6"),
        ("drop_copy_password", "zł", "drop_copy_password has at most 10 ASCII"),
        ("snapshot_after", "0", "Snapshot after: from 1"),
        ("snapshot_after", "many", "'many' is not a whole number"),
    ],
)
def test_a_wrong_setting_of_a_second_stream_is_a_sentence(name: str, value: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ouch50.read_settings(OUCH | {name: value})
