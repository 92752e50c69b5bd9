"""`bench journal`: what a record costs the loop, and what making it durable costs beside it.

Per sync policy two passes over real segments in shared memory, with the keeper preparing segments and the copier
process writing to a real disk at the same time:
  bursts  records in bursts of 50 at a steady rate, the time of whole bursts: `ns_per_record`, the mean in the loop,
          and `p50_burst_ns`, the median, which does not count when the machine took the core away
  single  the same load, every record stamped before its reserve and after its commit: `p50_ns` to `max_ns`, with the
          cost of the two stamps in it (`stamp_ns`; the counter itself steps in 10 ns on some machines)
and one pass flat out within one segment: `records_per_second`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from engine.journal import append
from engine.journal.copier import CopierProcess, SyncPolicy, start_copier
from engine.journal.writer import Journal, open_journal
from engine.messages.codes import RecordKind
from engine.messages.endpoints import shared_memory_path
from engine.messages.journal import ORDER_REQUEST, RECORD_SIZE
from engine.native import address_of, cycle_counter, hot, store_i64, touched, view

BURST = 50
SEGMENT_BYTES = 32 << 20
ORDER = int(RecordKind.ORDER_REQUEST)


@hot
def append_order(writer, order_id):
    """One order request, every field written, as the loop does. 0 when the journal is full."""
    address = append.reserve_journal(writer)
    if address == 0:
        return 0
    body = view(address, 1, ORDER_REQUEST)[0]
    body.position = order_id
    body.order_id = order_id
    body.target_order_id = 0
    body.price = 1_000_000 + (order_id & 1023)
    body.quantity = 100
    body.limits_version = 7
    body.parent_id = 0
    body.strategy = 3
    body.team = 1
    body.instrument = 12
    body.kind = 1
    body.venue = 1
    body.action = 1
    body.side = 1
    body.time_in_force = 1
    body.line = 0
    body.feed_sequence = order_id
    body.signal = 1.5
    return append.commit_fields(writer, ORDER_REQUEST, ORDER, order_id)


@hot
def wait_until(cycle):
    """Spin until the cycle counter is there."""
    while cycle_counter() < cycle:
        pass
    return 0


@hot
def run_bursts(writer, bursts, gap_cycles, cycles):
    """Bursts at a steady rate; stores the cycles of each. Bursts done before the journal was full."""
    due = cycle_counter()
    for burst in range(bursts):
        wait_until(due)
        started = cycle_counter()
        for order_id in range(BURST):
            if append_order(writer, order_id) == 0:
                return burst
        store_i64(cycles + 8 * burst, cycle_counter() - started)
        due += gap_cycles
    return bursts


@hot
def run_single(writer, bursts, gap_cycles, cycles):
    """The same load; stores the cycles of every record. Bursts done before the journal was full."""
    due = cycle_counter()
    for burst in range(bursts):
        wait_until(due)
        for order_id in range(BURST):
            started = cycle_counter()
            if append_order(writer, order_id) == 0:
                return burst
            store_i64(cycles + 8 * (burst * BURST + order_id), cycle_counter() - started)
        due += gap_cycles
    return bursts


@hot
def run_stamps(count, cycles):
    """The cost of two stamps with nothing between them."""
    for index in range(count):
        started = cycle_counter()
        store_i64(cycles + 8 * index, cycle_counter() - started)
    return count


@hot
def run_flat_out(writer, count):
    """Records without a pause. How many were written."""
    for order_id in range(count):
        if append_order(writer, order_id) == 0:
            return order_id
    return count


def cycles_per_ns() -> float:
    """Speed of the cycle counter against the clock, over 20 ms."""
    counter = hot(_read_counter)
    counter()
    started_ns, started = time.perf_counter_ns(), counter()
    time.sleep(0.02)
    return float((counter() - started) / (time.perf_counter_ns() - started_ns))


def _read_counter():
    return cycle_counter()


def measure(policy: SyncPolicy | None, rate: int, seconds: float, disk: Path) -> dict[str, Any]:
    """One policy (None: without a copier) at `rate` records a second for `seconds` per pass."""
    state = Path(tempfile.mkdtemp(dir=disk, prefix="bench-journal-"))
    journal = open_journal(state, journal_segment_bytes=SEGMENT_BYTES, recording_segment_bytes=1 << 20)
    journal.start_keeper()
    copier = start_copier(state, policy=policy) if policy is not None else None
    try:
        return {"policy": policy.value if policy else "no copier", **_passes(journal, copier, rate, seconds)}
    finally:
        if copier is not None:
            copier.stop(60.0)
        journal.close()
        shutil.rmtree(shared_memory_path(state), ignore_errors=True)
        shutil.rmtree(state)


def _passes(journal: Journal, copier: CopierProcess | None, rate: int, seconds: float) -> dict[str, Any]:
    speed = cycles_per_ns()
    bursts = max(1, int(rate * seconds / BURST))
    gap_cycles = int(BURST / rate * 1e9 * speed)
    writer = journal.journal.writer
    cycles = touched(bursts * BURST, np.dtype("<i8"))
    run_bursts(writer, 2, gap_cycles, address_of(cycles))
    run_single(writer, 2, gap_cycles, address_of(cycles))
    run_stamps(len(cycles), address_of(cycles))
    stamp_ns = float(np.median(cycles)) / speed
    done = int(run_bursts(writer, bursts, gap_cycles, address_of(cycles)))
    burst_ns = cycles[:done] / speed / BURST
    singles = int(run_single(writer, bursts, gap_cycles, address_of(cycles))) * BURST
    single_ns = cycles[:singles] / speed
    syncs = copier.status.sync_ns() if copier is not None else np.zeros(0, np.int64)
    return {
        "ns_per_record": round(float(burst_ns.mean()), 1),
        "p50_burst_ns": round(float(np.percentile(burst_ns, 50)), 1),
        "p50_ns": round(float(np.percentile(single_ns, 50)), 1),
        "p99_ns": round(float(np.percentile(single_ns, 99)), 1),
        "p999_ns": round(float(np.percentile(single_ns, 99.9)), 1),
        "max_ns": round(float(single_ns.max())),
        "stamp_ns": round(stamp_ns, 1),
        "n": singles,
        "complete": done == bursts and singles == bursts * BURST,
        "syncs": int(copier.status.row["syncs"][0]) if copier is not None else 0,
        "sync_p50_ns": int(np.percentile(syncs, 50)) if len(syncs) else None,
        "sync_p99_ns": int(np.percentile(syncs, 99)) if len(syncs) else None,
    }


def measure_flat_out(disk: Path) -> float:
    """Records per second within one prepared segment, best of five."""
    state = Path(tempfile.mkdtemp(dir=disk, prefix="bench-journal-"))
    journal = open_journal(state, journal_segment_bytes=4 * SEGMENT_BYTES, recording_segment_bytes=1 << 20)
    count = 4 * SEGMENT_BYTES // RECORD_SIZE // 6
    try:
        run_flat_out(journal.journal.writer, 100)
        spent = []
        for _ in range(5):
            started = time.perf_counter()
            written = int(run_flat_out(journal.journal.writer, count))
            spent.append((time.perf_counter() - started) / written)
        return 1.0 / min(spent)
    finally:
        journal.close()
        shutil.rmtree(shared_memory_path(state), ignore_errors=True)
        shutil.rmtree(state)


def main(arguments: list[str]) -> int:
    """The command line. 1 when the journal was full before a pass ended."""
    parser = argparse.ArgumentParser(prog="python -m engine bench journal", description=__doc__)
    parser.add_argument("--rate", type=int, default=500_000, help="records a second while measuring")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of each pass")
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="a directory on the disk")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    chosen = parser.parse_args(arguments)
    policies = [None, SyncPolicy.NONE, SyncPolicy.INTERVAL, SyncPolicy.EACH]
    rows = [measure(policy, chosen.rate, chosen.seconds, chosen.disk) for policy in policies]
    flat_out = measure_flat_out(chosen.disk)
    for row in rows:
        line = "  ".join(f"{name} {value}" for name, value in row.items())
        print(line, file=sys.stderr if chosen.json else sys.stdout)
    default = next(row for row in rows if row["policy"] == SyncPolicy.INTERVAL.value)
    report = {**default, "records_per_second": round(flat_out), "rate": chosen.rate, "policies": rows}
    print(json.dumps(report) if chosen.json else f"flat out: {flat_out:,.0f} records/s")
    return 0 if all(row["complete"] for row in rows) else 1
