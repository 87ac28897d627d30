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
    offsets, parents = morphology.offsets, morphology.parents
    sections = np.arange(morphology.n_sections)
    roots = np.maximum.accumulate(np.where(parents < 0, sections, -1))
    old = np.argsort(morphology.types[roots], kind="stable")
    new = np.empty_like(old)
    new[old] = sections
    counts = np.diff(offsets)[old]
    moved = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    points = np.repeat(offsets[old] - moved[:-1], counts) + np.arange(len(morphology.points))
    ordered = replace(
        morphology,
        points=morphology.points[points],
        diameters=morphology.diameters[points],
        offsets=moved,
        types=morphology.types[old],
        parents=np.where(parents[old] < 0, -1, new[parents[old]]),
    )
    return ordered, new
