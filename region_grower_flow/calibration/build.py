"""The final parameters: generated ones, with fits and scaling rules, and overrides last.

Mirrors the chain GetDefaultParameters, AddScalingRulesToParameters, OverwriteCustomParameters,
AddTrunkFitToParameters, BuildSynthesisParameters of synthesis_workflow.tasks.synthesis. As there,
fits of trunk angles complete what overrides ask for; they never change what an override has set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any

from region_grower_flow.calibration import scaling_rules, trunks
from region_grower_flow.calibration.overrides import WHERE, apply_overrides
from region_grower_flow.calibration.parameters import inconsistent, malformed, refused
from region_grower_flow.engine.angle_laws import FITTED_FROM
from region_grower_flow.errors import InvalidInput, InvalidInputs, counted, some
from region_grower_flow.io.layer_names import (
    CONSTRAINTS,
    Layer,
    absent_layer,
    constrained_layers,
    layer_number,
)
from region_grower_flow.io.schemas import load_schema, validator, violation, violations
from region_grower_flow.layout import DEFAULT_REGION


@dataclass
class Additions:
    """Additions to generated parameters.

    Attributes:
        trunk_choice: the TrunkChoice.
        trunk_fits: {mtype: what trunk_fits.fit_mtype returns}; None: not known yet, only the form
            of everything is checked.
        scaling: scaling rules, or None.
        path_fits: {mtype: {neurite type: {"slope", ...}}}; None: not known yet.
        layers: lists of layers, see scaling_rules.layer_number.
        overrides: see calibration.overrides, or None.
        unneeded: mtypes that are known but not calibrated, which rules may name.
        where: the file that the parameters were given in, for what is said of them.
    """

    trunk_choice: trunks.TrunkChoice = field(default_factory=trunks.TrunkChoice)
    trunk_fits: Mapping[str, Any] | None = None
    scaling: Any = None
    path_fits: Mapping[str, Any] | None = None
    layers: Sequence[Sequence[Layer]] = ()
    overrides: Any = None
    unneeded: frozenset[str] = frozenset()
    where: str = "parameters"


@dataclass
class BuildReport:
    """Report of the additions.

    Attributes:
        mtypes: how many.
        constraints: {mtype: context_constraints} that scaling rules gave or changed.
        trunks: {mtype: {neurite type: law}} of the fitted laws that were set.
        overrides: [{mtype, path, old, new}].
        notes: sentences.
    """

    mtypes: int
    constraints: dict[str, Any] = field(default_factory=dict)
    trunks: dict[str, dict[str, Any]] = field(default_factory=dict)
    overrides: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-able values (``mtypes`` by another name: tables have that)."""
        values = asdict(self)
        return {"count": values.pop("mtypes"), **values}

    def sentences(self) -> Iterator[str]:
        """The report for a terminal, a sentence per line."""
        yield f"Final parameters of {counted(self.mtypes, 'mtype')}."
        if self.constraints:
            yield f"Scaling rules set constraints of {some(self.constraints)}."
        for mtype, laws in self.trunks.items():
            for name, law in laws.items():
                yield f"{mtype}, {name}: {_law_in_words(law)}."
        for change in self.overrides:
            old, new = change["old"], change["new"]
            yield f"{change['mtype']}: {change['path']} is {new!r} (was {old!r})."
        yield from (note if note.endswith((".", "?")) else f"{note}." for note in self.notes)


def _law_in_words(law: Mapping[str, Any]) -> str:
    words = f"trunks by {law['mode']}"
    if "params" in law:
        words += f", {law['form']} {[round(float(value), 3) for value in law['params']]}"
    elif "std" in law:
        words += f", mean {law['mean']:.3f}, std {law['std']:.3f} rad"
    if "ks" in law:
        words += f" ({law['n_trees']} trees, largest difference to their angles {law['ks']:.2f})"
    return words


