"""Choice of the law of trunk angles of each mtype and neurite type, by rules.

Rules are {mtype or ``default``: {neurite type: {mode, form, bounds}}}. What a mode lacks is filled
in from the fits of :mod:`region_grower_flow.calibration.trunk_fits`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from region_grower_flow.calibration.trunk_fits import (
    APICAL,
    FORMS,
    HISTOGRAMS,
    MODES,
    NORMAL,
    PIA,
    AngleHistogram,
    fit_form,
)
from region_grower_flow.engine.trunk_checks import check_orientation_modes
from region_grower_flow.errors import InvalidInput, counted, nearest, some
from region_grower_flow.io.documents import is_number
from region_grower_flow.morphology import NEURITE_TYPES

NONE, ASKED, ALL = "none", "asked", "all"
"""Trunks that get fitted laws: none, those whose mode is named without values, or all."""
DEFAULT = "default"
WHERE = "trunk rules"
NORMAL_PIA, PREDEFINED = "normal_pia_constraint", "use_predefined"
FREE = ("sample_pairwise_angles", "uniform")
"""Modes that need no values."""
REFERENCES = {mode: reference for reference, mode in MODES.items()}
KNOWN_MODES = (*REFERENCES, NORMAL_PIA, PREDEFINED, *FREE)
BEST = "best"
KEYS = ("mode", "form", "bounds")
BASAL_DENDRITE, APICAL_DENDRITE = "basal_dendrite", "apical_dendrite"
INSTEAD = "instead of"
"""Key of a rule that :func:`fitting_rule` made: the form that describes the angles less well."""
POOR_FIT = 0.2
"""Distance (KS) between a law and its angles from which it is said not to describe them."""
CHANCE = 1.63
"""Distance times the root of the number of angles that one law in a hundred has by chance."""
_BOUND_SIZES = {"step": 2, "double_step": 4}


@dataclass
class TrunkChoice:
    """Settings of the fits.

    Attributes:
        wanted: NONE, ASKED or ALL.
        rules: see above, or None.
    """

    wanted: str = NONE
    rules: Mapping[str, Any] | None = None

    def rule(self, mtype: str, name: str) -> dict[str, Any] | None:
        """The rule of a neurite type of an mtype, None for none."""
        for key in (mtype, DEFAULT):
            rule = ((self.rules or {}).get(key) or {}).get(name)
            if rule:
                return rule
        return None


@dataclass
class Trunks:
    """Outcome of :func:`set_trunks`.

    Attributes:
        laws: {mtype: {neurite type: the orientation, with its residuals and numbers}}.
        notes: sentences.
        problems: list of InvalidInput.
    """

    laws: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[InvalidInput] = field(default_factory=list)


def check_rules(rules: Any, mtypes: Collection[str]) -> tuple[list[InvalidInput], list[str]]:
    """Problems of trunk rules, as a list of InvalidInput, and notes on mtypes that are not used.

    Returns:
        (problems, notes)
    """
    if rules is None:
        return [], []
    if not isinstance(rules, dict):
        return [InvalidInput("expected {mtype or 'default': {neurite type: rule}}", WHERE)], []
    problems = []
    for mtype, by_type in rules.items():
        if by_type is not None and not isinstance(by_type, dict):
            problems.append(InvalidInput("expected {neurite type: rule}", f"{WHERE}, {mtype}"))
            continue
        for name, rule in (by_type or {}).items():
            where = f"{WHERE}, {mtype}, {name}"
            if name not in NEURITE_TYPES:
                hint = nearest(name, NEURITE_TYPES)
                problems.append(InvalidInput("it is no neurite type", where, hint))
            elif rule is not None:
                problems += [InvalidInput(p, where, hint) for p, hint in _rule_problems(rule)]
    unused = [mtype for mtype in rules if mtype != DEFAULT and mtype not in mtypes]
    return problems, [f"Trunk rules of {some(unused)} are not used: no such mtype."] * bool(unused)


def _rule_problems(rule: Any) -> Iterator[tuple[str, str | None]]:
    if not isinstance(rule, dict):
        yield f"expected {{mode, form, bounds}}, found {rule!r}", None
        return
    for key in rule:
        if key not in KEYS:
            yield f"unknown key {key!r}", nearest(key, KEYS) or f"Known are {', '.join(KEYS)}"
    mode, form = rule.get("mode"), rule.get("form")
    if mode not in KNOWN_MODES:
        yield f"the mode is {mode!r}, expected one of {', '.join(KNOWN_MODES)}", None
    # Whatever the file holds in their place, a list perhaps.
    if form is not None and (mode not in tuple(REFERENCES) or form not in (*FORMS, BEST)):
        known = ", ".join((*FORMS, BEST))
        yield f"the form is {form!r}: {' and '.join(REFERENCES)} have one of {known}", None
    if "bounds" in rule and not _are_bounds(rule["bounds"], _BOUND_SIZES.get(str(form))):
        yield "'bounds' are two lists of numbers, one per parameter of the 'form' given", None


def _are_bounds(bounds: Any, size: int | None) -> bool:
    if not isinstance(bounds, list | tuple) or len(bounds) != 2 or size is None:
        return False
    if any(not isinstance(side, list | tuple) or len(side) != size for side in bounds):
        return False
    pairs = list(zip(*bounds, strict=True))
    return all(is_number(low) and is_number(high) and low < high for low, high in pairs)


def set_trunks(
    parameters: Mapping[str, dict[str, Any]],
    fits: Mapping[str, Mapping[str, Any]],
    choice: TrunkChoice,
    given: Collection[tuple[str, str]],
) -> Trunks:
    """Set the orientation of trunks, in place.

    Overrides win: what they set is only completed where values lack. Then come the rules, then
    modes that the parameters have already (completed likewise), then, where all are wanted, what
    suits the neurite type (:func:`fitting_rule`).

    Args:
        parameters: {mtype: NeuroTS parameters}.
        fits: {mtype: what trunk_fits.fit_mtype returns}.
        choice: TrunkChoice.
        given: {(mtype, neurite type)} whose orientation an override has set.

    Returns:
        Trunks
    """
    done = Trunks()
    for mtype, params in parameters.items():
        laws = done.laws.setdefault(mtype, {})
        for name in [name for name in params.get("grow_types", []) if params.get(name)]:
            fit = (fits.get(mtype) or {}).get(name) or {}
            usual = fitting_rule(name, params, fit) if choice.wanted == ALL else None
            rules = choice.rule(mtype, name), usual
            rule = _wished(params[name].get("orientation"), rules, (mtype, name) in given)
            if not rule:
                continue
            try:
                params[name]["orientation"], law = _orientation(rule, name, params, fit)
            except ValueError as error:
                done.problems.append(InvalidInput(str(error), f"trunks of {name} of {mtype}"))
                continue
            done.notes += [f"{mtype}, {name}: {note}" for note in law.pop("notes")]
            laws[name] = {"mode": rule["mode"], **law}
        if laws:
            _apical_first(params, mtype, done)
            check_orientation_modes(params, _Reporter(mtype, done))
    return done


def _wished(
    orientation: Any,
    rules: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None],
    overridden: bool,
) -> Mapping[str, Any] | None:
    """The rule that an orientation is set by, None where it stays.

    Args:
        orientation: as it is.
        rules: that of the neurite type, and the one that suits it where there is none.
        overridden: True if an override has set the orientation.
    """
    rule, usual = rules
    if isinstance(orientation, dict) and (overridden or not rule):
        return _completed(orientation, rule)
    return None if overridden else rule or usual


def lacks_values(orientation: Any) -> bool:
    """True if an orientation has a mode without the values that the mode needs."""
    if not isinstance(orientation, dict):
        return False
    mode, values = orientation.get("mode"), orientation.get("values") or {}
    return (
        (mode in REFERENCES and "params" not in values)
        or (mode == NORMAL_PIA and "direction" not in values)
        or (mode == PREDEFINED and "orientations" not in values)
        or (mode in FREE and "values" not in orientation)
    )


def _completed(
    orientation: Mapping[str, Any], rule: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The rule for an orientation whose values lack; None when nothing does."""
    if not lacks_values(orientation):
        return None
    mode, values = orientation["mode"], orientation.get("values") or {}
    same = rule if rule and rule.get("mode") == mode else {}
    own = {key: values[key] for key in ("form", "bounds") if key in values}
    return {"mode": mode, **({} if "form" in own else same), **own}


