"""A morphology as flat arrays: what growth, diameters, grafting and the writers exchange.

Sections are kept in MorphIO's order of reading (depth first, a section before its descendants, the
root sections one after the other). As in MorphIO, the first point of a section that has a parent
repeats the last point of the parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import morphio

SOMA, AXON, BASAL_DENDRITE, APICAL_DENDRITE = 1, 2, 3, 4
NEURITE_TYPES = {"axon": AXON, "basal_dendrite": BASAL_DENDRITE, "apical_dendrite": APICAL_DENDRITE}

Y_DIRECTION = (0.0, 1.0, 0.0)
"""Towards the pia, in the axes of a cell: before the atlas's orientation is applied."""


@dataclass
class FlatMorphology:
    """A neuron as arrays (all lengths in um).

    Attributes:
        points: (N, 3) float32, the points of all sections, one section after the other.
        diameters: (N,) float32.
        offsets: (M + 1,) int64; section ``i`` holds ``points[offsets[i]:offsets[i + 1]]``.
        types: (M,) int32, MorphIO section types (2 axon, 3 basal, 4 apical dendrite).
        parents: (M,) int64, the parent section of each section, -1 for a root section.
        soma_points: (S, 3) float32, the soma's contour (S >= 3) or its center (S = 1).
        soma_diameters: (S,) float32.
    """

    points: np.ndarray
    diameters: np.ndarray
    offsets: np.ndarray
    types: np.ndarray
    parents: np.ndarray
    soma_points: np.ndarray
    soma_diameters: np.ndarray

    @property
    def n_sections(self) -> int:
        """The number of sections (the soma is not one)."""
        return len(self.types)

    def section(self, index: int) -> np.ndarray:
        """The (n, 3) points of section ``index`` (a view)."""
        return self.points[self.offsets[index] : self.offsets[index + 1]]

    @property
    def steps(self) -> np.ndarray:
        """(N - 1,) lengths (um) from each point to the next one; 0 from one section to another."""
        steps = np.linalg.norm(np.diff(self.points.astype(float), axis=0), axis=1)
        steps[self.offsets[1:-1] - 1] = 0
        return steps

    @property
    def soma_radius(self) -> float:
        """Radius (um) of the soma, of a contour the mean distance from its center; 0 for none."""
        points = self.soma_points.astype(float)
        if len(points) == 1:
            return float(self.soma_diameters[0]) / 2
        center = points.mean(axis=0) if len(points) else np.zeros(3)
        return float(np.linalg.norm(points - center, axis=1).mean()) if len(points) else 0.0

    def centered(self) -> FlatMorphology:
        """The same cell, moved so that the center of its soma is the origin."""
        soma = self.soma_points
        center = soma.mean(axis=0, dtype=float) if len(soma) else np.zeros(3)
        return replace(
            self,
            points=(self.points - center).astype(np.float32),
            soma_points=(soma - center).astype(np.float32),
        )

    @classmethod
    def from_morphio(
        cls, morphology: morphio.Morphology | morphio.mut.Morphology
    ) -> FlatMorphology:
        """Flatten a :class:`morphio.mut.Morphology` or :class:`morphio.Morphology`.

        Section ids of a mutable morphology follow its creation, so the arrays follow a traversal:
        root sections in order, each depth first.
        """
        sections = list(_depth_first(morphology.root_sections))
        index = {section.id: i for i, section in enumerate(sections)}
        counts = [len(section.points) for section in sections]
        return cls(
            points=_stack([section.points for section in sections], (0, 3)),
            diameters=_stack([section.diameters for section in sections], (0,)),
            offsets=np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64),
            types=np.array([int(section.type) for section in sections], dtype=np.int32),
            parents=np.array(
                [-1 if section.is_root else index[section.parent.id] for section in sections],
                dtype=np.int64,
            ),
            soma_points=np.array(morphology.soma.points, dtype=np.float32).reshape(-1, 3),
            soma_diameters=np.array(morphology.soma.diameters, dtype=np.float32),
        )

    def to_morphio(self) -> morphio.mut.Morphology:
        """Build the :class:`morphio.mut.Morphology` with the same content."""
        from morphio import PointLevel, SectionType, SomaType
        from morphio.mut import Morphology

        morphology = Morphology()
        morphology.soma.points = self.soma_points
        morphology.soma.diameters = self.soma_diameters
        contour = len(self.soma_points) != 1
        morphology.soma.type = (
            SomaType.SOMA_SIMPLE_CONTOUR if contour else SomaType.SOMA_SINGLE_POINT
        )
        sections = []
        for i in range(self.n_sections):
            window = slice(self.offsets[i], self.offsets[i + 1])
            level = PointLevel(self.points[window], self.diameters[window])
            kind = SectionType(int(self.types[i]))
            if self.parents[i] < 0:
                sections.append(morphology.append_root_section(level, kind))
            else:
                sections.append(sections[self.parents[i]].append_section(level, kind))
        return morphology


def _depth_first(root_sections: Iterable[Any]) -> Iterator[Any]:
    pending = list(root_sections)[::-1]
    while pending:
        section = pending.pop()
        yield section
        pending.extend(list(section.children)[::-1])


def _stack(arrays: list[np.ndarray], empty_shape: tuple[int, ...]) -> np.ndarray:
    if not arrays:
        return np.empty(empty_shape, dtype=np.float32)
    return np.concatenate(arrays).astype(np.float32, copy=False)
