"""The copier: a process that follows the published tails and makes both logs durable.

The loop never waits for a disk. Every round the recording is copied before the journal, up to tails read in the other
order, so that on disk no journal record cites a packet that is not there. A failed write or sync is final: the copier
says why in its status page and ends, and the engine halts. It starts without numba: small, and there at once.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from enum import Enum
from pathlib import Path

from engine.journal.log_copy import LogCopy
from engine.journal.places import Places, places_of
from engine.journal.status import CopierState, CopierStatus, create_copier_status

SYNC_BYTES = 64 << 10
SYNC_INTERVAL_MS = 5.0
ACTIVE_WAIT_S, IDLE_WAIT_S = 0.0005, 0.005
DISK_CHECK_S = 1.0
MOST_WRITES = 64  # of the recording in one round
_PR_SET_PDEATHSIG = 1


class SyncPolicy(Enum):
    """each: sync whatever is new, at once. interval: every few milliseconds or 64 KiB. none: leave it to the kernel."""

    EACH = "each"
    INTERVAL = "interval"
    NONE = "none"


class Copier:
    """Both logs, their sync policy, and the status page."""

    def __init__(self, places: Places, status: CopierStatus, policy: SyncPolicy, interval_ms: float) -> None:
        self._status = status
        self._journal, self._recording = LogCopy(places.journal), LogCopy(places.recording)
        self._disk = places.journal.disk
        self._policy = policy
        self._interval_ns = int(interval_ms * 1e6)
        self._unsynced_since_ns = 1  # what the disk already has is synced in the first round
        self._disk_checked_s = 0.0

    def round(self) -> bool:
        """Copy what is new, sync what is due. Whether there was anything new."""
        self._status.beat()
        journal_end = self._journal.find_end()
        copied, caught_up = self._copy_recording()
        if caught_up:
            if journal_end.finished:
                self._sync_log(self._recording)
            copied += self._journal.copy_to(journal_end)
        now_ns = time.monotonic_ns()
        if copied and self._unsynced_since_ns == 0:
            self._unsynced_since_ns = now_ns
        if self._due(now_ns):
            self.sync()
        self._recording.release()
        self._journal.release()
        if now_ns / 1e9 - self._disk_checked_s > DISK_CHECK_S:
            self._disk_checked_s = now_ns / 1e9
            self._status.row["disk_free_bytes"] = shutil.disk_usage(self._disk).free
        return copied > 0

    def sync(self) -> None:
        """Make everything copied durable, the recording first. Raises OSError: final."""
        self._sync_log(self._recording)
        self._sync_log(self._journal)
        self._unsynced_since_ns = 0

    def finish(self) -> None:
        """Copy up to the tails as they are, sync, and close."""
        while self.round():
            pass
        self.sync()
        self._recording.close()
        self._journal.close()

    def _copy_recording(self) -> tuple[int, bool]:
        """Copy the recording up to its end. Bytes copied, and whether the end was reached in this round."""
        copied = 0
        for _ in range(MOST_WRITES):
            end = self._recording.find_end()
            copied += self._recording.copy_to(end)
            if self._recording.offset == end.offset and not end.finished:
                return copied, True
            self._status.beat()
        return copied, False

    def _sync_log(self, log: LogCopy) -> None:
        if log.unsynced_bytes:
            started_ns = time.monotonic_ns()
            if self._policy is SyncPolicy.NONE:
                log.leave_unsynced()
            else:
                log.sync()
                self._status.add_sync(time.monotonic_ns() - started_ns)
            self._status.beat()
        self._status.set_durable(log.place.word, log.number, log.offset)

    def _due(self, now_ns: int) -> bool:
        if self._unsynced_since_ns == 0:
            return False
        if self._policy is not SyncPolicy.INTERVAL:
            return True
        unsynced_bytes = self._recording.unsynced_bytes + self._journal.unsynced_bytes
        return unsynced_bytes >= SYNC_BYTES or now_ns - self._unsynced_since_ns >= self._interval_ns


def run_copier(state: Path, policy: SyncPolicy, interval_ms: float, parent: int, shared: Path | None = None) -> int:
    """Copy until SIGTERM, SIGINT or the death of the parent, then finish. 1 when a write or sync failed."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        return 0
    places = places_of(state, shared)
    status = CopierStatus(places.copier_file)
    lock = os.open(places.copier_lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    status.row["pid"] = os.getpid()
    try:
        copier = Copier(places, status, policy, interval_ms)
        status.beat()
        status.row["state"] = CopierState.RUNNING
        while not stopping:
            busy = copier.round()
            if policy is not SyncPolicy.EACH or not busy:
                time.sleep(ACTIVE_WAIT_S if busy else IDLE_WAIT_S)
        copier.finish()
    except (OSError, ValueError) as error:
        status.fail(f"the journal cannot be made durable: {error}")
        print(f"copier: the journal cannot be made durable: {error}", file=sys.stderr)
        return 1
    finally:
        os.close(lock)
    status.row["state"] = CopierState.FINISHED
    return 0


class CopierProcess:
    """The copier as the engine's child."""

    def __init__(self, process: subprocess.Popen[bytes], status: CopierStatus) -> None:
        self.process = process
        self.status = status

    def alive(self) -> bool:
        """Whether the copier runs and has been heard within a second. The engine halts when not."""
        return self.status.alive()

    def wait_until_running(self, wait_s: float = 30.0) -> None:
        """Raises RuntimeError with the copier's reason when it does not come up."""
        process, status = self.process, self.status
        deadline = time.monotonic() + wait_s
        while status.state == CopierState.STARTING:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError(f"the copier did not start: {status.failure or 'no sign of life'}")
            time.sleep(0.002)
        if status.state == CopierState.FAILED:
            process.wait()
            raise RuntimeError(status.failure)

    def stop(self, wait_s: float = 10.0) -> int:
        """Have it copy what is left and end, and kill it after `wait_s`. 0 means that everything is on disk."""
        self.process.terminate()
        try:
            return self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def launch_copier(
    state: Path,
    *,
    policy: SyncPolicy = SyncPolicy.INTERVAL,
    interval_ms: float = SYNC_INTERVAL_MS,
    shared: Path | None = None,
) -> CopierProcess:
    """Begin to start the copier for logs that this process has open, from its main thread."""
    places = places_of(state, shared)
    status = create_copier_status(places.copier_file)
    command = [sys.executable, "-m", "engine.journal.copier", str(state), "--parent", str(os.getpid())]
    command += ["--policy", policy.value, "--interval-ms", str(interval_ms)]
    if shared is not None:
        command += ["--shared", str(shared)]
    return CopierProcess(subprocess.Popen(command), status)


def start_copier(
    state: Path,
    *,
    policy: SyncPolicy = SyncPolicy.INTERVAL,
    interval_ms: float = SYNC_INTERVAL_MS,
    shared: Path | None = None,
    wait_s: float = 30.0,
) -> CopierProcess:
    """Launch the copier and wait until it runs. Raises RuntimeError when it does not come up."""
    copier = launch_copier(state, policy=policy, interval_ms=interval_ms, shared=shared)
    copier.wait_until_running(wait_s)
    return copier


def main(arguments: list[str] | None = None) -> int:
    """Command line of the process that `start_copier` starts."""
    parser = argparse.ArgumentParser(prog="python -m engine.journal.copier")
    parser.add_argument("state", type=Path)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--policy", type=SyncPolicy, default=SyncPolicy.INTERVAL)
    parser.add_argument("--interval-ms", type=float, default=SYNC_INTERVAL_MS)
    parser.add_argument("--shared", type=Path)
    chosen = parser.parse_args(arguments)
    return run_copier(chosen.state, chosen.policy, chosen.interval_ms, chosen.parent, chosen.shared)


if __name__ == "__main__":
    raise SystemExit(main())
