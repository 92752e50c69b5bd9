"""An earlier session, generated flat out without sockets: packets, order flow, instruments and a table of mid prices.

DIR gets, per venue, `<name>.mold` (packets, each behind its length as u32 and its time as i64, little endian), and from
the first venue `flow.npy` (FLOW records) and `prices.csv` (mid price per second and instrument); `instruments.json` and
`recording.json` say what it is, `volumes.json` how many shares of each instrument were traded on all venues.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from struct import Struct
from typing import IO, Any

import numpy as np

from engine.hotpath.traded_volume import add_traded
from engine.messages.instruments import write_instruments
from engine.native import address_of, touched
from engine.simulator.assemble import Assembly
from engine.simulator.config import ConfigError, ExchangeConfig
from engine.simulator.prices import PriceTable
from engine.simulator.simulation import Packet

FRAME = Struct("<Iq")
LARGEST_PACKET = 1 << 16
SECOND_NS = 1_000_000_000


def record(config: ExchangeConfig, target: Path, seconds: float, as_json: bool) -> int:
    """Record `seconds` of the session's own time into `target`."""
    if seconds <= 0:
        raise ConfigError("--seconds must be above 0")
    target.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    capacity = round(config.market.rate * seconds * 1.2) + 10_000 if config.market else 0
    start_ns = time.time_ns() // SECOND_NS * SECOND_NS - round(seconds) * SECOND_NS
    assembly = Assembly(config, start_ns, log=False, record_capacity=capacity)
    assembly.open()
    volumes = touched(max(row.id for row in assembly.instruments) + 1, np.dtype("<i8"))
    totals = _run(assembly, target, seconds, volumes)
    traded = {row.name: int(volumes[row.id]) for row in assembly.instruments}
    (target / "volumes.json").write_text(json.dumps({"seconds": seconds, "volumes": traded}, indent=1) + "\n")
    write_instruments(target / "instruments.json", assembly.instruments)
    if assembly.generators:
        np.save(target / "flow.npy", assembly.generators[0].recorded_flow())
    elif len(assembly.recorded):
        np.save(target / "flow.npy", assembly.recorded)
    totals |= {"session": assembly.session, "start_ns": assembly.start_ns, "midnight_ns": assembly.midnight_ns}
    totals |= {
        "end_ns": assembly.start_ns + round(seconds * SECOND_NS),
        "packet_interval_ms": config.venues[0].packet_interval_ms,
    }
    described = totals | {"market": asdict(config.market) if config.market else None}
    (target / "recording.json").write_text(json.dumps(described, indent=1) + "\n")
    totals["seconds"] = round(time.monotonic() - started, 3)
    if as_json:
        print(json.dumps(totals))
    else:
        print(
            f"{totals['packets']} packets, {totals['messages']} messages, {totals['rows']} rows of prices in {target}"
        )
    return 0


def _run(
    assembly: Assembly, target: Path, seconds: float, volumes: np.ndarray[Any, Any]
) -> dict[str, int | str | float]:
    end_ns = assembly.start_ns + round(seconds * SECOND_NS)
    prices = PriceTable(assembly.venues[0], assembly.start_ns)
    packets = 0
    payload = touched(LARGEST_PACKET, np.dtype("u1"))
    places = address_of(volumes), len(volumes) - 1, address_of(payload)
    files = {venue.number: (target / f"{venue.name.lower()}.mold").open("wb") for venue in assembly.venues}
    try:
        while (output := assembly.simulation.next_output(end_ns - 1)) is not None:
            if isinstance(output, Packet):
                prices.advance(output.time_ns)
                _write(files[output.venue.number], output)
                ctypes.memmove(places[2], output.payload, len(output.payload))
                add_traded(*places, len(output.payload))
                packets += 1
                if packets % 50_000 == 0:
                    done = (output.time_ns - assembly.start_ns) / SECOND_NS
                    print(f"exchange: {done:.0f} of {seconds:.0f} s recorded", file=sys.stderr, flush=True)
    finally:
        for file in files.values():
            file.close()
    rows = prices.write(target / "prices.csv")
    messages = sum(venue.feed.next_sequence - 1 for venue in assembly.venues)
    return {"packets": packets, "messages": messages, "rows": rows}


def _write(file: IO[bytes], packet: Packet) -> None:
    file.write(FRAME.pack(len(packet.payload), packet.time_ns) + packet.payload)
