"""The loop's memory: one block of addresses, and the tables behind them. Every size is fixed at start.

Hot code opens a table where it needs it: `core = view(engine, 1, ENGINE)[0]`,
`venue = view(core.venues, VENUES, VENUE)[v]`.
Instruments are their ids (1..N). A listing is an instrument on a venue: (venue - 1) * (N + 1) + instrument.
"""

from __future__ import annotations

import numpy as np

from engine.native import fix_fields

VENUES = 9  # rows 1..8; row 0 stays empty
TEAMS = 16
LEGS_PER_STRATEGY = 4
MAX_REQUESTS = 16  # requests one strategy may make for one event
LINES = 4  # A, B, retransmission, snapshot
INBOUND_BYTES = 1 << 18
OUTBOUND_BYTES = 1 << 16
PENDING_PACKETS = 256  # packets kept while a gap is being filled
PACKET_BYTES = 2048

# Accounts: what limits bind and P&L is kept for. 0 the firm, 1..TEAMS the teams, then one for each strategy row;
# strategy row 0 stands for orders that people enter.
FIRM_ACCOUNT = 0
FIRST_STRATEGY_ACCOUNT = 1 + TEAMS

ENGINE = np.dtype(
    [
        # addresses
        ("book", "<i8"),
        ("tops", "<i8"),
        ("instruments", "<i8"),
        ("venues", "<i8"),
        ("lines", "<i8"),
        ("accounts", "<i8"),
        ("cells", "<i8"),
        ("strategies", "<i8"),
        ("legs", "<i8"),
        ("subscription_starts", "<i8"),
        ("subscription_legs", "<i8"),
        ("orders", "<i8"),
        ("requests", "<i8"),
        ("context", "<i8"),
        ("journal", "<i8"),
        ("recording", "<i8"),
        ("timespec", "<i8"),
        ("packet", "<i8"),
        ("pending", "<i8"),
        ("pending_lengths", "<i8"),
        ("touched", "<i8"),
        ("touched_marks", "<i8"),
        ("called", "<i8"),  # rows of the strategies that look after this packet, in order
        ("polled", "<i8"),
        ("stamps", "<i8"),  # ring of latency stamps (engine.hotpath.latency)
        ("report", "<i8"),
        ("fix_fields", "<i8"),  # where the fields of the FIX message at hand stand
        ("marks", "<i8"),  # last middle of each instrument whose book had two sides
        ("statuses", "<i8"),  # what venues say about each listing (engine.hotpath.status_tables)
        ("markets", "<i8"),
        ("prints", "<i8"),
        ("arrivals", "<i8"),
        ("fills", "<i8"),  # the newest fills, in a circle
        ("parents", "<i8"),  # rows of the strategies that are working parent orders
        ("asked", "<i8"),  # the newest parent orders that strategies asked for, in a circle
        ("volumes", "<i8"),  # shares traded of each listing, counted while there is a parent order
        ("learned", "<i8"),  # what the router learned of each listing (engine.hotpath.router_tables)
        ("routed", "<i8"),  # orders that the router split
        ("route_child", "<i8"),  # its decision at hand
        ("route_rows", "<i8"),
        ("delayed", "<i8"),  # parts of sweeps that wait (engine.hotpath.router_delays), and what was decided of each
        ("delayed_rows", "<i8"),
        # sizes
        ("instrument_count", "<i8"),
        ("venue_count", "<i8"),
        ("listing_count", "<i8"),
        ("strategy_count", "<i8"),
        ("order_mask", "<i8"),
        ("fill_mask", "<i8"),
        ("polled_count", "<i8"),
        ("stamp_mask", "<i8"),
        # state that a replay rebuilds
        ("state", "<i8"),
        ("limits_version", "<i8"),
        ("next_order_id", "<i8"),
        ("last_number", "<i8"),  # order numbers up to this one are journalled as ours (numbers.py)
        ("fill_count", "<i8"),
        ("parent_count", "<i8"),
        ("asked_count", "<i8"),  # parent orders that strategies asked for so far
        ("timer_ns", "<i8"),  # when the parent orders are to be called next, or a part of a sweep leaves; 0: never
        ("sweep_due_ns", "<i8"),  # when the next part of a sweep leaves, 0: none waits
        ("routing", "<i8"),  # the routed order whose part is being entered, 0: none
        ("protection", "<i8"),  # basis points of the market order that is being entered, 0: a limit order
        ("good_till_s", "<i8"),  # when the venue is to end the order that is being entered, 0: as it does by itself
        ("routed_order", "<i8"),  # what became of the last one that was routed (router_orders.route)
        ("implied_end", "<i8"),  # the order that ends with the one that was just reported on, 0: none
        ("clock_ns", "<i8"),
        ("market_time_ns", "<i8"),
        ("position", "<i8"),
        ("feed_sequence", "<i8"),
        ("line", "<i8"),
        ("refresh_ns", "<i8"),
        ("day", "<i8"),  # number of the day (UTC) of the last packet, 0 before the first
        ("touched_count", "<i8"),
        ("touched_stamp", "<i8"),
        ("called_count", "<i8"),
        ("unsent", "<i8"),  # bit v: venue v has frames in its outbound buffer that nobody has sent
        ("unknown_reports", "<i8"),
        ("orders_entered", "<i8"),
        ("denials", "<i8"),
        # the last refusal of the risk gate
        ("measured", "<i8"),
        ("bound", "<i8"),
        ("scope", "<i8"),
        ("scope_id", "<i8"),
        ("limit_name", "<i8"),
        # talk with the cold path
        ("wake", "<i8"),
        ("attention", "<i8"),
        ("spinning", "<i8"),
        ("replaying", "<i8"),
        ("received_cycles", "<i8"),  # when what is being processed was taken; 0: nothing is stamped
        ("cause", "<i8"),  # StampCause of it
        ("stamps_made", "<i8"),
        ("stamps_settled", "<i8"),
        ("cycles_per_us", "<i8"),
        ("idle_turns", "<i8"),
        ("turns", "<i8"),
        ("kept_ns", "<i8"),  # when the sessions were last looked after, 0: not yet
        ("done_text", "<i8"),
        ("warm_fd", "<i8"),  # a private connection for idle sends, -1: none
        ("warm_peer", "<i8"),  # its other end
        ("warm_cycles", "<i8"),  # counts between idle sends
        ("warm_at", "<i8"),
        ("warming", "<i8"),  # what a warm decision needs (engine.hotpath.warming), 0: none is made
        ("warming_cycles", "<i8"),  # counts between two
        ("warming_at", "<i8"),
    ]
)
ENGINE_NAMES = ENGINE.names or ()
fix_fields(ENGINE, ENGINE_NAMES[: ENGINE_NAMES.index("polled_count")])

