"""The same source compiled and interpreted writes the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import shutil
import sys
from pathlib import Path
from engine.messages.codes import RecordKind
from tests.engine.journal.rig import append_order, append_packet, open_small, sequences
journal = open_small(Path(sys.argv[1]), 8192)
for step in range(60):
    journal.keep()
    append_packet(journal, bytes(range(step)), step)
    append_order(journal, step, 1_000_000_000_000_000_000 + step)
    if step % 7 == 0:
        journal.append_text(RecordKind.COMMAND, step, {"step": step, "text": "é" * step})
for place in journal.places.logs:
    print(sequences(place)[-1])
    for number in place.shared_numbers():
        content = place.shared_file(number).read_bytes()
        print(number, content[64:].hex())
journal.close()
shutil.rmtree(journal.places.journal.shared)
"""
ROOT = Path(__file__).resolve().parents[3]


def test_both_backends_write_the_same_bytes(tmp_path: Path) -> None:
    outputs = []
    for backend in ("native", "plain"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / backend)],
            env={**os.environ, "ENGINE_BACKEND": backend, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("69\n")  # 60 orders and 9 texts
