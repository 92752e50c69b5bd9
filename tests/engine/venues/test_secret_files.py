"""Passwords in files: found in one folder only, used when connecting, said nowhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.messages.codes import SessionState
from engine.messages.endpoints import shared_memory_directory
from engine.messages.secrets import without_secrets
from engine.protocols import fix
from engine.venues import read_venue
from engine.venues.fix44_redaction import Redaction
from engine.venues.secret_files import SecretFiles, secret_files
from tests.engine.venues.fix44_engine import Engine, wait_for
from tests.engine.venues.fix_loop import VENUE_ID, FixLoop

TYPED = {"order_address": "127.0.0.1:1", "user": "desk", "feed_line_a": "127.0.0.1:2"}
SECRET = "correct horse"
DOUBT = [SessionState.RECONCILING, SessionState.UP]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    made.mkdir()
    (made / "xfix").write_text(f"{SECRET}\n")
    return made


def test_a_reference_stands_for_the_text_of_its_file_and_a_password_for_itself(tmp_path: Path, folder: Path) -> None:
    secrets = secret_files(tmp_path)
    assert secrets == SecretFiles(folder)
    (folder / "again").symlink_to(folder / "xfix")
    for value in ("file:xfix", "file:again", SECRET):
        assert secrets.text(value) == SECRET
    settings = TYPED | {"user": "file:x", "password": "file:xfix", "drop_copy_password": "typed"}
    assert secrets.settings("ouch50", settings) == settings | {"password": SECRET}


def test_a_file_that_is_none_of_the_folder_or_no_password_is_a_sentence(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "outside").write_text("outside")
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "up").symlink_to("..")
    for name, raw in (("empty", b"\n"), ("long", b"x" * 5000), ("binary", b"\xff\xfe"), ("lines", b"one\ntwo")):
        (folder / name).write_bytes(raw)
    os.mkfifo(folder / "pipe")
    sentences = {
        "link": "the secret link is a link out of",
        "up": "the secret up is a link out of",
        "nothing": "the secret nothing is not in",
        "pipe": "is not a file of at most 4096 bytes",
        "long": "is not a file of at most 4096 bytes",
        "empty": "is not one line of text",
        "lines": "is not one line of text",
        "binary": "is not text",
    }
    for name, sentence in sentences.items():
        with pytest.raises(ValueError, match=sentence):
            SecretFiles(folder).text(f"file:{name}")
    with pytest.raises(ValueError, match="the secret xfix is not in"):
        SecretFiles(tmp_path / "no such folder").text("file:xfix")


@pytest.mark.parametrize("name", ["", "../outside", "/etc/passwd", "a/b", "..", ".hidden", "a\\b", "x" * 65])
def test_a_name_that_is_a_path_is_refused_when_the_venue_is_defined(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="file:NAME names one file of the secrets folder"):
        read_venue("ouch50", TYPED | {"password": f"file:{name}"})
    with pytest.raises(ValueError, match="does not name a file"):
        SecretFiles(folder).text(f"file:{name}")


def test_a_password_of_a_file_has_the_length_that_the_protocol_has_room_for(folder: Path) -> None:
    settings = TYPED | {"password": "file:a-name-of-more-than-ten-letters"}
    read_venue("ouch50", settings)
    (folder / "a-name-of-more-than-ten-letters").write_text("more than ten letters")
    with pytest.raises(ValueError, match="password has at most 10 ASCII characters") as refused:
        read_venue("ouch50", SecretFiles(folder).settings("ouch50", settings))
    assert "letters" not in str(refused.value).replace("characters", "")


def test_a_reference_is_shown_and_a_password_never() -> None:
    shown = without_secrets({"password": "file:xfix", "api_secret": "typed", "drop_copy_password": "file:../x"})
    assert shown == {"password": "file:xfix", "api_secret": "•••", "drop_copy_password": "•••"}


def test_the_loop_logs_on_with_the_password_of_a_file_that_came_late(tmp_path: Path, venue: Any) -> None:
    desk = FixLoop(tmp_path / "desk", *venue.address(), password="file:xfix")
    desk.until(lambda: "the secret xfix is not in" in desk.complaint(), "what is missing is said")
    (tmp_path / "desk" / "secrets").mkdir()
    (tmp_path / "desk" / "secrets" / "xfix").write_text(SECRET)
    desk.up()
    assert [logon[554] for logon in venue.admin("A")] == [SECRET]
    assert desk.complaint() == ""
    kept = repr((desk.said, desk.body, desk.configuration.venues[VENUE_ID]))
    assert SECRET not in kept
    desk.close()


def test_quickfix_keeps_no_password_and_resends_all_the_same(tmp_path: Path, venue: Any) -> None:
    state = tmp_path / "state"
    (state / "secrets").mkdir(parents=True)
    (state / "secrets" / "xfix").write_text(SECRET)
    name, port = venue.address()
    engine = Engine(state, port, name, password="file:xfix")
    try:
        engine.wait_session(SessionState.UP)
        assert [logon[554] for logon in venue.admin("A")] == [SECRET]
        kept = [path for path in (state / "engine").rglob("*") if path.is_file()]
        wait_for(lambda: not [path for path in kept if SECRET.encode() in path.read_bytes()], "the password is gone")
        body = next(path for path in kept if path.suffix == ".body")
        frames = [fix.decode(frame) for frame in fix.Splitter().feed(body.read_bytes())]
        assert (frames[0].type, frames[0].get(554)) == ("A", "*" * len(SECRET))
        venue.send("ResendRequest", {7: "1", 16: "0"})
        wait_for(lambda: engine.drain() or engine.sessions[-2:] == DOUBT, "the gap is filled")
        engine.enter(1)
        engine.wait_reports(1)
    finally:
        engine.kill()
        shutil.rmtree(shared_memory_directory(state))


def test_a_logon_that_is_written_in_pieces_is_blotted_out_when_it_is_whole(tmp_path: Path) -> None:
    logon = fix.encode("FIX.4.2", [(35, "A"), (34, "1"), (95, "3"), (96, "abc"), (108, "5")])
    order = fix.encode("FIX.4.2", [(35, "D"), (96, "abc")])
    path = tmp_path / "body"
    redaction = Redaction((path, tmp_path / "none"))
    redaction.look()
    with path.open("wb", buffering=0) as file:
        for piece in (logon + order + logon[:40], logon[40:]):
            file.write(piece)
            redaction.look()
    frames = [fix.decode(frame) for frame in fix.Splitter().feed(path.read_bytes())]
    assert [(frame.type, frame.get(96)) for frame in frames] == [("A", "***"), ("D", "abc"), ("A", "***")]
