"""The base of all tasks: completeness by fingerprint, locks, and errors in one sentence."""

import html
import json
import os
import time
from pathlib import Path

import luigi
from luigi.rpc import RPCError

from region_grower_flow import layout
from region_grower_flow.errors import FlowError, InvalidInput, InvalidInputs
from region_grower_flow.record.fingerprint import FileDigests, Recipe, digest_of, package_versions
from region_grower_flow.record.manifest import Manifest, read_manifest, remember_digests
from region_grower_flow.runtime.processes import die_with_forking_parent
from region_grower_flow.tasks.example import CreateExample
from region_grower_flow.tasks.options.types import value_problems
from region_grower_flow.tasks.options.work import WorkOptions
from region_grower_flow.tasks.progress import Progress, stage_log
from region_grower_flow.tasks.sentences import quiet_tracebacks

SHOWN_LINES = 20
"""Of a stage's account, in the web UI."""

_digests = {}


class ManifestTarget(luigi.Target):
    """Exists when the manifest bears today's fingerprint and its outputs are as written.

    Args:
        path: the manifest.
        task: the FlowTask whose manifest it is.
    """

    def __init__(self, path, task):
        self.path, self._task = str(path), task

    def exists(self):
        """Whether the stage is complete."""
        manifest = read_manifest(self.path)
        if manifest is None:
            return False
        try:
            if manifest.fingerprint != self._task.recipe().fingerprint():
                return False
            good = self._task.objection(manifest.facts) is None
            return good and manifest.intact() and self._task.intact()
        except InvalidInput:  # an input is missing: the checks say so, in order
            return False


