"""Populations of small made-up cells whose properties the tests choose."""

from dataclasses import dataclass, replace

import numpy as np

from region_grower_flow.morphology import APICAL_DENDRITE, BASAL_DENDRITE, FlatMorphology
from region_grower_flow.validation.cells import ValidationCell

SOMA_RADIUS = 5.0


@dataclass(frozen=True)
class Recipe:
    """How cells are made.

    Attributes:
        basals: mean number of basal trees (at least 2 each).
        apicals: number of apical trees, which leave along +y.
        length: mean length of a section, um.
        branching: probability that a section bifurcates, up to ``depth`` times.
        depth: largest number of bifurcations from root to tip.
        toward_pia: added to y of the basal trunks' random directions.
        spread: deviation of the logarithm of a cell's size.
    """

    basals: float = 4.0
    apicals: int = 0
    length: float = 40.0
    branching: float = 0.7
    depth: int = 4
    toward_pia: float = 0.0
    spread: float = 0.15


def make_cells(count, seed, recipe=None, **changes):
    """``count`` ValidationCells by a recipe."""
    recipe = replace(recipe or Recipe(), **changes)
    rng = np.random.default_rng([seed, 7])
    return [ValidationCell(f"cell {seed}-{i}", make_morphology(rng, recipe)) for i in range(count)]


def make_morphology(rng, recipe):
    """One FlatMorphology by a recipe."""
    sections = []
    size = np.exp(recipe.spread * rng.normal())
    for _ in range(max(2, rng.poisson(recipe.basals))):
        direction = unit(unit(rng.normal(size=3)) + [0, recipe.toward_pia, 0])
        grow(sections, rng, recipe, size, BASAL_DENDRITE, direction)
    for _ in range(recipe.apicals):
        direction = unit(np.array([0, 1.0, 0]) + 0.1 * rng.normal(size=3))
        grow(sections, rng, recipe, 2 * size, APICAL_DENDRITE, direction)
    return flat(sections)


def grow(sections, rng, recipe, size, kind, direction):
    """Append a tree: sections of three points, depth first."""
    pending = [(-1, SOMA_RADIUS * direction, direction, 0)]
    while pending:
        parent, start, direction, order = pending.pop()
        step = size * recipe.length * rng.uniform(0.5, 1.5) / 2
        middle = start + step * direction
        end = middle + step * unit(direction + 0.3 * rng.normal(size=3))
        sections.append((np.array([start, middle, end]), kind, parent, 1.5 * size * 0.8**order))
        if order < recipe.depth and rng.random() < recipe.branching:
            for _ in range(2):
                turned = unit(direction + 0.6 * rng.normal(size=3))
                pending.append((len(sections) - 1, end, turned, order + 1))


def flat(sections):
    """The FlatMorphology of (points, type, parent, diameter) around a contour soma."""
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    contour = SOMA_RADIUS * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    lengths = [len(points) for points, *_ in sections]
    return FlatMorphology(
        points=np.concatenate([s[0] for s in sections]).astype(np.float32),
        diameters=np.repeat([s[3] for s in sections], lengths).astype(np.float32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        types=np.array([s[1] for s in sections], dtype=np.int32),
        parents=np.array([s[2] for s in sections], dtype=np.int64),
        soma_points=contour.astype(np.float32),
        soma_diameters=np.zeros(8, dtype=np.float32),
    )


def unit(vector):
    """The unit vector along a vector."""
    vector = np.asarray(vector, dtype=float)
    return vector / np.linalg.norm(vector)


def by_test(verdicts, neurite_type=None):
    """{test: Verdict} of one neurite type."""
    return {v.test: v for v in verdicts if neurite_type in (None, v.neurite_type)}
