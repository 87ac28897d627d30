"""Checks of what only reports need; the synthesis that they show has a check of its own.

Functions of the options of a task (anything with these attributes). They write nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from region_grower_flow.calibration.sources import read_reconstructions
from region_grower_flow.checks import inputs
from region_grower_flow.checks.places import check_folder
from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems, nearest
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.validation import ATLAS

if TYPE_CHECKING:
    from region_grower_flow.options.flows import Reported

    class ReportToMake(Reported):
        """The options of one report, and its name."""

        report: str


SYNTHESIS_INPUTS = ("input_cells", "atlas", "out_cells")

REFERENCES, DEBUG, ONLY_ATLAS, ONLY_VACUUM = "references", "debug", "atlas", "vacuum"
"""The needs that a report may have."""

NEEDS = {
    "PlotCollage": (ONLY_ATLAS,),
    "PlotDensityProfiles": (REFERENCES,),
    "PlotMorphometrics": (REFERENCES,),
    "PlotPathDistanceFits": (REFERENCES,),
    "PlotScales": (DEBUG, ONLY_ATLAS),
    "PlotScoreMatrix": (REFERENCES,),
    "PlotVacuumMorphologies": (ONLY_VACUUM,),
    "ReportSynthesis": (ONLY_ATLAS,),
    "ValidateTrunks": (REFERENCES,),
}
"""{report: its needs}."""

_WHERE = {ONLY_ATLAS: "in an atlas", ONLY_VACUUM: "grown without an atlas"}


def name_of_check(options: ReportToMake) -> str:
    """Each report has a check of its own, in an atlas and without one."""
    return f"{options.report}_{options.report_of}"


def report_files(options: ReportToMake) -> dict[str, PathLike]:
    """The reconstructions, where the report shows them, and the planes of a collage."""
    shown = REFERENCES in NEEDS[options.report] and inputs.has_reconstructions(options)
    files = inputs.reconstruction_files(options) if shown else {}
    if options.report == "PlotCollage" and options.collage_planes:
        files["collage_planes"] = options.collage_planes
    return files


def check_report(options: ReportToMake) -> Problems:
    """Options that do not go together, and reconstructions that cannot be read."""
    problems = Problems(check_folder("option report_dir", options.report_dir))
    problems.extend(_wrong_synthesis(options))
    if options.report_of == ATLAS and not problems:
        problems.attempt(_check_mtypes, options)
    if REFERENCES in NEEDS[options.report]:
        problems.attempt(read_reconstructions, options)
    if options.report == "PlotCollage" and options.collage_planes:
        from region_grower_flow.placement.planes import load_slices

        problems.attempt(load_slices, options.collage_planes)
    return problems


def check_names(options: Reported) -> list[InvalidInput]:
    """Names of reports that do not exist."""
    return [
        InvalidInput(
            f"there is no report {name!r}",
            "option reports",
            nearest(name, NEEDS) or f"there are {', '.join(sorted(NEEDS))}",
        )
        for name in options.reports
        if name not in NEEDS
    ]


def allowed_reports(options: Reported) -> list[str]:
    """The reports whose needs the options of a synthesis meet."""
    in_atlas = options.report_of == ATLAS
    lacking = {
        ONLY_ATLAS: not in_atlas,
        ONLY_VACUUM: in_atlas,
        DEBUG: not options.out_debug_data,
        REFERENCES: not inputs.has_reconstructions(options),
    }
    return [name for name, needs in NEEDS.items() if not any(lacking[need] for need in needs)]


def check_known(wanted: Iterable[str], known: Collection[str], where: object) -> None:
    """Raise InvalidInputs for each wanted mtype that is not known."""
    problems = [
        InvalidInput(f"there is no mtype {mtype!r}", where, nearest(mtype, known))
        for mtype in wanted
        if mtype not in known
    ]
    if problems:
        raise InvalidInputs(problems)


def _wrong_synthesis(options: ReportToMake) -> Iterator[InvalidInput]:
    needs = NEEDS[options.report]
    for need, other in ((ONLY_ATLAS, "vacuum"), (ONLY_VACUUM, "atlas")):
        if need in needs and options.report_of == other:
            problem = f"{options.report} shows cells {_WHERE[need]} only"
            yield InvalidInput(problem, "option report_of", f"set it to {need}")
    if options.report_of != ATLAS:
        return
    for name in SYNTHESIS_INPUTS:
        if not getattr(options, name):
            hint = "give it, or set report_of = vacuum"
            problem = "is needed for a report of cells in the atlas"
            yield InvalidInput(problem, f"option {name}", hint)
    if options.skip_write:
        yield InvalidInput("leaves no morphology to show", "option skip_write")
    elif options.container_only:
        yield InvalidInput("leaves no files to show", "option container_only", "leave it out")
    if DEBUG in needs and not options.out_debug_data:
        hint = "name a file: the same cells are then grown again"
        problem = "is needed: without it a synthesis does not record what it scales"
        yield InvalidInput(problem, "option out_debug_data", hint)


def _check_mtypes(options: Reported) -> None:
    if options.report_mtypes:
        known = sorted({str(mtype) for mtype in inputs.cells(options).properties["mtype"]})
        check_known(options.report_mtypes, known, options.input_cells)