def build_parameters(
    parameters: Mapping[str, dict[str, Any]], additions: Additions, region: str = DEFAULT_REGION
) -> tuple[dict[str, dict[str, Any]], BuildReport]:
    """Add fits, scaling rules and overrides to generated parameters.

    Args:
        parameters: {mtype: NeuroTS parameters}; they are not changed.
        additions: Additions.
        region: the region, for messages.

    Returns:
        ({mtype: parameters}, BuildReport), mtypes in the same order.

    Raises:
        InvalidInputs: rules or overrides of what is unknown, mtypes without the fits that their
            rules need, results that NeuroTS refuses.
    """
    choice = additions.trunk_choice
    problems = scaling_rules.check_rules(additions.scaling, additions.layers)
    trunk_problems, notes = trunks.check_rules(choice.rules, {*parameters, *additions.unneeded})
    problems += trunk_problems
    if choice.rules and choice.wanted == trunks.NONE:
        hint = f"Set trunk_fits to {trunks.ASKED} or {trunks.ALL}"
        problems.append(InvalidInput("no trunk fits are wanted", trunks.WHERE, hint))
    problems = problems or malformed(parameters, region, additions.where)
    if problems:
        raise InvalidInputs(problems)
    final = {mtype: deepcopy(params) for mtype, params in parameters.items()}
    report = BuildReport(len(parameters), notes=notes)
    scaled = scaling_rules.add_constraints(
        final, additions.scaling, additions.path_fits, additions.layers
    )
    report.constraints = {
        mtype: deepcopy(params["context_constraints"])
        for mtype, params in final.items()
        if params.get("context_constraints") != parameters[mtype].get("context_constraints")
    }
    report.notes += scaled.notes
    try:
        report.overrides = apply_overrides(
            final, additions.overrides, report.notes, additions.unneeded
        )
    except InvalidInputs as error:
        raise InvalidInputs([*scaled.problems, *error.problems]) from error
    problems = malformed(final, region, WHERE)
    if problems:
        raise InvalidInputs([*scaled.problems, *problems])
    problems = scaled.problems + _set_trunks(final, additions, report)
    problems = problems or inconsistent(parameters, final) or refused(final, region)
    problems = problems or _constraint_problems(final, region, additions)
    if problems:
        raise InvalidInputs(problems)
    return final, report


def _constraint_problems(
    final: dict[str, dict[str, Any]], region: str, additions: Additions
) -> list[InvalidInput]:
    """Constraints of the wrong form, or by layers that no region of the parameters has."""
    complete, layers = final, additions.layers
    if additions.path_fits is None:
        complete = deepcopy(final)
        for params in complete.values():
            for (_, limit), target in constrained_layers(params):
                if limit == scaling_rules.TARGET:  # what the fits will give
                    target.update({"slope": target.get("slope", 1.0), "intercept": 0.0})
    problems = violations(validator(load_schema("parameters")), {region: complete}, "parameters")
    if problems or not layers:
        return problems
    for mtype, params in final.items():
        for keys, constraint in constrained_layers(params):
            layer = constraint["layer"]
            if all(layer_number(layer, names) is None for names in layers):
                place = (region, mtype, CONSTRAINTS, *keys, "layer")
                # The longest list says most of what there is.
                problem, hint = absent_layer(layer, max(layers, key=len))
                problems.append(violation("parameters", place, problem, hint))
    return problems


def _set_trunks(
    final: dict[str, dict[str, Any]], additions: Additions, report: BuildReport
) -> list[InvalidInput]:
    """Set the trunks; returns the problems."""
    lacking = [
        (mtype, name)
        for mtype, params in final.items()
        for name in params.get("grow_types", [])
        if params.get(name) and trunks.lacks_values(params[name].get("orientation"))
    ]
    if additions.trunk_choice.wanted == trunks.NONE:
        return [
            InvalidInput(
                "the orientation has a mode without the values that it needs",
                f"{additions.where}, {mtype}, {name}",
                f"Give the values, or set trunk_fits to {trunks.ASKED} for fitted ones",
            )
            for mtype, name in lacking
            if not _fitted_in_growth(final[mtype][name]["orientation"])
        ]
    if additions.trunk_fits is None:
        for mtype, name in lacking:
            final[mtype][name]["orientation"] = None
        return []
    given = _oriented(report.overrides)
    done = trunks.set_trunks(final, additions.trunk_fits, additions.trunk_choice, given)
    report.trunks = {mtype: laws for mtype, laws in done.laws.items() if laws}
    report.notes += done.notes
    return done.problems


def _fitted_in_growth(orientation: Mapping[str, Any]) -> bool:
    """True for a law without any values that NeuroTS, and the engine, fit before they grow."""
    return orientation.get("mode") in FITTED_FROM and "values" not in orientation


def _oriented(changes: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """{(mtype, neurite type)} whose orientation overrides have set."""
    paths = [(change["mtype"], change["path"].split(".")) for change in changes]
    return {
        (mtype, path[0])
        for mtype, path in paths
        if len(path) > 1 and path[1].split("[")[0] == "orientation"
    }