class FlowTask(WorkOptions, luigi.Task):
    """A stage with a fingerprint.

    Subclasses say what determines their output (:meth:`files`, :meth:`upstream`, their options) and
    make it (:meth:`make`).
    """

    stage_version = 1
    """Raise when a change of the code changes what the same inputs give."""

    no_result = ()
    """Names of inherited options that do not change this stage's results."""

    own_outputs = ()
    """Names of options that name outputs: at another place these are another result."""

    @classmethod
    def get_param_values(cls, params, args, kwargs):
        """The values of all options; what is wrong with them is said all at once.

        Raises:
            InvalidInputs: values that are missing, not valid, or of options that do not exist.
        """
        quiet_tracebacks()
        try:
            return super().get_param_values(params, args, kwargs)
        except (luigi.parameter.ParameterException, ValueError):
            problems = value_problems(cls.get_task_family(), params, kwargs)
            if problems:
                raise InvalidInputs(problems) from None
            raise

    # What determines the stage.

    def files(self):
        """{role: path} of the external files whose content enters the fingerprint."""
        return {}

    def upstream(self):
        """The tasks whose fingerprints enter this one's."""
        return []

    def named_upstream(self):
        """{name: task} of those tasks, for fingerprints and for what people are told of them."""
        return {task.task_family: task for task in self.upstream()}

    def values(self):
        """{option: value} that enters the fingerprint; places as seen from the work folder."""
        values = {
            name: getattr(self, name)
            for name, option in self.get_params()
            if getattr(option, "result", False) and name not in self.no_result
        }
        places = {name: getattr(self, name) for name in self.own_outputs}
        return {
            **values,
            **{name: os.path.relpath(path, self.work_dir) for name, path in places.items() if path},
        }

    def packages(self):
        """{package: version} that enters the fingerprint."""
        return package_versions()

    def recipe(self):
        """The Recipe of today.

        Raises:
            InvalidInput: a file is missing or unreadable.
        """
        digests = self.digests()
        return Recipe(
            stage=self.task_family,
            version=self.stage_version,
            parameters=self.values(),
            upstream={name: t.recipe().fingerprint() for name, t in self.named_upstream().items()},
            files={role: digests.digest(path) for role, path in self.files().items()},
            packages=self.packages(),
        )

    def digests(self):
        """The memory of file digests, one per work folder and process."""
        return _digests.setdefault(self.work_dir, FileDigests(Path(self.work_dir) / layout.DIGESTS))

    # Luigi's side.

    @property
    def label(self):
        """The stage's name in manifests, locks and logs; chunks add theirs."""
        return self.task_family

    def __repr__(self):
        """The stage in logs: its name and what tells it from others."""
        values = [
            f"{name}={getattr(self, name)}"
            for name, option in self.get_params()
            if getattr(option, "shown", False)
        ]
        return f"{self.task_family}({', '.join(values)})"

    def work_path(self, *parts):
        """A path in the work folder."""
        return Path(self.work_dir, *parts)

    def example(self):
        """The task that makes the example's inputs, in a list; empty where they are not used."""
        return [CreateExample(example_dir=self.example_dir)] if self.example_dir else []

    def complete(self):
        """Whether the outputs are up to date; an example of another version is renewed first."""
        return all(task.complete() for task in self.example()) and super().complete()

    def output(self):
        """The manifest, complete with today's fingerprint."""
        return ManifestTarget(self.work_path(layout.MANIFESTS, f"{self.label}.json"), self)

    def objection(self, facts):
        """Why what the stage said of its outputs does not do for today's options; None if it does.

        A sentence for people, who see it in ``region-grower-flow status``.
        """
        return None

    def intact(self):
        """Whether outputs that the manifest does not list one by one are as they were written."""
        return True

    def to_str_params(self, only_significant=False, only_public=False):
        """The options as texts; those that make up the task's identity are all significant ones.

        Luigi's web UI lists all public options, some forty here, so all are hidden but for the few
        that tell one task from another. Luigi leaves hidden options out of a task's identity: there
        one digest stands for them.
        """
        options = super().to_str_params(only_significant, only_public)
        if only_significant and only_public:
            # "~" comes last in Luigi's names, which show three options.
            options["~others"] = digest_of(super().to_str_params(only_significant=True))[:16]
        return options

    def run(self):
        """Make the outputs, then write the manifest.

        Raises:
            FlowError: with a sentence for the user.
        """
        die_with_forking_parent()
        self.tell("at work", 0)
        try:
            recipe = self.recipe()
            with self.lock(), self.log() as write:
                start = time.monotonic()
                outputs, facts = self.make()
                facts = {"seconds": round(time.monotonic() - start, 3), **facts}
                write(self.account(facts))
            if self.recipe() != recipe:
                raise InvalidInput(
                    "an input changed while the stage was running",
                    self.label,
                    "run again; nothing was lost",
                )
            Manifest.describe(recipe, outputs, facts).write(self.output().path)
            remember_digests(self.digests())
        except FlowError as error:
            self.tell(str(error))
            raise
        except Exception as error:  # a defect: the page of the failure shows where
            self.tell(f"failed: {type(error).__name__}: {error}")
            raise
        finally:
            self.end_progress()
        self.tell(_beginning(self.account(facts)), 100)

    def held_places(self):
        """The places that the run of this stage holds alone, until it ends."""
        return []

    def lock(self):
        """Held while the outputs are made: one run at a time makes them.

        Raises:
            Busy: another run holds them.
        """
        from region_grower_flow.record.lock import stage_lock
        from region_grower_flow.record.run_lock import hold

        hold(self.held_places())
        return stage_lock(self.work_path(layout.LOCKS, f"{self.label}.lock"), self.label)

    @property
    def log_path(self):
        """Where the stage's log is; None when it has none."""
        return self.work_path(layout.LOGS, f"{self.label}.log")

    def log(self):
        """Copies what is logged while the outputs are made."""
        return stage_log(self.log_path, self.worker_log_level)

    def make(self):
        """Make the outputs; returns their paths, and facts (JSON) for the manifest."""
        raise TypeError(f"{type(self).__name__} makes nothing")

    def account(self, facts):
        """What the web UI says of the stage when it is done."""
        return "\n".join(facts.get("sentences", ())) or "done"

    def on_failure(self, exception):
        """What the scheduler shows: the sentence, and the traceback only of what is unexpected."""
        if isinstance(exception, FlowError):
            return str(exception)
        return super().on_failure(exception)

    # What a running task tells the scheduler (nothing outside ``run``).

    _progress = None
    _scheduler_lost = False

    def show_progress(self, what, part=None):
        """A Progress for the terminal and the scheduler, closed when the stage ends."""
        self._progress = Progress(self, what, part, shown=not self.hide_progress_bar)
        return self._progress

    def end_progress(self):
        """Leave the terminal to others."""
        if self._progress is not None:
            self._progress.close()

    def tell(self, message, percentage=None):
        """Show a message, and how much is done, in the scheduler's web UI.

        Luigi's page takes messages for HTML. Work goes on without a scheduler that has gone.
        """
        if self._scheduler_lost or not callable(self.set_status_message):
            return
        if self.log_path is not None:
            folder = Path(self.work_dir).absolute()
            message = f"{message}\nLog: {self.log_path.absolute().relative_to(folder)}\nin {folder}"
        try:
            self.set_status_message(html.escape(message, quote=False))
            if percentage is not None:
                self.set_progress_percentage(percentage)
        except RPCError:
            self._scheduler_lost = True


def stages_above(task):
    """The stages above a task, each once, after those above itself."""
    found = {}
    for upper in task.upstream():
        found.update(dict.fromkeys([*stages_above(upper), upper]))
    return list(found)


def _beginning(text):
    """The first lines of a text that is too long for the web UI."""
    lines = text.splitlines()
    if len(lines) > SHOWN_LINES:
        lines[SHOWN_LINES:] = [f"and {len(lines) - SHOWN_LINES} more lines in the log"]
    return "\n".join(lines)


def load_json_output(path):
    """Read a JSON file that a stage of ours has written."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def processes(wanted):
    """How many processes to use: as asked, else as many as there are cores to use."""
    from region_grower_flow.calibration.pool import available_cpus

    return wanted or available_cpus()
