"""The base of all stages: completeness by fingerprint, checks, locks, errors."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import luigi

from region_grower_flow import layout
from region_grower_flow.errors import FlowError, InputChanged, InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.files import expecting
from region_grower_flow.record.fingerprint import Recipe
from region_grower_flow.record.manifest import Manifest, read_manifest, remember_digests
from region_grower_flow.runtime.processes import die_with_forking_parent
from region_grower_flow.tasks.arrival import arrive
from region_grower_flow.tasks.example import CreateExample
from region_grower_flow.tasks.sentences import sentence_of
from region_grower_flow.tasks.showing import ShowsProgress
from region_grower_flow.tasks.turns import TURNS, turns
from region_grower_flow.tasks.with_options import TakesOptions

Facts = dict[str, Any]
"""Facts of a manifest on its outputs, as JSON holds them."""

Made = tuple[Sequence[PathLike], Facts]
"""Paths of the outputs that a stage has written, and the facts on them."""

SHOWN_LINES = 20
"""Lines of a stage's summary that the web UI shows."""


class FlowTask(TakesOptions, ShowsProgress):
    """A stage with a fingerprint.

    Subclasses name the groups of their options, which of these change their results
    (``results_of``), the files that they read from outside (:meth:`external_files`), the stages
    above (:meth:`requires`), where their outputs go (:meth:`output`), and make these
    (:meth:`make`, which :meth:`run` calls).
    """

    checked_by: ClassVar[str | None] = None
    """The name in ``checks.registry`` of the check before this stage; None for none."""

    checker: ClassVar[Any] = None
    """The task of checks, CheckInputs, which is a stage itself and sets this."""

    @property
    def label(self) -> str:
        """The stage's name in manifests, locks and logs; chunks add theirs."""
        return self.task_family

    def work_path(self, *parts: PathLike) -> Path:
        """A path in the work folder."""
        return Path(self.work_dir, *parts)

    def example(self) -> list[CreateExample]:
        """The task that makes the example's inputs, in a list; empty where they are not used."""
        return [CreateExample(example_dir=self.example_dir)] if self.example_dir else []

    def check(self) -> Any:
        """The check that looks at all inputs before any work: that of the flow, or its own."""
        if self.checked_by is None:
            return None
        return self.checker.of_flow(self) or self.own_check()

    def own_check(self) -> Any:
        """The check of this stage where it is run by itself."""
        return self.checker.of_stage(self)

    def _requires(self) -> Sequence[luigi.Task]:
        """The tasks that Luigi waits for: the check of the inputs, and then what is required.

        Luigi has this hook for bases that add a requirement which is no input.
        """
        check = self.check()
        if check is None:
            return list(self.requires().values())
        if self._waits is None or self._waits[0] is not check:
            self._waits = check, self._stages_waited_for(check)
        if self._waits[1]:
            check.cover(self._waits[1])
        return [check, *self._waits[1].values()]

    _waits: tuple[Any, dict[str, Any]] | None = None
    """The check, and the stages beside it, found once: Luigi does not expect them to change during
    a run. Of several runs in a process each has its check."""

    def _stages_waited_for(self, check: Any) -> dict[str, Any]:
        if check == self.own_check() and not check.finds_nothing_wrong():
            return {}
        return self.requires()

    def missing_upstream(self) -> Iterator[list[FlowTask]]:
        """Yields stages above that could not be known before the check had passed."""
        stages = self.requires()
        missing = [stage for stage in stages.values() if not stage.complete()]
        if missing:
            self.check().cover(stages)
            yield missing

    @property
    def path(self) -> Path:
        """Path of the output of a stage that has a single one."""
        return Path(self.output().path)

    def load_input(self, stage: str) -> Any:
        """The content of the JSON file of a stage that this one requires, by its name."""
        return load_json_output(self.input()[stage].path)

    @property
    def manifest_path(self) -> Path:
        """The file that says what the outputs were made from."""
        return self.work_path(layout.MANIFESTS, layout.manifest_name(self.label))

    def manifest(self) -> Manifest | None:
        """The Manifest of the last time that the stage was made; None without any."""
        return read_manifest(self.manifest_path)

    def existing_manifest(self) -> Manifest:
        """The Manifest of a stage that has been made; raises InputChanged when it is gone."""
        manifest = self.manifest()
        if manifest is None:
            raise InputChanged(self.manifest_path)
        return manifest

    def facts(self) -> Facts:
        """The facts of the last time that the stage was made; empty without any."""
        manifest = self.manifest()
        return {} if manifest is None else manifest.facts

    def complete(self) -> bool:
        """True when the outputs are up to date; an example of another version is renewed first.

        Raises:
            Busy: at the first question of a run, when another one holds its places.
        """
        arrive(self)
        return all(task.complete() for task in self.example()) and self.is_current()

    def is_recorded(self) -> bool:
        """True when the manifest bears today's fingerprint; the outputs are not looked at."""
        manifest = self.manifest()
        return manifest is not None and manifest.fingerprint == self.recipe().fingerprint()

    def is_current(self) -> bool:
        """True when the manifest bears today's fingerprint and its outputs are as written."""
        manifest = self.manifest()
        if manifest is None:
            return False
        try:
            if manifest.fingerprint != self.recipe().fingerprint():
                return False
            fit = self.unfit_for_today(manifest.facts) is None
            return fit and manifest.intact(self.digests()) and self.intact()
        except InvalidInput:  # an input is missing: the checks say so, in order
            return False

    def unfit_for_today(self, facts: Facts) -> str | None:
        """Reason why outputs with these facts do not fit today's options; None if they do.

        A sentence for people, who see it in ``region-grower-flow status``.
        """
        return None

    def unlisted_folder(self) -> str | Path | None:
        """A folder of outputs that the manifest does not list one by one; None for none."""
        return None

    def page_written(self) -> str | Path | None:
        """A page on what was made, beside the outputs; None without one."""
        return None

    def page_left_out(self) -> str | None:
        """Reason, a sentence, why a page that is asked for is not written; None where it is."""
        return None

    def intact(self) -> bool:
        """True while outputs that the manifest does not list one by one are as written."""
        return True

    def run(self) -> Any:
        """Make the outputs, then write the manifest.

        Raises:
            FlowError: with a sentence for the user.
        """
        yield from self.missing_upstream()
        self.make_and_record()

    def make_and_record(self) -> None:
        """Make the outputs under the stage's lock, then write the manifest."""
        die_with_forking_parent()
        self.show("at work", 0)
        try:
            recipe = self.recipe()
            own = {TURNS: self._turns(recipe)}
            with self.lock(), self.log() as write, expecting(*self.sources()):
                start = time.monotonic()
                outputs, facts = self.make()
                facts = {"seconds": round(time.monotonic() - start, 3), **own, **facts}
                write(self.summary_of(facts))
            now = self.recipe()
            if now != recipe:
                raise InputChanged(self.what_differs(recipe, now) or self.label)
            Manifest.describe(recipe, outputs, facts).write(self.manifest_path)
            remember_digests(self.digests())
        except FlowError as error:
            self.show(str(error))
            raise
        except KeyboardInterrupt:
            if multiprocessing.parent_process() is not None:
                os._exit(1)  # the process that Luigi has forked it from tells of it
            raise
        except Exception as error:  # a defect: the page of the failure shows where
            self.show(f"failed: {type(error).__name__}: {error}")
            raise
        finally:
            self.end_progress()
        self.show(_beginning(self.summary_of(facts)), 100, shown="")

    def _turns(self, recipe: Recipe) -> dict[str, Any]:
        return turns(self.manifest(), recipe.fingerprint(), self.label, self.work_dir)

    def held_places(self) -> Sequence[PathLike]:
        """The places that the run holds alone until it ends: those of the flow."""
        check = self.check()
        return [] if check is None else check.held_places()

    def lock(self) -> AbstractContextManager[None]:
        """Held while the outputs are made: one run at a time makes them.

        Raises:
            Busy: another run holds them.
        """
        from region_grower_flow.record.lock import stage_lock
        from region_grower_flow.record.run_lock import hold

        hold(self.held_places())
        return stage_lock(self.work_path(layout.LOCKS, layout.lock_name(self.label)), self.label)

    def make(self) -> Made:
        """Make the outputs; returns their paths, and facts (JSON) for the manifest."""
        raise TypeError(f"{type(self).__name__} makes nothing")

    def summary_of(self, facts: Facts) -> str:
        """The words of the web UI on a stage that is done."""
        return "\n".join(facts.get("sentences", ())) or "done"

    def headline(self, facts: Facts) -> str:
        """The words of the terminal on a stage that is done: one line."""
        return (self.summary_of(facts).splitlines() or ["done"])[0]

    def on_failure(self, exception: BaseException) -> str:
        """The scheduler's words: the sentence, and a traceback only of what is unexpected."""
        return sentence_of(exception) or super().on_failure(exception)


def named(*stages: luigi.Task) -> dict[str, Any]:
    """{name: stage}, as ``requires`` gives them."""
    return {stage.task_family: stage for stage in stages}


def stages_above(task: FlowTask) -> list[FlowTask]:
    """The stages above a task, each once, after those above itself."""
    found = {}
    for upper in task.requires().values():
        found.update(dict.fromkeys([*stages_above(upper), upper]))
    return list(found)


def _beginning(text: str) -> str:
    """The first lines of a text that is too long for the web UI."""
    lines = text.splitlines()
    if len(lines) > SHOWN_LINES:
        lines[SHOWN_LINES:] = [f"and {len(lines) - SHOWN_LINES} more lines in the log"]
    return "\n".join(lines)


def load_json_output(path: PathLike) -> Any:
    """Read a JSON file that a stage of ours has written."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def processes(wanted: int | None) -> int:
    """Number of processes: as asked, else as many as there are cores to use."""
    from region_grower_flow.calibration.pool import available_cpus

    return wanted or available_cpus()
