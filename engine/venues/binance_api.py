"""Connections to Binance: signed requests and the user data stream over the WebSocket API, market streams, and REST.

`websockets` answers the venue's pings and sends its own; a connection that does not answer is closed by it. Connections
live a day at most and are renewed before. What comes by them is handed on as it is.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from engine.protocols.binance import load_json
from engine.protocols.layouts import MalformedMessage
from engine.venues.binance_session import ApiError, NotSent
from engine.venues.binance_signing import signed_parameters

LARGEST_MESSAGE = 1 << 24
OPEN_WITHIN_S = 10.0
ANSWER_WITHIN_S = 5.0
PING_EVERY_S = 20.0
UNKNOWN_OUTCOME = frozenset({-1000, -1001, -1006, -1007})  # "execution status unknown"
SUBSCRIBE = "userDataStream.subscribe.signature"


def open_socket(url: str) -> connect:
    """A connection to be awaited or entered."""
    return connect(
        url,
        open_timeout=OPEN_WITHIN_S,
        close_timeout=1.0,
        ping_interval=PING_EVERY_S,
        ping_timeout=PING_EVERY_S,
        max_size=LARGEST_MESSAGE,
        compression=None,
    )


class WebSocketApi:
    """The WebSocket API. `run` keeps one connection until it breaks; `connected` says whether requests may be sent."""

    def __init__(
        self,
        url: str,
        api_key: str,
        secret: str,
        receive_window_ms: int,
        event: Callable[[Mapping[str, Any]], None],
        heard: Callable[[], None],
    ) -> None:
        self._url, self._key, self._secret, self._window_ms = url, api_key, secret, receive_window_ms
        self._event, self._heard = event, heard
        self._socket: ClientConnection | None = None
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._offset_ms = 0
        self.connected = False

    async def run(self, ready: Callable[[], None]) -> None:
        """Connect, subscribe to what happens to our orders, call `ready`, and take messages until the connection is
        gone. OSError, TimeoutError or WebSocketException when there is none; ApiError when the venue refuses us."""
        async with open_socket(self._url) as socket:
            self._socket = socket
            receiving = asyncio.get_running_loop().create_task(self._receive(socket))
            try:
                await self._settle_clock()
                await self.ask(SUBSCRIBE, {})
                self.connected = True
                ready()
                await receiving
            finally:
                self.connected = False
                self._socket = None
                receiving.cancel()
                for answer in self._answers.values():
                    if not answer.done():
                        answer.set_exception(ConnectionError("the connection broke before the answer"))
                self._answers.clear()

    async def ask(self, method: str, parameters: Mapping[str, object], signed: bool = True) -> Any:
        """As `binance_session.Api.ask`."""
        socket = self._socket
        if socket is None:
            raise NotSent("no connection")
        name = str(next(self._numbers))
        now_ms = time.time_ns() // 1_000_000 + self._offset_ms
        whole: Mapping[str, object] = parameters
        if signed:
            whole = signed_parameters(parameters, self._key, self._secret, now_ms, self._window_ms)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[name] = answer
        try:
            await socket.send(json.dumps({"id": name, "method": method, "params": whole}))
            return await asyncio.wait_for(answer, ANSWER_WITHIN_S)
        except WebSocketException as error:
            raise ConnectionError(str(error)) from None
        finally:
            self._answers.pop(name, None)

    async def _settle_clock(self) -> None:
        before = time.time_ns() // 1_000_000
        answer = await self.ask("time", {}, signed=False)
        after = time.time_ns() // 1_000_000
        server = answer.get("serverTime") if isinstance(answer, dict) else None
        if type(server) is not int:
            raise ApiError(0, "the venue does not say what time it is", known=True)
        self._offset_ms = server - (before + after) // 2

    async def _receive(self, socket: ClientConnection) -> None:
        try:
            async for raw in socket:
                self._heard()
                try:
                    message = load_json(raw)
                except MalformedMessage:
                    continue
                if isinstance(message, dict):
                    self._take(message)
        except WebSocketException:
            return

    def _take(self, message: Mapping[str, Any]) -> None:
        if isinstance(message.get("event"), dict):
            self._event(message["event"])
            return
        answer = self._answers.get(str(message.get("id")))
        if answer is None or answer.done():
            return
        if message.get("status") == 200:
            answer.set_result(message.get("result"))
            return
        error = message.get("error")
        error = error if isinstance(error, dict) else {}
        code = error.get("code") if type(error.get("code")) is int else 0
        status = message.get("status")
        known = isinstance(status, int) and 400 <= status < 500 and code not in UNKNOWN_OUTCOME
        answer.set_exception(ApiError(int(code or 0), str(error.get("msg", "no reason given"))[:200], known))


async def stream(url: str, symbols: tuple[str, ...]) -> AsyncIterator[bytes | str]:
    """Messages of depth, trade and book ticker streams of the symbols, until the connection is gone.

    OSError, TimeoutError or WebSocketException when there is none, or when it breaks.
    """
    names = [f"{name.lower()}@{kind}" for name in symbols for kind in ("depth@100ms", "trade", "bookTicker")]
    async with open_socket(f"{url}/stream?streams={'/'.join(names)}") as socket:
        async for raw in socket:
            yield raw


class TooManyRequests(Exception):
    """The venue asks for patience."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the venue asks for {seconds:.0f} s of patience")
        self.seconds = seconds


def get_json(url: str, path: str, parameters: Mapping[str, object]) -> Any:
    """The answer to one public REST request. OSError, TooManyRequests or MalformedMessage."""
    address = f"{url}{path}?{urlencode(parameters)}" if parameters else f"{url}{path}"
    try:
        with urllib.request.urlopen(address, timeout=OPEN_WITHIN_S) as answer:  # noqa: S310  checked in read_settings
            return load_json(answer.read(LARGEST_MESSAGE))
    except urllib.error.HTTPError as error:
        if error.code in (418, 429):
            wait = error.headers.get("Retry-After", "")
            raise TooManyRequests(float(wait) if wait.isdecimal() else 60.0) from None
        raise OSError(f"{path}: status {error.code}") from None
