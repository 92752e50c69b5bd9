"""Memory that the checked build may touch by address: what was registered, as long as its owner lives.

In every other build registering costs a comparison, and nothing is checked.
"""

from __future__ import annotations

import os
import weakref
from bisect import bisect_right, insort
from typing import Any

CHECKED = os.environ.get("ENGINE_BACKEND") == "checked"
NEIGHBOURS = 16  # registered parts may overlap: so many are looked at

_starts: list[int] = []
_lengths: dict[int, int] = {}


class OutOfBounds(Exception):
    """A load or store outside every registered region."""


def register(address: int, length: int, owner: Any = None) -> None:
    """`length` bytes at `address` may be touched until `owner` is gone, or `forget` is called."""
    if not CHECKED or length <= 0 or inside(address, length):
        return
    if address not in _lengths:
        insort(_starts, address)
    _lengths[address] = length
    if owner is not None:
        weakref.finalize(owner, forget, address).atexit = False


def forget(address: int) -> None:
    """The region that starts at `address` may not be touched any more."""
    if _lengths.pop(address, None) is not None:
        del _starts[bisect_right(_starts, address) - 1]


def inside(address: int, length: int) -> bool:
    """Whether one registered region holds all the bytes. An owner may go, and its region with it, while we look."""
    last = bisect_right(_starts, address)
    near = _starts[max(0, last - NEIGHBOURS) : last]
    return any(address + length <= start + _lengths.get(start, 0) for start in near)


def check(address: int, length: int) -> None:
    """OutOfBounds unless one registered region holds all the bytes."""
    if length > 0 and not inside(address, length):
        last = bisect_right(_starts, address)
        nearest = _starts[last - 1] if last else 0
        known = f"{address - nearest} bytes into a region of {_lengths[nearest]}" if last else "below every region"
        raise OutOfBounds(f"{length} bytes at {address:#x}: {known}")
