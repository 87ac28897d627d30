"""A report's work on one mtype, which processes may share: figures and rows of numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow.calibration.dataset import ReferenceCell
from region_grower_flow.report.names import report_file
from region_grower_flow.report.placed import PlacedCell, readable
from region_grower_flow.report.style import DPI, save
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.populations import read_references

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PRELOADED = ("matplotlib.figure", "neurom", "region_grower_flow.report.by_mtype")
"""Modules that the server of processes imports once before it forks those that make reports."""


@dataclass(frozen=True)
class ReportSettings:
    """Settings of reports.

    Attributes:
        folder: of the report's files.
        kind: ``png`` or ``svg``.
        dpi: of PNG files.
        seed: of every choice and resampling.
        pictured: cells per mtype in pictures.
    """

    folder: Path
    kind: str = "png"
    dpi: int = DPI
    seed: int = 0
    pictured: int = 8


@dataclass(frozen=True)
class ReportUnit:
    """Inputs of a report on one mtype.

    Attributes:
        mtype: its name.
        references: [ReferenceCell], files of its reconstructions.
        cells: [PlacedCell], synthesized.
        in_atlas: whether these have places in an atlas.
        settings: ReportSettings.
        extra: what else the report needs (the fits of the mtype, its parameters).
    """

    mtype: str
    references: tuple[ReferenceCell, ...]
    cells: tuple[PlacedCell, ...]
    in_atlas: bool
    settings: ReportSettings
    extra: dict[str, Any] = field(default_factory=dict)

    def read(self) -> tuple[list[ValidationCell], list[PlacedCell], list[str]]:
        """(reference [ValidationCell], synthesized [PlacedCell], [sentence on the unreadable])."""
        references, lost = read_references(self.references, self.mtype)
        cells, unreadable = readable(self.cells)
        return references, cells, lost + unreadable

    def save(self, figure: Figure, part: str | None = None) -> Path:
        """Write a figure of the mtype, in a folder ``part`` where it has several; its path."""
        settings = self.settings
        folder = settings.folder / part if part else settings.folder
        return save(figure, report_file(folder, self.mtype, settings.kind), settings.dpi)


@dataclass
class UnitResult:
    """Result of a report on one mtype.

    Attributes:
        mtype: its name.
        rows: {table: [dict]}.
        paths: of its figures.
        notes: sentences.
    """

    mtype: str
    rows: dict[str, list[Any]] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def gathered(results: Iterable[UnitResult], table: str) -> list[Any]:
    """The rows of a table of all UnitResults."""
    return [row for result in results for row in result.rows.get(table, ())]