# Attention bits: why the loop came back to the cold path.
WOKEN = 1
SESSION_LOST = 2
LOG_FULL = 4
SESSION_READY = 8  # the venue answered the account query, or the probe: everything before it was replayed
REPORT_UNKNOWN = 16
SESSION_ENDED = 32
PARENT_ASKED = 64

INSTRUMENT = np.dtype(
    [
        ("symbol", "<i8"),
        ("tick_size", "<i8"),
        ("lot_size", "<i8"),
        ("multiplier", "<i4"),
        ("breaks", "<i4"),  # open breaks of reconciliation: nothing that adds risk passes
    ]
)

VENUE = np.dtype(
    [
        ("protocol", "<i8"),  # PROTOCOL_* below
        ("session", "<i8"),  # SessionState
        ("killed", "<i8"),
        ("priced_by", "<i8"),  # the venue whose books price orders here: itself, or another for one without books
        ("lost", "<i8"),  # the socket failed, or is HANDED_OVER; nothing is sent until the cold path has given it back
        ("fd", "<i8"),
        ("feed_fds", "<i8", (LINES,)),
        ("requester", "<i8"),  # address of the retransmission server's sockaddr_in
        ("lockstep", "<i8"),
        ("dirty", "<i8"),
        ("ended", "<i8"),
        ("midnight_ns", "<i8"),  # start of the venue's day, for its nanoseconds since midnight
        ("feed_session", "<i8", (2,)),
        ("feed_heard_ns", "<i8"),
        ("session_low", "<i8"),  # the order session's name, ten bytes, zero padded
        ("session_high", "<i8"),
        ("expected", "<i8"),
        ("pending_count", "<i8"),
        ("pending_from", "<i8"),
        ("gap_since_ns", "<i8"),
        ("requested_ns", "<i8"),
        ("inbound", "<i8"),
        ("inbound_used", "<i8"),
        ("outbound", "<i8"),
        ("outbound_used", "<i8"),
        ("next_reference", "<i8"),  # what the venue's last account query answered, 0: it does not tell
        ("query_answered", "<i8"),  # everything that the venue had to say before the session has come
        ("next_inbound", "<i8"),  # SoupBinTCP sequence of the next sequenced message
        ("heard_ns", "<i8"),
        ("sent_ns", "<i8"),
        ("largest_price", "<i8"),  # of a limit order in its messages, 0: as the gate's
        ("maker_fee", "<i8"),
        ("taker_fee", "<i8"),
        ("request_ring", "<i8"),
        ("report_ring", "<i8"),
        ("orders", "<i8"),
        ("fills", "<i8"),
        ("rejects", "<i8"),
        ("malformed", "<i8"),
        ("firm", "<i8"),  # four letters as the venue knows us, as they stand in a message
        ("lost_because", "<i8"),  # LOST_* below
        ("debug_packets", "<i8"),
        ("wire", "<i8"),  # FIX: address of what its messages are made of
        ("interval_ns", "<i8"),  # FIX: HeartBtInt(108)
        ("tested", "<i8"),  # FIX: a TestRequest(1) of ours is not answered
        ("entry_disabled", "<i8"),  # we asked the venue to take no order of ours
        ("minimum_quantity", "<i8"),  # shares that an order there has at least
        ("midpoint", "<i8"),  # it displays nothing and trades at the middle of other venues
        ("entry_confirmed", "<i8"),  # what it answered last: DISABLED, ENABLED, 0 nothing
        ("post_only", "<i8"),  # it knows the instruction; 0: the gate looks at the book, and it is sent as a DAY order
        ("auctions", "<i8"),  # it takes orders for its opening and closing cross
        ("good_till", "<i8"),  # it takes orders good till canceled and good till a time
        ("resend_ns", "<i8"),  # orders that never arrived and are no older are sent again after an outage; 0: none
    ]
)
ENTRY_DISABLED, ENTRY_ENABLED = 1, 2
UNWANTED, SENT_AGAIN = 1, 2  # somebody asked for its cancel; it left again after the last outage

