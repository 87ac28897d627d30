"""The state of a run's stages, found without running or writing anything."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import luigi

from region_grower_flow import layout
from region_grower_flow.errors import FlowError, InvalidInput, counted
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.outputs import places_of
from region_grower_flow.record.lock import holder
from region_grower_flow.record.manifest import read_manifest
from region_grower_flow.record.status import (
    FRESH,
    MISSING,
    PARTIAL,
    STALE,
    Recipes,
    Stage,
    Wanted,
    look_at,
)
from region_grower_flow.stages.chunk import finished_cells
from region_grower_flow.start.tries import tries_of
from region_grower_flow.tasks.arrival import looking
from region_grower_flow.tasks.base import FlowTask, stages_above
from region_grower_flow.tasks.checks import CheckInputs
from region_grower_flow.tasks.example import CreateExample
from region_grower_flow.tasks.from_densities import SynthesizeFromDensities
from region_grower_flow.tasks.make_reports import MakeReports
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.report_base import ReportTask
from region_grower_flow.tasks.roots import Flow, find_roots
from region_grower_flow.tasks.synthesis import OfCells, SynthesizeChunk
from region_grower_flow.tasks.targets import StageTarget

if TYPE_CHECKING:
    from region_grower_flow.record.fingerprint import Recipe


MOST_COUNTED = 100_000
"""Cells whose results are compared one by one with today's inputs; more would take minutes."""

MOST_LISTED = 10
"""Outputs of a stage that are named."""

LEAST_WIDTH = 32
"""Least width of the column of names of stages."""

MAKES_INPUTS = (CreateExample, SynthesizeFromDensities)
"""Tasks before which inputs of other stages need not be there."""


