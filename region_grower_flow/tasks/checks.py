"""The check of all inputs before any work: a task that only says yes, or no with every problem."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import luigi

from region_grower_flow.checks.work_folder import check_work_folder
from region_grower_flow.errors import InvalidInput, InvalidInputs, counted, nearest
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options import GROUPS
from region_grower_flow.options.group import declared
from region_grower_flow.options.kinds import Text
from region_grower_flow.record.run_lock import look
from region_grower_flow.tasks.base import Facts, FlowTask, Made
from region_grower_flow.tasks.launching import expect_launch
from region_grower_flow.tasks.targets import StageTarget
from region_grower_flow.tasks.with_options import handed_down

if TYPE_CHECKING:
    from region_grower_flow.checks.registry import InputCheck
    from region_grower_flow.options.group import Group


OPTIONS, FOLDER = "options", "folder"
"""Facts of a check: the options as texts, and the folder that relative paths start from."""
WARNINGS = "warnings"
"""Fact of a check: what it has warned of, sentences."""

SYNTHESIS = "synthesis"
"""The check of the main flow, whose manifest has no further name."""

_covering: dict[str, CheckInputs] = {}
"""{identity of a stage: the check of the flow that the stage is part of}, in this process."""


class _Refused(InvalidInputs):
    """All problems of the inputs."""


class CheckInputs(FlowTask):
    """Look at all inputs of a flow; complete while they are those that have passed.

    Which functions do so is for ``checks.registry``; here they are given the options of the stage
    that a user has named. The options of other groups are at their defaults and do not count.
    """

    groups = GROUPS
    whole_groups = True
    partial_groups = True  # what one flow needs, another does not: the stage has looked at it
    checked = Text[str]("Name of the check", default=SYNTHESIS, shown=True)
    report = Text[str]("Report that is to be made, where one is", default="")
    priority = 1000
    log_path = None  # an input that is refused leaves nothing behind

    @classmethod
    def of_stage(cls, stage: FlowTask, **more: Any) -> CheckInputs:
        """The check of a stage by itself: with its options, all others at their defaults.

        Args:
            stage: the stage.
            **more: further options of the check.
        """
        groups = handed_down(stage, cls.group_parameters)
        return cls(**{**groups, "checked": stage.checked_by, **more})

    def shown_options(self) -> list[str]:
        """Those of the flow, and the name of the check."""
        own = declared(self.described.groups)
        return [n for n in super().shown_options() if n in own or n == "checked"]

    @property
    def described(self) -> InputCheck:
        """The InputCheck.

        Raises:
            InvalidInput: there is no such check, or it is for no such report.
        """
        from region_grower_flow.checks.registry import CHECKS
        from region_grower_flow.checks.reports import NEEDS

        known: dict[str, Collection[str]] = {"checked": CHECKS}
        if self.checked == "report":
            known["report"] = NEEDS
        for name, names in known.items():
            value = getattr(self, name)
            if value not in names:
                hint = nearest(value, names) or f"one of {', '.join(names)}"
                raise InvalidInput(f"{value!r} is not known", f"option {name}", hint)
        return CHECKS[self.checked]

    @property
    def label(self) -> str:
        """Each flow of a work folder has a check of its own."""
        names = [] if self.checked == SYNTHESIS else [self.checked]
        return "_".join(filter(None, [self.task_family, *names, self.described.part(self)]))

    def result_parts(self) -> tuple[type[Group], ...]:
        """The groups of the flow."""
        return self.described.groups

    def external_files(self) -> dict[str, Any]:
        """All that the flow reads."""
        return self.described.files(self)

    def _requires(self) -> Sequence[luigi.Task]:
        """The example's inputs, where they are used."""
        return self.example()

    def output(self) -> StageTarget:
        """The manifest, which is all that a check writes."""
        return StageTarget(self.manifest_path, self)

    def held_places(self) -> Sequence[PathLike]:
        """The places that the flow holds alone."""
        return self.described.held(self)

    def is_current(self) -> bool:
        """The outputs' places are looked at each time: their content is not an input.

        Other options than those of the last run are checked, and remembered, even if they change
        no result: ``region-grower-flow status --work-dir`` goes by them.
        """
        if self._place_problems() or not super().is_current():
            return False
        return self.facts().get(OPTIONS) == self.to_str_params()

    # The stages of the flow.

    def finds_nothing_wrong(self) -> bool:
        """True when nothing is wrong with the inputs."""
        return self.complete() or not self.problems()

    def cover(self, stages: Mapping[str, FlowTask]) -> None:
        """Let stages whose own checks this one includes, and those above them, rely on it.

        Args:
            stages: {name: stage}.
        """
        names, seen, left = (self.checked, *self.described.includes), set(), [*stages.values()]
        while left:
            stage = left.pop()
            if stage.checked_by in names and stage.task_id not in seen:
                seen.add(stage.task_id)
                _covering[stage.task_id] = self
                left += stage.requires().values()

    @staticmethod
    def of_flow(stage: FlowTask) -> CheckInputs | None:
        """The check of the flow that a stage is part of; None when it was named by itself."""
        return _covering.get(stage.task_id)

    def problems(self) -> list[InvalidInput]:
        """All problems of the inputs, a list of InvalidInput; found once for the same inputs."""
        try:
            state = self.recipe().fingerprint()
        except InvalidInput as error:
            return self.described.problems(self) or [error]
        if self._found is None or self._found[0] != state:
            if self.described.grows:
                expect_launch(self)
            with _collected_warnings() as self._warnings:
                self._found = state, self.described.problems(self)
        return self._found[1] or self._place_problems()

    _found: tuple[str, list[InvalidInput]] | None = None
    _warnings: Sequence[str] = ()

    def _place_problems(self) -> list[InvalidInput]:
        return [*check_work_folder(self), *self.described.places(self)]

    # Its run.

    def lock(self) -> AbstractContextManager[None]:
        """None: a check makes nothing, and an input that is refused leaves nothing behind.

        Raises:
            Busy: another run holds the outputs: better known before hours of work than after.
        """
        look(self.held_places())
        return contextlib.nullcontext()

    def summary_of(self, facts: Facts) -> str:
        """The sentence on inputs without a problem."""
        warnings = facts.get(WARNINGS)
        if warnings:
            return f"inputs can be used, with {counted(len(warnings), 'warning')}"
        return "all inputs are fine"

    def make(self) -> Made:
        """Raise the problems, all at once."""
        found = self.problems()
        if found:
            raise _Refused(found)
        own = {OPTIONS: self.to_str_params(), FOLDER: os.getcwd()}
        return [], {**own, WARNINGS: list(self._warnings)}

    def run(self) -> None:
        """Check; all problems are told, also where some of the inputs cannot be fingerprinted."""
        try:
            self.make_and_record()
        except _Refused:
            raise
        except InvalidInput as error:
            problems = InvalidInputs(self.problems() or [error])
            self.show(str(problems))
            raise problems from error


class _WarningCollector(logging.Handler):
    """Hears what its thread warns of, and lets Python print it where nobody else does."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logging.WARNING)
        self.logger, self.thread, self.words = logger, threading.get_ident(), list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:
            self.words.append(record.getMessage())
        handlers = [*self.logger.handlers, *logging.root.handlers]
        # Of several collectors the first; with any handler Python itself no more prints.
        alone = all(isinstance(handler, _WarningCollector) for handler in handlers)
        if alone and handlers[0] is self and logging.lastResort is not None:
            logging.lastResort.handle(record)


@contextlib.contextmanager
def _collected_warnings() -> Iterator[list[str]]:
    """Collects the warnings of this thread meanwhile, in a list that grows."""
    logger = logging.getLogger("region_grower_flow")
    collector = _WarningCollector(logger)
    logger.addHandler(collector)
    try:
        yield collector.words
    finally:
        logger.removeHandler(collector)


FlowTask.checker = CheckInputs
