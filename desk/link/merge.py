"""From the staged records to the rows of the blotter. Each statement sees one group of records, all of them."""

from django.db import connection

from engine.messages.codes import DenialReason, OrderAction, OrderState, ParentState, RecordKind, ReportKind, Side

ENTER, REPLACE, CANCEL = int(OrderAction.ENTER), int(OrderAction.REPLACE), int(OrderAction.CANCEL)
PENDING_NEW, PENDING_CANCEL = int(OrderState.PENDING_NEW), int(OrderState.PENDING_CANCEL)
MODIFY = int(OrderAction.MODIFY)
PENDING_REPLACE = int(OrderState.PENDING_REPLACE)
ACCEPTED, PARTIALLY_FILLED = int(OrderState.ACCEPTED), int(OrderState.PARTIALLY_FILLED)
DENIED, UNKNOWN, CANCELED = int(OrderState.DENIED), int(OrderState.UNKNOWN), int(OrderState.CANCELED)
EXECUTED, REPLACED, BROKEN = int(ReportKind.EXECUTED), int(ReportKind.REPLACED), int(ReportKind.BROKEN)
REJECTED, NOT_SENT = int(ReportKind.REJECTED), int(ReportKind.NOT_SENT)
NO_DENIAL = int(DenialReason.NONE)
WORKING_PARENT = int(ParentState.WORKING)
BUY, SELL = int(Side.BUY), int(Side.SELL)
COST_SCALE = "10000000.0"  # costs of the router: 1/1,000 of that
SCALE = "10000.0"  # integers of 1/10,000 become decimals here and nowhere else in the projector

# Before orders had parents their own number stood where the parent's is now.
ENTERED_ORDERS = f"""
insert into blotter_order (order_id, sequence, last_sequence, target_order_id, kind, strategy_id, team_id,
    instrument_id, venue_id, side, price, protection, good_till_s, quantity, time_in_force, state, filled_quantity,
    filled_value, fees, leaves, limits_version, parent_id, signal, denial_reason, time_ns)
select order_id, sequence, sequence, nullif(target_order_id, 0), kind, nullif(strategy, 0), nullif(team, 0), instrument,
    nullif(venue, 0), side, price / {SCALE}, protection, good_till_s, quantity, time_in_force,
    {PENDING_NEW}, 0, 0, 0, quantity, limits_version, nullif(nullif(parent_id, order_id), 0), signal, {NO_DENIAL},
    time_ns
from staged_request where action in ({ENTER}, {REPLACE})
"""

DENIALS = f"""
insert into blotter_denial (sequence, order_id, strategy_id, team_id, instrument_id, venue_id, action, side, price,
    quantity, reason, limit_name, scope, scope_id, measured, bound, limits_version, time_ns)
select sequence, order_id, nullif(strategy, 0), nullif(team, 0), nullif(instrument, 0), nullif(venue, 0), action, side,
    price / {SCALE}, quantity, reason, limit_name, scope, scope_id, measured, bound, limits_version, time_ns
from staged_denial
"""

DENIED_ORDERS = f"""
insert into blotter_order (order_id, sequence, last_sequence, kind, strategy_id, team_id, instrument_id, venue_id, side,
    price, protection, good_till_s, quantity, time_in_force, state, filled_quantity, filled_value, fees, leaves,
    limits_version, parent_id, signal, denial_reason, time_ns)
select order_id, sequence, sequence, kind, nullif(strategy, 0), nullif(team, 0), nullif(instrument, 0),
    nullif(venue, 0), side, price / {SCALE}, 0, 0, quantity, time_in_force, {DENIED}, 0, 0, 0, 0, limits_version,
    nullif(parent_id, 0), signal, reason, time_ns
from staged_denial where action = {ENTER} and order_id > 0
"""

REQUEST_EVENTS = f"""
insert into blotter_orderevent (sequence, order_id, time_ns, action, state, price, quantity, reason)
select sequence, case action when {ENTER} then order_id else target_order_id end, time_ns, action,
    case action when {ENTER} then {PENDING_NEW} when {CANCEL} then {PENDING_CANCEL} else {PENDING_REPLACE} end,
    price / {SCALE}, quantity, 0
from staged_request where action in ({ENTER}, {REPLACE}, {CANCEL}, {MODIFY})
"""

