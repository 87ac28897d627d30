"""Morphologies with what grown cells seldom have: sections with one child or three, sections
without length, children that start beside their parent's end, single points, changing diameters.
"""

import numpy as np
from hypothesis import strategies as st

from region_grower_flow.morphology import FlatMorphology

SOMA_SIZES = (1, 3, 9)


def odd_morphology(seed, odd=True):
    """A random FlatMorphology; without ``odd`` all its sections are sound."""
    return _Builder(np.random.default_rng(seed), odd).build()


def morphologies(odd=True):
    """Hypothesis strategy of :func:`odd_morphology`."""
    return st.integers(0, 10_000).map(lambda seed: odd_morphology(seed, odd))


class _Builder:
    def __init__(self, rng, odd):
        self.rng, self.odd = rng, odd
        self.sections, self.diameters, self.types, self.parents = [], [], [], []

    def build(self):
        for kind in self.rng.choice([2, 3, 4, 4], size=self.rng.integers(0, 5)):
            self._grow(-1, int(kind), 0)
        counts = [len(section) for section in self.sections]
        soma = self._soma(int(self.rng.choice(SOMA_SIZES)))
        return FlatMorphology(
            points=np.concatenate([np.empty((0, 3)), *self.sections]).astype(np.float32),
            diameters=np.concatenate([[], *self.diameters]).astype(np.float32),
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            types=np.array(self.types, dtype=np.int32),
            parents=np.array(self.parents, dtype=np.int64),
            soma_points=soma.astype(np.float32),
            soma_diameters=np.full(len(soma), 6.0 if len(soma) == 1 else 0.25, dtype=np.float32),
        )

    def _soma(self, size):
        if size == 1:
            return self.rng.normal(size=(1, 3))
        angles = np.linspace(0, 6, size)
        radius = 8 + self.rng.normal(size=size)
        return np.column_stack([radius * np.cos(angles), radius * np.sin(angles), 0 * angles])

    def _grow(self, parent, kind, depth):
        rng, odd = self.rng, self.odd
        index, is_child = len(self.types), parent >= 0
        start = self.sections[parent][-1] if is_child else 8 * rng.normal(size=3)
        if odd and is_child and rng.random() < 0.1:
            start = start + rng.normal(size=3)
        steps = 5 * rng.normal(size=(rng.integers(1, 5), 3))
        points = np.concatenate([start[np.newaxis], start + np.cumsum(steps, axis=0)])
        if odd and rng.random() < 0.15:
            points = points[[0, 0]]
        if odd and is_child and rng.random() < 0.15:
            points = points[:1]
        diameters = rng.choice([1.0, 0.5, 0.3], size=len(points))
        if is_child and rng.random() < 0.5:
            diameters[0] = self.diameters[parent][-1]
        self.sections.append(points.astype(np.float32))
        self.diameters.append(diameters.astype(np.float32))
        self.types.append(kind)
        self.parents.append(parent)
        chances = [0.5, 0.15, 0.3, 0.05] if odd else [0.5, 0.0, 0.5, 0.0]
        for _ in range(rng.choice(4, p=chances) if depth < 5 else 0):
            self._grow(index, kind, depth + 1)


def assert_same(found, expected):
    """Both FlatMorphologies hold the same arrays, bit for bit."""
    for name, value in vars(expected).items():
        np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)
