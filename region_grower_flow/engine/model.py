"""Inputs and results of the growth of one cell, whichever engine grows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from region_grower_flow.morphology import Y_DIRECTION, FlatMorphology
from region_grower_flow.space.scaling import BarcodeScaling

if TYPE_CHECKING:
    from region_grower_flow.space.constraints import Constraint

__all__ = ["BarcodeScaling", "Grown", "GrowthSite"]

Params: TypeAlias = Mapping[str, Any]
"""Parameters, or distributions, of an mtype as NeuroTS takes them."""

ScalingLog: TypeAlias = dict[str, list[dict[str, float]]]
"""{kind of scaling: for each tree ``max_ph`` (um) and ``scaling_ratio``}."""


class Diametrizer(Protocol):
    """Sets the diameters of an mtype's cells."""

    def apply(
        self,
        morphology: FlatMorphology,
        apical_sections: Sequence[int | None],
        rng: np.random.Generator,
    ) -> None:
        """Set the diameters of a grown cell, in place.

        Args:
            morphology: the cell; its diameters are what growth gives, 1 um.
            apical_sections: for each apical tree the section that ends at its apical point.
            rng: the cell's generator.
        """


@dataclass(frozen=True)
class GrowthSite:
    """Site of a cell's growth: all that depends on the cell and not on its mtype.

    Attributes:
        position: (3,) float64, the soma's center in the atlas (um).
        orientation: (3, 3) float64, the atlas's rotation at the cell.
        scaling: {neurite type: BarcodeScaling}; types without an entry keep their barcodes.
        constraints: space constraints (boundaries and directions) that apply to this cell, in
            region-grower's order (directions, then boundaries): see ``space.constraints``.
        debug: keep what the debug data report of the barcode scaling.
    """

    position: np.ndarray
    orientation: np.ndarray
    scaling: Mapping[str, BarcodeScaling] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    debug: bool = False

    @property
    def y_direction(self) -> np.ndarray:
        """(3,) float64, the direction of the pia at the cell, in the atlas."""
        return np.dot(self.orientation, Y_DIRECTION)


@dataclass
class Grown:
    """A grown and diametrized cell, in the coordinates of the atlas.

    Attributes:
        morphology: the cell (see FlatMorphology for the order of sections).
        apical_sections: for each apical tree, in order of the end of its growth, the index of the
            section that ends at its apical point, or None.
        engine: ``"compiled"`` or ``"neurots"``: what grew it.
        fallback: why the compiled engine passed the cell on to NeuroTS, or None.
        scaling_log: {neurite type kind: [...]} as in region-grower's debug data.
    """

    morphology: FlatMorphology
    apical_sections: list[int | None]
    engine: str
    fallback: str | None = None
    scaling_log: ScalingLog = field(default_factory=dict)
