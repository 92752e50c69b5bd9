"""The engine's configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import EngineConfig, read_config


def written(directory: Path, text: str) -> Path:
    path = directory / "engine.toml"
    path.write_text(text)
    return path


def test_the_least_file_names_the_instruments_and_takes_its_own_directory(tmp_path: Path) -> None:
    path = written(tmp_path, 'instruments = "instruments.json"\n')
    assert read_config(path) == EngineConfig(tmp_path / "instruments.json", tmp_path)


def test_every_setting_is_read_and_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    text = """
instruments = "data/instruments.json"
state = "/var/engine"
mode = "live"
wait = "spinning"
warm_sends_us = 50
warm_decisions_us = 30
sync_policy = "each"
venue_count = 8
strategy_count = 2
"""
    paths = tmp_path / "data/instruments.json", Path("/var/engine")
    expected = EngineConfig(*paths, "live", "spinning", 50, 30, "each", 8, 2)
    assert read_config(written(tmp_path, text)) == expected


REFUSED = [
    ("", "the setting 'instruments' is missing"),
    ("instrumens = 'x'", "there is no setting 'instrumens'"),
    ("instruments = 1", "instruments must be text"),
    ("instruments = 'x'\nvenue_count = '4'", "venue_count must be a whole number"),
    ("instruments = 'x'\nvenue_count = true", "venue_count must be a whole number"),
    ("instruments = 'x'\nvenue_count = 4.5", "venue_count must be a whole number"),
    ("instruments = 'x'\nvenue_count = 0", "venue_count is 1 to 8"),
    ("instruments = 'x'\nvenue_count = 9", "venue_count is 1 to 8"),
    ("instruments = 'x'\nstrategy_count = 1", "strategy_count 2 to 65536"),
    ("instruments = 'x'\nstrategy_count = 65537", "strategy_count 2 to 65536"),
    ("instruments = 'x'\nmode = 'backtest'", "mode is 'backtest'; it must be one of paper, live"),
    ("instruments = 'x'\nwarm_sends_us = 50", "warm_sends_us is 0, or 20 to 1000000 with wait = 'spinning'"),
    ("instruments = 'x'\nwait = 'spinning'\nwarm_sends_us = 19", "warm_sends_us is 0, or 20 to 1000000"),
    ("instruments = 'x'\nwarm_decisions_us = 9", "warm_decisions_us is 0, or 10 to 1000000"),
    ("instruments = 'x'\nwait = 'sleeping'", "it must be one of backing_off, spinning"),
    ("instruments = 'x'\nsync_policy = 'never'", "it must be one of each, interval, none"),
    ("instruments = ", "Invalid value"),
    ("[engine]\ninstruments = 'x'", "there is no setting 'engine'"),
]


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
def test_what_is_wrong_with_the_file_is_said_with_its_name(tmp_path: Path, text: str, sentence: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ValueError) as refused:
        read_config(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert sentence in str(refused.value)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        read_config(tmp_path / "engine.toml")


def test_a_file_that_is_not_text_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "engine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError):
        read_config(path)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('lock_memory = "yes"', "lock_memory must be true or false"),
        ("loop_cpu = true", "loop_cpu must be a whole number"),
        ("loop_cpu = -2", "loop_cpu is -1 (none) or a processor's number, realtime_priority 0 (none) to 99"),
        ("realtime_priority = 100", "loop_cpu is -1 (none) or a processor's number, realtime_priority 0 (none) to 99"),
        ('huge_pages = "some"', "huge_pages is 'some'; it must be one of transparent, reserved, never"),
        ("latency_budget_us = -1", "a latency budget is 0 (none) to 999999999 microseconds"),
    ],
)
def test_a_setting_of_the_machine_that_makes_no_sense_is_a_sentence(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "engine.toml"
    path.write_text(f'instruments = "i.json"\n{line}\n')
    with pytest.raises(ValueError) as refused:
        read_config(path)
    assert str(refused.value) == f"{path}: {sentence}"
