"""A Binance for tests: market streams, REST and the WebSocket API on one loopback port; the test moves its book.

It checks signatures as the documents say, keeps orders, and can hold answers back, lose updates and cut connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import http
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

API_KEY, SECRET = "key-of-the-desk", "secret-of-the-desk"
SYMBOL = "BTCUSDT"
FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.0", "tickSize": "0.01000000"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
]


class BinanceVenue:
    """Runs in a thread of its own; every method may be called from the test's."""

    def __init__(self) -> None:
        self.update = 100
        self.bids: dict[str, str] = {"100.00": "1.00000"}
        self.asks: dict[str, str] = {"100.10": "1.00000"}
        self.orders: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.snapshots = 0
        self.refuse_snapshots = False
        self.holding: set[str] = set()  # methods that are done and not answered
        self.ignoring: set[str] = set()  # methods that never arrive
        self.refusing: dict[str, tuple[int, int, str]] = {}  # method: status, code, sentence
        self.port = 0
        self._trades: dict[str, list[dict[str, Any]]] = {}
        self._streams: set[ServerConnection] = set()
        self._accounts: set[ServerConnection] = set()
        self._connections: set[ServerConnection] = set()
        self._numbers = iter(range(1, 1 << 30))
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    # What the test does.

    def settings(self, feed_port: int, retransmission_port: int) -> dict[str, str]:
        base = f"127.0.0.1:{self.port}"
        return {
            "symbols": SYMBOL, "api_key": API_KEY, "api_secret": SECRET, "rest_url": f"http://{base}",
            "stream_url": f"ws://{base}", "api_url": f"ws://{base}/ws-api/v3", "receive_window_ms": "500",
            "feed_line_a": f"127.0.0.1:{feed_port}", "retransmission": f"127.0.0.1:{retransmission_port}",
        }  # fmt: skip

    def change(self, bids: dict[str, str] | None = None, asks: dict[str, str] | None = None, lost: int = 0) -> None:
        """One difference; the first `lost` updates of it are never sent."""

        def work() -> None:
            for side, changes in ((self.bids, bids or {}), (self.asks, asks or {})):
                for price, quantity in changes.items():
                    side[price] = quantity
                    if float(quantity) == 0:
                        del side[price]
            first = self.update + 1 + lost
            self.update = first
            data = {
                "e": "depthUpdate", "E": time.time_ns() // 1_000_000, "s": SYMBOL, "U": first, "u": first,
                "b": list((bids or {}).items()), "a": list((asks or {}).items()),
            }  # fmt: skip
            self._broadcast("depth@100ms", data)

        self._call(work)

    def trade(self, number: int, price: str, quantity: str, buyer_is_maker: bool) -> None:
        now = time.time_ns() // 1_000_000
        data = {
            "e": "trade", "E": now, "s": SYMBOL, "t": number, "p": price, "q": quantity, "T": now, "m": buyer_is_maker,
        }  # fmt: skip
        self._call(lambda: self._broadcast("trade", data))

    def quote(self, bid: str, bid_quantity: str, ask: str, ask_quantity: str) -> None:
        data = {"u": self.update, "s": SYMBOL, "b": bid, "B": bid_quantity, "a": ask, "A": ask_quantity}
        self._call(lambda: self._broadcast("bookTicker", data))

    def fill(self, client_id: str, quantity: str, price: str, told: bool = True, maker: bool = False) -> None:
        """An order of ours executes; `told` False: nobody says so."""

        def work() -> None:
            order, number = self.orders[client_id], next(self._numbers)
            order["done"] += float(quantity)
            order["status"] = "FILLED" if order["done"] >= float(order["quantity"]) - 1e-9 else "PARTIALLY_FILLED"
            row = {
                "id": number, "orderId": order["id"], "price": price, "qty": quantity, "commission": "0.00010000",
                "commissionAsset": "USDT", "time": 1_723_161_255_208, "isMaker": maker,
            }  # fmt: skip
            self._trades.setdefault(client_id, []).append(row)
            if told:
                self._tell(client_id, "TRADE", t=number, L=price, l=quantity, m=maker, n="0.00010000", N="USDT")

        self._call(work)

    def cut(self) -> None:
        """Every connection breaks, without a goodbye."""
        self._call(lambda: [connection.transport.abort() for connection in list(self._connections)])

    def account_event(self, event: dict[str, Any]) -> None:
        self._call(lambda: self._send(self._accounts, {"subscriptionId": 0, "event": event}))

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.requests if name == method]

    @property
    def streaming(self) -> bool:
        return bool(self._streams)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    # How it answers.

    def _run(self) -> None:
        async def main() -> None:
            self._stopping = asyncio.Event()
            async with serve(self._serve, "127.0.0.1", 0, process_request=self._http, compression=None) as server:
                self.port = server.sockets[0].getsockname()[1]
                self._ready.set()
                await self._stopping.wait()
                for connection in list(self._connections):
                    connection.transport.abort()

        self._loop.run_until_complete(main())

    def _call(self, work: Callable[[], Any]) -> None:
        done = threading.Event()

        def run() -> None:
            work()
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(10)

    def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        if parts.path == "/api/v3/depth" and self.refuse_snapshots:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "not now\n")
        if parts.path == "/api/v3/depth":
            self.snapshots += 1
            assert parse_qs(parts.query)["symbol"] == [SYMBOL]
            body = {
                "lastUpdateId": self.update,
                "bids": sorted(self.bids.items(), key=lambda row: -float(row[0])),
                "asks": sorted(self.asks.items(), key=lambda row: float(row[0])),
            }
        elif parts.path == "/api/v3/exchangeInfo":
            body = {"symbols": [{"symbol": SYMBOL, "baseAsset": "BTC", "quoteAsset": "USDT", "filters": FILTERS}]}
        else:
            return None
        raw = json.dumps(body).encode()
        head = Headers({"Content-Type": "application/json", "Content-Length": str(len(raw)), "Connection": "close"})
        return Response(http.HTTPStatus.OK, "OK", head, raw)

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self._connections.add(connection)
        streams = connection.request.path.startswith("/stream?streams=")
        if streams:
            self._streams.add(connection)
        try:
            async for raw in connection:
                await self._answer(connection, json.loads(raw))
        except ConnectionClosed:
            pass
        finally:
            for group in (self._connections, self._streams, self._accounts):
                group.discard(connection)

    async def _answer(self, connection: ServerConnection, message: dict[str, Any]) -> None:
        method, parameters = message["method"], message["params"]
        self.requests.append((method, parameters))
        if method in self.ignoring:
            return
        status, result, error = 200, None, None
        if method != "time" and not self._signed(parameters):
            status, error = 400, (-1022, "Signature for this request is not valid.")
        elif method in self.refusing:
            status, *error = self.refusing[method]
        else:
            status, result, error = self._do(connection, method, parameters)
        if method in self.holding:
            return
        answer: dict[str, Any] = {"id": message["id"], "status": status, "rateLimits": []}
        if error:
            answer["error"] = {"code": error[0], "msg": error[1]}
        else:
            answer["result"] = result
        with contextlib.suppress(ConnectionClosed):
            await connection.send(json.dumps(answer))
        if method == "order.place" and status == 200:
            self._tell(parameters["newClientOrderId"], "NEW")

    def _signed(self, parameters: dict[str, Any]) -> bool:
        payload = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters) if name != "signature")
        wanted = hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
        late = abs(time.time() * 1000 - parameters["timestamp"]) > parameters["recvWindow"]
        return parameters["signature"] == wanted and parameters["apiKey"] == API_KEY and not late

    def _do(self, connection: ServerConnection, method: str, parameters: dict[str, Any]) -> tuple[int, Any, Any]:
        if method == "time":
            return 200, {"serverTime": time.time_ns() // 1_000_000}, None
        if method == "userDataStream.subscribe.signature":
            self._accounts.add(connection)
            return 200, {"subscriptionId": 0}, None
        if method == "order.place":
            return self._place(parameters)
        if method == "myTrades":
            rows = [r for rows in self._trades.values() for r in rows if r["orderId"] == parameters["orderId"]]
            return 200, rows, None
        client_id = parameters["origClientOrderId"]
        order = self.orders.get(client_id)
        if method == "order.status":
            return (200, self._status(client_id), None) if order else (400, None, (-2013, "Order does not exist."))
        assert method == "order.cancel"
        if order is None or order["status"] not in ("NEW", "PARTIALLY_FILLED"):
            return 400, None, (-2011, "Unknown order sent.")
        order["status"] = "CANCELED"
        self._tell(client_id, "CANCELED", c="made-by-the-venue", C=client_id)
        return 200, self._status(client_id), None

    def _place(self, parameters: dict[str, Any]) -> tuple[int, Any, Any]:
        client_id = parameters["newClientOrderId"]
        if client_id in self.orders:
            return 400, None, (-2010, "Duplicate order sent.")
        self.orders[client_id] = {
            "id": next(self._numbers), "quantity": parameters["quantity"], "price": parameters["price"], "done": 0.0,
            "status": "NEW", "side": parameters["side"],
        }  # fmt: skip
        return 200, {"symbol": SYMBOL, "orderId": self.orders[client_id]["id"], "clientOrderId": client_id}, None

    def _status(self, client_id: str) -> dict[str, Any]:
        order = self.orders[client_id]
        return {
            "symbol": SYMBOL, "orderId": order["id"], "clientOrderId": client_id, "price": order["price"],
            "origQty": order["quantity"], "executedQty": f"{order['done']:.8f}", "status": order["status"],
            "updateTime": 1_723_161_255_000,
        }  # fmt: skip

    def _tell(self, client_id: str, kind: str, **more: Any) -> None:
        order = self.orders[client_id]
        event = {
            "e": "executionReport", "E": 1_723_161_255_209, "s": SYMBOL, "c": client_id, "S": order["side"],
            "o": "LIMIT", "f": "GTC", "q": order["quantity"], "p": order["price"], "C": "", "x": kind,
            "X": order["status"], "r": "NONE", "i": order["id"], "l": "0.00000000", "z": f"{order['done']:.8f}",
            "L": "0.00000000", "n": "0", "N": None, "T": 1_723_161_255_208, "t": -1, "m": False,
        }  # fmt: skip
        self._send(self._accounts, {"subscriptionId": 0, "event": event | more})

    def _broadcast(self, stream: str, data: dict[str, Any]) -> None:
        self._send(self._streams, {"stream": f"{SYMBOL.lower()}@{stream}", "data": data})

    def _send(self, group: set[ServerConnection], message: dict[str, Any]) -> None:
        for connection in list(group):
            self._loop.create_task(self._push(connection, json.dumps(message)))

    async def _push(self, connection: ServerConnection, text: str) -> None:
        with contextlib.suppress(ConnectionClosed):
            await connection.send(text)
