"""Relations of dendrites to the layers, which the reconstructions cannot give.

``parameter_overrides.json`` is merged into the parameters that are made from the reconstructions:
apical dendrites grow up to their layer wherever the soma lies (path length per extent is that of
the reference cells), and no dendrite leaves through the pia.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from region_grower_flow.example.targets import CellType
from region_grower_flow.morphology import APICAL_DENDRITE, FlatMorphology

TARGET_FRACTION = 0.8
"""Apical dendrites aim at this height in their target layer (0: its bottom, 1: its top)."""
LOWEST_FRACTION = 0.1
"""The top of an apical dendrite is stretched at least to this height in its target layer."""
HIGHEST = {"layer": 1, "fraction": 0.99}
"""No dendrite is higher than this in the cortex: 99 % of layer 1."""

References: TypeAlias = dict[CellType, list[tuple[float, FlatMorphology]]]
"""{cell type: [(soma depth in um, cell)]}."""


def parameter_overrides(references: References) -> dict[str, Any]:
    """The overrides of each m-type.

    Args:
        references: {cell type: [(soma depth in um, FlatMorphology)]}.

    Returns:
        {mtype: {"context_constraints": {neurite type: limits}}}
    """
    overrides = {}
    for cell_type, cells in references.items():
        limits = {"basal_dendrite": {"hard_limit_max": HIGHEST}}
        if cell_type.apical is not None:
            layer = cell_type.apical.target_layer
            limits["apical_dendrite"] = {
                "extent_to_target": {
                    "layer": layer,
                    "fraction": TARGET_FRACTION,
                    "slope": apical_slope([cell for _, cell in cells]),
                    "intercept": 0.0,
                },
                "hard_limit_min": {"layer": layer, "fraction": LOWEST_FRACTION},
                "hard_limit_max": HIGHEST,
            }
        overrides[cell_type.mtype] = {"context_constraints": limits}
    return overrides


def apical_slope(cells: Sequence[FlatMorphology]) -> float:
    """Longest apical path per um of vertical extent, the mean over cells."""
    slopes = []
    for cell in cells:
        apical = np.flatnonzero(cell.types == APICAL_DENDRITE)
        lengths, path = section_lengths(cell), {-1: 0.0}
        for section in apical:
            path[int(section)] = path[int(cell.parents[section])] + lengths[section]
        extent = max(float(cell.section(i)[:, 1].max()) for i in apical)
        slopes.append(max(path.values()) / extent)
    return round(float(np.mean(slopes)), 4)


def section_lengths(morphology: FlatMorphology) -> np.ndarray:
    """The path length (um) of each section."""
    return np.array(
        [
            np.linalg.norm(np.diff(morphology.section(i), axis=0), axis=1).sum()
            for i in range(morphology.n_sections)
        ]
    )
