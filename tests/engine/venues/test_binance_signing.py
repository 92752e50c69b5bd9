"""Signatures against the examples that the Binance spot API documents publish."""

from __future__ import annotations

from engine.venues.binance_signing import signature, signed_parameters, signed_query

# "SIGNED endpoint examples" of the REST and the WebSocket API: the same published key pair.
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
REST_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
WEBSOCKET_SIGNATURE = "cc15477742bd704c29492d96c7ead9414dfd8e0ec4a00f947bb5bb454ddbd08a"


def test_the_rest_example_has_its_published_signature() -> None:
    order = {
        "symbol": "LTCBTC", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 1, "price": "0.1",
        "recvWindow": 5000, "timestamp": 1499827319559,
    }  # fmt: skip
    query = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    )
    assert signature(SECRET, query) == REST_SIGNATURE
    assert signed_query(order, SECRET) == f"{query}&signature={REST_SIGNATURE}"


def test_the_websocket_example_has_its_published_signature_whatever_the_order_of_parameters() -> None:
    order = {
        "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01000000",
        "price": "52000.00", "newOrderRespType": "ACK",
    }  # fmt: skip
    signed = signed_parameters(order, KEY, SECRET, 1645423376532, 100)
    assert signed == order | {
        "recvWindow": 100, "timestamp": 1645423376532, "apiKey": KEY, "signature": WEBSOCKET_SIGNATURE,
    }  # fmt: skip
