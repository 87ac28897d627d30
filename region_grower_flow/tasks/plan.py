"""The stages of a run and what they take, roughly: how far the whole run is."""

from __future__ import annotations

from typing import Any

from region_grower_flow.errors import FlowError

CHECK, CHUNK, MENDED = "CheckInputs", "SynthesizeChunk", "MendChunk"

USUAL_SECONDS = {
    "ExtractDistributions": 10,
    "FitPathDistances": 4,
    "CalibrateGrowth": 40,
    "SynthesizeMorphologies": 15,
    "ValidateSynthesis": 30,
}
"""Seconds of stages that have not been made before in a work folder; a second for others."""

CHUNK_SECONDS, CELLS_PER_SECOND = 4, 30
"""Seconds in which a chunk starts; cells that a usual machine grows in one."""


class Plan:
    """Stages that a run makes, with seconds that they are expected to take."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._families: dict[str, str] = {}
        self._kept: set[str] = set()
        self._finished: set[str] = set()
        self._reached: dict[str, float] = {}

    def read(self, root: Any) -> None:
        """Find the stages that are to be made: those from the root up to what is kept."""
        if root.task_id in self._seconds:
            return
        waiting = [root]
        while waiting:
            task = waiting.pop()
            if task.task_id in self._seconds or task.task_id in self._kept:
                continue
            if not hasattr(task, "manifest"):
                continue
            self._seconds[task.task_id] = _expected(task)
            self._families[task.task_id] = task.task_family
            try:
                waiting.extend(task.requires().values())
            except FlowError:  # the stage says it
                continue

    def keep(self, name: str) -> None:
        """Know that a stage is up to date."""
        self._kept.add(name)

    def finish(self, name: str) -> None:
        """Know that a stage has been made."""
        self._finished.add(name)

    def reach(self, name: str, fraction: float | None) -> None:
        """Know how much of a stage is done; None changes nothing."""
        if fraction is not None:
            self._reached[name] = min(max(fraction, 0.0), 1.0)

    def awaits(self, family: str) -> bool:
        """True while stages of a family are not finished yet."""
        names = {name for name, own in self._families.items() if own == family}
        return bool(names - self._finished - self._kept)

    def fraction(self) -> float:
        """The part of the run that is done (0 to 1)."""
        total = sum(self._seconds.values())
        if not total:
            return 0.0
        done = sum(
            seconds * (1.0 if name in self._finished else self._reached.get(name, 0.0))
            for name, seconds in self._seconds.items()
        )
        return min(done / total, 0.99)


def _expected(task: Any) -> float:
    if task.task_family in (CHUNK, MENDED):
        return CHUNK_SECONDS + task.cells_to_grow() / CELLS_PER_SECOND
    known = task.facts().get("seconds")
    if not known or isinstance(known, dict):  # a merge tells of all stages, and not of its page
        return USUAL_SECONDS.get(task.task_family, 1)
    return known
