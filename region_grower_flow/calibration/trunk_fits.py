"""Laws of the directions in which trees leave the soma, fitted to the reference cells.

NeuroTS draws a trunk's direction by its angle in 3D to the pia or to the apical dendrite. Its
distributions hold the histograms of both angles; here laws are fitted to these, by
``neurots.generate.orientations.fit_3d_angles`` itself (forms ``flat``, ``step``, ``double_step``),
and as a normal or exponential law of the angle to the pia (mode ``normal_pia_constraint``, for
which NeuroTS expects values from the user). Every law comes with its residuals.

Which law an mtype's parameters take is decided by :mod:`region_grower_flow.calibration.trunks`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from region_grower_flow.morphology import NEURITE_TYPES

PIA, APICAL = "pia", "apical"
HISTOGRAMS = {PIA: "pia_3d_angles", APICAL: "apical_3d_angles"}
"""Names in the distributions of the histograms of angles to each reference direction."""
MODES = {PIA: "pia_constraint", APICAL: "apical_constraint"}
"""The modes whose laws depend on the angle to each reference direction."""
FORMS = ("flat", "step", "double_step")
NORMAL = "normal"
GRID = np.linspace(0.0, math.pi, 4001)
"""Angles (rad) on which laws are integrated."""


@dataclass(frozen=True)
class AngleHistogram:
    """Angles of trunks to a direction.

    Attributes:
        bins: (K,) centers (rad).
        weights: (K,) density (1/rad).
    """

    bins: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> AngleHistogram | None:
        """The histogram of the distributions' ``{"bins", "weights"}``; None when it is empty."""
        bins = np.asarray(data["bins"], dtype=np.float64)
        weights = np.asarray(data["weights"], dtype=np.float64)
        usable = len(bins) > 1 and len(bins) == len(weights) and np.isfinite(weights).all()
        return cls(bins, weights) if usable and weights.sum() > 0.0 else None

    @property
    def shares(self) -> np.ndarray:
        """(K,) share of the trunks in each bin."""
        return self.weights / self.weights.sum()

    @property
    def mean(self) -> float:
        """Mean angle (rad), at least 0."""
        return max(0.0, float(self.shares @ self.bins))

    @property
    def std(self) -> float:
        """Standard deviation (rad) of the bins' centers."""
        return math.sqrt(float(self.shares @ (self.bins - float(self.shares @ self.bins)) ** 2))

    @property
    def edges(self) -> np.ndarray:
        """(K,) upper edges of the bins (rad)."""
        return self.bins + 0.5 * (self.bins[1] - self.bins[0])


