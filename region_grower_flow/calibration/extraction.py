"""NeuroTS's distributions of one mtype: the unit of work of the extraction's processes."""

from __future__ import annotations

import contextlib
import functools
import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from region_grower_flow.calibration.diameter_model import DEFAULT, EXTERNAL, DiameterModel
from region_grower_flow.calibration.features import DEFAULT_FEATURE, TRUNK_LENGTH
from region_grower_flow.calibration.measured import measure, read_cells, turned_down
from region_grower_flow.calibration.mending import open_as_used
from region_grower_flow.calibration.neurots_growth import fit_to_growth
from region_grower_flow.calibration.populations import APICAL, AXON, BASAL
from region_grower_flow.calibration.simpler_diameters import FIT_ORDERS, fit_simpler
from region_grower_flow.calibration.trees import load_trees
from region_grower_flow.engine.levers import MEASURED
from region_grower_flow.io.documents import dotted, not_finite

BARCODES = "persistence_diagram"
TYPES_IN_ORDER = (BASAL, APICAL, AXON)
"""NeuroTS's order of the neurite types in distributions."""


@dataclass(frozen=True)
class ExtractionTask:
    """Inputs of one process that extracts the distributions of an mtype.

    Attributes:
        mtype: its name.
        paths: the files of its cells.
        axon_paths: the files of those whose axons are used.
        neurite_types: the neurite types to extract.
        thresholds: {neurite type: the least number of terminations, exclusive}.
        diameter: the DiameterModel.
        feature: TMD's filtration, one for all neurite types or {neurite type: filtration}.
        min_basal_trees: cells with one basal dendrite less count as having this number.
        measured: {neurite type: threshold} of the measured trees that are extracted, too.
        turned: its measured cells that point to the pia are turned to the white matter.
        for_neurots: angles and azimuths are those of neurots_growth.
    """

    mtype: str
    paths: tuple[str, ...]
    axon_paths: tuple[str, ...]
    neurite_types: tuple[str, ...]
    thresholds: Mapping[str, int]
    diameter: DiameterModel
    feature: str | Mapping[str, str]
    min_basal_trees: int = 1
    measured: Mapping[str, int] = field(default_factory=dict)
    turned: bool = False
    for_neurots: bool = False


def extract_mtype(task: ExtractionTask) -> tuple[str, dict[str, Any] | None, str | None]:
    """The distributions of one mtype.

    Returns:
        (mtype, distributions or None, the reason of a failure or None). What NeuroTS and the
        libraries below it raise is returned as a sentence, since most of it is about the data and
        all mtypes are to be reported together.
    """
    try:
        # NeuroTS prints about cells without basal dendrites and NumPy warns about short fits;
        # the report says both better.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            distributions = _extract(task)
    except Exception as error:
        return task.mtype, None, f"{type(error).__name__}: {error}"
    # NeuroTS itself puts NaN for the angles of a tree's first bar.
    for keys in not_finite(distributions, besides=(BARCODES,)):
        return task.mtype, None, f"{dotted(keys)} is not a finite number"
    return task.mtype, distributions, None


def _extract(task: ExtractionTask) -> dict[str, Any]:
    """The result of neurots.extract_input.distributions, with each file read once.

    Mirrors neurots.extract_input.input_distributions.distributions, and calls the functions that
    it calls. What differs: each neurite type has its own threshold of barcodes, and axons are
    those of the cells whose axons are used.
    """
    import morphio
    from neurom import load_morphologies
    from neurots.extract_input.from_neurom import soma_data
    from neurots.utils import format_values

    morphio.set_maximum_warnings(0)
    # Without its cache, NeuroM reads all files again for each quantity.
    load = functools.cache(
        lambda paths: load_morphologies([open_as_used(path) for path in paths], cache=True)
    )
    trees = functools.cache(load_trees)
    distributions = {"soma": soma_data(load(task.paths))} | {name: {} for name in TYPES_IN_ORDER}
    distributions["diameter"] = _fit_diameters(task, load)
    for name in task.neurite_types:
        paths = task.axon_paths if name == AXON else task.paths
        feature = task.feature if isinstance(task.feature, str) else task.feature.get(name)
        feature = feature or DEFAULT_FEATURE
        distributions[name] = _fit_trunks(task, name, load(paths))
        if feature != TRUNK_LENGTH:
            distributions[name] |= _barcodes(trees(paths), name, feature, task.thresholds[name])
    distributions = format_values(distributions)
    if BASAL not in task.neurite_types:
        # NeuroTS's schema requires the trunk of basal dendrites even when none are grown.
        distributions[BASAL] = {"trunk": None}
    fitted = task.diameter.complete(distributions["diameter"], task.neurite_types)
    distributions["diameter"] = fitted
    if task.for_neurots:
        for name in task.neurite_types:
            cells = read_cells(task.axon_paths if name == AXON else task.paths)
            distributions[name] = fit_to_growth(distributions[name], name, cells)
    if task.measured:
        cells = read_cells(task.paths)
        if task.turned:
            cells = [turned_down(cell) for cell in cells]
        distributions[MEASURED] = measure(cells, task.measured)
    return distributions


