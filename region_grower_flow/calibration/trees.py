"""TMD's trees of the reference cells, with a quick path distance.

TMD 2.4 looks through all points of a tree for the children of each point, which is most of the
time of an extraction. The distances here are made of the same numbers in the same order, so that
they, and the barcodes, are equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from region_grower_flow.calibration.mending import open_as_used


def load_trees(paths: Iterable[str]) -> Any:
    """TMD's Population of cells, whose trees measure path distances quickly.

    Args:
        paths: the morphology files (h5, swc, asc).

    Returns:
        tmd.Population.Population.
    """
    from tmd.io.io import load_neuron_from_morphio
    from tmd.Population import Population

    population = Population.Population()
    for path in paths:
        population.append_neuron(load_neuron_from_morphio(open_as_used(path)))
    for tree in population.neurites:
        # TMD asks each tree for its filtration by the method's name: here it finds this one.
        tree.get_point_path_distances = partial(path_distances, tree)
    return population


def path_distances(tree: Any) -> np.ndarray:
    """The path distance (um) of each point of a TMD tree from its root: (N,) float64.

    Mirrors tmd.Tree.methods.get_point_path_distances.
    """
    points = np.column_stack([tree.x, tree.y, tree.z])
    parents = tree.p
    steps = points[1:] - points[parents[1:]]
    # One product per row as in numpy.linalg.norm: sums over all rows at once round otherwise.
    squares = np.fromiter((step.dot(step) for step in steps), dtype=points.dtype, count=len(steps))
    lengths = np.sqrt(squares).tolist()
    distances = [0.0]
    for parent, length in zip(parents[1:].tolist(), lengths, strict=True):
        distances.append(length + distances[parent])
    return np.array(distances)
