"""Canceling an order or a parent order: one step, because it makes things safer, and the same for both."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import record, team_chain
from desk.blotter.models import Order, Parent
from desk.link import client
from desk.refusals import Conflict, NotFound, Refusal
from engine.messages.control import Status, command

LONGEST_NUMBER = 18  # digits of what certainly fits a column


def ask_to_cancel(actor: User, row: Order | Parent, action: str, body: Any) -> Status:
    """Send the command for a row that the person sees. Raises NotPermitted, Conflict (order_not_working), and as
    `client.apply`; `action` is what the audit trail calls it."""
    what = row._meta.verbose_name  # noqa: SLF001  Django's public name for it
    policy.require(policy.may_cancel_order(actor, row.team_id), f"Your role may not cancel this {what}.")
    if not row.working:
        raise Conflict(f"This {what} is {row.get_state_display()}.", code="order_not_working")
    with transaction.atomic():
        record(actor, action, f"{what} {row.pk}", chain=team_chain(row.team_id) if row.team_id else "firm")
    return client.apply(command(body, actor.get_username()))


def posted_number(request: HttpRequest, name: str, what: str) -> int:
    """The number of the row that a button names; NotFound when it is none."""
    text = request.POST.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise NotFound(f"There is no such {what}.")
    return int(text)


def cancel_answer(
    request: HttpRequest, cancel: Callable[[], Status], done: str, page: str, number: int
) -> HttpResponse:
    """What the button shows in its place, or the row's page with a message."""
    try:
        cancel()
        said, sentence = messages.success, done
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        said, sentence = messages.error, refusal.sentence
    if getattr(request, "htmx", False):
        return render(request, "blotter/_cancel_answer.html", {"sentence": sentence, "done": said is messages.success})
    said(request, sentence)
    return redirect(page, number)
