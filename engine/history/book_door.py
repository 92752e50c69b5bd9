"""`python -m engine book FILE --format F`: rebuild the book of a file, one CSV row after every event."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from engine.history import binance, lean, lobster
from engine.history.binance_book import BinanceBook
from engine.history.book_rows import BookRows
from engine.history.itch_file import ItchFile
from engine.history.itch_replay import ItchReplay, instrument_names
from engine.history.lean_book import LeanBook
from engine.history.lobster_book import LobsterBook
from engine.history.warm_up import warm_up
from engine.protocols.binance import Event, Snapshot
from engine.protocols.binance_lines import layout_of
from engine.protocols.captures import MalformedCapture
from engine.protocols.layouts import MalformedMessage
from engine.quick_compile import quick_compile

COMPLAINTS = 20
Summary = dict[str, Any]


class Refused(Exception):
    """The command cannot be done as asked; the sentence says why."""


def _complain(path: Path, number: int, reason: object, so_far: int) -> None:
    if so_far <= COMPLAINTS:
        print(f"{path.name}: line {number}: {reason}", file=sys.stderr)


def _lobster(options: argparse.Namespace, target: TextIO | None) -> Summary:
    depth = lobster.depth_of(options.seed_from) if options.seed_from else 0
    book = LobsterBook(depth)
    rows = BookRows(book.memory, 0, options.levels, target)
    seeds = lobster.read_lines(options.seed_from) if options.seed_from else None
    by_type: Counter[str] = Counter()
    malformed = 0
    for number, line in enumerate(lobster.read_lines(options.file), 1):
        seed = next(seeds, None) if seeds else None
        try:
            event = lobster.parse_event(line)
        except lobster.MalformedLine as wrong:
            malformed += 1
            _complain(options.file, number, wrong, malformed)
            continue
        if seeds and seed is None:
            raise Refused(f"{options.seed_from} has fewer rows than {options.file} has events")
        book.apply(event)
        if seed is not None:
            book.reconcile(lobster.parse_levels(seed))
        by_type[str(int(event.type))] += 1
        rows.add(number, event.time_ns)
    return {
        "messages": by_type.total(),
        "by_type": dict(sorted(by_type.items())),
        "rows": rows.count,
        "crossed_rows": rows.crossed,
        "locked_rows": rows.locked,
        "seeded_levels": book.seeded_levels,
        "initial_levels": book.initial_levels,
        "unknown_orders": book.unknown_orders,
        "malformed": malformed + book.refused,
    }


def _itch50(options: argparse.Namespace, target: TextIO | None) -> Summary:
    instrument = options.instrument
    if target and not instrument:
        names = instrument_names(ItchFile(options.file))
        if len(names) != 1:
            found = f"has {', '.join(names)} and others" if names else "adds no order"
            raise Refused(f"name the instrument with --instrument: {options.file} {found}")
        instrument = names[0]
    replay = ItchReplay(ItchFile(options.file), instrument)
    rows = BookRows(replay.memory, 0, options.levels, target)
    for number, time_ns in replay.events():
        rows.add(number, time_ns)
    if instrument and not replay.listings:
        raise Refused(f"{options.file} names no instrument {instrument}")
    outcomes = replay.outcomes()
    return {
        "messages": replay.messages,
        "by_type": replay.by_type(),
        "rows": rows.count,
        "crossed_rows": rows.crossed,
        "locked_rows": rows.locked,
        "seeded_levels": 0,
        "unknown_orders": outcomes.get("unknown_order", 0),
        "outcomes": outcomes,
        "missing": replay.source.missing,
        "malformed": replay.malformed(),
    }


def _lean(options: argparse.Namespace, target: TextIO | None) -> Summary:
    instrument = lean.instrument_of(options.file)
    if options.instrument and options.instrument.upper() != instrument:
        raise Refused(f"{options.file} is about {instrument}, not {options.instrument}")
    book = LeanBook()
    rows = BookRows(book.memory, 0, options.levels, target)
    by_type: Counter[str] = Counter()
    malformed = 0
    for number, line in enumerate(lean.read_lines(options.file), 1):
        try:
            quote = lean.parse_quote(line)
        except lean.MalformedQuote as wrong:
            malformed += 1
            _complain(options.file, number, wrong, malformed)
            continue
        book.apply(quote)
        by_type["bid" if quote.bid else "ask" if quote.ask else "unchanged"] += 1
        rows.add(number, quote.time_ns)
    return {
        "messages": by_type.total(),
        "by_type": dict(sorted(by_type.items())),
        "rows": rows.count,
        "crossed_rows": rows.crossed,
        "locked_rows": rows.locked,
        "seeded_levels": 0,
        "malformed": malformed,
    }


def _by_level(
    options: argparse.Namespace, target: TextIO | None, read: Callable[[Path], binance.Items] = binance.read_events
) -> Summary:
    found = binance.survey(read(options.file))
    instrument = options.instrument.upper()
    if not instrument and len(found) == 1:
        instrument = next(iter(found))
    if found and instrument not in found:
        raise Refused(f"name one instrument with --instrument: {options.file} has {', '.join(sorted(found)[:5])}")
    contents = found.get(instrument, binance.Contents())
    scale = contents.scale()
    book = BinanceBook(instrument, scale)
    rows = BookRows(book.memory, 0, options.levels, target, scale.price_decimals, scale.quantity_decimals)
    by_type: Counter[str] = Counter()
    malformed = 0

    def belongs(event: Event) -> bool:
        return contents.holds(event) if isinstance(event, Snapshot) else event.instrument == instrument

    for number, event in enumerate(read(options.file), 1):
        try:
            if isinstance(event, MalformedMessage):
                raise event
            by_type[layout_of(event).code] += 1
            if belongs(event):
                for step in book.apply(event):
                    rows.add(step.last, step.time_ns)
                    book.compare(step.last)
        except (MalformedMessage, ValueError) as wrong:
            malformed += 1
            _complain(options.file, number, wrong, malformed)
    book.quotes.finish()
    if found and not book.snapshots:
        print(f"{options.file} has no snapshot that meets its updates, so no book", file=sys.stderr)
    return {
        "messages": by_type.total(),
        "by_type": dict(sorted(by_type.items())),
        "rows": rows.count,
        "crossed_rows": rows.crossed,
        "locked_rows": rows.locked,
        "seeded_levels": 0,
        "snapshots": book.snapshots,
        "gaps": book.depth.gaps,
        "agreeing_quotes": book.quotes.agreeing,
        "disagreeing_quotes": book.quotes.disagreeing,
        "malformed": malformed + book.refused(),
    }


FORMATS: dict[str, Callable[[argparse.Namespace, TextIO | None], Summary]] = {
    "binance": _by_level,
    "itch50": _itch50,
    "lean": _lean,
    "lobster": _lobster,
    "sbe": lambda options, target: _by_level(options, target, binance.read_sbe_events),
}


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine book", description="Rebuild the book of a file.")
    parser.add_argument(
        "file",
        type=Path,
        help="binance: recorded JSON lines; itch50: BinaryFILE, bare, gzip or capture; lean: zip or CSV; "
        "lobster: messages; sbe: messages of our templates",
    )
    parser.add_argument("--format", required=True, choices=sorted(FORMATS))
    parser.add_argument("--instrument", default="", help="whose events get rows (binance, itch50, sbe)")
    parser.add_argument("--levels", type=int, default=10, help="levels a side in a row, 1 to 1000 (default 10)")
    parser.add_argument("--out", type=Path, help="CSV to write, one row after every event of the instrument")
    parser.add_argument("--seed-from", type=Path, help="LOBSTER order book file that seeds levels without a message")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on a line of its own")
    options = parser.parse_args(arguments)
    if not 1 <= options.levels <= 1000:
        parser.error("--levels must be from 1 to 1000")
    if options.seed_from and options.format != "lobster":
        parser.error("--seed-from goes with --format lobster")
    return options


def _show(summary: Summary) -> None:
    for name, value in summary.items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        print(f"{name.replace('_', ' ')}: {shown}")


def main(arguments: list[str]) -> int:
    """The command. 1 with a sentence when the file cannot be read or the request cannot be met."""
    options = _parse(arguments)
    try:
        with ExitStack() as stack:
            target = stack.enter_context(options.out.open("w")) if options.out else None
            with quick_compile():
                warm_up()
            started = time.perf_counter()
            summary = FORMATS[options.format](options, target)
            if not summary["messages"]:
                raise Refused(f"{options.file} has no {options.format} message in it; is it another format?")
            seconds = time.perf_counter() - started
    except (Refused, OSError, EOFError, MalformedCapture, lobster.MalformedLine) as wrong:
        print(f"engine book: {wrong}", file=sys.stderr)
        return 1
    summary["seconds"] = round(seconds, 6)
    summary["messages_per_second"] = round(summary["messages"] / seconds) if seconds else 0
    print(json.dumps(summary)) if options.json else _show(summary)
    return 0
