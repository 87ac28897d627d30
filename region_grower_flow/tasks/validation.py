"""The validation of a synthesis, as a task that can say no."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import layout
from region_grower_flow.calibration.dataset import FIT, TEST
from region_grower_flow.checks import inputs
from region_grower_flow.errors import InvalidInput
from region_grower_flow.options import (
    Execution,
    Growth,
    Model,
    Outputs,
    Reference,
    Space,
    Vacuum,
    Validation,
    Work,
)
from region_grower_flow.options.group import where_optional
from region_grower_flow.options.validation import ATLAS
from region_grower_flow.record.fingerprint import RESULT_PACKAGES, package_versions
from region_grower_flow.record.run_lock import release
from region_grower_flow.tasks import messages
from region_grower_flow.tasks.base import Facts, FlowTask, Made, processes
from region_grower_flow.tasks.leftovers import remove_leftovers
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.models import model_paths
from region_grower_flow.tasks.reconstructions import preparation, prepared_dataset
from region_grower_flow.tasks.synthesized import outputs_of, read_with
from region_grower_flow.tasks.targets import StageTarget
from region_grower_flow.tasks.vacuum import SynthesizeVacuum
from region_grower_flow.validation import gate
from region_grower_flow.validation.results import FULL, HOLDOUT, JSON_NAME

if TYPE_CHECKING:
    from region_grower_flow.validation.validate import Part


PACKAGES = (*RESULT_PACKAGES, "scikit-learn")
"""Whose versions enter the fingerprint."""

SYNTHESES = (Work, Reference, Model, Space, Growth, Execution, Outputs, Vacuum)
"""The groups of a synthesis in an atlas or without one."""


class ValidateSynthesis(FlowTask):
    """Compare the synthesized cells with the reference: every test with its verdict."""

    groups = (*SYNTHESES, Validation)
    other_options = where_optional(SYNTHESES)
    checked_by = "validation"
    # Fingerprints know nothing of code: raised with every change of what a statistic says.
    stage_version = 3

    @property
    def in_atlas(self) -> bool:
        """True when the synthesis in the atlas is validated."""
        return self.validation_of == ATLAS

    def requires(self) -> dict[str, FlowTask]:
        """The syntheses with the stages above them, and the prepared reconstructions."""
        stages = self._prepared()
        for part, synthesis in self.syntheses().items():
            # Both parts may be made by the same stages: those of the hold-out are named so.
            of_part = "" if part == FULL else f" of the {part}"
            for name, task in read_with(synthesis).items():
                stages[f"{name}{of_part}"] = task
        return stages

    def _prepared(self) -> dict[str, FlowTask]:
        return preparation(self) if inputs.has_reconstructions(self) else {}

    def syntheses(self) -> dict[str, FlowTask]:
        """{part: task} of the syntheses to validate."""
        first = SynthesizeMorphologies if self.in_atlas else SynthesizeVacuum
        tasks = {FULL: self.clone(first)}
        if self.holdout:
            tasks[HOLDOUT] = self.clone(
                SynthesizeVacuum,
                reference_part=FIT,
                mtypes=self._compared(),
                work_dir=str(self.work_path(layout.HOLDOUT_WORK)),
                vacuum_dir=None,
                tmd_parameters=None,
                tmd_distributions=None,
                generated_parameters=None,
                extracted_distributions=None,
            )
        return tasks

    def _compared(self) -> tuple[str, ...]:
        """The mtypes of the hold-out: those of the cells in the atlas; none named: all."""
        if inputs.needed_mtypes(self) is None or not inputs.has_reconstructions(self):
            return self.mtypes
        return tuple(inputs.reconstructions(self).mtypes)

    def output(self) -> dict[str, StageTarget]:
        """The results, whatever their verdicts, and the page."""
        from region_grower_flow.report.page import PAGE_NAME

        names = {"results": JSON_NAME, "page": PAGE_NAME}
        return {what: StageTarget(Path(self.validation_dir, n), self) for what, n in names.items()}

    def external_files(self) -> dict[str, Any]:
        """The reconstructions, and the parameters and distributions that are given."""
        files = inputs.reconstruction_files(self) if inputs.has_reconstructions(self) else {}
        return {**files, **inputs.given_files(self, *inputs.GIVEN)}

    results_of = (Validation,)

    def results(self) -> dict[str, Any]:
        """The options of the validation; those of the syntheses are in their fingerprints."""
        return {
            **super().results(),
            "reference": inputs.has_reconstructions(self),
            "validation_dir": self.relative(self.validation_dir),
        }

    def packages(self) -> dict[str, str | None]:
        """Those of the synthesis and of the statistics."""
        return package_versions(PACKAGES)

    def make_and_record(self) -> None:
        """Validate unless that is done; then fail on verdicts that the user does not accept.

        Raises:
            BadVerdicts: with a sentence per mtype; all outputs are written.
        """
        try:
            if not self._is_validated():
                super().make_and_record()
            messages.announce(self)
            gate.check_verdicts(gate.read_results(self.validation_dir), self.fail_on)
        except gate.BadVerdicts as error:
            self.show(str(error))
            raise
        finally:
            release()

    def page_written(self) -> str | Path | None:
        """The page of the validation."""
        return self.output()["page"].path

    def _is_validated(self) -> bool:
        """True when the results are there and fresh, whatever their verdicts."""
        return self.is_recorded() and self.existing_manifest().intact()

    def unfit_for_today(self, facts: Facts) -> str | None:
        """The verdicts may be none that today's ``fail_on`` accepts."""
        try:
            content = gate.read_results(self.validation_dir)
        except InvalidInput as error:
            return str(error)
        bad = gate.bad_verdicts(content["verdicts"], self.fail_on)
        return f"fail_on does not accept its verdicts ({len(bad)} of them)" if bad else None

    def make(self) -> Made:
        """See :func:`region_grower_flow.validation.validate.validate`."""
        from region_grower_flow.report.page import write_page
        from region_grower_flow.validation.validate import ValidationPlan, validate

        plan = ValidationPlan(
            parts=tuple(self.part(name, task) for name, task in self.syntheses().items()),
            seed=self.validation_seed,
            sample=self.validation_sample,
            structure_sample=self.structure_sample,
            processes=processes(self.processes),
            options=self.recorded_options(),
        )
        results = validate(plan, self.show_progress("tests of mtypes"))
        results.provenance = self.provenance()
        self.show("writing the results")
        outputs = results.write(self.validation_dir)
        self.show("drawing the figures")
        count = processes(self.processes)
        outputs += write_page(results, self.validation_dir, processes=count)
        remove_leftovers(self.manifest_path, outputs, self.validation_dir)
        return outputs, {"sentences": list(gate.overview(results.as_dict()))}

    def part(self, name: str, task: FlowTask) -> Part:
        """The Part of a synthesis."""
        from region_grower_flow.validation.validate import Part

        references, notes = self._references(TEST if name == HOLDOUT else self.reference_part)
        in_atlas, paths = isinstance(task, SynthesizeMorphologies), model_paths(task)
        return Part(
            name=name,
            outputs=outputs_of(task),
            references=references,
            fitted=self._references(FIT)[0] or {} if name == HOLDOUT else {},
            notes=notes,
            atlas=Path(self.atlas) if in_atlas else None,
            region_structure=Path(self.region_structure) if in_atlas else None,
            region=self.region,
            synthesize_axons=self.synthesize_axons,
            inverted=tuple(self.inverted_mtypes),
            parameters=Path(paths["parameters"]),
            distributions=Path(paths["distributions"]),
        )

    def _references(self, reference_part: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """(reconstructions by mtype, notes), (None, {}) without any."""
        if not inputs.has_reconstructions(self):
            return None, {}
        dataset = prepared_dataset(self.clone(reference_part=reference_part))
        return dataset.mtypes, dataset.notes

    def recorded_options(self) -> dict[str, Any]:
        """The options that the results name."""
        names = ("reference_part", "vacuum_cells", "seed", "region")
        own = {**self.group(Validation).results(), **{n: getattr(self, n) for n in names}}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in own.items()}

    def provenance(self) -> dict[str, Any]:
        """The fingerprint and recipe of the results."""
        recipe = self.recipe()
        return {"fingerprint": recipe.fingerprint(), "recipe": recipe.as_dict()}
