"""What a service raises when it does not do what it was asked: a sentence for people and a stable code for programs.

`outcome` says what happened to the request at the engine: not_sent, rejected, or unknown (it may have been done).
"""

from collections.abc import Callable
from typing import Any

NOT_SENT = "not_sent"
REJECTED = "rejected"
UNKNOWN = "unknown"


class Refusal(Exception):
    """Base of all refusals; `str()` is the sentence."""

    code = "refused"
    status = 400
    outcome = NOT_SENT
    retryable = False

    def __init__(self, sentence: str, *, code: str = "", parameter: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or self.code
        self.parameter = parameter


class NotPermitted(Refusal):
    """The person's role does not allow it."""

    code = "not_permitted"
    status = 403


class NotFound(Refusal):
    """It does not exist, or belongs to a team whose things this person does not see."""

    code = "not_found"
    status = 404


class Invalid(Refusal):
    """Values that make no sense; `errors` holds one sentence per field name ("" for the whole)."""

    code = "invalid"
    status = 422

    def __init__(self, errors: dict[str, str], *, code: str = "") -> None:
        parameter = next(iter(errors))
        super().__init__("; ".join(errors.values()), code=code, parameter=parameter)
        self.errors = errors


class Conflict(Refusal):
    """Somebody or something changed it meanwhile, or it is not in a state that allows the step."""

    code = "conflict"
    status = 409


class EngineRefused(Refusal):
    """The engine answered no."""

    code = "engine_refused"
    status = 409
    outcome = REJECTED


class EngineNotReached(Refusal):
    """The command never left: nobody listens at the engine's endpoint."""

    code = "engine_unreachable"
    status = 503
    retryable = True


class OutcomeUnknown(Refusal):
    """The command was sent and no answer came in time. Ask again with the same id; never with a new one."""

    code = "outcome_unknown"
    status = 504
    outcome = UNKNOWN
    retryable = True


def check_all(*checks: Callable[[], Any]) -> list[Any]:
    """The value of every check, or one Invalid with all that was wrong: nobody corrects a form field by field."""
    values, refused = [], []
    for check in checks:
        try:
            values.append(check())
        except Invalid as refusal:
            refused.append(refusal)
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise Invalid({name: sentence for refusal in refused for name, sentence in refusal.errors.items()})
    return values
