"""Report of a calibration stage: cells that were used, cells that were lost, special cases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from region_grower_flow.calibration.populations import Population
from region_grower_flow.calibration.selection import BORROWS
from region_grower_flow.errors import counted, some


@dataclass
class CalibrationReport:
    """The report of an extraction or of a generation of parameters.

    Attributes:
        stage: ``"distributions"`` or ``"parameters"``.
        mtypes: {mtype: what Population.as_dict says}, of the mtypes in the result.
        lost_mtypes: {mtype: reasons}, of those that no usable cell is left of.
        notes: other sentences.
        processes: how many processes worked.
    """

    stage: str
    mtypes: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost_mtypes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    processes: int = 1

    @classmethod
    def of_populations(cls, stage: str, populations: Mapping[str, Population]) -> CalibrationReport:
        """The report of the cells, before anything is computed."""
        report = cls(stage)
        for mtype, population in populations.items():
            if population.cells:
                report.mtypes[mtype] = population.as_dict()
            else:
                report.lost_mtypes[mtype] = population.as_dict()["lost"]
                report.notes += [f"{mtype}: {note}." for note in population.notes]
        return report

    @property
    def lost(self) -> list[tuple[str, str, str]]:
        """The cells that were not used: [(name, mtype, reason)]."""
        lost = {mtype: entry["lost"] for mtype, entry in self.mtypes.items()} | self.lost_mtypes
        return [
            (cell["name"], mtype, cell["reason"]) for mtype, cells in lost.items() for cell in cells
        ]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-able values."""
        return asdict(self)

    def remarks(self) -> Iterator[str]:
        """Sentences for the terminal, each for all mtypes that it is true of.

        Substitutions are left out: they are as the user has asked.
        """
        alike: dict[str, list[tuple[str, str]]] = {}
        for note in self.notes:
            mtype, _, text = note.rstrip(".").partition(": ")
            if not text:
                yield note
                continue
            alike.setdefault(_kind(text), []).append((mtype, text))
        for name, mtype, reason in self.lost:
            alike.setdefault(_kind(reason), []).append((mtype, f"{name} is left out: {reason}"))
        for mtype, entry in self.mtypes.items():
            for note in entry["notes"]:
                if note.startswith(BORROWS):
                    continue
                alike.setdefault(_kind(note), []).append((mtype, note))
        for (first, text), *rest in alike.values():
            others = list(dict.fromkeys(mtype for mtype, _ in rest if mtype != first))
            also = f" (the like in {some(others, 3)})" if others else ""
            yield f"{first}: {text}{also}."

    def sentences(self) -> Iterator[str]:
        """The report for a terminal, a sentence per line."""
        cells = sum(entry["cells"] for entry in self.mtypes.values())
        of = f"{counted(len(self.mtypes), 'mtype')} from {counted(cells, 'cell')}"
        yield f"{self.stage} of {of}."
        for name, mtype, reason in self.lost:
            yield f"{name} is lost to {mtype}: {reason}."
        if self.lost_mtypes:
            yield f"No cell is left of {some(self.lost_mtypes)}."
        for mtype, entry in self.mtypes.items():
            for note in entry["notes"]:
                yield f"{mtype}: {note}."
        yield from self.notes


def _kind(note: str) -> str:
    """A note without its names and numbers, by which notes of several mtypes are alike."""
    return re.sub(r"\(.*\)|\S+: |\d\S*", "", note)
