"""The collage: the cells of each mtype in slices of the atlas, and upright side by side."""

from region_grower_flow.report.lineup import plot_lineup
from region_grower_flow.report.placed import readable
from region_grower_flow.report.slices import AXES, plot_slice
from region_grower_flow.report.style import save
from region_grower_flow.report.units import ReportUnit, UnitResult

ALL_MTYPES = "All mtypes"
COLUMNS = ("mtype", "cell", "figure", "slice", "x_um", "y_um", "z_um", "depth_um")
FEW = 8
"""Cells of each mtype in the slice of all mtypes: more would hide each other."""


def collage_units(placed, mtypes, slices, settings, most):
    """A ReportUnit per mtype with the cells of its slices, and one of all mtypes first.

    Args:
        placed: PlacedCells.
        mtypes: those to show.
        slices: [Slice].
        settings: ReportSettings.
        most: cells of an mtype in a slice (0: all).
    """
    found = {mtype: [] for mtype in mtypes}
    for where in slices:
        inside = placed.within(where.holds, most, settings.seed)
        for mtype in mtypes:
            found[mtype] += inside[mtype]
    together = [
        cell for where in slices for mtype in mtypes for cell in _in(found[mtype], where)[:FEW]
    ]
    units = [ReportUnit(ALL_MTYPES, (), tuple(together), True, settings, {"lineup": ()})]
    for mtype in mtypes:
        lineup = tuple(placed.sample(mtype, settings.pictured, settings.seed))
        cells = tuple(found[mtype])
        units.append(ReportUnit(mtype, (), cells, True, settings, {"lineup": lineup}))
    return units


def _in(cells, where):
    return [cell for cell in cells if where.holds(cell.position)[0]]


class Collage:
    """Makes the collage of a ReportUnit.

    Args:
        slices: [Slice].
        layers: LayerMap.
    """

    def __init__(self, slices, layers):
        self._slices, self._layers = slices, layers

    @staticmethod
    def _save(unit, figure, part):
        settings = unit.settings
        if unit.mtype is ALL_MTYPES:
            return save(figure, settings.folder / f"{part}.{settings.kind}", settings.dpi)
        return unit.save(figure, part)

    def __call__(self, unit):
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


def _row(cell, path, where):
    position = dict(zip((f"{axis}_um" for axis in AXES), map(float, cell.position), strict=True))
    return {
        "mtype": cell.mtype,
        "cell": cell.name,
        "figure": path.as_posix(),
        "slice": where,
        **position,
        "depth_um": cell.depth,
    }
