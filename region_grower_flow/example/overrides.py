"""What the reconstructions cannot say: how dendrites relate to the layers.

``parameter_overrides.json`` is merged into the parameters that are made from the reconstructions:
apical dendrites grow up to layer 1 wherever the soma lies (the slope from extent to path length is
fitted to the reference cells), and no dendrite leaves through the pia.
"""

import numpy as np

from region_grower_flow.morphology import APICAL_DENDRITE

from .measures import section_lengths

TARGET = {"layer": 1, "fraction": 0.8}
"""Apical dendrites aim at this place: 80 % of the way from the bottom of layer 1 to the pia."""
HIGHEST = {"layer": 1, "fraction": 0.99}
LOWEST_APICAL = {"layer": 1, "fraction": 0.1}


def parameter_overrides(references):
    """The overrides of each m-type.

    Args:
        references: {mtype: [(soma depth in um, FlatMorphology)]}.

    Returns:
        {mtype: {"context_constraints": {neurite type: limits}}}
    """
    overrides = {}
    for mtype, cells in references.items():
        limits = {"basal_dendrite": {"hard_limit_max": HIGHEST}}
        if any((cell.types == APICAL_DENDRITE).any() for _, cell in cells):
            limits["apical_dendrite"] = {
                "extent_to_target": {**TARGET, "slope": apical_slope(cells), "intercept": 0.0},
                "hard_limit_min": LOWEST_APICAL,
                "hard_limit_max": HIGHEST,
            }
        overrides[mtype] = {"context_constraints": limits}
    return overrides


def apical_slope(cells):
    """Longest apical path per um of vertical extent, the mean over cells."""
    slopes = []
    for _, cell in cells:
        apical = np.flatnonzero(cell.types == APICAL_DENDRITE)
        lengths, path = section_lengths(cell), {-1: 0.0}
        for section in apical:
            path[int(section)] = path[int(cell.parents[section])] + lengths[section]
        extent = max(float(cell.section(i)[:, 1].max()) for i in apical)
        slopes.append(max(path.values()) / extent)
    return round(float(np.mean(slopes)), 4)
