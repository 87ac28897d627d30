"""Diagnosis of each mtype's distributions: cells, trees and bars, and how well the laws fit.

The laws are those that NeuroTS grows by: a normal law of the soma's radius, and histograms of the
number of trees and of the directions of trunks. Each is compared with the cells that it was made
from: soma and number of trees by the greatest difference of the cumulative distributions
(Kolmogorov-Smirnov distance); directions, of which NeuroTS draws the centers of 30 bins only, by
how far an angle is moved by that on average (Wasserstein distance, rad).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow.calibration.diameter_model import thin_diameters, thinnest_of
from region_grower_flow.calibration.mending import open_as_used
from region_grower_flow.calibration.populations import Population
from region_grower_flow.calibration.variants import find_variants
from region_grower_flow.errors import some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.csv_files import csv_text

FEWEST_TO_FIT = 3
"""Cells below which no spread can be known: what is grown repeats them."""
FEWEST_TO_VALIDATE = 8
"""Fewer reference cells are "not testable" in a validation."""
POOR_SOMA_FIT = 0.35
"""Distance of the soma's law from which it is told: seldom reached by chance for 8 cells."""

ROUNDING = 1e-9
LAW_LISTS = ("params", "bounds")
"""Lists in the results of fits that are no data."""

MEASURES = {
    "orientation_deviation": "trunk_angles",
    "absolute_elevation_deviation": "trunk_origin_elevations",
}
"""Laws of trunks, and the features of NeuroM that they are histograms of."""

COLUMNS = (
    "mtype",
    "cells",
    "cells_lost",
    "neurite_type",
    "cells_with",
    "trees",
    "barcodes",
    "bars_min",
    "bars_median",
    "bars_max",
    "bars_total",
    "soma_radius_mean",
    "soma_radius_std",
    "soma_ks",
    "number_of_trees_ks",
    "trunk_angles_shift",
    "trunk_elevations_shift",
    "remarks",
)


