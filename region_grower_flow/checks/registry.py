"""All checks by name: what each reads, which problems it finds, and whose options it goes by.

Checks are functions of options (anything with these attributes). They write nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from region_grower_flow import options as groups
from region_grower_flow.checks import axon_choice, inputs, placement, reports, slicing, validation
from region_grower_flow.checks.calibration import check_calibration
from region_grower_flow.checks.places import check_places
from region_grower_flow.checks.space import check_space
from region_grower_flow.checks.synthesis import check_synthesis
from region_grower_flow.checks.vacuum import check_vacuum, check_vacuum_folder
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.flows import Synthesis
from region_grower_flow.options.outputs import places_of
from region_grower_flow.options.vacuum import vacuum_place


def _nothing(options: object) -> list[InvalidInput]:
    return []


def _none_held(options: object) -> list[PathLike]:
    return []


def _work_folder(options: groups.Work) -> list[PathLike]:
    return [options.work_dir]


def _outputs(options: Synthesis) -> list[PathLike]:
    return [options.work_dir, *(place for place in places_of(options).values() if place)]


@dataclass(frozen=True)
class InputCheck:
    """One check of all inputs of a flow.

    Attributes:
        groups: the groups of options that it goes by.
        files: gives {role: path} of the files that it reads.
        problems: gives all problems, a list of InvalidInput.
        places: gives the problems of the places of outputs, which are looked at each time: their
            content is no input.
        held: gives the places that the flow holds alone.
        includes: names of the checks that it does too: stages above that have one of these rely on
            it.
        grows: True where cells are grown, so that a launcher will be needed.
        part: gives a word that tells several checks of one name in a work folder apart.
    """

    groups: tuple[type[groups.Group], ...]
    files: Callable[[Any], dict[str, PathLike]]
    problems: Callable[[Any], list[InvalidInput]]
    places: Callable[[Any], list[InvalidInput]] = _nothing
    held: Callable[[Any], Sequence[PathLike]] = _none_held
    grows: bool = False
    includes: tuple[str, ...] = ()
    part: Callable[[Any], str] = lambda options: ""


_CALIBRATION = (groups.Work, groups.Reference, groups.Model)
_SYNTHESIS = (*_CALIBRATION, groups.Space, groups.Growth, groups.Execution, groups.Outputs)
_REPORT = (*_SYNTHESIS, groups.Report, groups.Collage)

CHECKS = {
    "reconstructions": InputCheck(_CALIBRATION, inputs.calibration_files, check_calibration),
    "atlas": InputCheck((groups.Work, groups.Space), inputs.atlas_files, check_space),
    "synthesis": InputCheck(
        _SYNTHESIS,
        inputs.all_files,
        check_synthesis,
        check_places,
        _outputs,
        grows=True,
        includes=("reconstructions", "atlas"),
    ),
    "vacuum": InputCheck(
        (*_CALIBRATION, groups.Growth, groups.Execution, groups.Vacuum),
        inputs.vacuum_files,
        check_vacuum,
        check_vacuum_folder,
        lambda options: [vacuum_place(options)],
        includes=("reconstructions",),
    ),
    "validation": InputCheck(
        (*_SYNTHESIS, groups.Vacuum, groups.Validation),
        validation.validation_files,
        validation.check_validation,
        held=lambda options: [options.work_dir, options.validation_dir],
    ),
    "report": InputCheck(
        _REPORT,
        reports.report_files,
        reports.check_report,
        held=_work_folder,
        part=reports.name_of_check,
    ),
    "reports": InputCheck(
        (*_REPORT, groups.ReportChoice),
        lambda options: {},
        reports.check_names,
        held=_work_folder,
    ),
    "placement": InputCheck(
        (groups.Work, groups.Placement), placement.placement_files, placement.check_placement
    ),
    "planes": InputCheck((groups.Work, groups.Planes), slicing.planes_files, slicing.check_planes),
    "slicing": InputCheck((groups.Work, groups.Slicing), slicing.slice_files, slicing.check_slice),
    "axon_choice": InputCheck(
        (groups.Work, groups.AxonChoice), axon_choice.choice_files, axon_choice.check_axon_choice
    ),
}
"""Check of the inputs of each flow, by name."""
