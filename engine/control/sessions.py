"""The cold side of order sessions and feeds: sockets opened, logged in, handed to the loop, opened again when lost."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.control.configuration import Configuration
from engine.control.fix_sessions import FixSessions
from engine.control.ouch42_probe import send_probe
from engine.control.session_numbers import note_set, set_quickfix_numbers, was_set
from engine.control.snapshots import SnapshotCare
from engine.hotpath import tables
from engine.hotpath.entries import send_account_query, send_logout, session_event
from engine.messages.codes import SessionState
from engine.messages.control import DefineVenue
from engine.native import address_of, touched
from engine.runtime import among_helpers
from engine.venues import VenueSettings, read_venue
from engine.venues.binance_start import start_binance
from engine.venues.fields import Address
from engine.venues.fix44_start import Fix44Process, start_fix44
from engine.venues.ouch50 import OuchSettings
from engine.venues.secret_files import SecretFiles, secret_files
from engine.venues.soupbin_session import LoggedIn, LoginAttempt, LoginFailed

FIRST_RETRY_S, LONGEST_RETRY_S = 0.2, 5.0
FIRST_REFUSED_S, LONGEST_REFUSED_S = 15.0, 300.0  # the venue itself said no: asking again soon may lock the account
OVER_TCP = ("ouch50", "ouch42")
LOST = {
    tables.LOST_CONNECTION: "the connection was lost",
    tables.LOST_BOUNDARY: "it sent a packet of a length that no packet has; the connection was closed",
    tables.LOST_SILENCE: "it was silent for 15 seconds; the connection was closed",
    tables.LOST_END_OF_SESSION: "it ended its session",
    tables.LOST_NOT_READING: "it did not read what was sent; the connection was closed",
    tables.LOST_RING_FULL: "its session process did not take requests",
}
RECEIVE_BUFFER = 4 << 20
READABLE = 1
LEAVING_S = 8.0
DISCONNECTED = "people disconnected it; it stays so until somebody connects it again"
STARTERS = {"binance": start_binance, "fix44": start_fix44}  # of sessions in a process of their own
Say = Callable[[str], None]
WhyNot = Callable[[DefineVenue], str]


@dataclass
class VenueSession:
    """One venue's sockets and where its session stands."""

    body: DefineVenue
    feeds: list[socket.socket | None] = field(default_factory=lambda: [None, None, None])
    requester: np.ndarray | None = None
    order: socket.socket | None = None
    attempt: LoginAttempt | None = None
    login: LoggedIn | None = None
    fresh: bool = False
    process: Fix44Process | None = None
    retry_at: float = 0.0
    retry_s: float = FIRST_RETRY_S
    refused_s: float = FIRST_REFUSED_S
    complaint: str = ""
    snapshots: SnapshotCare | None = None
    ended: bool = False
    away: bool = False


def session_words(name: str) -> tuple[int, int]:
    """A session's name, at most ten characters, as the two words that records carry."""
    raw = name.encode().ljust(16, b"\0")
    low, high = struct.unpack("<qq", raw)
    return low, high


