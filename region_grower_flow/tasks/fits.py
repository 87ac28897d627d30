"""Fits of trunk angles and of path distances against extents, as tasks."""

from __future__ import annotations

from typing import Any

from region_grower_flow import layout
from region_grower_flow.calibration.sources import calibration_settings
from region_grower_flow.checks import inputs
from region_grower_flow.options import Model, Reference
from region_grower_flow.tasks.base import Facts, FlowTask, Made, named
from region_grower_flow.tasks.distributions import ExtractDistributions
from region_grower_flow.tasks.reconstructions import OfNeeded, OfReconstructions
from region_grower_flow.tasks.targets import StageTarget


class FitTrunkAngles(OfNeeded):
    """Fit laws to the angles of the reconstructions' trunks, one of each form.

    Which of them the parameters take is for BuildParameters: other rules need no other fits.
    """

    whole_groups = True
    results_of = (Reference, Model.region, Model.synthesize_axons, Model.min_basal_trees)

    def requires(self) -> dict[str, FlowTask]:
        """The stage that extracts the histograms of angles, where they are not given."""
        return {} if self.tmd_distributions else named(self.clone(ExtractDistributions))

    def external_files(self) -> dict[str, Any]:
        """The given distributions."""
        return inputs.given_files(self, "tmd_distributions")

    def output(self) -> StageTarget:
        """The fits."""
        return StageTarget(self.work_path(layout.TRUNK_FITS), self)

    def make(self) -> Made:
        """See :func:`region_grower_flow.calibration.trunk_fits.fit_trunk_angles`."""
        from region_grower_flow.calibration.trunk_fits import fit_trunk_angles, sentences
        from region_grower_flow.engine.parameters import load_distributions
        from region_grower_flow.io.atomic import write_json_atomic

        given = self.tmd_distributions or self.input()["ExtractDistributions"].path
        distributions = load_distributions(given, validate=False)
        fits = fit_trunk_angles(distributions, inputs.needed_mtypes(self))
        write_json_atomic(self.path, fits, indent=1)
        return [self.path], {"sentences": list(sentences(fits))}

    def headline(self, facts: Facts) -> str:
        """The number of laws; each is in the log."""
        return f"{len(facts['sentences'])} laws of trunk angles"


class FitPathDistances(OfReconstructions):
    """Fit path distances against extents of the reconstructions' dendrites."""

    whole_groups = True
    results_of = (Reference, Model.region, Model.path_fit_trees)

    def output(self) -> StageTarget:
        """The fits."""
        return StageTarget(self.work_path(layout.PATH_FITS), self)

    def make(self) -> Made:
        """See :func:`region_grower_flow.calibration.path_distances.fit_path_distances`."""
        from region_grower_flow.calibration.path_distances import fit_path_distances, sentences
        from region_grower_flow.calibration.populations import gather_populations
        from region_grower_flow.io.atomic import write_json_atomic

        populations = gather_populations(self.reconstructions(), calibration_settings(self))
        fits = fit_path_distances(populations, self.path_fit_trees)
        by_mtype = {
            mtype: {name: fit.as_dict() for name, fit in by_type.items()}
            for mtype, by_type in fits.items()
        }
        write_json_atomic(self.path, {self.region: by_mtype}, indent=1)
        return [self.path], {"sentences": list(sentences(fits))}

    def headline(self, facts: Facts) -> str:
        """The number of fits; each is in the log."""
        return f"{len(facts['sentences'])} fits of path lengths"
