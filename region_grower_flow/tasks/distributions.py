"""Distributions of the reference morphologies, as a task."""

from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.checks import load_document, read_reconstructions
from region_grower_flow.tasks import inputs
from region_grower_flow.tasks.base import FlowTask, processes
from region_grower_flow.tasks.checks import CheckReconstructions, Guarded
from region_grower_flow.tasks.options import ParameterOptions


class ExtractDistributions(Guarded, ParameterOptions, FlowTask):
    """Extract NeuroTS's distributions of each mtype from the reconstructions."""

    own_check = CheckReconstructions

    def requires(self):
        """The checks."""
        return [self.check()]

    def files(self):
        """The reconstructions, their table and the diametrizer's configuration."""
        return inputs.reconstruction_files(self)

    @property
    def path(self):
        """Where the distributions are."""
        return Path(self.extracted_distributions or self.work_path(layout.DISTRIBUTIONS))

    def make(self):
        """See :func:`region_grower_flow.calibration.distributions.extract_distributions`."""
        from region_grower_flow.calibration.distributions import extract_distributions
        from region_grower_flow.io.atomic import write_json_atomic

        distributions, report = extract_distributions(
            read_reconstructions(self),
            region=self.region,
            diametrizer_config=load_document(self.diametrizer_config),
            processes=processes(self.extraction_processes),
            progress=self.show_progress("mtypes"),
            on_bad_morphology=self.on_bad_morphology,
            min_basal_trees=self.min_basal_trees,
        )
        # NeuroTS gives a trunk's bar, which starts with no bifurcation, NaN for angles.
        write_json_atomic(self.path, distributions, allow_nan=True, indent=None)
        return [self.path], {"report": report.as_dict(), "sentences": list(report.sentences())}
