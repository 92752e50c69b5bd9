"""Memory of the tables: zeroed, every page of it mapped, in huge pages where the kernel gives them.

A look at a table that lies in small pages costs a walk of the page tables besides the cache miss, and a book of a few
hundred instruments has thousands of pages. So large tables get whole huge pages, and small ones share them.

The policy is chosen once, before any table is made (`choose_huge_pages`):
    transparent   the kernel is asked and gives what it has (the default)
    reserved      from the pool that the host reserved (vm.nr_hugepages); where that is too small, as `transparent`
    never         small pages only, to compare
"""

from __future__ import annotations

import mmap
import threading
from pathlib import Path
from typing import Any

import numpy as np

HUGE_PAGE = 2 << 20
LINE = 64
LARGE = HUGE_PAGE // 2  # a table from this size on has pages of its own

HUGE_PAGES = ("transparent", "reserved", "never")
MAP_HUGETLB = 0x40000
HUGE, SMALL = 14, 15  # MADV_HUGEPAGE, MADV_NOHUGEPAGE

_lock = threading.Lock()
_chosen = {"policy": "transparent", "refused": ""}
_shared: np.ndarray[Any, Any] = np.empty(0, np.uint8)  # what is left of the huge page that small tables share


def choose_huge_pages(policy: str) -> None:
    """Let every table that is made from now on follow one of HUGE_PAGES."""
    if policy not in HUGE_PAGES:
        raise ValueError(f"huge_pages is {policy!r}; it must be one of {', '.join(HUGE_PAGES)}")
    _chosen["policy"] = policy


def advise_huge(region: mmap.mmap, start: int, length: int) -> None:
    """Ask for huge pages for part of a mapping, page-aligned (or for small ones). A kernel without them gives small
    ones."""
    try:
        region.madvise(SMALL if _chosen["policy"] == "never" else HUGE, start, length)
    except OSError:
        return


def _mapped(size: int) -> np.ndarray[Any, Any]:
    """`size` bytes, a multiple of HUGE_PAGE and aligned to it, touched."""
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    if _chosen["policy"] == "reserved":
        try:
            body = np.frombuffer(mmap.mmap(-1, size, flags=private | MAP_HUGETLB), np.uint8)
            body[:: mmap.PAGESIZE] = 0
            return body
        except OSError as error:
            _chosen["refused"] = str(error.strerror)
    region = mmap.mmap(-1, size + HUGE_PAGE, flags=private)
    whole = np.frombuffer(region, np.uint8)
    start = -int(whole.ctypes.data) % HUGE_PAGE
    advise_huge(region, start, size)
    body = whole[start : start + size]
    body[:: mmap.PAGESIZE] = 0
    return body


def huge_page_words() -> tuple[bool, str]:
    """Whether this process has what was chosen, and how much memory is on huge pages now."""
    kib = {"AnonHugePages": 0, "Private_Hugetlb": 0}
    with Path("/proc/self/smaps_rollup").open() as lines:
        for line in lines:
            name = line.split(":")[0]
            if name in kib:
                kib[name] = int(line.split()[1])
    transparent, reserved = kib["AnonHugePages"] >> 10, kib["Private_Hugetlb"] >> 10
    if _chosen["policy"] == "never":
        return True, "small pages only"
    words = f"{transparent + reserved} MiB on huge pages"
    if _chosen["policy"] == "reserved" and _chosen["refused"]:
        return False, f"{words}, {reserved} of them reserved ones: the pool is too small (vm.nr_hugepages)"
    return transparent + reserved > 0, words


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
