"""What an exchange has written in its own log, while it may be writing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def oracle_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines; of the last one a reader may see a part."""
    raw = path.read_bytes()
    return [json.loads(line) for line in raw[: raw.rfind(b"\n") + 1].splitlines()]
