"""Nasdaq BinaryFILE: messages with a two-byte length before each; a length of zero ends the session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from engine.protocols.layouts import MalformedMessage


def messages(source: BinaryIO) -> Iterator[bytes]:
    """Every message of the file. Raises MalformedMessage when the file ends inside one."""
    while prefix := source.read(2):
        length = int.from_bytes(prefix, "big")
        if len(prefix) == 2 and length == 0:
            return
        raw = source.read(length)
        if len(prefix) != 2 or len(raw) != length:
            raise MalformedMessage("the file ends inside a message")
        yield raw


def encode(contents: Iterable[bytes]) -> bytes:
    """A file of these messages with its end mark."""
    return b"".join(len(raw).to_bytes(2, "big") + raw for raw in contents) + b"\0\0"
