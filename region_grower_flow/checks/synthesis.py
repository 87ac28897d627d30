"""Checks of everything that a synthesis reads, and of where it writes."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from region_grower_flow.calibration.growth_values import EXTENDED
from region_grower_flow.calibration.populations import gather_populations
from region_grower_flow.calibration.sources import calibration_settings, read_reconstructions
from region_grower_flow.checks import inputs
from region_grower_flow.checks.calibration import check_calibration, check_growth_calibration
from region_grower_flow.checks.engine import check_engine, check_engine_knows
from region_grower_flow.checks.machine import check_launcher
from region_grower_flow.checks.places import check_places
from region_grower_flow.checks.space import check_space
from region_grower_flow.checks.unmatched import unmatched_problem
from region_grower_flow.errors import InvalidInput, Problems
from region_grower_flow.layout import NEURON_EXTENSIONS
from region_grower_flow.options.outputs import writes_files

if TYPE_CHECKING:
    from region_grower_flow.calibration.dataset import Dataset
    from region_grower_flow.options.flows import Synthesis

L = logging.getLogger(__name__)


def check_synthesis(options: Synthesis) -> list[InvalidInput]:
    """Problems of everything that a synthesis reads, and of where it writes."""
    problems = Problems(check_space(options))
    problems.extend(check_growth_calibration(options))
    if not (options.tmd_parameters and options.tmd_distributions):
        problems.extend(check_calibration(options))
    problems.extend(_check_models(options))
    problems.extend(_check_options(options))
    problems.extend(check_places(options))
    problems.extend(check_launcher(options))
    return list({str(problem): problem for problem in problems}.values())


def _check_models(options: Synthesis) -> list[InvalidInput]:
    """Parameters and distributions: valid, and there for every mtype of the cells."""
    from region_grower_flow.atlas.structure import layers_of, load_region_structure
    from region_grower_flow.engine import parameters

    problems = Problems()
    if options.tmd_parameters:
        axons = options.synthesize_axons
        given = problems.attempt(parameters.load_parameters, options.tmd_parameters, axons)
    if options.tmd_distributions:
        path = options.tmd_distributions
        distributions = problems.attempt(parameters.load_distributions, path)
    wanted = Problems().attempt(_wanted_mtypes, options)  # its own problems are known
    if problems or wanted is None:
        return problems
    if options.tmd_parameters and options.tmd_distributions:
        paths = (options.tmd_parameters, options.tmd_distributions)
        layers = layers_of(load_region_structure(options.region_structure))
        return parameters.check_mtypes(given, distributions, wanted, paths, layers, options.engine)
    if options.tmd_parameters:
        problems.extend(check_engine_knows(options, given, wanted))
    dataset = Problems().attempt(read_reconstructions, options)
    if dataset is not None:
        mtypes = inputs.cells_in_atlas(options).properties["mtype"]
        problem = unmatched_problem(mtypes, dataset)
        problems.extend([problem] if problem else [])
        known = _of_mtypes(given, wanted) if options.tmd_parameters else None
        _tell_growth(options, dataset, Counter(map(str, mtypes)), known)
    return problems


def _of_mtypes(
    parameters: Mapping[str, Mapping[str, Any]], wanted: Iterable[tuple[str, str, str]]
) -> dict[str, Any]:
    """The parameters of the mtypes of the cells, by mtype; nothing for one that has none."""
    return {mtype: parameters.get(region, {}).get(mtype, {}) for region, _, mtype in wanted}


def _tell_growth(
    options: Synthesis,
    dataset: Dataset,
    cells: Mapping[str, int],
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Put into the log what can be known of growth: directions, and cells that will be lost."""
    from region_grower_flow.checks.foreseen import direction_notes, loss_notes

    others = options.base_parameters or options.overrides or options.trunk_rules
    if others or options.trunk_fits != "none":
        return  # orientations are not the defaults
    used = {mtype: found for mtype, found in dataset.mtypes.items() if cells.get(mtype)}
    settings = Problems().attempt(calibration_settings, options)
    wanted = Problems().attempt(gather_populations, replace(dataset, mtypes=used), settings)
    if not wanted:
        return
    # The calibration gives all types the trunks of reconstructed cells.
    measured = parameters is None and options.growth_calibration == EXTENDED
    notes = list(direction_notes(wanted, options.inverted_mtypes, measured))
    if not measured:
        choices = options.min_basal_trees, options.extra_apicals
        notes += loss_notes(wanted, cells, *choices, parameters)
    for note in notes:
        L.warning("%s", note)


def _wanted_mtypes(options: Synthesis) -> Any:
    from region_grower_flow.atlas.regions import RegionMapper, load_region_map
    from region_grower_flow.atlas.structure import load_region_structure
    from region_grower_flow.engine.parameters import wanted_mtypes

    properties = inputs.cells_in_atlas(options).properties
    structure = load_region_structure(options.region_structure)
    mapper = RegionMapper(structure, load_region_map(options.atlas))
    return wanted_mtypes(properties["region"], properties["mtype"], mapper)


def _check_options(options: Synthesis) -> list[InvalidInput]:
    """Options that do not go together."""
    problems = check_given_parameters(options)
    without = not {*NEURON_EXTENSIONS} & {*options.out_morph_ext}
    # With the container alone, other formats are no way out: the check of places says so.
    if options.out_apical_nrn_sections and without and not options.container_only:
        problems.append(
            InvalidInput(
                f"NEURON's sections need morphologies in asc or swc, not only "
                f"{', '.join(options.out_morph_ext)}",
                "option out_apical_nrn_sections",
                "add asc or swc to out_morph_ext",
            )
        )
    if options.morph_axon and not options.base_morph_dir and not options.synthesize_axons:
        problems.append(
            InvalidInput(
                "the folder of the axon morphologies is needed with morph_axon",
                "option base_morph_dir",
            )
        )
    problems.extend(_check_folders(options))
    problems.extend(check_engine(options))
    return problems


def _check_folders(options: Synthesis) -> Problems:
    """A problem where the morphologies do not fit into folders of the wanted size."""
    from region_grower_flow.io.morphologies import directory_depth
    from region_grower_flow.io.ranges import count_cells

    problems = Problems()
    count = Problems().attempt(
        count_cells, options.input_cells, options.population
    )  # its own problems are known
    if options.max_files_per_dir and count and writes_files(options):
        files = count * len(options.out_morph_ext)
        problems.attempt(directory_depth, files, options.max_files_per_dir)
    return problems


def check_given_parameters(options: Synthesis) -> list[InvalidInput]:
    """Problems of rules for parameters that are given: they would be ignored."""
    rules = {name: getattr(options, name) for name in ("trunk_rules", "scaling_rules", "overrides")}
    rules["trunk_fits"] = options.trunk_fits != "none"
    return [
        InvalidInput(
            "has no effect on the parameters that tmd_parameters gives",
            f"option {name}",
            "give these as base_parameters, with the reconstructions, to complete them",
        )
        for name, value in rules.items()
        if value and options.tmd_parameters
    ]
