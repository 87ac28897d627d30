"""How much a calibration of growth grows: less where cells are very large, so that it ends soon.

A population of the fit has 60 cells, and a fit with its check grows some 40 populations: of cells
of 20,000 sections, each of a million points, that is an hour. First populations become smaller,
then the check has fewer parts and is left out; then fewer cells still are grown, and in the end
nothing is fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from region_grower_flow.calibration.growth_moments import NAMES
from region_grower_flow.engine.distributions import Distribution
from region_grower_flow.morphology import NEURITE_TYPES

POPULATION, TOTAL = 5_000_000.0, 400_000_000.0
"""Points of a population above which it has fewer cells, and of all populations above which less is
done: a point is grown and measured in some 0.4 us."""
FEWEST_GROWN, FEWEST_OF_ALL = 8, 4
"""Cells that a population has at least for the check to be made, and at all."""
FEWEST_PARTS = 2
"""Parts of the smallest check."""
USUAL_STEP = 1.0
"""Longest step (um) that points are counted by: NeuroTS's."""


@dataclass(frozen=True)
class Amount:
    """Numbers of cells that a fit and its check grow.

    Attributes:
        cells: of a population.
        folds: parts of the check; 0: there is no check.
        of_fit, of_fold: populations that are grown for the fit, and for a part of the check.
    """

    cells: int
    folds: int
    of_fit: int
    of_fold: int

    def points(self, of_cell: float) -> float:
        """The points of all that is grown, of cells with so many points each."""
        return of_cell * self.cells * (self.of_fit + self.folds * self.of_fold)


def affordable(wanted: Amount, of_cell: float) -> Amount | None:
    """The Amount for cells of some size: the wanted one, or what is nearest to it.

    Args:
        wanted: for cells of usual size.
        of_cell: points of a grown cell.

    Returns:
        None: the cells are so large that not even the smallest fit ends soon.
    """
    most = int(POPULATION / of_cell) if of_cell > 0.0 else wanted.cells
    best = replace(wanted, cells=min(wanted.cells, max(most, FEWEST_GROWN)))
    tried = [best]
    tried += [replace(best, folds=folds) for folds in range(best.folds - 1, FEWEST_PARTS - 1, -1)]
    fewer = range(best.cells, min(best.cells, FEWEST_OF_ALL) - 1, -1)
    tried += [replace(best, cells=cells, folds=0) for cells in fewer]
    return next((each for each in tried if each.points(of_cell) <= TOTAL), None)


def points_of_cell(tables: Mapping[int, np.ndarray], params: Mapping[str, Any]) -> float:
    """About how many points a grown cell has: the cable of the cells over the length of steps.

    Args:
        tables: {kind: growth_table} of the reconstructions.
        params: of the mtype.
    """
    names = {kind: name for name, kind in NEURITE_TYPES.items()}
    return float(
        sum(
            np.mean(table[:, NAMES.index("total length")]) / _step(params.get(names[kind]) or {})
            for kind, table in tables.items()
        )
    )


def _step(entry: Mapping[str, Any]) -> float:
    """The length (um) of steps, at most the usual one."""
    try:
        step = Distribution.prepare(entry["step_size"]).middle
    except (KeyError, TypeError, ValueError, StopIteration):
        return USUAL_STEP
    return min(step, USUAL_STEP) if step > 0.0 else USUAL_STEP
