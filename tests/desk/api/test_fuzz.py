"""Whatever is sent, the API answers as its description says and never fails."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings

from desk.accounts.models import User
from desk.api.keys import create_key
from desk.api.models import ApiScope
from desk.api.urls import api as desk_api
from desk.strategies.models import Strategy
from tests.desk.fake_engine import FakeEngine
from tests.desk.live.fake_follow import FakeFollow

pytestmark = pytest.mark.django_db


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests leave the test's own connection, and with it the test's transaction, open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def described(one_connection: None, engine: FakeEngine, seen: FakeFollow, strategy: Strategy, charlie: User) -> Any:
    token = create_key(charlie, "fuzz", list(ApiScope.values)).token
    headers = {"Authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), headers=headers)
    schema.config.headers = headers
    return schema


OPERATIONS = [(method, path) for path, methods in desk_api.get_openapi_schema()["paths"].items() for method in methods]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_input_is_a_failure_of_ours(described: Any, method: str, path: str) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=described[path][method].as_strategy())
    def send(case: Any) -> None:
        answer = case.call()
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"], answer.text

    send()
