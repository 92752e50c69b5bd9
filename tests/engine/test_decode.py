"""`python -m engine decode`: recorded captures, files made by hand, and wrong guesses."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from engine.__main__ import main
from engine.protocols import binaryfile, itch50, moldudp64, ouch50, soupbintcp
from tests.engine.protocols import packets

ADD = itch50.encode(
    "add_order", stock_locate=7, timestamp_ns=1, reference=9, side="B", quantity=100, instrument="AAPL", price=1234500
)
DELETE = itch50.encode("order_delete", stock_locate=7, timestamp_ns=2, reference=9)
CANCEL = ouch50.encode_inbound("cancel_order", user_reference=5, quantity=0)
CANCELED = ouch50.encode_outbound("canceled", timestamp_ns=3, user_reference=5, quantity=100, reason="U")
ADD_SHOWN = {
    "type": "A",
    "name": "add_order",
    "stock_locate": 7,
    "tracking_number": 0,
    "timestamp_ns": 1,
    "reference": 9,
    "side": "B",
    "quantity": 100,
    "instrument": "AAPL",
    "price": "123.4500",
}
DELETE_SHOWN = {
    "type": "D",
    "name": "order_delete",
    "stock_locate": 7,
    "tracking_number": 0,
    "timestamp_ns": 2,
    "reference": 9,
}
BOTH = {"messages": 2, "by_type": {"A": 1, "D": 1}, "by_name": {"add_order": 1, "order_delete": 1}, "malformed": 0}


@pytest.fixture
def decode(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Status, printed objects and complaints of the command on these bytes."""

    def run(raw: bytes | Path, protocol: str, *more: str) -> tuple[int, list[dict[str, Any]], str]:
        path = raw if isinstance(raw, Path) else tmp_path / "file"
        if isinstance(raw, bytes):
            path.write_bytes(raw)
        status = main(["decode", str(path), "--protocol", protocol, *more])
        out, err = capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err

    return run


def recorded(folder: str) -> list[Any]:
    """(file, expected by_type) of the recorded captures; what each one holds was read from its bytes by hand."""
    kinds = {
        "AddOrderNoMpidAttributionMessage": {"A": 1},
        "OrderDeleteMessage": {"D": 1},
        "OrderReplaceMessage": {"U": 1},
        "MarketParticipantPositionMessage": {"L": 1},
        "Multiple.Packets": {"A": 36, "D": 1, "F": 2},
        "NetOrderImbalanceIndicatorMessage": {"I": 1},
        "OrderExecutedMessage": {"E": 1},
        "StockTradingActionMessage": {"H": 1},
        "EnterOrderMessage": {"O": 1},
        "OrderAcceptedMessage": {"A": 1},
        "ServerHeartbeatPacket": {"soupbintcp:H": 1},
    }
    bx = ("AddOrderNoMpidAttributionMessage", "OrderDeleteMessage", "OrderReplaceMessage")
    ouch = ("EnterOrderMessage", "OrderAcceptedMessage", "ServerHeartbeatPacket")
    names = {"Bx": bx, "Ouch": ouch, "Nasdaq": [name for name in kinds if name not in ouch]}[folder]
    return [pytest.param(name, kinds[name], id=f"{folder}-{name}") for name in names]


@pytest.mark.parametrize(("name", "by_type"), recorded("Bx"))
def test_every_recorded_bx_capture_is_read_whole(decode, shared_data: Path, name: str, by_type: dict[str, int]):
    status, printed, complaints = decode(
        shared_data / "pcap" / "Bx.Equities.TotalView.Itch.v5.0" / f"{name}.pcap", "itch50"
    )
    assert (status, complaints) == (0, "")
    assert (printed[-1]["by_type"], printed[-1]["malformed"]) == (by_type, 0)


@pytest.mark.parametrize(("name", "by_type"), recorded("Nasdaq"))
def test_every_recorded_nasdaq_capture_is_read_whole(decode, shared_data: Path, name: str, by_type: dict[str, int]):
    status, printed, complaints = decode(
        shared_data / "pcap" / "Nasdaq.Equities.TotalView.Itch.v5.0" / f"{name}.pcap", "itch50"
    )
    assert (status, complaints) == (0, "")
    assert (printed[-1]["by_type"], printed[-1]["malformed"]) == (by_type, 0)


@pytest.mark.parametrize(("name", "by_type"), recorded("Ouch"))
def test_every_recorded_ouch_capture_is_read_whole(decode, shared_data: Path, name: str, by_type: dict[str, int]):
    status, printed, complaints = decode(shared_data / "pcap" / "Nasdaq.Nsm.Ouch.v5.0" / f"{name}.pcap", "ouch50")
    assert (status, complaints) == (0, "")
    assert (printed[-1]["by_type"], printed[-1]["malformed"]) == (by_type, 0)


