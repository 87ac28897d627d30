"""Vacuum synthesis, some cells of each mtype without an atlas, as a task."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import layout
from region_grower_flow.checks import inputs
from region_grower_flow.options import Execution, Growth, Model, Reference, Vacuum, Work
from region_grower_flow.options.vacuum import vacuum_place
from region_grower_flow.runtime.choice import AUTO
from region_grower_flow.runtime.commands import INPROCESS
from region_grower_flow.tasks.base import FlowTask, Made
from region_grower_flow.tasks.launching import GrowsCells, launcher_and_workers
from region_grower_flow.tasks.messages import announce
from region_grower_flow.tasks.models import model_paths, model_stages
from region_grower_flow.tasks.progress import Part
from region_grower_flow.tasks.targets import StageTarget

if TYPE_CHECKING:
    from region_grower_flow.stages.vacuum import VacuumPlan


class SynthesizeVacuum(GrowsCells):
    """Grow some cells of each mtype without an atlas."""

    groups = (Work, Reference, Model, Growth, Execution, Vacuum)
    results_of = (Growth, Vacuum, Reference.mtypes, Model.region)
    checked_by = "vacuum"

    def requires(self) -> dict[str, FlowTask]:
        """The stages whose outputs the cells are grown from."""
        return model_stages(self)

    def external_files(self) -> dict[str, Any]:
        """The given parameters and distributions."""
        return inputs.given_files(self, *inputs.GIVEN)

    def results(self) -> dict[str, Any]:
        """The options, and where the cells are."""
        return {**super().results(), "vacuum_dir": self.relative(self.path)}

    def intact(self) -> bool:
        """True when every morphology is as it was written."""
        from region_grower_flow.record.listing import intact

        return intact(layout.vacuum_listing(self.work_path(layout.VACUUM_WORK)), self.path)

    def output(self) -> StageTarget:
        """The folder of the cells."""
        return StageTarget(vacuum_place(self), self)

    def make_and_record(self) -> None:
        """Grow the cells, and say in the terminal what came of it."""
        super().make_and_record()
        announce(self)

    def make(self) -> Made:
        """See :func:`region_grower_flow.stages.vacuum.synthesize_vacuum`."""
        from region_grower_flow.stages.merge import check_failures, summary_sentences
        from region_grower_flow.stages.vacuum import synthesize_vacuum

        plan = self.plan()
        count = len(plan.mtypes) * plan.cells
        self.show("growing cells without an atlas", 0)
        show = self.show_progress("cells", Part(0, count, count)).cells
        result = synthesize_vacuum(plan, show)
        check_failures(result.summary, self.max_failure_ratio)
        sentences = [*summary_sentences(result.summary), f"Morphologies: {self.path}"]
        facts = {name: result.summary[name] for name in ("cells", "given_up_at")}
        return result.outputs, {"sentences": sentences, **facts}

    def plan(self) -> VacuumPlan:
        """The VacuumPlan."""
        from region_grower_flow.engine.parameters import load_parameters
        from region_grower_flow.stages.vacuum import VacuumPlan, known_mtypes

        paths = model_paths(self)
        parameters = load_parameters(paths["parameters"], validate=False)
        known = known_mtypes(parameters, self.region)  # reconstructions may have been left out
        plan = VacuumPlan(
            parameters=Path(paths["parameters"]),
            distributions=Path(paths["distributions"]),
            folder=self.path,
            work_dir=self.work_path(layout.VACUUM_WORK),
            mtypes=tuple(m for m in self.mtypes if m in known) or tuple(known),
            cells=self.vacuum_cells,
            growth=self.group(Growth),
            region=self.region,
            execution=self.group(Execution),
            log_level=self.worker_log_level,
            versions=self.packages(),
            facts={"fingerprint": self.recipe().fingerprint()},
        )
        launcher, workers = self.launch(len(plan.mtypes) * plan.cells)
        return dataclasses.replace(plan, launcher=launcher, workers=workers)

    def launch(self, count: int) -> tuple[str, int]:
        """The launcher and the workers for so many cells: few are grown in this process."""
        from region_grower_flow.stages.vacuum import FEW_CELLS

        if self.launcher == AUTO and self.nb_processes is None and count <= FEW_CELLS:
            return INPROCESS, 1
        return launcher_and_workers(self)
