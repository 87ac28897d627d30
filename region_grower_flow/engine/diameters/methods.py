"""NeuroTS's own diameter methods (mirrors neurots.generate.diametrizer)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from region_grower_flow.engine.diameters.base import DiameterModel, Lacking, child_lists, usable
from region_grower_flow.errors import GrowthFailed
from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology

if TYPE_CHECKING:
    from region_grower_flow.engine.model import Params

TAPER_DATA = ("trunk", "trunk_taper", "taper", "term")
"""Data of M4 and M5: NeuroTS takes one of them at random."""

TaperModel: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float, float]
"""The values of TAPER_DATA in the order of the kernels, Rall's ratio and that of siblings."""


@dataclass(frozen=True)
class Unchanged(DiameterModel):
    """``no_diameters``: the diameters of growth stay."""

    def apply(
        self,
        morphology: FlatMorphology,
        apical_sections: Sequence[int | None],
        rng: np.random.Generator,
    ) -> None:
        """Leave the morphology as it is."""


@dataclass(frozen=True)
class Uniform(DiameterModel):
    """``uniform``: one diameter (um) per neurite type; types without one keep theirs.

    Attributes:
        diameters: (5,) float32, the diameter of each type by its number, NaN for none.
    """

    diameters: np.ndarray

    @classmethod
    def prepare(cls, types: tuple[str, ...], _model_params: Params, diam_params: Params) -> Uniform:
        """Take the diameters from the parameters."""
        diameters = np.full(max(NEURITE_TYPES.values()) + 1, np.nan, np.float32)
        for name in types:
            if diam_params.get(name) is not None:
                diameters[NEURITE_TYPES[name]] = float(diam_params[name])
        return cls(types, diameters)

    def apply(
        self,
        morphology: FlatMorphology,
        apical_sections: Sequence[int | None],
        rng: np.random.Generator,
    ) -> None:
        """See DiameterModel.apply: the sections of a grown tree have its type."""
        from region_grower_flow.engine.kernels.geometry import set_by_type

        set_by_type(morphology.diameters, morphology.offsets, morphology.types, self.diameters)


@dataclass(frozen=True)
class ConstantPerNeurite(DiameterModel):
    """``M1``: each tree gets the mean of its diameters."""

    def _diametrize(
        self, name: str, morphology: FlatMorphology, trees: np.ndarray, rng: np.random.Generator
    ) -> None:
        for first, last in morphology.offsets[trees]:
            morphology.diameters[first:last] = np.mean(morphology.diameters[first:last])


class _PerSection(DiameterModel):
    """Methods that NeuroTS applies to sections by their own type."""

    kernels: ClassVar[str | None] = "diameters"

    def apply(
        self,
        morphology: FlatMorphology,
        apical_sections: Sequence[int | None],
        rng: np.random.Generator,
    ) -> None:
        """See DiameterModel.apply."""
        for name in self.types:
            self._set(NEURITE_TYPES[name], morphology)

    def _set(self, kind: int, morphology: FlatMorphology) -> None:
        """Set the diameters of the sections of a type (its number)."""
        raise NotImplementedError


@dataclass(frozen=True)
class ConstantPerSection(_PerSection):
    """``M2``: each section gets the mean of its diameters."""

    def _set(self, kind: int, morphology: FlatMorphology) -> None:
        from region_grower_flow.engine.kernels import diameters as kernels

        kernels.constant_per_section(
            morphology.diameters, morphology.offsets, morphology.types, kind
        )


@dataclass(frozen=True)
class Smoothed(_PerSection):
    """``M3``: each section tapers from its first diameter by its mean taper."""

    def _set(self, kind: int, morphology: FlatMorphology) -> None:
        from region_grower_flow.engine.kernels import diameters as kernels

        kernels.smooth_sections(
            morphology.diameters,
            morphology.points,
            morphology.offsets,
            morphology.types,
            morphology.parents,
            kind,
        )


@dataclass(frozen=True)
class _Tapered(DiameterModel):
    """Methods that draw trunk, taper and terminal diameters from data of each type."""

    models: dict[str, TaperModel | Lacking]

    kernels: ClassVar[str | None] = "diameters"

    @classmethod
    def prepare(
        cls, types: tuple[str, ...], model_params: Params, _diam_params: Params
    ) -> _Tapered:
        """Take each type's data from the distributions."""
        return cls(types, {name: _taper_model(name, model_params) for name in types})

    def _diametrize(
        self, name: str, morphology: FlatMorphology, trees: np.ndarray, rng: np.random.Generator
    ) -> None:
        model = usable(self.models[name])
        starts, children = child_lists(morphology.parents)
        forest = (morphology.offsets, morphology.parents, starts, children)
        for root, end in trees:
            self._kernel(rng, morphology.diameters, morphology.points, (root, end), forest, model)

    def _kernel(self, *args: Any) -> None:
        """Set the diameters of one tree."""
        raise NotImplementedError


@dataclass(frozen=True)
class FromRoot(_Tapered):
    """``M4``: diameters from the root to the tips."""

    def _kernel(self, *args: Any) -> None:
        from region_grower_flow.engine.kernels import diameters as kernels

        kernels.diametrize_from_root(*args)


@dataclass(frozen=True)
class FromTips(_Tapered):
    """``M5``: diameters from the tips to the root."""

    def _kernel(self, *args: Any) -> None:
        from region_grower_flow.engine.kernels import diameters as kernels

        kernels.diametrize_from_tips(*args)


def _taper_model(name: str, model_params: Params) -> TaperModel | Lacking:
    """(trunk, trunk_taper, taper, term, Rall_ratio, siblings_ratio) of a type, or what lacks."""
    model = model_params.get(name) or {}
    try:
        data = [np.array(model[key], dtype=np.float64).reshape(-1) for key in TAPER_DATA]
        ratios = [float(model["Rall_ratio"]), float(model["siblings_ratio"])]
    except (KeyError, TypeError, ValueError) as error:
        return Lacking(f"the diameter model of {name} is not complete ({error!r})")
    for key, values in zip(TAPER_DATA, data, strict=True):
        if not len(values):
            return Lacking(f"the diameter model of {name} has no values of {key}", GrowthFailed)
    trunk, trunk_taper, taper, term = data
    rall_ratio, siblings_ratio = ratios
    return trunk, trunk_taper, taper, term, rall_ratio, siblings_ratio