def test_a_recorded_order_reads_field_by_field(decode, shared_data: Path):
    _, printed, _ = decode(shared_data / "pcap" / "Nasdaq.Nsm.Ouch.v5.0" / "EnterOrderMessage.pcap", "ouch50")
    assert printed[0] == {
        "type": "O",
        "name": "enter_order",
        "direction": "inbound",
        "user_reference": 113,
        "side": "T",
        "quantity": 225,
        "instrument": "CVLT",
        "price": "63.0200",
        "time_in_force": "0",
        "display": "Y",
        "capacity": "A",
        "intermarket_sweep": "N",
        "cross_type": "N",
        "client_order_id": "H8FUB8IV",
        "appendage": {"firm": "LIME"},
    }


MOLD = moldudp64.encode("000010059B", 5, [ADD, DELETE])
FORMS = {
    "binaryfile": binaryfile.encode([ADD, DELETE]),
    "bare": ADD + DELETE,
    "gzip": gzip.compress(binaryfile.encode([ADD, DELETE])),
    "pcap": packets.pcap([packets.ethernet(packets.ipv4(packets.udp(MOLD)), vlans=1)]),
    "pcapng": packets.pcapng([packets.ethernet(packets.ipv6(packets.udp(MOLD)))]),
    "pcap in two VLANs": packets.pcap([packets.ethernet(packets.ipv4(packets.udp(MOLD)), vlans=2)]),
    "gzipped bare": gzip.compress(ADD + DELETE),
    "gzipped pcap": gzip.compress(packets.pcap([packets.ethernet(packets.ipv4(packets.udp(MOLD)))])),
    "soupbintcp": packets.pcap(
        [
            packets.ethernet(
                packets.ipv4(packets.tcp(b"".join(soupbintcp.encode("sequenced_data", raw) for raw in (ADD, DELETE))))
            )
        ]
    ),
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_the_same_messages_come_out_of_every_form_of_file(decode, form: str):
    assert decode(FORMS[form], "itch50") == (0, [ADD_SHOWN, DELETE_SHOWN, BOTH], "")


SNAPSHOT = b"".join(soupbintcp.encode("sequenced_data", raw) for raw in (ADD, itch50.encode_end_of_snapshot(4711)))
SNAPSHOT_FORMS = {
    "stream": SNAPSHOT,
    "gzip": gzip.compress(SNAPSHOT),
    "pcap": packets.pcap([packets.ethernet(packets.ipv4(packets.tcp(SNAPSHOT)), vlans=2)]),
    "pcapng": packets.pcapng([packets.ethernet(packets.ipv6(packets.tcp(SNAPSHOT)))]),
}


@pytest.mark.parametrize("form", sorted(SNAPSHOT_FORMS))
def test_a_snapshot_is_read_to_its_end(decode, form: str):
    assert decode(SNAPSHOT_FORMS[form], "glimpse") == (
        0,
        [
            ADD_SHOWN,
            {"type": "G", "name": "end_of_snapshot", "sequence": 4711},
            {
                "messages": 2,
                "by_type": {"A": 1, "G": 1},
                "by_name": {"add_order": 1, "end_of_snapshot": 1},
                "malformed": 0,
            },
        ],
        "",
    )


def test_the_summary_alone_can_be_asked_for(decode):
    assert decode(FORMS["bare"], "itch50", "--summary", "--json") == (0, [BOTH], "")


def test_malformed_messages_are_counted_and_do_not_stop_the_reading(decode):
    status, printed, complaints = decode(binaryfile.encode([ADD, b"zzz", ADD[:-1], DELETE]), "itch50")
    assert status == 0
    assert printed == [ADD_SHOWN, DELETE_SHOWN, BOTH | {"malformed": 2}]
    assert "item 2 is malformed: ITCH 5.0 has no message type 'z'" in complaints
    assert "item 3 is malformed: add_order has 36 bytes, not 35" in complaints


def test_a_file_that_breaks_off_gives_what_is_whole(decode):
    for raw in (binaryfile.encode([ADD, DELETE])[:-5], ADD + DELETE[:-3], FORMS["pcap"] + b"\1\2\3"):
        status, printed, _ = decode(raw, "itch50")
        assert status == 0
        assert printed[-1]["malformed"] == 1
        assert printed[0] == ADD_SHOWN


def test_packets_of_moldudp64_are_shown_as_packets(decode):
    frames = [
        packets.ethernet(packets.ipv4(packets.udp(payload)))
        for payload in (
            MOLD,
            moldudp64.encode("000010059B", 7, []),
            moldudp64.encode_end_of_session("000010059B", 7),
            moldudp64.encode_request("000010059B", 5, 2),
        )
    ]
    status, printed, _ = decode(packets.pcap(frames), "moldudp64")
    header = {"session": "000010059B"}
    counts = {"data": 1, "heartbeat": 1, "end_of_session": 1, "request": 1}
    assert status == 0
    assert printed == [
        {
            "type": "data",
            "name": "data",
            "messages": [ADD.hex(), DELETE.hex()],
            **header,
            "sequence": 5,
            "message_count": 2,
        },
        {"type": "heartbeat", "name": "heartbeat", "messages": [], **header, "sequence": 7, "message_count": 0},
        {"type": "end_of_session", "name": "end_of_session", "messages": [], **header, "sequence": 7}
        | {"message_count": 65535},
        {"type": "request", "name": "request", **header, "sequence": 5, "message_count": 2},
        {"messages": 4, "by_type": counts, "by_name": counts, "malformed": 0},
    ]


SESSION = (
    soupbintcp.encode("login_request", username="desk", password="secret", session="", sequence=1),
    soupbintcp.encode("unsequenced_data", CANCEL),
)
ANSWERS = (
    soupbintcp.encode("login_accepted", session="DAY", sequence=1),
    soupbintcp.encode("sequenced_data", CANCELED),
    soupbintcp.encode("server_heartbeat"),
)


def test_both_directions_of_an_order_session_are_read_from_one_capture(decode):
    frames = [
        packets.ethernet(packets.ipv4(packets.tcp(SESSION[0], source=40001))),
        packets.ethernet(packets.ipv4(packets.tcp(ANSWERS[0], source=8001))),
        packets.ethernet(packets.ipv4(packets.tcp(SESSION[1], 1 + len(SESSION[0]), source=40001))),
        packets.ethernet(packets.ipv4(packets.tcp(ANSWERS[1] + ANSWERS[2], 1 + len(ANSWERS[0]), source=8001))),
    ]
    status, printed, _ = decode(packets.pcap(frames), "ouch50")
    assert status == 0
    assert printed[0]["password"] == "(hidden)"
    assert printed[2] == {
        "type": "X",
        "name": "cancel_order",
        "direction": "inbound",
        "user_reference": 5,
        "quantity": 0,
    }
    assert printed[3]["direction"] == "outbound"
    assert printed[-1]["by_type"] == {"X": 1, "C": 1, "soupbintcp:L": 1, "soupbintcp:A": 1, "soupbintcp:H": 1}
    assert printed[-1]["malformed"] == 0


def test_a_raw_stream_of_soupbintcp_gives_packets_or_the_orders_in_them(decode):
    raw = b"".join((*SESSION, *ANSWERS))
    assert decode(raw, "soupbintcp")[1][-1]["by_type"] == {"L": 1, "U": 1, "A": 1, "S": 1, "H": 1}
    assert decode(raw, "ouch50")[1][-1]["by_name"] == {
        "login_request": 1,
        "cancel_order": 1,
        "login_accepted": 1,
        "canceled": 1,
        "server_heartbeat": 1,
    }


def test_length_prefixed_orders_need_no_session_around_them(decode):
    status, printed, _ = decode(binaryfile.encode([CANCEL, CANCELED]), "ouch50")
    assert (status, [line.get("direction") for line in printed[:2]]) == (0, ["inbound", "outbound"])


def test_lost_segments_cost_what_they_carried_and_no_more(decode):
    first, lost, last = ANSWERS
    frames = [
        packets.ethernet(packets.ipv4(packets.tcp(first + lost[:4], 1))),
        packets.ethernet(packets.ipv4(packets.tcp(last, 1 + len(first) + len(lost)))),
    ]
    _, printed, complaints = decode(packets.pcap(frames), "ouch50")
    assert printed[-1]["by_type"] == {"soupbintcp:A": 1, "soupbintcp:H": 1}
    assert printed[-1]["malformed"] == 1
    assert "breaks off 4 bytes into a packet" in complaints


@pytest.mark.parametrize(
    ("raw", "protocol"),
    [
        (FORMS["pcap"], "ouch50"),
        (FORMS["pcap"], "soupbintcp"),
        (FORMS["soupbintcp"], "ouch50"),
        (FORMS["soupbintcp"], "moldudp64"),
        (FORMS["bare"], "ouch50"),
        (FORMS["bare"], "moldudp64"),
        (binaryfile.encode([CANCEL]), "itch50"),
        (b"this is a text\n" * 9, "itch50"),
        (b"", "itch50"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_guess_is_a_clear_sentence(decode, raw: bytes, protocol: str):
    status, printed, complaints = decode(raw, protocol)
    assert (status, printed[-1]["messages"]) == (1, 0)
    assert f"no {protocol} message in" in complaints.splitlines()[-1]


def test_files_that_cannot_be_read_are_a_clear_sentence(decode, tmp_path: Path):
    assert "No such file" in decode(tmp_path / "absent", "itch50")[2]
    assert decode(tmp_path / "absent", "itch50")[0] == 1
    assert decode(gzip.compress(ADD)[:-4], "itch50")[0] == 1
    assert decode(packets.pcap([])[:10], "itch50")[0] == 1


def test_an_unknown_command_is_a_clear_sentence(capsys: pytest.CaptureFixture[str]):
    assert main(["decoed"]) == 2
    assert "there is no command 'decoed'" in capsys.readouterr().err
