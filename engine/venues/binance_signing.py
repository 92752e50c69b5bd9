"""Signatures of Binance requests: HMAC-SHA256 over the parameters, in hexadecimal ("Request security").

Over REST the query string is signed as it is sent; over the WebSocket API the parameters are sorted by name first.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode


def signature(secret: str, payload: str) -> str:
    """HMAC-SHA256 of the payload, in hexadecimal."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def signed_query(parameters: Mapping[str, object], secret: str) -> str:
    """A REST query string with its signature at the end."""
    query = urlencode(parameters)
    return f"{query}&signature={signature(secret, query)}"


def signed_parameters(
    parameters: Mapping[str, object], api_key: str, secret: str, time_ms: int, receive_window_ms: int
) -> dict[str, object]:
    """Parameters of a WebSocket API request with key, time, window and signature."""
    whole = {**parameters, "apiKey": api_key, "timestamp": time_ms, "recvWindow": receive_window_ms}
    payload = "&".join(f"{name}={whole[name]}" for name in sorted(whole))
    return {**whole, "signature": signature(secret, payload)}
