"""Checks of the reconstructions, their table and what goes with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from region_grower_flow.calibration.preparation import correction_problems, preparation_problems
from region_grower_flow.calibration.sources import (
    calibration_settings,
    corrections_of,
    is_prepared,
    load_document,
    not_given,
    read_additions,
    read_reconstructions,
    with_file,
)
from region_grower_flow.checks import inputs
from region_grower_flow.checks.engine import check_built_parameters
from region_grower_flow.checks.places import CALIBRATION_OUTPUTS, check_files
from region_grower_flow.errors import InvalidInput, Problems
from region_grower_flow.layout import PREPARED

if TYPE_CHECKING:
    from region_grower_flow.options.flows import Calibration, Synthesis, WithoutAtlas


def check_calibration(options: Calibration) -> list[InvalidInput]:
    """Problems of the reconstructions, their table and the configurations."""
    problems = Problems()
    problems.extend(check_files(options, CALIBRATION_OUTPUTS))
    problems.extend(not_given(options))
    base = problems.attempt(load_document, options.base_parameters)
    settings = problems.attempt(calibration_settings, options)
    additions = problems.attempt(read_additions, options)
    if problems:
        return problems
    table = problems.attempt(read_reconstructions, options)
    dataset = None if table is None else inputs.reconstructions(options)
    if dataset is not None and not dataset.mtypes:
        dataset = None  # no cell can be grown, which is said of the cells
    problems.extend(correction_problems(corrections_of(options)))
    if table is not None and is_prepared(options):
        copies = Path(options.work_dir, PREPARED)
        problems.extend(preparation_problems(table, copies, options.inverted_mtypes))
    if dataset is not None and _only_defaults(options):
        from region_grower_flow.calibration.populations import gather_populations

        # Nothing is given that could be wrong: NeuroTS, whose import takes seconds, is not asked.
        problems.attempt(gather_populations, dataset, settings)
    elif dataset is not None:
        from region_grower_flow.calibration.build import build_parameters
        from region_grower_flow.calibration.parameters import generate_parameters

        additions.unneeded = frozenset(inputs.unneeded_mtypes(options))
        made = problems.attempt(generate_parameters, dataset, settings, base)
        if made is not None:
            generated = made[0][options.region]
            built = problems.attempt(build_parameters, generated, additions, options.region)
            problems.extend(check_built_parameters(options, built[0] if built else {}))
    return [with_file(problem, options) for problem in problems]


def check_growth_calibration(options: WithoutAtlas | Synthesis) -> Iterator[InvalidInput]:
    """Problems of a calibration of growth with what is given, of a synthesis."""
    mode = options.growth_calibration
    if mode == "none":
        return
    where = "option growth_calibration"
    for name, instead in (
        ("tmd_parameters", "give them as base_parameters"),
        ("tmd_distributions", "leave them out"),
    ):
        if getattr(options, name):
            problem = f"growth is calibrated with what is made of the reconstructions, not {name}"
            yield InvalidInput(problem, where, f"Set it to none, or {instead}")
    if mode == "extended" and options.engine == "neurots":
        problem = "growth levers are not known to the engine neurots"
        yield InvalidInput(problem, where, "Set it to parameters, or the engine to compiled")


def _only_defaults(options: Calibration) -> bool:
    """True if parameters are NeuroTS's own, from which nothing but the cells can be wrong."""
    files = ("base_parameters", "diametrizer_config", "trunk_rules", "scaling_rules", "overrides")
    return options.trunk_fits == "none" and not any(getattr(options, name) for name in files)
