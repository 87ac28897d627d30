"""Base of the diameter models: their face, and the trees of a morphology by type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NoReturn, TypeVar

import numpy as np

from region_grower_flow.errors import DropCell, FlowError
from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology

if TYPE_CHECKING:
    from region_grower_flow.engine.model import Params

T = TypeVar("T")


@dataclass(frozen=True)
class DiameterModel:
    """Model of the diameters of an mtype's cells.

    Attributes:
        types: names of the neurite types that get diameters, in the order of their draws.
        kernels: the group of kernels that is called, None for none.
    """

    types: tuple[str, ...]

    kernels: ClassVar[str | None] = None

    @classmethod
    def prepare(
        cls, types: tuple[str, ...], _model_params: Params, _diam_params: Params
    ) -> DiameterModel:
        """Prepare the model of an mtype; this one needs nothing but its neurite types.

        Args:
            types: names of the neurite types that get diameters.
            _model_params: ``diameter`` of the mtype's distributions.
            _diam_params: ``diameter_params`` of its parameters.
        """
        return cls(types)

    def apply(
        self,
        morphology: FlatMorphology,
        apical_sections: Sequence[int | None],
        rng: np.random.Generator,
    ) -> None:
        """Set the diameters of a grown cell, in place.

        Args:
            morphology: the FlatMorphology; every diameter is what growth gives, 1 um.
            apical_sections: the section that ends at the apical point of each apical tree, or None.
            rng: the cell's :class:`numpy.random.Generator`.

        Raises:
            GrowthFailed: NeuroTS would fail with NeuroTSError or ValueError, and try again.
            DropCell: the model cannot make diameters for this cell.
        """
        trees = trees_by_type(morphology)
        for name in self.types:
            if len(trees.get(NEURITE_TYPES[name], ())):
                self._diametrize(name, morphology, trees[NEURITE_TYPES[name]], rng)

    def _diametrize(
        self, name: str, morphology: FlatMorphology, trees: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Set the diameters of the trees of one type ((T, 2) int64: first, one past last)."""


def trees_by_type(morphology: FlatMorphology) -> dict[int, np.ndarray]:
    """{type: (T, 2) int64, the first and one past the last section of its trees}."""
    roots = np.flatnonzero(morphology.parents < 0)
    ranges = np.stack([roots, np.append(roots[1:], morphology.n_sections)], axis=1)
    types = morphology.types[roots]
    return {int(kind): ranges[types == kind] for kind in sorted(set(types.tolist()))}


def child_lists(parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The children of each section: those of ``i`` are ``children[starts[i]:starts[i + 1]]``."""
    inner = np.flatnonzero(parents >= 0)
    counts = np.bincount(parents[inner], minlength=len(parents))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return starts, inner[np.argsort(parents[inner], kind="stable")]


@dataclass(frozen=True)
class Lacking:
    """Stand-in for the model of a neurite type whose parameters are not complete."""

    reason: str
    error: type[FlowError] = DropCell

    def fail(self) -> NoReturn:
        """Raise what a cell with such a tree gets."""
        raise self.error(self.reason)


def usable(model: T | Lacking) -> T:
    """The model of a neurite type, unless it is lacking (then its error is raised)."""
    if isinstance(model, Lacking):
        model.fail()
    return model
