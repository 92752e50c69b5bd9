"""A backtest as it is asked for: a recorded session and, in the words of the commands, what traded there.

`python -m engine backtest CONFIG --out DIR` reads CONFIG and writes DIR/result.json (the totals of `doors.md`),
DIR/equity.csv (time_ns,realised,unrealised,fees,net) and DIR/fills.csv (time_ns,sequence,order_id,strategy,instrument,
venue,side,price,quantity,fee,liquidity), money and prices as decimals. Progress goes to standard error as lines
`progress 0.42`.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from engine.messages.control import DefineVenue, StartStrategy
from engine.messages.risk import LimitsRow


@dataclass(frozen=True)
class BacktestConfig:
    """`recording` is the directory of a recorded session, with its recording.json. `costs` is a file of fitted costs:
    the market answers to our orders as they say, and takes as long; without one it does not, and at once."""

    recording: str
    venues: list[DefineVenue]
    strategies: list[StartStrategy]
    limits: list[LimitsRow]
    costs: str = ""


def write_backtest(path: Path, config: BacktestConfig) -> None:
    """Write the TOML file that `read_backtest` reads."""
    lines = [f"recording = {_toml(config.recording)}"]
    lines += [f"costs = {_toml(config.costs)}"] if config.costs else []
    for name in ("venues", "strategies", "limits"):
        for row in getattr(config, name):
            lines += ["", f"[[{name}]]", *(f"{key} = {_toml(value)}" for key, value in asdict(row).items())]
    path.write_text("\n".join(lines) + "\n")


def read_backtest(path: Path) -> BacktestConfig:
    """ValueError names what is wrong with the file."""
    try:
        raw = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None
    unknown = sorted(set(raw) - {field.name for field in fields(BacktestConfig)})
    if unknown:
        raise ValueError(f"{path}: there is no setting {unknown[0]!r}")
    kinds = {"venues": DefineVenue, "strategies": StartStrategy, "limits": LimitsRow}
    try:
        rows: dict[str, Any] = {name: [kind(**row) for row in raw.get(name, [])] for name, kind in kinds.items()}
        return BacktestConfig(str(raw["recording"]), **rows, costs=str(raw.get("costs", "")))
    except KeyError:
        raise ValueError(f"{path}: the setting 'recording' is missing") from None
    except TypeError as error:
        raise ValueError(f"{path}: {error}".replace("__init__() ", "")) from None


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    # JSON's strings, whole numbers, fractions and booleans are TOML's too, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