def usual_rule(name: str, params: Mapping[str, Any], fit: Mapping[str, Any]) -> dict[str, Any]:
    """The rule of a neurite type for which none is given.

    Basal dendrites as in NeuroTS: angles to the pia, of the form ``step`` beside apical dendrites
    and ``flat`` without. Axons and apical dendrites by a normal or exponential law of the angle to
    the pia, or, where most cells have two apical dendrites or more, by a ``double_step``. Where it
    does not describe the angles, see :func:`fitting_rule`.
    """
    if name == BASAL_DENDRITE:
        return {"mode": MODES[PIA]}
    if name == APICAL_DENDRITE and fit.get("trees_per_cell", 1) >= 2:
        return {"mode": MODES[PIA], "form": "double_step"}
    return {"mode": NORMAL_PIA}


def fitting_rule(name: str, params: Mapping[str, Any], fit: Mapping[str, Any]) -> dict[str, Any]:
    """The usual rule of a neurite type, or NeuroTS's normal law where that describes it better.

    NeuroTS's forms are 1 at their highest and are fitted to densities, so that they describe no
    narrow distribution: basal dendrites that all point down become a step at its bounds, whose
    trunks go everywhere.
    """
    rule, laws = usual_rule(name, params, fit), (fit.get(PIA) or {}).get("laws")
    if rule["mode"] != MODES[PIA] or not laws:
        return rule
    form = rule.get("form") or usual_form(name, params)
    if laws[form]["ks"] <= laws[NORMAL]["ks"]:
        return rule
    return {"mode": NORMAL_PIA, INSTEAD: form}


