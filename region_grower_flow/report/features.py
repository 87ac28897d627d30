"""Morphometrics as reports show them: labels with units, rows of scores."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from region_grower_flow.report.names import TableRow
from region_grower_flow.report.violins import ByPopulation
from region_grower_flow.validation import morphometrics
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.features import MVS_LIMIT
from region_grower_flow.validation.results import REFERENCE, SYNTHESIZED
from region_grower_flow.validation.statistics import compare_feature, named_seed
from region_grower_flow.validation.verdict import MIN_REFERENCE_CELLS

_UNITS = {"um": "µm", "um2": "µm²", "rad": "rad"}
_KNOWN = {feature.name: feature for feature in morphometrics.FEATURES}
ABOUT_CELL = ("part", "mtype", "population", "cell", "neurite_type")
"""Columns of a table of cells that are no features."""


def feature_label(name: object) -> str:
    """A feature with its unit: ``total length (µm)``."""
    feature = _KNOWN.get(str(name))
    unit = _UNITS.get(feature.unit, "") if feature else ""
    words = str(name).replace("maximum", "max.").replace("partition asymmetry", "asymmetry")
    return f"{words} ({unit})" if unit else words


def cell_rows(
    mtype: str, populations: Mapping[str, Sequence[ValidationCell]], neurite_types: Sequence[str]
) -> list[TableRow]:
    """Rows of features, one per cell and neurite type.

    Args:
        mtype: of the cells.
        populations: {"reference" or "synthesized": [ValidationCell]}.
        neurite_types: names.

    Returns:
        [dict]: mtype, population, cell, neurite_type, then a value per feature (NaN: has none).
    """
    return [{"mtype": mtype, **row} for row in morphometrics.rows(populations, neurite_types)]


def values_of(rows: Iterable[TableRow]) -> dict[str | None, dict[str, dict[str, list[float]]]]:
    """{neurite type: {feature: {population: [values]}}} of rows of cells."""
    found: dict[str | None, dict[str, dict[str, list[float]]]] = {}
    for row in rows:
        for feature, value in row.items():
            if feature not in ABOUT_CELL:
                panel = found.setdefault(row["neurite_type"], {}).setdefault(feature, {})
                if value is not None:
                    panel.setdefault(row["population"], []).append(value)
    return found


def panels(rows: Iterable[TableRow]) -> list[tuple[str | None, str, ByPopulation]]:
    """Panels for :func:`~region_grower_flow.report.violins.plot_violins`, from rows of cells."""
    found: list[tuple[str | None, str, ByPopulation]] = []
    for kind, features in values_of(rows).items():
        heading: str | None = (kind or "whole cell").replace("_", " ")
        for feature, populations in features.items():
            found.append((heading, feature_label(feature), populations))
            heading = None
    return found


def score_rows(mtype: str, rows: Iterable[TableRow], seed: int = 0) -> list[TableRow]:
    """Scores of an mtype with the null's 95th percentile, by the validation's statistics.

    Args:
        mtype: of the rows.
        rows: of its cells.
        seed: of the resampling.

    Returns:
        [dict] with the keys of ``scores.COLUMNS``.
    """
    rng = np.random.default_rng(named_seed(seed, mtype))
    found = []
    for kind, features in values_of(rows).items():
        for feature, values in features.items():
            reference, synthesized = (
                np.array(values.get(side, ())) for side in (REFERENCE, SYNTHESIZED)
            )
            test = compare_feature(feature, reference, synthesized, rng, MIN_REFERENCE_CELLS)
            counts = test.n_reference, test.n_synthesized
            null = test.mvs_null95 if np.isfinite(test.mvs) else None
            found.append(score_row(mtype, kind, feature, counts, (test.mvs, null)))
    return found


def score_row(
    mtype: str,
    kind: str | None,
    feature: str,
    counts: tuple[int, int],
    score: tuple[float | None, float | None],
) -> TableRow:
    """A row of scores: ``score`` is (MVS, null's 95th percentile), not finite where untested."""
    value, null = (None if s is None or not np.isfinite(s) else float(s) for s in score)
    limit = None if null is None else max(MVS_LIMIT, null)
    return {
        "mtype": mtype,
        "neurite_type": kind,
        "feature": feature,
        "n_reference": counts[0],
        "n_synthesized": counts[1],
        "mvs": value,
        "null_95": null,
        "limit": limit,
        "above": value is not None and limit is not None and value > limit,
    }


def verdict_scores(verdicts: Iterable[Mapping[str, Any]]) -> list[TableRow]:
    """Rows of scores from the verdicts (dicts) of a validation's tier ``morphometrics``."""
    known = {feature.name for feature in morphometrics.FEATURES}
    return [
        score_row(
            verdict["mtype"],
            verdict["neurite_type"],
            verdict["test"],
            (verdict["n_reference"], verdict["n_synthesized"]),
            ((verdict["values"] or {}).get("mvs"), (verdict["values"] or {}).get("mvs_null95")),
        )
        for verdict in verdicts
        if verdict["test"] in known
    ]
