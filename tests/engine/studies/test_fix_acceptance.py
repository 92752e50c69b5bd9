"""The acceptance definitions against our acceptor, and what the command says of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.studies.fix_acceptance import Row, main, play_all

SHARED = Path(os.environ.get("DESK_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
DEFINITIONS = SHARED / "fix" / "definitions"


@pytest.mark.skipif(not DEFINITIONS.exists(), reason="the acceptance definitions are not in the shared data")
def test_every_definition_of_42_and_44_is_passed() -> None:
    expected = [
        Row(version, path.stem, passed=True)
        for version, folder in (("4.2", "fix42"), ("4.4", "fix44"))
        for path in sorted((DEFINITIONS / folder).glob("*.def"))
    ]
    assert len(expected) == 117
    assert play_all(DEFINITIONS) == expected


def test_a_definition_that_is_not_passed_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fix44").mkdir()
    text = "# a comment\niCONNECT\nI8=FIX.4.4|35=A|34=1|49=TW44|52=<TIME>|56=ISLD|98=0|108=30|\nE8=FIX.4.4|35=5|34=1|\n"
    (tmp_path / "fix44" / "wrong.def").write_text(text.replace("|", "\x01"))
    assert main([str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "FAILED: line 4: 8=FIX.4.4|9=63|35=A|34=1|49=ISLD" in said
    assert "came; expected 8=FIX.4.4|9=10|35=5|34=1|10=" in said
    assert said.endswith("0 of 1 definitions passed\n")


def test_a_folder_without_definitions_is_a_clear_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"engine study: {tmp_path} has no definitions: folders fix42 and fix44 of .def files are expected\n"
    )
