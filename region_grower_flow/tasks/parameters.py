"""NeuroTS parameters of each mtype, as a task."""

from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.checks import load_document, read_reconstructions
from region_grower_flow.tasks import inputs
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.checks import CheckReconstructions, Guarded
from region_grower_flow.tasks.options import ParameterOptions


class GenerateParameters(Guarded, ParameterOptions, FlowTask):
    """Generate NeuroTS's parameters of each mtype of the reconstructions."""

    own_check = CheckReconstructions
    no_result = ("min_basal_trees",)

    def requires(self):
        """The checks."""
        return [self.check()]

    def files(self):
        """The reconstructions, their table and the configurations."""
        return inputs.calibration_files(self)

    @property
    def path(self):
        """Where the parameters are."""
        return Path(self.generated_parameters or self.work_path(layout.PARAMETERS))

    def make(self):
        """See :func:`region_grower_flow.calibration.parameters.generate_parameters`."""
        from region_grower_flow.calibration.parameters import generate_parameters
        from region_grower_flow.io.atomic import write_json_atomic

        parameters, report = generate_parameters(
            read_reconstructions(self),
            region=self.region,
            tmd_parameters=load_document(self.base_parameters),
            diametrizer_config=load_document(self.diametrizer_config),
            overrides=load_document(self.overrides),
            on_bad_morphology=self.on_bad_morphology,
        )
        write_json_atomic(self.path, parameters, indent=4)
        return [self.path], {"report": report.as_dict(), "sentences": list(report.sentences())}
