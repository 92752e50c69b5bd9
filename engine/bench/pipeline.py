"""`bench pipeline`: the whole decision path in memory, packets in, OUCH out.

MoldUDP64 arbitration, recording, ITCH decoding, books, pairs, the full risk gate, journal, router and OUCH encoding,
and the answers of a compiled venue, which fills most orders at once, so that trading goes on. No sockets, no clock.

    ns_per_message   all of it, answers and the venue itself included, divided by the ITCH messages; mean
    p50_ns, p99_ns   one packet, received to last order encoded, by the cycle counter (one reading of it included), over
                     other packets of the same run

For each number of pairs, in turn in every round; medians over the rounds. Then the same on a smaller market against the
same source run by the interpreter (`ENGINE_BACKEND=plain` in a process of its own): the journals must be equal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from engine.bench.decision_path import DecisionPath, MemoryLogs, SharedLogs
from engine.bench.market import Market, Pairs, choose_pairs, make_market, read_market
from engine.bench.responder import Responder
from engine.control.latency_keeper import stage_durations
from engine.control.stamps import StampReader
from engine.messages.control import StartStrategy

PAIRS = (100, 400, 2000, 10_000)
USUAL_PAIRS = 400
WARM_UP = 0.2  # share of the packets that fill the books before the clock starts
STAMPED = 0.6  # from here on each packet is timed for itself, and the whole is not
PLAIN_MESSAGES, PLAIN_INSTRUMENTS, PLAIN_PAIRS = 12_000, 40, 40
PLAIN_TIMEOUT_S = 300


def measure(market: Market, pairs: list[StartStrategy], logs: MemoryLogs | SharedLogs) -> dict[str, Any]:
    """One run over fresh tables; the first packets are not timed."""
    try:
        path = DecisionPath(market, pairs, logs, Responder())
        warm, stamped = int(market.count * WARM_UP), int(market.count * STAMPED)
        path.run(0, warm)
        before = path.totals()["orders"]
        found = path.run(warm, stamped)
        stamps = StampReader(path.memory)
        singly = path.run(stamped, market.count, stamped=True)
        speed = int(path.memory.core["cycles_per_us"][0]) / 1000
        packet_ns = singly.cycles / speed
        totals = path.totals()
        inside = stage_durations(stamps.take())["whole"]  # of the last orders, as many as the ring has room for
        return {
            "ns_per_message": found.seconds * 1e9 / found.messages,
            "packets_ns_per_message": float(packet_ns.sum()) / singly.messages,
            "p50_ns": float(np.percentile(packet_ns, 50)),
            "p99_ns": float(np.percentile(packet_ns, 99)),
            "p999_ns": float(np.percentile(packet_ns, 99.9)),
            "inside_p50_ns": float(np.percentile(inside, 50)) if len(inside) else None,
            "inside_p99_ns": float(np.percentile(inside, 99)) if len(inside) else None,
            "messages": found.messages + singly.messages,
            "packets": market.count - warm,
            "orders": totals["orders"] - before,
            "denials": totals["denials"],
            "cancels": totals["cancels"],
            "refused": totals["refused"],
            "journal_sha256": path.journal_sha256(),
        }
    finally:
        logs.close()


def median_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Median of every timing; what was counted must be the same in every round."""
    middle: dict[str, Any] = {}
    for name, value in rows[0].items():
        if name.endswith("_ns") or name.startswith(("ns_", "packets_ns")):
            known = [row[name] for row in rows if row[name] is not None]
            middle[name] = round(statistics.median(known), 1) if known else None
        else:
            if any(row[name] != value for row in rows):
                raise AssertionError(f"{name} differs between rounds: the pipeline is not deterministic")
            middle[name] = value
    return middle


def by_pairs(market: Market, counts: list[int], rounds: int, disk: Path | None) -> dict[int, dict[str, Any]]:
    """Medians for every number of pairs, interleaved. `disk`: the real logs instead of private memory."""
    chosen = {count: choose_pairs(market, count, Pairs()) for count in counts}
    rows: dict[int, list[dict[str, Any]]] = {count: [] for count in counts}
    for number in range(rounds):
        for count, pairs in chosen.items():
            found = measure(market, pairs, SharedLogs(disk) if disk else MemoryLogs(market))
            rows[count].append(found)
            print(f"round {number + 1} pairs {count} {found['ns_per_message']:.1f} ns a message", file=sys.stderr)
    return {count: median_of(each) for count, each in rows.items()}


