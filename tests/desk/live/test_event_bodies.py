import pytest

from desk.live.event_bodies import Event, EventMaker
from desk.live.names import Names
from engine.messages.codes import OrderAction, OrderState, RecordKind, ReportKind, SessionState
from tests.desk.journal_records import START_NS, Journal

NAMES = Names(instruments={1: "AAA"}, venues={1: "XSIM"}, strategies={7: "AAA / BBB"}, teams={7: 3})
ORDER = {
    "order_id": "11",
    "strategy": 7,
    "strategy_name": "AAA / BBB",
    "instrument": 1,
    "instrument_name": "AAA",
    "venue_name": "XSIM",
    "side": "BUY",
    "quantity": 100,
    "price": "100.0000",
}


def events_of(journal: Journal) -> list[Event]:
    maker = EventMaker()
    maker.names = NAMES
    return list(maker.events(journal.data))


def time_of(sequence: int) -> str:
    return str(START_NS + sequence * 1_000)


def test_the_life_of_an_order_as_events_of_its_team() -> None:
    journal = Journal()
    journal.enter(11)
    journal.fill(11, OrderState.FILLED, 0, 100)
    request, report, fill = events_of(journal)
    assert request == Event(
        1,
        "orders.3",
        {**ORDER, "kind": "request", "action": "ENTER", "state": "PENDING_NEW", "leaves": 100, "limits_version": 2}
        | {"time_ns": time_of(1)},
    )
    done = {**ORDER, "kind": "report", "report": "EXECUTED", "state": "FILLED", "leaves": 0, "time_ns": time_of(2)}
    assert (report.sequence, report.channel, report.body) == (2, "orders.3", done)
    told = {"fee": "0.3000", "liquidity": "REMOVED", "match_number": "110", "broken": False}
    assert fill == Event(2, "fills.3", {**done, **told})


def test_a_fill_that_the_venue_takes_back_is_told_with_the_fills() -> None:
    journal = Journal()
    journal.report(11, ReportKind.BROKEN, OrderState.FILLED, 0, quantity=100, match_number=110)
    _, fill = events_of(journal)
    assert (fill.channel, fill.body["match_number"], fill.body["broken"]) == ("fills.3", "110", True)


def test_a_denial_says_why_in_a_sentence() -> None:
    journal = Journal()
    journal.deny(12)
    (denial,) = events_of(journal)
    assert (denial.channel, denial.body["state"], denial.body["by"], denial.body["sentence"]) == (
        "denials.3",
        "DENIED",
        "Risk gate",
        "5,000 shares are over the team's limit of shares per order of 1,000.",
    )


def test_a_rejection_is_listed_with_the_denials() -> None:
    journal = Journal()
    journal.enter(11)
    journal.report(11, ReportKind.REJECTED, OrderState.REJECTED, 0, reason=4)
    _, report, refused = events_of(journal)
    assert (report.channel, refused.channel, refused.body["by"], refused.body["sentence"]) == (
        "orders.3",
        "denials.3",
        "XSIM",
        "The venue rejected it with reason 4.",
    )


def test_a_report_that_the_venue_repeated_is_no_event() -> None:
    journal = Journal()
    journal.fill(11, OrderState.FILLED, 0, 100, duplicate=1)
    assert events_of(journal) == []


def test_a_cancel_request_is_about_the_order_it_cancels() -> None:
    journal = Journal()
    journal.enter(11)
    journal.cancel(11)
    asked = events_of(journal)[1].body
    assert (asked["order_id"], asked["action"], asked["state"]) == ("11", "CANCEL", "PENDING_CANCEL")


def test_reports_of_a_manual_order_go_to_the_team_of_its_request() -> None:
    journal = Journal(strategy=0, team=4)
    journal.enter(21)
    journal.report(21, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    assert [event.channel for event in events_of(journal)] == ["orders.4", "orders.4"]


def test_a_session_of_a_venue_concerns_everybody() -> None:
    journal = Journal()
    journal.session(SessionState.UP)
    (event,) = events_of(journal)
    assert (event.channel, event.body["venue_name"], event.body["state"]) == ("engine_events", "XSIM", "UP")


def test_a_request_about_a_whole_venue_concerns_everybody() -> None:
    journal = Journal()
    journal.append(RecordKind.ORDER_REQUEST, order_id=3, venue=1, action=OrderAction.MASS_CANCEL)
    (event,) = events_of(journal)
    expected = {"kind": "venue_request", "venue_name": "XSIM", "action": "MASS_CANCEL", "time_ns": time_of(1)}
    assert (event.channel, event.body) == ("engine_events", expected)


def test_a_replacement_is_an_order_of_its_own_and_a_modification_is_about_the_order_it_changes() -> None:
    journal = Journal(strategy=0, team=4)
    journal.enter(11)
    journal.change(OrderAction.REPLACE, 11, 12, 50)
    journal.report(12, ReportKind.REPLACED, OrderState.ACCEPTED, 50)
    journal.change(OrderAction.MODIFY, 12, 12, 20)
    found = [(event.channel, event.body["order_id"], event.body["state"]) for event in events_of(journal)]
    assert found == [
        ("orders.4", "11", "PENDING_NEW"),
        ("orders.4", "12", "PENDING_REPLACE"),
        ("orders.4", "12", "ACCEPTED"),
        ("orders.4", "12", "PENDING_REPLACE"),
    ]


def test_commands_are_no_events() -> None:
    from engine.messages.control import StopStrategy, command

    journal = Journal()
    journal.command(command(StopStrategy(7), "alice"))
    assert events_of(journal) == []


@pytest.mark.parametrize("cut", [1, 31, 100, 127])
def test_a_block_that_is_cut_off_is_refused(cut: int) -> None:
    journal = Journal()
    journal.enter(11)
    with pytest.raises(ValueError, match="journal record"):
        list(EventMaker().events(journal.data[:cut]))
