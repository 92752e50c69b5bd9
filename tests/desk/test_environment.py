"""What the desk reads from its environment."""

from pathlib import Path

import pytest

from desk.environment import (
    PROJECT_ROOT,
    BadEnvironment,
    Environment,
    celery_broker_url,
    django_database,
    read_environment,
    socket_directory,
)


def test_an_empty_environment_means_the_embedded_servers_of_this_checkout() -> None:
    state = PROJECT_ROOT / ".state"
    sockets = socket_directory(state)
    assert read_environment({}) == Environment(
        state=state,
        database_url=f"postgresql://desk@/desk?host={str(sockets).replace('/', '%2F')}",
        redis_url=f"unix://{sockets}/valkey.sock?db=0",
        debug=False,
        https=False,
        hosts=("localhost", "127.0.0.1", "[::1]"),
        origins=("http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"),
        port=8000,
        market_protection=50,
    )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PORT": "http"}, "PORT is 'http'; it must be a number from 1 to 65535."),
        ({"PORT": "65536"}, "PORT is '65536'; it must be a number from 1 to 65535."),
        ({"DESK_DEBUG": "yes"}, "DESK_DEBUG is 'yes'; it must be 0 or 1."),
        (
            {"DESK_MARKET_PROTECTION": "0"},
            "DESK_MARKET_PROTECTION is '0'; it must be a number of basis points from 1 to 1000.",
        ),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadEnvironment) as refused:
        read_environment(variables)
    assert str(refused.value) == sentence


def test_a_database_url_becomes_djangos_words() -> None:
    assert django_database("postgresql://ann:p%40ss@db.example:5433/desk?sslmode=require") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "desk",
        "USER": "ann",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"sslmode": "require"},
    }


def test_another_database_than_postgresql_is_refused_without_its_password() -> None:
    with pytest.raises(BadEnvironment) as refused:
        django_database("mysql://ann:secret@db/desk")
    assert str(refused.value) == "DATABASE_URL must look like postgresql://user@host:5432/name, not mysql://..."


def test_celery_is_told_about_sockets_in_its_own_words() -> None:
    assert celery_broker_url("unix:///run/valkey.sock?db=3") == "redis+socket:///run/valkey.sock?virtual_host=3"
    assert celery_broker_url("rediss://cache.example:6380/1") == "rediss://cache.example:6380/1"


def test_sockets_of_a_deep_state_directory_have_a_short_path() -> None:
    assert socket_directory(Path("/srv/desk")) == Path("/srv/desk/sockets")
    assert len(str(socket_directory(Path("/srv") / ("deep" * 30)) / ".s.PGSQL.5432.lock")) < 108
