"""A cell under test, and the same cell as NeuroM and TMD want it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology


@dataclass
class ValidationCell:
    """One cell of a population under test.

    Attributes:
        name: the cell.
        morphology: FlatMorphology (um), the soma's center near the origin and the pia along +y.
        measured: what has been measured of it, so that no tier measures twice: {key: value}.
    """

    name: str
    morphology: FlatMorphology
    measured: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: Hashable, measure: Callable[[], Any]) -> Any:
        """``measure()``, or what it returned the first time for this key."""
        if key not in self.measured:
            self.measured[key] = measure()
        return self.measured[key]

    def neurom(self, neurite_type: str | None = None) -> Any:
        """The cell, with its trees of one type or of all, as :class:`neurom.core.Morphology`."""
        from neurom.core.morphology import Morphology

        return Morphology(of_type(self.morphology, neurite_type).to_morphio(), name=self.name)

    def tmd(self, neurite_type: str | None = None) -> Any:
        """The cell, with its trees of one type or of all, as :class:`tmd.Neuron.Neuron`."""
        from tmd.io.io import load_neuron_from_morphio

        return load_neuron_from_morphio(
            of_type(self.morphology, neurite_type).to_morphio().as_immutable()
        )

    def scaled(self, factor: float) -> ValidationCell:
        """The cell with all lengths and diameters multiplied by ``factor``, nothing measured."""
        old = self.morphology
        morphology = dataclasses.replace(
            old,
            points=old.points * factor,
            diameters=old.diameters * factor,
            soma_points=old.soma_points * factor,
            soma_diameters=old.soma_diameters * factor,
        )
        return ValidationCell(f"{self.name} x {factor:g}", morphology)


def count_with(cells: Iterable[ValidationCell], neurite_type: str) -> int:
    """Number of ValidationCells that have trees of a type."""
    return sum(NEURITE_TYPES[neurite_type] in cell.morphology.types for cell in cells)


def of_type(morphology: FlatMorphology, neurite_type: str | None) -> FlatMorphology:
    """The FlatMorphology with the soma and the trees of one neurite type only (None: of all).

    The axon of a cell may be larger than all of its dendrites.
    """
    if neurite_type is None:
        return morphology
    kept = morphology.types == NEURITE_TYPES[neurite_type]
    if kept.all():
        return morphology
    lengths = np.diff(morphology.offsets)
    points = np.repeat(kept, lengths)
    numbers = np.cumsum(kept) - 1
    # A root stays one; a section whose parent is of another type becomes one.
    parents = morphology.parents[kept]
    stays = (parents >= 0) & kept[parents]
    return dataclasses.replace(
        morphology,
        points=morphology.points[points],
        diameters=morphology.diameters[points],
        offsets=np.concatenate([[0], np.cumsum(lengths[kept])]),
        types=morphology.types[kept],
        parents=np.where(stays, numbers[parents], -1),
    )
