"""Custom overrides of parameters, applied after everything else.

Overrides are {mtype or ``"*"``: {path: value}}. A path has dots (``apical_dendrite.randomness``)
or is nested mappings; both may be mixed. ``"*"`` stands for all mtypes and is applied first; in it,
a neurite type means the mtypes that grow it. Mappings are merged, everything else is replaced.
"""

from copy import deepcopy

from region_grower_flow.errors import InvalidInput, InvalidInputs, nearest, some
from region_grower_flow.morphology import NEURITE_TYPES

ALL_MTYPES = "*"
WHERE = "overrides"
OPAQUE = ("orientation", "modify", "origin", "grow_types", "pia_direction")
"""Values that are replaced as a whole, even when they are mappings."""
FREE = ("diameter_params",)
"""Mappings whose keys depend on the model: any key is accepted."""
LIMIT_KEYS = ("layer", "fraction")
CONSTRAINT_KEYS = {
    "extent_to_target": (*LIMIT_KEYS, "slope", "intercept"),
    "hard_limit_min": LIMIT_KEYS,
    "hard_limit_max": LIMIT_KEYS,
}
STEP_SIZES = ("norm", "uniform", "expon", "data")


def apply_overrides(parameters, overrides):
    """Apply overrides to the parameters of all mtypes, in place.

    Args:
        parameters: {mtype: NeuroTS parameters}.
        overrides: {mtype or "*": {path: value}}, or None.

    Returns:
        the changes, in order: [{mtype, path, old, new}]; ``old`` is None for a new key.

    Raises:
        InvalidInputs: unknown mtypes or paths; nothing is changed then.
    """
    if not overrides:
        return []
    settings, problems = _settings(parameters, overrides)
    if problems:
        raise InvalidInputs(problems)
    return [_set(parameters[mtype], mtype, path, value) for mtype, path, value in settings]


def _settings(parameters, overrides):
    """([(mtype, path as a tuple of keys, value)], problems)."""
    if not isinstance(overrides, dict):
        return [], [InvalidInput(f"expected a mapping of mtypes, found {overrides!r}", WHERE)]
    settings, problems = [], []
    for mtype in sorted(overrides, key=lambda name: name != ALL_MTYPES):
        entry = overrides[mtype]
        if mtype != ALL_MTYPES and mtype not in parameters:
            problems.append(
                InvalidInput(
                    f"unknown mtype {mtype!r}", WHERE, _capital(nearest(mtype, parameters))
                )
            )
        elif not isinstance(entry, dict):
            problems.append(
                InvalidInput(f"expected a mapping, found {entry!r}", f"{WHERE}, {mtype}")
            )
        else:
            for path, value in _leaves(entry):
                found, problem = _place(parameters, mtype, path, value)
                settings += found
                problems += problem
    return settings, problems


def _leaves(entry, above=()):
    """Every (path, value) of an override, dots and nesting alike."""
    for key, value in entry.items():
        path = (*above, *str(key).split("."))
        if isinstance(value, dict) and value and path[-1] not in OPAQUE:
            yield from _leaves(value, path)
        else:
            yield path, value


def _place(parameters, mtype, path, value):
    """The mtypes that a path applies to, or why it applies to none."""
    dotted = ".".join(path)
    known = known_keys(path)
    if known:
        level, names = known
        hint = _capital(nearest(path[level], names)) or f"Known are {some(names, 20)}"
        where = f"{WHERE}, {mtype}, {dotted}"
        return [], [InvalidInput(f"unknown key {path[level]!r}", where, hint)]
    mtypes = list(parameters) if mtype == ALL_MTYPES else [mtype]
    if path[0] in NEURITE_TYPES:
        growing = [name for name in mtypes if parameters[name].get(path[0])]
        if not growing:
            who = "no mtype" if mtype == ALL_MTYPES else "the mtype"
            verb = "grows" if mtype == ALL_MTYPES else "does not grow"
            return [], [InvalidInput(f"{who} {verb} {path[0]}", f"{WHERE}, {mtype}, {dotted}")]
        mtypes = growing
    return [(name, path, value) for name in mtypes], []


def known_keys(path):
    """None when NeuroTS or region-grower know this path, else (level, names known at it)."""
    names = _top_keys()
    for level, key in enumerate(path):
        if names is None:
            return None
        if key not in names:
            return level, sorted(names)
        names = _keys_below(path[: level + 1])
    return None


def _top_keys():
    from neurots.validator import PARAMS_SCHEMA

    return {*PARAMS_SCHEMA["properties"], *NEURITE_TYPES, "context_constraints"}


def _keys_below(path):
    """The keys that are known below a known path; None: any."""
    if path[-1] in OPAQUE or path[0] in FREE:
        return None
    if path[0] in NEURITE_TYPES:
        return _neurite_keys(path[1:])
    if path[0] == "context_constraints":
        levels = (NEURITE_TYPES, CONSTRAINT_KEYS, CONSTRAINT_KEYS.get(path[-1], ()), ())
        return levels[min(len(path), len(levels)) - 1]
    return ()


def _neurite_keys(path):
    if not path:
        from neurots.validator import PARAMS_SCHEMA

        return PARAMS_SCHEMA["definitions"]["neurite"]["properties"]
    if path[0] != "step_size":
        return ()
    return STEP_SIZES if len(path) == 1 else None


def _set(parameters, mtype, path, value):
    inner = parameters
    for key in path[:-1]:
        if not isinstance(inner.get(key), dict):
            inner[key] = {}
        inner = inner[key]
    old = deepcopy(inner.get(path[-1]))
    inner[path[-1]] = deepcopy(value)
    return {"mtype": mtype, "path": ".".join(path), "old": old, "new": deepcopy(value)}


def _capital(text):
    return text[:1].upper() + text[1:]
