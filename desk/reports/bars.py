"""Costs as bars: each part a segment, costs to the right of zero, gains to the left, one scale for all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.messages.tca import COSTS

WIDTH = 1_000  # of the drawing, in its own units


@dataclass(frozen=True)
class Segment:
    """One part of a bar."""

    name: str
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """The segments of one row; `zero` is where neither cost nor gain begins."""

    segments: list[Segment]
    zero: float


def bars(rows: Sequence[Sequence[float | None]]) -> list[Bar]:
    """A bar for each row of parts, in the order of COSTS."""
    known = [[part or 0.0 for part in row] for row in rows]
    above = max((sum(part for part in row if part > 0) for row in known), default=0.0)
    below = max((-sum(part for part in row if part < 0) for row in known), default=0.0)
    scale = WIDTH / (above + below) if above + below else 0.0
    return [_bar(row, below * scale, scale) for row in known]


def _bar(row: Sequence[float], zero: float, scale: float) -> Bar:
    right = left = zero
    segments = []
    for name, part in zip(COSTS, row, strict=True):
        width = abs(part) * scale
        if width == 0:
            continue
        if part > 0:
            segments.append(Segment(name, round(right, 1), round(width, 1)))
            right += width
        else:
            left -= width
            segments.append(Segment(name, round(left, 1), round(width, 1)))
    return Bar(segments, round(zero, 1))
