"""The numbers of growth that reconstructions teach: usual values, bounds, and where they stand.

The usual values are one set for all mtypes, found on rat and mouse reconstructions; they serve as
they are where cells are too few to fit anything, and as the mean of the prior elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

from region_grower_flow.calibration.growth_fit import AT_ONE_SCALE, COMPARED, SPREAD, Lever
from region_grower_flow.engine.kernels.state import METHODS, TRUNK
from region_grower_flow.engine.levers import KEY
from region_grower_flow.morphology import NEURITE_TYPES

NONE, PARAMETERS, EXTENDED = "none", "parameters", "extended"
"""Modes of a calibration of growth: none, within NeuroTS's parameters, with growth levers."""

PARAMETER_METHOD = "M4"
"""NeuroTS's diameter method that comes closest, used by PARAMETERS where none is configured."""
BAR_THRESHOLD = 0
"""All trees give a barcode: the small ones are not replaced by large ones."""

NEUROTS = ("randomness", "targeting")
"""Fitted numbers that NeuroTS itself has, in the parameters of a neurite type."""

MOST_TOGETHER = 0.95
"""Largest sum of the weights of randomness and targeting; the history has the rest."""

_WITHIN_NEUROTS = (
    Lever("randomness", 0.2, 0.5, 0.02, 0.8, 0.25),
    Lever("targeting", 0.35, 0.7, 0.01, 0.6, -0.3),
)
_WITH_LEVERS = (
    Lever("randomness", 0.1, 0.6, 0.02, 0.45, 0.25),
    Lever("wander", 0.15, 0.6, 0.005, 1.0, 0.2),
    Lever("wander_length", 16.0, 0.5, 4.0, 200.0, 0.3),
    Lever("angle_scale", 1.0, 0.06, 0.6, 1.5, 0.1),
)

FITTED = {PARAMETERS: _WITHIN_NEUROTS, EXTENDED: _WITH_LEVERS}
"""{mode: the Levers that are fitted for each neurite type}."""

COMPARED_IN = {PARAMETERS: AT_ONE_SCALE, EXTENDED: COMPARED}
"""{mode: the moments that a fit compares}: what its numbers cannot change is left out."""

USUAL_SPREAD = {PARAMETERS: None, EXTENDED: 0.08}

_SHARED: dict[str, dict[str, Any]] = {
    PARAMETERS: {
        "branching_method": "bio_oriented",
        # Steps of nearly one length: sections that race for the next bar stay side by side, and
        # trees are less lopsided. Longer ones make a longer memory: branches bend less finely.
        "step_size": {"norm": {"mean": 2.0, "std": 0.1}},
    },
    EXTENDED: {"targeting": 0.5},
}
"""{mode: parameters of a neurite type that are set and not fitted}."""

_LEVERS: dict[str, Any] = {
    "angles": "measured",
    "fresh_start": True,
    "owner_exponent": 0.6,
    "owner_fidelity": 1.0,
    "trunks": "measured",
    "trunk_jitter": 0.08,
    "heading": 0.95,
    "steer": 1.0,
    "bending": "measured",
    "size_spread": 0.08,
    "diameters": "measured",
}
# Few apical dendrites are reconstructed, and one sees it when they come again: their branches
# leave where and whence they like somewhat more than others do.
_FREER = {"owner_fidelity": 0.8, "heading": 0.8}
_OF_TYPE = {"apical_dendrite": {"owner_exponent": 0.0, "trunk_jitter": 0.05, **_FREER}}
_OF_CELL = {"soma": "drawn", "kin": 0.2}


def can_have_levers(params: Mapping[str, Any], name: str) -> bool:
    """True if the growth of a neurite type can use growth levers: it follows bars of paths."""
    entry = params.get(name) or {}
    return _grows_bars(entry) and entry.get("metric") == "path_distances"


def _grows_bars(entry: Mapping[str, Any]) -> bool:
    return METHODS.get(entry.get("growth_method", ""), TRUNK) != TRUNK


def calibrated_types(params: Mapping[str, Any], mode: str) -> list[str]:
    """The neurite types of an mtype's parameters that a mode acts on."""
    types = [name for name in params.get("grow_types", []) if params.get(name)]
    if mode == EXTENDED:
        return [name for name in types if can_have_levers(params, name)]
    return [name for name in types if _grows_bars(params[name])]


