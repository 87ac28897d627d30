"""The diameter model that is fitted to the references and used in growth.

NeuroTS requires that parameters and distributions name the same method, so both stages resolve
the user's configuration here.

NeuroTS has one method per mtype. What it can express per neurite type: the diameter of
``uniform``; which types get diameters at all (``neurite_types``); the settings of the fits of
``generic`` and ``astrocyte`` (FITTED_KEYS, each a value or {neurite type: value}); and ``simpler``
for some types beside ``uniform`` for others, since a polynomial may be constant. Other methods
cannot be mixed within an mtype, nor can settings that only growth reads (``n_samples``,
``trunk_max_tries``, ``seed``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from region_grower_flow.calibration.morphologies import ExaminedCell
from region_grower_flow.errors import InvalidInput, nearest
from region_grower_flow.io.documents import is_number
from region_grower_flow.morphology import NEURITE_TYPES

DEFAULT, EXTERNAL, UNIFORM = "default", "external", "uniform"
NEUROTS_METHODS = ("M1", "M2", "M3", "M4", "M5")
EXTERNAL_MODELS = ("simpler", "generic", "astrocyte")
FITTED_KEYS = ("terminal_threshold", "taper")
"""Keys that the models ``generic`` and ``astrocyte`` of diameter-synthesis need to be fitted."""
SIMPLER = "simpler"

SAMPLES = 101
"""Places between a tree's tips (0) and its soma (1) at which a fitted line is looked at."""


THIN = 0.5
"""Share of the thinnest reconstructed diameter below which fitted ones are told."""


def least_diameters(diameter: Mapping[str, Any]) -> dict[str, float]:
    """{neurite type: the least diameter (um)} that a fitted ``simpler`` model gives.

    The model is a polynomial of the distance from the tips (0) to the soma (1). It may be negative:
    a line through steeply tapering dendrites passes below 0 at their tips.

    Args:
        diameter: the ``diameter`` of an mtype's distributions; other models give nothing.
    """
    import numpy as np

    places = np.linspace(0.0, 1.0, SAMPLES)
    return {
        name: float(np.polynomial.Polynomial(diameter[name])(places).min())
        for name in NEURITE_TYPES
        if isinstance(diameter.get(name), list) and diameter[name]
    }


def thin_diameters(diameter: Mapping[str, Any], thinnest: Mapping[str, float]) -> Iterator[str]:
    """Sentences on fitted diameters that no reconstruction has, without the mtype and full stop.

    The reference's model has the same values, so they stay; grown cells have them at their tips.

    Args:
        diameter: the ``diameter`` of an mtype's distributions.
        thinnest: {neurite type: the least diameter (um) of the reconstructions}.
    """
    for name, least in least_diameters(diameter).items():
        known = thinnest.get(name)
        if least <= 0.0:
            yield (
                f"the diameters fitted to its {name} go down to {least:.2f} um, and grown cells "
                "will have such: look at the diameters of its cells, or choose another model "
                "(diametrizer_config)"
            )
        elif known and least < THIN * known:
            yield (
                f"the diameters fitted to its {name} go down to {least:.2g} um, below the "
                f"thinnest reconstructed ({known:.2g} um), and the tips of grown cells will be as "
                "thin: another model (diametrizer_config) is not"
            )


def thinnest_of(cells: Iterable[ExaminedCell]) -> dict[str, float]:
    """{neurite type: the least diameter (um)} of ExaminedCells."""
    found: dict[str, float] = {}
    for cell in cells:
        for name, value in cell.thinnest.items():
            found[name] = min(value, found.get(name, value))
    return found


