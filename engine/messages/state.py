"""The conflated state of the engine, as its 4 Hz state frame (JSON). Money and prices are integers in 1/10,000.

    {"version": 1, "epoch": 3, "build_hash": "…", "mode": "PAPER", "engine_state": "ACTIVE", "time_ns": …,
     "journal_sequence": …, "recording_position": …, "limits_version": …, "limits_hash": "…",
     "kills":      [{"scope": "FIRM", "scope_id": 0}],
     "refused":    {"unknown_order": …, "full": …, "bad_value": …, "duplicate": …, "wrong_length": …, "unknown_type": …,
                    "unknown_report": …},
     "venues":     [{"venue": 1, "name": "XSIM", "protocol": "ouch50", "session": "UP", "orders": …, "fills": …,
                     "rejects": …, "malformed": …, "debug_packets": …, "order_entry": "enabled", "why": "",
                     "last_heard_ns": …, "market": "OPEN", "phase": "Q", "breached": null, "unknown_broken": …}],
     "feeds":      [{"venue": 1, "line": "A", "packets": …, "messages": …, "duplicates": …, "gaps": …, "lost": …,
                     "malformed": …, "heartbeats": …, "recovered": …, "behind": …, "behind_mean_ns": …,
                     "behind_most_ns": …, "last_heard_ns": …, "dirty": false, "ended": false}],
     "strategies": [{"strategy": 7, "state": "RUNNING", "signal": -1.2, "orders": …, "fills": …, "denials": …,
                     "working": …, "realised": …, "unrealised": …, "fees": …, "net": …, "today": …}],
     "parents":    [{"parent": 812, "strategy": 0, "team": 2, "trader": 5, "algorithm": "TWAP", "instrument": 3,
                     "venues": [1, 2], "side": 1,
                     "quantity": …, "price": …, "start_ns": …, "end_ns": …, "state": "WORKING", "filled": …,
                     "scheduled": …, "working": …, "average_price": …, "volume": …, "refusing": …,
                     "auction_working": …, "auction_filled": …}],
     "positions":  [{"strategy": 7, "instrument": 3, "venue": 1, "quantity": -100, "average_price": …, "mark": …,
                     "realised": …, "unrealised": …, "fees": …}],
     "tops":       [{"venue": 1, "instrument": 3, "bid": …, "bid_quantity": …, "ask": …, "ask_quantity": …,
                     "status": "HALTED", "status_reason": "T1", "short_sale": false, "collar_lower": …,
                     "collar_upper": …, "last_price": …, "last_quantity": …, "volume": …, "imbalance_side": "B",
                     "imbalance_quantity": …, "paired_quantity": …, "near_price": …, "retail_interest": null,
                     "release_time": "10:30:00", "direct_listing": null, "market_makers": …}],
     "pnl":        {"realised": …, "unrealised": …, "fees": …, "net": …, "today": …},
     "latency":    {"n": …, "p50_ns": …, "p99_ns": …, "p999_ns": …, "max_ns": …,
                    "minute": {"decide": {"n": …, "p50_ns": …, "p90_ns": …, "p99_ns": …, "p999_ns": …, "max_ns": …},
                               "journal": …, "send": …, "whole": …},
                    "day": as "minute", "lost": …, "logged": …, "failure": ""},
     "alarms":     [{"name": "latency_p99", "sentence": …, "since_ns": …}]}

parents are the parent orders that have not ended: scheduled shares were to be filled by now, working ones are in open
children, volume was traded on their venues since they began; the gate refused as many of their children in a row as
refusing says.
strategy 0 stands for manual orders. net = realised + unrealised - fees, since the journal began; today is how much
net changed since midnight UTC. An absent number is null.
phase, breached, imbalance_side and retail_interest are letters of ITCH 5.0; last_price, last_quantity and volume are of
crosses and of orders that were not displayed. status is null while the venue has said nothing. release_time is that of
an IPO's quotation, or "postponed"; direct_listing is Y or N, whether one may be released; market_makers counts
positions that participants took.
Lines: A and B, R (retransmission), S (snapshots; recovered are messages of the feed that they stood for). behind counts
packets of which the other line had brought a copy before; the times say how much later they came.
latency is that of orders which a packet caused, from packet received to send called: whole, and its stages received to
decided, decided to journaled, journaled to sent; of the last minute and of the UTC day (n to max_ns beside them: the
day's whole). logged is the journal sequence up to which the latency log goes, lost counts stamps that never got there.
why of a venue is a sentence while it has no session. Its order_entry is disabled while a kill of the firm or the venue
holds there and it takes such a request.
refused counts messages that changed nothing: of the feeds, and answers about orders that are not ours.
"""

from __future__ import annotations

STATE_VERSION = 1
LINES = ("A", "B", "R", "S")  # the two feed lines, retransmission and snapshots
