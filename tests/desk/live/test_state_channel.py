import json

from desk.live.state_channel import StateChannel


def test_a_snapshot_then_deltas_of_absolute_values_linked_by_sequence() -> None:
    channel = StateChannel("positions.3", sid=7)
    channel.update({"1": {"quantity": 100, "mark": "9.0000"}, "2": {"quantity": 5, "mark": None}}, 40)
    snapshot = json.loads(channel.snapshot(40))
    changed = json.loads(channel.update({"1": {"quantity": 200, "mark": "9.0000"}, "3": {"quantity": 1}}, 41) or "")
    assert {**snapshot, "ts": 0} == {
        "t": "snap",
        "ch": "positions.3",
        "sid": 7,
        "seq": 1,
        "jseq": 40,
        "ts": 0,
        "d": [["1", {"quantity": 100, "mark": "9.0000"}], ["2", {"quantity": 5, "mark": None}]],
    }
    assert changed == {
        "t": "delta",
        "ch": "positions.3",
        "sid": 7,
        "seq": 2,
        "prev": 1,
        "jseq": 41,
        "d": {"u": [["1", {"quantity": 200}], ["3", {"quantity": 1}]], "x": ["2"]},
    }


def test_nothing_new_makes_no_frame_and_costs_no_sequence() -> None:
    channel = StateChannel("venues", sid=1)
    channel.update({"1": {"session": "UP"}}, 1)
    assert (channel.update({"1": {"session": "UP"}}, 2), channel.seq) == (None, 1)
