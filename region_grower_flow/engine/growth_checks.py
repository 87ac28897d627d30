"""Checks of an mtype's parameters and distributions, before any cell is grown.

Only what would end a run, never end, or fail in every single cell is refused; whatever the
reference can grow passes. (``neurots.preprocess.validity_checkers`` asks for more, but
region-grower skips it.)
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from region_grower_flow.engine.apical import has_no_point
from region_grower_flow.engine.check_report import ProblemReport
from region_grower_flow.engine.growth_bounds import (
    check_soma_bounds,
    check_steps,
    check_tree_numbers,
)
from region_grower_flow.engine.kernels.state import (
    APICAL_METHODS,
    METHODS,
    TRUNK,
    TRUNK_LENGTH,
)
from region_grower_flow.engine.lever_checks import check_levers
from region_grower_flow.engine.levers import MEASURED
from region_grower_flow.engine.model import Params
from region_grower_flow.engine.mtype import BAR_COLUMNS, BRANCHINGS, METRICS
from region_grower_flow.engine.parameter_schema import lacking, parameters_schema
from region_grower_flow.engine.trunk_checks import (
    check_histogram,
    check_orientation,
    check_orientation_modes,
)
from region_grower_flow.errors import InvalidInput, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.documents import not_finite
from region_grower_flow.io.layer_names import (
    CONSTRAINTS,
    absent_layer,
    constrained_layers,
    layer_number,
)
from region_grower_flow.io.schemas import (
    did_you_mean,
    library_schema,
    shown,
    validator,
    violation,
    violations,
)
from region_grower_flow.morphology import NEURITE_TYPES

L = logging.getLogger(__name__)

_BARCODE_METRICS = [name for name, metric in METRICS.items() if metric != TRUNK_LENGTH]
_TRUNK_METRIC = "trunk_length"
_SAFE_STD = 5.0
"""Standard deviations: waiting for a normal draw beyond takes millions of draws."""
_MIN_STEP = 1e-3
"""Mean length of a step (um) below which growth does not end within reason."""
_MAX_LENGTH = 1e7
"""Length of a bar (um) that no neurite has (10 m)."""
_FEW_BARS = 10
"""Barcodes with more bars are never even."""
_ROUNDING = 1e-5
_TREE_MODELS = ("trunk", "term", "taper", "trunk_taper")
_DIAMETER_METHODS = (
    "external", "default", "no_diameters", "uniform", "M1", "M2", "M3", "M4", "M5",
)  # fmt: skip
_EXTERNAL_MODELS = ("generic", "astrocyte", "neurite_based", "simpler")
_EXTERNAL_KEYS = (
    "sibling_ratios", "diameter_power_relation", "trunk_diameters", "terminal_diameters", "tapers",
)  # fmt: skip


KeyedEntry: TypeAlias = tuple[str | None, str, Params]
"""(region, mtype, its parameters or distributions)."""


class EntryChecker:
    """Checks the entries of mtypes.

    Args:
        parameters_path: the file of parameters, for the messages.
        distributions_path: the file of distributions.
    """

    def __init__(
        self, parameters_path: PathLike | None = None, distributions_path: PathLike | None = None
    ) -> None:
        self.read_from(parameters_path, distributions_path)
        self._parameters = validator(parameters_schema())
        self._distributions = validator(library_schema("neurots", "distributions.json"))
        self._diameters = validator(library_schema("diameter_synthesis", "model_params.json"))

    def read_from(
        self, parameters_path: PathLike | None, distributions_path: PathLike | None
    ) -> None:
        """Name other files in the messages: mtypes may each have files of their own."""
        self._paths = parameters_path, distributions_path

    def problems(self, parameters: KeyedEntry, distributions: KeyedEntry) -> list[InvalidInput]:
        """All problems of one mtype, as a list of InvalidInput.

        Args:
            parameters: (region, mtype, entry) of the parameters.
            distributions: (region, mtype, entry) of the distributions.
        """
        report = ProblemReport(self._paths, parameters[:2], distributions[:2])
        params, distribs = parameters[2], distributions[2]
        path, keys = self._paths[0], parameters[:2]
        report.problems += violations(self._parameters, params, path, keys)
        diameters = params.get("diameter_params")
        if isinstance(diameters, dict):
            report.problems += violations(
                self._diameters, diameters, path, (*keys, "diameter_params")
            )
        light = _without_barcodes(distribs)
        report.problems += violations(self._distributions, light, self._paths[1], distributions[:2])
        _check_finite(params, light, report)
        if not report.problems:
            _check_growth(params, distribs, report)
        return report.problems

    def layer_problems(
        self, parameters: KeyedEntry, layers: Sequence[int | str] | None
    ) -> list[InvalidInput]:
        """Constraints by layers that the region does not have (None or empty: not looked at)."""
        region, mtype, params = parameters
        if not layers:
            return []
        problems = []
        for place, limit in constrained_layers(params):
            if layer_number(limit["layer"], layers) is None:
                keys = (region, mtype, CONSTRAINTS, *place, "layer")
                problem, hint = absent_layer(limit["layer"], layers)
                problems.append(violation(self._paths[0], keys, problem, hint))
        return problems


def _check_growth(params: Params, distribs: Params, report: ProblemReport) -> None:
    _check_soma(distribs, report)
    check_orientation_modes(params, report)
    if not params["grow_types"]:
        report.parameter(("grow_types",), "nothing is to be grown")
    for kind in params["grow_types"]:
        neurite, drawn = params.get(kind), distribs.get(kind)
        if not neurite:
            report.parameter((kind,), "is in 'grow_types' but has no parameters")
        if not drawn:
            report.distribution((kind,), "is in 'grow_types' but has no distributions")
        if neurite and drawn:
            _check_method(kind, neurite, drawn, report)
            check_orientation(kind, neurite, drawn, report)
            _check_trees(kind, drawn, report)
            if METHODS.get(neurite.get("growth_method"), TRUNK) != TRUNK:
                check_steps(kind, neurite, drawn, report)
    _check_diameters(params, distribs, report)
    if not report.problems:
        check_levers(params, distribs, report)


def _check_soma(distribs: Params, report: ProblemReport) -> None:
    size = distribs["soma"].get("size", {}).get("norm")
    if size is None:
        report.distribution(("soma", "size"), "expected {'norm': {'mean': ..., 'std': ...}}")
        return
    mean, std = size["mean"], size["std"]
    if std < 0:
        report.distribution(("soma", "size", "norm", "std"), f"expected at least 0, not {std}")
    elif mean + _SAFE_STD * std <= 0:
        report.distribution(
            ("soma", "size", "norm", "mean"), f"a soma of {mean} um (std {std}) is never positive"
        )
    check_soma_bounds(mean, report)


def _check_method(kind: str, neurite: Params, drawn: Params, report: ProblemReport) -> None:
    method = neurite.get("growth_method")
    if method is None:
        report.parameter((kind,), "'growth_method' is missing")
        return
    _check_choice((kind, "branching_method"), neurite, BRANCHINGS, report)
    if neurite["tree_type"] not in NEURITE_TYPES.values():
        report.parameter((kind, "tree_type"), f"expected {NEURITE_TYPES[kind]} (SWC's number)")
    # region-grower sets its own scaling for dendrites, whatever is given.
    if neurite["modify"] and kind == "axon":
        report.parameter((kind, "modify"), "expected null: a file cannot hold a function")
    weights = neurite["randomness"] + neurite["targeting"]
    if weights > 1 + _ROUNDING:
        report.parameter(
            (kind,), f"'randomness' and 'targeting' add up to {weights:g}, more than 1"
        )
    _check_step(kind, neurite, report)
    for problem in lacking(neurite):
        report.parameter((kind,), problem)
    if METHODS[method] == TRUNK:
        if neurite["metric"] != _TRUNK_METRIC:
            report.parameter(
                (kind, "metric"), f"the growth method {method!r} needs {_TRUNK_METRIC!r}"
            )
        return
    _check_choice((kind, "metric"), neurite, _BARCODE_METRICS, report)
    stated = drawn.get("filtration_metric")
    if stated is not None and stated != neurite["metric"] in _BARCODE_METRICS:
        expected = f"the barcodes are of {stated!r}, growth is by {neurite['metric']!r}"
        hint = "extract the distributions by the metric of the parameters"
        report.parameter((kind, "metric"), expected, hint)
    _check_barcodes(kind, drawn, report)
    if METHODS[method] in APICAL_METHODS:
        _check_apical_points(kind, neurite, drawn, report)


def _check_step(kind: str, neurite: Params, report: ProblemReport) -> None:
    step = neurite.get("step_size", {}).get("norm", {})
    if not {"mean", "std"} <= step.keys():
        report.parameter((kind, "step_size"), "expected {'norm': {'mean': ..., 'std': ...}} (um)")
    elif max(step["mean"], step["std"]) < _MIN_STEP:
        report.parameter(
            (kind, "step_size", "norm", "mean"),
            f"expected steps of at least {_MIN_STEP} um, not {step['mean']}: growth would not end",
        )


def _check_choice(
    keys: tuple[str, str], neurite: Params, choices: Iterable[str], report: ProblemReport
) -> None:
    value = neurite[keys[-1]]
    if value not in choices:
        hint = did_you_mean(value, choices)
        report.parameter(keys, f"expected one of {some(choices, 9)}, not {shown(value)}", hint)


def _check_barcodes(kind: str, drawn: Params, report: ProblemReport) -> None:
    """Barcodes have tens of thousands of numbers: numpy looks at them, not a schema."""
    keys = (kind, "persistence_diagram")
    barcodes = drawn.get("persistence_diagram")
    if not isinstance(barcodes, list) or not barcodes:
        report.distribution(keys, "expected at least one barcode to grow from")
        return
    for i, bars in enumerate(barcodes):
        problem = _barcode_problem(bars)
        if problem:
            report.distribution((*keys, i), problem)


def _check_apical_points(kind: str, neurite: Params, drawn: Params, report: ProblemReport) -> None:
    """The apical methods look for the apical point in each barcode, and must find one."""
    if report.problems:
        return
    tuft = neurite.get("has_apical_tuft", False)
    for i, bars in enumerate(drawn["persistence_diagram"]):
        if len(bars) == 1 or (tuft and len(bars) <= _FEW_BARS and has_no_point(bars)):
            report.distribution(
                (kind, "persistence_diagram", i),
                "no apical point can be found in a barcode that has one bar or even bars, "
                f"which the growth method {neurite['growth_method']!r} needs",
                "leave it out or grow this neurite by 'tmd'",
            )


def _barcode_problem(bars: Any) -> str | None:
    if not isinstance(bars, list) or not bars:
        return "expected a list of bars, not an empty one" if bars == [] else "expected a list"
    wrong = next((i for i, bar in enumerate(bars) if not _is_bar(bar)), None)
    if wrong is not None:
        return f"bar {wrong}: expected {BAR_COLUMNS} numbers (end, start, 4 angles)"
    try:
        array = np.array(bars, dtype=np.float64)
    except OverflowError:
        return f"a bar is longer than {_MAX_LENGTH:g} um"
    ends, starts, angles = array[:, 0], array[:, 1], array[:, 2:]
    if not np.isfinite(array[:, :2]).all():
        return f"bar {np.argmin(np.isfinite(array[:, :2]).all(axis=1))}: its ends are not finite"
    # The bar of the root bifurcates nowhere: its angles are never used and may be NaN.
    bad = ~np.isfinite(angles).all(axis=1)
    bad[np.argmin(starts)] = False
    if bad.any():
        return f"bar {np.argmax(bad)}: its angles are not finite"
    if ends.max() <= 0:
        return "no bar is longer than 0"
    if max(ends.max(), starts.max()) > _MAX_LENGTH:
        return f"a bar is longer than {_MAX_LENGTH:g} um"
    return None


def _is_bar(bar: object) -> bool:
    # True is no number here, though Python counts with it.
    return isinstance(bar, list) and len(bar) == BAR_COLUMNS and set(map(type, bar)) <= {int, float}


def _check_trees(kind: str, drawn: Params, report: ProblemReport) -> None:
    counts = drawn.get("num_trees")
    if counts is None:
        report.distribution((kind,), "'num_trees' is missing")
        return
    keys = (kind, "num_trees", "data")
    check_histogram(keys, counts["data"], report)
    check_tree_numbers(kind, counts["data"], report)


def _check_diameters(params: Params, distribs: Params, report: ProblemReport) -> None:
    asked, model = params["diameter_params"]["method"], distribs["diameter"]
    method = model["method"]
    if method not in _DIAMETER_METHODS:
        hint = did_you_mean(method, _DIAMETER_METHODS)
        expected = f"expected one of {some(_DIAMETER_METHODS, 9)}, not {shown(method)}"
        report.distribution(("diameter", "method"), expected, hint)
    elif method == "external":
        if asked != "external":
            report.parameter(
                ("diameter_params", "method"),
                f"expected 'external' as in the distributions, not {shown(asked)}",
            )
        _check_external(params, model, report)
    elif method == "default":
        for kind in _diameter_kinds(params):
            if model.get(kind) == []:
                report.distribution(("diameter", kind), "expected at least one coefficient")
    elif method in ("M4", "M5"):
        for kind in _diameter_kinds(params):
            missing = [key for key in _TREE_MODELS if not model.get(kind, {}).get(key)]
            if missing:
                report.distribution(("diameter", kind), f"the model {method} needs {some(missing)}")


def _check_external(params: Params, model: Mapping[str, Any], report: ProblemReport) -> None:
    models = params["diameter_params"].get("models")
    if not isinstance(models, list) or not models or models[0] not in _EXTERNAL_MODELS:
        report.parameter(
            ("diameter_params", "models"),
            f"expected a list with one of {some(_EXTERNAL_MODELS)}, not {shown(models)}",
        )
    elif models[0] != "simpler":
        for key in _EXTERNAL_KEYS:
            missing = [kind for kind in _diameter_kinds(params) if kind not in model.get(key, {})]
            if missing:
                report.distribution(("diameter", key), f"has no model of {some(missing)}")


def _diameter_kinds(params: Params) -> list[str]:
    """The neurite types that get diameters and are grown."""
    chosen = params["diameter_params"].get("neurite_types") or params["grow_types"]
    return [kind for kind in chosen if kind in params["grow_types"]]


def _without_barcodes(distribs: Params) -> dict[str, Any]:
    """The same without the barcodes, which are looked at apart, and without measured trees."""
    distribs = {kind: value for kind, value in distribs.items() if kind != MEASURED}
    return {
        kind: {**value, "persistence_diagram": []}
        if isinstance(value, dict) and isinstance(value.get("persistence_diagram"), list)
        else value
        for kind, value in distribs.items()
    }


def _check_finite(params: Params, light: Params, report: ProblemReport) -> None:
    for keys in not_finite(params):
        report.parameter(keys, "expected a finite number")
    for keys in not_finite(light):
        report.distribution(keys, "expected a finite number")
