"""Probes that say whether a process can do its work, not merely whether it runs."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import zmq

from desk.operations.processes import Child
from engine.messages.control import HELLO, Command

Probe = Callable[[Child], bool]
HELLO_WAIT_MS = 500


class NotReady(Exception):
    """A process ended or did not become ready in time; the text ends with what it wrote."""


def wait_until_ready(child: Child, probe: Probe, seconds: float, sign_of_life: Callable[[], None]) -> None:
    """Return when `probe` says so; raise NotReady when the process ends or `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while True:
        if not child.running:
            raise NotReady(f"{child.name} {child.ending()} before it was ready. It wrote:\n{child.tail()}")
        if probe(child):
            return
        if time.monotonic() >= deadline:
            raise NotReady(f"{child.name} was not ready after {seconds:.0f} s. It wrote:\n{child.tail()}")
        sign_of_life()
        time.sleep(0.05)


def is_accepting(host: str, port: int) -> bool:
    """Say whether a TCP connection to the address is accepted."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def is_named_in(ready_file: Path) -> Probe:
    """Ready when the process has written this JSON file with its own number as `pid`."""

    def probe(child: Child) -> bool:
        try:
            return bool(json.loads(ready_file.read_text())["pid"] == child.process.pid)
        except (OSError, ValueError, KeyError):
            return False

    return probe


def answers_http(url: str) -> Probe:
    """Ready when the address answers 200."""

    def probe(_child: Child) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2.0) as answer:  # noqa: S310  an http address of our own
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return probe


def answers_hello(control_endpoint: str) -> Probe:
    """Ready when the engine answers `hello` with its catalogue."""

    return lambda _child: ask_hello(control_endpoint, HELLO_WAIT_MS) is not None


def ask_hello(control_endpoint: str, wait_ms: int) -> dict[str, object] | None:
    """Return the engine's answer to `hello`, or None when it does not answer within `wait_ms`."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as client:
        client.setsockopt(zmq.LINGER, 0)
        client.connect(control_endpoint)
        client.send(Command(HELLO, "launcher", {}).encode())
        if not client.poll(wait_ms):
            return None
        answer: dict[str, object] = json.loads(client.recv_multipart()[-1])
        return answer


def writes(words: str) -> Probe:
    """Ready when the process has written `words` to its log since it was started."""

    def probe(child: Child) -> bool:
        with child.log.open("rb") as text:
            text.seek(child.log_start)
            return words.encode() in text.read()

    return probe
