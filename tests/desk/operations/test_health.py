"""Health addresses: what a load balancer and the launcher ask."""

import pytest
from django.core.cache import cache
from django.db import DatabaseError
from django.test import Client
from redis.exceptions import ConnectionError as NoConnection

from desk.operations import health


@pytest.mark.django_db
def test_a_desk_with_its_database_and_cache_is_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "cache": True})


@pytest.mark.django_db
def test_a_cache_that_does_not_answer_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_key: str) -> None:
        raise NoConnection("secret host")

    monkeypatch.setattr(cache, "get", fail)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "cache": False})


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_connection: object) -> None:
        raise DatabaseError("secret host")

    monkeypatch.setattr(health, "MigrationExecutor", fail)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": False, "cache": True})


def test_a_process_that_turns_says_so_without_asking_anybody(client: Client) -> None:
    answer = client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


@pytest.mark.django_db
def test_pages_may_load_nothing_from_elsewhere_and_run_no_inline_script(client: Client) -> None:
    policy = client.get("/accounts/sign-in/").headers["Content-Security-Policy"]
    directives = dict(directive.strip().split(" ", 1) for directive in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.django_db
def test_only_the_administration_may_evaluate_its_own_scripts(client: Client) -> None:
    policy = client.get("/admin/login/").headers["Content-Security-Policy"]
    assert "'unsafe-eval'" in policy
    assert "default-src 'none'" in policy
