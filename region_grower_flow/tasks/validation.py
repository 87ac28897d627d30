"""The validation of a synthesis, as a task that can say no."""

import os
from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.calibration.dataset import ALL, FIT, TEST
from region_grower_flow.calibration.sources import read_reconstructions
from region_grower_flow.checks.places import check_folder
from region_grower_flow.errors import InvalidInput, Problems
from region_grower_flow.record.fingerprint import RESULT_PACKAGES, package_versions
from region_grower_flow.record.manifest import read_manifest
from region_grower_flow.record.run_lock import release
from region_grower_flow.tasks import inputs, messages
from region_grower_flow.tasks.base import FlowTask, processes
from region_grower_flow.tasks.checks import Check, CheckedFirst
from region_grower_flow.tasks.leftovers import remove_leftovers
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.models import model_paths
from region_grower_flow.tasks.options.synthesis import VacuumOptions
from region_grower_flow.tasks.options.validation import (
    ATLAS,
    OptionalSynthesis,
    ValidationOptions,
)
from region_grower_flow.tasks.reconstructions import preparation, prepared_dataset
from region_grower_flow.tasks.synthesized import outputs_of, read_with
from region_grower_flow.tasks.vacuum import SynthesizeVacuum
from region_grower_flow.validation import gate
from region_grower_flow.validation.results import FULL, HOLDOUT

PACKAGES = (*RESULT_PACKAGES, "scikit-learn")
"""Whose versions enter the fingerprint."""

OWN_OPTIONS = (
    "validation_of",
    "holdout",
    "validation_sample",
    "structure_sample",
    "validation_seed",
)
"""Options of the validation itself that enter the fingerprint."""

IN_ATLAS = "to validate the synthesis in an atlas; without one, set validation_of = vacuum"
FOR_HOLDOUT = "for the hold-out, which splits the reconstructions"


class ValidateOptions(ValidationOptions, OptionalSynthesis, VacuumOptions):
    """All options of a validation."""

    @property
    def in_atlas(self):
        """Whether the synthesis in the atlas is validated."""
        return self.validation_of == ATLAS

    @property
    def has_reconstructions(self):
        """Whether there are reconstructions to compare with, not only distributions."""
        return bool(self.morphologies_dir and self.dat_file)

    def held_places(self):
        """What a validation holds alone: its work folder and its outputs."""
        return [self.work_dir, self.validation_dir]


class CheckValidation(ValidateOptions, Check):
    """Check what only the validation needs; the synthesis has checks of its own."""

    def files(self):
        """The reconstructions."""
        return inputs.reconstruction_files(self) if self.has_reconstructions else {}

    def problems(self):
        """Options that do not go together, and reconstructions that cannot be read."""
        problems = Problems(check_folder("option validation_dir", self.validation_dir))
        if self.in_atlas:
            problems.extend(self._needed(IN_ATLAS, "input_cells", "atlas", "out_cells"))
            if self.skip_write:
                problem = "leaves no morphology to validate"
                problems.append(InvalidInput(problem, "option skip_write"))
        if self.has_reconstructions:
            dataset = problems.attempt(read_reconstructions, self)
            if dataset is not None and self.holdout:
                problems.attempt(read_reconstructions, self.clone(reference_part=TEST))
        elif self.holdout:
            problems.extend(self._needed(FOR_HOLDOUT, "morphologies_dir", "dat_file"))
        if self.holdout and self.reference_part != ALL:
            problem = "the hold-out splits the reconstructions itself"
            problems.append(InvalidInput(problem, "option reference_part", "leave it out"))
        return problems

    def _needed(self, why, *names):
        return [
            InvalidInput(f"is needed {why}", f"option {name}")
            for name in names
            if not getattr(self, name)
        ]


