"""SoupBinTCP as the exchange speaks it: login, replay, heartbeats, logout, garbage."""

from engine.protocols import soupbintcp
from engine.simulator.soup_session import DEBUG, ORDER, Phase, SoupSession

SECOND_NS = 1_000_000_000


class Account:
    """As much of an account as a session needs."""

    def __init__(self) -> None:
        self.sequenced = [b"one", b"two", b"three"]


ACCOUNT = Account()


def made() -> SoupSession:
    accounts = {("user", "secret"): ACCOUNT}
    return SoupSession("S1", lambda user, password: accounts.get((user, password)), 15 * SECOND_NS, 0)


def login(password: str = "secret", sequence: int = 1, session: str = "") -> bytes:
    return soupbintcp.encode("login_request", username="user", password=password, session=session, sequence=sequence)


def said(session: SoupSession, now_ns: int = 0) -> list[tuple]:
    rows = []
    for packet in soupbintcp.Splitter().feed(session.take_outgoing(now_ns)):
        message = soupbintcp.decode(packet)
        rows.append((message.name, message.payload or message.values.get("sequence") or message.values.get("reason")))
    return rows


def test_a_login_gets_everything_from_the_wanted_number_on():
    session = made()
    assert list(session.receive(login(sequence=2), 0)) == []
    assert said(session) == [("login_accepted", 2), ("sequenced_data", b"two"), ("sequenced_data", b"three")]
    assert session.next_sequence == 4


def test_number_0_and_numbers_of_the_future_mean_the_newest():
    for sequence in (0, 4, 99):
        session = made()
        list(session.receive(login(sequence=sequence), 0))
        assert said(session) == [("login_accepted", 4)]


def test_a_wrong_password_and_another_session_are_refused():
    for bad, reason in ((login(password="wrong"), "A"), (login(session="S2"), "S")):
        session = made()
        list(session.receive(bad, 0))
        assert said(session) == [("login_rejected", reason)]
        assert session.phase is Phase.CLOSED


def test_orders_and_debug_texts_are_handed_on_however_the_bytes_are_cut():
    session = made()
    list(session.receive(login(), 0))
    raw = soupbintcp.encode("unsequenced_data", b"order") + soupbintcp.encode("debug", b"done 1 1")
    got = [handed for byte in raw for handed in session.receive(bytes([byte]), 0)]
    assert got == [(ORDER, b"order"), (DEBUG, b"done 1 1")]


def test_an_order_before_the_login_closes_the_connection():
    session = made()
    assert list(session.receive(soupbintcp.encode("unsequenced_data", b"order"), 0)) == []
    assert session.phase is Phase.CLOSED


def test_garbage_closes_the_connection():
    for garbage in (b"\xff\xff\xff", b"\x00\x00", b"\x00\x01?"):
        session = made()
        list(session.receive(garbage, 0))
        assert session.phase is Phase.CLOSED


def test_a_second_of_silence_is_broken_by_a_heartbeat_and_a_silent_client_is_given_up():
    session = made()
    list(session.receive(login(sequence=0), 0))
    said(session)
    session.keep_alive(SECOND_NS)
    assert said(session, SECOND_NS) == [("server_heartbeat", None)]
    session.keep_alive(SECOND_NS + 1)
    assert said(session, SECOND_NS + 1) == []
    list(session.receive(soupbintcp.encode("client_heartbeat"), 10 * SECOND_NS))
    session.keep_alive(25 * SECOND_NS)
    assert session.phase is Phase.ACTIVE
    session.keep_alive(25 * SECOND_NS + 1)
    assert (session.phase, session.reason) == (Phase.CLOSED, "no heartbeat")


def test_logout_and_end_of_session_close():
    session = made()
    list(session.receive(login(sequence=0) + soupbintcp.encode("logout_request"), 0))
    assert session.reason == "logout"
    session = made()
    list(session.receive(login(sequence=0), 0))
    session.end()
    assert said(session) == [("login_accepted", 4), ("end_of_session", None)]