class RunState:
    """The state of all stages of a task.

    Attributes:
        root: the task.
        stages: {task: Stage} in the order in which they run.
        chunks: the chunks, as far as they can be counted.
        problem: why the inputs cannot be read, None when they can.
    """

    @looking()
    def __init__(self, root: FlowTask) -> None:
        self.root = root
        self.stages: dict[luigi.Task, Stage] = {}
        self.chunks: list[SynthesizeChunk] = []
        self.problem: str | None = None
        self._recipes: dict[Hashable, Recipe] = {}
        tasks = list(dict.fromkeys(self._stages_of(root)))
        folders = dict.fromkeys(task.work_dir for task in tasks if isinstance(task, FlowTask))
        self._known = Recipes(folders)
        for task in tasks:
            self.stages[task] = self._look(task)
        for chunk in self._not_fresh_chunks():
            self._count(chunk)

    @looking()
    def to_run(self) -> list[luigi.Task]:
        """The tasks that a run would run, as Luigi decides it."""
        wanted: dict[luigi.Task, bool] = {}
        queue: list[luigi.Task] = [self.root]
        while queue:
            task = queue.pop()
            if task in wanted or self._complete(task):
                continue
            wanted[task] = True
            queue.extend([*task.deps(), *self.steps(task)])
        return [task for task in self.stages if task in wanted]

    def _stages_of(self, task: luigi.Task) -> list[luigi.Task]:
        """The tasks that a task waits for, after those that they wait for, and the task."""
        if isinstance(task, SynthesizeMorphologies):
            with self._readable():
                self.chunks = task.chunks()
            # Also what cannot be asked for before the cells can be counted.
            check, cell_stages = task.check(), task.cell_stages().values()
            upper = [stage for each in cell_stages for stage in (*stages_above(each), each)]
            return [*check.deps(), check, *upper, *self.chunks, task]
        upstream = [*task.deps(), *self.steps(task)]
        return [*(stage for upper in upstream for stage in self._stages_of(upper)), task]

    def steps(self, task: luigi.Task) -> list[FlowTask]:
        """The tasks that a task runs one after another."""
        if isinstance(task, SynthesizeFromDensities):
            with self._readable():
                return task.steps()
        return []

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except InvalidInput as error:
            self.problem = self.problem or str(error)

    def _look(self, task: luigi.Task) -> Stage:
        if isinstance(task, MAKES_INPUTS) or not isinstance(task, FlowTask):
            return self._look_at_maker(task)
        path = task.manifest_path
        try:
            stage = look_at(task.label, path, self._wanted(task), self._known, task)
        except InvalidInput as error:
            self.problem = self.problem or str(error)
            state = MISSING if read_manifest(path) is None else STALE
            stage = Stage(task.label, state, ["an input cannot be read, see below"])
        stage.holder = holder(task.work_path(layout.LOCKS, layout.lock_name(task.label)))
        return stage

    def _look_at_maker(self, task: luigi.Task) -> Stage:
        if task.complete():
            return Stage(task.task_family, FRESH)
        if isinstance(task, CreateExample) and Path(task.example_dir).exists():
            return Stage(task.task_family, STALE, ["of another version, or not whole"])
        return Stage(task.task_family, MISSING)

    def _wanted(self, task: FlowTask) -> Wanted:
        """The Wanted of a task."""
        return Wanted(
            lambda: self._recipe(task).as_dict(), lambda name: self._wanted_upstream(task, name)
        )

    def _wanted_upstream(self, task: FlowTask, name: str) -> Wanted:
        if isinstance(task, SynthesizeMorphologies):  # its cells, whatever their chunks
            stages = task.cell_stages()
            return Wanted(
                lambda: self._cells_recipe(task).as_dict(), lambda n: self._wanted(stages[n])
            )
        return self._wanted(task.requires()[name])

    def _recipe(self, task: FlowTask) -> Recipe:
        if not isinstance(task, SynthesizeChunk):
            return self._once(task, task.recipe)
        recipe = self._cells_recipe(task)
        own = {"first": task.first, "last": task.last}
        return replace(recipe, parameters={**recipe.parameters, **own})

    def _cells_recipe(self, task: OfCells) -> Recipe:
        """The recipe of all cells, made once: that of a chunk differs by its range."""
        return self._once(("cells", task.work_dir), task.cells_recipe)

    def _once(self, task: Hashable, make: Callable[[], Recipe]) -> Recipe:
        if task not in self._recipes:
            self._recipes[task] = make()
        return self._recipes[task]

    def _not_fresh_chunks(self) -> list[SynthesizeChunk]:
        chunks = [chunk for chunk in self.chunks if self.stages[chunk].state != FRESH]
        upstream = self.chunks[0].requires().values() if self.chunks else []
        ready = all(self.stages[task].state == FRESH for task in upstream)
        few = sum(chunk.last - chunk.first for chunk in chunks) <= MOST_COUNTED
        return chunks if ready and few else []

    def _count(self, chunk: SynthesizeChunk) -> None:
        stage = self.stages[chunk]
        try:
            stage.finished, stage.cells = finished_cells(chunk.plan("", 0))
        except (FlowError, OSError):  # a run says it in full
            return
        if stage.state == MISSING and stage.finished:
            from region_grower_flow.record.blocks import block_files

            stage.state = PARTIAL
            blocks = len(block_files(chunk.plan("", 0).blocks))
            if blocks:  # else chunks of another size have them
                stage.reasons.append(f"{blocks} blocks done")
        if stage.finished:
            stage.reasons.append(f"{stage.finished} of {stage.cells} cells done")

    def _complete(self, task: luigi.Task) -> bool:
        if isinstance(task, CheckInputs):  # it looks at places and options, too
            with self._readable():
                return task.complete()
            return False
        if task not in self.stages:
            return task.complete()
        example = task.example() if isinstance(task, FlowTask) else []
        return self.stages[task].state == FRESH and all(upper.complete() for upper in example)


# What is said of it.


def report(
    work_dir: PathLike | None = None, config: str | Flow | None = None, task: str | None = None
) -> Iterator[str]:
    """The lines of ``region-grower-flow status``.

    Raises:
        InvalidInput: see :func:`find_roots`.
    """
    for root in find_roots(work_dir, config, task):
        run = RunState(root)
        yield from _stage_lines(run)
        asked = any(isinstance(task, SynthesizeMorphologies) for task in run.stages)
        if asked and not run.chunks:
            yield "(The chunks cannot be told: the cells cannot be counted yet.)"
        yield ""
        yield from _prospect(run)
        yield ""
        yield from _outputs(run)
        yield from _tries(root)


