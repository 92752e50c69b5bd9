"""API keys: made, shown once, checked, revoked."""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import User
from desk.api.models import ApiKey, ApiScope
from desk.audit.services import record
from desk.refusals import Invalid, NotFound

LONGEST_DAYS = 90


class NewKey(NamedTuple):
    """A key and the text that a program sends as its bearer token; the text is not kept."""

    key: ApiKey
    token: str


def create_key(
    owner: User, name: str, scopes: list[str], days: int = LONGEST_DAYS, actor: User | None = None
) -> NewKey:
    """A key for at most 90 days: of one's own, or made by an administrator (`actor`) for somebody."""
    actor = actor or owner
    policy.require(actor == owner or policy.may_manage_people(actor), "Only administrators make keys for others.")
    policy.require(policy.role_of(owner) is not None, "Only an active person has keys.")
    unknown = sorted(set(scopes) - set(ApiScope.values))
    if unknown or not scopes:
        raise Invalid({"scopes": f"There is no scope {unknown[0]!r}." if unknown else "Choose at least one scope."})
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid({"days": f"A key lives from 1 to {LONGEST_DAYS} days."})
    if not 1 <= len(name.strip()) <= 60:
        raise Invalid({"name": "A name has 1 to 60 characters."})
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        key = ApiKey.objects.create(
            owner=owner,
            name=name.strip(),
            key_id=secrets.token_hex(8),
            secret_hash=_hash(secret),
            scopes=sorted(set(scopes)),
            expires_at=timezone.now() + timedelta(days=days),
        )
        after = {"owner": owner.get_username(), "name": key.name, "scopes": key.scopes}
        record(actor, "api_key.created", f"key {key.key_id}", after=after)
    return NewKey(key, f"{key.key_id}.{secret}")


def revoke_key(actor: User, key_id: str) -> None:
    """End a key of one's own; administrators end anybody's."""
    with transaction.atomic():
        key = ApiKey.objects.select_for_update().filter(key_id=key_id, revoked_at=None).first()
        if key is None or not (key.owner_id == actor.pk or policy.may_manage_people(actor)):
            raise NotFound("There is no such key.")
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        record(actor, "api_key.revoked", f"key {key.key_id}")


def check_token(token: str) -> ApiKey | None:
    """The living key of an active person that this token belongs to."""
    key_id, _, secret = token.partition(".")
    if not key_id.isascii() or "\0" in key_id:
        return None
    key = ApiKey.objects.select_related("owner__team").filter(key_id=key_id).first()
    # The hash is compared also when there is no key, so that the time taken tells nothing.
    right = hmac.compare_digest(_hash(secret), key.secret_hash if key else _hash(""))
    if key is None or not right or key.revoked_at or key.expires_at <= timezone.now() or not key.owner.is_active:
        return None
    ApiKey.objects.filter(pk=key.pk).update(used_at=timezone.now())
    return key


def _hash(secret: str) -> str:
    # The secret is 256 random bits: a slow hash would protect nothing and cost every request.
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
