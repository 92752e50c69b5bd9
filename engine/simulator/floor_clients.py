"""What the operator of the simulated exchange does to clients' orders and trades, and how their owners are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from engine.messages.codes import OrderAction
from engine.simulator.broker import BrokerDesk, NotHeld
from engine.simulator.layout import REPRICE, CancelReason, Refusal
from engine.simulator.ouch_account import OuchAccount

if TYPE_CHECKING:
    from engine.simulator.venue import Venue


class NoSuchOrder(ValueError):
    """The order or user that is meant is not there; the text says which."""


def ouch_accounts(venue: Venue) -> Iterator[OuchAccount]:
    """The venue's accounts that speak OUCH."""
    for account in venue.accounts.values():
        if isinstance(account, OuchAccount):
            yield account


def ouch_account(venue: Venue, user: str) -> OuchAccount:
    """The account of a user."""
    account = venue.accounts.get(user)
    if not isinstance(account, OuchAccount):
        raise NoSuchOrder(f"{venue.name} has no OUCH user {user!r}")
    return account


def break_trade(venue: Venue, match_number: int, reason: str, time_ns: int) -> None:
    """Tell everybody who took part in a trade that it did not happen."""
    if venue.drop_copy is not None:
        venue.drop_copy.tell_broken(match_number, reason, time_ns)
    for account in venue.accounts.values():
        account.tell_broken(match_number, reason, time_ns)


def correct_trade(venue: Venue, match_number: int, price: int, time_ns: int) -> None:
    """Tell everybody who took part in a trade that its price was another one."""
    if venue.drop_copy is not None:
        venue.drop_copy.tell_corrected(match_number, price, time_ns)
    for account in venue.accounts.values():
        account.tell_corrected(match_number, price, time_ns)


def miscopy(venue: Venue, user: str, number: int, quantity: int, price: int, time_ns: int) -> None:
    """The drop copy has an execution that its client is not told."""
    if venue.drop_copy is None:
        raise NoSuchOrder(f"{venue.name} has no drop copy")
    if user not in venue.accounts:
        raise NoSuchOrder(f"{venue.name} has no user {user!r}")
    venue.drop_copy.invent(number, quantity, price, time_ns)


def release_cancels(venue: Venue, time_ns: int, *, reject: bool) -> None:
    """Carry out or reject the cancels that waited and wait no longer."""
    for account in ouch_accounts(venue):
        account.release_cancels(time_ns, reject=reject)


def restate(venue: Venue, user: str, reference: int, time_ns: int) -> None:
    """Say again what an order displays."""
    account = ouch_account(venue, user)
    order = venue.desk.resting(account.owner, reference)
    if order is None:
        raise NoSuchOrder(f"{user} has no resting order {reference}")
    options = {"secondary_reference": int(order["reference"]), "display_quantity": int(order["quantity"])}
    account.send("restated", time_ns, options, user_reference=reference, reason="R")


def reprice(venue: Venue, user: str, reference: int, price: int, time_ns: int) -> None:
    """Give an order another price, as a venue slides one; its owner gets a priority update."""
    account = ouch_account(venue, user)
    request = {"owner": account.owner, "user_reference": reference, "price": price, "time_ns": time_ns}
    refusal = venue.desk.request(action=REPRICE, **request)
    order = venue.desk.resting(account.owner, reference)
    if refusal or order is None:
        raise NoSuchOrder(f"order {reference} of {user}: {Refusal(refusal).name.lower().replace('_', ' ')}")
    account.tell_priority(order, time_ns)


def withdraw(venue: Venue, user: str, reference: int, time_ns: int) -> None:
    """Cancel an order of a client, as the venue's supervision does."""
    account = ouch_account(venue, user)
    request = {"owner": account.owner, "user_reference": reference, "time_ns": time_ns}
    if venue.desk.request(action=OrderAction.CANCEL, reason=CancelReason.SUPERVISORY, **request):
        raise NoSuchOrder(f"{user} has no resting order {reference}")


def held_orders(venues: Iterable[Venue]) -> str:
    """What the brokers among the venues hold, as one line of JSON."""
    rows = []
    for venue in venues:
        if isinstance(venue.desk, BrokerDesk):
            users = {account.owner: account.user for account in venue.accounts.values()}
            rows += [{"venue": venue.name} | row for row in venue.desk.described(users)]
    return json.dumps(rows)


def broker_of(venue: Venue) -> BrokerDesk:
    """The desk of a broker."""
    if not isinstance(venue.desk, BrokerDesk):
        raise NoSuchOrder(f"{venue.name} is no broker: nobody fills by hand there")
    return venue.desk


def fill(venue: Venue, user: str, number: int, quantity: int, price: int, time_ns: int) -> None:
    """A broker fills some of an order by hand."""
    _by_hand(venue, user, lambda desk, owner: desk.fill_by_hand(owner, number, quantity, price, time_ns))


def refuse(venue: Venue, user: str, number: int, time_ns: int) -> None:
    """A broker does not go on with an order."""
    _by_hand(venue, user, lambda desk, owner: desk.refuse_by_hand(owner, number, time_ns))


def _by_hand(venue: Venue, user: str, act: Callable[[BrokerDesk, int], None]) -> None:
    desk, account = broker_of(venue), venue.accounts.get(user)
    if account is None:
        raise NoSuchOrder(f"{venue.name} has no user {user!r}")
    try:
        act(desk, account.owner)
    except NotHeld as error:
        raise NoSuchOrder(f"{venue.name}: {error}") from None
