"""Orders that were entered a moment ago: the engine took them, and their rows come with the next of its events."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from desk.accounts import policy
from desk.accounts.models import User
from desk.blotter.models import OrderEntry
from desk.refusals import NotFound

PROJECTED_WITHIN_SECONDS = 3.0
LOOK_EVERY_SECONDS = 0.05

Row = TypeVar("Row")


def wait_for_row(find: Callable[[], Row], user: User, **entered: Any) -> Row:
    """What `find` finds. When it raises NotFound although the person's desk entered this (a lookup of order entries),
    it is asked again until the row is there, for PROJECTED_WITHIN_SECONDS."""
    try:
        return find()
    except NotFound:
        if not policy.visible(OrderEntry.objects.all(), user).filter(**entered).exists():
            raise
    last = time.monotonic() + PROJECTED_WITHIN_SECONDS
    while time.monotonic() < last:
        time.sleep(LOOK_EVERY_SECONDS)
        try:
            return find()
        except NotFound:
            continue
    return find()
