"""A process that must not outlive the engine that started it."""

from __future__ import annotations

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Be killed when the thread that started us ends. OSError or RuntimeError when that cannot be had any more."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL)) != 0:
        raise OSError(ctypes.get_errno(), "prctl refused PR_SET_PDEATHSIG")
    if os.getppid() != parent:
        raise RuntimeError(f"it is started by the engine, process {parent}, which is gone")
