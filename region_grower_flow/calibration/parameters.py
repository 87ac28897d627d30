"""Reference morphologies to NeuroTS parameters.

Mirrors region_grower.generate.generate_parameters: the values are those of
neurots.extract_input.parameters, or given parameters with the diameter model put on top. What
differs: neurite types come from the cells, everything is checked against NeuroTS's schema, and the
result has the form {region: {mtype: parameters}} that synthesis reads. What completes them is in
:mod:`build`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from region_grower_flow.calibration.choices import CalibrationSettings
from region_grower_flow.calibration.dataset import Dataset
from region_grower_flow.calibration.diameter_model import DiameterModel, resolve_diameter_model
from region_grower_flow.calibration.features import DEFAULT_FEATURE, TRUNK_LENGTH, check_feature
from region_grower_flow.calibration.populations import APICAL, Population, gather_populations
from region_grower_flow.calibration.report import CalibrationReport
from region_grower_flow.engine.parameter_schema import lacking, parameters_schema
from region_grower_flow.errors import InvalidInput, InvalidInputs, nearest, some
from region_grower_flow.io.schemas import validator, violation, violations
from region_grower_flow.layout import DEFAULT_REGION
from region_grower_flow.morphology import NEURITE_TYPES

GIVEN = "given parameters"

_MAPPING = {"type": ["object", "null"]}
_NEURITE = {
    "type": ["object", "null"],
    "properties": {
        "orientation": {
            "type": ["object", "array", "null"],
            "properties": {"mode": {"type": "string"}, "values": _MAPPING},
        }
    },
}
_FORM = {
    "type": "object",
    "properties": {
        "grow_types": {"type": "array", "items": {"enum": list(NEURITE_TYPES)}},
        "context_constraints": {**_MAPPING, "additionalProperties": _MAPPING},
        **dict.fromkeys(NEURITE_TYPES, _NEURITE),
    },
}
"""Schema of the form of an mtype's parameters, as far as fits and rules rest on it."""


def generate_parameters(
    dataset: Dataset,
    settings: CalibrationSettings | None = None,
    tmd_parameters: Mapping[str, Any] | None = None,
) -> tuple[dict[str, dict[str, Any]], CalibrationReport]:
    """Generate the NeuroTS parameters of all mtypes of a dataset.

    Given the same settings, they fit the distributions of
    :func:`distributions.extract_distributions`.

    Args:
        dataset: the Dataset.
        settings: CalibrationSettings; None: the defaults. With ``tmd_parameters`` a
            ``diametrizer_config`` replaces their diameter model, None leaves it.
        tmd_parameters: parameters to use instead of NeuroTS's defaults, as {mtype: parameters}
            or {region: {mtype: parameters}} (that of the region, or ``default``, or the only one).

    Returns:
        ({region: {mtype: parameters}}, CalibrationReport), mtypes in the order of the dataset.

    Raises:
        InvalidInputs: cells that cannot be used, mtypes without given parameters, parameters that
            NeuroTS refuses.
    """
    settings = settings or CalibrationSettings()
    region, feature = settings.region, settings.feature
    diameter = resolve_diameter_model(settings.diametrizer_config)
    check_feature(feature)
    populations = gather_populations(dataset, settings)
    report = CalibrationReport.of_populations("parameters", populations)
    used = {mtype: population for mtype, population in populations.items() if population.cells}
    if tmd_parameters is None:
        parameters = {
            mtype: _default_parameters(population.neurite_types, diameter, feature)
            for mtype, population in used.items()
        }
        for mtype in settings.inverted:
            _invert(parameters.get(mtype, {}))
    else:
        parameters = _given_parameters(tmd_parameters, region, used)
        if settings.diametrizer_config is not None:
            for params in parameters.values():
                params["diameter_params"] = diameter.parameters()
    problems = refused(parameters, region, "parameters" if tmd_parameters is None else GIVEN)
    if problems:
        raise InvalidInputs(problems)
    report.notes += _differences(parameters, used)
    return {region: parameters}, report


def _default_parameters(
    neurite_types: Iterable[str], diameter: DiameterModel, feature: str | Mapping[str, str]
) -> dict[str, Any]:
    from neurots import extract_input

    by_type = feature if isinstance(feature, dict) else {}
    params = extract_input.parameters(
        neurite_types=list(neurite_types),
        feature=DEFAULT_FEATURE if by_type else feature,
    )
    for name, metric in by_type.items():
        if params.get(name):
            params[name]["metric"] = metric
    params["diameter_params"] = diameter.parameters()
    return params


def _invert(params: dict[str, Any]) -> None:
    """Turn the orientation of apical dendrites, [0, 1, 0] by default, to the white matter."""
    entry = params.get(APICAL) or {}
    if isinstance(entry.get("orientation"), list):
        entry["orientation"] = [[-x if x else 0.0 for x in v] for v in entry["orientation"]]


