"""Times at which the stages of a run worked: bars for the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Stage: TypeAlias = tuple[str, str | None, float | None, int | None, int | None]
"""A stage as :func:`timeline` takes it."""

IDLE = 20.0
"""Seconds: longer times without any work (between two runs) are cut out."""


@dataclass(frozen=True)
class Bar:
    """A stage, or a chunk of cells.

    Attributes:
        name: its name.
        start, seconds: since the first began, without idle times, and how long.
        cells: that it grew; None for other stages.
        dropped: cells that it dropped.
        left, width: the same in percent of the whole time.
    """

    name: str
    start: float
    seconds: float
    cells: int | None = None
    dropped: int = 0
    left: float = 0.0
    width: float = 0.0

    @property
    def rate(self) -> float | None:
        """Cells per second; None for other stages, and where none was grown."""
        return self.cells / self.seconds if self.cells and self.seconds > 0 else None


def timeline(stages: Iterable[Stage]) -> tuple[list[Bar], float]:
    """Stages in the order of their ends.

    Args:
        stages: [(name, when it ended as text of a manifest, seconds, cells grown or None, cells
            dropped)].

    Returns:
        ([Bar], seconds in which nothing ran and that were cut out)
    """
    parsed = (_parsed(*stage) for stage in stages)
    found = sorted((stage for stage in parsed if stage is not None), key=lambda stage: stage[0])
    if not found:
        return [], 0.0
    bars, idle, latest = [], 0.0, found[0][0]
    for start, seconds, name, cells, dropped in found:
        if start - latest > IDLE:
            idle += start - latest
        latest = max(latest, start + seconds)
        bars.append(Bar(name, start - found[0][0] - idle, seconds, cells, dropped))
    total = max(max(bar.start + bar.seconds for bar in bars), 1e-3)
    bars.sort(key=lambda bar: bar.start + bar.seconds)
    scaled = [
        Bar(
            bar.name, bar.start, bar.seconds, bar.cells, bar.dropped,
            min(100 * bar.start / total, 99.6), max(100 * bar.seconds / total, 0.4),
        )
        for bar in bars
    ]  # fmt: skip
    return scaled, idle


def _parsed(
    name: str, made: str | None, seconds: float | None, cells: int | None, dropped: int | None = 0
) -> tuple[float, float, str, int | None, int] | None:
    try:
        ended = datetime.strptime(made or "", "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except (TypeError, ValueError):
        return None
    seconds = float(seconds or 0.0)
    return ended - seconds, seconds, name, cells, dropped or 0
