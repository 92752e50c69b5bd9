"""One OUCH 4.2 account: the requests and answers of `ouch_account` under tokens, with fields of their own."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from engine.protocols import ouch42
from engine.protocols.layouts import Message
from engine.protocols.ouch50 import Direction
from engine.simulator.layout import Refusal
from engine.simulator.orders import OrderDesk
from engine.simulator.ouch_account import OuchAccount

FIRST_FOREIGN = 1 << 32  # numbers of orders whose token is not a number of eight digits behind six others
OWN_TOKEN = re.compile(r"[0-9A-F]{6}([0-9A-F]{8})")
IMMEDIATE, MARKET_HOURS, SYSTEM_HOURS = 0, 99_998, 99_999
REASONS = {
    Refusal.HALTED: "H",
    Refusal.INVALID_SIDE: "O",
    Refusal.INVALID_QUANTITY: "Z",
    Refusal.INVALID_INSTRUMENT: "S",
    Refusal.INVALID_PRICE: "X",
    Refusal.INVALID_MINIMUM_QUANTITY: "N",
    Refusal.ENTRY_DISABLED: "C",
    Refusal.INVALID_CROSS_ORDER: "R",
}
OTHER = "O"
ECHOED = ("accepted", "replaced")
POST_ONLY = "P"  # as Display


class Ouch42Account(OuchAccount):
    """Tokens are unique for the session; one that was used before, also by a refused order, is ignored."""

    def __init__(self, desk: OrderDesk, owner: int, user: str, password: str, midnight_ns: int) -> None:
        super().__init__(desk, owner, user, password, midnight_ns)
        self._numbers: dict[str, int] = {}
        self._tokens: dict[int, str] = {}
        self._used: set[int] = set()
        self._request: dict[str, Any] = {}

    def is_new(self, user_reference: int) -> bool:
        """Whether the token behind the number was not used."""
        return user_reference not in self._used

    def use(self, user_reference: int) -> None:
        """The token behind the number is used up."""
        self._used.add(user_reference)

    def decode(self, raw: bytes) -> Message:
        """In the words of OUCH 5.0: numbers for tokens, letters for seconds, options for fields."""
        message = ouch42.decode(raw, Direction.INBOUND)
        values = dict(message.values)
        self._request = dict(values)
        values["user_reference"] = self._number(str(values.pop("token")))
        if "original_token" in values:
            values["original_user_reference"] = self._number(str(values.pop("original_token")))
        options = {}
        if "time_in_force" in values:
            seconds = values["time_in_force"]
            day = seconds in (MARKET_HOURS, SYSTEM_HOURS)
            values["time_in_force"] = "0" if day else "3" if seconds == IMMEDIATE else "6"
            values["client_order_id"] = ""
            options = {"minimum_quantity": values.pop("minimum_quantity")}
        if values.get("display") == POST_ONLY:
            values["display"], options["post_only"] = "Y", POST_ONLY
        return replace(message, values=values, appendage=options)

    def _number(self, token: str) -> int:
        """The book's number of a token: the one in ours, another one for anybody else's."""
        if token not in self._numbers:
            own = OWN_TOKEN.fullmatch(token)
            number = int(own[1], 16) if own else 0
            if number == 0 or number in self._tokens:
                number = FIRST_FOREIGN + len(self._numbers)
            self._numbers[token], self._tokens[number] = number, token
        return self._numbers[token]

    def encode(self, name: str, appendage: dict[str, Any] | None, values: dict[str, Any]) -> bytes:
        """From the words of OUCH 5.0."""
        values = dict(values)
        values["token"] = self._tokens[values.pop("user_reference")]
        values.pop("client_order_id", None)
        if "original_user_reference" in values:
            values["original_token"] = self._tokens[values.pop("original_user_reference")]
        if name == "rejected":
            values["reason"] = REASONS.get(values["reason"], OTHER)
        if name in ECHOED:
            asked = {"firm": "", "minimum_quantity": 0} | self._request
            values |= {field: asked[field] for field in ("time_in_force", "firm", "display", "minimum_quantity")}
            values["bbo_weight"] = ""
        return ouch42.encode(Direction.OUTBOUND, name, **values)