def fitted_levers(
    params: Mapping[str, Any], mode: str, kept: Collection[tuple[str, str]] = ()
) -> dict[str, tuple[Lever, ...]]:
    """{neurite type: Levers to fit}, without what is kept as it is.

    Args:
        params: of the mtype.
        mode: PARAMETERS or EXTENDED.
        kept: {(neurite type, name)} that are not touched.
    """
    return {
        name: tuple(lever for lever in FITTED[mode] if (name, lever.name) not in kept)
        for name in calibrated_types(params, mode)
    }


def with_values(
    params: Mapping[str, Any],
    mode: str,
    values: Mapping[str, Mapping[str, float]] | None = None,
    kept: Collection[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Parameters with the usual values of a mode, and some values in their place.

    Args:
        params: of the mtype; they are not changed.
        mode: PARAMETERS or EXTENDED.
        values: {neurite type: {name: value}} of FITTED and SPREAD; None: the usual ones.
        kept: {(neurite type, name)} that are not touched.

    Returns:
        New parameters.
    """
    found = dict(deepcopy(params))
    levers = {}
    for name in calibrated_types(params, mode):
        given = (values or {}).get(name) or usual_values(mode)
        fixed = {**deepcopy(_SHARED[mode]), **{key: given[key] for key in NEUROTS if key in given}}
        found[name] |= {key: value for key, value in fixed.items() if (name, key) not in kept}
        _fit_together(found[name], name, kept)
        if mode == EXTENDED:
            own = {**_LEVERS, **_OF_TYPE.get(name, {})}
            own |= {key: value for key, value in given.items() if key not in NEUROTS}
            levers[name] = {key: v for key, v in own.items() if (name, key) not in kept}
    if levers:
        found[KEY] = {**_OF_CELL, **levers, **_given_levers(found, levers)}
    return found


def _given_levers(
    params: Mapping[str, Any], levers: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """Levers that the parameters have already: they win."""
    given = params.get(KEY) or {}
    return {
        key: {**levers.get(key, {}), **value} if isinstance(value, dict) else value
        for key, value in given.items()
    }


def _fit_together(entry: dict[str, Any], name: str, kept: Collection[tuple[str, str]]) -> None:
    """Randomness and targeting leave something for the history, whichever may be changed."""
    over = entry.get("randomness", 0.0) + entry.get("targeting", 0.0) - MOST_TOGETHER
    for key in ("targeting", "randomness"):
        if over > 0.0 and (name, key) not in kept:
            less = min(over, entry[key])
            entry[key], over = entry[key] - less, over - less


def usual_values(mode: str) -> dict[str, float]:
    """{name: value} of a neurite type, before anything is fitted."""
    values = {lever.name: lever.start for lever in FITTED[mode]}
    spread = USUAL_SPREAD[mode]
    return values if spread is None else values | {SPREAD: spread}


def kept_by_hand(
    generated: Mapping[str, Any], built: Mapping[str, Any]
) -> frozenset[tuple[str, str]]:
    """{(neurite type, name)} whose values overrides or fitted laws have set.

    Args:
        generated, built: parameters of the mtype before and after these.
    """
    kept = set()
    for name in NEURITE_TYPES:
        old, new = generated.get(name) or {}, built.get(name) or {}
        kept |= {(name, key) for key in new if key in old and new[key] != old[key]}
        if (name, "orientation") in kept:
            kept |= {(name, "trunks"), (name, "trunk_jitter")}
    return frozenset(kept)


def at_bounds(values: Mapping[str, Mapping[str, float]], mode: str) -> list[tuple[str, str]]:
    """Names of fitted values that are at a bound, as (neurite type, name)."""
    bounds = {lever.name: (lever.low, lever.high) for lever in FITTED[mode]}
    return [
        (kind, name)
        for kind, own in values.items()
        for name, value in own.items()
        if name in bounds and any(abs(value - b) <= 1e-6 * max(abs(b), 1) for b in bounds[name])
    ]


def pulls(values: Mapping[str, Mapping[str, float]], mode: str) -> dict[str, dict[str, float]]:
    """{neurite type: {name: how far the value lies from the usual one, in sd of the prior}}."""
    levers = {lever.name: lever for lever in FITTED[mode]}
    return {
        kind: {
            name: (levers[name].scaled(value) - levers[name].scaled(levers[name].start))
            / levers[name].sd
            for name, value in own.items()
            if name in levers
        }
        for kind, own in values.items()
    }
