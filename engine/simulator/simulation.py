"""The exchange as a library: venues, the order of everything that leaves them, and entry latency. No sockets, no clock.

`next_output` and `submit` are all there is, for the process on sockets and for a backtest in memory alike. What one
request causes is put out as reports first, then packets; a request that is submitted before the next output is taken is
carried out before the source's next packet.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from operator import itemgetter

from engine.simulator.floor_orders import FloorOrderError
from engine.simulator.generator import NEVER_NS
from engine.simulator.venue import Account, Venue


@dataclass(frozen=True)
class Packet:
    """A MoldUDP64 packet of a venue."""

    venue: Venue
    time_ns: int
    payload: bytes


@dataclass(frozen=True)
class Reports:
    """New sequenced messages of an account: numbers `first` to `first + len(messages) - 1`."""

    venue: Venue
    time_ns: int
    account: Account
    first: int
    messages: tuple[bytes, ...]


Output = Packet | Reports


class Simulation:
    """Venues in the order in which ties between them are broken."""

    def __init__(self, venues: Sequence[Venue]) -> None:
        self.venues = list(venues)
        self._outputs: deque[Output] = deque()
        self._pending: list[tuple[int, int, Venue, Account, bytes]] = []
        self._arrivals = count()
        self._told: dict[tuple[int, int], int] = {}

    def open(self, time_ns: int) -> None:
        """Start of the session: what every venue publishes first."""
        for venue in self.venues:
            for packet in venue.opening_packets(time_ns):
                self._outputs.append(Packet(venue, time_ns, packet))
            self._collect(venue, time_ns)

    def close(self, time_ns: int) -> None:
        """End of the session."""
        for venue in self.venues:
            time_ns = max(time_ns, venue.clock_ns)
            venue.hold_last_crosses(time_ns)
            self._collect(venue, time_ns)
            for packet in venue.closing_packets(time_ns):
                self._outputs.append(Packet(venue, time_ns, packet))

    def drain(self) -> list[Output]:
        """Everything that waits to leave, without advancing."""
        waiting = list(self._outputs)
        self._outputs.clear()
        return waiting

    @property
    def next_time_ns(self) -> int:
        """When the next output is due; NEVER_NS when nothing is left."""
        if self._outputs:
            return self._outputs[0].time_ns
        due = self._pending[0][0] if self._pending else NEVER_NS
        return min(due, self._next_venue()[0])

    def _next_venue(self) -> tuple[int, Venue]:
        """When the next source has something, and at which venue."""
        if len(self.venues) == 1:  # a session that is generated flat out asks a million times
            return self.venues[0].next_time_ns, self.venues[0]
        return min(((venue.next_time_ns, venue) for venue in self.venues), key=itemgetter(0))

    def next_output(self, until_ns: int = NEVER_NS - 1) -> Output | None:
        """The next packet or reports due by `until_ns`, or None."""
        while not self._outputs:
            if self.next_time_ns > until_ns:
                return None
            self._advance()
        return self._outputs.popleft()

    def _advance(self) -> None:
        due_at_venue_ns, venue = self._next_venue()
        if self._pending and self._pending[0][0] <= due_at_venue_ns:
            due_ns, _, venue, account, message = heappop(self._pending)
            try:
                self._carry_out(venue, account, message, due_ns)
            except FloorOrderError as error:  # nobody waits for the answer to a scheduled one
                print(f"exchange: {venue.name}: {error}", file=sys.stderr)
        else:
            self._collect(venue, venue.run_source())

    def submit(self, venue: Venue, account: Account, message: bytes, time_ns: int) -> None:
        """A message from a client, received at `time_ns`; it takes effect after the venue's entry latency."""
        received_ns = max(time_ns, venue.clock_ns)
        if venue.entry_latency_ns:
            entry = (received_ns + venue.entry_latency_ns, next(self._arrivals), venue, account, message)
            heappush(self._pending, entry)
        else:
            self._carry_out(venue, account, message, received_ns)

    def schedule(self, venue: Venue, order: str, time_ns: int) -> None:
        """An order of the operator for later."""
        heappush(self._pending, (time_ns, next(self._arrivals), venue, venue.floor, order.encode()))

    def command(self, venue: Venue, order: str, time_ns: int) -> None:
        """An order of the operator, now. FloorOrderError when it makes no sense."""
        self._carry_out(venue, venue.floor, order.encode(), max(time_ns, venue.clock_ns))

    def cancel_account(self, venue: Venue, account: Account, time_ns: int) -> None:
        """Cancel on disconnect."""
        venue.cancel_account(account, time_ns)
        self._collect(venue, max(time_ns, venue.clock_ns))

    def _carry_out(self, venue: Venue, account: Account, message: bytes, time_ns: int) -> None:
        account.receive(message, time_ns)
        self._collect(venue, max(time_ns, venue.clock_ns))

    def _collect(self, venue: Venue, time_ns: int) -> None:
        venue.tell_accounts()
        for account in venue.accounts.values():
            told = self._told.get((venue.number, account.owner), 0)
            if len(account.sequenced) > told:
                self._outputs.append(Reports(venue, time_ns, account, told + 1, tuple(account.sequenced[told:])))
                self._told[venue.number, account.owner] = len(account.sequenced)
        for packet in venue.take_packets():
            self._outputs.append(Packet(venue, time_ns, packet))
