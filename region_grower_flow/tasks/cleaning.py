"""Removing intermediates while no run makes any."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.errors import Busy, InvalidInput, some
from region_grower_flow.io.atomic import PathLike, writing
from region_grower_flow.record import cleaning
from region_grower_flow.record.lock import holder, stage_lock
from region_grower_flow.record.run_lock import hold, release
from region_grower_flow.record.status import FRESH
from region_grower_flow.start.tries import tries_of
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.roots import Flow, find_roots
from region_grower_flow.tasks.status import RunState


@contextlib.contextmanager
def removing(
    work_dir: PathLike | None = None,
    config: str | Flow | None = None,
    task: str | None = None,
    everything: bool = False,
) -> Iterator[cleaning.Removal]:
    """The Removal of a run's work folder; its locks are held meanwhile.

    Args:
        work_dir, config, task: which run, see :func:`region_grower_flow.tasks.roots.find_roots`.
        everything: whether all goes that the package made there, or what is stale of it.

    Raises:
        InvalidInput: the run, or what is stale of it, cannot be told.
        Busy: a run is making something there.
        OutputFailed: a file cannot be removed.
    """
    root = None
    if work_dir is None or not everything:
        root = find_roots(work_dir, config, task)[0]
        work_dir = root.work_dir
    folder = Path(work_dir).resolve()
    tries = [path.name for path, _ in tries_of(folder)]
    if tries and not folder.exists():
        named = shlex.quote(str(folder.parent / tries[0]))
        hint = f"Give its tries, one by one: region-grower-flow clean {named}"
        problem = f"it is not there, only {some(tries)}"
        raise InvalidInput(problem, folder, hint)
    with contextlib.ExitStack() as stack:
        stack.callback(release)
        hold([folder] if folder.is_dir() else [])
        for path in _lock_files(folder):
            who = holder(path)
            if who is not None:
                raise Busy(f"{path.stem} is being made by {who}. Wait until it ends, or stop it.")
            stack.enter_context(stage_lock(path, path.stem))
        if everything or root is None:
            removal = cleaning.everything(folder)
        else:
            removal = cleaning.stale(folder, _chunks(root))
        with writing(folder):
            yield removal


def _lock_files(folder: Path) -> Iterator[Path]:
    """Those of the stages, in the folder and in that of its hold-out."""
    for place in (folder, folder / layout.HOLDOUT_WORK):
        yield from sorted((place / layout.LOCKS).glob("*.lock"))


def _chunks(root: FlowTask) -> dict[tuple[int, int], bool] | None:
    """{(first, last): whether a run needs nothing more of it}; None for a task without chunks."""
    run = RunState(root)
    if run.problem:
        problem = f"what is stale cannot be told: {run.problem}"
        raise InvalidInput(problem, root.work_dir, "mend it, or give --all")
    return {(c.first, c.last): run.stages[c].state == FRESH for c in run.chunks} or None
