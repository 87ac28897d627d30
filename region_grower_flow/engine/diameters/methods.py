"""NeuroTS's own diameter methods (mirrors neurots.generate.diametrizer)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from region_grower_flow.engine.diameters.base import DiameterModel, Lacking, child_lists, usable
from region_grower_flow.errors import GrowthFailed
from region_grower_flow.morphology import NEURITE_TYPES

TAPER_DATA = ("trunk", "trunk_taper", "taper", "term")
"""Data of M4 and M5: NeuroTS takes one of them at random."""


@dataclass(frozen=True)
class Unchanged(DiameterModel):
    """``no_diameters``: the diameters of growth stay."""

    @classmethod
    def prepare(cls, types, _model_params, _diam_params):
        """Nothing to prepare."""
        return cls(types)

    def apply(self, morphology, apical_sections, rng):
        """Leave the morphology as it is."""


@dataclass(frozen=True)
class Uniform(DiameterModel):
    """``uniform``: one diameter (um) per neurite type; types without one keep theirs.

    Attributes:
        diameters: (5,) float32, the diameter of each type by its number, NaN for none.
    """

    diameters: np.ndarray

    @classmethod
    def prepare(cls, types, _model_params, diam_params):
        """Take the diameters from the parameters."""
        diameters = np.full(max(NEURITE_TYPES.values()) + 1, np.nan, np.float32)
        for name in types:
            if diam_params.get(name) is not None:
                diameters[NEURITE_TYPES[name]] = float(diam_params[name])
        return cls(types, diameters)

    def apply(self, morphology, apical_sections, rng):
        """See DiameterModel.apply: the sections of a grown tree have its type."""
        from region_grower_flow.engine.kernels.geometry import set_by_type

        set_by_type(morphology.diameters, morphology.offsets, morphology.types, self.diameters)


@dataclass(frozen=True)
class ConstantPerNeurite(DiameterModel):
    """``M1``: each tree gets the mean of its diameters."""

    @classmethod
    def prepare(cls, types, _model_params, _diam_params):
        """Nothing to prepare."""
        return cls(types)

    def _diametrize(self, name, morphology, trees, rng):
        for first, last in morphology.offsets[trees]:
            morphology.diameters[first:last] = np.mean(morphology.diameters[first:last])


class _PerSection(DiameterModel):
    """Methods that NeuroTS applies to sections by their own type."""

    kernels: ClassVar[str | None] = "diameters"

    @classmethod
    def prepare(cls, types, _model_params, _diam_params):
        """Nothing to prepare."""
        return cls(types)

    def apply(self, morphology, apical_sections, rng):
        """See DiameterModel.apply."""
        for name in self.types:
            self._diametrize(name, morphology, None, rng)


@dataclass(frozen=True)
class ConstantPerSection(_PerSection):
    """``M2``: each section gets the mean of its diameters."""

    def _diametrize(self, name, morphology, trees, rng):
        from region_grower_flow.engine.kernels import diameters as kernels

        kernels.constant_per_section(
            morphology.diameters, morphology.offsets, morphology.types, NEURITE_TYPES[name]
        )


@dataclass(frozen=True)
class Smoothed(_PerSection):
    """``M3``: each section tapers from its first diameter by its mean taper."""

    def _diametrize(self, name, morphology, trees, rng):
        from region_grower_flow.engine.kernels import diameters as kernels

        kernels.smooth_sections(
            morphology.diameters,
            morphology.points,
            morphology.offsets,
            morphology.types,
            morphology.parents,
            NEURITE_TYPES[name],
        )


@dataclass(frozen=True)
class _Tapered(DiameterModel):
    """Methods that draw trunk, taper and terminal diameters from data of each type."""

    models: dict

    kernels: ClassVar[str | None] = "diameters"

    @classmethod
    def prepare(cls, types, model_params, _diam_params):
        """Take each type's data from the distributions."""
        return cls(types, {name: _taper_model(name, model_params) for name in types})

    def _diametrize(self, name, morphology, trees, rng):

        model = usable(self.models[name])
        starts, children = child_lists(morphology.parents)
        forest = (morphology.offsets, morphology.parents, starts, children)
        for root, end in trees:
            self._kernel(rng, morphology.diameters, morphology.points, (root, end), forest, model)


@dataclass(frozen=True)
class FromRoot(_Tapered):
    """``M4``: diameters from the root to the tips."""

    def _kernel(self, *args):
        from region_grower_flow.engine.kernels import diameters as kernels

        kernels.diametrize_from_root(*args)


@dataclass(frozen=True)
class FromTips(_Tapered):
    """``M5``: diameters from the tips to the root."""

    def _kernel(self, *args):
        from region_grower_flow.engine.kernels import diameters as kernels

        kernels.diametrize_from_tips(*args)


def _taper_model(name, model_params):
    """(trunk, trunk_taper, taper, term, Rall_ratio, siblings_ratio) of a type, or what lacks."""
    model = model_params.get(name)
    try:
        data = [np.array(model[key], dtype=np.float64).reshape(-1) for key in TAPER_DATA]
        ratios = [float(model["Rall_ratio"]), float(model["siblings_ratio"])]
    except (KeyError, TypeError, ValueError) as error:
        return Lacking(f"the diameter model of {name} is not complete ({error!r})")
    for key, values in zip(TAPER_DATA, data, strict=True):
        if not len(values):
            return Lacking(f"the diameter model of {name} has no values of {key}", GrowthFailed)
    return (*data, *ratios)
