"""Which diameter model is fitted to the references and used in growth.

NeuroTS requires that parameters and distributions name the same method, so both stages resolve
the user's configuration here.
"""

from copy import deepcopy
from dataclasses import dataclass, field

from region_grower_flow.errors import InvalidInput, nearest
from region_grower_flow.morphology import NEURITE_TYPES

DEFAULT, EXTERNAL, UNIFORM = "default", "external", "uniform"
NEUROTS_METHODS = ("M1", "M2", "M3", "M4", "M5")
EXTERNAL_MODELS = ("simpler", "generic", "astrocyte")
FITTED_KEYS = ("terminal_threshold", "taper")
"""What the models ``generic`` and ``astrocyte`` of diameter-synthesis need to be fitted."""


@dataclass(frozen=True)
class DiameterModel:
    """A diameter model.

    Attributes:
        method: NeuroTS's name: ``default`` (diameter-synthesis's ``simpler``), ``external``
            (diameter-synthesis with a configuration), ``uniform``, ``M1`` to ``M5``.
        config: the configuration as the user gave it, or None.
    """

    method: str = DEFAULT
    config: dict | None = field(default=None, hash=False)

    def parameters(self):
        """The ``diameter_params`` of an mtype's parameters.

        Mirrors what neurots.extract_input.parameters makes of ``diameter_parameters``.
        """
        if self.method == DEFAULT:
            return {"method": DEFAULT, "models": ["simpler"], **deepcopy(self.config or {})}
        return {**deepcopy(self.config or {}), "method": self.method}


def resolve_diameter_model(config):
    """The DiameterModel for a configuration.

    Args:
        config: None or ``"default"``: the simpler model; ``"M1"`` to ``"M5"``; or a dictionary:
            a configuration of diameter-synthesis (``models``, ``neurite_types``,
            ``terminal_threshold``, ``taper`` ...), or ``{"method": "uniform", neurite type:
            diameter in um}``, or ``{"method": "M1"}`` and so on. A dictionary with nothing but
            ``neurite_types`` restricts the simpler model to these.

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
    if method == DEFAULT:
        return DiameterModel(DEFAULT, _default_config(rest))
    if method in NEUROTS_METHODS:
        return DiameterModel(method, rest or None)
    if method == UNIFORM:
        return DiameterModel(UNIFORM, _uniform_config(rest))
    if method == EXTERNAL:
        return DiameterModel(EXTERNAL, _external_config(rest))
    known = (DEFAULT, EXTERNAL, UNIFORM, *NEUROTS_METHODS)
    raise _invalid(
        f"unknown method {method!r}, expected one of {', '.join(known)}", nearest(method, known)
    )


def _default_config(config):
    _check_neurite_types(config)
    return config or None


def _uniform_config(config):
    known = {name: config[name] for name in NEURITE_TYPES if name in config}
    if not known or set(known) != set(config):
        raise _invalid("the method 'uniform' expects a diameter per neurite type and nothing else")
    for name, diameter in known.items():
        if not _is_number(diameter) or diameter <= 0:
            raise _invalid(f"{name} is {diameter!r}, expected a diameter in um above 0")
    return known


def _external_config(config):
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
            raise _invalid(f"the model {models[0]!r} needs the key(s) {', '.join(missing)}")
    _check_neurite_types(config)
    return config


def _check_neurite_types(config):
    names = config.get("neurite_types", [])
    if not isinstance(names, list) or any(name not in NEURITE_TYPES for name in names):
        known = ", ".join(NEURITE_TYPES)
        raise _invalid(f"'neurite_types' is {names!r}, expected a list of {known}")


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _invalid(problem, hint=None):
    return InvalidInput(problem, "configuration of the diameter model", hint)
