"""Progress on a terminal or in a log: one line a step, with its time, and a sign of life while it lasts."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

SIGN_OF_LIFE_SECONDS = 5.0


class Progress:
    """Prints the steps of the start."""

    def __init__(self, output: TextIO | None = None) -> None:
        self.output = output or sys.stdout
        self.step_started = time.monotonic()
        self.last_sign = self.step_started

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Print `what ...` at once and the seconds it took at its end."""
        self.step_started = self.last_sign = time.monotonic()
        self._write(f"  {what} ...")
        try:
            yield
        except BaseException:
            self._write("\n")
            raise
        self._write(f" {time.monotonic() - self.step_started:.1f} s\n")

    def sign_of_life(self) -> None:
        """Say that a long step still runs; cheap enough to be called in a loop."""
        now = time.monotonic()
        if now - self.last_sign >= SIGN_OF_LIFE_SECONDS:
            self.last_sign = now
            self._write(f" {now - self.step_started:.0f} s ...")

    def say(self, text: str = "") -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        self.output.write(text)
        self.output.flush()
