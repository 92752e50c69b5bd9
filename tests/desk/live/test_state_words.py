import re

from desk.environment import PROJECT_ROOT
from desk.live.state_words import STATE_WORDS
from engine.messages import codes


def test_live_cells_and_server_pages_say_the_same_words() -> None:
    source = (PROJECT_ROOT / "static/js/format.js").read_text()
    table = source.split("const STATES = {")[1].split("};")[0]
    rows = re.findall(r'(\w+): \["([^"]*)", "([^"]*)"\]', table)
    assert {code: (word, style) for code, word, style in rows} == STATE_WORDS


def test_every_state_has_its_word() -> None:
    kinds = (codes.OrderState, codes.EngineState, codes.SessionState, codes.StrategyState)
    assert {member.name for kind in kinds for member in kind} - STATE_WORDS.keys() == set()
