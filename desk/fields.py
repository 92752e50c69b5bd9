"""The fields of a page's form as data: what the server says about them, and what the person typed, kept on errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Field:
    """One control, drawn by `templates/_field.html`. `kind` is an input type, or select, or textarea."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    unit: str = ""
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    blank: str = ""
    error: str = ""
    required: bool = True
    inputmode: str = ""
    autocomplete: str = "off"
    wide: bool = False
    longest: int = 300  # characters of a textarea


def filled(fields: Iterable[Field], typed: Mapping[str, str], errors: Mapping[str, str] | None = None) -> list[Field]:
    """The same fields with what was typed and what is wrong with it. Nothing typed is lost."""
    errors = errors or {}
    return [
        replace(field, value=typed.get(field.name, field.value), error=errors.get(field.name, "")) for field in fields
    ]


def other_errors(fields: Iterable[Field], errors: Mapping[str, str]) -> list[str]:
    """Sentences about the form as a whole, or about fields that it does not show."""
    names = {field.name for field in fields}
    return [sentence for name, sentence in errors.items() if name not in names]
