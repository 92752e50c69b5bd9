"""Cases that other people wrote for their matching engines: CoinTossX (MIT) and CppTrader (MIT).

CoinTossX: limit orders (type 2) and hidden orders (type 5); stop orders (3, 4) are not offered here, nor a minimum size
that a resting order insists on (cases 9, 10, 21 and 22 need one, to keep their books crossed). CppTrader: limit, IOC,
FOK, market and slippage orders, reduce, replace, delete; all-or-none and stop orders are not offered here.
"""

import csv
from pathlib import Path

import pytest

from engine.messages.codes import Side
from engine.simulator.layout import MARKET_PRICE
from tests.engine.simulator.books import TestBook

IOC, FOK = 2, 3
SIDES = {"B": Side.BUY, "O": Side.SELL, "buy": Side.BUY, "sell": Side.SELL}
CANCEL_CASES = (1, 2, 3, 4, 9, 10)
REPLACE_CASES = tuple(number for number in range(1, 25) if number not in (9, 10, 21, 22))
# CoinTossX prices have one tick; ours are multiples of 100.
SCALE = 100


def rows_of(path: Path) -> list[dict[str, str]]:
    return [row for row in csv.DictReader(path.read_text().splitlines()) if row[next(iter(row))]]


def book_of(book: TestBook, names: dict[int, str]) -> list[tuple[str, int, int]]:
    found = []
    for side in (Side.BUY, Side.SELL):
        found += [(names[ref], quantity, price // SCALE) for price, ref, quantity in book.queue(1, side)]
    return sorted(found)


@pytest.mark.parametrize("number", CANCEL_CASES)
def test_cointossx_cancel(shared_data, number):
    check_cointossx(shared_data / "matching" / "cointossx" / "cancelOrder", number, canceling=True)


@pytest.mark.parametrize("number", REPLACE_CASES)
def test_cointossx_replace(shared_data, number):
    check_cointossx(shared_data / "matching" / "cointossx" / "replaceOrder", number, canceling=False)


def check_cointossx(folder: Path, number: int, canceling: bool) -> None:
    initial, requests, expected, trades = (
        rows_of(folder / f"Test{number}_{part}.csv") for part in ("Init", "Input", "Output", "Trades")
    )
    book = TestBook()
    names: dict[int, str] = {}
    latest: dict[str, int] = {}
    for row in initial:
        latest[row["OrderID"]] = reference = len(names) + 1
        names[reference] = row["OrderID"]
        displayed = int(row["Type"] != "5")
        price, size = int(row["Price"]) * SCALE, int(row["Size"])
        assert book.enter(1, reference, 1, SIDES[row["Side"]], price, size, displayed=displayed) == ""
    book.results()
    for row in requests:
        existing = latest.get(row["OrderID"], 99)
        if canceling:
            outcome = book.cancel(1, existing)
        else:
            reference = len(names) + 1
            names[reference] = row["OrderID"]
            displayed = int(row["Type"] != "5")
            price, size = int(row["Price"]) * SCALE, int(row["Size"])
            outcome = book.replace(1, existing, reference, price, size, displayed=displayed)
        assert outcome == ("" if row["OrderID"] in latest else "UNKNOWN_ORDER")
    fills = [row for row in book.results() if row[0] == "EXECUTED" and row[8] == 2]
    assert [(row[3] // SCALE, row[4]) for row in fills] == [(int(t["Price"]), int(t["Quantity"])) for t in trades]
    assert book_of(book, names) == sorted((row["OrderID"], int(row["Size"]), int(row["Price"])) for row in expected)


SCENARIOS = {
    "03": [],
    "04": [],
    "05": [],
    "06": [(1, 10, 10), (2, 10, 20), (3, 10, 30), (4, 20, 10), (5, 20, 20), (6, 20, 30), (7, 30, 10), (8, 30, 20),
           (9, 30, 30), (10, 60, 30), (11, 60, 20), (12, 60, 10), (14, 50, 10), (15, 50, 10)],
    "07": [(1, 10, 10), (2, 10, 20), (3, 10, 30), (10, 60, 30), (11, 60, 20), (12, 60, 10), (13, 50, 30),
           (14, 50, 20), (15, 50, 10), (16, 40, 30), (17, 40, 20), (18, 40, 10)],
    "09": [],
    "10": [(1, 10, 10), (2, 20, 10)],
}  # fmt: skip


class Interpreter:
    """Runs the commands of a CppTrader scenario on a book; prices are scaled to the tick."""

    def __init__(self) -> None:
        self.book = TestBook()
        self.sides: dict[int, Side] = {}

    def run(self, line: str) -> None:
        words = line.split()
        if words[:1] == ["add"] and words[1] not in ("symbol", "book"):
            self.add(words[1:])
        elif words[:2] == ["reduce", "order"]:
            index = next(o for o in self.book.queue(1, Side.BUY) if o[1] == int(words[2]))
            self.book.cancel(1, int(words[2]), intended=index[2] - int(words[3]))
        elif words[:2] == ["modify", "order"]:
            # CppTrader keeps the id; ours are used once, so the order moves to a number of its own and back.
            self.book.replace(1, int(words[2]), 1000, int(words[3]) * SCALE, int(words[4]))
            self.book.replace(1, 1000, int(words[2]), int(words[3]) * SCALE, int(words[4]))
        elif words[:2] == ["replace", "order"]:
            self.book.replace(1, int(words[2]), int(words[3]), int(words[4]) * SCALE, int(words[5]))
        elif words[:2] == ["delete", "order"]:
            assert self.book.cancel(1, int(words[2])) == ""

    def add(self, words: list[str]) -> None:
        time_in_force = {"ioc": IOC, "fok": FOK}.get(words[0], 1)
        slippage = words[0] == "slippage"
        if words[0] in ("ioc", "fok", "slippage"):
            words = words[1:]
        kind, side, number = words[0], SIDES[words[1]], int(words[2])
        if kind == "limit":
            price, quantity = int(words[4]) * SCALE, int(words[5])
        else:
            quantity, time_in_force, price = int(words[4]), IOC, MARKET_PRICE
            if slippage:
                best = self.book.queue(1, Side.BUY if side == Side.SELL else Side.SELL)[0][0]
                distance = int(words[5]) * SCALE
                price = best - distance if side == Side.SELL else best + distance
        assert self.book.enter(1, number, 1, side, price, quantity, time_in_force) == ""


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_cpptrader(shared_data, scenario):
    interpreter = Interpreter()
    for line in (shared_data / "matching" / "cpptrader" / f"scenario-{scenario}.txt").read_text().splitlines():
        interpreter.run(line)
    resting = interpreter.book.queue(1, Side.BUY) + interpreter.book.queue(1, Side.SELL)
    found = sorted((reference, price // SCALE, quantity) for price, reference, quantity in resting)
    assert found == SCENARIOS[scenario]
