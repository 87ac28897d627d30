"""The collage: the cells of each mtype in slices of the atlas, and upright side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow.report.lineup import plot_lineup
from region_grower_flow.report.placed import PlacedCell, readable
from region_grower_flow.report.slices import AXES, plot_slice
from region_grower_flow.report.style import save
from region_grower_flow.report.units import ReportUnit, UnitResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from region_grower_flow.report.placed import SynthesizedCells
    from region_grower_flow.report.slices import LayerMap, SliceView
    from region_grower_flow.report.units import ReportSettings

ALL_MTYPES = "All mtypes"
COLUMNS = ("mtype", "cell", "figure", "slice", "x_um", "y_um", "z_um", "depth_um")
FEW = 8
"""Cells of each mtype in the slice of all mtypes: more would hide each other."""


def collage_units(
    placed: SynthesizedCells,
    mtypes: Iterable[str],
    slices: Sequence[SliceView],
    settings: ReportSettings,
    most: int,
) -> list[ReportUnit]:
    """A ReportUnit per mtype with the cells of its slices, and one of all mtypes first.

    Args:
        placed: SynthesizedCells.
        mtypes: those to show.
        slices: [SliceView].
        settings: ReportSettings.
        most: cells of an mtype in a slice (0: all).
    """
    mtypes = list(mtypes)
    found: dict[str, list[PlacedCell]] = {mtype: [] for mtype in mtypes}
    for where in slices:
        inside = placed.within(where.holds, most, settings.seed)
        for mtype in mtypes:
            found[mtype] += inside[mtype]
    together = [
        cell for where in slices for mtype in mtypes for cell in _in(found[mtype], where)[:FEW]
    ]
    extra = {"lineup": (), "together": True}
    units = [ReportUnit(ALL_MTYPES, (), tuple(together), True, settings, extra)]
    for mtype in mtypes:
        lineup = tuple(placed.sample(mtype, settings.pictured, settings.seed))
        cells = tuple(found[mtype])
        units.append(ReportUnit(mtype, (), cells, True, settings, {"lineup": lineup}))
    return units


def _in(cells: Iterable[PlacedCell], where: SliceView) -> list[PlacedCell]:
    return [cell for cell in cells if where.holds(cell.position)[0]]


class Collage:
    """Makes the collage of a ReportUnit.

    Args:
        slices: [SliceView].
        layers: LayerMap.
    """

    def __init__(self, slices: Sequence[SliceView], layers: LayerMap | None) -> None:
        self._slices, self._layers = slices, layers

    @staticmethod
    def _save(unit: ReportUnit, figure: Figure, part: str) -> Path:
        settings = unit.settings
        if unit.extra.get("together"):  # a process has other objects than this module
            return save(figure, settings.folder / f"{part}.{settings.kind}", settings.dpi)
        return unit.save(figure, part)

    def __call__(self, unit: ReportUnit) -> UnitResult:
        """The figures of one mtype: its slices, then cells upright side by side."""
        result = UnitResult(unit.mtype)
        cells, result.notes = readable(unit.cells)
        rows = result.rows.setdefault("cells", [])
        for number, where in enumerate(self._slices, start=1):
            figure, _ = plot_slice(cells, where, self._layers, unit.mtype)
            path = self._save(unit, figure, f"slice_{number}")
            result.paths.append(path)
            rows += [
                _row(cell, path.relative_to(unit.settings.folder), where.title)
                for cell in _in(cells, where)
            ]
        upright, lost = readable(unit.extra["lineup"])
        result.notes += lost
        if upright:
            upright.sort(key=lambda cell: cell.depth or 0.0)
            path = self._save(
                unit, plot_lineup([c.upright() for c in upright], unit.mtype), "upright"
            )
            result.paths.append(path)
            rows += [_row(cell, path.relative_to(unit.settings.folder), None) for cell in upright]
        return result


def _row(cell: PlacedCell, path: Path, where: str | None) -> dict[str, Any]:
    position = dict(zip((f"{axis}_um" for axis in AXES), map(float, cell.position), strict=True))
    return {
        "mtype": cell.mtype,
        "cell": cell.name,
        "figure": path.as_posix(),
        "slice": where,
        **position,
        "depth_um": cell.depth,
    }
