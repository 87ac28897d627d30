"""The order of trees in the files: NEURON's."""

from dataclasses import replace

import numpy as np

from region_grower_flow.morphology import FlatMorphology


def nrn_ordered(morphology: FlatMorphology) -> tuple[FlatMorphology, np.ndarray]:
    """Order root sections by type (axon, basal, apical), as NEURON does, each tree as it was.

    Mirrors ``morphio.Option.nrn_order``: a stable sort of the root sections by their type number.

    Returns:
        The ordered FlatMorphology (a copy), and an (M,) array: the new index of each old section.
    """
    from region_grower_flow.engine.kernels.geometry import by_root_type

    points, diameters, offsets, types, parents, new = by_root_type(
        morphology.points,
        morphology.diameters,
        morphology.offsets,
        morphology.types,
        morphology.parents,
    )
    ordered = replace(
        morphology,
        points=points,
        diameters=diameters,
        offsets=offsets,
        types=types,
        parents=parents,
    )
    return ordered, new
