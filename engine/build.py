"""What this engine is: the hash of its build, and the key of its compile cache.

numba does not see a change in a function that a cached function calls from another file and would run old code, so the
cache directory is named by a hash of every source that can end up in the loop.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

HOT_PACKAGES = (
    "algorithms",
    "bench",
    "history",
    "hotpath",
    "journal",
    "messages",
    "protocols",
    "simulator",
    "strategies",
    "transport",
)
HOT_MODULES = (
    "native.py",
    "native_checksums.py",
    "native_library.py",
    "native_llvm.py",
    "native_plain.py",
    "native_reading.py",
    "native_views.py",
    "pages.py",
)
_ROOT = Path(__file__).resolve().parent


def _hash(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(_ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def build_hash() -> str:
    """Hash over every source of the engine, 16 hexadecimal digits. Equal hashes mean equal decisions on equal input."""
    return _hash(sorted(_ROOT.rglob("*.py")))


@cache
def compiled_hash() -> str:
    """Hash over every source that can end up in compiled code, 16 hexadecimal digits: the key of the cache."""
    return _hash(_hot_sources())


def _hot_sources() -> list[Path]:
    files = [_ROOT / name for name in HOT_MODULES]
    for package in HOT_PACKAGES:
        files += sorted((_ROOT / package).rglob("*.py"))
    return files


def require_unchanged() -> None:
    """RuntimeError when a source that can end up in compiled code was changed since this process named its cache: what
    it compiled meanwhile may be of either, so nothing of it may run."""
    if _hash(_hot_sources()) != compiled_hash():
        raise RuntimeError("a source of the engine was changed while it was starting; start it again")


def cache_directory() -> Path:
    """Where compiled code of this build lives: $ENGINE_CACHE_DIR, or .cache/engine beside the packages."""
    base = Path(os.environ.get("ENGINE_CACHE_DIR") or _ROOT.parent / ".cache" / "engine")
    path = base / compiled_hash()
    path.mkdir(parents=True, exist_ok=True)
    return path
