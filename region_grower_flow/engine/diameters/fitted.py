"""Diameter models fitted by diameter_synthesis (mirrors diameter_synthesis.build_diameters)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from region_grower_flow.engine.diameters.base import (
    DiameterModel,
    Lacking,
    child_lists,
    trees_by_type,
    usable,
)
from region_grower_flow.errors import DropCell, InvalidInput
from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology

if TYPE_CHECKING:
    from region_grower_flow.engine.model import Params

QUANTITIES = (
    "trunk_diameters",
    "terminal_diameters",
    "tapers",
    "sibling_ratios",
    "diameter_power_relation",
)
"""Keys of the distributions, in the order of the kernels' laws."""

FORMS = ("constant", "expon_rev", "exponnorm", "gamma")
"""Names of the distributions, in the order of the kernels' forms."""

PARAMETERS = ("a", "loc", "scale", "min", "max", "value")
"""Parameters of a distribution, in the order of the kernels' columns."""

SHAPE_BOUNDS = 0.3, 4.0
"""Bounds within which diameter_synthesis keeps the shape of exponnorm and gamma."""

TRUNK_MAX_TRIES = 100
"""Tries at a tree unless the parameters say otherwise."""


@dataclass(frozen=True)
class Simpler(DiameterModel):
    """``simpler`` and ``default``: a polynomial of the relative distance to the furthest tip.

    Attributes:
        coefficients: {type: (k,) float64}; types without them keep their diameters.
    """

    coefficients: dict[str, np.ndarray | Lacking]

    kernels: ClassVar[str | None] = "diameters"

    @classmethod
    def prepare(cls, types: tuple[str, ...], model_params: Params, _diam_params: Params) -> Simpler:
        """Take the polynomials from the distributions."""
        return cls(types, {n: _polynomial(n, model_params) for n in types if n in model_params})

    def apply(
        self,
        morphology: FlatMorphology,
        apical_sections: Sequence[int | None],
        rng: np.random.Generator,
    ) -> None:
        """See DiameterModel.apply."""
        from region_grower_flow.engine.kernels import diameters as kernels

        forest = (morphology.offsets, morphology.parents, *child_lists(morphology.parents))
        trees = trees_by_type(morphology)
        for name, coefficients in self.coefficients.items():
            for tree in trees.get(NEURITE_TYPES[name], ()):
                kernels.diametrize_simpler(
                    morphology.diameters,
                    morphology.points,
                    (tree[0], tree[1]),
                    forest,
                    usable(coefficients),
                )


