"""Memory of the tables: zeroed, every page of it mapped, in huge pages where the kernel gives them.

A look at a table that lies in small pages costs a walk of the page tables besides the cache miss, and a book of a few
hundred instruments has thousands of pages. So large tables get whole huge pages, and small ones share them.
"""

from __future__ import annotations

import mmap
import threading
from typing import Any

import numpy as np

HUGE_PAGE = 2 << 20
LINE = 64
LARGE = HUGE_PAGE // 2  # a table from this size on has pages of its own

_lock = threading.Lock()
_shared: np.ndarray[Any, Any] = np.empty(0, np.uint8)  # what is left of the huge page that small tables share


def advise_huge(region: mmap.mmap, start: int, length: int) -> None:
    """Ask for huge pages for part of a mapping, page-aligned. A kernel without them gives small ones."""
    if hasattr(mmap, "MADV_HUGEPAGE"):
        try:
            region.madvise(mmap.MADV_HUGEPAGE, start, length)
        except OSError:
            return


def _mapped(size: int) -> np.ndarray[Any, Any]:
    """`size` bytes, a multiple of HUGE_PAGE and aligned to it, touched."""
    region = mmap.mmap(-1, size + HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    whole = np.frombuffer(region, np.uint8)
    start = -int(whole.ctypes.data) % HUGE_PAGE
    advise_huge(region, start, size)
    body = whole[start : start + size]
    body[:: mmap.PAGESIZE] = 0
    return body


def take(size: int) -> np.ndarray[Any, Any]:
    """`size` zeroed bytes aligned to LINE, every page of them mapped. They live as long as the array."""
    global _shared
    if size >= LARGE:
        return _mapped(-(-size // HUGE_PAGE) * HUGE_PAGE)[:size]
    whole = -(-size // LINE) * LINE
    with _lock:
        if len(_shared) < whole:
            _shared = _mapped(HUGE_PAGE)
        taken, _shared = _shared[:size], _shared[whole:]
    return taken
