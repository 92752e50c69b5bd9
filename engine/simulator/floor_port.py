"""The operator's port of the exchange: lines of text on a loopback connection, each answered with one line."""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import sys
from collections.abc import Callable
from pathlib import Path

DONE = "done"
LONGEST_LINE = 4096
ANSWER_SECONDS = 10.0


class FloorPort:
    """`carry_out(line)` gives the answer: DONE, or a sentence that says why not."""

    def __init__(self, selector: selectors.BaseSelector, carry_out: Callable[[str], str]) -> None:
        self._selector, self._carry_out = selector, carry_out
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._waiting: dict[socket.socket, bytes] = {}
        self.port = int(self._listener.getsockname()[1])
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _accept(self, _mask: int, _now_ns: int) -> None:
        with contextlib.suppress(OSError):
            peer, _ = self._listener.accept()
            peer.setblocking(False)
            self._waiting[peer] = b""
            self._selector.register(peer, selectors.EVENT_READ, lambda _mask, _now_ns: self._read(peer))

    def _read(self, peer: socket.socket) -> None:
        try:
            raw = peer.recv(LONGEST_LINE)
        except BlockingIOError:
            return
        except OSError:
            raw = b""
        lines = (self._waiting[peer] + raw).split(b"\n")
        self._waiting[peer] = lines.pop()
        for line in lines:
            answer = self._carry_out(line.decode("utf-8", "replace"))
            with contextlib.suppress(OSError):
                peer.send(f"{answer}\n".encode())
        if not raw or len(self._waiting[peer]) > LONGEST_LINE:
            self._drop(peer)

    def _drop(self, peer: socket.socket) -> None:
        del self._waiting[peer]
        self._selector.unregister(peer)
        peer.close()

    def close(self) -> None:
        """Close every socket."""
        for peer in list(self._waiting):
            self._drop(peer)
        self._selector.unregister(self._listener)
        self._listener.close()


def tell_running(ready_file: Path, order: str) -> int:
    """`exchange CONFIG --tell ORDER`. 0 when it was done, 1 with a sentence when not."""
    if not ready_file.exists():
        print(f"exchange: no exchange runs with this config: there is no {ready_file}", file=sys.stderr)
        return 1
    answer = tell(ready_file, order)
    told = answer == DONE or answer.startswith("[")  # a list of what a broker holds
    print(answer, file=sys.stdout if told else sys.stderr)
    return 0 if told else 1


def tell(ready_file: Path, line: str) -> str:
    """Give the exchange that wrote this exchange.json one order; its answer. OSError when it cannot be reached."""
    port = int(json.loads(ready_file.read_text())["floor_port"])
    with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as connection:
        connection.sendall(line.replace("\n", " ").encode() + b"\n")
        with connection.makefile(encoding="utf-8") as answers:
            return answers.readline().strip()
