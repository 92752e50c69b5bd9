"""Passwords of venues: they are in the commands that the engine keeps, and nowhere where somebody reads."""

from __future__ import annotations

import re
from typing import Any

SECRET = re.compile("password|secret")
HIDDEN = "•••"


def without_secrets(document: Any) -> Any:
    """The same document with every text under a name like `password` blotted out, at any depth."""
    if isinstance(document, list):
        return [without_secrets(value) for value in document]
    if not isinstance(document, dict):
        return document
    return {
        key: HIDDEN if SECRET.search(key) and isinstance(value, str) and value else without_secrets(value)
        for key, value in document.items()
    }
