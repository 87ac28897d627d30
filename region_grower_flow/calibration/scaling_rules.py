"""Rules of how far dendrites reach in the layers, turned into ``context_constraints``.

Rules are synthesis-workflow's: {mtype or ``default``: {neurite type: {limit: {layer, fraction}}}}
with the limits ``hard_limit_min`` (the lowest place for the top of the neurite), ``hard_limit_max``
(the highest) and ``extent_to_target`` (the place that it is stretched to). An mtype without a limit
of its own takes that of ``default``.

Mirrors synthesis_workflow.synthesis.add_scaling_rules_to_parameters. What differs: layers have
names; a limit that is null in an mtype's rules switches the default's off; targets of ``default``
get their fit as well (without it growth could not use them); neurites that an mtype does not grow
get no constraint.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from region_grower_flow.errors import InvalidInput, counted, nearest, some
from region_grower_flow.io import layer_names
from region_grower_flow.io.documents import is_number
from region_grower_flow.io.layer_names import Layer
from region_grower_flow.morphology import NEURITE_TYPES

WHERE = "scaling rules"
DEFAULT = "default"
TARGET, LOWEST, HIGHEST = "extent_to_target", "hard_limit_min", "hard_limit_max"
FRACTIONS = {LOWEST: 0.0, TARGET: 0.5, HIGHEST: 1.0}
"""Heights in the layer that rules without a fraction mean, in the order of the result."""
AXON = "axon"
POOR = 0.1
"""Residual (share of the path distances) that is no reason for a remark, whatever R2: variants of
one reconstruction have nearly the same path distances."""

_NUMBERED = re.compile(r"[Ll]?([0-9]+)\Z")


@dataclass
class Constraints:
    """Outcome of :func:`add_constraints`: notes (sentences) and problems (InvalidInput)."""

    notes: list[str] = field(default_factory=list)
    problems: list[InvalidInput] = field(default_factory=list)


def layer_number(layer: object, layers: Sequence[Sequence[Layer]] = ()) -> int | str:
    """The number of a layer, from 1 at the top, as region-grower takes it; or its name.

    Args:
        layer: its name, or a number, or ``L`` and a number.
        layers: the lists of layers, from the top, of the regions that the parameters serve; empty
            when no region structure is known.

    A name comes before a number: in the layers 1, 2, 3, 5, 6 the layer 5 is the fourth. Where it is
    not at the same place in all regions, or is a name that some do not have, the name (a text) is
    the answer: the synthesis finds the place region by region.

    Raises:
        ValueError: unknown, with the known names; or named differently in regions that share
            parameters, at different places.
    """
    text = str(layer).strip()
    numbered = _NUMBERED.match(text)
    if isinstance(layer, bool) or not text:
        raise ValueError(f"{layer!r} is no layer")
    spelt = [text, *(numbered.groups() if numbered else ())]
    found = [_name_and_place(spelt, names) for names in layers]
    known = {entry for entry in found if entry is not None}
    names, places = ({entry[i] for entry in known} for i in (0, 1))
    if len(names) == 1 and (len(places) > 1 or (None in found and not numbered)):
        return names.pop()
    if len(places) > 1:
        words = " and ".join(str(place) for place in sorted(places))
        raise ValueError(f"the layer {layer!r} is number {words} in regions that share parameters")
    if places:
        return places.pop()
    if not numbered:
        raise ValueError(f"there is no layer {layer!r}")
    number = int(numbered.group(1))
    most = max((len(names) for names in layers), default=None)
    if number < 1 or (most is not None and number > most):
        raise ValueError(f"there is no layer {layer!r}" + (f", only {most}" if most else ""))
    return number


def _name_and_place(spelt: Iterable[str], layers: Sequence[Layer]) -> tuple[str, int] | None:
    """The first of some spellings that names a layer of a region, and its place; None for none."""
    known = [str(name) for name in layers]
    name = next((word for word in spelt if word in known), None)
    return None if name is None else (name, known.index(name) + 1)


def layers_of(
    structure: Mapping[str, Mapping[str, Any]] | None, region: str
) -> list[Sequence[Layer]]:
    """The lists of layers that parameters of a region are for.

    Args:
        structure: the region structure, or None.
        region: its key in the parameters; a region that the structure does not have (``default``)
            serves all regions with layers.
    """
    entries = structure or {}
    chosen = [entries[region]] if region in entries else list(entries.values())
    return [entry["layers"] for entry in chosen if entry and entry.get("layers")]


def needs_fits(rules: Any) -> bool:
    """True if any rule has a target, for which path distances are fitted."""
    if not isinstance(rules, dict):
        return False
    by_type = [entry for entry in rules.values() if isinstance(entry, dict)]
    limits = [rule for entry in by_type for rule in entry.values() if isinstance(rule, dict)]
    return any(rule.get(TARGET) for rule in limits)


def check_rules(rules: Any, layers: Sequence[Sequence[Layer]] = ()) -> list[InvalidInput]:
    """Problems of scaling rules, as a list of InvalidInput.

    Args:
        rules: see above, or None.
        layers: see :func:`layer_number`.
    """
    if rules is None:
        return []
    if not isinstance(rules, dict):
        return [InvalidInput("expected {mtype or 'default': {neurite type: limits}}", WHERE)]
    problems: list[InvalidInput] = []
    for mtype, by_type in rules.items():
        for name, limits in _items(by_type, f"{WHERE}, {mtype}", problems):
            where = f"{WHERE}, {mtype}, {name}"
            if name not in NEURITE_TYPES:
                problems.append(_unknown("it is no neurite type", where, name, NEURITE_TYPES))
                continue
            for limit, place in _items(limits, where, problems):
                problems += _limit_problems(f"{where}, {limit}", name, limit, place, layers)
    return problems


def _items(value: Any, where: str, problems: list[InvalidInput]) -> list[tuple[Any, Any]]:
    if value is None:
        return []
    if not isinstance(value, dict):
        problems.append(InvalidInput(f"expected a mapping, found {value!r}", where))
        return []
    return list(value.items())


def _unknown(problem: str, where: str, name: object, known: Iterable[str]) -> InvalidInput:
    return InvalidInput(problem, where, nearest(name, known) or f"Known are {some(known, 9)}")


def _limit_problems(
    where: str, name: str, limit: Any, place: Any, layers: Sequence[Sequence[Layer]]
) -> list[InvalidInput]:
    if limit not in FRACTIONS or (name == AXON and limit == TARGET):
        known = [key for key in FRACTIONS if key != TARGET or name != AXON]
        return [_unknown(f"{name} has no such limit", where, limit, known)]
    if place is None:
        return []
    if not isinstance(place, dict) or "layer" not in place:
        return [InvalidInput(f"expected {{layer, fraction}}, found {place!r}", where)]
    problems = [
        _unknown(f"unknown key {key!r}", where, key, ("layer", "fraction"))
        for key in place
        if key not in ("layer", "fraction")
    ]
    fraction = place.get("fraction", FRACTIONS[limit])
    if not is_number(fraction) or fraction != fraction:
        problems.append(InvalidInput(f"the fraction is {fraction!r}, no number", where))
    try:
        layer_number(place["layer"], layers)
    except ValueError as error:
        known = list(dict.fromkeys(str(layer) for names in layers for layer in names))
        hint = nearest(place["layer"], known) or (
            f"Known are {some(known, 12)}"
            if known
            else "Name the region structure (region_structure) for layers with names"
        )
        problems.append(InvalidInput(str(error), where, hint))
    return problems


def add_constraints(
    parameters: Mapping[str, dict[str, Any]],
    rules: Any,
    fits: Mapping[str, Mapping[str, Mapping[str, Any]]] | None,
    layers: Sequence[Sequence[Layer]] = (),
) -> Constraints:
    """Merge rules and fits into the ``context_constraints`` of all mtypes, in place.

    Args:
        parameters: {mtype: NeuroTS parameters}.
        rules: checked rules, or None.
        fits: {mtype: {neurite type: {"slope", ...}}} of path distances; None: only the rules are
            looked at, targets get no slope.
        layers: see :func:`layer_number`.

    Returns:
        Constraints
    """
    done = Constraints()
    if not rules:
        return done
    default = rules.get(DEFAULT) or {}
    for mtype, params in parameters.items():
        own = rules.get(mtype) or {}
        for name in [kind for kind in params.get("grow_types", []) if kind in {*default, *own}]:
            limits = _limits(default.get(name) or {}, own.get(name) or {}, layers)
            target = limits.get(TARGET)
            if target and fits is not None:
                _add_slope(target, mtype, name, fits, done)
            existing = params.setdefault("context_constraints", {}).setdefault(name, {})
            for limit, place in limits.items():
                if place is None:
                    existing.pop(limit, None)
                else:
                    existing[limit] = place
            _check_order(existing, mtype, name, done, layers)
    unused = [mtype for mtype in rules if mtype != DEFAULT and mtype not in parameters]
    if unused:
        done.notes.append(f"Scaling rules of {some(unused)} are not used: no such mtype.")
    return done


def _limits(
    default: Mapping[str, Any], own: Mapping[str, Any], layers: Sequence[Sequence[Layer]]
) -> dict[str, dict[str, Any] | None]:
    """{limit: {layer, fraction}, or None where it is switched off}."""
    limits = {}
    for limit, fraction in FRACTIONS.items():
        if limit not in own and limit not in default:
            continue
        place = own[limit] if limit in own else default[limit]
        limits[limit] = place and {
            "layer": layer_number(place["layer"], layers),
            "fraction": place.get("fraction", fraction),
        }
    return limits


def _add_slope(
    target: dict[str, Any],
    mtype: str,
    name: str,
    fits: Mapping[str, Mapping[str, Mapping[str, Any]]],
    done: Constraints,
) -> None:
    fit = (fits.get(mtype) or {}).get(name) or {}
    if not fit.get("slope"):
        trees = fit.get("n_trees", 0)
        done.problems.append(
            InvalidInput(
                f"it has a target for {name}, but none of its {trees} trees has an extent to "
                "fit path distances to",
                f"{WHERE}, {mtype}",
                f"Switch the target off ({TARGET}: null) or give more cells",
            )
        )
        return
    target.update({"slope": fit["slope"], "intercept": fit["intercept"]})
    why = None
    if fit["n_used"] < 3:
        why = f"is fitted to {counted(fit['n_used'], 'tree')}"
    elif fit["relative_residual"] > POOR and fit["r2"] is not None and fit["r2"] < 0.0:
        why = f"explains the path distances worse than their mean (R2 {fit['r2']:.2f})"
    if why:
        done.notes.append(f"{mtype}, {name}: the slope {fit['slope']:.3f} of its target {why}")


def _check_order(
    constraints: Mapping[str, Mapping[str, Any]],
    mtype: str,
    name: str,
    done: Constraints,
    layers: Sequence[Sequence[Layer]],
) -> None:
    lowest, highest = constraints.get(LOWEST), constraints.get(HIGHEST)
    if not lowest or not highest:
        return
    # Without a region structure names have no order.
    for names in layers or [()]:
        low, high = _height(lowest, names), _height(highest, names)
        if low and high and low > high:
            problem = f"{LOWEST} of {name} is above {HIGHEST}: no neurite fits in between"
            done.problems.append(InvalidInput(problem, f"{WHERE}, {mtype}"))
            return


def _height(place: Mapping[str, Any], layers: Sequence[Layer]) -> tuple[float, float] | None:
    """Key that orders places from the bottom up; None where the region does not have the layer."""
    number = place["layer"]
    if isinstance(number, str):
        number = layer_names.layer_number(number, layers)
    return number and (-number, place["fraction"])