# Why the loop gave a session up, for the sentence that the cold path says.
LOST_CONNECTION = 0
LOST_BOUNDARY = 1  # a frame of a length that none can have
LOST_SILENCE = 2
LOST_END_OF_SESSION = 3
LOST_NOT_READING = 4  # our buffer stays full
LOST_RING_FULL = 5

NO_PROTOCOL = 0
OUCH50 = 1
RING = 2  # a session process behind shared-memory rings
IN_MEMORY = 3  # the simulated venue of a backtest: requests go to a buffer
OUCH42 = 4
FIX = 5  # spoken by the loop itself
HANDED_OVER = 2  # value of `lost`: the connection is whole, and the cold path's for now

LINE = np.dtype(
    [
        ("packets", "<i8"),
        ("messages", "<i8"),
        ("duplicates", "<i8"),
        ("gaps", "<i8"),
        ("lost", "<i8"),  # messages that this line never brought (or brought late)
        ("malformed", "<i8"),
        ("heartbeats", "<i8"),
        ("heard_ns", "<i8"),
        ("expected", "<i8"),  # number of the line's next message, 0 before its first packet
        ("recovered", "<i8"),  # messages of the feed that snapshots stood for (line 3)
        ("behind", "<i8"),  # packets of which the other line had brought a copy before, and how much later they came
        ("behind_ns", "<i8"),
        ("behind_most_ns", "<i8"),
    ]
)

# When a packet was first seen, by its number: what the other line's copy is measured against.
ARRIVAL = np.dtype([("sequence", "<i8"), ("time_ns", "<i8"), ("line", "<i8")])
ARRIVALS = 256  # remembered for each venue; a power of two

ACCOUNT = np.dtype(
    [
        ("scope", "<i8"),
        ("scope_id", "<i8"),
        ("killed", "<i8"),
        ("order_quantity", "<i8"),
        ("order_value", "<i8"),
        ("collar_basis_points", "<i8"),
        ("position", "<i8"),
        ("orders_per_second", "<i8"),
        ("daily_loss", "<i8"),
        ("rate_due_ns", "<i8"),
        ("cash", "<i8"),
        ("fees", "<i8"),
        ("holdings", "<i8"),  # positions at the mark, refreshed
        ("day_start", "<i8"),  # the profit when the day (UTC) began
        ("rate_interval_ns", "<i8"),  # a second over `orders_per_second`, so that no order divides
        ("reserved", "<i8"),  # two cache lines
    ]
)