class ValidateSynthesis(CheckedFirst, ValidateOptions, FlowTask):
    """Compare the synthesized cells with the reference: every test with its verdict."""

    own_check = CheckValidation
    # Fingerprints know nothing of code: raised with every change of what a statistic says.
    stage_version = 2

    def upstream(self):
        """What is validated, with the parameters it was made from; prepared reconstructions."""
        return list(self.named_upstream().values())

    def named_upstream(self):
        """Both parts may be made by the same stages: those of the hold-out are told so."""
        named = {task.task_family: task for task in self._prepared()}
        for part, synthesis in self.syntheses().items():
            of_part = "" if part == FULL else f" of the {part}"
            for task in read_with(synthesis):
                named[f"{task.task_family}{of_part}"] = task
        return named

    def _prepared(self):
        return preparation(self) if self.has_reconstructions else []

    def syntheses(self):
        """{part: task} of the syntheses to validate."""
        first = SynthesizeMorphologies if self.in_atlas else SynthesizeVacuum
        tasks = {FULL: self.clone(first)}
        if self.holdout:
            tasks[HOLDOUT] = self.clone(
                SynthesizeVacuum,
                reference_part=FIT,
                work_dir=str(self.work_path(layout.HOLDOUT_WORK)),
                vacuum_dir=None,
                tmd_parameters=None,
                tmd_distributions=None,
                generated_parameters=None,
                extracted_distributions=None,
            )
        return tasks

    def files(self):
        """The reconstructions, and the parameters and distributions that are given."""
        files = inputs.reconstruction_files(self) if self.has_reconstructions else {}
        return {**files, **inputs.given_files(self, *inputs.GIVEN)}

    def values(self):
        """The options of the validation; those of the syntheses are in their fingerprints."""
        return {
            **{name: getattr(self, name) for name in (*OWN_OPTIONS, "split_seed")},
            "reference": self.has_reconstructions,
            "validation_dir": os.path.relpath(self.validation_dir, self.work_dir),
        }

    def packages(self):
        """Those of the synthesis and of the statistics."""
        return package_versions(PACKAGES)

    def run(self):
        """Validate unless that is done; then fail on verdicts that the user does not accept.

        Raises:
            BadVerdicts: with a sentence per mtype; all outputs are written.
        """
        yield from self.left()
        try:
            if not self._is_made():
                super().run()
            messages.announce(self)
            gate.check_verdicts(gate.read_results(self.validation_dir), self.fail_on)
        except gate.BadVerdicts as error:
            self.tell(str(error))
            raise
        finally:
            release()

    def _is_made(self):
        """Whether the results are there and fresh, whatever their verdicts."""
        manifest = read_manifest(self.output().path)
        if manifest is None or manifest.fingerprint != self.recipe().fingerprint():
            return False
        return manifest.intact()

    def objection(self, facts):
        """The verdicts may be none that today's ``fail_on`` accepts."""
        try:
            content = gate.read_results(self.validation_dir)
        except InvalidInput as error:
            return str(error)
        bad = gate.bad_verdicts(content["verdicts"], self.fail_on)
        return f"fail_on does not accept its verdicts ({len(bad)} of them)" if bad else None

    def make(self):
        """See :func:`region_grower_flow.validation.validate.validate`."""
        from region_grower_flow.report.page import write_page
        from region_grower_flow.validation.validate import ValidationPlan, validate

        plan = ValidationPlan(
            parts=tuple(self.part(name, task) for name, task in self.syntheses().items()),
            seed=self.validation_seed,
            sample=self.validation_sample,
            structure_sample=self.structure_sample,
            processes=processes(self.validation_processes),
            options=self.told_options(),
        )
        results = validate(plan, self.show_progress("tests of mtypes"))
        results.provenance = self.provenance()
        self.tell("writing the results")
        outputs = results.write(self.validation_dir)
        self.tell("drawing the figures")
        count = processes(self.validation_processes)
        outputs += write_page(results, self.validation_dir, processes=count)
        remove_leftovers(self.output().path, outputs, self.validation_dir)
        return outputs, {"sentences": list(gate.account(results.as_dict()))}

    def part(self, name, task):
        """The Part of a synthesis."""
        from region_grower_flow.validation.validate import Part

        references, notes = self._references(TEST if name == HOLDOUT else self.reference_part)
        in_atlas = isinstance(task, SynthesizeMorphologies)
        return Part(
            name=name,
            outputs=outputs_of(task),
            references=references,
            notes=notes,
            atlas=Path(self.atlas) if in_atlas else None,
            region_structure=Path(self.region_structure) if in_atlas else None,
            region=self.region,
            synthesize_axons=self.synthesize_axons,
            **model_paths(task),
        )

    def _references(self, reference_part):
        """(reconstructions by mtype, notes), (None, {}) without any."""
        if not self.has_reconstructions:
            return None, {}
        dataset = prepared_dataset(self.clone(reference_part=reference_part))
        return dataset.mtypes, dataset.notes

    def told_options(self):
        """The options that the results name."""
        names = (*OWN_OPTIONS, "split_seed", "reference_part", "vacuum_cells", "seed", "region")
        own = {name: getattr(self, name) for name in names}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in own.items()}

    def provenance(self):
        """What the results were made from."""
        recipe = self.recipe()
        return {"fingerprint": recipe.fingerprint(), "recipe": recipe.as_dict()}
