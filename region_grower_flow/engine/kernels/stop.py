"""When a section bifurcates or ends (mirrors neurots.generate.section's ``check_stop``)."""

import numpy as np

from region_grower_flow.engine.kernels.jit import inlined
from region_grower_flow.engine.kernels.state import (
    BIFURCATE,
    CONTINUE,
    RADIAL_DISTANCES,
    TERMINATE,
    TRUNK_LENGTH,
)


@inlined
def reached(criterion: float, value: float, rng: np.random.Generator) -> bool:
    """True if a bar's end is reached: surely beyond it, exponentially rarer before it.

    Mirrors SectionGrowerExponentialProba._check with NeuroTS's ``LAMBDA`` of 1 per um; draws only
    before the end.
    """
    remaining = criterion - value
    if remaining < 0:
        return True
    return rng.random() < np.exp(-remaining)


@inlined
def metric_value(section: np.record, rules: np.record) -> float:
    """The value that the barcode is compared with.

    Mirrors SectionGrowerPath.get_val and SectionGrowerTMD.get_val. The radial distance is taken,
    as in NeuroTS, from the point (ref, ref, ref), where ``ref`` is the path distance at which the
    section began.
    """
    if rules.metric != RADIAL_DISTANCES:
        return section.pathlength
    x = section.last[0] - section.ref
    y = section.last[1] - section.ref
    z = section.last[2] - section.ref
    return np.sqrt(x * x + y * y + z * z)


@inlined
def section_state(section: np.record, rules: np.record, rng: np.random.Generator) -> int:
    """CONTINUE, BIFURCATE or TERMINATE after a step (mirrors SectionGrower.next)."""
    if rules.metric == TRUNK_LENGTH:
        if section.n_points < rules.num_seg:
            return CONTINUE
        return BIFURCATE if section.children != 0 else TERMINATE
    value = metric_value(section, rules)
    if reached(section.bif, value, rng):
        return BIFURCATE
    if reached(section.term, value, rng):
        return TERMINATE
    return CONTINUE
