"""Everything of the loop's compiled code that Python calls, behind one compiled function: so it is one library,
compiled and optimised once, and its code lies in one place (`docs/decisions/cold-compile.md`).

Each function here does what its namesake in another module of this package does and takes the same arguments, but for
the signal: requests of people carry none, and that of a replacement counts thousandths. Hot code calls the namesakes.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.hotpath import (
    changes,
    dialects,
    feed,
    fix_sessions,
    mark,
    market_orders,
    numbers,
    orders,
    parents,
    pipeline,
    replay,
    reports,
    requests,
    risk,
    router_orders,
    sending,
    sessions,
    snapshot_feed,
    snapshot_join,
    timers,
    traded_volume,
    venue_requests,
    warming,
)
from engine.native import address_of_entry, hot, hot_entry

MOST_ARGUMENTS = 9
SIGNAL_SCALE = 1_000  # of a replacement

(
    RUN_LOOP,
    APPLY_EVENT,
    ASSERT_VENUE_KILLS,
    BEGIN_AGAIN,
    BEGIN_NUMBERS,
    BEGIN_SNAPSHOT,
    CANCEL,
    CANCEL_MATCHING,
    CHANGEABLE,
    CONSUME_SNAPSHOT,
    ENTER,
    FIND_ORDER,
    FLUSH_UNSENT,
    FOLLOW_RECORDS,
    JOIN_SNAPSHOT,
    MIDDLE_OF,
    MODIFY,
    OWN_REPORT,
    REPLACE,
    REPLAY_INPUT,
    REPLAY_PACKETS,
    REPLAY_REQUEST,
    ROUTE,
    SEND_ACCOUNT_QUERY,
    SEND_LOGOUT,
    SEND_VOID,
    SESSION_EVENT,
    STRATEGY_NUMBER,
    TAKE_ANSWER,
    TAKE_DATAGRAM,
    TAKE_FIX_MESSAGE,
    BEGIN_PARENT,
    CHECK,
    FIND_PARENT,
    LISTED_VOLUME,
    PASS_TIME,
    REPLAY_PARENT,
    SETTLE_PARENT,
    SPEND_NUMBER,
    STOP_PARENT,
    TURN,
    KEEP_SESSIONS,
    POLL_VENUE,
    POLL_LINE,
    POLL_SOCKET,
    POLL_RING,
    KEEP_ALIVE,
    WATCH_GAP,
    COMPLETE_REPORT,
    TAKE_REPORT,
    TAKE_BACK,
    TAKE_FIX_REPORT,
    ENTER_MARKET,
    MARKET_PRICE,
    TAKE_PACKETS,
    WARM_DECISION,
) = range(56)


@hot
def call_for_parents(what, engine, a, b, c, d, e, f, g, h, i):
    """One of those that parent orders and previews are made of."""
    if what == BEGIN_PARENT:
        parents.begin(engine, a)
        return 0
    if what == CHECK:
        return risk.check(engine, a, b, c, d, e, f, g, h, i)
    if what == ENTER_MARKET:
        return market_orders.enter_market(engine, a, b, c, d, e, f, g, h, i, 0.0)
    if what == MARKET_PRICE:
        return market_orders.market_price(engine, a, b, c, d)
    if what == FIND_PARENT:
        return parents.find_parent(engine, a)
    if what == LISTED_VOLUME:
        return traded_volume.listed_volume(engine, a)
    if what == PASS_TIME:
        timers.pass_time(engine)
        return 0
    if what == REPLAY_PARENT:
        parents.replay_parent(engine, a)
        return 0
    if what == SETTLE_PARENT:
        parents.settle(engine, a)
        return 0
    if what == SPEND_NUMBER:
        return numbers.spend_number(engine)
    if what == STOP_PARENT:
        parents.stop(engine, a, b)
        return 0
    return call_step(what, engine, a, b, c)


@hot
def call_step(what, engine, a, b, c):
    """One of the steps of the loop, which only tests take one by one: of the library that trades, not of another."""
    if what == TURN:
        return pipeline.turn(engine)
    if what == KEEP_SESSIONS:
        pipeline.keep_sessions(engine)
        return 0
    if what == WARM_DECISION:
        warming.warm_decision(engine)
        return 0
    if what == POLL_VENUE:
        return pipeline.poll_venue(engine, a)
    if what == POLL_LINE:
        return pipeline.poll_line(engine, a, b)
    if what == POLL_SOCKET:
        return sessions.poll_socket(engine, a)
    if what == POLL_RING:
        return sessions.poll_ring(engine, a)
    if what == KEEP_ALIVE:
        sessions.keep_alive(engine, a)
        return 0
    if what == WATCH_GAP:
        feed.watch_gap(engine, a)
        return 0
    if what == COMPLETE_REPORT:
        reports.complete_report(engine, a, b, c)
        return 0
    if what == TAKE_REPORT:
        return reports.take_report(engine, a)
    if what == TAKE_BACK:
        return reports.take_back(engine, a, b)
    if what == TAKE_FIX_REPORT:
        return fix_sessions.take_fix_report(engine, a, b, c)
    return 0


@hot
def call_for_replays(what, engine, a, b, c, d, e, f, g, h, i):
    """One of those that take what was recorded."""
    if what == APPLY_EVENT:
        replay.apply_event(engine, a, b)
        return 0
    if what == FOLLOW_RECORDS:
        return replay.follow_records(engine, a, b, c, d)
    if what == REPLAY_INPUT:
        replay.replay_input(engine, a, b, c)
        return 0
    if what == REPLAY_PACKETS:
        return replay.replay_packets(engine, a, b, c)
    if what == REPLAY_REQUEST:
        replay.replay_request(engine, a, b, c)
        return 0
    if what == TAKE_PACKETS:
        return replay.take_packets(engine, a, b, c, d, e)
    return call_for_parents(what, engine, a, b, c, d, e, f, g, h, i)


@hot_entry
def call(what, engine, a, b, c, d, e, f, g, h, i):
    """One of the functions below."""
    if what == RUN_LOOP:
        return pipeline.run_loop(engine)
    if what == ASSERT_VENUE_KILLS:
        venue_requests.assert_venue_kills(engine)
        return 0
    if what == BEGIN_AGAIN:
        snapshot_join.begin_again(engine, a)
        return 0
    if what == BEGIN_NUMBERS:
        numbers.begin_numbers(engine)
        return 0
    if what == BEGIN_SNAPSHOT:
        snapshot_join.begin_snapshot(engine, a, b)
        return 0
    if what == CANCEL:
        return requests.cancel(engine, a)
    if what == CANCEL_MATCHING:
        return requests.cancel_matching(engine, a, b, c)
    if what == CHANGEABLE:
        return changes.changeable(engine, a)
    if what == CONSUME_SNAPSHOT:
        return snapshot_feed.consume_snapshot(engine, a, b, c)
    if what == ENTER:
        return requests.enter(engine, a, b, c, d, e, f, g, h, i, 0.0)
    if what == FIND_ORDER:
        return orders.find_order(engine, a)
    if what == FLUSH_UNSENT:
        sending.flush_unsent(engine)
        return 0
    if what == JOIN_SNAPSHOT:
        snapshot_join.join_snapshot(engine, a, b)
        return 0
    if what == MIDDLE_OF:
        return mark.middle_of(engine, a, b, c)
    if what == MODIFY:
        return changes.modify(engine, a, b, 0.0)
    if what == OWN_REPORT:
        return reports.own_report(engine, a, b, c)
    if what == REPLACE:
        return changes.replace(engine, a, b, c, d / SIGNAL_SCALE)
    if what == ROUTE:
        return router_orders.route(engine, a, b, c, d, e, f, g, h, i, 0.0)
    if what == SEND_ACCOUNT_QUERY:
        sending.send_account_query(engine, a)
        return 0
    if what == SEND_LOGOUT:
        sending.send_logout(engine, a)
        return 0
    if what == SEND_VOID:
        sending.send_void(engine, a, b, c, d)
        return 0
    if what == SESSION_EVENT:
        return sessions.session_event(engine, a, b, c, d, e, f)
    if what == STRATEGY_NUMBER:
        return dialects.strategy_number(engine, a)
    if what == TAKE_ANSWER:
        sessions.take_answer(engine, a, b, c)
        return 0
    if what == TAKE_DATAGRAM:
        feed.take_datagram(engine, a, b, c, d)
        return 0
    if what == TAKE_FIX_MESSAGE:
        return fix_sessions.take_fix_message(engine, a, b, c)
    return call_for_replays(what, engine, a, b, c, d, e, f, g, h, i)


def _entry(what: int) -> Callable[..., int]:
    def enter_compiled(engine: int, *arguments: int) -> int:
        padding = (0,) * (MOST_ARGUMENTS - len(arguments))
        return int(call(what, int(engine), *map(int, arguments), *padding))

    return enter_compiled


def library_address() -> int:
    """Of `call`, for compiled code outside the library (`engine.native.call_entry`): its numbers are those above."""
    return address_of_entry(call)


run_loop = _entry(RUN_LOOP)
apply_event = _entry(APPLY_EVENT)
assert_venue_kills = _entry(ASSERT_VENUE_KILLS)
begin_again = _entry(BEGIN_AGAIN)
begin_numbers = _entry(BEGIN_NUMBERS)
begin_snapshot = _entry(BEGIN_SNAPSHOT)
cancel = _entry(CANCEL)
cancel_matching = _entry(CANCEL_MATCHING)
changeable = _entry(CHANGEABLE)
consume_snapshot = _entry(CONSUME_SNAPSHOT)
enter = _entry(ENTER)
find_order = _entry(FIND_ORDER)
flush_unsent = _entry(FLUSH_UNSENT)
follow_records = _entry(FOLLOW_RECORDS)
join_snapshot = _entry(JOIN_SNAPSHOT)
middle_of = _entry(MIDDLE_OF)
modify = _entry(MODIFY)
own_report = _entry(OWN_REPORT)
replace = _entry(REPLACE)
replay_input = _entry(REPLAY_INPUT)
replay_packets = _entry(REPLAY_PACKETS)
replay_request = _entry(REPLAY_REQUEST)
route = _entry(ROUTE)
send_account_query = _entry(SEND_ACCOUNT_QUERY)
send_logout = _entry(SEND_LOGOUT)
send_void = _entry(SEND_VOID)
session_event = _entry(SESSION_EVENT)
strategy_number = _entry(STRATEGY_NUMBER)
take_answer = _entry(TAKE_ANSWER)
take_datagram = _entry(TAKE_DATAGRAM)
take_fix_message = _entry(TAKE_FIX_MESSAGE)
begin_parent = _entry(BEGIN_PARENT)
check = _entry(CHECK)
find_parent = _entry(FIND_PARENT)
listed_volume = _entry(LISTED_VOLUME)
pass_time = _entry(PASS_TIME)
replay_parent = _entry(REPLAY_PARENT)
settle_parent = _entry(SETTLE_PARENT)
spend_number = _entry(SPEND_NUMBER)
stop_parent = _entry(STOP_PARENT)
turn = _entry(TURN)
keep_sessions = _entry(KEEP_SESSIONS)
warm_decision = _entry(WARM_DECISION)
poll_venue = _entry(POLL_VENUE)
poll_line = _entry(POLL_LINE)
poll_socket = _entry(POLL_SOCKET)
poll_ring = _entry(POLL_RING)
keep_alive = _entry(KEEP_ALIVE)
watch_gap = _entry(WATCH_GAP)
complete_report = _entry(COMPLETE_REPORT)
take_report = _entry(TAKE_REPORT)
take_back = _entry(TAKE_BACK)
take_fix_report = _entry(TAKE_FIX_REPORT)
enter_market = _entry(ENTER_MARKET)
market_price = _entry(MARKET_PRICE)
