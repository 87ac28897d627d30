"""The choice of axons for grafting, as a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from region_grower_flow.checks.axon_choice import choice_files, prepare, ratio_problems
from region_grower_flow.errors import InvalidInputs
from region_grower_flow.layout import CHOSEN_AXONS
from region_grower_flow.options import AxonChoice, Space, Work
from region_grower_flow.tasks.base import FlowTask, Made
from region_grower_flow.tasks.targets import StageTarget


class ChooseAxons(FlowTask):
    """Choose the morphology that each cell gets its axon from."""

    groups = (Work, AxonChoice)
    other_options = (Space.population,)
    checked_by = "axon_choice"
    own_outputs = ("chosen_axons",)

    def external_files(self) -> dict[str, Any]:
        """All that the choice reads."""
        return choice_files(self)

    def output(self) -> StageTarget:
        """The table."""
        return StageTarget(self.chosen_axons or self.work_path(CHOSEN_AXONS), self)

    def make(self) -> Made:
        """See :func:`region_grower_flow.placement.choose.choose_axons`."""
        from region_grower_flow.io.atomic import make_folder, write_text_atomic
        from region_grower_flow.placement import axon_files

        self.show("scoring the donors")
        prepared = prepare(self)
        choice, mtypes = prepared.choose(), prepared.mtypes.tolist()
        problems = ratio_problems(self, choice, mtypes)
        if problems:
            raise InvalidInputs(problems)
        make_folder(self.path.parent)
        beside = {
            self.path: axon_files.axon_table_text(choice),
            self._beside("scores"): axon_files.scores_text(choice, mtypes),
            self._beside("donors"): axon_files.donors_text(choice),
        }
        for path, text in beside.items():
            write_text_atomic(path, text)
        without = sum(name is None for name in choice.names)
        sentences = list(axon_files.choice_sentences(choice, mtypes))
        return list(beside), {"cells": len(mtypes), "without": without, "sentences": sentences}

    def _beside(self, what: str) -> Path:
        return self.path.with_name(f"{self.path.stem}_{what}.csv")