@dataclass(frozen=True)
class DiameterModel:
    """A diameter model.

    Attributes:
        method: NeuroTS's name: ``default`` (diameter-synthesis's ``simpler``), ``external``
            (diameter-synthesis with a configuration), ``uniform``, ``M1`` to ``M5``.
        config: the configuration as the user gave it, or None.
        constants: {neurite type: diameter (um)} of types that ``default`` makes uniform.
    """

    method: str = DEFAULT
    config: dict[str, Any] | None = field(default=None, hash=False)
    constants: dict[str, float] | None = field(default=None, hash=False)

    def parameters(self) -> dict[str, Any]:
        """The ``diameter_params`` of an mtype's parameters.

        Mirrors what neurots.extract_input.parameters makes of ``diameter_parameters``.
        """
        if self.method == DEFAULT:
            return {"method": DEFAULT, "models": ["simpler"], **deepcopy(self.config or {})}
        return {**deepcopy(self.config or {}), "method": self.method}

    def fitter(self, neurite_types: Iterable[str]) -> Callable[[Any], dict[str, Any]] | str | None:
        """NeuroTS's argument ``diameter_model`` for an mtype that grows these neurite types."""
        if self.method == EXTERNAL:
            config = {"neurite_types": list(neurite_types), **(self.config or {})}
            return partial(_build, config=config)
        if self.method in (DEFAULT, UNIFORM):
            return None
        return self.method

    def complete(self, diameter: dict[str, Any], neurite_types: Iterable[str]) -> dict[str, Any]:
        """NeuroTS's fit (``distributions["diameter"]``), completed by what it cannot fit."""
        if self.method == UNIFORM:
            return {"method": UNIFORM}
        constants = self.constants or {}
        return diameter | {name: [constants[name]] for name in neurite_types if name in constants}


