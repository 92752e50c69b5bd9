"""`bench book`: ITCH 5.0 messages per second through decode and book, from memory.

Four ways, in turn in every round, each on empty books: with and without queue positions (arrival order of every order,
and the quantity ahead of some orders tracked as ours), in bulk (memory is asked for ahead) and one message at a time,
as live. Medians over the rounds. The levels of all four must be the same at the end.

`--ratio-to SECONDS` is the time that another program took for the same file (`--write` keeps the generated one).
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.bench.itch_session import VENUE, ItchSession, generate_session, load_session, open_books
from engine.hotpath.book import track_own
from engine.hotpath.book_layout import BookMemory
from engine.hotpath.itch_blocks import apply_blocks, apply_each

OWN_ORDERS = 2000


@dataclass(frozen=True)
class Way:
    """One way to run the session."""

    name: str
    queues: bool
    replay: Callable[[int, int, int, int], int]


WAYS = (
    Way("aggregate_bulk", False, apply_blocks),
    Way("aggregate_each", False, apply_each),
    Way("queues_bulk", True, apply_blocks),
    Way("queues_each", True, apply_each),
)


def replay(session: ItchSession, way: Way, book: int, own: list[tuple[int, int]]) -> int:
    """The session into the books; our orders, with where they become known, are tracked from there. Returns where the
    last block ends."""
    at = session.address
    for reference, known_at in own:
        at = way.replay(book, VENUE, at, known_at)
        track_own(book, VENUE, reference)
    return way.replay(book, VENUE, at, session.address + len(session.blocks))


def run(session: ItchSession, way: Way) -> tuple[float, BookMemory]:
    """Seconds for the whole session, and the books at its end."""
    memory = open_books(session.listings, session.most_orders, queues=way.queues, own_capacity=OWN_ORDERS + 1)
    last = session.address + len(session.blocks)
    own = session.own_orders(OWN_ORDERS).tolist() if way.queues else []
    started = time.perf_counter()
    end = replay(session, way, memory.address, own)
    seconds = time.perf_counter() - started
    if end != last:
        raise ValueError(f"the file ends inside a message, {last - end} bytes")
    return seconds, memory


def same_tops(memory: BookMemory, tops: np.ndarray[Any, Any]) -> bool:
    return bool((memory.tops == tops).all())


def measure(session: ItchSession, rounds: int) -> dict[str, Any]:
    """Medians of every way over interleaved rounds."""
    for way in WAYS:
        run(session.beginning(100), way)
    seconds: dict[str, list[float]] = {way.name: [] for way in WAYS}
    tops = session.tops
    for number in range(rounds):
        for way in WAYS:
            taken, memory = run(session, way)
            tops = memory.tops.copy() if tops is None else tops
            if not same_tops(memory, tops):
                raise AssertionError(f"{way.name} ends with other tops of book")
            seconds[way.name].append(taken)
            print(f"round {number + 1} {way.name} {taken / session.messages * 1e9:.1f} ns", file=sys.stderr)
            spilled, recentred = int(memory.book[0]["live_spill"]), int(memory.book[0]["recentred"])
            refused = refusals(memory)
            del memory
    return {
        "messages": session.messages,
        "bytes": len(session.blocks),
        "instruments": session.listings,
        "rounds": rounds,
        "spilled_levels": spilled,
        "recentred": recentred,
        "refused": refused,
        "seconds": {name: round(statistics.median(each), 4) for name, each in seconds.items()},
    }


def refusals(memory: BookMemory) -> int:
    """Messages about orders that were not applied, whatever the reason."""
    expected = {"applied", "not_book", "not_followed"}
    counts = memory.counts_by_type().values()
    return sum(n for by_outcome in counts for outcome, n in by_outcome.items() if outcome not in expected)


def report(found: dict[str, Any], peer_seconds: float | None) -> dict[str, Any]:
    """What is printed: `ns_per_message` of the bulk replay of the aggregate book, and of every way."""
    seconds = found["seconds"]
    each_ns = {name: round(taken / found["messages"] * 1e9, 2) for name, taken in seconds.items()}
    found["ns_per_message_by_way"] = each_ns
    found["ns_per_message"] = each_ns["aggregate_bulk"]
    found["messages_per_second"] = round(found["messages"] / seconds["aggregate_bulk"])
    if peer_seconds:
        found["peer_seconds"] = peer_seconds
        found["ratio"] = {name: round(peer_seconds / taken, 3) for name, taken in seconds.items()}
    return found


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine bench book", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000_000, help="messages to generate (default 20 million)")
    parser.add_argument("--instruments", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--file", type=Path, help="a BinaryFILE, plain or gzip, instead of a generated session")
    parser.add_argument("--write", type=Path, help="keep the generated session as a BinaryFILE, for other programs")
    parser.add_argument("--ratio-to", type=float, metavar="SECONDS", help="another program's time for the same file")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on a line of its own")
    options = parser.parse_args(arguments)
    if options.messages < 1 or options.rounds < 1 or not 1 <= options.instruments <= 20_000:
        parser.error("--messages and --rounds start at 1, --instruments goes from 1 to 20000")
    return options


def read_blocks(path: Path) -> np.ndarray[Any, Any]:
    """The file's bytes without the mark that ends a BinaryFILE."""
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    return np.frombuffer(raw, np.uint8)


def main(arguments: list[str]) -> int:
    """The command. 1 with a sentence when the file cannot be used."""
    options = _parse(arguments)
    try:
        if options.file:
            session = load_session(read_blocks(options.file))
        else:
            print("generating the session", file=sys.stderr)
            session = generate_session(options.messages, options.instruments)
        if options.write:
            options.write.write_bytes(session.blocks.tobytes() + b"\0\0")
        found = report(measure(session, options.rounds), options.ratio_to)
    except (OSError, EOFError, ValueError) as wrong:
        print(f"engine bench book: {wrong}", file=sys.stderr)
        return 1
    for name, nanoseconds in found["ns_per_message_by_way"].items():
        against = f", {found['ratio'][name]:.2f} x the peer" if "ratio" in found else ""
        print(f"book {name}: {nanoseconds:.1f} ns a message, {1000 / nanoseconds:.1f} M messages/s{against}")
    if options.json:
        print(json.dumps(found))
    return 0
