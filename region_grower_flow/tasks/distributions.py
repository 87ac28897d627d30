"""Distributions of the reference morphologies, as a task."""

from __future__ import annotations

from typing import Any

from region_grower_flow import layout
from region_grower_flow.calibration.sources import calibration_settings
from region_grower_flow.checks import inputs
from region_grower_flow.options import Model, Reference
from region_grower_flow.tasks.base import Made
from region_grower_flow.tasks.reconstructions import OfReconstructions
from region_grower_flow.tasks.targets import StageTarget


class ExtractDistributions(OfReconstructions):
    """Extract NeuroTS's distributions of each mtype from the reconstructions."""

    results_of = (
        Reference,
        Model.region,
        Model.synthesize_axons,
        Model.min_basal_trees,
        Model.bar_threshold,
        Model.growth_calibration,
    )
    own_outputs = ("extracted_distributions",)
    # 2: measured trees know the directions and the bending of their sections.
    # 3: cells bend differently, too, as wholes.
    # 4: measured cells of inverted mtypes point to the white matter.
    # 5: angles and azimuths for ``growth_calibration = parameters``.
    stage_version = 5

    def external_files(self) -> dict[str, Any]:
        """The reconstructions, their table and the diametrizer's configuration."""
        return {**super().external_files(), **inputs.given_files(self, "diametrizer_config")}

    def output(self) -> StageTarget:
        """The distributions."""
        return StageTarget(
            self.extracted_distributions or self.work_path(layout.DISTRIBUTIONS), self
        )

    def make(self) -> Made:
        """See :func:`region_grower_flow.calibration.distributions.extract_distributions`."""
        from region_grower_flow.calibration.distributions import extract_distributions
        from region_grower_flow.calibration.keeping import Keep
        from region_grower_flow.io.atomic import make_folder, write_json_atomic

        versions = {"stage": self.stage_version, **self.packages()}
        keep = Keep(self.work_path(layout.DISTRIBUTIONS_KEPT), versions, self.digests().digest)

        distributions, report = extract_distributions(
            self.reconstructions(),
            calibration_settings(self),
            processes=self.processes,
            progress=self.show_progress("mtypes"),
            keep=keep,
        )
        # NeuroTS gives a trunk's bar, which starts with no bifurcation, NaN for angles.
        make_folder(self.path.parent)
        write_json_atomic(self.path, distributions, allow_nan=True, indent=None)
        words = {"sentences": list(report.sentences()), "remarks": list(report.remarks())}
        return [self.path], {"report": report.as_dict(), **words}
