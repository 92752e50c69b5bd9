"""`bench tick-to-order --transport shared-memory`: every order comes back, from the engine and from the floor alike."""

from __future__ import annotations

import json
import subprocess
import sys


def test_engine_and_floor_answer_the_same_packets_over_rings() -> None:
    size = ["--rounds", "2", "--seconds", "0.05", "--gap-us", "50", "--warm-up", "4000", "--pairs", "400"]
    command = [
        sys.executable,
        "-m",
        "engine",
        "bench",
        "tick-to-order",
        "--transport",
        "shared-memory",
        *size,
        "--json",
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["engine"]["n"] == found["floor_native"]["n"] > 0
    assert (found["transport"], found["pairs"], found["rounds"]) == ("shared-memory", 400, 2)
    assert 0 < found["floor_native"]["p50_ns"] <= found["floor_native"]["p99_ns"] <= found["floor_native"]["max_ns"]
