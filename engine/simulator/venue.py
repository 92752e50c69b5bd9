"""One venue of the simulated exchange without its sockets: a book, its market, its feed, its accounts, its fees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from engine.messages.codes import Liquidity, ReportKind
from engine.messages.instruments import Instrument
from engine.simulator.announcements import Announcements
from engine.simulator.auctions import Auctions
from engine.simulator.cross_orders import AT_OPEN
from engine.simulator.expiries import Expiries
from engine.simulator.feed import Feed
from engine.simulator.floor_orders import FloorDesk
from engine.simulator.generator import NEVER_NS
from engine.simulator.held_orders import HeldDesk
from engine.simulator.layout import BookMemory, CancelReason
from engine.simulator.midpoint_pool import MidpointDesk
from engine.simulator.oracle import Oracle
from engine.simulator.orders import OrderDesk
from engine.simulator.sources import NoFlow, Source

if TYPE_CHECKING:
    from engine.simulator.drop_copy import DropCopy

MESSAGES_PER_PACKET = 256


@dataclass(frozen=True)
class Fees:
    """Per share, in 1/10,000 of the currency; negative is a rebate."""

    maker: int = 0
    taker: int = 0

    def of(self, liquidity: int, quantity: int) -> int:
        """Fee of a fill."""
        return quantity * (self.maker if liquidity == Liquidity.ADDED else self.taker)


class Account(Protocol):
    """One client of a venue, whatever it speaks."""

    owner: int
    user: str
    sequenced: list[bytes]

    def receive(self, raw: bytes, time_ns: int) -> None: ...

    def report(self, result: np.void) -> None: ...

    def tell_broken(self, match_number: int, reason: str, time_ns: int) -> None: ...

    def tell_corrected(self, match_number: int, price: int, time_ns: int) -> None: ...


class Client(Account, Protocol):
    """An account whose orders may end by the clock."""

    expiries: Expiries


class Venue:
    """`number` is the venue's small integer; `accounts` by user name."""

    def __init__(
        self,
        name: str,
        number: int,
        memory: BookMemory,
        instruments: Sequence[Instrument],
        feed: Feed,
        fees: Fees,
        oracle: Oracle,
        packet_interval_ns: int = 0,
        entry_latency_ns: int = 0,
        desk: HeldDesk | None = None,
    ) -> None:
        self.name, self.number, self.memory, self.feed, self.fees = name, number, memory, feed, fees
        self.instruments = list(instruments)
        self.desk = desk or OrderDesk(memory, instruments)
        self.announcements = Announcements(memory)
        prices = {listed.id: listed.open_price for listed in self.instruments}
        self.auctions = Auctions(self.desk, self.announcements, prices)
        self.opens_with_cross = False
        if isinstance(desk, MidpointDesk):
            desk.announce = self._print
        self.floor = FloorDesk(self)
        self.source: Source = NoFlow()
        self.expiries = Expiries()
        self.accounts: dict[str, Account] = {}
        self.drop_copy: DropCopy | None = None
        self.entry_latency_ns = entry_latency_ns
        self._oracle = oracle
        self._packet_interval_ns = packet_interval_ns
        self._by_owner: dict[int, Account] = {}

    def admit(self, account: Client) -> None:
        """Open an account; its owner number must be free."""
        if account.owner in self._by_owner or account.user in self.accounts:
            raise ValueError(f"venue {self.name}: account {account.user!r} exists already")
        self.accounts[account.user] = self._by_owner[account.owner] = account
        account.expiries = self.expiries

    @property
    def clock_ns(self) -> int:
        """Time of the latest request."""
        return int(self.memory.book[0]["clock_ns"])

    @property
    def next_time_ns(self) -> int:
        """When the next packet is due: the end of the packet interval that the source's next event, or the end of an
        order, falls into."""
        event_ns = min(self.source.next_time_ns, self.expiries.next_time_ns)
        interval = self._packet_interval_ns
        if not interval or event_ns == NEVER_NS:
            return event_ns
        return -(-event_ns // interval) * interval

    def run_source(self) -> int:
        """The events of the source's next packet; returns the packet's time."""
        time_ns = self.next_time_ns
        self.expiries.run_until(time_ns)
        self.source.run_until(time_ns, MESSAGES_PER_PACKET)
        return time_ns

    def take_packets(self) -> list[bytes]:
        """Packets with everything published since the last call."""
        return self.feed.pack(*self.memory.take_messages())

    def tell_accounts(self) -> None:
        """Hand every result since the last call to its account, and to the oracle."""
        for result in self.memory.take_results():
            account = self._by_owner[int(result["owner"])]
            account.report(result)
            if self.drop_copy is not None:
                self.drop_copy.report(result)
            fee = self.fees.of(result["liquidity"], result["quantity"]) if result["kind"] == ReportKind.EXECUTED else 0
            name = self.desk.instrument_name(int(result["instrument"]))
            self._oracle.write(self.name, account.user, name, result, int(fee), len(account.sequenced))

    def _print(self, instrument: int, price: int, quantity: int, match_number: int, time_ns: int) -> None:
        """A trade that no displayed order took part in."""
        told = {"instrument": self.desk.instrument_name(instrument), "price": price, "quantity": quantity}
        self.announcements.publish(
            "trade", time_ns, instrument, reference=0, side="B", match_number=match_number, **told
        )

    def cancel_account(self, account: Account, time_ns: int) -> None:
        """Cancel on disconnect: every open order of the account leaves."""
        self.desk.cancel_owned(account.owner, 0, CancelReason.SUPERVISORY, time_ns)

    def opening_packets(self, time_ns: int) -> list[bytes]:
        """Start of messages and of system hours, the directory, trading states, start of market hours.

        With an opening cross market hours start with it.
        """
        row = self.memory.book[0]
        row["clock_ns"] = max(int(row["clock_ns"]), time_ns)
        make = self.announcements.make
        messages = [make("system_event", time_ns, event=event) for event in "OS"]
        for listed in self.instruments:
            described = {"instrument": listed.name} | _DIRECTORY
            trading = {"instrument": listed.name, "trading_state": "T", "reserved": " ", "reason": ""}
            messages.append(make("stock_directory", time_ns, listed.id, **described))
            messages.append(make("trading_action", time_ns, listed.id, **trading))
        if not self.opens_with_cross:
            messages.append(make("system_event", time_ns, event="Q"))
            self.auctions.skip([listed.id for listed in self.instruments], AT_OPEN)
        return self._pack(messages)

    def hold_last_crosses(self, time_ns: int) -> None:
        """The session ends: no order goes on waiting for a cross."""
        if self.desk.has_crosses:
            self.auctions.end([listed.id for listed in self.instruments], time_ns)

    def closing_packets(self, time_ns: int) -> list[bytes]:
        """End of market hours, of system hours and of messages."""
        return self._pack([self.announcements.make("system_event", time_ns, event=event) for event in "MEC"])

    def _pack(self, messages: list[bytes]) -> list[bytes]:
        blocks = b"".join(len(message).to_bytes(2, "big") + message for message in messages)
        return self.feed.pack(len(messages), blocks)


_DIRECTORY: dict[str, Any] = {
    "round_lot_size": 100,
    "market_category": "Q",
    "financial_status": "N",
    "round_lots_only": "N",
    "issue_classification": "C",
    "issue_sub_type": "Z",
    "authenticity": "T",
    "short_sale_threshold": "N",
    "ipo_flag": "N",
    "luld_tier": "1",
    "etp_flag": "N",
    "etp_leverage": 0,
    "inverse": "N",
}