REPORT_EVENTS = f"""
insert into blotter_orderevent (sequence, order_id, time_ns, venue_time_ns, kind, state, price, quantity, leaves,
    reason)
select sequence, order_id, time_ns, nullif(venue_time_ns, 0), kind, state, price / {SCALE}, quantity, leaves, reason
from staged_report
"""

FILLS = f"""
insert into blotter_fill (sequence, order_id, strategy_id, team_id, instrument_id, venue_id, side, price, quantity, fee,
    liquidity, match_number, venue_sequence, venue_time_ns, time_ns)
select r.sequence, r.order_id, nullif(r.strategy, 0), o.team_id, nullif(r.instrument, 0), nullif(r.venue, 0), r.side,
    r.price / {SCALE}, r.quantity, r.fee / {SCALE}, r.liquidity, r.match_number, r.venue_sequence, r.venue_time_ns,
    r.time_ns
from staged_report r left join blotter_order o using (order_id)
where r.kind = {EXECUTED} and r.duplicate = 0
"""

BROKEN_FILLS = f"""
update blotter_fill f set broken_sequence = r.sequence
from staged_report r
where r.kind = {BROKEN} and r.duplicate = 0 and f.venue_id = r.venue and f.match_number = r.match_number
    and f.order_id = r.order_id and f.sequence < r.sequence and f.broken_sequence is null
"""

ROUTES = f"""
insert into blotter_route (sequence, route_id, time_ns, round, venue_id, instrument_id, side, reason, taken, rested,
    take_price, rest_price, take_quantity, rest_quantity, displayed, ahead, price_part, fee_part, risk_part, rest_cost,
    fill_chance, latency_us)
select sequence, route_id, time_ns, round, venue, instrument, side, reason, nullif(take_order_id, 0),
    nullif(rest_order_id, 0), take_price / {SCALE}, rest_price / {SCALE}, take_quantity, rest_quantity, displayed,
    ahead, price_part / {COST_SCALE}, fee_part / {COST_SCALE}, risk_part / {COST_SCALE}, rest_cost / {COST_SCALE},
    fill_chance, latency_us
from staged_route
"""

# The newest report says how an order stands; a cancel asked for after it shows only while the order is working.
ORDER_CHANGES = f"""
with step as (
    select order_id, sequence, state, leaves, false as asked from staged_report where state > 0
    union all
    select target_order_id, sequence, null, null, true from staged_request where action = {CANCEL}
), newest as (
    select order_id, max(sequence) as sequence,
        max(sequence) filter (where asked) > coalesce(max(sequence) filter (where not asked), 0) as asked_last,
        (array_agg(state order by sequence desc) filter (where not asked))[1] as state,
        (array_agg(leaves order by sequence desc) filter (where not asked))[1] as leaves
    from step group by order_id
), fill as (
    select order_id, sum(quantity * sign) as quantity, sum(quantity * price * sign) as value, sum(fee) as fee
    from (select *, case kind when {BROKEN} then -1 else 1 end as sign from staged_report) report
    where kind in ({EXECUTED}, {BROKEN}) and duplicate = 0 group by order_id
)
update blotter_order o set
    last_sequence = n.sequence,
    state = case when n.asked_last and coalesce(n.state, o.state) in ({ACCEPTED}, {PARTIALLY_FILLED})
        then {PENDING_CANCEL} else coalesce(n.state, o.state) end,
    leaves = coalesce(n.leaves, o.leaves),
    filled_quantity = o.filled_quantity + coalesce(f.quantity, 0),
    filled_value = o.filled_value + coalesce(f.value, 0) / {SCALE},
    fees = o.fees + coalesce(f.fee, 0) / {SCALE}
from newest n left join fill f using (order_id)
where o.order_id = n.order_id
"""

# A replacement that the venue took ends the order it stands for, and works with what was outstanding then.
REPLACED_ORDERS = f"""
update blotter_order o set state = {CANCELED}, leaves = 0, last_sequence = r.sequence
from staged_report r join blotter_order n on n.order_id = r.order_id
where r.kind = {REPLACED} and r.duplicate = 0 and o.order_id = n.target_order_id
"""