CELL_FIELDS = [
    ("position", "<i8"),
    ("working_buy", "<i8"),
    ("working_sell", "<i8"),
    ("cost", "<i8"),  # what the open position cost, signed
    ("cash", "<i8"),  # money in minus money out, without fees
    ("fees", "<i8"),
    ("bought", "<i8"),
    ("sold", "<i8"),
]
CELL = np.dtype(CELL_FIELDS)

# One instrument of one strategy, and everything the strategy sees of it: three cache lines. The first is a CELL, the
# second all that a changed top needs, the third what matters once there is an order.
LEG = np.dtype(
    [
        *CELL_FIELDS,
        ("bid", "<i8"),
        ("bid_quantity", "<i8"),
        ("ask", "<i8"),
        ("ask_quantity", "<i8"),
        ("open_orders", "<i8"),
        ("order_id", "<i8"),
        ("strategy", "<i8"),
        ("watched", "<i8"),  # the venue whose book it sees
        ("order_price", "<i8"),
        ("order_since_ns", "<i8"),
        ("canceling", "<i8"),
        ("replacing", "<i8"),  # a replacement of `order_id` was asked for and is not answered
        ("attempts", "<i8"),
        ("retry_after_ns", "<i8"),
        ("denied", "<i8"),  # in a row: each waits twice as long as the one before
        ("instrument", "<i8"),
        ("listing", "<i8"),  # of the watched venue
        ("venue", "<i8"),  # where its orders go
    ]
)

# Two cache lines; the first is all that a call of the strategy needs.
STRATEGY = np.dtype(
    [
        ("state", "<i8"),
        ("entry", "<i8"),  # native address of the hook
        ("row", "<i8"),  # address of the kind's own record
        ("called_stamp", "<i8"),  # the packet (`touched_stamp`) for which it is in `called`
        ("team", "<i8"),  # team account
        ("account", "<i8"),
        ("leg_count", "<i8"),
        ("signal", "<f8"),
        ("id", "<i8"),  # the desk's key
        ("kind", "<i8"),
        ("orders", "<i8"),
        ("fills", "<i8"),
        ("denials", "<i8"),
        ("working", "<i8"),
        ("parent", "<i8"),  # the parent order that the row works, 0: it is a strategy
        ("reserved", "<i8"),
    ]
)

# A parent order: what the own record of each algorithm begins with.
PARENT_FIELDS = [
    ("parent", "<i8"),
    ("state", "<i8"),  # ParentState
    ("owner", "<i8"),  # row of the strategy whose it is, 0: people
    ("holder", "<i8", (LEGS_PER_STRATEGY,)),  # for each leg the owner's, in whose cell its fills are held; -1: people
    ("trader", "<i8"),
    ("side", "<i8"),
    ("quantity", "<i8"),
    ("price", "<i8"),  # limit, 0: none
    ("start_ns", "<i8"),  # on the loop's clock
    ("end_ns", "<i8"),
    ("leg_count", "<i8"),
    ("lot_size", "<i8"),
    ("largest", "<i8"),  # shares that one child may have
    ("filled", "<i8"),
    ("value", "<i8"),  # price x quantity of the fills
    ("volume", "<i8"),  # shares traded on its venues since it began, its own among them
    ("volume_begin", "<i8"),
    ("scheduled", "<i8"),  # shares that are to be done by now
    ("waiting_ns", "<i8"),  # since when it waits at the touch for the next ones, 0: it does not
    ("crossing", "<i8"),  # it has waited enough
    ("several", "<i8"),  # each leg is an instrument of its own (a multi-leg order); else all are the same one
    ("selling", "<i8"),  # of a multi-leg order: bit at, leg `at` sells
    ("anywhere", "<i8"),  # of a multi-leg order: bit at, leg `at` goes to the best of all its venues
    ("venues", "<i8"),  # bit v - 1 for each venue v that it may use
    ("tick_size", "<i8"),
    ("auction_working", "<i8"),  # shares of open children that wait for a cross
    ("auction_filled", "<i8"),
    ("emulates", "<i8"),  # the TimeInForce that it stands for at a venue that does not have it, 0: none
    ("takes_orders", "<i8"),  # of such a one: its venue does, now
    ("market_open", "<i8"),  # and its market hours have begun
]
PARENT = np.dtype(PARENT_FIELDS)

