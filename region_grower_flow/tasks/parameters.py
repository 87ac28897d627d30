"""NeuroTS parameters of each mtype, as tasks: generated, and completed."""

from __future__ import annotations

from typing import Any

from region_grower_flow import layout
from region_grower_flow.calibration.sources import (
    calibration_settings,
    load_document,
    read_additions,
)
from region_grower_flow.checks import inputs
from region_grower_flow.errors import InvalidInput
from region_grower_flow.options import Model, Reference, Space
from region_grower_flow.tasks.base import FlowTask, Made, named
from region_grower_flow.tasks.fits import FitPathDistances, FitTrunkAngles
from region_grower_flow.tasks.reconstructions import OfNeeded
from region_grower_flow.tasks.targets import StageTarget

NO_FITS = "none"


class GenerateParameters(OfNeeded):
    """Generate NeuroTS's parameters of each mtype of the reconstructions."""

    whole_groups = True
    results_of = (Reference, Model.region, Model.synthesize_axons, Model.growth_calibration)
    # 3: apical dendrites of inverted mtypes are turned.
    stage_version = 3

    def external_files(self) -> dict[str, Any]:
        """The reconstructions, their table and the configurations."""
        given = inputs.given_files(self, "diametrizer_config", "base_parameters")
        return {**inputs.reconstruction_files(self), **given}

    def output(self) -> StageTarget:
        """The parameters."""
        return StageTarget(self.work_path(layout.GENERATED_PARAMETERS), self)

    def make(self) -> Made:
        """See :func:`region_grower_flow.calibration.parameters.generate_parameters`."""
        from region_grower_flow.calibration.parameters import generate_parameters
        from region_grower_flow.io.atomic import make_folder, write_json_atomic

        parameters, report = generate_parameters(
            inputs.reconstructions(self),
            calibration_settings(self),
            load_document(self.base_parameters),
        )
        make_folder(self.path.parent)
        write_json_atomic(self.path, parameters, indent=4)
        return [self.path], {"report": report.as_dict(), "sentences": list(report.sentences())}


class BuildParameters(OfNeeded):
    """Complete the generated parameters by fits, scaling rules and overrides."""

    results_of = (Reference, Model.region, Model.synthesize_axons, Model.trunk_fits)
    own_outputs = ("generated_parameters",)
    region_structure = Space.region_structure

    def requires(self) -> dict[str, FlowTask]:
        """The stages whose outputs are put together."""
        stages = [self.clone(GenerateParameters)]
        if self.trunk_fits != NO_FITS:
            stages.append(self.clone(FitTrunkAngles))
        if self._has_targets():
            stages.append(self.clone(FitPathDistances))
        return named(*stages)

    def external_files(self) -> dict[str, Any]:
        """The rules and overrides."""
        return inputs.given_files(self, "trunk_rules", "scaling_rules", "overrides")

    def results(self) -> dict[str, Any]:
        """The options, and the layers of the region structure that the rules may name."""
        layers = inputs.layers(self) if self.scaling_rules else []
        return {**super().results(), "layers": layers}

    def output(self) -> StageTarget:
        """The parameters."""
        calibrated = self.growth_calibration != "none"  # then the file asked for comes after
        given = None if calibrated else self.generated_parameters
        return StageTarget(given or self.work_path(layout.PARAMETERS), self)

    def make(self) -> Made:
        """See :func:`region_grower_flow.calibration.build.build_parameters`."""
        from region_grower_flow.calibration.build import build_parameters
        from region_grower_flow.io.atomic import make_folder, write_json_atomic

        additions = read_additions(self)
        if self.trunk_fits != NO_FITS:
            additions.trunk_fits = self._of_region("FitTrunkAngles")
        if self._has_targets():
            additions.path_fits = self._of_region("FitPathDistances")
        additions.unneeded = frozenset(inputs.unneeded_mtypes(self))
        generated = self._of_region("GenerateParameters")
        final, report = build_parameters(generated, additions, self.region)
        make_folder(self.path.parent)
        write_json_atomic(self.path, {self.region: final}, indent=4)
        return [self.path], {"report": report.as_dict(), "sentences": list(report.sentences())}

    def _of_region(self, stage: str) -> Any:
        """The output of a stage for the region; given distributions may serve all regions."""
        regions = self.load_input(stage)
        return regions.get(self.region, regions.get(layout.DEFAULT_REGION, {}))

    def _has_targets(self) -> bool:
        from region_grower_flow.calibration.scaling_rules import needs_fits

        try:
            return needs_fits(inputs.document(self.scaling_rules))
        except InvalidInput:  # the checks say it
            return False
