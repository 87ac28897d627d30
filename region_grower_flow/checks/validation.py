"""Checks of what only a validation needs; the syntheses that it validates have checks of their own.

Functions of the options of a task (anything with these attributes). They write nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from region_grower_flow.calibration.dataset import ALL, TEST
from region_grower_flow.calibration.sources import read_reconstructions
from region_grower_flow.checks import inputs
from region_grower_flow.checks.places import check_folder
from region_grower_flow.errors import InvalidInput, Problems
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.validation import ATLAS

if TYPE_CHECKING:
    from region_grower_flow.options.flows import Validated

IN_ATLAS = "to validate the synthesis in an atlas; without one, set validation_of = vacuum"
FOR_HOLDOUT = "for the hold-out, which splits the reconstructions"


def validation_files(options: Validated) -> dict[str, PathLike]:
    """The reconstructions, where there are any."""
    return inputs.reconstruction_files(options) if inputs.has_reconstructions(options) else {}


def check_validation(options: Validated) -> Problems:
    """Options that do not go together, and reconstructions that cannot be read."""
    problems = Problems(check_folder("option validation_dir", options.validation_dir))
    if options.validation_of == ATLAS:
        problems.extend(_needed(options, IN_ATLAS, "input_cells", "atlas", "out_cells"))
        if options.skip_write:
            problem = "leaves no morphology to validate"
            problems.append(InvalidInput(problem, "option skip_write"))
        elif options.container_only:
            where, hint = "option container_only", "leave it out: files are made, and no cell grown"
            problems.append(InvalidInput("leaves no files to validate", where, hint))
    if inputs.has_reconstructions(options):
        dataset = problems.attempt(read_reconstructions, options)
        if dataset is not None and options.holdout:
            problems.attempt(read_reconstructions, options, TEST)
    elif options.holdout:
        problems.extend(_needed(options, FOR_HOLDOUT, "morphologies_dir", "dat_file"))
    if options.holdout and options.reference_part != ALL:
        problem = "the hold-out splits the reconstructions itself"
        problems.append(InvalidInput(problem, "option reference_part", "leave it out"))
    return problems


def _needed(options: Validated, why: str, *names: str) -> list[InvalidInput]:
    return [
        InvalidInput(f"is needed {why}", f"option {name}")
        for name in names
        if not getattr(options, name)
    ]
