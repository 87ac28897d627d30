"""Checks of all inputs, before any work: tasks that only say yes, or no with every problem."""

import contextlib
import functools
import json
import os

from luigi.task_register import Register

from region_grower_flow.checks.calibration import check_calibration
from region_grower_flow.checks.places import check_places
from region_grower_flow.checks.space import check_space
from region_grower_flow.checks.synthesis import check_synthesis
from region_grower_flow.errors import FlowError, InvalidInput, InvalidInputs
from region_grower_flow.record.manifest import read_manifest
from region_grower_flow.record.run_lock import look
from region_grower_flow.tasks import inputs
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.launching import expect_launch
from region_grower_flow.tasks.options.calibration import BuildOptions
from region_grower_flow.tasks.options.synthesis import AtlasOptions, OutputOptions
from region_grower_flow.tasks.options.types import Text

OPTIONS, FOLDER = "options", "folder"
"""Facts of a check: the options as texts, and the folder that relative paths start from."""


class Check(FlowTask):
    """Base of the checks: complete while the inputs are those that passed."""

    priority = 1000

    def requires(self):
        """The example's inputs, where they are used."""
        return self.example()

    def problems(self):
        """All problems of the inputs, a list of InvalidInput."""
        return []

    def lock(self):
        """None: a check makes nothing, and an input that is refused leaves nothing behind.

        Raises:
            Busy: another run holds the outputs: better known before hours of work than after.
        """
        look(self.held_places())
        return contextlib.nullcontext()

    log_path = None

    def log(self):
        """None, for the same reason."""
        return contextlib.nullcontext(lambda _: None)

    def account(self, facts):
        """That all is well."""
        return "all inputs are fine"

    def make(self):
        """Raise the problems, all at once."""
        found = self.problems()
        if found:
            raise InvalidInputs(found)
        return [], {OPTIONS: self.to_str_params(), FOLDER: os.getcwd()}

    def run(self):
        """Check; what cannot even be fingerprinted is among the problems."""
        try:
            super().run()
        except InvalidInputs:
            raise
        except InvalidInput as error:
            problems = InvalidInputs(self.problems() or [error])
            self.tell(str(problems))
            raise problems from error


class CheckReconstructions(BuildOptions, Check):
    """Check the reference morphologies and what goes with them."""

    region_structure = AtlasOptions.region_structure

    def files(self):
        """All that calibration reads."""
        return inputs.calibration_files(self)

    def problems(self):
        """See :func:`region_grower_flow.checks.calibration.check_calibration`."""
        return check_calibration(self)


class CheckAtlas(AtlasOptions, Check):
    """Check the cells, the atlas and the region structure."""

    def files(self):
        """All that loading the atlas reads."""
        return inputs.atlas_files(self)

    def problems(self):
        """See :func:`region_grower_flow.checks.space.check_space`."""
        return check_space(self)


class CheckInputs(OutputOptions, Check):
    """Check all inputs of a synthesis, and its outputs' places."""

    def files(self):
        """All that the stages read."""
        return inputs.all_files(self)

    def problems(self):
        """See :func:`region_grower_flow.checks.synthesis.check_synthesis`."""
        expect_launch(self)
        return check_synthesis(self)

    def complete(self):
        """The outputs' places are looked at each time: their content is not an input.

        Other options than those of the last run are checked, and remembered, even if they change
        no result: ``region-grower-flow status --work-dir`` goes by them.
        """
        if check_places(self) or not super().complete():
            return False
        return read_manifest(self.output().path).facts.get(OPTIONS) == self.to_str_params()


class Checked:
    """A stage that starts only when a check has passed (mixed into a FlowTask)."""

    own_check = None
    """The class of the check."""

    def check(self):
        """The check that this stage waits for."""
        return self.clone(self.own_check)

    def requires(self):
        """The check, and the stages above."""
        return [self.check(), *self.upstream()]


class Guarded(Checked):
    """A stage that starts only when the checks of the whole flow have passed.

    Attributes:
        guard: the check of the flow, see :func:`guard_of`; empty when the stage is run by itself,
            which then has its own check.
    """

    guard = Text("For internal use", default="", significant=False)

    def held_places(self):
        """What the whole synthesis holds, as part of one."""
        return self.check().held_places() if self.guard else []

    def check(self):
        """The check of the flow, or its own."""
        if self.guard:
            family, options = json.loads(self.guard)
            return Register.get_task_cls(family).from_str_params(options)
        return super().check()

    def above(self, stage):
        """A stage above this one, which waits for the same check."""
        return self.clone(stage, guard=self.guard or guard_of(self, self.own_check))


class CheckedFirst(Checked):
    """A stage with whole flows above it: these are asked for only when its own check is content."""

    def requires(self):
        """The check, and the stages above when it finds nothing wrong."""
        return self._required

    @functools.cached_property
    def _required(self):
        """What is required, found once: Luigi does not expect it to change during a run."""
        check = self.check()
        try:
            wrong = bool(check.problems())
        except FlowError:
            wrong = True
        return [check] if wrong else [check, *self.upstream()]

    def left(self):
        """Yields the stages above that are still to be made, if any, for ``run`` to wait for.

        While the example's inputs were not there, nobody could tell which there are.
        """
        left = [task for task in self.upstream() if not task.complete()]
        if left:
            yield left


def guard_of(task, check=CheckInputs):
    """The guard for the stages below a task: its check's name and options, as JSON."""
    found = task.clone(check)
    return json.dumps([found.task_family, found.to_str_params()], sort_keys=True)