@dataclass(frozen=True)
class _Sampled(DiameterModel):
    """Models that draw every section's diameters.

    Attributes:
        laws: {type: (5, 7) float64 laws of the kernels}.
        rule: what tells the models apart, the number of tries at a tree, and how many times a cell
            is diametrized (the average is kept), for the kernels.
        seed: of a generator that each neurite type of each cell begins anew; None: the cell's.
    """

    laws: dict[str, np.ndarray | Lacking]
    rule: tuple[bool, float, float, float, int]
    seed: Any

    kernels: ClassVar[str | None] = "diameters_sampled"
    threshold_mode: ClassVar[bool] = True
    max_reduction: ClassVar[float] = 1.0
    taper_increase: ClassVar[float] = 0.0

    @classmethod
    def prepare(cls, types: tuple[str, ...], model_params: Params, diam_params: Params) -> _Sampled:
        """Turn each type's distributions into laws."""
        seed = diam_params.get("seed")
        try:
            np.random.default_rng(seed)
        except (TypeError, ValueError) as error:
            raise InvalidInput(
                f"{seed!r} is not a seed ({error})", "diameter_params.seed"
            ) from None
        tries = float(diam_params.get("trunk_max_tries", TRUNK_MAX_TRIES))
        samples = max(int(diam_params.get("n_samples", 1)), 1)
        rule = (cls.threshold_mode, cls.max_reduction, cls.taper_increase, tries, samples)
        needed = QUANTITIES[1:] if cls.taper_increase else QUANTITIES
        laws = {name: _laws(name, model_params, needed) for name in types}
        return cls(types, laws, rule, seed)

    def apply(
        self,
        morphology: FlatMorphology,
        apical_sections: Sequence[int | None],
        rng: np.random.Generator,
    ) -> None:
        """See DiameterModel.apply."""
        from region_grower_flow.engine.kernels import diameters_sampled as kernels

        if any(section is None for section in apical_sections):
            raise DropCell("the diameter model needs the apical point that an apical tree lacks")
        apicals = np.array(apical_sections, dtype=np.int64)
        arrays = morphology.points, morphology.offsets, morphology.parents
        forest = kernels.forest_of(*arrays, apicals)
        trees = trees_by_type(morphology)
        nothing = np.empty((0, 2), dtype=np.int64)
        generator = rng if self.seed is None else np.random.default_rng(self.seed)
        fresh = generator.bit_generator.state
        for name in self.types:
            own = trees.get(NEURITE_TYPES[name], nothing)
            laws = usable(self.laws[name]) if len(own) else NO_LAWS
            if self.seed is not None:
                generator.bit_generator.state = fresh  # a new generator takes ten times as long
            status = kernels.diametrize_sampled(
                generator, morphology.diameters, own, forest, laws, self.rule
            )
            if status == kernels.NOT_TRUNCATED:
                raise DropCell(f"a diameter distribution of {name} gives no value in its bounds")
            if status == kernels.NOT_REDUCED:
                raise DropCell(f"the diameter model of {name} never makes bifurcations thinner")


class Generic(_Sampled):
    """``generic``."""


class Astrocyte(_Sampled):
    """``astrocyte``: draws at the major branch too, and lets diameters grow at bifurcations."""

    threshold_mode = False
    max_reduction = 3.0


class NeuriteBased(_Sampled):
    """``neurite_based``: keeps the trunk's diameter, and tapers more until the tips are thin."""

    taper_increase = 1.02


NO_LAWS = np.zeros((len(QUANTITIES), 1 + len(PARAMETERS)))


def _polynomial(name: str, model_params: Params) -> np.ndarray | Lacking:
    try:
        coefficients = np.array(model_params[name], dtype=np.float64)
    except (TypeError, ValueError) as error:
        return Lacking(f"the diameter polynomial of {name} is not a list of numbers ({error})")
    if coefficients.ndim != 1 or not len(coefficients):
        return Lacking(f"the diameter polynomial of {name} is not a list of numbers")
    return coefficients


def _laws(name: str, model_params: Params, needed: Sequence[str]) -> np.ndarray | Lacking:
    """(5, 7) float64, the laws of a neurite type, or what lacks."""
    laws = NO_LAWS.copy()
    for row, quantity in enumerate(QUANTITIES):
        if quantity not in needed:
            continue
        try:
            laws[row] = _law(model_params[quantity][name], quantity)
        except (KeyError, TypeError, ValueError) as error:
            return Lacking(f"the diameter model of {name} lacks {quantity} ({error!r})")
    return laws


def _law(model: Params, quantity: str) -> list[float]:
    """(7,) float64 of one fitted distribution: its form and PARAMETERS."""
    form, params = model["distribution"], model["params"]
    if form not in FORMS:
        raise ValueError(f"unknown distribution {form!r}")
    by_form = {"constant": {"value"}, "expon_rev": {"loc", "scale", "min", "max"}}
    needed = by_form.get(form, {"a", "loc", "scale", "min", "max"})
    if quantity == "terminal_diameters":  # tips are compared with the largest
        needed = needed | {"max"}
    missing = sorted(needed - set(params))
    if missing:
        raise KeyError(*missing)
    values = [float(params.get(name, 0.0)) for name in PARAMETERS]
    values[0] = float(np.clip(values[0], *SHAPE_BOUNDS))
    return [FORMS.index(form), *values]
