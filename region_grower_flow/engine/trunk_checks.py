"""Checks of the orientation of trunks, before any cell is grown.

Functions for :mod:`region_grower_flow.engine.growth_checks`; ``report`` collects the problems.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.engine.angle_laws import ANGLE_MODES, FITTED_FROM, FORMS, lacks_law
from region_grower_flow.engine.trunks import MODES
from region_grower_flow.errors import some
from region_grower_flow.io.schemas import did_you_mean, shown

if TYPE_CHECKING:
    from region_grower_flow.engine.check_report import ParameterReport, ProblemReport
    from region_grower_flow.engine.model import Params


def check_orientation_modes(params: Params, report: ParameterReport) -> None:
    """All neurites orient their trunks by modes, or none: growth starts with one of two methods."""
    kinds = params["grow_types"]
    by_kind = {kind: params[kind]["orientation"] for kind in kinds if params.get(kind)}
    with_mode = [kind for kind, value in by_kind.items() if isinstance(value, dict)]
    in_3d = [kind for kind in with_mode if by_kind[kind].get("mode") in ANGLE_MODES]
    if 0 < len(with_mode) < len(by_kind) or 0 < len(in_3d) < len(by_kind):
        report.parameter(
            ("grow_types",),
            f"the orientation of {some(in_3d or with_mode)}, but not of the others, is given by "
            f"{'3D angles' if in_3d else 'a mode'}",
            "give all neurites that are grown the same kind of orientation",
        )
    for kind in with_mode:
        if by_kind[kind].get("mode") == "apical_constraint" and (
            "apical_dendrite" not in kinds[: kinds.index(kind)]
        ):
            report.parameter(
                (kind, "orientation", "mode"),
                "'apical_constraint' needs 'apical_dendrite' before it in 'grow_types'",
            )


def check_orientation(kind: str, neurite: Params, drawn: Params, report: ProblemReport) -> None:
    """The orientation of one neurite type, and the distributions that it is drawn from."""
    orientation, keys = neurite["orientation"], (kind, "orientation")
    needs = []
    if isinstance(orientation, list):
        _check_vectors(keys, orientation, report)
        if neurite.get("trunk_absolute_orientation"):
            needs = ["absolute_elevation_deviation", "azimuth"]
    elif orientation is None:
        needs = ["orientation_deviation", "azimuth"]
    else:
        needs = _check_mode(keys, orientation, report)
        if lacks_law(orientation):
            _check_angles(kind, orientation, drawn, report)
    for key in needs:
        place = (kind, "trunk", key)
        values = (drawn.get("trunk") or {}).get(key)
        if not values:
            report.distribution(place, "is missing, the orientation of the trunks is drawn from it")
        elif "data" in values:
            check_histogram((*place, "data"), values["data"], report)
        elif not {"min", "max"} <= values.get("uniform", {}).keys():
            report.distribution(place, "expected {'uniform': {'min': ..., 'max': ...}} (rad)")


def _check_mode(
    keys: Sequence[object], orientation: Mapping[str, Any], report: ProblemReport
) -> list[str]:
    mode, values = orientation.get("mode"), orientation.get("values")
    if lacks_law(orientation):
        return []
    if orientation.keys() != {"mode", "values"}:
        report.parameter(keys, "expected 'mode' and 'values'")
        return []
    if mode not in MODES:
        hint = did_you_mean(mode, MODES)
        expected = f"expected one of {some(MODES, 9)}, not {shown(mode)}"
        report.parameter((*keys, "mode"), expected, hint)
        return []
    values, place = values or {}, (*keys, "values")
    if mode == "use_predefined":
        _check_vectors(place, values.get("orientations"), report)
    elif mode == "sample_around_primary_orientation":
        _check_vectors(place, [values.get("primary_orientation")], report)
        return ["absolute_elevation_deviation", "azimuth"]
    elif mode == "sample_pairwise_angles":
        return ["orientation_deviation", "azimuth"]
    elif mode == "normal_pia_constraint":
        if not {"mean", "std"} <= (values.get("direction") or {}).keys():
            report.parameter((*place, "direction"), "expected 'mean' and 'std' (rad)")
    elif mode in ANGLE_MODES:
        _check_fit(place, values, report)
    return []


def _check_angles(
    kind: str, orientation: Mapping[str, Any], drawn: Params, report: ProblemReport
) -> None:
    """The histogram that a law of 3D angles is fitted to, where the parameters give none."""
    form = (orientation.get("values") or {}).get("form")
    if form not in FORMS and (form is not None or kind != "basal_dendrite"):
        # NeuroTS has a form of its own for basal dendrites alone.
        expected = f"expected one of {some(FORMS)}, not {shown(form)}"
        keys = (kind, "orientation", "values", "form")
        report.parameter(keys, expected, did_you_mean(form, FORMS))
        return
    key = FITTED_FROM[orientation["mode"]]
    values = (drawn.get("trunk") or {}).get(key) or {}
    if "data" not in values:
        report.distribution((kind, "trunk", key), "is missing, the law of trunks is fitted to it")
    else:
        check_histogram((kind, "trunk", key, "data"), values["data"], report)


def _check_fit(keys: Sequence[object], values: Mapping[str, Any], report: ProblemReport) -> None:
    form, numbers = values.get("form"), values.get("params")
    if form not in FORMS:
        expected = f"expected one of {some(FORMS)}, not {shown(form)}"
        report.parameter((*keys, "form"), expected, did_you_mean(form, FORMS))
    elif not isinstance(numbers, list) or len(numbers) != FORMS[form]:
        expected = f"the form {form!r} has {FORMS[form]} numbers, not {shown(numbers)}"
        report.parameter((*keys, "params"), expected)


def _check_vectors(keys: Sequence[object], vectors: Any, report: ProblemReport) -> None:
    for vector in vectors or [None]:
        try:
            length = float(np.linalg.norm(np.array(vector, dtype=np.float64)))
        except (ValueError, TypeError):
            length = math.nan
        if not length > 0:
            report.parameter(keys, f"expected vectors that are not 0, not {shown(vector)}")


def check_histogram(keys: Sequence[object], data: Mapping[str, Any], report: ProblemReport) -> None:
    """A distribution given by bins and weights."""
    bins, weights = data["bins"], data["weights"]
    if not bins:
        report.distribution(keys, "expected at least one bin")
    elif len(bins) != len(weights):
        report.distribution(keys, f"{len(bins)} bins but {len(weights)} weights")
    elif min(weights) < 0 or sum(weights) <= 0:
        report.distribution((*keys, "weights"), "expected weights of at least 0, not all 0")
