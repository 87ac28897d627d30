"""The diagnosis of a calibration, as a task."""

from __future__ import annotations

from typing import Any

from region_grower_flow import layout
from region_grower_flow.calibration.sources import calibration_settings
from region_grower_flow.options import Model, Reference
from region_grower_flow.tasks.base import FlowTask, Made, named
from region_grower_flow.tasks.distributions import ExtractDistributions
from region_grower_flow.tasks.fits import FitPathDistances, FitTrunkAngles
from region_grower_flow.tasks.reconstructions import OfReconstructions
from region_grower_flow.tasks.targets import StageTarget


class DiagnoseReconstructions(OfReconstructions):
    """Say for each mtype what its calibration rests on: cells, trees, bars, fits, residuals."""

    results_of = (
        Reference,
        Model.region,
        Model.synthesize_axons,
        Model.min_basal_trees,
        Model.path_fit_trees,
    )

    def requires(self) -> dict[str, FlowTask]:
        """The distributions, and the fits of trunk angles and path distances."""
        # Given distributions are not those of these cells.
        trunks = self.clone(FitTrunkAngles, tmd_distributions=None)
        stages = [self.clone(ExtractDistributions), self.clone(FitPathDistances), trunks]
        return {**super().requires(), **named(*stages)}

    def output(self) -> StageTarget:
        """The diagnosis; a table is beside it."""
        return StageTarget(self.work_path(layout.DIAGNOSIS), self)

    def make(self) -> Made:
        """See :func:`region_grower_flow.calibration.diagnosis.diagnose`."""
        from region_grower_flow.calibration import diagnosis
        from region_grower_flow.calibration.populations import gather_populations
        from region_grower_flow.io.atomic import write_json_atomic, write_text_atomic

        dataset = self.reconstructions()
        populations = gather_populations(dataset, calibration_settings(self))
        found = diagnosis.diagnose(populations, self._of_region("ExtractDistributions"))
        path_distances = self._of_region("FitPathDistances")
        trunks = self._of_region("FitTrunkAngles")
        diagnosis.merge(found, path_distance_fit=path_distances, trunk_fit=trunks)
        table = self.work_path(layout.DIAGNOSIS_TABLE)
        write_json_atomic(self.path, {self.region: found}, indent=1)
        write_text_atomic(table, diagnosis.table(found))
        return [self.path, table], {"sentences": list(diagnosis.sentences(found, table))}

    def _of_region(self, stage: str) -> Any:
        return self.load_input(stage)[self.region]
