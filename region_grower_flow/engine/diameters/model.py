"""The diametrizer of an mtype, prepared once and applied to each of its cells.

``prepare`` reads what does not depend on the cell; ``DiameterModel.apply`` draws what the
reference draws. Mirrors neurots.generate.grower.NeuronGrower._init_diametrizer and
neurots.generate.diametrizer.build with region-grower's choice of the external diametrizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from region_grower_flow.engine.diameters import fitted, methods
from region_grower_flow.engine.diameters.base import DiameterModel
from region_grower_flow.errors import InvalidInput, nearest
from region_grower_flow.morphology import NEURITE_TYPES

if TYPE_CHECKING:
    from region_grower_flow.engine.model import Params

EXTERNAL, DEFAULT = "external", "default"

NEUROTS_METHODS = {
    "uniform": methods.Uniform,
    "M1": methods.ConstantPerNeurite,
    "M2": methods.ConstantPerSection,
    "M3": methods.Smoothed,
    "M4": methods.FromRoot,
    "M5": methods.FromTips,
    "no_diameters": methods.Unchanged,
}

EXTERNAL_MODELS = {
    "simpler": fitted.Simpler,
    "generic": fitted.Generic,
    "astrocyte": fitted.Astrocyte,
    "neurite_based": fitted.NeuriteBased,
}


def prepare(params: Params, distributions: Params) -> DiameterModel:
    """Prepare the diameters of one mtype.

    Args:
        params: NeuroTS parameters of the mtype (current names of neurite types).
        distributions: NeuroTS distributions of the mtype.

    Returns:
        DiameterModel

    Raises:
        InvalidInput: the method, model, seed or a neurite type is unknown, or the distributions
            ask for the external diametrizer and the parameters don't.
    """
    model_params = distributions["diameter"]
    diam_params = params.get("diameter_params", {})
    types = diam_params.get("neurite_types")
    types = tuple(params["grow_types"] if types is None else types)
    for name in types:
        if name not in NEURITE_TYPES:
            where = "diameter_params.neurite_types"
            raise InvalidInput(
                f"{name!r} is not a neurite type", where, nearest(name, NEURITE_TYPES)
            )
    make = _choose(model_params.get("method"), diam_params)
    return make.prepare(types, model_params, diam_params)


def kernels_of(params: Params, distributions: Params) -> str | None:
    """The group of kernels that an mtype's diameters call, None for none (nothing raises)."""
    try:
        method = distributions["diameter"].get("method")
        return _choose(method, params.get("diameter_params", {})).kernels
    except (AttributeError, KeyError, TypeError, InvalidInput):
        return None  # the mtype's cells will be dropped with the reason


def _choose(method: str | None, diam_params: Params) -> type[DiameterModel]:
    """The class for a method of the distributions; the external one has models of its own."""
    if method == DEFAULT:
        return fitted.Simpler
    if method == EXTERNAL:
        if diam_params.get("method") != EXTERNAL:
            raise InvalidInput(
                f"the distributions use the external diametrizer, the parameters have "
                f"{diam_params.get('method')!r}",
                where="diameter_params.method",
                hint="set it to 'external'",
            )
        models = diam_params.get("models") or [None]
        return _look_up(models[0], EXTERNAL_MODELS, "diameter_params.models")
    return _look_up(method, NEUROTS_METHODS, "diameter.method")


def _look_up(
    name: Any, known: Mapping[str, type[DiameterModel]], where: str
) -> type[DiameterModel]:
    if name not in known:
        hint = nearest(name, known) or f"known are {', '.join(known)}"
        raise InvalidInput(f"{name!r} is not a way to make diameters", where, hint)
    return known[name]


__all__ = ["DiameterModel", "kernels_of", "prepare"]
