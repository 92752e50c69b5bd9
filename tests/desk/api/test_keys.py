"""Keys: shown once, kept as a hash, ended by time, by hand or with their owner."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from desk.accounts.models import User
from desk.api.keys import check_token, create_key, revoke_key
from desk.api.models import ApiKey
from desk.audit.models import AuditEntry
from desk.refusals import Invalid, NotFound


def test_only_a_hash_is_kept(alice: User) -> None:
    key, token = create_key(alice, "bot", ["read", "trade"])
    secret = token.split(".")[1]
    assert secret not in str(ApiKey.objects.values().get()) + str(AuditEntry.objects.values())
    found = check_token(token)
    assert (found, found and found.owner) == (key, alice)


@pytest.mark.parametrize("token", ["", ".", "x.y", "\0.x", "é.x", "a" * 1000])
def test_nonsense_is_no_key(alice: User, token: str) -> None:
    create_key(alice, "bot", ["read"])
    assert check_token(token) is None


def test_a_key_ends(alice: User, bob: User) -> None:
    expired, revoked, orphaned = (create_key(alice, name, ["read"]) for name in ("a", "b", "c"))
    ApiKey.objects.filter(pk=expired.key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotFound):
        revoke_key(bob, revoked.key.key_id)
    revoke_key(alice, revoked.key.key_id)
    assert [check_token(key.token) is None for key in (expired, revoked, orphaned)] == [True, True, False]
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert check_token(orphaned.token) is None


@pytest.mark.parametrize(("scopes", "days"), [(["limits:approve"], 1), ([], 1), (["read"], 91), (["read"], 0)])
def test_no_key_approves_limits_or_lives_for_ever(alice: User, scopes: list[str], days: int) -> None:
    with pytest.raises(Invalid):
        create_key(alice, "bot", scopes, days)


def test_a_wrong_key_is_told_how_to_do_it(db: None) -> None:
    answer: Any = Client(headers={"Authorization": "Bearer a.b"}).get("/api/v1/orders")
    assert (answer.status_code, answer["WWW-Authenticate"], answer.json()["code"]) == (
        401,
        'Bearer realm="desk"',
        "not_authenticated",
    )


def test_the_command_prints_a_key_that_works(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("api_key", "alice", "--scope", "read")
    token = capsys.readouterr().out.strip()
    assert Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/fills").status_code == 200
    with pytest.raises(CommandError, match="no active user"):
        call_command("api_key", "nobody", "--scope", "read")