def against_plain(pairs: int) -> dict[str, Any]:
    """The same small market compiled and interpreted. Journals compared to the byte."""
    market = make_market(PLAIN_MESSAGES, PLAIN_INSTRUMENTS)
    with tempfile.TemporaryDirectory(prefix="bench-pipeline-") as directory:
        kept = Path(directory) / "market.npz"
        market.write(kept)
        rows = [measure(market, choose_pairs(market, pairs, Pairs()), MemoryLogs(market)) for _ in range(3)]
        native = median_of(rows)
        command = [sys.executable, "-m", "engine", "bench", "pipeline", "--market", str(kept), "--pairs", str(pairs)]
        environment = os.environ | {"ENGINE_BACKEND": "plain"}
        ran = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, timeout=PLAIN_TIMEOUT_S, check=True
        )
    plain = json.loads(ran.stdout.splitlines()[-1])
    return {
        "messages": native["messages"],
        "orders": native["orders"],
        "native_ns_per_message": native["ns_per_message"],
        "plain_ns_per_message": round(plain["ns_per_message"], 1),
        "ratio": round(plain["ns_per_message"] / native["ns_per_message"], 1),
        "same_journal": native["journal_sha256"] == plain["journal_sha256"],
    }


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m engine bench pipeline", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=int, help=f"pairs (default {USUAL_PAIRS}, and {PAIRS} beside it)")
    parser.add_argument("--messages", type=int, default=1_000_000, help="ITCH messages of the market")
    parser.add_argument("--instruments", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shared", action="store_true", help="the real logs: shared memory, copier and disk")
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="where --shared writes")
    parser.add_argument("--no-plain", action="store_true", help="leave out the comparison with the interpreter")
    parser.add_argument("--market", type=Path, help="one run over a market that was kept; prints one JSON object")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    if options.messages < 1000 or options.rounds < 1 or not 2 <= options.instruments <= 20_000:
        parser.error("--messages starts at 1000, --rounds at 1, --instruments goes from 2 to 20000")
    if options.pairs is not None and not 1 <= options.pairs <= 60_000:
        parser.error("--pairs goes from 1 to 60000")
    return options


def main(arguments: list[str]) -> int:
    """The command. 1 when native and plain do not journal the same."""
    options = _parse(arguments)
    asked = options.pairs or USUAL_PAIRS
    if options.market:
        market = read_market(options.market)
        print(json.dumps(measure(market, choose_pairs(market, asked, Pairs()), MemoryLogs(market))))
        return 0
    market = make_market(options.messages, options.instruments)
    counts = [options.pairs] if options.pairs else list(PAIRS)
    found = by_pairs(market, counts, options.rounds, options.disk if options.shared else None)
    report: dict[str, Any] = {"pairs": asked, "instruments": options.instruments, "rounds": options.rounds}
    report |= found[asked]
    report["logs"] = "shared memory, copier syncing" if options.shared else "private memory"
    report["by_pairs"] = {str(count): row for count, row in found.items()}
    for count, row in found.items():
        timing = f"{row['ns_per_message']:7.1f} ns a message, packet p50 {row['p50_ns']:.0f} p99 {row['p99_ns']:.0f} ns"
        print(f"{count:6} pairs: {timing}, {row['orders']} orders in {row['messages']} messages")
    if not options.no_plain:
        plain = report["plain"] = against_plain(min(asked, PLAIN_PAIRS))
        bytes_word = "the same journal" if plain["same_journal"] else "ANOTHER JOURNAL"
        print(f"interpreted: {plain['plain_ns_per_message']:.0f} ns a message, {plain['ratio']:.0f} x; {bytes_word}")
    if options.json:
        print(json.dumps(report))
    return 0 if options.no_plain or report["plain"]["same_journal"] else 1
