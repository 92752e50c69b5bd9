"""What the engine does for a venue that does not have an order's time in force, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from desk.blotter.models import Parent, time_of
from engine.messages.codes import ParentState, TimeInForce
from engine.messages.prices import FOREVER_NS

GOOD_TILL = (TimeInForce.GTC, TimeInForce.GTD)
AT_SESSION = "at_session"
WORDS = {
    "good_till": "it has day orders only. Kept by the desk, entered anew each session",
    AT_SESSION: "it has no auction. Goes out once, as an IOC order, when its market hours begin or before they end",
}
MOMENT_FORMS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
LATEST_YEAR = 2100  # records have room for seconds until 2106
NS_PER_SECOND = 1_000_000_000


def emulation_sentence(algorithm: str, venue: str, begins_ns: int = 0) -> str:
    """Why an order is emulated, and how, and when it goes out if the clock says; empty: it is not."""
    if algorithm not in WORDS:
        return ""
    moment = f" At {time_of(begins_ns):%H:%M:%S} UTC." if begins_ns else ""
    return f"Emulated at {venue}: {WORDS[algorithm]}.{moment}"


def ending(end_ns: int) -> str:
    """When an order ends."""
    return "when it is canceled" if end_ns == FOREVER_NS else f"{time_of(end_ns):%Y-%m-%d %H:%M:%S} UTC"


def end_sentence(parent: Parent, algorithm: str, went_out: bool) -> str:
    """Why an emulated order expired; empty while it works, or when it ended for another reason."""
    if parent.state != ParentState.EXPIRED:
        return ""
    if algorithm == AT_SESSION:
        return (
            "It went out; what was not filled then is over."
            if went_out
            else "Expired: it could not go out in its time."
        )
    return f"Expired: its time was over at {ending(parent.end_ns)}."


def end_words(parent: Parent, algorithm: str) -> str:
    """When a parent order ends; its day, too, where that is not the one on which it begins."""
    if algorithm == AT_SESSION:
        return "once it went out"
    begins, ends = time_of(parent.start_ns), time_of(parent.end_ns)
    return f"{ends:%H:%M:%S}" if begins.date() == ends.date() else ending(parent.end_ns).removesuffix(" UTC")


def read_good_till(text: str, in_force: str, errors: dict[str, str]) -> int:
    """The end of an order that was typed, in ns, 0: none. Only one good till a time has one."""
    text = text.strip()
    if in_force != TimeInForce.GTD.name:
        if text:
            errors["good_till"] = "Only an order good till a time (GTD) has one."
        return 0
    for form in MOMENT_FORMS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        if moment.year < LATEST_YEAR:
            return max(round(moment.timestamp()), 0) * NS_PER_SECOND
    errors["good_till"] = "Say till when it is good, as 2026-03-02 20:00, in UTC."
    return 0


def good_till_errors(
    good_till_ns: int, in_force: TimeInForce, now_ns: int, market: bool, smart: bool
) -> dict[str, str]:
    """What is wrong with an order's end."""
    if in_force not in GOOD_TILL:
        return {"good_till": "Only an order good till a time (GTD) has one."} if good_till_ns else {}
    if market:
        return {"time_in_force": "A market order does not rest; choose IOC, FOK or DAY."}
    if smart:
        return {"time_in_force": "An order that is good for longer than a day stays at one venue; name it."}
    if in_force == TimeInForce.GTC:
        return {"good_till": "An order good till canceled has no end."} if good_till_ns else {}
    if good_till_ns <= now_ns:
        return {"good_till": "It is good till a time that has not passed yet."}
    return {}


def good_till_words(body: dict[str, Any]) -> str:
    """The time in force of an entry's body, with its end."""
    words = TimeInForce(body["time_in_force"]).name.replace("_", " ")
    return f"{words}, till {ending(body['good_till_ns'])}" if body.get("good_till_ns") else words
