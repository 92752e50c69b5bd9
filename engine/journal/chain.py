"""The hash chain: a line per finished segment on disk, each citing the line before: no file can be changed alone."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

BEGINNING = "0" * 64
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Link:
    """A finished segment: its first and last sequence, the SHA-256 of its file and of the chain's line before."""

    segment: int
    first: int
    last: int
    sha256: str
    previous: str


def read_chain(path: Path) -> list[Link]:
    """Every link. ValueError when a line does not cite the one before; a last line without its end is ignored."""
    if not path.exists():
        return []
    links, previous = [], BEGINNING
    for number, line in enumerate(_whole_lines(path), start=1):
        try:
            link = Link(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: line {number} is not a link of the chain") from error
        if link.previous != previous:
            raise ValueError(f"{path}: line {number} does not cite the line before it")
        links.append(link)
        previous = hashlib.sha256(line).hexdigest()
    return links


def append_link(path: Path, segment: int, first: int, last: int, sha256: str) -> Link:
    """Add a finished segment and sync. A torn last line, left by a power cut, is replaced."""
    lines = list(_whole_lines(path)) if path.exists() else []
    previous = hashlib.sha256(lines[-1]).hexdigest() if lines else BEGINNING
    link = Link(segment, first, last, sha256, previous)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = sum(len(line) + 1 for line in lines)
        os.ftruncate(descriptor, end)
        os.pwrite(descriptor, json.dumps(asdict(link)).encode() + b"\n", end)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return link


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return digest_of(path, path.stat().st_size).hexdigest()


def digest_of(path: Path, length: int) -> hashlib._Hash:
    """SHA-256 over the first `length` bytes of a file, to be continued."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while length and (chunk := file.read(min(length, _CHUNK_BYTES))):
            digest.update(chunk)
            length -= len(chunk)
    return digest


def _whole_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line[:-1]
