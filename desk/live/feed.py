"""The hub's connection to the engine: one ZeroMQ socket for the conflated state and for the journal from a sequence."""

from __future__ import annotations

from collections.abc import AsyncIterator

import zmq
import zmq.asyncio

from engine.messages.follow import (
    Batch,
    CreditRequest,
    FollowRequest,
    LatencyBatch,
    Refusal,
    StateFrame,
    StateRequest,
    decode_answer,
    encode_request,
)

CREDIT_RECORDS = 20_000
LONGEST_BACK_FILL = 20_000
SILENCE_SECONDS = 2.0


async def follow_engine(endpoint: str) -> AsyncIterator[StateFrame | Batch]:
    """Yield what the engine says, for ever, across its restarts.

    Records begin LONGEST_BACK_FILL before the head that the first state frame names. After SILENCE_SECONDS, or a
    refusal, the connection is made anew and goes on after the last record.
    """
    context = zmq.asyncio.Context.instance()
    after: int | None = None
    while True:
        socket = context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(endpoint)
        following = False
        try:
            await socket.send(encode_request(StateRequest()))
            while await socket.poll(int(SILENCE_SECONDS * 1000)):
                heard = decode_answer(await socket.recv_multipart())
                if isinstance(heard, Refusal):
                    after = None
                    break
                if isinstance(heard, StateFrame) and not following:
                    head = int(heard.state["journal_sequence"])
                    if after is None or after > head:
                        after = max(0, head - LONGEST_BACK_FILL)
                    await socket.send(encode_request(FollowRequest(after, CREDIT_RECORDS, beats=True)))
                    following = True
                elif isinstance(heard, Batch) and heard.count:
                    after = heard.last
                    await socket.send(encode_request(CreditRequest(heard.count)))
                if not isinstance(heard, LatencyBatch):
                    yield heard
        finally:
            socket.close()
