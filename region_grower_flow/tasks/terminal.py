"""The terminal of a run: a line for each stage, and below them one bar over the whole run.

Luigi's events say which stages begin, end or are kept; a stage says by :func:`show` how far it is.
Where Luigi makes stages in processes of their own, these hand their news to the first process,
which alone writes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import luigi

from region_grower_flow.tasks.display import Display, News
from region_grower_flow.tasks.plan import CHUNK, MENDED

MOST_REMARKS = 6
"""Remarks below a stage's line; the others are in its log."""

_displays: list[Display] = []
_listening: list[bool] = []


def begin(
    root: luigi.Task, on_work: Callable[[], object] | None = None, bar: bool = True
) -> Display:
    """Show a run in this process's terminal; a run that follows in the process is shown with it.

    Args:
        root: the task that was named.
        on_work: called without arguments before the first stage that makes something.
        bar: whether a bar is wanted.

    Returns:
        The Display.
    """
    if _displays:
        _displays[0].root = root
        return _displays[0]
    _listen()
    _displays.append(Display(root, on_work, bar))
    return _displays[0]


def is_open() -> bool:
    """True while a run is shown, by this process or the one that has forked it."""
    return bool(_displays)


def is_root(task: luigi.Task) -> bool:
    """True while a run is shown whose named task this is."""
    return bool(_displays) and _displays[0].root.task_id == task.task_id


def show(task: Any, words: str, fraction: float | None = None) -> None:
    """Say how far the stage at work is.

    Args:
        task: the stage.
        words: for people; the first line counts.
        fraction: of the stage that is done (0 to 1), None when it is not known.
    """
    if _displays:
        first = words.splitlines()[0] if words else ""
        _displays[0].hear({"event": "show", **_named(task), "words": first, "done": fraction})


def close(succeeded: bool) -> Display | None:
    """End the display, if there is one; returns it."""
    if not _displays:
        return None
    display = _displays.pop()
    display.close(succeeded)
    return display


def _named(task: Any) -> News:
    return {"id": task.task_id, "family": task.task_family}


def _listen() -> None:
    """Hear Luigi's events, once in a process."""
    if _listening:
        return
    _listening.append(True)

    @luigi.Task.event_handler(luigi.Event.START)
    def _starts(task: luigi.Task) -> None:
        _pass_on(task, "start")

    @luigi.Task.event_handler(luigi.Event.SUCCESS)
    def _done(task: luigi.Task) -> None:
        _pass_on(task, "done")

    @luigi.Task.event_handler(luigi.Event.DEPENDENCY_PRESENT)
    def _kept(task: luigi.Task) -> None:
        _pass_on(task, "kept")

    @luigi.Task.event_handler(luigi.Event.FAILURE)
    def _failed(task: luigi.Task, _: BaseException) -> None:
        _pass_on(task, "failed")


def _pass_on(task: Any, event: str) -> None:
    if not _displays or not hasattr(task, "manifest"):
        return
    news = {"event": event, **_named(task)}
    if event in ("done", "kept"):
        facts = task.facts()
        if event == "done" and facts:
            news["words"] = _as_part(task.headline(facts))
            news["remarks"] = [] if is_root(task) else _remarks(task, facts)
        if task.task_family in (CHUNK, MENDED):
            news["cells"] = {n: facts.get(n, 0) for n in ("made", "dropped", "grown", "cells")}
    _displays[0].hear(news)


def _remarks(task: Any, facts: dict[str, Any]) -> list[str]:
    """Remarks below the line of a stage; those of the task that was named come at the end."""
    found = facts.get("remarks", [])
    if len(found) <= MOST_REMARKS:
        return found
    rest = len(found) - MOST_REMARKS + 1
    return [*found[: MOST_REMARKS - 1], f"{rest} more remarks: {task.log_path}"]


def _as_part(sentence: str) -> str:
    """A sentence as the rest of a line: names keep their capitals."""
    word = sentence.split(" ", 1)[0]
    if word[:1].isupper() and word[1:].islower():
        return sentence[0].lower() + sentence[1:]
    return sentence