def diagnose(
    populations: Mapping[str, Population], distributions: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Compare the distributions of each mtype with its cells.

    Args:
        populations: {mtype: Population}.
        distributions: {mtype: distributions of NeuroTS}.

    Returns:
        {mtype: {"cells", "lost", "notes", "frames", "soma", "neurites": {neurite type: {"trees",
        "bars", "laws"}}, "remarks"}}, JSON-able; mtypes without cells have no soma and neurites.
    """
    return {
        mtype: _diagnose_mtype(population, distributions.get(mtype))
        for mtype, population in populations.items()
    }


def _diagnose_mtype(
    population: Population, distributions: Mapping[str, Any] | None
) -> dict[str, Any]:
    found = {
        "cells": [cell.name for cell in population.cells],
        "lost": population.as_dict()["lost"],
        "notes": list(population.notes),
        "frames": {name: frame._asdict() for name, frame in population.frames.items()},
    }
    if distributions is None or not population.cells:
        return {**found, "remarks": ["no cell is left"]}
    loaded = _load(population.paths)
    found["soma"] = _soma(distributions["soma"]["size"], loaded.values())
    found["alike"] = find_variants({cell.name: cell.path for cell in population.cells})
    found["neurites"] = {
        name: _neurites(name, distributions[name], population, loaded)
        for name in population.neurite_types
    }
    found["thin"] = list(thin_diameters(distributions["diameter"], thinnest_of(population.cells)))
    return {**found, "remarks": list(_remarks(found))}


def _load(paths: Sequence[str]) -> dict[str, Any]:
    """{path: NeuroM's morphology}."""
    import morphio
    from neurom import load_morphologies

    morphio.set_maximum_warnings(0)
    used = load_morphologies([open_as_used(path) for path in paths], cache=True)
    return dict(zip(paths, used, strict=True))


def _soma(law: Mapping[str, Any], cells: Iterable[Any]) -> dict[str, Any]:
    import neurom
    from scipy.stats import kstest, norm

    radii = np.array([neurom.get("soma_radius", cell) for cell in cells])
    mean, std = law["norm"]["mean"], law["norm"]["std"]
    distance = None
    if std > 0.0 and len(radii) >= FEWEST_TO_FIT:
        distance = float(kstest(radii, norm(mean, std).cdf, method="asymp").statistic)
    return {"mean": mean, "std": std, **_spread(radii), "ks": distance}


def _neurites(
    name: str, distributions: Mapping[str, Any], population: Population, loaded: Mapping[str, Any]
) -> dict[str, Any]:
    import neurom

    kind = getattr(neurom.NeuriteType, name)
    usable = population.usable(name)
    counts = [cell.trees.get(name, 0) for cell in usable]
    cells = [loaded[cell.path] for cell in usable]
    codes = distributions.get("persistence_diagram", [])
    laws: dict[str, float | None] = {
        "number_of_trees": distance_to_counts(counts, distributions["num_trees"]["data"])
    }
    for law, feature in MEASURES.items():
        values = np.concatenate([neurom.get(feature, cell, neurite_type=kind) for cell in cells])
        laws[feature] = distance_to_bins(values, distributions["trunk"][law]["data"])
    return {
        "trees": {
            "total": sum(counts),
            "cells_with": population.with_tree(name),
            "per_cell": _spread(counts),
        },
        "bars": {
            "barcodes": len(codes),
            "trees_without": sum(counts) - len(codes),
            "total": sum(map(len, codes)),
            "per_tree": _spread([len(code) for code in codes]),
        },
        "laws": laws,
    }


def _spread(values: Sequence[float] | np.ndarray) -> dict[str, Any]:
    if len(values) == 0:
        return {"n": 0, "min": None, "median": None, "max": None}
    return {
        "n": len(values),
        "min": float(np.min(values)),
        "median": float(np.median(values)),
        "max": float(np.max(values)),
    }


def distance_to_counts(values: Sequence[float] | np.ndarray, data: Mapping[str, Any]) -> float:
    """Greatest difference of the distribution of whole numbers and a histogram of them.

    Args:
        values: (N,) whole numbers.
        data: {"bins", "weights"}, as in distributions.
    """
    bins, weights = np.asarray(data["bins"], float), np.asarray(data["weights"], float)
    points = np.union1d(values, bins)
    found = np.searchsorted(np.sort(values), points, side="right") / len(values)
    below = np.concatenate([[0.0], np.cumsum(weights / weights.sum())])
    return float(np.max(np.abs(found - below[np.searchsorted(bins, points, side="right")])))


def distance_to_bins(values: Sequence[float] | np.ndarray, data: Mapping[str, Any]) -> float | None:
    """Mean distance by which values are moved when they are drawn from a histogram's centers.

    Args:
        values: (N,) angles (rad).
        data: {"bins": centers, "weights": counts}, as in distributions.

    Returns:
        float, rad; None without values or counts.
    """
    from scipy.stats import wasserstein_distance

    if len(values) == 0 or not np.sum(data["weights"]):
        return None
    return float(wasserstein_distance(values, data["bins"], v_weights=data["weights"]))


def _remarks(found: Mapping[str, Any]) -> Iterator[str]:
    """Remarks for a scientist who uses the mtype, as sentences without full stop."""
    count = len(found["cells"])
    cells = "one cell is" if count == 1 else f"{count} cells are"
    if count < FEWEST_TO_FIT:
        yield (
            f"{cells} too few to know any spread (at least {FEWEST_TO_FIT}), what is grown "
            f"repeats them; a validation needs {FEWEST_TO_VALIDATE}"
        )
    elif count < FEWEST_TO_VALIDATE:
        yield f"{cells} too few for a validation (at least {FEWEST_TO_VALIDATE})"
    elif count < 2 * FEWEST_TO_VALIDATE:
        yield (
            f"{cells} too few for a validation on cells that were not fitted (at least "
            f"{2 * FEWEST_TO_VALIDATE})"
        )
    for names in found["alike"]:
        yield (
            f"{len(names)} cells have the same trees, and nearly the same lengths and directions, "
            f"as variants of one reconstruction have ({some(names)}): they add no independent data"
        )
    soma = found["soma"]
    if soma["std"] == 0.0:
        yield f"all its somas have one size, a radius of {soma['mean']:.2f} um"
    elif soma["ks"] is not None and soma["ks"] > POOR_SOMA_FIT and count >= FEWEST_TO_VALIDATE:
        yield f"the normal law of the soma's radius fits poorly (distance {soma['ks']:.2f})"
    yield from found.get("thin", ())
    for name, neurite in found["neurites"].items():
        if neurite["bars"]["barcodes"] == 1:
            yield f"all its trees of type {name} are grown from one barcode"
        distance = neurite["laws"]["number_of_trees"]
        if distance > ROUNDING:
            yield (
                f"the number of trees of type {name} is not that of the cells (distance "
                f"{distance:.2f}), as min_basal_trees wants"
            )


def merge(
    diagnosis: Mapping[str, dict[str, Any]], **additions: Mapping[str, Mapping[str, Any]]
) -> None:
    """Put further results into a diagnosis.

    Args:
        diagnosis: what :func:`diagnose` returns; changed in place.
        additions: {key: {mtype: {neurite type: JSON-able}}}; each lands under its key in the entry
            of the neurite type. Lists of data (as a fit keeps them for its figure) are left out.
    """
    for key, by_mtype in additions.items():
        for mtype, by_type in by_mtype.items():
            neurites = diagnosis.get(mtype, {}).get("neurites", {})
            for name in by_type.keys() & neurites.keys():
                neurites[name][key] = _without_data(by_type[name])


def _without_data(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    short = {
        key: _without_data(inner)
        for key, inner in value.items()
        if key in LAW_LISTS or not isinstance(inner, list)
    }
    return {key: inner for key, inner in short.items() if inner != {}}


def table(diagnosis: Mapping[str, dict[str, Any]]) -> str:
    """The diagnosis as CSV, a line per mtype and neurite type (text)."""
    rows = []
    for mtype, found in diagnosis.items():
        common = {
            "mtype": mtype,
            "cells": len(found["cells"]),
            "cells_lost": len(found["lost"]),
            "remarks": "; ".join(found["remarks"]),
        }
        soma = found.get("soma", {})
        common |= {
            "soma_radius_mean": _short(soma.get("mean")),
            "soma_radius_std": _short(soma.get("std")),
            "soma_ks": _short(soma.get("ks")),
        }
        for name, neurite in found.get("neurites", {None: None}).items():
            rows.append({**common, **_row(name, neurite)})
    return csv_text(COLUMNS, rows)


def _row(name: str | None, neurite: Mapping[str, Any] | None) -> dict[str, Any]:
    if neurite is None:
        return {}
    bars, laws = neurite["bars"], neurite["laws"]
    return {
        "neurite_type": name,
        "cells_with": neurite["trees"]["cells_with"],
        "trees": neurite["trees"]["total"],
        "barcodes": bars["barcodes"],
        **{f"bars_{key}": _short(bars["per_tree"][key]) for key in ("min", "median", "max")},
        "bars_total": bars["total"],
        "number_of_trees_ks": _short(laws["number_of_trees"]),
        "trunk_angles_shift": _short(laws["trunk_angles"]),
        "trunk_elevations_shift": _short(laws["trunk_origin_elevations"]),
    }


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return "0" if abs(value) < ROUNDING else f"{value:.4g}"


def sentences(diagnosis: Mapping[str, dict[str, Any]], path: PathLike) -> Iterator[str]:
    """The diagnosis for a terminal, a sentence per line."""
    counts = {mtype: len(found["cells"]) for mtype, found in diagnosis.items()}
    testable = [mtype for mtype, count in counts.items() if count >= FEWEST_TO_VALIDATE]
    halves = [mtype for mtype, count in counts.items() if count >= 2 * FEWEST_TO_VALIDATE]
    yield (
        f"{len(testable)} of {len(diagnosis)} mtypes have the {FEWEST_TO_VALIDATE} cells that a "
        f"validation needs, {len(halves)} in each half of their cells."
    )
    few = [mtype for mtype, count in counts.items() if count < FEWEST_TO_FIT]
    if few:
        yield f"Fewer than {FEWEST_TO_FIT} cells, too few to know any spread: {some(few, 10)}."
    for mtype, found in diagnosis.items():
        for neurite, entry in found.get("neurites", {}).items():
            bars, trees = entry["bars"], entry["trees"]["total"]
            least, most = bars["per_tree"]["min"], bars["per_tree"]["max"]
            yield (
                f"{mtype}, {neurite}: {counts[mtype]} cells, {trees} trees, {bars['barcodes']} "
                f"barcodes of {least:g} to {most:g} bars, {bars['total']} bars in all."
                if bars["barcodes"]
                else f"{mtype}, {neurite}: {counts[mtype]} cells, {trees} trees, no barcodes."
            )
        for cell in found["lost"]:
            yield f"{mtype}: {cell['name']} is lost: {cell['reason']}."
        for remark in [*found["notes"], *found["remarks"]]:
            yield f"{mtype}: {remark}."
    yield f"Table: {Path(path)}."