def _fit_trunks(task: ExtractionTask, name: str, cells: Any) -> dict[str, Any]:
    from neurom import NeuriteType
    from neurots.extract_input.from_neurom import number_neurites, trunk_neurite

    kind = getattr(NeuriteType, name)
    return trunk_neurite(cells, kind) | number_neurites(cells, kind, task.min_basal_trees)


def _fit_diameters(task: ExtractionTask, load: Callable[[Sequence[str]], Any]) -> dict[str, Any]:
    """The diameter model, as NeuroTS names it; ``load`` gives the cells of some files."""
    model = _diameter_model(task, load(task.paths))
    if AXON in task.neurite_types and task.axon_paths != task.paths:
        return with_axon_of(model, _diameter_model(task, load(task.axon_paths)))
    return model


def _diameter_model(task: ExtractionTask, cells: Any) -> dict[str, Any]:
    from neurots.extract_input import from_diameter

    model = task.diameter.fitter(task.neurite_types)
    if isinstance(model, str):
        return from_diameter.model(cells) | {"method": model}
    if model is not None:
        return model(cells) | {"method": EXTERNAL}
    return _simpler_model(cells, task.neurite_types) | {"method": DEFAULT}


def _simpler_model(cells: Any, neurite_types: Sequence[str]) -> dict[str, Any]:
    """The model "simpler" of diameter-synthesis.

    It fits a polynomial to the sections' diameters, and fails where there are too few: such trees
    get the mean of their diameters, a polynomial of one coefficient.
    """
    few = [name for name in neurite_types if _is_too_small_to_fit(cells, name)]
    model = fit_simpler(cells, [name for name in neurite_types if name not in few])
    return {
        name: [_mean_diameter(cells, name)] if name in few else model[name]
        for name in neurite_types
    }


def _is_too_small_to_fit(cells: Any, name: str) -> bool:
    """True if there are trees of a type, but no more sections than coefficients."""
    import neurom

    kind = getattr(neurom.NeuriteType, name)
    order = FIT_ORDERS[name]
    counts = [neurom.get("number_of_sections", cell, neurite_type=kind) for cell in cells]
    # Path distances are relative to the longest of a cell: 1 in each cell of one section.
    distinct = 1 + sum(max(0, count - 1) for count in counts)
    return sum(counts) > 0 and min(sum(counts) - 1, distinct) <= order


def _mean_diameter(cells: Any, name: str) -> float:
    import neurom
    import numpy as np

    kind = getattr(neurom.NeuriteType, name)
    radii = [neurom.get("segment_radii", cell, neurite_type=kind) for cell in cells]
    return float(2 * np.mean(np.concatenate(radii)))


def with_axon_of(model: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A diameter model, {type: ...} or {quantity: {type: ...}}, with what another has of axons."""
    return {
        key: other[key]
        if key == AXON
        else {**value, AXON: other[key][AXON]}
        if isinstance(value, dict) and AXON in value
        else value
        for key, value in model.items()
    }


def _barcodes(trees: Any, name: str, feature: str, threshold: int) -> dict[str, Any]:
    from neurots.extract_input.from_TMD import persistent_homology_angles

    found = persistent_homology_angles(trees, threshold, name, feature)
    return found | {"filtration_metric": feature}