def misfit(law: Mapping[str, Any], trees: int) -> float | None:
    """The limit of the distance between a law and its angles that the law exceeds, or None.

    Args:
        law: with its ``ks``.
        trees: number of angles that it is fitted to; with few of them it may differ by chance.
    """
    limit = max(POOR_FIT, CHANCE / math.sqrt(max(trees, 1)))
    return limit if law["ks"] > limit else None


def usual_form(name: str, params: Mapping[str, Any]) -> str:
    """NeuroTS's form for basal dendrites; for the types that it has none for, the most general."""
    if name != BASAL_DENDRITE:
        return "double_step"
    return "step" if APICAL_DENDRITE in params["grow_types"] else "flat"


def _orientation(
    rule: Mapping[str, Any], name: str, params: Mapping[str, Any], fit: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the orientation of a rule, its law for the report)."""
    mode = rule["mode"]
    if mode in FREE:
        return {"mode": mode, "values": None}, {"notes": []}
    reference = REFERENCES.get(mode, PIA)
    if reference not in fit:
        what = "apical dendrite" if reference == APICAL else "pia"
        key = HISTOGRAMS[reference]
        raise ValueError(f"the distributions hold no angles to the {what} ({key}) to fit")
    about = {key: fit[key] for key in ("n_cells", "n_trees")}
    few = f"its law is fitted to {counted(fit['n_trees'], 'tree')}"
    about["notes"] = [] if fit["n_trees"] > 2 else [few]
    if mode in REFERENCES:
        law = _law(rule, name, params, fit[reference], about)
        about["notes"] += _misfits(law, law["form"], fit["n_trees"])
        return {"mode": mode, "values": {key: law[key] for key in ("form", "params")}}, law | about
    law = fit[PIA]["laws"][NORMAL]
    if mode == NORMAL_PIA:
        if INSTEAD in rule:
            form = rule[INSTEAD]
            about["notes"].append(
                f"the form {form!r} describes the angles of its trunks less well (largest "
                f"difference {fit[PIA]['laws'][form]['ks']:.2f}) than a normal law "
                f"({law['ks']:.2f}), which is used"
            )
        about["notes"] += _misfits(law, "the normal law", fit["n_trees"])
        direction = {key: law[key] for key in ("mean", "std")}
        return {"mode": mode, "values": {"direction": direction}}, law | about
    mean = _histogram(fit[PIA]).mean
    vector = [math.sin(mean), math.cos(mean), 0.0]
    return {"mode": mode, "values": {"orientations": [vector]}}, {"mean": mean} | about


def _histogram(fit: Mapping[str, Any]) -> AngleHistogram:
    histogram = AngleHistogram.of(fit["histogram"])
    assert histogram is not None  # one without angles is in no fit
    return histogram


def _misfits(law: Mapping[str, Any], form: str, trees: int) -> Iterator[str]:
    """A warning where a law that is used does not describe the angles."""
    if misfit(law, trees):
        yield (
            f"WARNING: {form} does not describe the angles of its {trees} trunks (largest "
            f"difference {law['ks']:.2f}): they will differ from the reconstructions'"
        )


def _law(
    rule: Mapping[str, Any],
    name: str,
    params: Mapping[str, Any],
    fit: Mapping[str, Any],
    about: dict[str, Any],
) -> dict[str, Any]:
    form = rule.get("form") or usual_form(name, params)
    if form == BEST:
        form = min(FORMS, key=lambda form: fit["laws"][form]["ks"])
    if form not in FORMS:
        raise ValueError(f"there is no form {form!r}, only {', '.join(FORMS)}")
    law = fit["laws"][form]
    if rule.get("bounds") is not None:
        law = fit_form(_histogram(fit), form, rule["bounds"])
    if law["form"] != form:
        about["notes"].append(f"NeuroTS cannot fit the form {form!r}, its trunks are flat")
    return law


def _apical_first(params: dict[str, Any], mtype: str, done: Trunks) -> None:
    """Growth draws apical dendrites before what is drawn by the angle to them."""
    kinds = params["grow_types"]
    modes = {name: params[name].get("orientation") for name in kinds if params.get(name)}
    wanting = [
        n for n, o in modes.items() if isinstance(o, dict) and o.get("mode") == MODES[APICAL]
    ]
    if (
        wanting
        and APICAL_DENDRITE in kinds
        and kinds.index(APICAL_DENDRITE) > min(kinds.index(name) for name in wanting)
    ):
        params["grow_types"] = [APICAL_DENDRITE, *(k for k in kinds if k != APICAL_DENDRITE)]
        done.notes.append(f"{mtype}: apical dendrites grow first, {some(wanting)} goes by them")


class _Reporter:
    """Takes what :mod:`region_grower_flow.engine.trunk_checks` finds."""

    def __init__(self, mtype: str, done: Trunks) -> None:
        self._mtype, self._done = mtype, done

    def parameter(self, keys: Iterable[str], problem: str, hint: str | None = None) -> None:
        """A problem of a parameter."""
        where = f"trunks of {self._mtype}, {'.'.join(keys)}"
        self._done.problems.append(InvalidInput(problem, where, hint))
