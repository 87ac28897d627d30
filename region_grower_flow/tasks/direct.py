"""Tasks made one after the other in this process, without a scheduler, for Python."""

from __future__ import annotations

from typing import Any

from region_grower_flow.errors import InvalidInput


def build(task: Any) -> Any:
    """Run a task, and the stages above it, where they are not up to date; returns the task.

    Raises:
        FlowError: with a sentence.
    """
    if not task.complete():
        for stage in task.deps():
            build(stage)
        for stages in task.missing_upstream() if hasattr(task, "missing_upstream") else ():
            for stage in stages:
                build(stage)
        if hasattr(task, "make_and_record"):
            task.make_and_record()
        else:
            task.run()
    return task


def task_of(name: str, **options: Any) -> Any:
    """A task with the given options, and defaults for all others, whatever luigi.cfg says."""
    import region_grower_flow

    task = getattr(region_grower_flow, name)
    known = {n: parameter.option for n, parameter in task.get_params()}
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InvalidInput(f"there is no option {unknown[0]!r}", f"the task {name}")
    defaults = {n: option.default for n, option in known.items() if not option.required}
    return task(**{**defaults, **{n: v for n, v in options.items() if v is not None}})