def _given_parameters(
    given: Any, region: str, used: Mapping[str, Population]
) -> dict[str, dict[str, Any]]:
    """Copies of the given parameters of the mtypes that are used."""
    from neurots.utils import convert_from_legacy_neurite_type

    by_mtype = _of_region(given, region)
    missing = [
        InvalidInput(f"there are none for the mtype {mtype!r}", GIVEN, nearest(mtype, by_mtype))
        for mtype in used
        if not isinstance(by_mtype.get(mtype), dict)
    ]
    if missing:
        raise InvalidInputs(missing)
    with warnings.catch_warnings():
        # It warns for each old name ("basal"), which are accepted here.
        warnings.simplefilter("ignore")
        return {
            mtype: convert_from_legacy_neurite_type(deepcopy(by_mtype[mtype])) for mtype in used
        }


def _of_region(given: Any, region: str) -> Mapping[str, Any]:
    if not isinstance(given, dict) or not all(isinstance(entry, dict) for entry in given.values()):
        raise InvalidInput("expected {mtype: parameters} or {region: {mtype: parameters}}", GIVEN)
    if any("grow_types" in entry or "diameter_params" in entry for entry in given.values()):
        return given
    for name in (region, DEFAULT_REGION):
        if name in given:
            return given[name]
    if len(given) == 1:
        return next(iter(given.values()))
    raise InvalidInput(
        f"there are none for the region {region!r}, only for {some(given)}",
        GIVEN,
        "Name the region",
    )


def inconsistent(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> list[InvalidInput]:
    """Overrides that would make parameters unfit for the distributions, each with its mtypes."""
    mtypes: dict[str, list[str]] = {}
    for mtype, params in after.items():
        for problem in _unfit(before[mtype], params):
            mtypes.setdefault(problem, []).append(mtype)
    return [InvalidInput(problem, f"overrides, {some(names)}") for problem, names in mtypes.items()]


def _unfit(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = _method(before), _method(after)
    if new != old:
        yield (
            f"the diameter method is {new!r}, but that of the distributions is {old!r}. Choose it "
            "with the diametrizer's configuration"
        )
    for name in after.get("grow_types", []):
        entry, former = after.get(name), before.get(name)
        if not entry:
            yield f"there are no parameters to grow {name}"
        elif former and entry.get("metric") not in (TRUNK_LENGTH, former.get("metric")):
            yield (
                f"the metric of {name} is {entry.get('metric')!r}, but that of the distributions "
                f"is {former.get('metric')!r}"
            )


def _method(params: Mapping[str, Any]) -> Any:
    diameter = params.get("diameter_params")
    return diameter.get("method") if isinstance(diameter, dict) else None


def malformed(
    parameters: Mapping[str, Mapping[str, Any]], region: str, where: str
) -> list[InvalidInput]:
    """Parameters of another form than fits and rules can be added to."""
    checker = validator(_FORM)
    return [
        problem
        for mtype, params in parameters.items()
        for problem in violations(checker, params, where, (region, mtype))
    ]


def refused(
    parameters: Mapping[str, Mapping[str, Any]], region: str, where: str = "parameters"
) -> list[InvalidInput]:
    """The problems that the schema of parameters finds, as a list of InvalidInput."""
    # The schema offers each neurite type as "empty or a neurite", of which a message can only
    # name the wrong half: empty ones are left out below and the others have to be neurites.
    neurites = {name: {"$ref": "#/definitions/neurite"} for name in NEURITE_TYPES}
    schema = parameters_schema()
    checker = validator({**schema, "properties": {**schema["properties"], **neurites}})
    problems = []
    for mtype, params in parameters.items():
        found = violations(checker, checked := _checked(params), where, (region, mtype))
        for kind in () if found else checked.get("grow_types", ()):
            needed = lacking(checked.get(kind, {}))
            found += [violation(where, (region, mtype, kind), problem) for problem in needed]
        problems += found
    return problems


def _checked(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters without empty neurites, and without what NeuroTS knows but not its schema."""
    checked = {key: value for key, value in params.items() if key not in NEURITE_TYPES or value}
    for name in NEURITE_TYPES:
        entry = checked.get(name)
        if isinstance(entry, dict) and isinstance(entry.get("step_size"), dict):
            steps = {key: value for key, value in entry["step_size"].items() if key == "norm"}
            checked[name] = {**entry, "step_size": steps}
    return checked


def _differences(
    parameters: Mapping[str, Mapping[str, Any]], used: Mapping[str, Population]
) -> Iterator[str]:
    """Sentences on parameters that grow other neurites than the references have."""
    for mtype, population in used.items():
        extra = [
            name
            for name in parameters[mtype].get("grow_types", [])
            if name not in population.neurite_types
        ]
        if extra:
            yield (
                f"{mtype}: {some(extra)} is to be grown, but most of its reference cells have none."
            )
