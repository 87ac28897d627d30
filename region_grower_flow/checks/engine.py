"""Checks of what grows the cells: the engine knows all that options and parameters ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from region_grower_flow.checks.machine import check_neurots
from region_grower_flow.errors import InvalidInput, distinct, some

if TYPE_CHECKING:
    from region_grower_flow.engine.parameters import Wanted
    from region_grower_flow.options import Growth
    from region_grower_flow.options.flows import Synthesis, WithoutAtlas

NEUROTS = "neurots"


def check_engine(options: Growth) -> list[InvalidInput]:
    """Problems of the engine by itself, and with the options of growth."""
    problems = check_neurots(options.engine)
    if options.engine != NEUROTS:
        return problems
    from region_grower_flow.engine.beyond_neurots import options_beyond_neurots

    hint = "set the option engine to compiled, or leave this out"
    return problems + [
        InvalidInput("NeuroTS does not know it, only the compiled engine does", f"option {n}", hint)
        for n in options_beyond_neurots(options)
    ]


def check_engine_knows(
    options: Synthesis | WithoutAtlas, given: Mapping[str, Any], wanted: Wanted
) -> list[InvalidInput]:
    """Problems of what NeuroTS lacks in parameters that are given, where it is to grow by them.

    Args:
        options: of the flow; ``tmd_parameters`` names the file.
        given: the parameters.
        wanted: the mtypes that are grown, see :func:`region_grower_flow.engine.parameters`.
    """
    if options.engine != NEUROTS:
        return []
    from region_grower_flow.engine.beyond_neurots import problems_beyond_neurots
    from region_grower_flow.engine.parameters import entry_region

    problems: list[InvalidInput] = []
    for synthesis_region, region, mtype in wanted:
        used = entry_region(given, synthesis_region, region)
        params = given[used].get(mtype) if used else None
        if params:
            entry = used, mtype, params
            problems += problems_beyond_neurots(entry, options.tmd_parameters)
    return distinct(problems)


def check_built_parameters(
    options: object, built: Mapping[str, Mapping[str, Any]]
) -> list[InvalidInput]:
    """A problem of what NeuroTS lacks in parameters that are made of reconstructions and files.

    Args:
        options: of a calibration, or of a flow that grows cells, which has an engine.
        built: {mtype: parameters}.
    """
    if getattr(options, "engine", None) != NEUROTS:
        return []
    from region_grower_flow.engine.beyond_neurots import entries_beyond_neurots

    found = {mtype: entries_beyond_neurots(params).values() for mtype, params in built.items()}
    words = list(dict.fromkeys(what for entries in found.values() for what in entries))
    if not words:
        return []
    mtypes = some([mtype for mtype, entries in found.items() if entries])
    problem = f"NeuroTS does not know {some(words)}, which base_parameters or overrides ask for"
    hint = "set it to compiled, or leave this out there"
    return [InvalidInput(f"{problem} ({mtypes})", "option engine (neurots)", hint)]
