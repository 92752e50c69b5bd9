from desk.live.names import Names
from desk.live.state_rows import channel_rows, decimal_text
from tests.desk.live.fake_follow import state_of, strategy_state

NAMES = Names(instruments={1: "AAA"}, venues={1: "XSIM"}, strategies={7: "AAA / BBB"}, teams={7: 3})


def test_money_is_decimal_text_with_four_places() -> None:
    assert [decimal_text(value) for value in (0, 1, -1, 12_345_678, -10_000)] == [
        "0.0000",
        "0.0001",
        "-0.0001",
        "1234.5678",
        "-1.0000",
    ]


def test_a_state_frame_becomes_rows_by_channel_and_team() -> None:
    position = {"strategy": 7, "instrument": 1, "venue": 1, "quantity": -100, "average_price": 1_000_000}
    rows = channel_rows(
        state_of(
            kills=[{"scope": "TEAM", "scope_id": 3}],
            strategies=[
                strategy_state(7, realised=50_000, unrealised=-20_000, fees=1_000, today=-1_000),
                strategy_state(0, realised=10_000, today=10_000),
            ],
            positions=[position | {"mark": 1_010_000, "realised": 0, "unrealised": -1_000_000, "fees": 0}],
            pnl={"realised": 60_000, "unrealised": -20_000, "fees": 1_000, "net": 39_000, "today": 9_000},
        ),
        NAMES,
    )
    assert rows["engine"]["engine"]["kills"] == ["TEAM 3"]
    assert {name: rows[name]["pnl"]["net"] for name in ("pnl.0", "pnl.3")} == {"pnl.0": "3.9000", "pnl.3": "2.9000"}
    assert {name: rows[name]["pnl"]["today"] for name in ("pnl.0", "pnl.3")} == {"pnl.0": "0.9000", "pnl.3": "-0.1000"}
    assert (rows["strategies.3"]["7"]["net"], rows["strategies.0"]["0"]["name"]) == ("2.9000", "manual")
    assert rows["positions.3"] == {
        "7.1.1": {
            "strategy": 7,
            "instrument": 1,
            "venue": 1,
            "quantity": -100,
            "average_price": "100.0000",
            "mark": "101.0000",
            "realised": "0.0000",
            "unrealised": "-100.0000",
            "fees": "0.0000",
            "net": "-100.0000",
            "value": "-10100.0000",
            "strategy_name": "AAA / BBB",
            "instrument_name": "AAA",
            "venue_name": "XSIM",
        }
    }


def test_latency_has_a_row_for_each_stage_and_alarms_one_each() -> None:
    stage = {"n": 2, "p50_ns": 10, "max_ns": 30}
    latency = {"n": 9, "p50_ns": 11, "lost": 0, "logged": 4, "failure": ""}
    alarm = {"name": "latency_p99", "sentence": "too slow", "since_ns": 7}
    frame = state_of(latency=latency | {"minute": {"send": stage}, "day": {"send": stage | {"n": 9}}}, alarms=[alarm])
    rows = channel_rows(frame, NAMES)
    assert rows["latency"] == {
        "engine": latency,
        "send": {
            "minute_n": 2,
            "minute_p50_ns": 10,
            "minute_max_ns": 30,
            "day_n": 9,
            "day_p50_ns": 10,
            "day_max_ns": 30,
        },
    }
    assert rows["alarms"] == {"latency_p99": alarm}


def test_a_position_without_a_mark_has_no_value() -> None:
    position = {"strategy": 7, "instrument": 1, "venue": 1, "quantity": 1, "average_price": None, "mark": None}
    rows = channel_rows(state_of(positions=[position | {"realised": 0, "unrealised": 0, "fees": 0}]), NAMES)
    row = rows["positions.3"]["7.1.1"]
    assert (row["value"], row["mark"], row["average_price"]) == (None, None, None)


def test_parent_orders_are_rows_of_their_team() -> None:
    row = {
        "parent": 12, "strategy": 0, "team": 3, "trader": 5, "algorithm": "TWAP", "instrument": 1, "venues": [1],
        "side": 2, "quantity": 400, "price": 0, "start_ns": 1, "end_ns": 2, "state": "WORKING", "filled": 100,
        "scheduled": 250, "working": 50, "average_price": 999_900, "volume": 900, "refusing": 0,
    }  # fmt: skip

    rows = channel_rows(state_of(parents=[row, row | {"parent": 13, "price": 1_010_000, "average_price": None}]), NAMES)

    assert rows["parents.3"]["12"] == row | {
        "side": "SELL", "price": None, "average_price": "99.9900", "instrument_name": "AAA",
        "filled_percent": 25, "scheduled_percent": 62,
    }  # fmt: skip
    assert (rows["parents.3"]["13"]["price"], rows["parents.3"]["13"]["average_price"]) == ("101.0000", None)
