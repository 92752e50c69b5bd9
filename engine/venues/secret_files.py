"""Passwords of venues in files: a setting `file:NAME` stands for the text of NAME in one folder, read when connecting.

So the password itself is in no command, and with that in no journal, database, log, answer or page.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.messages.secrets import REFERENCE, is_reference
from engine.venues import VENUES

FOLDER = "secrets"  # in the state directory, unless the engine is told another
MOST_BYTES = 4096


@dataclass(frozen=True)
class SecretFiles:
    """The one folder."""

    folder: Path

    def text(self, value: str) -> str:
        """What a setting stands for: itself, or what its file says. ValueError with a sentence, never with the text."""
        return self._read(value) if is_reference(value) else value

    def settings(self, protocol: str, settings: Mapping[str, str]) -> dict[str, str]:
        """A venue's settings with what its secret ones stand for. ValueError with a sentence."""
        secret = {field.name for field in VENUES[protocol].fields if field.kind == "secret"}
        return {name: self.text(str(value).strip()) if name in secret else value for name, value in settings.items()}

    def _read(self, value: str) -> str:
        match = REFERENCE.fullmatch(value)
        if match is None:
            raise ValueError(f"{value!r} does not name a file of the secrets folder")
        name = match[1]
        try:
            folder = self.folder.resolve(strict=True)
            path = (folder / name).resolve(strict=True)
            if not path.is_relative_to(folder):
                raise ValueError(f"the secret {name} is a link out of {self.folder}")
            raw = _whole(path)
        except OSError as error:
            raise ValueError(f"the secret {name} is not in {self.folder}: {error.strerror}") from None
        if raw is None:
            raise ValueError(f"the secret {name} is not a file of at most {MOST_BYTES} bytes")
        try:
            text = raw.decode().strip("\r\n")
        except UnicodeDecodeError:
            raise ValueError(f"the secret {name} is not text") from None
        if not text or not text.isprintable():
            raise ValueError(f"the secret {name} is not one line of text")
        return text


def secret_files(state: Path, folder: Path | None = None) -> SecretFiles:
    """Those of an engine: in `folder`, or where they are unless it is told another."""
    return SecretFiles(folder or state / FOLDER)


def _whole(path: Path) -> bytes | None:
    """The file, None when it is none or too long. A pipe would never end, and is not opened for long."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
            return None
        return file.read(MOST_BYTES)
