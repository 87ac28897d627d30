"""The options of the validation."""

from __future__ import annotations

from typing import Any

from region_grower_flow.errors import nearest
from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Choice, Names, Place, Switch, Whole
from region_grower_flow.options.model import Model
from region_grower_flow.options.reference import Reference

ATLAS, VACUUM = "atlas", "vacuum"
"""Kinds of synthesis: of the cells in the atlas, or of cells grown without any."""

NO_VERDICTS = "none"
VERDICTS = ("fail", "no_power", "not_testable")
TIERS = ("structure", "space", "morphometrics", "topology", "classifier", "trunks", "controls")
KNOWN_WORDS = (NO_VERDICTS, *VERDICTS, *TIERS)
"""Words of ``fail_on``."""


class VerdictWords(Names):
    """Words that say which verdicts a run fails on."""

    def _checked(self, value: Any) -> Any:
        words = tuple(w.replace("-", "_").replace(" ", "_") for w in super()._checked(value))
        for word in words:
            if word not in KNOWN_WORDS:
                expected, hint = ", ".join(KNOWN_WORDS), nearest(word, KNOWN_WORDS)
                raise self.wrong(value, f"{word!r} is none of {expected}{hint and f'; {hint}'}")
        if NO_VERDICTS in words and len(words) > 1:
            raise self.wrong(value, f"{NO_VERDICTS!r} stands alone: it fails on nothing")
        return words


class Validation(Group):
    """Cells that are validated, and the tests."""

    TITLE = "Validation"

    validation_of = Choice(
        "Which synthesis is validated: that of the cells in the atlas, or cells of each mtype "
        "grown without any",
        (ATLAS, VACUUM),
        shown=True,
    )
    holdout = Switch(
        "Also grow cells (without atlas) from one half of the reconstructions and compare them "
        "with the other half; growth copies reference barcodes, so this is the sharper test"
    )
    validation_sample = Whole[int](
        "Synthesized cells per mtype that are compared, drawn at random (0: all)",
        default=100,
        least=0,
    )
    structure_sample = Whole[int](
        "Synthesized cells per mtype whose files are read again to be checked, drawn at random "
        "(0: all)",
        default=0,
        least=0,
    )
    validation_seed = Reference.validation_seed
    validation_dir = Place[str](
        "Folder of validation.json, of the tables, figures and validation.html",
        default="validation",
        shown=True,
    )
    processes = Model.processes
    fail_on = VerdictWords(
        "Verdicts that make the run fail after all outputs are written, and the tiers to look at, "
        "separated by commas: none; fail, and more strictly no_power, not_testable; structure, "
        "space, morphometrics, topology, classifier, trunks, controls (all tiers without any)",
        default=(NO_VERDICTS,),
        identity=False,
    )
