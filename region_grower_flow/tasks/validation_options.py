"""The options of the validation."""

from pathlib import Path

from region_grower_flow.errors import nearest
from region_grower_flow.tasks.option_types import Choice, Switch, Text, Whole
from region_grower_flow.tasks.options import OutputOptions, WorkOptions
from region_grower_flow.tasks.reference_options import Names
from region_grower_flow.validation.gate import KNOWN_WORDS, NONE

ATLAS, VACUUM = "atlas", "vacuum"


class BadWords(Names):
    """Words that say which verdicts a run fails on."""

    def normalize(self, x):
        """Refuse words that are not known."""
        words = tuple(word.replace("-", "_").replace(" ", "_") for word in super().normalize(x))
        for word in words:
            if word not in KNOWN_WORDS:
                expected = ", ".join(KNOWN_WORDS)
                hint = nearest(word, KNOWN_WORDS)
                raise self._wrong(x, f"{word!r} is none of {expected}{hint and f'; {hint}'}")
        return words


class ValidationOptions(WorkOptions):
    """What is validated, and how."""

    validation_of = Choice(
        default=ATLAS,
        choices=(ATLAS, VACUUM),
        shown=True,
        description="Which synthesis is validated: that of the cells in the atlas, or cells of "
        "each mtype grown without any",
    )
    holdout = Switch(
        description="Also grow cells (without atlas) from one half of the reconstructions and "
        "compare them with the other half; growth copies reference bar codes, so this is the "
        "sharper test",
    )
    validation_dir = Text(
        default="validation",
        result=False,
        shown=True,
        description="Folder of validation.json, of the tables, figures and validation.html",
    )
    validation_sample = Whole(
        default=100,
        least=0,
        description="Synthesized cells per mtype that are compared, drawn at random (0: all)",
    )
    structure_sample = Whole(
        default=0,
        least=0,
        description="Synthesized cells per mtype whose files are read again to be checked, drawn "
        "at random (0: all)",
    )
    validation_seed = Whole(
        default=0, least=0, description="Seed of samples, permutations and bootstraps"
    )
    validation_processes = Whole(
        optional=True,
        least=1,
        significant=False,
        description="Processes that validate (as many as there are cores)",
    )
    fail_on = BadWords(
        default=(NONE,),
        significant=False,
        description="Verdicts that make the run fail after all outputs are written, and the tiers "
        "to look at, separated by commas: none; fail, and more strictly no_power, not_testable; "
        "structure, space, morphometrics, topology, classifier, trunks, controls (all tiers "
        "without any)",
    )


class OptionalSynthesis(OutputOptions):
    """The options of a synthesis in an atlas, which a validation in vacuum needs none of."""

    input_cells = Text(
        optional=True, result=False, description=OutputOptions.input_cells.description
    )
    atlas = Text(optional=True, result=False, description=OutputOptions.atlas.description)
    out_cells = Text(
        optional=True,
        result=False,
        shown=True,
        description=OutputOptions.out_cells.description,
    )

    def places(self):
        """The outputs of the synthesis; none without one."""
        return super().places() if self.out_cells else {}

    def held_places(self):
        """What a validation holds alone: its work folder and its outputs."""
        return [self.work_dir, str(Path(self.validation_dir))]
