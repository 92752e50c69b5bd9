"""Following from any sequence gives what the files have; a slow follower holds up nobody."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from desk.link.follow import FollowClient, FollowRefused
from engine.journal.copier import start_copier
from engine.journal.follow import FollowServer
from engine.journal.segments import DATA_OFFSET
from engine.journal.writer import Journal
from engine.messages.codes import RecordKind
from engine.messages.follow import (
    Batch,
    CreditRequest,
    FollowRequest,
    LatencyBatch,
    LatencyRequest,
    Refusal,
    StateFrame,
    StateRequest,
    decode_answer,
    decode_request,
    encode_batch,
    encode_latency,
    encode_refusal,
    encode_request,
    encode_state,
)
from engine.messages.journal import RECORD_SIZE
from engine.messages.latency import LATENCY_ROW
from engine.messages.records import records
from tests.engine.journal.rig import append_order, open_small

Serve = Callable[..., str]
COUNT = 300


@pytest.fixture
def journal(state: Path) -> Iterator[Journal]:
    """Orders and texts over many small segments."""
    journal = open_small(state, DATA_OFFSET + 16 * RECORD_SIZE)
    for order_id in range(1, COUNT + 1):
        journal.keep()
        if order_id % 50:
            append_order(journal, order_id)
        else:
            journal.append_text(RecordKind.COMMAND, 1, {"order_id": order_id, "text": "x" * order_id})
    yield journal
    journal.close()


@pytest.fixture
def serve(journal: Journal, tmp_path: Path) -> Iterator[Serve]:
    """Start a follow server on the journal; its endpoint."""
    servers = []

    def start(**options: object) -> str:
        endpoint = f"ipc://{tmp_path}/follow-{len(servers)}.ipc"
        server = FollowServer(journal.places.journal, endpoint, **options)
        server.start()
        servers.append(server)
        return endpoint

    yield start
    for server in servers:
        server.stop()


def take(client: FollowClient, last: int) -> list[int]:
    """Sequences handed out up to `last`."""
    taken: list[int] = []
    for batch in client.batches(wait_seconds=20.0):
        assert batch is not None, f"nothing came after {client.sequence}"
        taken += [record.sequence for record in records(batch.data)]
        assert taken[-1] == batch.last
        if batch.last >= last:
            return taken
    raise AssertionError


@pytest.mark.parametrize("after", [0, 1, 15, 16, 17, 49, 50, 299])
def test_following_from_any_sequence_equals_the_file(serve: Serve, after: int) -> None:
    with FollowClient(serve(), after) as client:
        assert take(client, COUNT) == list(range(after + 1, COUNT + 1))


def test_a_follower_at_the_head_gets_what_comes_next(serve: Serve, journal: Journal) -> None:
    with FollowClient(serve(), COUNT) as client:
        assert client.receive(0.1) is None
        journal.keep()
        append_order(journal, 1)
        assert take(client, COUNT + 1) == [COUNT + 1]


def test_no_more_is_sent_than_there_is_credit_for(serve: Serve) -> None:
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.connect(serve())
    socket.send(encode_request(FollowRequest(0, 10)))
    assert [decode_answer(socket.recv_multipart()).count for _ in range(1)] == [10]
    assert socket.poll(200) == 0
    socket.send(encode_request(CreditRequest(3)))
    batch = decode_answer(socket.recv_multipart())
    assert (batch.first, batch.count) == (11, 3)
    assert socket.poll(200) == 0
    socket.close(linger=0)


def test_a_follower_that_never_reads_delays_nobody(serve: Serve) -> None:
    endpoint = serve()
    sleepers = []
    for _ in range(20):
        sleeper = zmq.Context.instance().socket(zmq.DEALER)
        sleeper.setsockopt(zmq.RCVHWM, 1)
        sleeper.connect(endpoint)
        sleeper.send(encode_request(FollowRequest(0, 1 << 40)))
        sleepers.append(sleeper)
    with FollowClient(endpoint) as client:
        assert take(client, COUNT) == list(range(1, COUNT + 1))
    for sleeper in sleepers:
        sleeper.close(linger=0)


def test_a_follower_ahead_of_the_journal_is_refused(serve: Serve) -> None:
    with FollowClient(serve(), COUNT + 7) as client, pytest.raises(FollowRefused, match="the journal ends at 300"):
        client.receive(20.0)


def test_a_follower_goes_on_after_the_server_was_restarted(journal: Journal, tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/follow.ipc"
    server = FollowServer(journal.places.journal, endpoint)
    server.start()
    with FollowClient(endpoint, silence_seconds=1.5) as client:
        assert take(client, COUNT) == list(range(1, COUNT + 1))
        server.stop()
        journal.keep()
        append_order(journal, 1)
        server = FollowServer(journal.places.journal, endpoint)
        server.start()
        assert take(client, COUNT + 1) == [COUNT + 1]
    server.stop()


def test_the_state_is_repeated_to_who_asked(serve: Serve) -> None:
    calls: list[int] = []

    def state() -> dict[str, int]:
        calls.append(1)
        return {"version": 1, "call": len(calls)}

    with FollowClient(serve(state=state), COUNT, state=True) as client:
        assert [client.receive(5.0) for _ in range(3)] == [StateFrame({"version": 1, "call": n}) for n in (1, 2, 3)]


def test_latency_rows_come_once_for_each_question_and_records_go_on(serve: Serve) -> None:
    asked: list[tuple[int, int]] = []
    found = np.zeros(2, LATENCY_ROW)
    found["sequence"] = (8, 11)

    def latency(after: int, most: int) -> np.ndarray:
        asked.append((after, most))
        return found[found["sequence"] > after]

    with FollowClient(serve(latency=latency), COUNT - 1) as client:
        client.ask_latency(7)
        client.ask_latency(8)
        answers = [client.receive(20.0) for _ in range(3)]
    batches = [answer.rows["sequence"].tolist() for answer in answers if isinstance(answer, LatencyBatch)]
    assert (batches, asked) == ([[8, 11], [11]], [(7, 8192), (8, 8192)])
    assert [answer.last for answer in answers if isinstance(answer, Batch)] == [COUNT]


def test_without_a_latency_log_or_with_one_that_cannot_be_read_there_are_no_rows(serve: Serve) -> None:
    def broken(after: int, most: int) -> np.ndarray:
        raise OSError(5, "Input/output error")

    for options in ({}, {"latency": broken}):
        with FollowClient(serve(**options), COUNT) as client:
            client.ask_latency(0)
            answer = client.receive(20.0)
        assert isinstance(answer, LatencyBatch)
        assert len(answer.rows) == 0


def test_nothing_is_sent_that_the_disk_does_not_have(serve: Serve, journal: Journal, state: Path) -> None:
    copier = start_copier(state)
    copier.status.set_durable("journal", 1, DATA_OFFSET + 5 * RECORD_SIZE)
    endpoint = serve(copier=copier.status)
    with FollowClient(endpoint) as client:
        assert take(client, COUNT) == list(range(1, COUNT + 1))
    assert copier.stop() == 0
    journal.keep()
    append_order(journal, 1)
    with FollowClient(endpoint, COUNT) as client:  # the copier is gone: what was published is shown
        assert take(client, COUNT + 1) == [COUNT + 1]


@pytest.mark.parametrize("request_bytes", [b"", b"{}", b"[1]", b"\xff", b'{"op":"follow","after":-1,"credit":1}', b"7"])
def test_a_malformed_request_is_answered_and_serves_nobody_worse(serve: Serve, request_bytes: bytes) -> None:
    endpoint = serve()
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.connect(endpoint)
    socket.send(request_bytes)
    assert isinstance(decode_answer(socket.recv_multipart()), Refusal)
    socket.close(linger=0)
    with FollowClient(endpoint, COUNT - 1) as client:
        assert take(client, COUNT) == [COUNT]


@given(
    st.one_of(
        st.builds(FollowRequest, st.integers(0), st.integers(0), st.booleans()),
        st.builds(CreditRequest, st.integers(0)),
        st.just(StateRequest()),
        st.builds(LatencyRequest, st.integers(0)),
    )
)
def test_requests_are_read_back(request: object) -> None:
    assert decode_request(encode_request(request)) == request


@given(st.binary(max_size=60))
def test_anything_else_is_refused(data: bytes) -> None:
    try:
        decode_request(data)
    except ValueError:
        return
    assert json.loads(data)["op"] in ("follow", "credit", "state", "latency")


def test_answers_are_read_back() -> None:
    assert decode_answer(encode_batch(7, 2, b"ab")) == Batch(7, 2, b"ab")
    assert decode_answer(encode_state({"version": 1})) == StateFrame({"version": 1})
    assert decode_answer(encode_refusal("no")) == Refusal("no")
    latencies = np.zeros(3, LATENCY_ROW)
    latencies["sequence"] = (1, 2, 9)
    answer = decode_answer(encode_latency(latencies))
    assert isinstance(answer, LatencyBatch)
    assert (answer.rows == latencies).all()
    with pytest.raises(ValueError, match="not an answer"):
        decode_answer([b"X"])
