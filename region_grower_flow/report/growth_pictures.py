"""Reference, default and calibrated cells of each mtype, drawn side by side by some processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from region_grower_flow.calibration.growth_cells import Grower, read_centered
from region_grower_flow.calibration.growth_stage import calibrated, default_distributions
from region_grower_flow.calibration.growth_values import NONE
from region_grower_flow.calibration.pool import share_out
from region_grower_flow.report.growth_page import (
    CALIBRATED,
    CELLS_IN_ROW,
    DEFAULT,
    REFERENCE,
    draw_rows,
)

if TYPE_CHECKING:
    from region_grower_flow.calibration.growth_calibration import GrowthTask
    from region_grower_flow.calibration.growth_cells import GrowthCell

SEED = 3
MOST_MTYPES = 60
"""Mtypes beyond which a page with all pictures would be too large to open."""


@dataclass(frozen=True)
class Drawing:
    """The picture of an mtype, for a process.

    Attributes:
        task: GrowthTask.
        entry: what calibrate_mtype has returned.
    """

    task: GrowthTask
    entry: dict[str, Any]

    def picture(self) -> bytes | None:
        """The PNG; None where there is nothing to draw."""
        task = self.task
        grown = {
            DEFAULT: Grower(task.params, default_distributions(task.distributions), NONE),
            CALIBRATED: Grower(calibrated(task.params, task, self.entry), task.distributions, NONE),
        }
        cells = {name: grower.grow({}, CELLS_IN_ROW, SEED) for name, grower in grown.items()}
        cells[REFERENCE] = [read_centered(cell.path) for cell in shown(task.cells)]
        return draw_rows(cells, self.entry["fitted"]) if cells[REFERENCE] else None


def shown(cells: Sequence[GrowthCell]) -> list[GrowthCell]:
    """The GrowthCells of a page's row: no variants of another where there are enough, from all."""
    first = list({cell.group: cell for cell in reversed(cells)}.values())[::-1]
    others = [cell for cell in cells if cell not in first]
    step = len(first) / CELLS_IN_ROW
    if step < 1.0:
        return [*first, *others][:CELLS_IN_ROW]
    return [first[int(place * step)] for place in range(CELLS_IN_ROW)]


def growth_pictures(
    tasks: Mapping[str, GrowthTask], entries: Mapping[str, dict[str, Any]], processes: int
) -> dict[str, bytes]:
    """{mtype: PNG}.

    Args:
        tasks: {mtype: GrowthTask}.
        entries: {mtype: what calibrate_mtype returns}.
        processes: how many draw.
    """
    if len(tasks) > MOST_MTYPES:
        return {}
    drawings = [Drawing(task, entries[mtype]) for mtype, task in tasks.items()]
    drawn = share_out(Drawing.picture, drawings, processes)
    return {mtype: data for mtype, data in zip(tasks, drawn, strict=True) if data}
