"""The engine's configuration file (TOML), read once at start. An unknown setting is an error; nothing below sees the
file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from engine.pages import HUGE_PAGES

MODES = ("paper", "live")
WAITS = ("backing_off", "spinning")
KINDS: dict[str, tuple[type, str]] = {
    "int": (int, "a whole number"),
    "bool": (bool, "true or false"),
    "Path": (str, "text"),
}
MOST_US = 1_000_000_000
SYNC_POLICIES = ("each", "interval", "none")
WARM_DECISIONS_US = 20


@dataclass(frozen=True)
class EngineConfig:
    """Settings of `python -m engine run CONFIG`; paths are relative to the file.

    `instruments` is the reference data. `state` holds journal, recording and sockets (default: the file's directory).
    `wait`: what the loop does with nothing to do. `warm_sends_us`: spinning, it sends a byte on a private connection
    after every so many idle microseconds, so that the next order's send is not cold; 0: never. `warm_decisions_us`:
    spinning, a packet goes through a small engine beside it after so many idle microseconds, so that the next decision
    is not cold; 0: never.
    `loop_cpu`: the processor that the loop is pinned to, -1: none; `helper_cpus`: those of everything else, like
    "0,2-3", empty: all others. `realtime_priority`: of the loop under SCHED_FIFO, 0: none. `lock_memory`: nothing is
    ever paged out. `huge_pages`: transparent, reserved or never.
    `sync_policy`: when the copier makes the journal durable. `latency_budget_us` and `order_latency_budget_us`: packet
    received to send called, p99 of the last minute and any one order; longer is an alarm; 0: no budget.
    `costs`: the file of fitted costs that the router reckons with (docs/tca.md), read once at start; none: it learns
    all by itself. `secrets_folder`: where the files are that venues' passwords name (`file:NAME`), none: `secrets` in
    the state directory.
    """

    instruments: Path
    state: Path
    mode: str = "paper"
    wait: str = "backing_off"
    warm_sends_us: int = 0
    warm_decisions_us: int = WARM_DECISIONS_US
    sync_policy: str = "interval"
    venue_count: int = 4
    strategy_count: int = 512
    loop_cpu: int = -1
    helper_cpus: str = ""
    realtime_priority: int = 0
    lock_memory: bool = False
    huge_pages: str = "transparent"
    latency_budget_us: int = 0
    order_latency_budget_us: int = 0
    costs: Path | None = None
    secrets_folder: Path | None = None


def read_config(path: Path) -> EngineConfig:
    """ValueError with a sentence for a file that cannot be read, an unknown setting or a value out of bounds."""
    try:
        raw = tomllib.loads(path.read_text())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from None
    known = {field.name: field.type for field in fields(EngineConfig)}
    for name, value in raw.items():
        if name not in known:
            raise ValueError(f"{path}: there is no setting {name!r}; there are {', '.join(known)}")
        wanted, word = KINDS.get(str(known[name]), KINDS["Path"])
        if type(value) is not wanted:
            raise ValueError(f"{path}: {name} must be {word}")
    if "instruments" not in raw:
        raise ValueError(f"{path}: the setting 'instruments' is missing")
    base = path.resolve().parent
    places = {"instruments": base / raw.pop("instruments"), "state": base / raw.pop("state", ".")}
    places |= {name: base / raw.pop(name) for name in ("costs", "secrets_folder") if name in raw}
    config = EngineConfig(**places, **raw)
    choices = (("mode", MODES), ("wait", WAITS), ("sync_policy", SYNC_POLICIES), ("huge_pages", HUGE_PAGES))
    for name, allowed in choices:
        if getattr(config, name) not in allowed:
            raise ValueError(f"{path}: {name} is {getattr(config, name)!r}; it must be one of {', '.join(allowed)}")
    _check_bounds(path, config)
    return config


def _check_bounds(path: Path, config: EngineConfig) -> None:
    if not (1 <= config.venue_count <= 8 and 2 <= config.strategy_count <= 65536):
        raise ValueError(f"{path}: venue_count is 1 to 8, strategy_count 2 to 65536")
    if not (0 <= config.latency_budget_us < MOST_US and 0 <= config.order_latency_budget_us < MOST_US):
        raise ValueError(f"{path}: a latency budget is 0 (none) to {MOST_US - 1} microseconds")
    if not (-1 <= config.loop_cpu < 4096 and 0 <= config.realtime_priority <= 99):
        raise ValueError(f"{path}: loop_cpu is -1 (none) or a processor's number, realtime_priority 0 (none) to 99")
    if config.warm_sends_us and (config.wait != "spinning" or not 20 <= config.warm_sends_us <= 1_000_000):
        raise ValueError(f"{path}: warm_sends_us is 0, or 20 to 1000000 with wait = 'spinning'")
    if config.warm_decisions_us and not 10 <= config.warm_decisions_us <= 1_000_000:
        raise ValueError(f"{path}: warm_decisions_us is 0, or 10 to 1000000")
