"""A venue that speaks FIX 4.4 and nothing else, as a process: `python fix_exchange.py DIRECTORY PORT`."""

import selectors
import sys
import time
from pathlib import Path

from engine.messages.instruments import Instrument
from engine.simulator.feed import Feed
from engine.simulator.fix_acceptor import FixAcceptor
from engine.simulator.fix_account import FixAccount
from engine.simulator.layout import BookMemory
from engine.simulator.oracle import Oracle
from engine.simulator.venue import Fees, Venue

directory = Path(sys.argv[1])
instruments = [Instrument(1, "ABC"), Instrument(2, "XYZ")]
memory = BookMemory(instruments, order_capacity=4096, level_capacity=1024, owner_count=1)
oracle = Oracle(directory / "oracle.jsonl")
venue = Venue("XFIX", 1, memory, instruments, Feed("S"), Fees(), oracle)
venue.admit(FixAccount(venue.desk, 1, "DESK"))
selector = selectors.DefaultSelector()
acceptor = FixAcceptor(
    venue,
    "XFIX",
    {"DESK": "secret"},
    directory / "fix",
    selector,
    ("127.0.0.1", int(sys.argv[2])),
    lambda account, message: account.receive(message, time.time_ns()),
    lambda account: None,
)
print(acceptor.port, flush=True)
while True:
    for key, mask in selector.select(1):
        key.data(mask, time.monotonic_ns())
    venue.tell_accounts()
    oracle.flush()
    for account in venue.accounts.values():
        acceptor.send_reports(account, len(account.sequenced), time.monotonic_ns())
