"""Requests to a venue as a whole: cancel all of ours at once, take no order of ours, take them again.

Only OUCH 5.0 has them. They are said beside the single cancels, not in their place: what one misses the other takes.
"""

from __future__ import annotations

from engine.hotpath.numbers import reserve, spend_number
from engine.hotpath.requests import REQUEST_KIND
from engine.hotpath.sending import send_entry_switch, send_mass_cancel
from engine.hotpath.tables import (
    ACCOUNT,
    ENGINE,
    FIRM_ACCOUNT,
    FIRST_STRATEGY_ACCOUNT,
    IN_MEMORY,
    OUCH50,
    VENUE,
    VENUES,
)
from engine.journal.append import commit_fields
from engine.messages.codes import OrderAction, SessionState
from engine.messages.journal import ORDER_REQUEST
from engine.native import hot, view

MASS_CANCEL = int(OrderAction.MASS_CANCEL)
DISABLE_ENTRY, ENABLE_ENTRY = int(OrderAction.DISABLE_ENTRY), int(OrderAction.ENABLE_ENTRY)
UP = int(SessionState.UP)


@hot
def ask_venue(engine, venue_index, action):
    """Journal and send one request about all of our orders at a venue, under an order number of its own. 1, or 0 when
    the venue has no such request, no session, or the journal is full."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if (venue.protocol != OUCH50 and venue.protocol != IN_MEMORY) or venue.session != UP:
        return 0
    number = spend_number(engine)
    body = reserve(engine)
    if body == 0:
        return 0
    request = view(body, 1, ORDER_REQUEST)[0]
    request.position = core.position
    request.order_id = number
    request.limits_version = core.limits_version
    request.venue = venue_index
    request.action = action
    request.line = core.line
    request.feed_sequence = core.feed_sequence
    commit_fields(core.journal, ORDER_REQUEST, REQUEST_KIND, core.clock_ns)
    if action != MASS_CANCEL:
        venue.entry_disabled = 1 if action == DISABLE_ENTRY else 0
    if core.replaying == 0:
        if action == MASS_CANCEL:
            send_mass_cancel(engine, venue_index, number)
        else:
            send_entry_switch(engine, venue_index, number, action == ENABLE_ENTRY)
    return 1


@hot
def all_killed(engine, venue_index):
    """Whether a kill of the firm or of the venue holds."""
    core = view(engine, 1, ENGINE)[0]
    accounts = view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)
    return accounts[FIRM_ACCOUNT].killed != 0 or view(core.venues, VENUES, VENUE)[venue_index].killed != 0


@hot
def assert_venue_kill(engine, venue_index):
    """Bring the venue to what the kills say: no entry and no order while one of the firm or the venue holds, else entry
    again if we had it disabled. Asked again, it says it again."""
    core = view(engine, 1, ENGINE)[0]
    if all_killed(engine, venue_index):
        if ask_venue(engine, venue_index, DISABLE_ENTRY) != 0:
            ask_venue(engine, venue_index, MASS_CANCEL)
    elif view(core.venues, VENUES, VENUE)[venue_index].entry_disabled != 0:
        ask_venue(engine, venue_index, ENABLE_ENTRY)


@hot
def assert_venue_kills(engine):
    """The same at every venue, after a kill or a re-arm."""
    for venue_index in range(1, view(engine, 1, ENGINE)[0].venue_count + 1):
        assert_venue_kill(engine, venue_index)
