"""The engine's end of a FIX session: its rings, and the process on the other side of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.transport.ring_file import RingFile, open_ring
from engine.venues.fix44 import read_settings
from engine.venues.fix44_config import Fix44Config, ring_paths, write_config
from engine.venues.fix44_outbox import forget_session, last_taken
from engine.venues.secret_files import SecretFiles, secret_files

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Fix44Process:
    """A started session. The loop pushes ORDER_REQUEST records into `requests` and takes ORDER_REPORT and SESSION_EVENT
    records out of `reports`, with the functions of `engine.transport.rings` on their `address`."""

    process: subprocess.Popen[bytes]
    requests: RingFile
    reports: RingFile

    @property
    def alive(self) -> bool:
        """False once the process has ended: then start it again, with the newest `after`."""
        return self.process.poll() is None

    def stop(self, timeout_s: float = 8.0) -> None:
        """Log out and end; killed when that takes too long."""
        self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_fix44(
    state: Path,
    venue: int,
    name: str,
    settings: Mapping[str, str],
    instruments: Path,
    after: int,
    secrets: SecretFiles | None = None,
) -> Fix44Process:
    """Start (or start again) the session of one venue. ValueError when a setting is wrong.

    `after` is the `venue_sequence` of the last ORDER_REPORT of this venue in the engine's journal, 0 for none. The
    reports come in order, numbered densely; one whose number is not above the last journalled one was seen before and
    is dropped (an engine killed between its journal and `ring_advance` finds it in the ring once more). Call it from a
    thread that lives as long as the engine: the process dies with the thread that started it.
    """
    read_settings(settings)
    request_path, report_path = ring_paths(state, venue)
    reports = open_ring(report_path)
    if after < last_taken(reports):
        # The engine has lost a journal that it once had: everything after `after` has to come again, in order.
        report_path.unlink()
        reports = open_ring(report_path)
    forget_session(reports)
    folder = str((secrets or secret_files(state)).folder.absolute())
    config = Fix44Config(
        str(state.resolve()), venue, name, dict(settings), str(instruments.resolve()), after, os.getpid(), folder
    )
    command = [sys.executable, "-m", "engine.venues.fix44_process", str(write_config(config))]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    return Fix44Process(process, open_ring(request_path), reports)
