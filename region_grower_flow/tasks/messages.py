"""The words of a run in the terminal: failures as sentences, and what was made."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

import luigi

from region_grower_flow.errors import counted, printable
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.words import duration
from region_grower_flow.runtime.processes import end_of_output
from region_grower_flow.tasks import terminal
from region_grower_flow.tasks.display import Display
from region_grower_flow.tasks.sentences import quiet_tracebacks, sentence_of
from region_grower_flow.tasks.streams import wrapped

NOTHING = "Nothing to do: all outputs are there and up to date."

MOST_FILES = 12
"""Greatest number of files in one folder that are named one by one when a run has written them."""


def announce(task: Any) -> None:
    """Print what a task has made, where no display of the run will do so at its end."""
    if not terminal.is_open():
        print(printable("\n".join(closing_sentences(task))), flush=True)


_of_thread = threading.local()
"""Its ``failures`` are those of the run in this thread, None without any."""


@contextlib.contextmanager
def failures_of_tasks() -> Iterator[list[BaseException]]:
    """A list that the exceptions of tasks that fail in this thread are appended to, meanwhile."""
    quiet_tracebacks()
    for event in (luigi.Event.FAILURE, luigi.Event.BROKEN_TASK):
        # It stays, and is there once: not every Luigi can remove a handler.
        luigi.Task.event_handler(event)(_note)
    before, failures = getattr(_of_thread, "failures", None), list[BaseException]()
    _of_thread.failures = failures
    try:
        yield failures
    finally:
        _of_thread.failures = before


def _note(_task: luigi.Task, exception: BaseException) -> None:
    failures = getattr(_of_thread, "failures", None)
    if failures is not None:
        failures.append(exception)


def failure_text(failure: BaseException) -> str:
    """An error of ours as its sentence, anything else (a defect of the package) in full."""
    sentence = sentence_of(failure)
    return sentence or printable("".join(traceback.format_exception(failure)).rstrip())


def end(succeeded: bool | None = None) -> None:
    """End the display of a run, and say what came of it.

    Args:
        succeeded: whether it did; None where nobody knows but the display.
    """
    display = terminal.close(succeeded is not False)
    if display is None or succeeded is False or display.root_state not in ("done", "kept"):
        return
    done_before = display.root_state == "kept"
    try:
        for sentence in closing_sentences(display.root, done_before, display):
            print(wrapped(printable(sentence), sys.stdout), flush=True)
    except OSError as error:
        if succeeded is not None:
            raise
        end_of_output(error)  # at the end of Luigi's process, where nobody else would say it


def closing_sentences(
    task: Any, done_before: bool = False, display: Display | None = None
) -> Iterator[str]:
    """The sentences at the end of a successful run.

    Args:
        task: the task that was named.
        done_before: whether it was up to date before.
        display: of the run, which knows what this run has done; None without one.
    """
    if done_before:
        yield NOTHING
    manifest = task.manifest() if hasattr(task, "manifest") else None
    if manifest is None:
        return
    yield from manifest.facts.get("sentences", [])
    if "mtypes" in manifest.facts:
        from region_grower_flow.stages.merge import summary_sentences

        yield from summary_sentences(manifest.facts)
        if display is not None and not done_before:
            grown, kept = display.cells["grown"], display.cells["kept"]
            took = duration(display.seconds)
            verb = "was" if grown == 1 else "were"
            yield f"In this run {counted(grown, 'cell')} {verb} grown and {kept:,} kept, in {took}."
    yield from written(manifest.outputs, task.unlisted_folder())
    page = task.page_written()
    if page is not None:
        yield f"Open {page}"
    left_out = task.page_left_out()
    if left_out is not None:
        yield left_out


def written(paths: Iterable[str], morphologies: PathLike | None = None) -> Iterator[str]:
    """A line for each folder that something was written to.

    Args:
        paths: the files.
        morphologies: a folder of many more.
    """
    folders: dict[str, list[str]] = {}
    for path in paths:
        folders.setdefault(os.path.dirname(path), []).append(os.path.basename(path))
    if morphologies:
        parent, name = os.path.split(os.fspath(morphologies).rstrip("/"))
        folders.setdefault(parent, []).append(f"{name}/")
    for folder, names in folders.items():
        if len(names) > MOST_FILES:
            yield f"Written: {len(names)} files in {folder or '.'}"
        elif len(names) == 1:
            yield f"Written: {os.path.join(folder, names[0])}"
        else:
            yield f"Written to {folder or '.'}: {', '.join(names)}"
