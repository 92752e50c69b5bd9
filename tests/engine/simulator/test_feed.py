"""MoldUDP64 packets of a venue: numbering, cutting, retransmission."""

from hypothesis import given
from hypothesis import strategies as st

from engine.protocols import moldudp64
from engine.simulator.feed import Feed
from engine.simulator.history import History

MESSAGES = st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=60)


def blocks_of(messages: list[bytes]) -> bytes:
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


@given(st.lists(MESSAGES, min_size=1, max_size=5), st.integers(100, 300))
def test_every_message_arrives_once_in_order_in_packets_of_the_allowed_size(batches, packet_bytes):
    feed = Feed("S1", packet_bytes)
    expected, heard = 1, []
    for batch in batches:
        for raw in feed.pack(len(batch), blocks_of(batch)):
            packet = moldudp64.decode(raw)
            assert (len(raw) <= packet_bytes, packet.session.strip(), packet.sequence) == (True, "S1", expected)
            expected += len(packet.messages)
            heard += packet.messages
    assert heard == [message for batch in batches for message in batch]


@given(st.lists(MESSAGES, min_size=1, max_size=5), st.data())
def test_lost_messages_are_sent_again(batches, data):
    feed = Feed("S1", 200, History())
    messages = [message for batch in batches for message in batch]
    for batch in batches:
        feed.pack(len(batch), blocks_of(batch))
    sequence = data.draw(st.integers(1, len(messages)))
    count = data.draw(st.integers(1, len(messages)))
    packet = moldudp64.decode(feed.resend(feed.session, sequence, count))
    got = list(packet.messages)
    assert packet.sequence == sequence
    assert 1 <= len(got) <= count
    assert got == messages[sequence - 1 : sequence - 1 + len(got)]


def test_messages_of_another_session_and_of_the_future_are_not_sent():
    feed = Feed("S1", history=History())
    feed.pack(1, blocks_of([b"x"]))
    assert feed.resend(b"        S2", 1, 1) is None
    assert feed.resend(feed.session, 2, 1) is None
    assert feed.resend(feed.session, 0, 1) is None
    assert feed.resend(feed.session, 1, 0) is None


def test_without_a_history_nothing_is_sent_again():
    feed = Feed("S1")
    feed.pack(1, blocks_of([b"x"]))
    assert feed.resend(feed.session, 1, 1) is None


def test_a_history_starts_empty_whatever_the_file_held(tmp_path):
    path = tmp_path / "xsim.feed"
    path.write_bytes(b"yesterday")
    feed = Feed("S1", history=History(path))
    assert feed.resend(feed.session, 1, 1) is None
    (packet,) = feed.pack(1, blocks_of([b"x"]))
    assert feed.resend(feed.session, 1, 9) == packet == path.read_bytes()
