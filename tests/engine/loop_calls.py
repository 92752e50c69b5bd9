"""What tests call in the middle of the loop's code, and nobody else from Python: behind one compiled function, as
`engine.hotpath.entries` is for the rest, so that a test run compiles one library for it and not a dozen.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.hotpath import changes, feed, fix_sessions, pipeline, reports, sessions
from engine.native import hot

MOST_ARGUMENTS = 4
SIGNAL_SCALE = 1_000

(
    TURN, KEEP_SESSIONS, POLL_VENUE, POLL_LINE, POLL_SOCKET, POLL_RING, KEEP_ALIVE, WATCH_GAP, COMPLETE_REPORT,
    TAKE_REPORT, TAKE_BACK, TAKE_FIX_REPORT, REPLACE_FOR_SIGNAL,
) = range(13)  # fmt: skip


@hot
def call_reports(what, engine, a, b, c, d):
    """One of those that answers of a venue, and changes of orders, are made of."""
    if what == COMPLETE_REPORT:
        reports.complete_report(engine, a, b, c)
    if what == TAKE_REPORT:
        return int(reports.take_report(engine, a))
    if what == TAKE_BACK:
        return int(reports.take_back(engine, a, b))
    if what == TAKE_FIX_REPORT:
        return int(fix_sessions.take_fix_report(engine, a, b, c))
    if what == REPLACE_FOR_SIGNAL:
        return int(changes.replace(engine, a, b, c, d / SIGNAL_SCALE))
    return 0


@hot
def call(what, engine, a, b, c, d):
    """One of the functions below."""
    if what == TURN:
        return int(pipeline.turn(engine))
    if what == KEEP_SESSIONS:
        pipeline.keep_sessions(engine)
    if what == POLL_VENUE:
        return int(pipeline.poll_venue(engine, a))
    if what == POLL_LINE:
        return int(pipeline.poll_line(engine, a, b))
    if what == POLL_SOCKET:
        return int(sessions.poll_socket(engine, a))
    if what == POLL_RING:
        return int(sessions.poll_ring(engine, a))
    if what == KEEP_ALIVE:
        sessions.keep_alive(engine, a)
    if what == WATCH_GAP:
        feed.watch_gap(engine, a)
    return call_reports(what, engine, a, b, c, d)


def _call(what: int) -> Callable[..., int]:
    def call_compiled(engine: int, *arguments: int) -> int:
        padding = (0,) * (MOST_ARGUMENTS - len(arguments))
        return int(call(what, int(engine), *map(int, arguments), *padding))

    return call_compiled


turn = _call(TURN)
keep_sessions = _call(KEEP_SESSIONS)
poll_venue = _call(POLL_VENUE)
poll_line = _call(POLL_LINE)
poll_socket = _call(POLL_SOCKET)
poll_ring = _call(POLL_RING)
keep_alive = _call(KEEP_ALIVE)
watch_gap = _call(WATCH_GAP)
complete_report = _call(COMPLETE_REPORT)
take_report = _call(TAKE_REPORT)
take_back = _call(TAKE_BACK)
take_fix_report = _call(TAKE_FIX_REPORT)
replace_for_signal = _call(REPLACE_FOR_SIGNAL)