def open_feed(address: Address) -> socket.socket:
    """A non-blocking UDP socket bound to a line. OSError when the port is taken."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        made.bind(address)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


class Sessions:
    """All venues' sessions. Called by the loop's thread between batches only."""

    def __init__(
        self,
        configuration: Configuration,
        state: Path,
        instruments: Path,
        say: Say,
        why_not: WhyNot = lambda _: "",
        secrets: SecretFiles | None = None,
    ) -> None:
        """`why_not` says, as a sentence, why a venue must not be connected to; "" when it may."""
        self._why_not = why_not
        self._secrets = secrets or secret_files(state)
        self._configuration, self._state, self._instruments, self._say = configuration, state, instruments, say
        self._memory = configuration.memory
        self._sessions: dict[int, VenueSession] = {}
        self._fix = FixSessions(
            self._memory,
            configuration.complaints,
            state,
            say,
            self._watch_sockets,
            configuration.session_logs,
            self._secrets,
        )
        self._renewed: set[int] = set()  # venues whose new session is being asked for from its start

    def care(self) -> None:
        """One look at everything that is not as configured. Cheap when all is well."""
        for venue in [v for v, s in self._sessions.items() if self._configuration.venues.get(v) != s.body]:
            self.close(venue)
        for venue, body in self._configuration.venues.items():
            if venue not in self._sessions:
                self._sessions[venue] = VenueSession(body)
                self._open_feeds(venue)
            self._care_feed(venue)
        for venue, session in self._sessions.items():
            if venue in self._configuration.disconnected or self._numbers_wait(venue):
                self._keep_away(venue, session)
                continue
            if session.away:
                session.away, session.retry_at, session.complaint = False, 0.0, ""
                self._configuration.complaints.pop(venue, None)
            if session.body.protocol == "fix":
                self._fix.care(venue, session.body)
                self._configuration.outbound_numbers[venue] = self._fix.next_outbound(venue)
            elif session.body.protocol in OVER_TCP:
                self._care_ouch(venue, session)
            else:
                self._care_process(venue, session)

    def close(self, venue: int) -> None:
        """Close what a venue has open; its session is down."""
        session = self._sessions.pop(venue)
        self._configuration.complaints.pop(venue, None)
        self._log_out(venue, session)
        row = self._memory.venues[venue]
        row["feed_fds"], row["requester"] = -1, 0
        for feed in session.feeds:
            if feed is not None:
                feed.close()
        self._watch_sockets()

    def _log_out(self, venue: int, session: VenueSession) -> None:
        """End the order session, or the attempt at one; market data goes on."""
        if session.order is not None and not self._memory.venues[venue]["lost"]:
            send_logout(self._memory.address, venue)
        self._fix.close(venue)
        self._down(venue, session)
        if session.attempt is not None:
            session.attempt.abandon()
            session.attempt = None
        if session.process is not None:
            session.process.stop()
            session.process = None
            row = self._memory.venues[venue]
            row["request_ring"] = row["report_ring"] = row["lost"] = 0

    def _numbers_wait(self, venue: int) -> bool:
        """Whether people asked for other numbers, which are set before anybody logs on again."""
        wanted = self._configuration.resets.get(venue)
        return wanted is not None and not was_set(self._state, venue, wanted[0])

    def _keep_away(self, venue: int, session: VenueSession) -> None:
        """People disconnected it: log out once, and set the numbers that they asked for."""
        self._complain(venue, session, DISCONNECTED)  # each time: what is closed takes its own complaint away
        if not session.away:
            session.away = True
            session.retry_at = time.monotonic() + LEAVING_S
            if session.process is None:
                self._log_out(venue, session)
            else:
                session.process.process.terminate()
        if session.process is not None:
            # It logs out by itself; the loop does not wait for it, and takes what it still has to say.
            if session.process.alive and time.monotonic() < session.retry_at:
                return
            self._log_out(venue, session)
        wanted = self._configuration.resets.pop(venue, None)
        if wanted is None or was_set(self._state, venue, wanted[0]):
            return
        identity, next_inbound, next_outbound = wanted
        if session.body.protocol == "fix":
            self._fix.set_numbers(venue, session.body, next_inbound, next_outbound)
            self._configuration.outbound_numbers[venue] = next_outbound
        else:
            set_quickfix_numbers(self._state, session.body, next_inbound, next_outbound)
        note_set(self._state, venue, identity)
        self._say(f"{session.body.name}: the next number expected is {next_inbound}, the next one sent {next_outbound}")

    def close_all(self) -> None:
        """At the end of the engine."""
        for venue in list(self._sessions):
            self.close(venue)

    def ready(self, venue: int) -> None:
        """The venue answered the account query: everything before was replayed, the session is up."""
        session, row = self._sessions.get(venue), self._memory.venues[venue]
        if session is None or session.login is None or not row["query_answered"]:
            return
        low, high = session_words(session.login.session)
        session_event(
            self._memory.address, venue, int(SessionState.UP), int(row["next_reference"]), int(session.fresh), low, high
        )
        row["next_reference"] = row["query_answered"] = 0
        self._configuration.complaints.pop(venue, None)
        session.retry_s, session.refused_s, session.complaint = FIRST_RETRY_S, FIRST_REFUSED_S, ""
        self._say(f"{session.body.name}: session {session.login.session} is up")

    def _open_feeds(self, venue: int) -> None:
        session = self._sessions[venue]
        settings = read_venue(session.body.protocol, session.body.settings)
        row = self._memory.venues[venue]
        for line, address in enumerate((settings.feed_line_a, settings.feed_line_b)):
            if address is not None:
                try:
                    session.feeds[line] = open_feed(address)
                except OSError as error:
                    self._complain(venue, session, f"cannot listen on {address.host}:{address.port}: {error.strerror}")
        if settings.retransmission is not None:
            session.feeds[2] = open_feed(Address("0.0.0.0", 0))  # noqa: S104  answers come back to an unnamed port
            host = socket.gethostbyname(settings.retransmission.host)
            raw = struct.pack(
                "=HH4s8x", socket.AF_INET, socket.htons(settings.retransmission.port), socket.inet_aton(host)
            )
            session.requester = touched(16, np.dtype("u1"))
            session.requester[:] = np.frombuffer(raw, np.uint8)
            row["requester"] = address_of(session.requester)
        wanted = frozenset(name.encode().ljust(8) for name in self._configuration.names.values())
        session.snapshots = SnapshotCare(
            self._memory,
            venue,
            settings.snapshot,
            wanted,
            lambda sentence: self._complain(venue, session, sentence),
            self._secrets,
        )
        row["feed_fds"][:3] = [feed.fileno() if feed else -1 for feed in session.feeds]
        self._watch_sockets()

    def _care_feed(self, venue: int) -> None:
        """Snapshots of the books, and a word when the feed's session ends or another begins."""
        session, ended = self._sessions[venue], bool(self._memory.venues[venue]["ended"])
        if session.snapshots is not None:
            session.snapshots.care()
        if ended and not session.ended:
            self._say(f"{session.body.name}: the session of the feed is over; no orders until a new one begins")
        elif session.ended and not ended:
            self._say(f"{session.body.name}: a new session of the feed has begun")
        session.ended = ended

    def _care_ouch(self, venue: int, session: VenueSession) -> None:
        row = self._memory.venues[venue]
        if session.order is not None:
            if not row["lost"]:
                return
            why = LOST[int(row["lost_because"])]
            self._down(venue, session)
            session.complaint = ""
            self._complain(venue, session, f"{why}; connecting again")
            if row["lost_because"] != tables.LOST_CONNECTION:
                session.retry_at = time.monotonic() + session.retry_s
                session.retry_s = min(LONGEST_RETRY_S, session.retry_s * 2)
        if session.attempt is None:
            if time.monotonic() < session.retry_at:
                return
            settings = self._with_secrets(venue, session)
            if settings is None:
                return
            assert isinstance(settings, OuchSettings)  # by its protocol
            sequence = int(row["next_inbound"])
            log = self._configuration.session_log(venue)
            with among_helpers():
                session.attempt = LoginAttempt(
                    settings.order_address, settings.user, settings.password, "", sequence, log=log
                )
            return
        outcome = session.attempt.outcome
        if outcome is None:
            return
        session.attempt = None
        if isinstance(outcome, LoginFailed):
            self._refused(venue, session, outcome)
            return
        self._install(venue, session, outcome)

    def _with_secrets(self, venue: int, session: VenueSession) -> VenueSettings | None:
        """The venue's settings to connect with. None when its files do not say, which is complained of."""
        try:
            settings = self._secrets.settings(session.body.protocol, session.body.settings)
            return read_venue(session.body.protocol, settings)
        except ValueError as error:
            session.retry_at = time.monotonic() + LONGEST_RETRY_S
            self._complain(venue, session, str(error))
            return None

    def _refused(self, venue: int, session: VenueSession, failure: LoginFailed) -> None:
        """No session: when to ask again. A venue that said no is asked rarely, and at once when its definition
        changes."""
        if failure.refused:
            wait_s, session.refused_s = session.refused_s, min(LONGEST_REFUSED_S, session.refused_s * 2)
        else:
            wait_s, session.retry_s = session.retry_s, min(LONGEST_RETRY_S, session.retry_s * 2)
        session.retry_at = time.monotonic() + wait_s
        again = f"; asking again every {wait_s:.0f} s or more, or when the venue is changed" if failure.refused else ""
        self._complain(venue, session, f"{failure}{again}")

    def _install(self, venue: int, session: VenueSession, login: LoggedIn) -> None:
        row = self._memory.venues[venue]
        known = (int(row["session_low"]), int(row["session_high"]))
        session.fresh = known != (0, 0) and known != session_words(login.session)
        if session.fresh and row["next_inbound"] != 1:
            # Another session of the venue: its numbers begin again, so it has to be asked for from the start.
            row["next_inbound"] = 1
            row["session_low"], row["session_high"] = session_words(login.session)
            login.connection.close()
            session.retry_at = 0.0
            self._renewed.add(venue)
            return
        session.fresh = session.fresh or venue in self._renewed
        self._renewed.discard(venue)
        session.order, session.login = login.connection, login
        now = time.time_ns()
        row["next_inbound"] = login.sequence
        row["inbound_used"] = row["outbound_used"] = row["lost"] = 0
        row["next_reference"] = row["query_answered"] = row["lost_because"] = 0
        row["heard_ns"] = row["sent_ns"] = now
        row["midnight_ns"] = now - now % 86_400_000_000_000
        row["fd"] = login.connection.fileno()
        self._watch_sockets()
        if session.body.protocol == "ouch42":
            send_probe(self._memory, venue)
        else:
            send_account_query(self._memory.address, venue)

    def _care_process(self, venue: int, session: VenueSession) -> None:
        row = self._memory.venues[venue]
        if session.process is not None:
            if session.process.alive and not row["lost"]:
                row["heard_ns"] = max(int(row["heard_ns"]), session.process.reports.heard_ns)
                return
            self._down(venue, session)
            session.process.stop()
            # The mapping goes with its object; what the engine has not taken stays in the ring's file.
            row["request_ring"] = row["report_ring"] = 0
            session.process = None
            session.retry_at = time.monotonic() + session.retry_s
            session.retry_s = min(LONGEST_RETRY_S, session.retry_s * 2)
            self._complain(venue, session, "its session process ended; starting it again")
            return
        if time.monotonic() < session.retry_at:
            return
        if sentence := self._why_not(session.body):
            session.retry_at = time.monotonic() + LONGEST_REFUSED_S
            self._complain(venue, session, sentence)
            return
        if self._with_secrets(venue, session) is None:
            return
        after = int(row["next_inbound"]) - 1
        start = STARTERS[session.body.protocol]
        with among_helpers():
            session.process = start(
                self._state, venue, session.body.name, session.body.settings, self._instruments, after, self._secrets
            )
        row["request_ring"], row["report_ring"] = session.process.requests.address, session.process.reports.address
        row["lost"] = 0

    def _down(self, venue: int, session: VenueSession) -> None:
        row = self._memory.venues[venue]
        row["fd"], row["outbound_used"] = -1, 0
        if row["session"] != SessionState.DOWN:
            session_event(self._memory.address, venue, int(SessionState.DOWN), 0, 0, 0, 0)
        if session.order is not None:
            session.order.close()
            session.order = session.login = None
        self._watch_sockets()

    def _watch_sockets(self) -> None:
        """What the backing-off wait polls."""
        polled = self._memory.polled
        count = 0
        for row in self._memory.venues[1:]:
            for descriptor in (*row["feed_fds"][:2].tolist(), int(row["fd"])):
                if descriptor >= 0:
                    polled[count] = (descriptor, READABLE, 0)
                    count += 1
        self._memory.core["polled_count"] = count

    def _complain(self, venue: int, session: VenueSession, sentence: str) -> None:
        self._configuration.complaints[venue] = sentence
        if sentence != session.complaint:
            session.complaint = sentence
            self._say(f"{session.body.name}: {sentence}")
