"""Programs with keys, and a page with its session."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.api.keys import create_key
from desk.api.models import ApiScope
from tests.desk.live.fake_follow import FakeFollow, state_of

Call = Callable[..., Any]


def program(user: User, scopes: list[str] | None = None) -> Client:
    """A client that sends a key of this person, with every scope unless told."""
    token = create_key(user, "test", scopes or list(ApiScope.values)).token
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def seen(engine_state: Path) -> Iterator[FakeFollow]:
    """A quiet engine's state, for what the API reads of it."""
    running = FakeFollow(engine_state, state=state_of(alarms=[])).start()
    yield running
    running.stop()


@pytest.fixture
def api() -> Call:
    """`api(user, method, path, body)` calls with a key that has every scope."""
    clients: dict[int, Client] = {}

    def call(user: User | None, method: str, path: str, body: Any = None) -> Any:
        if user is not None and user.pk not in clients:
            clients[user.pk] = program(user)
        client = clients[user.pk] if user else Client()
        data = b"" if body is None else json.dumps(body).encode()
        return client.generic(method, f"/api/v1{path}", data, content_type="application/json")

    return call
