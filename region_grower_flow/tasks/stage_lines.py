"""A line in the terminal for each stage of a run: what it made, in how long, or that it is kept."""

import sys

import luigi

from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.progress import duration

WIDTH = 26
_QUIET = ("CreateExample",)
_told = set()


def tell_stages():
    """Print a line when a stage is done or kept, once per process and stage."""
    if _told:
        return
    _told.add(None)

    @FlowTask.event_handler(luigi.Event.SUCCESS)
    def _done(task):
        facts = (task.manifest().facts if task.manifest() else None) or {}
        if task.task_family in _QUIET:
            return
        words = (task.summary_of(facts).splitlines() or ["done"])[0] if facts else "done"
        _line(task, words, facts.get("seconds"))

    @FlowTask.event_handler(luigi.Event.DEPENDENCY_PRESENT)
    def _kept(task):
        if task.task_family not in _QUIET:
            _line(task, "kept")

    @FlowTask.event_handler(luigi.Event.START)
    def _starts(task):
        if task.task_family == "SynthesizeChunk":
            reason = "on a new machine the engine is compiled first, which takes minutes"
            print(f"{task.task_family:<{WIDTH}}starts ({reason})", file=sys.stderr, flush=True)


def _line(task, words, seconds=None):
    if (task.task_id, words == "kept") in _told:
        return
    _told.add((task.task_id, words == "kept"))
    took = f" in {duration(seconds)}" if seconds is not None and " in " not in words else ""
    name = task.task_family
    print(f"{name:<{WIDTH}}{words.rstrip('.')}{took}", file=sys.stderr, flush=True)
