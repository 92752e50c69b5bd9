"""The launcher: starts in order, mends what may be mended, says what ended, leaves nothing behind."""

import io
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desk.environment import PROJECT_ROOT
from desk.operations.launcher import Launcher, ProcessEnded, Service, output_of
from desk.operations.processes import Command
from desk.operations.progress import Progress
from desk.operations.readiness import NotReady, writes
from tests.processes import processes_of, wait_until_gone

STAYS = "import sys, time; print('ready', flush=True); time.sleep(600)"
ENDS = "import sys, time; print('ready', flush=True); print('no more disk', flush=True); time.sleep(0.3); sys.exit(3)"
TALKS_LATER = "import time; time.sleep(0.2); print('ready', flush=True); time.sleep(600)"
IGNORES_TERM = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
HAS_A_CHILD = (
    "import subprocess, sys, time; subprocess.Popen(['sleep', '600']); print('ready', flush=True); time.sleep(600)"
)


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def launcher(tmp_path: Path, screen: io.StringIO) -> Iterator[Launcher]:
    made = Launcher(tmp_path, Progress(screen))
    yield made
    made.stop()
    assert processes_of(tmp_path) == {}


def service(tmp_path: Path, name: str, program: str, *, restart: bool = False, stop_seconds: float = 5.0) -> Service:
    command = Command(
        name, [sys.executable, "-c", program], {"STATE": str(tmp_path)}, tmp_path, stop_seconds=stop_seconds
    )
    return Service(command, f"Starting {name}", writes("ready"), 5.0, restart)


def test_a_service_is_started_when_it_says_that_it_is_ready(launcher: Launcher, tmp_path: Path) -> None:
    launcher.start(service(tmp_path, "web", TALKS_LATER))
    assert [(child.name, child.running, child.tail()) for child in launcher.children] == [("web", True, "    ready")]


def test_each_step_is_one_line_with_its_time(launcher: Launcher, tmp_path: Path, screen: io.StringIO) -> None:
    launcher.start(service(tmp_path, "web", STAYS))
    assert screen.getvalue().startswith("  Starting web ... 0.")
    assert screen.getvalue().endswith(" s\n")


def test_a_service_that_ends_before_it_is_ready_is_told_with_its_last_words(launcher: Launcher, tmp_path: Path) -> None:
    with pytest.raises(NotReady) as told:
        launcher.start(service(tmp_path, "engine", "print('bad configuration')"))
    assert str(told.value) == "engine ended with status 0 before it was ready. It wrote:\n    bad configuration"


def test_the_end_of_what_cannot_be_mended_is_told_with_its_last_words(launcher: Launcher, tmp_path: Path) -> None:
    launcher.start(service(tmp_path, "exchange", STAYS))
    launcher.children[0].process.send_signal(signal.SIGKILL)
    with pytest.raises(ProcessEnded) as told:
        launcher.watch()
    assert str(told.value) == "exchange was ended by SIGKILL; the desk cannot go on without it. It wrote:\n    ready"


def test_what_comes_to_its_end_is_told_and_everything_else_goes_on(
    launcher: Launcher, tmp_path: Path, screen: io.StringIO
) -> None:
    over = ENDS.replace("sys.exit(3)", "sys.exit(0)").replace("0.3", "0.1")
    launcher.start(replace(service(tmp_path, "exchange", over), finishes=True))
    launcher.start(service(tmp_path, "valkey", ENDS.replace("0.3", "1.5")))
    with pytest.raises(ProcessEnded, match="valkey ended with status 3"):
        launcher.watch()
    assert "exchange has come to its end; everything else goes on." in screen.getvalue()
    assert [child.name for child in launcher.children] == ["valkey"]


def test_what_may_be_mended_is_started_again_three_times_a_minute(
    launcher: Launcher, tmp_path: Path, screen: io.StringIO
) -> None:
    launcher.start(service(tmp_path, "worker", ENDS, restart=True))
    with pytest.raises(ProcessEnded) as told:
        launcher.watch()
    assert str(told.value) == (
        "worker ended with status 3 for the 4th time in a minute. It wrote:\n    ready\n    no more disk"
    )
    assert screen.getvalue().count("Starting worker again") == 3


def test_everything_stops_in_the_reverse_order(launcher: Launcher, tmp_path: Path) -> None:
    said = "import signal, sys, time\ndef stop(*_):\n  open('order', 'a').write(NAME); sys.exit()\n"
    said += "signal.signal(15, stop); print('ready', flush=True); time.sleep(600)"
    for name in ("a", "b", "c"):
        launcher.start(service(tmp_path, name, said.replace("NAME", repr(name))))
    launcher.stop()
    assert (tmp_path / "order").read_text() == "cba"


def test_a_process_that_does_not_obey_is_ended_and_named(
    launcher: Launcher, tmp_path: Path, screen: io.StringIO
) -> None:
    launcher.start(service(tmp_path, "worker", IGNORES_TERM, stop_seconds=0.2))
    launcher.stop()
    assert "worker did not stop within 0 s and was ended." in screen.getvalue()
    assert processes_of(tmp_path) == {}


def test_the_children_of_a_service_stop_with_it(launcher: Launcher, tmp_path: Path) -> None:
    launcher.start(service(tmp_path, "worker", HAS_A_CHILD))
    assert len(processes_of(tmp_path)) == 2
    launcher.stop()
    assert processes_of(tmp_path) == {}


def test_a_failed_step_is_told_with_its_last_words(launcher: Launcher, tmp_path: Path) -> None:
    command = Command("migrate", [sys.executable, "-c", "print('no such table'); exit(1)"], {}, tmp_path)
    with pytest.raises(ProcessEnded) as told:
        launcher.run_to_end(command)
    assert str(told.value) == "migrate ended with status 1. It wrote:\n    no such table"


def test_passwords_that_a_step_prints_are_returned_and_not_logged(tmp_path: Path) -> None:
    program = "import sys; print('secret'); print('warning', file=sys.stderr)"
    log = tmp_path / "seed.log"
    assert output_of(Command("seed", [sys.executable, "-c", program], {}, tmp_path), log) == "secret\n"
    assert log.read_text() == "warning\n"


KILLED = """
import sys
from pathlib import Path
from desk.environment import PROJECT_ROOT
from desk.operations.launcher import Launcher
from desk.operations.progress import Progress
from tests.desk.operations.test_launcher import HAS_A_CHILD, IGNORES_TERM, STAYS, service
state = Path(sys.argv[1])
launcher = Launcher(state, Progress())
for name, program in (("obeys", STAYS), ("ignores", IGNORES_TERM), ("parent", HAS_A_CHILD)):
    launcher.start(service(state, name, program, stop_seconds=0.2))
print("ready", flush=True)
launcher.watch()
"""


def test_a_killed_launcher_leaves_no_process(tmp_path: Path) -> None:
    """Nor those that do not hear the kernel's signal: one that ignores it, and a child of one that obeys."""
    parent = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT
    )
    assert parent.stdout is not None
    assert "ready\n" in iter(parent.stdout.readline, "")
    children = processes_of(tmp_path).keys() - {parent.pid}
    assert len(children) == 4
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until_gone(tmp_path)


def test_a_long_step_gives_a_sign_of_life(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 100.0, 104.0, 106.0, 107.0, 109.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    progress = Progress(screen)
    with progress.step("Compiling"):
        progress.sign_of_life()
        progress.sign_of_life()
        progress.sign_of_life()
    assert screen.getvalue() == "  Compiling ... 6 s ... 9.5 s\n"
