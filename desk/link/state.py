"""The engine's conflated state, asked for once: what the stream's STATE channels show, for who does not follow it."""

import time
from typing import Any

import zmq
from django.conf import settings

from desk.refusals import EngineNotReached
from engine.messages.endpoints import engine_endpoints
from engine.messages.follow import StateFrame, StateRequest, decode_answer, encode_request

TIMEOUT_SECONDS = 2.0


def newest_state(timeout_seconds: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """A state frame as `engine.messages.state` describes it, less than a second old. EngineNotReached without one."""
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    try:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(engine_endpoints(settings.STATE).follow)
        socket.send(encode_request(StateRequest()))
        deadline = time.monotonic() + timeout_seconds
        while (left := deadline - time.monotonic()) > 0:
            if not socket.poll(int(left * 1000) + 1):
                continue
            heard = decode_answer(socket.recv_multipart())
            if isinstance(heard, StateFrame):
                return heard.state
    finally:
        socket.close()
    raise EngineNotReached("The engine is unreachable; what it sees now is not known.")
