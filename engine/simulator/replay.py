"""Recorded quotes as order flow: LEAN tick quotes (milliseconds of the New York day) become QUOTE requests.

Every (participant, instrument, side) is one resting order that is replaced as it changes. Participants are the
exchanges of the file; one letter replays that venue alone, `all` lays every venue's quotes over each other in one book.
Quotes marked suspicious are left out.

The files hold a side of a venue only while it is at the best price of all. So a quote that would lock or cross older
ones of the other side withdraws them: it proves that they are gone. Behind the best price, the book shows what each
venue last quoted there.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from engine.messages.codes import Side, TimeInForce
from engine.simulator.config import ConfigError, Replay
from engine.simulator.layout import FLOW, MAXIMUM_QUANTITY, QUOTE

NEW_YORK = ZoneInfo("America/New_York")
MILLISECOND_NS = 1_000_000
LINE = np.dtype(
    [
        ("time_ms", "<i8"),
        ("bid", "<i8"),
        ("bid_quantity", "<i8"),
        ("ask", "<i8"),
        ("ask_quantity", "<i8"),
        ("participant", "S1"),
        ("condition", "S8"),
        ("suspicious", "<i8"),
    ]
)


def read_quotes(replay: Replay, instrument_ids: dict[str, int]) -> tuple[np.ndarray, int]:
    """(FLOW records in order of time, midnight of the day in New York as UTC nanoseconds)."""
    parts, midnights = [], set()
    for name, file in replay.files.items():
        if name not in instrument_ids:
            raise ConfigError(f"replay: {name} is not a listed instrument")
        records, midnight_ns = quotes_of_file(Path(file), instrument_ids[name], replay)
        parts.append(records)
        midnights.add(midnight_ns)
    if len(midnights) != 1:
        raise ConfigError("replay: the files must be of one day")
    merged = np.concatenate(parts)
    return merged[np.argsort(merged["time_ns"], kind="stable")], midnights.pop()


def quotes_of_file(path: Path, instrument: int, replay: Replay) -> tuple[np.ndarray, int]:
    """FLOW records of one file of quotes, and its midnight."""
    midnight_ns = midnight_of(path)
    first_ms, last_ms = _milliseconds(replay.first_time), _milliseconds(replay.last_time)
    quotes = _read(path)
    kept = (quotes["time_ms"] <= last_ms) & (quotes["suspicious"] == 0)
    if replay.participant != "all":
        kept &= quotes["participant"] == replay.participant.encode()
    quotes = quotes[kept]
    # A line may set both sides: the bid first.
    sides = np.tile([int(Side.BUY), int(Side.SELL)], len(quotes))
    prices = np.stack([quotes["bid"], quotes["ask"]], axis=1).ravel()
    quantities = np.stack([quotes["bid_quantity"], quotes["ask_quantity"]], axis=1).ravel()
    times = np.repeat(np.maximum(quotes["time_ms"], first_ms), 2)
    participants = np.repeat(quotes["participant"].view(np.uint8).astype(np.uint32), 2)
    changed = prices != 0
    records = np.zeros(int(changed.sum()), FLOW)
    records["time_ns"] = midnight_ns + times[changed] * MILLISECOND_NS
    records["user_reference"] = ((instrument << 9) | (participants << 1) | (sides - 1))[changed]
    records["price"], records["quantity"] = prices[changed], np.minimum(quantities[changed], MAXIMUM_QUANTITY - 1)
    records["instrument"], records["action"], records["side"] = instrument, QUOTE, sides[changed]
    records["time_in_force"], records["displayed"] = int(TimeInForce.DAY), 1
    return _without_stale_opening(records, midnight_ns + first_ms * MILLISECOND_NS), midnight_ns


def _without_stale_opening(records: np.ndarray, first_ns: int) -> np.ndarray:
    """Of what was quoted before the session starts, keep each participant's last word."""
    early = int(np.searchsorted(records["time_ns"], first_ns, side="right"))
    last = {int(reference): row for row, reference in enumerate(records["user_reference"][:early])}
    return np.concatenate([records[sorted(last.values())], records[early:]])


def midnight_of(path: Path) -> int:
    """Midnight in New York, as UTC nanoseconds, of the day that a LEAN file name starts with."""
    found = re.match(r"(\d{8})_", path.name)
    if not found:
        raise ConfigError(f"replay: {path.name} does not start with a day such as 20131007_")
    midnight = datetime.strptime(found.group(1), "%Y%m%d").replace(tzinfo=NEW_YORK)
    return round(midnight.timestamp()) * 1_000_000_000


def _read(path: Path) -> np.ndarray:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                raw = archive.read(archive.namelist()[0])
        else:
            raw = path.read_bytes()
        return np.loadtxt(io.BytesIO(raw), LINE, delimiter=",", ndmin=1, comments=None)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ConfigError(f"replay: {path}: {error}") from None


def _milliseconds(clock: str) -> int:
    moment = datetime.strptime(clock, "%H:%M:%S")
    day = timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)
    return int(day.total_seconds() * 1000)
