"""The simulated exchange as a process: `python -m engine exchange CONFIG`.

One thread and one selector. Between two rounds it sleeps until the next packet, heartbeat or byte is due.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from engine.quick_compile import quick_compile
from engine.simulator.assemble import Assembly
from engine.simulator.config import FIX_VERSIONS, ConfigError, ExchangeConfig, VenueConfig, read_config
from engine.simulator.drop_copy import DropCopy, DropCopyServer
from engine.simulator.feed_sockets import FeedSockets
from engine.simulator.floor_clients import held_orders
from engine.simulator.floor_orders import FloorOrderError
from engine.simulator.floor_port import DONE, FloorPort, tell_running
from engine.simulator.generator import NEVER_NS
from engine.simulator.glimpse_server import GlimpseServer
from engine.simulator.order_server import OrderServer
from engine.simulator.ouch_account import OuchAccount
from engine.simulator.pacing import FAR_NS, Pace
from engine.simulator.recording import record
from engine.simulator.simulation import Output, Packet
from engine.simulator.venue import Account, Venue
from engine.simulator.warm_up import warm_up

if TYPE_CHECKING:
    from engine.simulator.fix_acceptor import FixAcceptor

KEEP_ALIVE_NS = 250_000_000
HEARTBEAT_NS = 1_000_000_000
OUTPUTS_PER_ROUND = 512
CONFIRMATION_NS = 5_000_000_000
READY_FILE = "exchange.json"
ORDERS_WORD = "orders"


class Exchange:
    """Sockets around an `Assembly`."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly, self._config = assembly, assembly.config
        self._simulation = assembly.simulation
        self._selector = selectors.DefaultSelector()
        self._pace = Pace(self._config.speed, assembly.start_ns)
        self._feeds: dict[int, FeedSockets] = {}
        self._orders: dict[int, OrderServer | FixAcceptor] = {}
        self._snapshots: dict[int, GlimpseServer] = {}
        self._drop_copies: dict[int, DropCopyServer] = {}
        self._confirmed: dict[int, tuple[int, int]] = {}
        self._waiting_since_ns = 0
        self._sent_ns = 0  # session time of what was sent last
        self._next_keep_alive_ns = self._next_heartbeat_ns = 0
        self._stopped = False
        for settings, venue in zip(self._config.venues, assembly.venues, strict=True):
            self._open_sockets(settings, venue)
        self._floor = FloorPort(self._selector, self._tell)

    def _open_sockets(self, settings: VenueConfig, venue: Venue) -> None:
        lines = (settings.line_a, settings.line_b)
        port = (settings.host, settings.retransmission_port)
        self._feeds[venue.number] = FeedSockets(venue.feed, lines, self._selector, port)
        self._snapshots[venue.number] = GlimpseServer(
            venue,
            self._assembly.session,
            self._selector,
            (settings.host, settings.snapshot_port),
            round(self._config.heartbeat_timeout_seconds * 1e9),
            {user.name: user.password for user in settings.users},
        )
        if settings.drop_copy_port >= 0:
            self._open_drop_copy(settings, venue)
        gone: Callable[[Account], None] = lambda _account: None  # noqa: E731
        if settings.cancel_on_disconnect:
            gone = partial(self._cancel_account, venue)
        if settings.protocol in FIX_VERSIONS:
            from engine.simulator.fix_acceptor import FixAcceptor

            self._orders[venue.number] = FixAcceptor(
                venue,
                settings.comp_id or settings.name,
                {user.name: user.password for user in settings.users},
                self._config.out / "fix" / settings.name,
                self._selector,
                (settings.host, settings.order_port),
                partial(self._submit, venue),
                gone,
                FIX_VERSIONS[settings.protocol],
            )
        else:
            self._orders[venue.number] = OrderServer(
                venue,
                self._assembly.session,
                self._selector,
                (settings.host, settings.order_port),
                round(self._config.heartbeat_timeout_seconds * 1e9),
                partial(self._submit, venue),
                partial(self._confirm, venue),
                gone,
            )

    def _open_drop_copy(self, settings: VenueConfig, venue: Venue) -> None:
        venue.drop_copy = DropCopy({user.name: user.password for user in settings.users}, self._assembly.midnight_ns)
        self._drop_copies[venue.number] = DropCopyServer(
            venue,
            self._assembly.session,
            self._selector,
            (settings.host, settings.drop_copy_port),
            round(self._config.heartbeat_timeout_seconds * 1e9),
            lambda _account, _message: None,
            lambda _account, _text: None,
            lambda _account: None,
        )

    def write_ready_file(self) -> None:
        """Tell where everything listens, in <out>/exchange.json."""
        venues = [
            {
                "id": venue.number,
                "name": venue.name,
                "protocol": settings.protocol,
                "kind": settings.kind,
                "host": settings.host,
                "order_port": self._orders[venue.number].port if venue.number in self._orders else settings.order_port,
                "retransmission_port": self._feeds[venue.number].port,
                "snapshot_port": self._snapshots[venue.number].port,
                "drop_copy_port": self._drop_copies[venue.number].port if venue.number in self._drop_copies else None,
                "line_a": list(settings.line_a),
                "line_b": list(settings.line_b),
            }
            for settings, venue in zip(self._config.venues, self._assembly.venues, strict=True)
        ]
        ready = {
            "session": self._assembly.session,
            "pid": os.getpid(),
            "floor_port": self._floor.port,
            "venues": venues,
        }
        target = self._config.out / READY_FILE
        target.with_suffix(".part").write_text(json.dumps(ready, indent=1) + "\n")
        target.with_suffix(".part").replace(target)

    def stop(self) -> None:
        """End the session at the next round."""
        self._stopped = True

    def run(self) -> None:
        """Serve until stopped, or until the session's duration is over."""
        if not self._config.start_on_login:
            self._start()
        self.write_ready_file()
        end_ns = NEVER_NS
        if self._config.duration_seconds:
            end_ns = self._assembly.start_ns + round(self._config.duration_seconds * 1e9)
        while not self._stopped:
            now_ns = time.monotonic_ns()
            self._put_out(now_ns)
            if not self._pace.started and self._logged_in():
                self._start()
                continue
            if self._over(now_ns, end_ns):
                break
            self._keep_alive(now_ns)
            self._assembly.oracle.flush()
            for key, mask in self._selector.select(self._sleep_seconds(time.monotonic_ns())):
                key.data(mask, time.monotonic_ns())
        self._end_session()

    def _start(self) -> None:
        self._assembly.open()
        self._pace.start(time.monotonic_ns())

    def _over(self, now_ns: int, end_ns: int) -> bool:
        if not self._pace.started or self._must_wait(now_ns):
            return False
        next_ns = self._simulation.next_time_ns
        recorded = self._config.replay is not None or self._config.flow is not None
        return min(next_ns, self._pace.session_time(now_ns)) >= end_ns or (recorded and next_ns == NEVER_NS)

    def _put_out(self, now_ns: int) -> None:
        # Before the session starts only answers leave, such as one to a query.
        until_ns = min(self._pace.session_time(now_ns), NEVER_NS - 1) if self._pace.started else -1
        for _ in range(OUTPUTS_PER_ROUND):
            if self._must_wait(now_ns):
                return
            output = self._simulation.next_output(until_ns)
            if output is None:
                return
            self._assembly.oracle.flush()
            self._send(output, now_ns)
            self._waiting_since_ns = now_ns

    def _send(self, output: Output, now_ns: int) -> None:
        self._sent_ns = output.time_ns
        number = output.venue.number
        if isinstance(output, Packet):
            self._feeds[number].send(output.payload)
        else:
            last = output.first + len(output.messages) - 1
            self._orders[number].send_reports(output.account, last, now_ns)  # type: ignore[arg-type]
            self._send_drop_copy(number, now_ns)

    def _send_drop_copy(self, number: int, now_ns: int) -> None:
        server = self._drop_copies.get(number)
        if server is not None and server.venue.drop_copy is not None:
            copy = server.venue.drop_copy
            server.send_reports(copy, len(copy.sequenced), now_ns)  # type: ignore[arg-type]  # it stands for an account

    def _must_wait(self, now_ns: int) -> bool:
        """In lockstep: whether a client has not yet said that it is done with everything it was sent."""
        if not self._config.lockstep:
            return False
        for number, server in self._orders.items():
            if not isinstance(server, OrderServer):
                continue
            sessions = server.active()
            if not sessions and self._config.start_on_login:
                return True
            sent = (self._feeds[number].next_sequence, sessions[0].next_sequence if sessions else 1)
            if sessions and self._confirmed.get(number, (1, 1)) != sent:
                if now_ns - self._waiting_since_ns > CONFIRMATION_NS:
                    print(f"exchange: {server.venue.name} waits for: done {sent[0]} {sent[1]}", file=sys.stderr)
                    self._waiting_since_ns = now_ns
                return True
        return False

    def _logged_in(self) -> bool:
        """Whether every venue has somebody, who in lockstep has also said that he is done with what he was sent."""
        if self._config.lockstep and (self._must_wait(0) or len(self._confirmed) < len(self._orders)):
            return False
        return all(server.active() for server in self._orders.values())

    def _sleep_seconds(self, now_ns: int) -> float:
        timers = min(self._next_keep_alive_ns, self._next_heartbeat_ns) - now_ns
        due = FAR_NS if self._must_wait(now_ns) else self._pace.due_in(self._simulation.next_time_ns, now_ns)
        return max(0, min(timers, due)) / 1e9

    def _keep_alive(self, now_ns: int) -> None:
        if now_ns >= self._next_keep_alive_ns:
            self._next_keep_alive_ns = now_ns + KEEP_ALIVE_NS
            for server in (*self._orders.values(), *self._snapshots.values(), *self._drop_copies.values()):
                server.keep_alive(now_ns)
            for number in self._drop_copies:
                self._send_drop_copy(number, now_ns)
        if now_ns >= self._next_heartbeat_ns:
            self._next_heartbeat_ns = now_ns + HEARTBEAT_NS
            for feed in self._feeds.values():
                feed.heartbeat()

    def _submit(self, venue: Venue, account: Account, message: bytes) -> None:
        self._simulation.submit(venue, account, message, self._session_ns())

    def _tell(self, line: str) -> str:
        """An order of the operator, `[VENUE:] ORDER`; without a venue it is for all of them."""
        name, colon, order = line.partition(": ")
        meant = [v for v in self._assembly.venues if not colon or v.name == name.strip()]
        if not meant:
            return f"there is no venue {name.strip()!r}"
        if (order if colon else line).strip() == ORDERS_WORD:
            return held_orders(meant)
        try:
            for venue in meant:
                venue.floor.check(order if colon else line)
            for venue in meant:
                self._simulation.command(venue, order if colon else line, self._session_ns())
        except FloorOrderError as error:
            return str(error)
        return DONE

    def _session_ns(self) -> int:
        session_ns = self._pace.session_time(time.monotonic_ns())
        # Flat out there is no clock: a message answers what was sent last.
        return self._sent_ns if session_ns == FAR_NS else session_ns

    def _confirm(self, venue: Venue, _account: OuchAccount, text: bytes) -> None:
        words = text.split()
        if len(words) == 3 and words[0] == b"done" and words[1].isdigit() and words[2].isdigit():
            self._confirmed[venue.number] = int(words[1]), int(words[2])

    def _cancel_account(self, venue: Venue, account: Account) -> None:
        self._simulation.cancel_account(venue, account, 0)

    def _end_session(self) -> None:
        now_ns = time.monotonic_ns()
        self._simulation.close(0)
        for output in self._simulation.drain():
            self._send(output, now_ns)
        for feed in self._feeds.values():
            feed.end_of_session()
        for server in self._orders.values():
            server.end(now_ns)
        self._assembly.oracle.flush()

    def close(self) -> None:
        """Close every socket but those of QuickFIX, which hangs or crashes in closing them."""
        ouch = [server for server in self._orders.values() if isinstance(server, OrderServer)]
        for server in (*ouch, *self._snapshots.values(), *self._drop_copies.values()):
            server.close()
        for feed in self._feeds.values():
            feed.close()
        self._floor.close()
        self._selector.close()