ORDER = np.dtype(
    [
        ("order_id", "<i8"),
        ("state", "<i8"),
        ("side", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("leaves", "<i8"),
        ("filled", "<i8"),
        ("instrument", "<i8"),
        ("venue", "<i8"),
        ("strategy", "<i8"),  # row
        ("team", "<i8"),  # account
        ("leg", "<i8"),  # the leg that works it, -1 for orders that people enter
        ("time_in_force", "<i8"),
        ("canceling", "<i8"),
        ("again", "<i8"),  # bits UNWANTED and SENT_AGAIN; 0: it may leave again when an outage kept it from its venue
        ("entered_ns", "<i8"),  # the loop's clock
        ("target", "<i8"),  # the order that this one is to replace, until the venue has answered
        ("replacement", "<i8"),  # the order that is to replace this one, or of one that is closed, that has
        ("chain", "<i8"),  # shares that the orders before this one in its chain of replacements have executed
        ("reference", "<i8"),  # the venue's number of the order in its feed, 0 while not known
        ("parent", "<i8"),  # number of the parent order, 0: none
        ("last_fill", "<i8"),  # its newest note among FILL rows, counted from 1; 0: none
        ("holder", "<i8"),  # the leg in whose cell its fills are held: `leg`, but of a child its parent's
        ("route", "<i8"),  # number of the routed order of which it is a part, 0: none
        ("good_till_s", "<i8"),
    ]
)

# A fill as it was booked, so that the venue can take it back and not say it twice. Without a quantity: its bust came
# first.
FILL = np.dtype(
    [
        ("match_number", "<i8"),
        ("order_id", "<i8"),
        ("venue", "<i8"),
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("fee", "<i8"),
        ("strategy", "<i8"),  # row
        ("team", "<i8"),  # account
        ("holder", "<i8"),  # leg
        ("parent", "<i8"),
        ("leg", "<i8"),
        ("broken", "<i8"),
        ("previous", "<i8"),  # the order's note before this one, as in `last_fill`
    ]
)

MOST_CHOSEN = 16  # parameters of an algorithm that a strategy can choose

# A parent order that a strategy asked for; the cold path enters it by a command of its own.
ASKED = np.dtype(
    [
        ("number", "<i8"),  # of the request, from the order numbers
        ("strategy", "<i8"),  # the desk's key
        ("team", "<i8"),
        ("instrument", "<i8"),
        ("venue", "<i8"),
        ("side", "<i8"),
        ("quantity", "<i8"),
        ("price", "<i8"),
        ("algorithm", "<i8"),
        ("duration_ns", "<i8"),
        ("asked_ns", "<i8"),
        ("chosen", "<i8"),  # bit at: parameter `at` of the algorithm is `values[at]`, not its default
        ("values", "<f8", (MOST_CHOSEN,)),
    ]
)
MOST_ASKED_PARENTS = 64

# What a strategy hook gets, and what it may ask for.
CONTEXT = np.dtype([("time_ns", "<i8"), ("requests", "<i8"), ("event", "<i8"), ("clock_ns", "<i8")])
TOP_CHANGED = 1
ORDER_REPORTED = 2
TIME_PASSED = 3

REQUEST = np.dtype(
    [
        ("action", "<i8"),
        ("leg", "<i8"),
        ("side", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("time_in_force", "<i8"),
        ("order_id", "<i8"),
        ("signal", "<f8"),
    ]
)

# `action` of a request for a parent order, beside OrderAction's: `time_in_force` is the algorithm's number, `order_id`
# how long it lasts (ns), `price` 0 no limit.
GIVE_PARENT = 100
# A market order: `order_id` is its protection in basis points, `price` is made of the book.
ENTER_MARKET = 102
# A parameter of the parent order asked for just before: `leg` is its place in the algorithm's list, `signal` its value.
CHOOSE_PARAMETER = 101
# A parent order, an order: for no venue in particular.
GIVE_ANYWHERE, ENTER_ANYWHERE = 103, 104

POLL = np.dtype([("fd", "<i4"), ("events", "<i2"), ("revents", "<i2")])
