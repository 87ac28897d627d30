"""Vacuum synthesis, some cells of each mtype without an atlas, as a task."""

import dataclasses
import os

from region_grower_flow import layout
from region_grower_flow.runtime.choice import AUTO
from region_grower_flow.runtime.commands import INPROCESS
from region_grower_flow.tasks import inputs
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.checks import Check, Guarded, guard_of
from region_grower_flow.tasks.launching import GrowsCells, launcher_and_workers
from region_grower_flow.tasks.messages import announce
from region_grower_flow.tasks.models import MODEL_STAGES, model_paths, model_stages
from region_grower_flow.tasks.options.synthesis import VacuumOptions
from region_grower_flow.tasks.progress import Part


class CheckVacuum(VacuumOptions, Check):
    """Check what is grown without an atlas, and where the cells go."""

    def files(self):
        """The given parameters and distributions, or the reconstructions that they come from."""
        files = inputs.given_files(self, *inputs.GIVEN)
        if not (self.tmd_parameters and self.tmd_distributions):
            files.update(inputs.calibration_files(self))
        return files

    def problems(self):
        """See :func:`region_grower_flow.checks.vacuum.check_vacuum`."""
        from region_grower_flow.checks.vacuum import check_vacuum

        return check_vacuum(self)

    def complete(self):
        """The folder is looked at each time: its content is no input."""
        from region_grower_flow.checks.vacuum import check_vacuum_folder

        return not check_vacuum_folder(self) and super().complete()

    def held_places(self):
        """The folder of the cells."""
        return [self.vacuum_place()]


class SynthesizeVacuum(GrowsCells, Guarded, VacuumOptions, FlowTask):
    """Grow some cells of each mtype without an atlas."""

    own_check = CheckVacuum
    no_result = tuple(
        name
        for stage in MODEL_STAGES
        for name, _ in stage.get_params()
        if name not in ("mtypes", "region", "seed", "synthesize_axons")
    )

    def upstream(self):
        """The stages whose outputs the cells are grown from."""
        guard = self.guard or guard_of(self, CheckVacuum)
        return [stage.clone(guard=guard) for stage in model_stages(self)]

    def files(self):
        """The given parameters and distributions."""
        return inputs.given_files(self, *inputs.GIVEN)

    def values(self):
        """The options, and where the cells are."""
        return {**super().values(), "vacuum_dir": os.path.relpath(self.path, self.work_dir)}

    def intact(self):
        """Whether every morphology is as it was written."""
        from region_grower_flow.record.listing import intact

        return intact(layout.vacuum_listing(self.work_path(layout.VACUUM_WORK)), self.path)

    @property
    def path(self):
        """The folder of the cells."""
        return self.vacuum_place()

    def held_places(self):
        """The folder of the cells."""
        return [self.path]

    def run(self):
        """Grow the cells, and say in the terminal what came of it."""
        super().run()
        announce(self)

    def make(self):
        """See :func:`region_grower_flow.stages.vacuum.synthesize_vacuum`."""
        from region_grower_flow.stages.merge import check_failures, summary_sentences
        from region_grower_flow.stages.vacuum import synthesize_vacuum

        plan = self.plan()
        count = len(plan.mtypes) * plan.cells
        self.tell("growing cells without an atlas", 0)
        show = self.show_progress("cells", Part(0, count, count)).cells
        result = synthesize_vacuum(plan, show)
        check_failures(result.summary, self.max_failure_ratio)
        # How long it took is in the manifest.
        told = summary_sentences({**result.summary, "seconds": {}})
        sentences = [*told, f"Morphologies: {self.path}"]
        facts = {name: result.summary[name] for name in ("cells", "given_up_at")}
        return result.outputs, {"sentences": sentences, **facts}

    def plan(self):
        """The VacuumPlan."""
        from region_grower_flow.engine.parameters import load_parameters
        from region_grower_flow.stages.vacuum import VacuumPlan, known_mtypes

        paths = model_paths(self)
        parameters = load_parameters(paths["parameters"], validate=False)
        plan = VacuumPlan(
            **paths,
            folder=self.path,
            work_dir=self.work_path(layout.VACUUM_WORK),
            mtypes=self.mtypes or known_mtypes(parameters, self.region),
            cells=self.vacuum_cells,
            seed=self.seed,
            region=self.region,
            extensions=self.out_morph_ext,
            synthesize_axons=self.synthesize_axons,
            engine=self.engine,
            extra_apicals=self.extra_apicals,
            block_size=self.block_size,
            cell_timeout=self.cell_timeout,
            log_level=self.worker_log_level,
            versions=self.packages(),
            facts={"fingerprint": self.recipe().fingerprint()},
        )
        launcher, workers = self.launch(len(plan.mtypes) * plan.cells)
        return dataclasses.replace(plan, launcher=launcher, workers=workers)

    def launch(self, count):
        """The launcher and the workers for so many cells: few are grown in this process."""
        from region_grower_flow.stages.vacuum import FEW_CELLS

        if self.launcher == AUTO and self.nb_processes is None and count <= FEW_CELLS:
            return INPROCESS, 1
        return launcher_and_workers(self)
