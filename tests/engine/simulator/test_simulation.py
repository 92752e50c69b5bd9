"""The exchange as a library: what leaves it, in which order, and when requests take effect."""

from itertools import takewhile

import numpy as np

from engine.messages.codes import OrderAction
from engine.messages.instruments import Instrument
from engine.protocols import itch50, moldudp64, ouch50
from engine.simulator.feed import Feed
from engine.simulator.layout import FLOW, BookMemory
from engine.simulator.oracle import Oracle
from engine.simulator.ouch_account import OuchAccount
from engine.simulator.simulation import Packet, Simulation
from engine.simulator.sources import RecordedFlow
from engine.simulator.venue import Fees, Venue
from tests.engine.simulator.clients import cancel, enter

INSTRUMENTS = [Instrument(1, "ABC"), Instrument(2, "XYZ")]


def flow(*rows: tuple[int, int, int, int]) -> np.ndarray:
    """Limit orders of the market: (time, side, price, quantity)."""
    records = np.zeros(len(rows), FLOW)
    for number, (time_ns, side, price, quantity) in enumerate(rows, start=1):
        records[number - 1] = (time_ns, number, 0, price, quantity, 1, OrderAction.ENTER, side, 1, 1, 0)
    return records


def venue(number: int, records: np.ndarray, interval_ns: int = 0, latency_ns: int = 0) -> Venue:
    memory = BookMemory(INSTRUMENTS, 64, 32)
    made = Venue(f"V{number}", number, memory, INSTRUMENTS, Feed("S"), Fees(), Oracle(None), interval_ns, latency_ns)
    made.admit(OuchAccount(made.desk, 1, "A", "", 0))
    made.source = RecordedFlow(memory, records)
    return made


def told(simulation: Simulation) -> list[tuple]:
    rows = []
    while (output := simulation.next_output()) is not None:
        rows.append(seen(output))
    return rows


def seen(output) -> tuple:
    if isinstance(output, Packet):
        letters = "".join(itch50.decode(raw).values["type"] for raw in moldudp64.decode(output.payload).messages)
        return (output.venue.name, output.time_ns, "packet", letters)
    names = [ouch50.decode_outbound(raw).name for raw in output.messages]
    return (output.venue.name, output.time_ns, output.first, names)


def test_events_of_one_interval_leave_in_one_packet():
    one = venue(1, flow((3, 1, 9_900, 100), (7, 1, 9_900, 100), (10, 2, 10_000, 100), (11, 2, 10_000, 100)), 10)
    assert told(Simulation([one])) == [("V1", 10, "packet", "AAA"), ("V1", 20, "packet", "A")]


def test_venues_take_turns_by_time_and_then_by_their_order():
    first, second = venue(1, flow((5, 1, 100, 1), (7, 1, 100, 1))), venue(2, flow((4, 1, 100, 1), (5, 1, 100, 1)))
    assert [row[:2] for row in told(Simulation([first, second]))] == [("V2", 4), ("V1", 5), ("V2", 5), ("V1", 7)]


def test_reports_leave_before_the_packet_and_both_before_the_next_event():
    one = venue(1, flow((5, 2, 10_000, 100), (6, 2, 10_000, 100)))
    simulation = Simulation([one])
    rows = [seen(simulation.next_output())]
    simulation.submit(one, one.accounts["A"], enter(1, price=10_000), 0)
    simulation.submit(one, one.accounts["A"], enter(2, price=9_900), 0)
    assert rows + told(simulation) == [
        ("V1", 5, "packet", "A"),
        ("V1", 5, 1, ["accepted", "executed"]),
        ("V1", 5, "packet", "E"),
        ("V1", 5, 3, ["accepted"]),
        ("V1", 5, "packet", "A"),
        ("V1", 6, "packet", "A"),
    ]


def test_with_entry_latency_the_market_may_come_first():
    one = venue(1, flow((5, 2, 10_000, 100), (6, 2, 9_900, 100), (9, 2, 10_000, 100)), latency_ns=3)
    simulation = Simulation([one])
    rows = [seen(simulation.next_output())]
    simulation.submit(one, one.accounts["A"], enter(1, quantity=50, price=10_000), 5)
    assert rows + told(simulation) == [
        ("V1", 5, "packet", "A"),
        ("V1", 6, "packet", "A"),
        ("V1", 8, 1, ["accepted", "executed"]),
        ("V1", 8, "packet", "E"),
        ("V1", 9, "packet", "A"),
    ]
    fill = ouch50.decode_outbound(one.accounts["A"].sequenced[1])
    assert fill.values["price"] == 9_900


def test_a_resting_order_is_told_of_its_fill_when_the_market_trades_with_it():
    one = venue(1, flow((5, 1, 9_000, 100), (6, 2, 9_900, 100)))
    simulation = Simulation([one])
    simulation.next_output()
    simulation.submit(one, one.accounts["A"], enter(1, quantity=100, price=9_900), 5)
    assert told(simulation)[2:] == [("V1", 6, 2, ["executed"]), ("V1", 6, "packet", "E")]


def test_nothing_is_due_before_its_time():
    one = venue(1, flow((5, 1, 100, 1), (9, 1, 100, 1)))
    simulation = Simulation([one])
    due = list(takewhile(lambda output: output is not None, iter(lambda: simulation.next_output(6), object())))
    assert [output.time_ns for output in due] == [5]
    assert simulation.next_time_ns == 9


def test_cancel_on_disconnect_takes_every_open_order():
    one = venue(1, flow((5, 1, 100, 1)))
    simulation = Simulation([one])
    account = one.accounts["A"]
    for message in (enter(1, price=9_000), enter(2, price=9_100), cancel(1)):
        simulation.submit(one, account, message, 1)
    simulation.cancel_account(one, account, 2)
    reasons = [ouch50.decode_outbound(raw).values.get("reason") for raw in account.sequenced]
    assert reasons == [None, None, "U", "S"]


def test_a_session_opens_with_the_directory_and_closes_with_the_end():
    one = venue(1, flow((5, 1, 100, 1)))
    simulation = Simulation([one])
    simulation.open(1)
    rows = told(simulation)
    simulation.close(6)
    assert rows[0] == ("V1", 1, "packet", "SSRHRHS")
    assert [seen(output) for output in simulation.drain()] == [("V1", 6, "packet", "SSS")]
