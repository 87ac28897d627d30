"""Distributions of the reference morphologies, as a task."""

from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.checks import calibration_settings
from region_grower_flow.tasks import inputs
from region_grower_flow.tasks.base import FlowTask, places_of
from region_grower_flow.tasks.checks import CheckReconstructions, Guarded
from region_grower_flow.tasks.options import ParameterOptions
from region_grower_flow.tasks.reconstructions import Prepared


class ExtractDistributions(Prepared, Guarded, ParameterOptions, FlowTask):
    """Extract NeuroTS's distributions of each mtype from the reconstructions."""

    own_check = CheckReconstructions

    def requires(self):
        """The checks, and the prepared reconstructions where these are not used as given."""
        return [self.check(), *self.upstream()]

    def upstream(self):
        """The preparation of the reconstructions."""
        return self.prepared()

    def files(self):
        """The reconstructions, their table and the diametrizer's configuration."""
        return inputs.reconstruction_files(self)

    def values(self):
        """The options, and where the output is."""
        return {**super().values(), **places_of(self, ("extracted_distributions",))}

    @property
    def path(self):
        """Where the distributions are."""
        return Path(self.extracted_distributions or self.work_path(layout.DISTRIBUTIONS))

    def make(self):
        """See :func:`region_grower_flow.calibration.distributions.extract_distributions`."""
        from region_grower_flow.calibration.distributions import extract_distributions
        from region_grower_flow.io.atomic import make_folder, write_json_atomic

        distributions, report = extract_distributions(
            self.reconstructions(),
            calibration_settings(self),
            processes=self.extraction_processes,
            progress=self.show_progress("mtypes"),
        )
        # NeuroTS gives a trunk's bar, which starts with no bifurcation, NaN for angles.
        make_folder(self.path.parent)
        write_json_atomic(self.path, distributions, allow_nan=True, indent=None)
        return [self.path], {"report": report.as_dict(), "sentences": list(report.sentences())}
