"""Small random morphologies for tests, as flat arrays."""

import numpy as np

from region_grower_flow.morphology import APICAL_DENDRITE, BASAL_DENDRITE, FlatMorphology

SOMA_RADIUS = 8.0


def random_tree_parents(rng, n_sections, n_children=2):
    """Parents (relative, -1 first) of a random tree in reading order.

    Every section that branches has ``n_children`` children; the number of sections is reached
    exactly when ``n_sections - 1`` is a multiple of ``n_children``, else just exceeded.
    """
    children = {0: []}
    leaves = [0]
    while len(children) < n_sections:
        parent = leaves.pop(int(rng.integers(len(leaves))))
        new = range(len(children), len(children) + n_children)
        children[parent] = list(new)
        for child in new:
            children[child] = []
            leaves.append(child)
    parents, pending = [], [(0, -1)]
    while pending:
        section, parent = pending.pop()
        index = len(parents)
        parents.append(parent)
        pending.extend((child, index) for child in reversed(children[section]))
    return parents


def random_section(rng, start, direction, n_points, step):
    """(n_points, 3) float32: a persistent random walk from ``start``."""
    points = [np.asarray(start, dtype=np.float32)]
    for _ in range(n_points - 1):
        direction = direction + rng.normal(scale=0.4, size=3)
        direction = direction / np.linalg.norm(direction)
        points.append((points[-1] + step * direction).astype(np.float32))
    return np.array(points, dtype=np.float32)


def random_morphology(
    seed=0,
    trees=((BASAL_DENDRITE, 7), (BASAL_DENDRITE, 5), (APICAL_DENDRITE, 11)),
    n_points=(3, 12),
    n_children=2,
    diameters="one",
):
    """A FlatMorphology of random walks around a contour soma at the origin.

    Args:
        seed: of everything random.
        trees: (type, number of sections) of each tree, in order.
        n_points: least and most points of a section.
        n_children: of each section that branches.
        diameters: "one" (as grown, before diameters) or "random".
    """
    rng = np.random.default_rng(seed)
    points, types, parents = [], [], []
    for kind, n_sections in trees:
        first = len(types)
        for parent in random_tree_parents(rng, n_sections, n_children):
            direction = rng.normal(size=3)
            direction /= np.linalg.norm(direction)
            start = SOMA_RADIUS * direction if parent < 0 else points[first + parent][-1]
            count = int(rng.integers(n_points[0], n_points[1] + 1))
            points.append(random_section(rng, start, direction, count, rng.uniform(0.5, 6.0)))
            types.append(kind)
            parents.append(-1 if parent < 0 else first + parent)
    total = sum(len(section) for section in points)
    values = np.ones(total) if diameters == "one" else rng.uniform(0.2, 3.0, total)
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    contour = SOMA_RADIUS * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    return FlatMorphology(
        points=np.concatenate(points).astype(np.float32) if points else np.empty((0, 3), "f4"),
        diameters=values.astype(np.float32),
        offsets=np.concatenate([[0], np.cumsum([len(p) for p in points])]).astype(np.int64),
        types=np.array(types, dtype=np.int32),
        parents=np.array(parents, dtype=np.int64),
        soma_points=contour.astype(np.float32),
        soma_diameters=np.zeros(len(contour), dtype=np.float32),
    )


def copy_morphology(morphology):
    """A FlatMorphology with arrays of its own."""
    return FlatMorphology(**{name: value.copy() for name, value in vars(morphology).items()})


def measured_cell(name, morphology):
    """The MeasuredCell of a FlatMorphology with a soma."""
    from region_grower_flow.calibration.measured import MeasuredCell

    center = morphology.soma_points.astype(float).mean(axis=0)
    return MeasuredCell(name, morphology, center, morphology.soma_radius)
