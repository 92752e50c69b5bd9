"""A backtest's file is read as it was written."""

from pathlib import Path

import pytest

from engine.messages.backtest import BacktestConfig, read_backtest, write_backtest
from engine.messages.control import DefineVenue, StartStrategy
from engine.messages.risk import LimitsRow

CONFIG = BacktestConfig(
    recording='/tmp/a "quoted" é \x7f\t😀 \\ path',
    venues=[DefineVenue(1, "XSIM", "ouch50", {"maker_fee": "-20", "two words": ""})],
    strategies=[StartStrategy(7, "A / B", 3, "pairs", "f" * 64, 1, [1, 2], {"hedge_ratio": 1e-07, "quantity": 100.0})],
    limits=[LimitsRow(1, 0, order_quantity=10), LimitsRow(2, 3)],
)


def test_it_comes_back_as_it_went(tmp_path: Path) -> None:
    path = tmp_path / "backtest.toml"
    write_backtest(path, CONFIG)
    assert read_backtest(path) == CONFIG


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("recording = 'x'\ncolour = 1", "there is no setting 'colour'"),
        ("", "the setting 'recording' is missing"),
        ("recording = 'x'\n[[limits]]\nscope = 1\nsize = 2", "unexpected keyword argument 'size'"),
        ("recording =", "Invalid value"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "backtest.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_backtest(path)
