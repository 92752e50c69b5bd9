"""Bringing the approved limits to the engine: a whole snapshot, applied only on the version it was based on."""

from dataclasses import asdict

from django.db import transaction

from desk.audit.services import record
from desk.link import client
from desk.refusals import Conflict, EngineRefused
from desk.risk.bounds import snapshot
from desk.risk.models import ChangeRequest, LimitsVersion
from engine.messages.catalogue import Catalogue
from engine.messages.control import ApplyLimits, command
from engine.messages.risk import content_hash, validate

ATTEMPTS = 2  # a second one when somebody else's snapshot arrived between the question and the command


def push_limits(actor: str, adopt: bool = False) -> LimitsVersion:
    """Make the engine run the approved limits and return the version it gave them; sends nothing when it does already.

    `adopt` also replaces limits that this desk never sent. Raises EngineNotReached, OutcomeUnknown, EngineRefused, or
    Conflict when the engine runs limits that this desk does not know.
    """
    for attempt in range(ATTEMPTS):
        announced = client.catalogue(fresh=True)
        with transaction.atomic():
            rows = snapshot()
            approved = list(
                ChangeRequest.objects.filter(
                    kind=ChangeRequest.Kind.LIMITS, state=ChangeRequest.State.APPROVED
                ).values_list("pk", flat=True)
            )
        validate(rows)
        wanted = content_hash(rows)
        crossing = [asdict(row) for row in rows]
        if announced.limits_version and announced.limits_hash == wanted:
            return _note(announced.limits_version, wanted, crossing, 0, actor, approved)
        if not adopt:
            _require_known(announced)
        try:
            status = client.apply(command(ApplyLimits(announced.limits_version, crossing), actor))
        except EngineRefused:
            if attempt + 1 < ATTEMPTS and client.catalogue(fresh=True).limits_version != announced.limits_version:
                continue
            raise
        return _note(int(status.body["version"]), wanted, crossing, status.journal_sequence, actor, approved)
    raise Conflict("The engine's limits kept changing; look at them and try again.", code="limits_moved")


def _require_known(announced: Catalogue) -> None:
    known = LimitsVersion.objects.filter(number=announced.limits_version, content_hash=announced.limits_hash)
    if announced.limits_version and not known.exists():
        raise Conflict(
            f"The engine runs limits version {announced.limits_version}, which this desk never sent. "
            "`manage.py reconcile --adopt` replaces it.",
            code="limits_unknown",
        )


def _note(
    number: int, digest: str, rows: list[dict[str, int]], journal_sequence: int, actor: str, approved: list[int]
) -> LimitsVersion:
    with transaction.atomic():
        version, new = LimitsVersion.objects.get_or_create(
            number=number,
            content_hash=digest,
            defaults={"rows": rows, "journal_sequence": journal_sequence, "applied_by": actor},
        )
        ChangeRequest.objects.filter(pk__in=approved).update(
            state=ChangeRequest.State.APPLIED, limits_version=number, note=""
        )
        if new:
            record(None, "limits.applied", f"limits version {number}", after={"hash": digest, "by": actor})
    return version
