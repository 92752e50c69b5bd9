"""Commands to the engine, one at a time: sent with an id, answered or given up on with a clear sentence.

The socket lives as long as the command: a command that nobody took is dropped with it and can never be done later.
"""

import time
from dataclasses import fields
from typing import Any

import zmq
from django.conf import settings
from django.core.cache import cache

from desk.refusals import EngineNotReached, EngineRefused, OutcomeUnknown
from engine.messages.catalogue import AlgorithmKind, Catalogue, Parameter, StrategyKind, VenueField, VenueKind
from engine.messages.control import Command, Hello, Status, command, decode_status
from engine.messages.endpoints import engine_endpoints

TIMEOUT_SECONDS = 5.0
CONNECT_SECONDS = 0.5
CATALOGUE_SECONDS = 5
CATALOGUE_KEY = "engine-catalogue"


def send(made: Command, timeout_seconds: float = TIMEOUT_SECONDS) -> Status:
    """The engine's answer, applied or refused. EngineNotReached when the command never left, OutcomeUnknown when no
    answer came: the same command may then be sent again, with the same id."""
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    try:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.IMMEDIATE, 1)
        socket.setsockopt(zmq.SNDTIMEO, int(CONNECT_SECONDS * 1000))
        socket.connect(engine_endpoints(settings.STATE).control)
        try:
            socket.send(made.encode())
        except zmq.Again:
            raise EngineNotReached("The engine is unreachable; nothing was sent to it.") from None
        return _await_answer(socket, made, timeout_seconds)
    finally:
        socket.close()


def _await_answer(socket: "zmq.Socket[bytes]", made: Command, timeout_seconds: float) -> Status:
    deadline = time.monotonic() + timeout_seconds
    resend_at = time.monotonic() + timeout_seconds / 2
    while (now := time.monotonic()) < deadline:
        if now >= resend_at:
            # Safe: the engine applies an id once and answers it the same way again.
            socket.send(made.encode(), zmq.NOBLOCK) if socket.poll(0, zmq.POLLOUT) else None
            resend_at = deadline
        if not socket.poll(int((min(deadline, resend_at) - now) * 1000) + 1):
            continue
        status = decode_status(socket.recv_multipart()[-1])
        if status.id == made.id:
            return status
    raise OutcomeUnknown("The engine did not answer in time; whether it did this is unknown. Look, then try again.")


def apply(made: Command) -> Status:
    """Like `send`, but a refusal is raised as EngineRefused with the engine's sentence."""
    status = send(made)
    if not status.applied:
        raise EngineRefused(status.reason or "The engine refused.")
    return status


def catalogue(fresh: bool = False) -> Catalogue:
    """What the running engine announces; at most 5 s old unless `fresh`."""
    body = None if fresh else cache.get(CATALOGUE_KEY)
    if body is None:
        body = apply(command(Hello(), "desk")).body
        cache.set(CATALOGUE_KEY, body, CATALOGUE_SECONDS)
    return decode_catalogue(body)


def known_catalogue() -> Catalogue | None:
    """The catalogue if it is known, or can be had; None without an engine."""
    try:
        return catalogue()
    except (EngineNotReached, OutcomeUnknown, EngineRefused):
        return None


def decode_catalogue(body: dict[str, Any]) -> Catalogue:
    """The catalogue from the body of the answer to `hello`; fields that this desk does not know are left out."""
    known = _known(Catalogue, body)
    known["strategy_kinds"] = [
        StrategyKind(
            **_known(StrategyKind, kind) | {"parameters": [_made(Parameter, row) for row in kind["parameters"]]}
        )
        for kind in body.get("strategy_kinds", [])
    ]
    known["algorithm_kinds"] = [
        AlgorithmKind(
            **_known(AlgorithmKind, kind) | {"parameters": [_made(Parameter, row) for row in kind["parameters"]]}
        )
        for kind in body.get("algorithm_kinds", [])
    ]
    known["venue_kinds"] = [
        VenueKind(**_known(VenueKind, kind) | {"fields": [_made(VenueField, row) for row in kind["fields"]]})
        for kind in body.get("venue_kinds", [])
    ]
    return Catalogue(**known)


def _known(kind: type[Any], row: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in row.items() if name in names}


def _made(kind: type[Any], row: dict[str, Any]) -> Any:
    return kind(**_known(kind, row))