def _tries(root: FlowTask) -> Iterator[str]:
    """Lines on the tries of a synthesis, which have work folders of their own."""
    if not isinstance(root, SynthesizeMorphologies):
        return
    found = list(tries_of(root.work_dir))
    if found:
        yield ""
        yield "Tries with some of the cells:"
    for folder, manifest in found:
        made = "not finished"
        if manifest is not None:
            cells = sum(m["asked"] for m in manifest.facts.get("mtypes", {}).values())
            made = f"{counted(cells, 'cell')}, made {manifest.made_at[:16].replace('T', ' ')}"
        yield f"  {folder}: {made}"


def _stage_lines(run: RunState) -> Iterator[str]:
    """A line for each stage, by work folder: that of the run, then that of a hold-out."""
    of_folders: dict[str, list[Stage]] = {}
    for task, stage in run.stages.items():
        folder = getattr(task, "work_dir", run.root.work_dir)
        of_folders.setdefault(folder, []).append(stage)
    width = max(LEAST_WIDTH, *(len(stage.name) for stage in run.stages.values()))
    for place, (folder, stages) in enumerate(of_folders.items()):
        yield from ([] if place == 0 else [""])
        yield from (f"Work folder: {Path(folder)}", "")
        yield from (stage.line(width) for stage in stages)


def _prospect(run: RunState) -> Iterator[str]:
    tasks = run.to_run()
    if not tasks:
        yield "A run would do nothing: all outputs are there and up to date."
        return
    if run.problem and not any(isinstance(task, MAKES_INPUTS) for task in tasks):
        yield "A run would be refused:"
        yield f"  {run.problem}"
        return
    chunks = [task for task in tasks if isinstance(task, SynthesizeChunk)]
    names = dict.fromkeys(task.task_family for task in tasks)
    yield f"A run would do: {', '.join(names)}."
    if chunks:
        stages = [run.stages[chunk] for chunk in chunks]
        known = [stage.finished for stage in stages if stage.finished is not None]
        if len(known) == len(stages):
            done = sum(known)
            grown = sum(stage.cells for stage in stages) - done
            to_grow = f"{counted(grown, 'cell')} to grow, {done:,} to take over"
            yield f"  {counted(len(chunks), 'chunk')}: {to_grow}."
        else:
            cells = sum(chunk.last - chunk.first for chunk in chunks)
            of = f"{counted(len(chunks), 'chunk')} of {counted(cells, 'cell')}"
            yield f"  {of}; those whose own inputs are"
            yield "  still the same are taken over, the others grown."


def _outputs(run: RunState) -> Iterator[str]:
    root = [run.root, *run.steps(run.root)][-1]
    if not isinstance(root, SynthesizeMorphologies):
        yield from _recorded_outputs(root)
        return
    words = {
        "out_cells": "Nodes",
        "morphologies": "Morphologies",
        "container": "Container",
        "apical": "Apical points",
        "nrn_sections": "NEURON sections",
        "debug": "Debug data",
        "summary": "Summary",
        "circuit_config": "Circuit",
    }
    places = places_of(root)
    yield "Outputs:"
    for name, word in words.items():
        place = places[name]
        if place is not None:
            there = "" if Path(place).exists() else " (not there yet)"
            yield f"  {word + ':':16} {place}{there}"
    if run.stages[root].state == FRESH:
        yield "Look at the summary first (cells made and dropped, by mtype and reason)."


def _recorded_outputs(root: FlowTask) -> Iterator[str]:
    """Paths to which a stage writes, or has written."""
    target = root.output()
    if isinstance(target, StageTarget) and not isinstance(root, ReportTask | MakeReports):
        yield f"Output: {target.path}{'' if Path(target.path).exists() else ' (not there yet)'}"
        return
    manifest = root.manifest()
    if manifest is None or not manifest.outputs:
        yield "Outputs: none yet."
        return
    # What is to be read first comes first.
    paths = sorted(manifest.outputs, key=lambda path: not path.endswith(".html"))
    yield "Outputs:"
    for path in paths[:MOST_LISTED]:
        yield f"  {path}{'' if Path(path).exists() else ' (not there any more)'}"
    if len(paths) > MOST_LISTED:
        yield f"  and {len(paths) - MOST_LISTED} more"
