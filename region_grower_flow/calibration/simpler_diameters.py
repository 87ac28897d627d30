"""The diameter model ``simpler`` of diameter-synthesis, fitted quickly to cells of any size.

diameter-synthesis measures all sections between a section and the root anew, for each section: 8 s
of CPU for a cell of 20,000 sections. Here each is measured once (:mod:`ways`), and the models are
equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from region_grower_flow.calibration.ways import Ways

FIT_ORDERS = {"basal_dendrite": 1, "apical_dendrite": 2, "axon": 1}
"""Orders of the polynomials."""


def fit_simpler(cells: Iterable[Any], neurite_types: Sequence[str]) -> dict[str, list[float]]:
    """{neurite type: coefficients} of the diameters of sections over their way to the farthest tip.

    Mirrors diameter_synthesis.simpler_diametrizer.build_simpler_model.

    Args:
        cells: NeuroM morphologies.
        neurite_types: those to fit; one without any tree has no coefficients.
    """
    from neurom import NeuriteType
    from numpy.polynomial import Polynomial

    found: dict[str, list[float]] = {}
    for name in neurite_types:
        all_lengths: list[float] = []
        all_diameters: list[float] = []
        for cell in cells:
            trees = [tree for tree in cell.neurites if tree.type == getattr(NeuriteType, name)]
            rows = [row for tree in trees for row in _sections_of(tree)]
            if rows:
                lengths = np.array([length for length, _ in rows])
                all_lengths += (lengths / lengths.max()).tolist()
                all_diameters += np.array([diameter for _, diameter in rows]).tolist()
        found[name] = []
        if all_diameters:
            fit = Polynomial.fit(all_lengths, all_diameters, FIT_ORDERS[name])
            found[name] = fit.convert().coef.tolist()
    return found


def _sections_of(tree: Any) -> list[tuple[Any, Any]]:
    """(way to the farthest tip from the section's start (um), mean diameter (um)) of each section.

    Args:
        tree: a NeuroM neurite.
    """
    ways = Ways.of(tree)
    tips = list(ways.paths)
    for i in range(len(tips) - 1, 0, -1):  # a section comes before those below it
        tips[ways.parents[i]] = max(tips[ways.parents[i]], tips[i])
    return [
        (tip - path + length, 2 * np.mean(points[:, 3]))
        for tip, path, length, points in zip(
            tips, ways.paths, ways.lengths, ways.points, strict=True
        )
    ]
