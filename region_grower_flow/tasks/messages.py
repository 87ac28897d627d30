"""The words of a run in the terminal: failures as sentences, and what was made."""

import os
import traceback
from collections import Counter

import luigi

from region_grower_flow.errors import printable
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.sentences import quiet_tracebacks, sentence_of

MOST_FILES = 12
"""Greatest number of files in one folder that are named one by one when a run has written them."""


_commands = []
"""Filled when a command of ours tells the end of the run itself."""


def announce(task):
    """Print what a task has made, under the luigi command, which says nothing of it."""
    if not _commands:
        print(printable("\n".join(closing_sentences(task, done_before=False))), flush=True)


def collect_failures():
    """A list that the exceptions of failing tasks are appended to."""
    quiet_tracebacks()
    _commands.append("region-grower-flow")
    failures = []

    @FlowTask.event_handler(luigi.Event.FAILURE)
    def _failed(_task, exception):
        failures.append(exception)

    @luigi.Task.event_handler(luigi.Event.BROKEN_TASK)
    def _broken(_task, exception):
        failures.append(exception)

    return failures


def told(failure):
    """An error of ours as its sentence, anything else (a defect of the package) in full."""
    sentence = sentence_of(failure)
    return sentence or printable("".join(traceback.format_exception(failure)).rstrip())


def closing_sentences(task, done_before):
    """The sentences at the end of a successful run."""
    manifest = task.manifest()
    if done_before:
        yield "Nothing to do: all outputs are there and up to date."
    if manifest is None:
        return
    yield from manifest.facts.get("sentences", [])
    if "mtypes" in manifest.facts:
        from region_grower_flow.stages.merge import summary_sentences

        yield from summary_sentences(manifest.facts)
        if not task.skip_write:
            yield f"Morphologies: {task.out_morph_dir}"
    yield from written(manifest.outputs)
    page = getattr(task, "page_made", None)
    if page is not None:
        yield f"Open {page}"


def written(paths):
    """A line per file; one line for a folder with many of them."""
    folders = Counter(os.path.dirname(path) for path in paths)
    told = set()
    for path in paths:
        folder = os.path.dirname(path)
        if folders[folder] <= MOST_FILES:
            yield f"Written: {path}"
        elif folder not in told:
            told.add(folder)
            yield f"Written: {folders[folder]} files in {folder or '.'}"