def _build(morphologies: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """The model that diameter_synthesis builds, type by type where their settings differ."""
    from diameter_synthesis import build_models

    if not any(_by_type(config.get(key)) for key in FITTED_KEYS):
        return build_models.build(morphologies, config=config)
    found: dict[str, Any] = {}
    for name in config["neurite_types"]:
        own = {key: config[key][name] for key in FITTED_KEYS if _by_type(config.get(key))}
        model = build_models.build(morphologies, config={**config, **own, "neurite_types": [name]})
        for quantity, by_type in model.items():
            found.setdefault(quantity, {}).update(by_type)
    return found


def _by_type(value: object) -> bool:
    """True if a setting is {neurite type: value}."""
    return isinstance(value, dict) and bool(value) and set(value) <= set(NEURITE_TYPES)


def resolve_diameter_model(config: Any) -> DiameterModel:
    """The DiameterModel for a configuration.

    Args:
        config: None or ``"default"``: the simpler model; ``"M1"`` to ``"M5"``; or a dictionary:
            a configuration of diameter-synthesis (``models``, ``neurite_types``,
            ``terminal_threshold``, ``taper`` ...), or ``{"method": "uniform", neurite type:
            diameter in um}``, or ``{"method": "M1"}`` and so on. A dictionary with nothing but
            ``neurite_types`` restricts the simpler model to these. The method may also be
            {neurite type: method}, where NeuroTS can express that (see above).

    Raises:
        InvalidInput: the configuration is none of these.
    """
    if config is None or config in (DEFAULT, "simpler"):
        return DiameterModel()
    if isinstance(config, str):
        config = {"method": config}
    if not isinstance(config, dict):
        raise _invalid(f"expected a mapping or the name of a model, found {config!r}")
    method = config.get("method", DEFAULT if set(config) == {"neurite_types"} else EXTERNAL)
    rest = {key: value for key, value in config.items() if key != "method"}
    if isinstance(method, dict):
        return _per_type(method, rest)
    if method in EXTERNAL_MODELS and method != SIMPLER:
        method, rest = EXTERNAL, {"models": [method], **rest}
    if method in (DEFAULT, SIMPLER):
        return DiameterModel(DEFAULT, _default_config(rest))
    if method in NEUROTS_METHODS:
        return DiameterModel(method, rest or None)
    if method == UNIFORM:
        return DiameterModel(UNIFORM, _uniform_config(rest))
    if method == EXTERNAL:
        return DiameterModel(EXTERNAL, _external_config(rest))
    known = (DEFAULT, EXTERNAL, *EXTERNAL_MODELS, UNIFORM, *NEUROTS_METHODS)
    raise _invalid(
        f"unknown method {method!r}, expected one of {', '.join(known)}", nearest(method, known)
    )


def _per_type(methods: Mapping[str, Any], rest: dict[str, Any]) -> DiameterModel:
    """The DiameterModel for {neurite type: method}."""
    for name in methods:
        if name not in NEURITE_TYPES:
            raise _invalid(f"{name!r} is no neurite type", nearest(name, NEURITE_TYPES))
    found = {name: DEFAULT if m == SIMPLER else m for name, m in methods.items()}
    kinds = set(map(str, found.values()))
    if kinds == {UNIFORM} or (len(kinds) == 1 and kinds < set(NEUROTS_METHODS)):
        if kinds != {UNIFORM} and not {"basal_dendrite", "apical_dendrite"} <= set(found):
            raise _invalid(f"the method {kinds.pop()!r} makes the diameters of all neurite types")
        return resolve_diameter_model({"method": kinds.pop(), **rest})
    if len(kinds) == 1 and kinds != {DEFAULT}:
        return resolve_diameter_model({"neurite_types": list(found), **rest, "method": kinds.pop()})
    if not kinds <= {DEFAULT, UNIFORM}:
        raise _invalid(
            f"NeuroTS has one method per mtype: {', '.join(sorted(kinds))} cannot be mixed",
            f"only {SIMPLER} may be mixed with {UNIFORM}",
        )
    uniform = {name for name, method in found.items() if method == UNIFORM}
    given = {name: value for name, value in rest.items() if name in uniform}
    if set(given) != uniform or set(rest) != uniform:
        raise _invalid("expected a diameter for each type of the method 'uniform', and no more")
    constants = _uniform_config(given) if uniform else None
    return DiameterModel(DEFAULT, {"neurite_types": list(found)}, constants)


def _default_config(config: dict[str, Any]) -> dict[str, Any] | None:
    _check_neurite_types(config)
    return config or None


def _uniform_config(config: Mapping[str, Any]) -> dict[str, float]:
    known = {name: config[name] for name in NEURITE_TYPES if name in config}
    if not known or set(known) != set(config):
        raise _invalid("the method 'uniform' expects a diameter per neurite type and nothing else")
    for name, diameter in known.items():
        if not is_number(diameter) or diameter <= 0:
            raise _invalid(f"{name} is {diameter!r}, expected a diameter in um above 0")
    return known


def _external_config(config: dict[str, Any]) -> dict[str, Any]:
    models = config.get("models")
    if not isinstance(models, list) or not models or not isinstance(models[0], str):
        raise _invalid(f"'models' is {models!r}, expected a list with the name of a model")
    for model in models:
        if model not in EXTERNAL_MODELS:
            known = ", ".join(EXTERNAL_MODELS)
            raise _invalid(f"unknown model {model!r}, expected one of {known}")
    if models[0] != "simpler":
        missing = [key for key in FITTED_KEYS if key not in config]
        if missing:
            raise _invalid(f"the model {models[0]!r} needs {', '.join(missing)}")
    _check_neurite_types(config)
    for key in FITTED_KEYS:
        wanted = config.get("neurite_types", NEURITE_TYPES)
        missing = [name for name in wanted if _by_type(config.get(key)) and name not in config[key]]
        if missing:
            hint = "Give it for each type, or name the types that get diameters in 'neurite_types'"
            raise _invalid(f"{key!r} is given by type, but not for {', '.join(missing)}", hint)
    return config


def _check_neurite_types(config: Mapping[str, Any]) -> None:
    names = config.get("neurite_types", [])
    if not isinstance(names, list) or any(name not in tuple(NEURITE_TYPES) for name in names):
        known = ", ".join(NEURITE_TYPES)
        raise _invalid(f"'neurite_types' is {names!r}, expected a list of {known}")


def _invalid(problem: str, hint: str | None = None) -> InvalidInput:
    return InvalidInput(problem, "configuration of the diameter model", hint)
