"""Reference morphologies to NeuroTS distributions, one mtype per process.

Mirrors region_grower.generate.generate_distributions: the values are those of
neurots.extract_input.distributions. What differs: the neurite types come from the cells and not
from a table of mtype names, all problems are reported before or after the work together, and the
result has the form {region: {mtype: distributions}} that synthesis reads.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from region_grower_flow.calibration.choices import SKIP, CalibrationSettings
from region_grower_flow.calibration.dataset import Dataset
from region_grower_flow.calibration.diameter_model import (
    DiameterModel,
    resolve_diameter_model,
    thin_diameters,
    thinnest_of,
)
from region_grower_flow.calibration.extraction import ExtractionTask, extract_mtype
from region_grower_flow.calibration.features import check_feature
from region_grower_flow.calibration.keeping import Keep, extract_kept
from region_grower_flow.calibration.pool import available_cpus, share_out, start_server
from region_grower_flow.calibration.populations import (
    AXON,
    BASAL,
    DEFAULT_THRESHOLD,
    Population,
    gather_populations,
)
from region_grower_flow.calibration.report import CalibrationReport
from region_grower_flow.errors import InvalidInput, InvalidInputs, counted, some

CELLS_PER_PROCESS = 25
"""Another process pays when it has more cells than this, about a second of work."""
MIN_GROWN_BASALS = 2
"""Least number of basal dendrites that growth takes: NeuroTS raises an error for fewer."""
PRELOADED = ("neurots.extract_input", "diameter_synthesis.build_models", extract_mtype.__module__)
"""Modules that the server of worker processes imports once, 2 to 3 s, before it forks them."""


def extract_distributions(
    dataset: Dataset,
    settings: CalibrationSettings | None = None,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    keep: Keep | None = None,
) -> tuple[dict[str, dict[str, Any]], CalibrationReport]:
    """Extract the NeuroTS distributions of all mtypes of a dataset.

    Args:
        dataset: the Dataset.
        settings: CalibrationSettings; None: the defaults.
        processes: how many processes to use (never more than there are mtypes); None: as many as
            pay on this machine. The result does not depend on it. 1: no other one is started.
        progress: called with the numbers of mtypes that are done, and of all.
        keep: keeping.Keep of what earlier extractions found and this one finds; None: nothing is
            kept.

    Returns:
        ({region: {mtype: distributions}}, CalibrationReport), mtypes in the order of the dataset.

    Raises:
        InvalidInputs: cells that cannot be used, mtypes that NeuroTS cannot extract.
        WorkerFailed: a process died.
    """
    settings = settings or CalibrationSettings()
    diameter = resolve_diameter_model(settings.diametrizer_config)
    check_feature(settings.feature)
    _check_min_basal_trees(settings.min_basal_trees)
    _check_bar_threshold(settings.bar_threshold)
    count = _count_processes(processes, dataset)
    if count > 1:
        # Its imports take seconds: they run while the cells are examined here.
        start_server(PRELOADED)
    populations = gather_populations(dataset, settings)
    tasks = [
        _task(population, diameter, settings)
        for population in populations.values()
        if population.cells
    ]
    # The big ones first, so that no process is left alone with one at the end.
    order = sorted(tasks, key=lambda task: -_size(task.paths))
    function, items = (extract_mtype, order) if keep is None else (extract_kept, keep.all(order))
    found = share_out(function, items, count, progress or (lambda *_: None), PRELOADED)
    results = {mtype: result for mtype, *result in found}
    report = CalibrationReport.of_populations("distributions", populations)
    report.processes = count
    report.notes += _never_grown(populations, settings.min_basal_trees)
    failed = _failures(tasks, results)
    if failed and (settings.on_bad_morphology != SKIP or len(failed) == len(tasks)):
        raise InvalidInputs(list(failed.values()))
    _leave_out(failed, tasks, report)
    distributions = {
        task.mtype: results[task.mtype][0] for task in tasks if task.mtype not in failed
    }
    if not settings.measured:  # else bars bring the diameters, by ``growth_calibration = extended``
        report.notes += _thin_diameters(distributions, populations)
    return {settings.region: distributions}, report


def _check_min_basal_trees(count: int) -> None:
    if count not in (1, MIN_GROWN_BASALS):
        raise InvalidInput(f"the least number of basal dendrites is {count!r}, expected 1 or 2")


def _check_bar_threshold(threshold: int | None) -> None:
    if threshold is not None and (not isinstance(threshold, int) or threshold < 0):
        raise InvalidInput(f"the threshold of barcodes is {threshold!r}, expected 0, 1, 2, ...")


def _task(
    population: Population, diameter: DiameterModel, settings: CalibrationSettings
) -> ExtractionTask:
    return ExtractionTask(
        population.mtype,
        tuple(population.paths),
        tuple(cell.path for cell in population.usable(AXON)),
        tuple(population.neurite_types),
        dict(population.thresholds),
        diameter,
        settings.feature,
        settings.min_basal_trees,
        _measured(population, settings) if settings.measured else {},
        population.mtype in settings.inverted and _points_up(population),
        settings.for_neurots,
    )


def _points_up(population: Population) -> bool:
    """True if not most of its apical dendrites point down already: it borrows upright cells."""
    tilts = [frame.tilt for frame in population.frames.values() if frame.tilt is not None]
    return 2 * sum(tilt > 90.0 for tilt in tilts) <= len(tilts)


def _measured(population: Population, settings: CalibrationSettings) -> dict[str, int]:
    """{neurite type: threshold} of the measured trees: apicals of one bar are among them."""
    least = DEFAULT_THRESHOLD if settings.bar_threshold is None else settings.bar_threshold
    return {name: min(least, population.thresholds[name]) for name in population.neurite_types}


def _count_processes(processes: int | None, dataset: Dataset) -> int:
    if processes is not None and processes < 1:
        raise InvalidInput(f"the number of processes is {processes}, expected at least 1")
    if multiprocessing.current_process().daemon:
        return 1  # Python forbids children here
    if processes is None:
        processes = min(available_cpus(), -(-dataset.n_cells // CELLS_PER_PROCESS))
    return min(processes, len(dataset.mtypes))


def _leave_out(
    failed: Mapping[str, InvalidInput], tasks: Sequence[ExtractionTask], report: CalibrationReport
) -> None:
    """Leave out, and name, an mtype that cannot be extracted; the others go on (with ``skip``)."""
    for task in tasks:
        if task.mtype in failed:
            reason = failed[task.mtype].problem
            entry = report.mtypes.pop(task.mtype)
            lost = [{"name": Path(path).stem, "reason": reason} for path in task.paths]
            report.lost_mtypes[task.mtype] = [*entry["lost"], *lost]


def _failures(
    tasks: Sequence[ExtractionTask], results: Mapping[str, Sequence[Any]]
) -> dict[str, InvalidInput]:
    """{mtype: InvalidInput} of those that NeuroTS cannot extract, with the cells that are why."""
    failed = {}
    for task in tasks:
        reason = results[task.mtype][1]
        if reason is None:
            continue
        alone = [Path(path).stem for path in _failing_alone(task)]
        cells = counted(len(task.paths), "cell")
        if alone and len(alone) < len(task.paths):
            cells = f"{cells}, because of {some(alone)}"
        failed[task.mtype] = InvalidInput(
            f"NeuroTS cannot extract its distributions from {cells}: {reason}",
            f"mtype {task.mtype}",
            "Look at its cells; more of them, or other neurite types or diameter models may help",
        )
    return failed


def _failing_alone(task: ExtractionTask) -> list[str]:
    """The files of the cells of a task that cannot be extracted by themselves either."""
    if len(task.paths) == 1:
        return list(task.paths)
    return [
        path
        for path in task.paths
        if extract_mtype(
            replace(
                task,
                paths=(path,),
                axon_paths=tuple(axon for axon in task.axon_paths if axon == path),
            )
        )[2]
    ]


def _thin_diameters(
    distributions: Mapping[str, Mapping[str, Any]], populations: Mapping[str, Population]
) -> Iterator[str]:
    """Sentences on fitted diameters below those of the reconstructions: grown cells have them."""
    for mtype, entry in distributions.items():
        thinnest = thinnest_of(populations[mtype].cells)
        for sentence in thin_diameters(entry.get("diameter") or {}, thinnest):
            yield f"{mtype}: {sentence}."


def _never_grown(populations: Mapping[str, Population], min_basal_trees: int) -> Iterator[str]:
    """Sentences on mtypes that NeuroTS refuses to grow."""
    for mtype, population in populations.items():
        most = max((cell.trees.get(BASAL, 0) for cell in population.cells), default=0)
        if BASAL in population.neurite_types and max(most, min_basal_trees) < MIN_GROWN_BASALS:
            yield (
                f"{mtype}: no reference cell has two basal dendrites, and NeuroTS grows no cell "
                "with fewer: its cells will be dropped. Count them as having two to grow it "
                "(min_basal_trees = 2)."
            )


def _size(paths: Iterable[str]) -> int:
    return sum(os.path.getsize(path) for path in paths)
