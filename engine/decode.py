"""`python -m engine decode FILE --protocol P`: every message of a file as one JSON object per line, then a summary.

FILE is raw, gzip, pcap or pcapng. Values are named as in docs/protocols/; prices are exact decimals in text.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from engine.protocols.captures import is_capture
from engine.protocols.decoding import (
    PROTOCOLS,
    Decoded,
    Malformed,
    decode_capture,
    decode_raw,
    sbe_datagrams,
    sbe_messages,
)
from engine.protocols.layouts import decimal_text
from engine.protocols.ouch50_layouts import OPTIONS
from engine.protocols.sbe import Decoder
from engine.protocols.sbe_market import market_decoder
from engine.protocols.sbe_schema import read_schema

GZIP_MAGIC = b"\x1f\x8b"
COMPLAINTS = 20
HIDDEN = frozenset({"password", "new_password"})
OPTION_KINDS = {name: kind for name, kind, _ in OPTIONS.values()}


@dataclass
class Summary:
    """What the last line says."""

    messages: int = 0
    malformed: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    by_name: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {
            "messages": self.messages,
            "by_type": dict(sorted(self.by_type.items())),
            "by_name": dict(sorted(self.by_name.items())),
            "malformed": self.malformed,
        }


def open_file(path: Path) -> BinaryIO:
    """The file's bytes, unpacked when it is gzip; `peek` looks ahead."""
    source = path.open("rb")
    if source.peek(2)[:2] == GZIP_MAGIC:
        return io.BufferedReader(gzip.GzipFile(fileobj=source))
    return source


def as_json(decoded: Decoded) -> dict[str, Any]:
    """One message as it is printed."""
    message = decoded.message
    shown: dict[str, Any] = {"type": message.type or message.name, "name": message.name}
    shown |= decoded.context
    kinds = {name: kind for name, kind, _ in message.layout.rows}
    for name, value in message.values.items():
        if name != "type":
            shown[name] = "(hidden)" if name in HIDDEN else _shown(value, kinds[name].scale if name in kinds else 0)
    if message.appendage:
        scales = {name: OPTION_KINDS[name].scale for name in message.appendage if name in OPTION_KINDS}
        shown["appendage"] = {name: _shown(value, scales.get(name, 0)) for name, value in message.appendage.items()}
    if message.payload:
        shown["payload"] = message.payload.hex()
    return shown


def _shown(value: Any, scale: int) -> Any:
    return decimal_text(value, scale) if scale else value


def decode_file(path: Path, protocol: str, schema: Path | None = None) -> Iterator[Decoded | Malformed]:
    """Every message of the file, and in its place whatever was not one. `schema` is that of an SBE file."""
    with open_file(path) as source:
        captured = is_capture(source.peek(4)[:4])  # type: ignore[attr-defined]
        if protocol == "sbe":
            decoder = Decoder(read_schema(schema.read_bytes())) if schema else market_decoder()
            yield from sbe_datagrams(source, decoder) if captured else sbe_messages(source.read(), decoder)
        else:
            yield from decode_capture(source, protocol) if captured else decode_raw(source, protocol)


def _print_messages(options: argparse.Namespace) -> Summary:
    path, quiet = options.file, options.summary
    summary = Summary()
    for number, decoded in enumerate(decode_file(path, options.protocol, options.schema), 1):
        if isinstance(decoded, Malformed):
            summary.malformed += 1
            if summary.malformed <= COMPLAINTS:
                print(f"{path.name}: item {number} is malformed: {decoded.reason}", file=sys.stderr)
            continue
        summary.messages += 1
        summary.by_type[decoded.counted_as] += 1
        summary.by_name[decoded.message.name] += 1
        if not quiet:
            print(json.dumps(as_json(decoded)))
    return summary


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m engine decode", description="Every message of a file as JSON lines."
    )
    parser.add_argument("file", type=Path, help="raw, gzip, pcap or pcapng")
    parser.add_argument("--protocol", required=True, choices=sorted(PROTOCOLS))
    parser.add_argument("--summary", action="store_true", help="print the last line alone")
    parser.add_argument("--json", action="store_true", help="accepted as everywhere; the output is JSON in any case")
    parser.add_argument("--schema", type=Path, help="XML of an SBE file's schema; without it, our own market data")
    options = parser.parse_args(arguments)
    if options.schema and options.protocol != "sbe":
        parser.error("--schema goes with --protocol sbe")
    return options


def main(arguments: list[str]) -> int:
    """The command. 1 when the file cannot be read or holds no message of the protocol, 0 otherwise."""
    options = _parse(arguments)
    try:
        summary = _print_messages(options)
        print(json.dumps(summary.as_json()))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, EOFError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) and wrong.strerror else wrong
        print(f"engine decode: {options.file}: {reason}", file=sys.stderr)
        return 1
    if summary.messages == 0:
        found = f"{summary.malformed} malformed" if summary.malformed else "nothing that could carry one"
        print(
            f"engine decode: no {options.protocol} message in {options.file} ({found}); another protocol?",
            file=sys.stderr,
        )
        return 1
    return 0
