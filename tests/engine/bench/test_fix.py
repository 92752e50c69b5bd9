"""`bench fix` interpreted and small: every order is encoded, every fill is read, the ratio is of what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_it_says_what_orders_of_both_protocols_cost_and_what_quickfix_takes() -> None:
    command = [sys.executable, "-m", "engine", "bench", "fix", "--rounds", "1", "--orders", "100", "--trips", "10"]
    environment = os.environ | {"ENGINE_BACKEND": "plain"}
    done = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert set(found) == {
        "rounds", "ouch_ns", "ouch_p99_ns", "fix_ns", "fix_p99_ns", "ratio", "encode_fix_ns", "encode_ouch_ns",
        "round_trip_us", "quickfix_round_trip_us", "round_trip_ratio",
    }  # fmt: skip
    assert all(value > 0 for value in found.values())
    assert abs(found["ratio"] - found["fix_ns"] / found["ouch_ns"]) < 0.01
