"""A private TCP connection for the loop's idle sends (`engine.hotpath.pipeline.warm`)."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from engine.hotpath.memory import EngineMemory


@dataclass
class WarmSends:
    """Both ends of the connection; they stay open as long as this lives."""

    ends: tuple[socket.socket, socket.socket]

    def close(self, memory: EngineMemory) -> None:
        """Take it from the loop and close it."""
        memory.core["warm_fd"] = -1
        for end in self.ends:
            end.close()


def start_warm_sends(memory: EngineMemory, every_us: int) -> WarmSends:
    """Let the loop send a byte to nobody after every `every_us` idle microseconds. `cycles_per_us` must be known."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ours.setblocking(False)
    theirs.setblocking(False)
    core = memory.core
    core["warm_cycles"] = every_us * int(core["cycles_per_us"][0])
    core["warm_peer"] = theirs.fileno()
    core["warm_fd"] = ours.fileno()
    return WarmSends((ours, theirs))