def fit_form(
    histogram: AngleHistogram, form: str, bounds: Sequence[Sequence[float]] | None = None
) -> dict[str, Any]:
    """Fit one form of angle law as NeuroTS does.

    Args:
        histogram: AngleHistogram.
        form: one of FORMS.
        bounds: (lowest, highest) of the parameters; None: NeuroTS's own.

    Returns:
        {"form", "params", "rms_residual", "ks"}: the residual is that of the fit itself (NeuroTS
        fits laws that are 1 at their highest to densities), ``ks`` the greatest difference of the
        cumulative law and data. The form is ``flat`` where NeuroTS cannot fit another.

    Raises:
        ValueError: the bounds do not fit the form.
    """
    from neurots.generate import orientations

    values: dict[str, Any] = {"form": form}
    if bounds is not None:
        values["bounds"] = bounds
    data = {"bins": histogram.bins.tolist(), "weights": histogram.weights.tolist()}
    params = {
        "grow_types": ["basal_dendrite"],
        "basal_dendrite": {"orientation": {"mode": MODES[PIA], "values": values}},
    }
    drawn = {"basal_dendrite": {"trunk": {HISTOGRAMS[PIA]: {"data": data}}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says of a failure is told by the form
        fitted = orientations.fit_3d_angles(params, drawn)["basal_dendrite"]["orientation"]
    law = dict(fitted["values"])
    function = orientations.get_probability_function(law["form"], with_density=True)
    errors = function(histogram.bins, *law["params"]) - histogram.weights
    law["rms_residual"] = float(np.sqrt(np.mean(errors**2)))
    law["ks"] = distance(histogram, law)
    return law


def fit_normal(histogram: AngleHistogram) -> dict[str, Any]:
    """Fit the law of ``normal_pia_constraint``: a normal law, or an exponential one (mean 0).

    The one with the higher likelihood is taken; both by maximum likelihood on the bins' centers.

    Returns:
        {"form": "normal", "mean", "std", "ks"} in rad.
    """
    mean, std = histogram.mean, histogram.std
    if mean > 0.0 and std > 0.0:
        exponential = -math.log(mean) - 1.0
        normal = -math.log(std) - 0.5 * math.log(2.0 * math.pi) - 0.5
        if exponential > normal:
            mean, std = 0.0, mean
    law = {"form": NORMAL, "mean": min(mean, math.pi), "std": std}
    return {**law, "ks": distance(histogram, law)}


def cumulative(law: Mapping[str, Any], angles: np.ndarray) -> np.ndarray:
    """The cumulative probability of a law at some angles.

    Args:
        law: {"form", "params"} or {"form": "normal", "mean", "std"}.
        angles: (N,) rad.

    Returns:
        (N,) float64, as NeuroTS grows: clipped to [0, pi].
    """
    angles = np.asarray(angles, dtype=np.float64)
    if law["form"] != NORMAL:
        from neurots.generate.orientations import get_probability_function

        density = get_probability_function(law["form"], with_density=True)(GRID, *law["params"])
        below = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
        return np.interp(angles, GRID, below / below[-1])
    mean, std = law["mean"], law["std"]
    if std == 0.0:
        found = (angles >= mean).astype(np.float64)
    elif mean == 0.0:
        found = 1.0 - np.exp(-np.maximum(angles, 0.0) / std)
    else:
        from scipy.special import ndtr

        found = ndtr((angles - mean) / std)
    return np.where(angles >= math.pi, 1.0, np.where(angles < 0.0, 0.0, found))


def distance(histogram: AngleHistogram, law: Mapping[str, Any]) -> float:
    """The greatest difference of cumulative law and data at the edges of the bins."""
    return float(np.max(np.abs(np.cumsum(histogram.shares) - cumulative(law, histogram.edges))))


def fit_mtype(distributions: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Fit all laws for the neurite types of one mtype.

    Args:
        distributions: NeuroTS's distributions of the mtype.

    Returns:
        {neurite type: {"n_cells", "n_trees", "trees_per_cell" (median), reference direction:
        {"histogram": {"bins", "weights"}, "laws": {form: law}}}}; types without trunks are left
        out, and reference directions without angles.
    """
    found = {}
    for name in NEURITE_TYPES:
        entry = distributions.get(name) or {}
        if not entry.get("trunk") or "num_trees" not in entry:
            continue
        fitted = _counts(entry["num_trees"]["data"])
        for reference, key in HISTOGRAMS.items():
            data = entry["trunk"].get(key)
            histogram = AngleHistogram.of(data["data"]) if data else None
            if histogram is not None:
                fitted[reference] = _laws(histogram, reference)
        found[name] = fitted
    return found


def _laws(histogram: AngleHistogram, reference: str) -> dict[str, Any]:
    laws = {form: fit_form(histogram, form) for form in FORMS}
    if reference == PIA:
        laws[NORMAL] = fit_normal(histogram)
    data = {"bins": histogram.bins.tolist(), "weights": histogram.weights.tolist()}
    return {"histogram": data, "laws": laws}


def _counts(data: Mapping[str, Any]) -> dict[str, Any]:
    numbers = np.repeat(np.asarray(data["bins"]), np.asarray(data["weights"], dtype=np.int64))
    return {
        "n_cells": len(numbers),
        "n_trees": int(numbers.sum()),
        "trees_per_cell": float(np.median(numbers)) if len(numbers) else 0.0,
    }


def fit_trunk_angles(
    distributions: Mapping[str, Mapping[str, Any]], needed: Collection[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Fit the laws of all mtypes.

    Args:
        distributions: {region: {mtype: NeuroTS's distributions}}.
        needed: the mtypes that are fitted; None: all.

    Returns:
        {region: {mtype: what :func:`fit_mtype` returns}}, JSON-able.
    """
    return {
        region: {
            mtype: fit_mtype(entry)
            for mtype, entry in mtypes.items()
            if needed is None or mtype in needed
        }
        for region, mtypes in distributions.items()
    }


def sentences(fits: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[str]:
    """The fits for a terminal, a sentence per mtype and neurite type: the best law of each."""
    for mtypes in fits.values():
        for mtype, by_type in mtypes.items():
            for name, entry in by_type.items():
                if PIA not in entry:
                    continue
                laws = entry[PIA]["laws"]
                words = ", ".join(f"{form} {law['ks']:.2f}" for form, law in laws.items())
                yield (
                    f"{mtype}, {name}: {entry['n_trees']} trees of {entry['n_cells']} cells, "
                    f"largest difference to the angles to the pia: {words}."
                )
