"""Warnings of a run in words, and what to do next."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from region_grower_flow.io.atomic import PathLike

SYNTHESIS, REPORT = "SynthesizeMorphologies", "ReportSynthesis"
"""The tasks that make cells, and the page of cells."""
GREAT_LOSS = 0.05
"""Fraction of an mtype's cells: when more are dropped it is among the warnings."""


def great_losses(summary: Mapping[str, Any]) -> dict[str, Any]:
    """{mtype: its counts} of the mtypes of which many cells were dropped."""
    return {
        mtype: counts
        for mtype, counts in summary["mtypes"].items()
        if counts["asked"] and counts["dropped"] / counts["asked"] > GREAT_LOSS
    }


def warnings_of(summary: Mapping[str, Any]) -> Iterator[str]:
    """Warnings about a synthesis, as sentences."""
    for mtype, counts in great_losses(summary).items():
        reason = max(counts["reasons"], key=counts["reasons"].get, default="")
        yield (
            f"{mtype}: {counts['dropped']} of {counts['asked']} cells were dropped, "
            f"mostly: {reason}"
        )
    for reason, count in summary["fallbacks"]["reasons"].items():
        yield f"{count} cells were grown by NeuroTS itself: {reason}"
    if summary.get("given_up_at") is not None:
        yield f"Some cells were given up after {summary['given_up_at']:g} s."


def how_to_validate(command: str | None, out_cells: PathLike) -> str:
    """The command that compares the cells of a run with the reconstructions.

    Args:
        command: that made the run, see the provenance; None where it is not known.
        out_cells: the file of its cells.
    """
    program, *arguments = shlex.split(command or "") or [""]
    if program == "luigi":
        folder = shlex.quote(str(Path(out_cells).with_name("validation")))
        task = "ValidateSynthesis --validation-dir"
        return f"luigi --module region_grower_flow {task} {folder}"
    if program == "region-grower-flow" and arguments[:1] == ["run"]:
        return shlex.join([program, "validate", *_of_cells(arguments[1:])])
    return "region-grower-flow validate ... the options of this run ..."


def how_to_draw(command: str | None) -> str:
    """The command that draws the page of the cells of a run.

    Args:
        command: that made the run, see the provenance; None where it is not known.
    """
    program, *arguments = shlex.split(command or "") or [""]
    if program == "luigi" and SYNTHESIS in arguments:
        words = [REPORT if argument == SYNTHESIS else argument for argument in arguments]
        return shlex.join([program, *words])
    if program == "region-grower-flow" and arguments[:1] == ["run"]:
        return shlex.join([program, "report", *_of_cells(arguments[1:])])
    return f"luigi --module region_grower_flow {REPORT} ... the options of this run ..."


def _of_cells(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments of a run that say which cells it was of; the configuration comes first."""
    values = {"--limit": "--limit", "--mtypes": "--cells-mtypes", "--nb-processes": None}
    flow, chosen, left = "flow.cfg", [], iter(arguments)
    for argument in left:
        name, equals, value = argument.partition("=")
        if name in values:
            value = value if equals else next(left, "")
            chosen += [kept, value] if (kept := values[name]) else []
        elif not argument.startswith("-"):
            flow = argument
    yield from (flow, *chosen)
