"""An earlier session, recorded flat out: its files agree with each other, and its flow makes the same session again."""

import csv
import json
from pathlib import Path

import numpy as np

from engine.messages.instruments import read_instruments
from engine.protocols import itch50, moldudp64
from engine.simulator.assemble import Assembly
from engine.simulator.config import parse_config
from engine.simulator.recording import FRAME, record
from engine.simulator.simulation import Packet

VENUES = [{"name": "XSIM", "id": 1}]
SECONDS = 5.0


def packets_of(path: Path) -> list[tuple[int, moldudp64.Packet]]:
    raw, place, packets = path.read_bytes(), 0, []
    while place < len(raw):
        length, time_ns = FRAME.unpack_from(raw, place)
        place += FRAME.size
        packets.append((time_ns, moldudp64.decode(raw[place : place + length])))
        place += length
    return packets


def test_a_recorded_session(tmp_path, capsys):
    config = parse_config({"out": "out", "market": {"seed": 3}, "venues": VENUES}, tmp_path)
    assert record(config, tmp_path / "earlier", SECONDS, as_json=True) == 0
    totals = json.loads(capsys.readouterr().out)
    folder = tmp_path / "earlier"

    packets = packets_of(folder / "xsim.mold")
    assert [packet.sequence for _, packet in packets] == list(
        np.cumsum([1, *(len(packet.messages) for _, packet in packets[:-1])])
    )
    assert sum(len(packet.messages) for _, packet in packets) == totals["messages"]
    assert {itch50.decode(raw).name for raw in packets[0][1].messages} >= {"system_event", "stock_directory"}

    names = [instrument.name for instrument in read_instruments(folder / "instruments.json")]
    rows = list(csv.reader((folder / "prices.csv").open()))
    assert rows[0] == ["time", *names]
    assert len(rows) - 1 == totals["rows"] == SECONDS - 1
    assert all(60 <= float(price) <= 111 for row in rows[1:] for price in row[1:])

    traded = dict.fromkeys(names, 0)
    for _, packet in packets:
        for raw in packet.messages:
            message = itch50.decode(raw)
            if message.name in ("order_executed", "trade", "cross_trade"):
                traded[names[message.values["stock_locate"] - 1]] += message.values["quantity"]
    assert json.loads((folder / "volumes.json").read_text()) == {"seconds": SECONDS, "volumes": traded}
    assert sum(traded.values()) > 0

    described = json.loads((folder / "recording.json").read_text())
    assert (described["messages"], described["market"]["seed"]) == (totals["messages"], 3)


def test_the_recorded_flow_makes_the_same_session_again(tmp_path, capsys):
    config = parse_config({"out": "out", "market": {"seed": 3}, "venues": VENUES}, tmp_path)
    record(config, tmp_path / "earlier", SECONDS, as_json=True)
    capsys.readouterr()
    again = parse_config(
        {"out": "out", "flow": "earlier/flow.npy", "instruments": "earlier/instruments.json", "venues": VENUES},
        tmp_path,
    )
    assembly = Assembly(again, log=False)
    assembly.open()
    made = []
    while (output := assembly.simulation.next_output()) is not None:
        if isinstance(output, Packet):
            made += moldudp64.decode(output.payload).messages
    recorded = [raw for _, packet in packets_of(tmp_path / "earlier" / "xsim.mold") for raw in packet.messages]
    assert made[: len(recorded)] == recorded
