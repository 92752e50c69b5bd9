"""The containers, as far as they can be checked without a container engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from engine.__main__ import COMMANDS

PROJECT_ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "docker/compose.yaml").read_text())
DOCKERFILE = (PROJECT_ROOT / "docker/Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BUILT = {name: service for name, service in SERVICES.items() if "build" in service}


def commands_of_targets() -> dict[str, list[str]]:
    """Return the CMD of each target of the Dockerfile."""
    stages = re.split(r"^FROM .* AS (\w+)$", DOCKERFILE, flags=re.MULTILINE)[1:]
    texts = dict(zip(stages[::2], stages[1::2], strict=True))
    return {name: yaml.safe_load(text.rpartition("CMD ")[2]) for name, text in texts.items() if "\nCMD " in text}


def test_the_whole_desk_is_there() -> None:
    assert set(SERVICES) == {
        "postgres", "valkey", "setup", "exchange", "engine", "projector", "reconciliation", "worker", "web",
    }  # fmt: skip
    assert set(BUILT) == set(commands_of_targets())


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_write_nowhere_and_may_do_nothing_special(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"setup"}))
def test_a_service_that_stays_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


@pytest.mark.parametrize("name", BUILT)
def test_a_service_is_built_from_a_target_of_its_own(name: str) -> None:
    build = BUILT[name]["build"]
    assert (PROJECT_ROOT / "docker" / build["context"]).resolve() == PROJECT_ROOT
    assert build["dockerfile"] == "docker/Dockerfile"
    assert build["target"] == name


def test_services_wait_only_for_services_and_volumes_that_exist() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        named = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert named <= set(COMPOSE["volumes"])


@pytest.mark.parametrize("command", commands_of_targets().values(), ids=lambda command: " ".join(command[:4]))
def test_what_a_container_runs_exists(command: list[str]) -> None:
    assert command[0] == "python"
    if command[1] == "manage.py":
        assert command[2] in get_commands()
    elif command[2] == "engine":
        assert command[3] in COMMANDS
    else:
        assert command[2] in {"celery", "uvicorn"}


def test_what_the_setup_runs_exists() -> None:
    asked = re.findall(r"manage\.py (\w+)", SERVICES["setup"]["command"][2])
    assert asked == ["migrate", "demo", "seed"]
    assert set(asked) <= set(get_commands())


def test_what_is_copied_into_an_image_exists() -> None:
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, flags=re.MULTILINE):
        sources = line.split()[:-1]
        assert sources
        assert all((PROJECT_ROOT / source).exists() for source in sources)


def test_no_secret_has_a_default() -> None:
    text = (PROJECT_ROOT / "docker/compose.yaml").read_text()
    assert re.findall(r"\$\{DESK_DATABASE_PASSWORD(.)", text) == [":", ":"]
    assert text.count("${DESK_DATABASE_PASSWORD:?") == 2
