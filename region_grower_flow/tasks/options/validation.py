"""The options of the validation."""

from region_grower_flow.errors import nearest
from region_grower_flow.tasks.options.synthesis import OutputOptions
from region_grower_flow.tasks.options.types import (
    Choice,
    Names,
    Place,
    Processes,
    Seed,
    Switch,
    Whole,
)
from region_grower_flow.tasks.options.work import WorkOptions
from region_grower_flow.validation.gate import KNOWN_WORDS, NONE

ATLAS, VACUUM = "atlas", "vacuum"


class BadWords(Names):
    """Words that say which verdicts a run fails on."""

    def normalize(self, x):
        """Refuse words that are not known, and "none" beside others."""
        words = tuple(word.replace("-", "_").replace(" ", "_") for word in super().normalize(x))
        for word in words:
            if word not in KNOWN_WORDS:
                expected = ", ".join(KNOWN_WORDS)
                hint = nearest(word, KNOWN_WORDS)
                raise self._wrong(x, f"{word!r} is none of {expected}{hint and f'; {hint}'}")
        if NONE in words and len(words) > 1:
            raise self._wrong(x, f"{NONE!r} stands alone: it fails on nothing")
        return words


class ValidationOptions(WorkOptions):
    """What is validated, and how."""

    validation_of = Choice(
        "Which synthesis is validated: that of the cells in the atlas, or cells of each mtype "
        "grown without any",
        (ATLAS, VACUUM),
        shown=True,
    )
    holdout = Switch(
        "Also grow cells (without atlas) from one half of the reconstructions and compare them "
        "with the other half; growth copies reference bar codes, so this is the sharper test"
    )
    validation_dir = Place(
        "Folder of validation.json, of the tables, figures and validation.html",
        default="validation",
        shown=True,
    )
    validation_sample = Whole(
        "Synthesized cells per mtype that are compared, drawn at random (0: all)",
        default=100,
        least=0,
    )
    structure_sample = Whole(
        "Synthesized cells per mtype whose files are read again to be checked, drawn at random "
        "(0: all)",
        default=0,
        least=0,
    )
    validation_seed = Seed("Seed of samples, permutations and bootstraps")
    validation_processes = Processes("validate")
    fail_on = BadWords(
        "Verdicts that make the run fail after all outputs are written, and the tiers to look at, "
        "separated by commas: none; fail, and more strictly no_power, not_testable; structure, "
        "space, morphometrics, topology, classifier, trunks, controls (all tiers without any)",
        default=(NONE,),
        significant=False,
    )


class OptionalSynthesis(OutputOptions):
    """The options of a synthesis in an atlas, of which one without any needs none."""

    input_cells = Place(OutputOptions.input_cells.description)
    atlas = Place(OutputOptions.atlas.description)
    out_cells = Place(OutputOptions.out_cells.description, shown=True)

    def places(self):
        """The outputs of the synthesis; none without one."""
        return super().places() if self.out_cells else {}
