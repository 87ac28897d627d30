"""The calibration of growth of all mtypes: shared among processes, and kept mtype by mtype."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from region_grower_flow import layout
from region_grower_flow.calibration import growth_values
from region_grower_flow.calibration.dataset import Dataset
from region_grower_flow.calibration.growth_calibration import (
    VERSION,
    GrowthTask,
    calibrate_mtype,
)
from region_grower_flow.calibration.growth_cells import cells_of
from region_grower_flow.calibration.neurots_growth import as_extracted
from region_grower_flow.calibration.pool import share_out
from region_grower_flow.calibration.populations import Population
from region_grower_flow.engine import filling
from region_grower_flow.io.atomic import make_own_folder, safe_child
from region_grower_flow.io.layer_names import CONSTRAINTS
from region_grower_flow.morphology import NEURITE_TYPES
from region_grower_flow.record.fingerprint import digest_of
from region_grower_flow.record.kept import Kept

PRELOADED = ("region_grower_flow.engine.compiled", calibrate_mtype.__module__)
KERNELS = ("core", "diameters", "diameters_sampled", "levers")
"""Groups of kernels that grow cells of reconstructions without an atlas."""


@dataclass(frozen=True)
class GrowthPlan:
    """Plan of a calibration of growth.

    Attributes:
        mode: growth_values.PARAMETERS or EXTENDED.
        folder: where the calibrations of single mtypes are kept.
        needed: mtypes that cells are grown of; None: all.
        versions: {package: version} of what affects results.
        processes: how many.
    """

    mode: str
    folder: Path
    needed: Collection[str] | None = None
    versions: Mapping[str, Any] = field(default_factory=dict)
    processes: int = 1


def growth_tasks(
    parameters: Mapping[str, dict[str, Any]],
    generated: Mapping[str, Mapping[str, Any]],
    distributions: Mapping[str, Any],
    populations: Mapping[str, Population],
    dataset: Dataset,
    plan: GrowthPlan,
) -> dict[str, GrowthTask]:
    """{mtype: GrowthTask} of the mtypes that are needed.

    Args:
        parameters: {mtype: the complete parameters}.
        generated: {mtype: parameters before overrides and fitted laws}, whose differences are kept.
        distributions: {mtype: distributions}.
        populations: {mtype: Population}.
        dataset: the Dataset of the cells.
        plan: GrowthPlan.
    """
    return {
        mtype: GrowthTask(
            mtype,
            plan.mode,
            params,
            distributions[mtype],
            cells_of(populations[mtype], dataset),
            growth_values.kept_by_hand(generated.get(mtype, params), params),
        )
        for mtype, params in parameters.items()
        if plan.needed is None or mtype in plan.needed
    }


def calibrate_growth(
    parameters: Mapping[str, dict[str, Any]],
    tasks: Mapping[str, GrowthTask],
    plan: GrowthPlan,
    digests: Callable[[str], Any],
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Calibrate the growth of all mtypes that are needed.

    What an interrupted run has calibrated, or one with other mtypes, is taken over.

    Args:
        parameters: {mtype: the complete parameters}; they are not changed.
        tasks: {mtype: GrowthTask}, see :func:`growth_tasks`.
        plan: GrowthPlan.
        digests: function of a path: the digest of a file's content.
        advance: called with (mtypes done, mtypes), also before the first one.

    Returns:
        ({mtype: parameters with calibrated growth}, {mtype: what calibrate_mtype returns}).
    """
    folder = Path(plan.folder)
    make_own_folder(folder.parent, folder.name)
    wanted = [_kept(task, plan, digests) for task in tasks.values()]
    # Mtypes that borrow the same reconstructions have the same growth: one of them is calibrated.
    alike = {kept.fingerprint: kept for kept in reversed(wanted)}
    # The large ones first, so that no process is left alone with one at the end.
    order = sorted(alike.values(), key=lambda kept: -len(kept.task.cells))
    if any(kept.read() is None for kept in order):
        filling.provide(KERNELS)  # before several processes would compile
    found = share_out(calibrate_and_keep, order, plan.processes, advance, PRELOADED)
    by_fingerprint = {k.fingerprint: entry for k, entry in zip(order, found, strict=True)}
    entries = {
        kept.task.mtype: {**by_fingerprint[kept.fingerprint], "mtype": kept.task.mtype}
        for kept in wanted
    }
    final = {
        mtype: calibrated(params, tasks[mtype], entries[mtype])
        if mtype in tasks
        else deepcopy(params)
        for mtype, params in parameters.items()
    }
    return final, entries


def calibrated(
    params: Mapping[str, Any], task: GrowthTask, entry: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters of an mtype with its calibrated growth."""
    return growth_values.with_values(params, task.mode, entry["values"], task.kept)


def calibrate_and_keep(kept: Kept) -> dict[str, Any]:
    """Calibrate an mtype, or read what is kept of an earlier calibration with the same inputs."""
    found = kept.read()
    if found is None:
        found = calibrate_mtype(kept.task)
        kept.write(found)
    return found


def _kept(task: GrowthTask, plan: GrowthPlan, digests: Callable[[str], Any]) -> Kept:
    # Layers do not act on the cells that are grown here, which have no atlas.
    params = {name: value for name, value in task.params.items() if name != CONSTRAINTS}
    fingerprint = digest_of(
        {
            "version": VERSION,
            "mode": task.mode,
            "values": [repr(lever) for lever in growth_values.FITTED[task.mode]],
            "params": growth_values.with_values(params, task.mode, None, task.kept),
            "kept": sorted(map(list, task.kept)),
            # Barcodes hold NaN, which canonical JSON has not.
            "distributions": digest_of(json.dumps(task.distributions, sort_keys=True)),
            "cells": [[cell.name, cell.group, digests(cell.path)] for cell in task.cells],
            "sizes": [task.cells_grown, task.steps, task.folds],
            "versions": plan.versions,
        }
    )
    return Kept(task, safe_child(plan.folder, layout.kept_name(fingerprint)), fingerprint)


def default_distributions(distributions: Mapping[str, Any]) -> dict[str, Any]:
    """Distributions as NeuroTS's defaults have them: barcodes of trees with more than two tips.

    Where no tree has so many, all stay. Their angles are those that were extracted.
    """
    found = {}
    for name, entry in distributions.items():
        entry = as_extracted(entry) if name in NEURITE_TYPES else entry
        codes = entry.get("persistence_diagram") if isinstance(entry, dict) else None
        if codes:
            kept = [code for code in codes if len(code) > 2]
            entry = {**entry, "persistence_diagram": kept or codes}
        found[name] = entry
    return found
