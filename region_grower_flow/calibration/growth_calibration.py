"""The calibration of growth of one mtype: usual values, fitted to its cells, and checked on folds.

An mtype is a unit of work: it depends on its own parameters, distributions and cells only, so that
mtypes are calibrated by several processes, and none again when another one changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from region_grower_flow.calibration import growth_values
from region_grower_flow.calibration.growth_amount import Amount, affordable, points_of_cell
from region_grower_flow.calibration.growth_cells import (
    Grower,
    GrowthCell,
    folds,
    independent,
    of_some_cells,
    read_centered,
    tree_counts,
)
from region_grower_flow.calibration.growth_fit import Fit, FitReference, Fitter, Lever
from region_grower_flow.calibration.growth_moments import NAMES, growth_table
from region_grower_flow.errors import some
from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology

VERSION = 5
"""Version of the calibrations of mtypes; those of another version are made again."""

FEWEST_CELLS = 8
"""Independent cells below which the usual values are used: the fit would follow chance."""
CELLS, STEPS, SEED = 60, 5, 1
"""Cells of a population that the fit grows, steps of the fit, seed of its random numbers."""
FOLDS, FOLD_STEPS, FOLD_SEED = 5, 2, 2
"""Parts of the check: each real cell is ranked among cells that were fitted without its fold."""
ALPHA = 0.05
MOST_FAILING = 2
"""Features that may differ in the check without a word in the terminal."""

UNFIT = (ArithmeticError, IndexError, TypeError, ValueError)
"""Errors of a fit to cells that are no numbers, or too few of them, somewhere."""


Levers: TypeAlias = Mapping[str, Sequence[Lever]]
"""{neurite type: the levers that are fitted}."""


@dataclass(frozen=True)
class GrowthTask:
    """Inputs of one process that calibrates an mtype.

    Attributes:
        mtype: its name.
        mode: PARAMETERS or EXTENDED.
        params, distributions: NeuroTS's, of the mtype.
        cells: GrowthCells.
        kept: see growth_values.with_values.
        cells_grown, steps, folds: of the fit and its check; no folds: no check.
    """

    mtype: str
    mode: str
    params: Mapping[str, Any]
    distributions: Mapping[str, Any]
    cells: tuple[GrowthCell, ...]
    kept: frozenset[tuple[str, str]] = frozenset()
    cells_grown: int = CELLS
    steps: int = STEPS
    folds: int = FOLDS


def calibrate_mtype(task: GrowthTask) -> dict[str, Any]:
    """Calibrate the growth of an mtype.

    Args:
        task: GrowthTask.

    Returns:
        JSON-able: ``values`` {neurite type: {name: value}}, ``usual``, ``fitted`` (whether),
        ``why`` (where not), ``pull`` of the prior in its standard deviations, ``bounds``,
        ``losses``, ``moments`` {neurite type: {feature: reference, spread, before, after}},
        ``folds``, ``cells``, ``cells_grown`` of a population, ``points_grown`` (about how many in
        all), ``check_parts`` (how many the check may have), ``independent``, ``seeds``.
    """
    levers = growth_values.fitted_levers(task.params, task.mode, task.kept)
    count = independent(task.cells)
    usual = {name: growth_values.usual_values(task.mode) for name in levers}
    entry = {
        "version": VERSION,
        "mtype": task.mtype,
        "mode": task.mode,
        "cells": len(task.cells),
        "independent": count,
        "usual": usual,
        "seeds": {"fit": SEED, "check": FOLD_SEED},
    }
    why = _why_not(levers, count)
    if why:
        return entry | {"fitted": False, "why": why, "values": usual}
    try:
        return entry | _fitted(task, levers, count)
    except UNFIT as error:  # cells that nobody has thought of do not stop the other mtypes
        reason = f"{type(error).__name__}: {error}"
        why = f"the fit to its cells failed ({reason}): the usual values are used"
        return entry | {"fitted": False, "why": why, "values": usual}


def _fitted(task: GrowthTask, levers: Levers, count: int) -> dict[str, Any]:
    """The rest of what :func:`calibrate_mtype` returns, of an mtype with cells enough."""
    real = [read_centered(cell.path) for cell in task.cells]
    tables = {NEURITE_TYPES[name]: growth_table(real, NEURITE_TYPES[name]) for name in levers}
    of_cell = points_of_cell(tables, growth_values.with_values(task.params, task.mode))
    amount = affordable(_wanted(task, levers), of_cell)
    if amount is None:
        return _too_large(task, levers, of_cell)
    task = replace(task, cells_grown=amount.cells)
    fitter = _fitter(task, task.distributions, FitReference.of(tables, count), levers, task.steps)
    found = fitter.fit()
    values = _named(found.values)
    entry: dict[str, Any] = {
        "fitted": bool(found.before),
        "why": None if found.before else "its cells could not be grown with the usual values",
        "values": values,
        "cells_grown": task.cells_grown,
        "points_grown": round(amount.points(of_cell)),
        "check_parts": amount.folds,
        "pull": growth_values.pulls(values, task.mode),
        "bounds": [list(place) for place in growth_values.at_bounds(values, task.mode)],
        "losses": [float(loss) for loss in found.losses],
        "kept_step": found.kept,
        "populations_grown": found.evaluations,
    }
    if not found.before:
        return entry
    after = fitter.grow(found.values, task.cells_grown, FOLD_SEED)
    entry["moments"] = _moments(fitter.reference, found, after)
    if task.folds and not amount.folds:
        entry["folds"] = {"why": f"{_of_size(of_cell)} are too large for a check"}
    elif task.folds:
        task = replace(task, folds=amount.folds)
        entry["folds"] = _check(task, real, tables, levers, found.jacobian)
    return entry


def _wanted(task: GrowthTask, levers: Levers) -> Amount:
    """The Amount for cells of usual size: a fit measures its start, its slopes and its steps."""
    most = max(map(len, levers.values()))
    return Amount(task.cells_grown, task.folds, 3 + most + task.steps, 3 + FOLD_STEPS)


def _of_size(of_cell: float) -> str:
    return f"cells of some {of_cell / 1e6:.1f} million points"


def _too_large(task: GrowthTask, levers: Levers, of_cell: float) -> dict[str, Any]:
    return {
        "fitted": False,
        "why": f"{_of_size(of_cell)} are too large for a fit: the usual values are used",
        "values": {name: growth_values.usual_values(task.mode) for name in levers},
    }


def _why_not(levers: Levers, count: int) -> str | None:
    if not levers:
        return "none of its neurite types grows by barcodes of path distances"
    if count < FEWEST_CELLS:
        cells = "1 independent cell" if count == 1 else f"{count} independent cells"
        return f"{cells}, where a fit needs {FEWEST_CELLS}: the usual values are used"
    return None


def _fitter(
    task: GrowthTask,
    distributions: Mapping[str, Any],
    reference: FitReference,
    levers: Levers,
    steps: int,
) -> Fitter:
    grower = Grower(task.params, distributions, task.mode, task.kept)
    return Fitter(
        grower.grow,
        reference,
        {NEURITE_TYPES[name]: some for name, some in levers.items()},
        spread=growth_values.USUAL_SPREAD[task.mode],
        cells=task.cells_grown,
        seed=SEED,
        steps=steps,
        compared=growth_values.COMPARED_IN[task.mode],
    )


def _named(by_kind: Mapping[int, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    names = {kind: name for name, kind in NEURITE_TYPES.items()}
    return {names[kind]: dict(values) for kind, values in by_kind.items()}


def _moments(
    reference: FitReference, found: Fit, after: Sequence[FlatMorphology]
) -> dict[str, Any]:
    """The quantities that were compared, for the cells and for others grown with the values."""
    from region_grower_flow.calibration.growth_moments import moments

    result = {}
    for name, kind in NEURITE_TYPES.items():
        if kind not in reference.targets:
            continue
        fresh = moments(growth_table(after, kind))
        columns = (
            reference.targets[kind],
            reference.scales[kind],
            found.before[kind],
            found.after[kind],
            fresh,
        )
        heads = ("reference", "spread", "before", "after", "after_other_seed")
        result[name] = {
            feature: dict(zip(heads, map(_number, values), strict=True))
            for feature, values in zip(NAMES, zip(*columns, strict=True), strict=True)
        }
    return result


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _check(
    task: GrowthTask,
    real: Sequence[FlatMorphology],
    tables: Mapping[int, np.ndarray],
    levers: Levers,
    jacobian: Mapping[int, np.ndarray],
) -> dict[str, Any]:
    """Ranks of the real cells in populations that were fitted without them, and the floor.

    Returns:
        {"groups", "failing": {neurite type: [features]}, "floor": {neurite type: [features]},
        "ranks": {neurite type: {feature: [one per cell]}}}; or {"why"}: it could not be made.
    """
    fold = folds(task.cells, task.folds)
    numbers = np.unique(fold)
    if len(numbers) < 2:
        return {"why": "the cells are variants of one reconstruction"}
    counts = tree_counts(real, levers)
    rng = np.random.default_rng(FOLD_SEED)
    ranks = {name: np.full((len(real), len(NAMES)), np.nan) for name in levers}
    floor = {name: np.full((len(real), len(NAMES)), np.nan) for name in levers}
    for number in numbers:
        kept = fold != number
        distributions = of_some_cells(task.distributions, kept, counts)
        if distributions is None:
            return {"why": "the barcodes do not say which cell they are of"}
        some = {kind: table[kept] for kind, table in tables.items()}
        cells = [cell for cell, keep in zip(task.cells, kept, strict=True) if keep]
        reference = FitReference.of(some, independent(cells))
        fitter = _fitter(task, distributions, reference, levers, FOLD_STEPS)
        values = fitter.fit(jacobian).values
        grown = fitter.grow(values, task.cells_grown, FOLD_SEED)
        for name in levers:
            kind = NEURITE_TYPES[name]
            ranks[name][~kept] = rank(tables[kind][~kept], growth_table(grown, kind), rng)
            floor[name][~kept] = rank(tables[kind][~kept], some[kind], rng)
    named = list(enumerate(NAMES))
    return {
        "groups": len(numbers),
        "failing": not_uniform(ranks),
        "floor": not_uniform(floor),
        "ranks": {
            name: {feature: [_number(v) for v in found[:, place]] for place, feature in named}
            for name, found in ranks.items()
        },
    }


def rank(values: np.ndarray, population: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(cells, F) the share of a population below each value, NaN where there is no value.

    Among values that are equal, as numbers of trees are, a place is drawn: ranks of cells from the
    same law are uniform then, and would else all be in the middle where a feature never varies.

    Args:
        values: (cells, F).
        population: (N, F).
        rng: draws the places.
    """
    known = np.isfinite(population)
    below = np.sum((population[None] < values[:, None]) & known[None], axis=1)
    equal = np.sum((population[None] == values[:, None]) & known[None], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = (below + rng.random(values.shape) * (equal + 1)) / (known.sum(axis=0) + 1)
    return np.where(np.isfinite(values), shares, np.nan)


def not_uniform(ranks: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
    """{neurite type: [features]} whose ranks are not uniform (KS, Benjamini-Hochberg)."""
    from scipy.stats import false_discovery_control, kstest

    found = {}
    for name, table in ranks.items():
        tests = []
        for place, feature in enumerate(NAMES):
            values = table[np.isfinite(table[:, place]), place]
            if len(values) >= FEWEST_CELLS:
                tests.append((kstest(values, "uniform").pvalue, feature))
        tests.sort()
        adjusted = false_discovery_control([p for p, _ in tests]) if tests else []
        found[name] = [
            feature for (_, feature), p in zip(tests, adjusted, strict=True) if p <= ALPHA
        ]
    return found


def remarks(entries: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Sentences for the terminal, few of them whatever the number of mtypes.

    Args:
        entries: {mtype: what :func:`calibrate_mtype` returns}.
    """
    few = [m for m, e in entries.items() if not e["fitted"] and e["independent"] < FEWEST_CELLS]
    if few:
        words = "have" if len(few) > 1 else "has"
        yield (
            f"{some(few, 3)} {words} fewer than {FEWEST_CELLS} independent cells, which is too few "
            "for a fit: the usual values are used."
        )
    for mtype, entry in entries.items():
        if not entry["fitted"] and mtype not in few:
            yield f"{mtype}: {entry['why']}."
    large = [m for m, e in entries.items() if e.get("cells_grown", CELLS) < CELLS]
    if large:
        points = max(entries[m].get("points_grown", 0.0) for m in large)
        yield (
            f"{some(large, 3)}: the cells are so large that the fit grows as few as "
            f"{min(entries[m]['cells_grown'] for m in large)} at a time, where it grows {CELLS} "
            f"(in all, up to {points / 1e6:.0f} million points)."
        )
    less = {m: parts for m in large if (parts := entries[m].get("check_parts", FOLDS)) < FOLDS}
    if less:
        parts = min(less.values())
        words = f"as few as {parts}" if parts else "no"
        yield f"{some(list(less), 3)}: for that reason the check has {words} parts of {FOLDS}."
    differ = {
        mtype: failing
        for mtype, entry in entries.items()
        if len(failing := _failing(entry)) > MOST_FAILING
    }
    for mtype, failing in differ.items():
        yield (
            f"{mtype}: grown cells differ from real ones that were not fitted in {some(failing)}."
        )
    bounds = [
        f"{m} ({name})" for m, entry in entries.items() for _, name in entry.get("bounds", ())
    ]
    if bounds:
        yield f"Values at the bound of what is tried: {some(bounds, 3)}."


def _failing(entry: Mapping[str, Any]) -> list[str]:
    """The features that differ in the check, with their neurite type where there are several."""
    failing = entry.get("folds", {}).get("failing", {})
    several = len(failing) > 1
    return [
        f"{feature} ({kind.replace('_', ' ')})" if several else feature
        for kind, features in failing.items()
        for feature in features
    ]


def sentences(entries: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The calibration for a terminal, a sentence per line.

    Args:
        entries: {mtype: what :func:`calibrate_mtype` returns}.
    """
    fitted = [mtype for mtype, entry in entries.items() if entry["fitted"]]
    yield f"Growth is fitted for {len(fitted)} of {len(entries)} mtypes."
    for mtype, entry in entries.items():
        if not entry["fitted"]:
            yield f"{mtype}: {entry['why']}."
            continue
        bad = len(_failing(entry))
        words = f"{mtype}: {entry['independent']} independent cells"
        if "ranks" in entry.get("folds", {}):
            every = len(NAMES) * len(entry["values"])
            words += f", {bad} of {every} features differ in cells that were not fitted"
        yield f"{words}."
        for kind, name in entry["bounds"]:
            yield f"{mtype}, {kind}: {name} is at the bound of what is tried."
