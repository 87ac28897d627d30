"""Tasks for Python: named with their options, and made by Luigi without a word of it."""

from __future__ import annotations

import threading
from typing import Any

from region_grower_flow.errors import FlowError, InvalidInput

_one_at_a_time = threading.RLock()
"""Locks of places are those of a process, and so are Luigi's logging and Python's warnings."""


def build(task: Any) -> Any:
    """Let Luigi make a task, and the stages above it, where they are not up to date; returns it.

    Threads wait for each other.

    Raises:
        FlowError: with a sentence. What a task raises is raised here, the first where several fail.
    """
    from region_grower_flow.tasks.scheduling import run_by_luigi, silent

    with _one_at_a_time:
        if task.complete():
            return task
        with silent():
            result, failures = run_by_luigi(task)
        if failures:
            raise failures[0]
        if not task.complete():
            raise FlowError(f"The run did not finish: {result.status.value[1]}")
        return task


def task_of(name: str, **options: Any) -> Any:
    """A task with the given options, and defaults for all others, whatever luigi.cfg says."""
    import region_grower_flow

    task = getattr(region_grower_flow, name)
    known = task.options
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InvalidInput(f"there is no option {unknown[0]!r}", f"the task {name}")
    defaults = {n: option.default for n, option in known.items() if not option.required}
    return task(**{**defaults, **{n: v for n, v in options.items() if v is not None}})
