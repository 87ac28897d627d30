"""Reconstructions as tasks: brought into the frame of growth, where asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from region_grower_flow import layout
from region_grower_flow.calibration.dataset import ALL
from region_grower_flow.calibration.sources import (
    calibration_settings,
    corrections_of,
    is_prepared,
)
from region_grower_flow.checks import inputs
from region_grower_flow.options import Model, Reference, Space, Work
from region_grower_flow.tasks.base import FlowTask, Made, named
from region_grower_flow.tasks.targets import StageTarget

if TYPE_CHECKING:
    from region_grower_flow.calibration.dataset import Dataset
    from region_grower_flow.options.flows import Calibration


T = TypeVar("T", bound=FlowTask)

OF_CELLS = (
    Space.input_cells.where_optional(
        "SONATA (.h5) or MVD3 (.mvd3) file of the cells to place: only their mtypes are calibrated "
        "(all of the table without it)"
    ),
    Space.population,
    Space.cells_limit,
    Space.cells_mtypes,
)
"""Options of the cells, whose mtypes are those that are needed: of all by default."""


class OfNeeded(FlowTask):
    """Base of stages of calibration, which are made for the mtypes that the cells need."""

    groups = (Work, Reference, Model)
    checked_by = "reconstructions"

    other_options = OF_CELLS

    def results(self) -> dict[str, Any]:
        """The options, and the mtypes that are needed; all cells are the same with any seed."""
        found = {**super().results(), "needed": inputs.needed_mtypes(self)}
        if self.reference_part == ALL:
            found.pop("validation_seed", None)
        return found


def of_cells(task: FlowTask, stage: type[T], **more: Any) -> T:
    """A stage for the cells that a task grows: all mtypes are needed of one without an atlas.

    The options of the cells are given in either case: a configuration may name cells that the task
    does not grow.
    """
    in_atlas = getattr(task, "in_atlas", hasattr(task, "input_cells"))
    cells = {o.name: getattr(task, o.name) if in_atlas else o.default for o in OF_CELLS}
    return task.clone(stage, **{**cells, **more})


class PrepareReconstructions(OfNeeded):
    """Write copies of the reconstructions, with somas at the origin and apical dendrites upright.

    Only asked for when morphology_frame is not as_given, or shrinkage_z not 1.
    """

    results_of = (Reference,)

    def external_files(self) -> dict[str, Any]:
        """The reconstructions and their table."""
        return inputs.reconstruction_files(self)

    def output(self) -> StageTarget:
        """The folder of the copies."""
        return StageTarget(self.work_path(layout.PREPARED), self)

    def make(self) -> Made:
        """See :func:`region_grower_flow.calibration.preparation.prepare`."""
        from region_grower_flow.calibration.populations import gather_populations
        from region_grower_flow.calibration.preparation import prepare

        dataset, unneeded = inputs.reconstructions(self), inputs.unneeded_mtypes(self)
        inverted = [mtype for mtype in self.inverted_mtypes if mtype not in unneeded]
        done = prepare(
            dataset,
            gather_populations(dataset, calibration_settings(self)),
            self.path,
            replace(corrections_of(self), inverted=inverted),
            self.show_progress("cells"),
        )
        return done.paths, {"report": done.as_dict(), "sentences": list(done.sentences())}


def preparation(task: FlowTask) -> dict[str, FlowTask]:
    """{name: the stage that prepares a task's reconstructions}; empty: they are as given."""
    if not is_prepared(task):
        return {}
    # Cells are prepared whatever half of them is used.
    return named(of_cells(task, PrepareReconstructions, reference_part=ALL))


def prepared_dataset(options: Calibration) -> Dataset:
    """The Dataset of some options, of the copies where cells are not used as given.

    Raises:
        InvalidInputs: see :func:`region_grower_flow.calibration.sources.read_reconstructions`.
    """
    dataset = inputs.reconstructions(options)
    if not is_prepared(options):
        return dataset
    from region_grower_flow.calibration.preparation import relocate

    return relocate(dataset, Path(options.work_dir, layout.PREPARED))


class OfReconstructions(OfNeeded):
    """Base of stages that read the geometry of reconstructions."""

    def requires(self) -> dict[str, FlowTask]:
        """The preparation of the reconstructions, where these are not used as given."""
        return preparation(self)

    def external_files(self) -> dict[str, Any]:
        """The reconstructions and their table."""
        return inputs.reconstruction_files(self)

    def reconstructions(self) -> Dataset:
        """The Dataset, of the copies where there are some."""
        return prepared_dataset(self)