def serve(config: ExchangeConfig) -> NoReturn:
    """Run the exchange until SIGTERM or SIGINT, and end the process."""
    config.out.mkdir(parents=True, exist_ok=True)
    (config.out / READY_FILE).unlink(missing_ok=True)
    print("exchange: preparing books and order flow (compiles once)", file=sys.stderr, flush=True)
    with quick_compile():
        warm_up()
    exchange = Exchange(Assembly(config))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: exchange.stop())
    exchange.run()
    exchange.close()
    # An interpreter that ends destroys the acceptors that have run, and QuickFIX crashes then.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def main(arguments: list[str]) -> int:
    """`exchange CONFIG`, `exchange CONFIG --record DIR --seconds N`, or `exchange CONFIG --tell ORDER`."""
    parser = argparse.ArgumentParser(prog="python -m engine exchange", description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="TOML file; docs/simulator.md explains it")
    parser.add_argument("--record", type=Path, metavar="DIR", help="no sockets: record a session flat out into DIR")
    parser.add_argument("--seconds", type=float, default=1800.0, help="length of the recorded session (1800)")
    parser.add_argument("--json", action="store_true", help="with --record: totals as one JSON object")
    parser.add_argument("--tell", metavar="ORDER", help="an order of the operator to the running exchange: halt ABC")
    options = parser.parse_args(arguments)
    try:
        config = read_config(options.config)
        if options.tell is not None:
            return tell_running(config.out / READY_FILE, options.tell)
        if options.record is not None:
            return record(config, options.record, options.seconds, options.json)
        serve(config)
    except (ConfigError, OSError) as error:
        print(f"exchange: {error}", file=sys.stderr)
        return 1
