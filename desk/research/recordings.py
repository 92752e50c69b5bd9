"""Recorded sessions that a backtest can run on."""

from pathlib import Path

from django.conf import settings

from desk.refusals import Invalid

RECORDING_FILE = "recording.json"
RECORDING_PLACES = ("recordings", "market")
"""Directories of the state whose sub-directories are recorded sessions."""


def recordings() -> list[str]:
    """Names of the recorded sessions, the newest first."""
    return list(_recorded())


def recording_directory(name: str) -> Path:
    """Where a recorded session lies. Invalid when there is none of that name."""
    found = _recorded().get(name)
    if found is None:
        raise Invalid({"recording": f"There is no recorded session {name!r}."})
    return found


def _recorded() -> dict[str, Path]:
    found = [file.parent for place in RECORDING_PLACES for file in (settings.STATE / place).glob(f"*/{RECORDING_FILE}")]
    found.sort(key=lambda directory: (directory / RECORDING_FILE).stat().st_mtime, reverse=True)
    return {directory.name: directory for directory in found}
