"""Checks of all that a vacuum synthesis reads, and of where it writes, before any work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import layout
from region_grower_flow.calibration.sources import read_reconstructions
from region_grower_flow.checks.calibration import check_calibration, check_growth_calibration
from region_grower_flow.checks.engine import check_engine, check_engine_knows
from region_grower_flow.checks.machine import check_launcher
from region_grower_flow.checks.places import check_own_folder
from region_grower_flow.engine import parameters
from region_grower_flow.errors import InvalidInput, Problems
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.vacuum import vacuum_place
from region_grower_flow.stages.vacuum import known_mtypes, vacuum_problems

if TYPE_CHECKING:
    from region_grower_flow.options.flows import WithoutAtlas


def check_vacuum(options: WithoutAtlas) -> Problems:
    """Problems of the parameters, of the mtypes that are asked for, and of the output folder.

    Args:
        options: of the task, ``vacuum_dir`` among them.

    Returns:
        list of InvalidInput.
    """
    problems = Problems()
    problems.extend(check_growth_calibration(options))
    if not (options.tmd_parameters and options.tmd_distributions):
        problems.extend(check_calibration(options))
    if not problems:
        problems.extend(_check_models(options))
    problems.extend(check_vacuum_folder(options))
    problems.extend(check_engine(options))
    problems.extend(check_launcher(options, chunked=False))
    return problems


def check_vacuum_folder(options: WithoutAtlas) -> list[InvalidInput]:
    """Problems of the folder of the cells, which holds nothing but ours."""
    place = "vacuum_dir", vacuum_place(options)
    listing = layout.vacuum_listing(Path(options.work_dir, layout.VACUUM_WORK))
    return check_own_folder(options, place, listing, layout.VACUUM_TABLES)


def _check_models(options: WithoutAtlas) -> list[InvalidInput]:
    """Parameters and distributions: valid, and there for every mtype that is asked for."""
    problems, region = Problems(), options.region
    sources = _sources(options, problems)
    if problems:
        return problems
    (given, given_path), (distributions, distributions_path) = sources
    paths = (given_path, distributions_path)
    problems.extend(vacuum_problems(given, distributions, region, options.mtypes, paths))
    if problems or not options.tmd_parameters:
        return problems
    wanted = [(region, region, m) for m in options.mtypes or known_mtypes(given, region)]
    if not options.tmd_distributions:
        return check_engine_knows(options, given, wanted)
    return parameters.check_mtypes(given, distributions, wanted, paths, engine=options.engine)


def _sources(options: WithoutAtlas, problems: Problems) -> list[tuple[Any, PathLike | None]]:
    """(what is known of them, file) of parameters and of distributions.

    Of what is still to be made from reconstructions, the mtypes are known.
    """
    sources: list[tuple[Any, PathLike | None]] = []
    for path, load in (
        (options.tmd_parameters, lambda p: _load_parameters(p, options)),
        (options.tmd_distributions, parameters.load_distributions),
    ):
        if path:
            sources.append((problems.attempt(load, path), path))
        else:
            dataset = problems.attempt(read_reconstructions, options)
            mtypes = dict.fromkeys(dataset.mtypes if dataset else ())
            sources.append(({options.region: mtypes}, options.dat_file))
    return sources


def _load_parameters(path: PathLike, options: WithoutAtlas) -> dict[str, Any]:
    return parameters.load_parameters(path, options.synthesize_axons)
