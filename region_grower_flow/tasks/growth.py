"""The calibration of growth by the reconstructions, as a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import layout
from region_grower_flow.calibration.sources import calibration_settings
from region_grower_flow.checks import inputs
from region_grower_flow.options import Model, Reference, Space
from region_grower_flow.tasks.base import FlowTask, Made, named, processes
from region_grower_flow.tasks.distributions import ExtractDistributions
from region_grower_flow.tasks.parameters import BuildParameters, GenerateParameters
from region_grower_flow.tasks.reconstructions import OfReconstructions
from region_grower_flow.tasks.targets import StageTarget

if TYPE_CHECKING:
    from region_grower_flow.calibration.growth_calibration import GrowthTask
    from region_grower_flow.calibration.growth_stage import GrowthPlan


class CalibrateGrowth(OfReconstructions):
    """Fit the growth of each mtype that cells are grown of to its reconstructions."""

    results_of = (Reference, Model.region, Model.synthesize_axons, Model.growth_calibration)
    own_outputs = ("generated_parameters",)
    # 2: sections are steered and bend as they did; other usual values.
    # 3: moments are summed in another order (their last digits).
    # 4: trees of a cell come from a fifth of the reconstructions.
    # 5: of very large cells less is grown.
    stage_version = 5
    region_structure = Space.region_structure

    def requires(self) -> dict[str, FlowTask]:
        """The parameters and distributions that growth is calibrated with."""
        stages = map(self.clone, (GenerateParameters, BuildParameters, ExtractDistributions))
        return {**super().requires(), **named(*stages)}

    def output(self) -> StageTarget:
        """The calibrated parameters."""
        return StageTarget(
            self.generated_parameters or self.work_path(layout.CALIBRATED_PARAMETERS), self
        )

    def make(self) -> Made:
        """See :func:`region_grower_flow.calibration.growth_stage.calibrate_growth`."""
        from region_grower_flow.calibration import growth_stage
        from region_grower_flow.calibration.growth_calibration import remarks, sentences
        from region_grower_flow.calibration.morphologies import FLAT
        from region_grower_flow.calibration.populations import gather_populations
        from region_grower_flow.engine.lever_checks import stretch_notes
        from region_grower_flow.io.atomic import make_folder, write_json_atomic

        dataset, plan = self.reconstructions(), self.plan()
        populations = gather_populations(dataset, calibration_settings(self))
        parameters, generated, distributions = (
            self.load_input(stage)[self.region]
            for stage in ("BuildParameters", "GenerateParameters", "ExtractDistributions")
        )
        tasks = growth_stage.growth_tasks(
            parameters, generated, distributions, populations, dataset, plan
        )
        final, entries = growth_stage.calibrate_growth(
            parameters, tasks, plan, self.digests().digest, self.show_progress("mtypes")
        )
        make_folder(self.path.parent)
        write_json_atomic(self.path, {self.region: final}, indent=4)
        record = self.work_path(layout.GROWTH_CALIBRATION)
        write_json_atomic(record, {self.region: entries}, indent=1)
        stretched = list(stretch_notes({mtype: final[mtype] for mtype in entries}))
        notes = [(mtype, note) for mtype in entries for note in populations[mtype].notes]
        flat = [f"{mtype}: {note}." for mtype, note in notes if FLAT in note]
        page = self._write_page(tasks, entries, [*stretched, *flat])
        lines = [*sentences(entries), *stretched, f"Calibration of growth: {page}"]
        return [self.path, record, page], {
            "sentences": lines,
            "remarks": [*remarks(entries), *stretched],
        }

    def plan(self) -> GrowthPlan:
        """The GrowthPlan."""
        from region_grower_flow.calibration.growth_stage import GrowthPlan

        needed = inputs.needed_mtypes(self)
        return GrowthPlan(
            self.growth_calibration,
            self.work_path(layout.GROWTH_KEPT),
            None if needed is None else frozenset(needed),
            self.packages(),
            processes(self.processes),
        )

    def _write_page(
        self, tasks: Mapping[str, GrowthTask], entries: dict[str, Any], notes: Sequence[str]
    ) -> Path:
        from region_grower_flow.io.atomic import write_text_atomic
        from region_grower_flow.report.growth_page import GrowthReport, growth_page
        from region_grower_flow.report.growth_pictures import growth_pictures

        pictures = growth_pictures(tasks, entries, processes(self.processes))
        provenance = {"fingerprint": self.recipe().fingerprint(), "packages": self.packages()}
        mode = self.growth_calibration
        report = GrowthReport(entries, mode, pictures, provenance, tuple(notes))
        path = self.work_path(layout.GROWTH_PAGE)
        write_text_atomic(path, growth_page(report))
        return path