# One that the venue refused or never saw leaves that order working.
RELEASED_ORDERS = f"""
update blotter_order o set state = case when o.filled_quantity > 0 then {PARTIALLY_FILLED} else {ACCEPTED} end,
    last_sequence = r.sequence
from staged_report r join blotter_order n on n.order_id = r.order_id
where r.kind in ({REJECTED}, {NOT_SENT}) and r.duplicate = 0 and o.order_id = n.target_order_id
    and o.state = {PENDING_REPLACE}
"""

REPLACEMENTS = f"""
update blotter_order o set quantity = r.quantity, price = r.price / {SCALE}
from staged_report r
where r.kind = {REPLACED} and r.duplicate = 0 and o.order_id = r.order_id
"""

# A fill that the venue took back is the opposite fill; its fee is negative in the report.
POSITION_FILLS = f"""
select r.sequence, nullif(r.strategy, 0), o.team_id, r.instrument, r.venue,
    case r.kind when {BROKEN} then {BUY + SELL} - r.side else r.side end, r.price, r.quantity, r.fee
from staged_report r left join blotter_order o using (order_id)
where r.kind in ({EXECUTED}, {BROKEN}) and r.duplicate = 0 order by r.sequence
"""

ENTERED_PARENTS = f"""
insert into blotter_parent (parent_id, sequence, last_sequence, strategy_id, team_id, trader_id, instrument_id, kind,
    side, price, quantity, venues, legs, start_ns, end_ns, state, limits_version, time_ns, ended_ns)
select parent_id, sequence, sequence, nullif(strategy, 0), nullif(team, 0), nullif(trader, 0), instrument, kind, side,
    nullif(price, 0) / {SCALE}, quantity, venues, legs, start_ns, end_ns, state, limits_version, time_ns, null
from staged_parent where state = {WORKING_PARENT}
"""

ENDED_PARENTS = f"""
update blotter_parent p set state = e.state, last_sequence = e.sequence, ended_ns = e.time_ns
from staged_parent e where e.state <> {WORKING_PARENT} and p.parent_id = e.parent_id
"""

PARENTS = RecordKind.PARENT
REQUESTS, DENIED_REQUESTS, REPORTS = RecordKind.ORDER_REQUEST, RecordKind.DENIAL, RecordKind.ORDER_REPORT

# In this order, each when one of its kinds was staged.
STATEMENTS: tuple[tuple[str, frozenset[RecordKind]], ...] = (
    (ENTERED_ORDERS, frozenset({REQUESTS})),
    (DENIALS, frozenset({DENIED_REQUESTS})),
    (DENIED_ORDERS, frozenset({DENIED_REQUESTS})),
    (REQUEST_EVENTS, frozenset({REQUESTS})),
    (REPORT_EVENTS, frozenset({REPORTS})),
    (FILLS, frozenset({REPORTS})),
    (BROKEN_FILLS, frozenset({REPORTS})),
    (ROUTES, frozenset({RecordKind.ROUTE})),
    (ORDER_CHANGES, frozenset({REQUESTS, REPORTS})),
    (REPLACED_ORDERS, frozenset({REPORTS})),
    (RELEASED_ORDERS, frozenset({REPORTS})),
    (REPLACEMENTS, frozenset({REPORTS})),
    (ENTERED_PARENTS, frozenset({PARENTS})),
    (ENDED_PARENTS, frozenset({PARENTS})),
)


def merge(staged: set[RecordKind]) -> list[tuple[int, ...]]:
    """Project the staged records; returns the fills (as POSITION_FILLS selects them) that move positions."""
    with connection.cursor() as cursor:
        for statement, kinds in STATEMENTS:
            if kinds & staged:
                cursor.execute(statement)
        if REPORTS not in staged:
            return []
        cursor.execute(POSITION_FILLS)
        return list(cursor.fetchall())


def lose_session(venue: int, sequence: int) -> None:
    """The session with a venue is gone: what was pending there has an unknown outcome."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update blotter_order set state = %s, last_sequence = %s where venue_id = %s and state = %s",
            [UNKNOWN, sequence, venue, PENDING_NEW],
        )
