"""The exchange as a process on real sockets."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from engine.protocols import itch50
from engine.simulator.floor_port import tell_running
from tests.engine.simulator.clients import DEADLINE_SECONDS, FeedClient, OrderClient, cancel, enter
from tests.engine.simulator.oracle_lines import oracle_lines

START_SECONDS = 300.0
HEARTBEATS = 100  # more of them in a row would mean that nothing else comes


class RunningExchange:
    """`python -m engine exchange` with one OUCH venue, and what it said about itself."""

    def __init__(self, directory: Path, head: str = "", venue: str = "", market: bool = True) -> None:
        self.lines = FeedClient(), FeedClient()
        self.directory = directory
        config = directory / "exchange.toml"
        config.write_text(
            f'out = "out"\n{head}\n'
            + ("[market]\nseed = 3\nrate = 400.0\n" if market else "")
            + f'[[venues]]\nname = "XSIM"\nid = 1\nmaker_fee = -20\ntaker_fee = 30\n{venue}\n'
            f'line_a = ["{self.lines[0].address}"]\nline_b = ["{self.lines[1].address}"]\n'
            'users = [{ name = "A", password = "secret" }, { name = "B", password = "other" }]\n'
        )
        root = Path(__file__).resolve().parents[3]
        command = [sys.executable, "-m", "engine", "exchange", str(config)]
        self.process = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True)
        ready = directory / "out" / "exchange.json"
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.described = json.loads(ready.read_text())
        self.session = self.described["session"]
        self.venue = self.described["venues"][0]

    def client(self, user: str = "A", password: str = "secret", sequence: int = 1) -> OrderClient:
        client = OrderClient(self.venue["order_port"])
        assert client.log_in(user, password, sequence)["name"] == "login_accepted"
        return client

    def oracle(self) -> list[dict]:
        return oracle_lines(self.directory / "out" / "oracle.jsonl")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stderr.close()
        for line in self.lines:
            line.close()


@pytest.fixture
def start(tmp_path):
    running = []

    def run(**settings):
        running.append(RunningExchange(tmp_path, **settings))
        return running[-1]

    yield run
    for exchange in running:
        exchange.close()


def test_a_session_from_its_first_packet_to_its_last(start):
    exchange = start()
    first_a, first_b = (line.packet() for line in exchange.lines)
    assert first_a == first_b
    while not first_a.messages:
        first_a = exchange.lines[0].packet()
    names = Counter(itch50.decode(raw).name for raw in first_a.messages)
    assert first_a.sequence == 1
    assert set(names) == {"system_event", "stock_directory", "trading_action"}

    trader = exchange.client()
    trader.send(enter(1, "B", 100, "BNKA", 990_000))
    kind, accepted = trader.report()
    assert (kind, accepted["user_reference"]) == ("accepted", 1)
    kind, executed = trader.report()
    assert (kind, executed["quantity"], executed["liquidity"]) == ("executed", 100, "R")
    trader.send(enter(2, "B", 100, "BNKA", 100_000))
    assert trader.report()[0] == "accepted"
    trader.send(cancel(2))
    assert trader.report()[0] == "canceled"

    published = set()
    while executed["match_number"] not in published:
        for raw in exchange.lines[1].packet().messages:
            message = itch50.decode(raw)
            if message.name == "order_executed":
                published.add(message.values["match_number"])

    assert exchange.stop() == 0
    assert trader.next().name == "end_of_session"
    packet = exchange.lines[0].packet()
    while not packet.end_of_session:
        packet = exchange.lines[0].packet()
    assert [(row["kind"], row["user_reference"], row["sequence"]) for row in exchange.oracle()] == [
        ("accepted", 1, 1),
        ("executed", 1, 2),
        ("accepted", 2, 3),
        ("canceled", 2, 4),
    ]


def test_lost_packets_are_sent_again(start):
    exchange = start()
    packets = [exchange.lines[0].packet() for _ in range(20)]
    kept = {}
    for packet in packets:
        kept |= dict(enumerate(packet.messages, start=packet.sequence))
    lost = sorted(kept)[10:25]
    answer = exchange.lines[0].ask(exchange.venue["retransmission_port"], exchange.session, lost[0], len(lost))
    assert (answer.sequence, answer.session.strip()) == (lost[0], exchange.session)
    assert list(answer.messages) == [kept[n] for n in range(lost[0], lost[0] + len(answer.messages))]


def test_a_client_that_comes_back_gets_every_message_again_and_takes_over(start):
    exchange = start(market=False)
    first = exchange.client()
    first.send(enter(1, "B", 100, "BNKA", 500_000))
    assert first.report()[0] == "accepted"
    second = exchange.client(sequence=1)
    assert second.report()[0] == "accepted"
    assert first.next() is None
    other = exchange.client("B", "other")
    other.send(enter(1, "S", 40, "BNKA", 500_000))
    assert [other.report()[0] for _ in range(2)] == ["accepted", "executed"]
    assert second.report() == ("executed", second_fill(exchange))
    late = exchange.client(sequence=2)
    assert late.report()[0] == "executed"


def second_fill(exchange: RunningExchange) -> dict:
    row = next(row for row in exchange.oracle() if row["kind"] == "executed" and row["user"] == "A")
    midnight_ns = row["time_ns"] - row["time_ns"] % 86_400_000_000_000
    return {
        "type": "E", "timestamp_ns": row["time_ns"] - midnight_ns, "user_reference": 1, "quantity": 40,
        "price": 500_000, "liquidity": "A", "match_number": row["match_number"],
    }  # fmt: skip


def test_a_wrong_password_is_refused(start):
    client = OrderClient(start(market=False).venue["order_port"])
    answer = client.log_in("A", "wrong")
    assert (answer["name"], answer["reason"]) == ("login_rejected", "A")
    assert client.next() is None


def test_orders_outlive_a_connection_unless_the_venue_cancels_them(start):
    exchange = start(market=False, venue="cancel_on_disconnect = true")
    client = exchange.client()
    client.send(enter(1, "B", 100, "BNKA", 500_000))
    client.report()
    client.close()
    again = exchange.client(sequence=2)
    kind, values = again.report()
    assert (kind, values["reason"]) == ("canceled", "S")


def test_orders_at_the_close_meet_in_the_cross_that_the_operator_holds(start, capsys):
    exchange = start(market=False)
    ready = exchange.directory / "out" / "exchange.json"
    buyer, seller = exchange.client(), exchange.client("B", "other")
    buyer.send(enter(1, "B", 100, "BNKA", 610_000, cross_type="C"))
    seller.send(enter(1, "S", 60, "BNKA", 600_000, cross_type="C"))
    assert [client.report()[0] for client in (buyer, seller)] == ["accepted", "accepted"]
    for order in ("indicate BNKA close", "auction BNKA close"):
        assert tell_running(ready, order) == 0
    assert tell_running(ready, "auction BNKA close") == 1
    assert "the closing cross of BNKA is over" in capsys.readouterr().err

    name, fill = buyer.report()
    assert (name, fill["quantity"], fill["liquidity"]) == ("executed", 60, "C")
    assert seller.report()[1] | {"timestamp_ns": 0} == fill | {"timestamp_ns": 0}
    name, left = buyer.report()
    assert (name, left["quantity"], left["reason"]) == ("canceled", 40, "C")
    published = []
    while not published or published[-1].name != "cross_trade":
        published += [itch50.decode(raw) for raw in exchange.lines[0].packet().messages]
    imbalance, cross = published[-2:]
    told = [imbalance.values[name] for name in ("imbalance_direction", "imbalance_quantity", "near_price")]
    assert told == ["B", 40, fill["price"]]
    assert (cross.values["price"], cross.values["quantity"]) == (fill["price"], 60)


def test_in_lockstep_nothing_follows_until_the_client_is_done(start):
    exchange = start(head='lockstep = true\nspeed = "flat"\nstart_on_login = true', venue="packet_interval_ms = 0")
    client, line = exchange.client(), exchange.lines[0]
    assert not heard_within(line, 0.005)
    client.say("debug", f"done 1 {client.next_sequence}".encode())
    sequences = []
    for round_number in range(90):
        packet = next(packet for packet in (line.packet() for _ in range(HEARTBEATS)) if packet.messages)
        sequences.append(packet.sequence)
        following = packet.sequence + len(packet.messages)
        assert not heard_within(line, 0.005)
        if round_number == 80:
            client.send(enter(1, "B", 100, "BNKA", 10_000))
            client.say("debug", f"done {following} {client.next_sequence}".encode())
            assert client.report()[0] == "accepted"
            assert not heard_within(line, 0.005)
        client.say("debug", f"done {following} {client.next_sequence}".encode())
    assert sequences == sorted(set(sequences))
    assert [row["kind"] for row in exchange.oracle()] == ["accepted"]


def heard_within(line: FeedClient, seconds: float) -> bool:
    """Whether a packet with messages comes."""
    try:
        return bool(line.packet(seconds).messages)
    except TimeoutError:
        return False


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "at least one venue"),
        ("nonsense = 1", "there is no setting 'nonsense'"),
        (
            '[[venues]]\nname = "X"\nid = 1\nprotocol = "smoke"',
            "one of ouch50, ouch42, fix42, fix44, fix50sp2",
        ),
        ('[[venues]]\nname = "X"', "missing 1 required positional argument: 'id'"),
        ("[", "exchange.toml"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_in_one_sentence(tmp_path, text, sentence):
    config = tmp_path / "exchange.toml"
    config.write_text('out = "out"\n' + text)
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "engine", "exchange", str(config)]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert sentence in run.stderr
    assert run.stderr.count("\n") == 1
