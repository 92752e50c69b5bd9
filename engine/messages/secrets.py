"""Passwords of venues: they are in the commands that the engine keeps, and nowhere where somebody reads.

A setting `file:NAME` is no password but says where one is; it is shown.
"""

from __future__ import annotations

import re
from typing import Any

SECRET = re.compile("password|secret")
HIDDEN = "•••"
FILE = "file:"
REFERENCE = re.compile(r"file:([A-Za-z0-9_][A-Za-z0-9._-]{0,63})", re.ASCII)


def is_reference(value: str) -> bool:
    """Whether a secret setting names a file instead of being the secret."""
    return value.startswith(FILE)


def without_secrets(document: Any) -> Any:
    """The same document with every text under a name like `password` blotted out, at any depth."""
    if isinstance(document, list):
        return [without_secrets(value) for value in document]
    if not isinstance(document, dict):
        return document
    return {
        key: HIDDEN if SECRET.search(key) and _is_secret(value) else without_secrets(value)
        for key, value in document.items()
    }


def _is_secret(value: Any) -> bool:
    return isinstance(value, str) and value != "" and not REFERENCE.fullmatch(value)
