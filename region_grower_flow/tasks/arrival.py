"""The beginning of a run: another run of the same places is noticed before anything is scheduled.

A run that waits until its first stage meets the lock would have taken tasks of the other one from a
scheduler that both use, and failed them there.
"""

from __future__ import annotations

import atexit
import configparser
import contextlib
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import luigi
from luigi.cmdline_parser import CmdlineParser
from luigi.configuration import get_config

from region_grower_flow import layout
from region_grower_flow.errors import Busy, InvalidInput, some
from region_grower_flow.options import SECTION
from region_grower_flow.record.lock import holder
from region_grower_flow.record.run_lock import look
from region_grower_flow.tasks import interrupts, messages, terminal

ALREADY_RUNNING = 10
"""Exit code of the luigi command, where its configuration has no other."""

_arrived: list[float] = []
"""The time of the first question of this process's last run, which forked processes know, too."""


def expect_another() -> None:
    """Let another run of this process begin: a notebook has several, one after the other."""
    if not interrupts.is_luigi_command():
        _arrived.clear()


_looking: ContextVar[bool] = ContextVar("looking", default=False)


@contextlib.contextmanager
def looking() -> Iterator[None]:
    """Ask tasks without beginning a run: who looks at one is not in its way, nor in his own."""
    token = _looking.set(True)
    try:
        yield
    finally:
        _looking.reset(token)


def arrive(task: Any) -> None:
    """See once in a run, by the first task that is asked for, that no other run is at work.

    Raises:
        Busy: another run holds the task's places, or makes a stage in its work folder.
        SystemExit: the same, under the luigi command: Luigi would tell the scheduler of any other
            error.
    """
    if _arrived or _looking.get() or multiprocessing.parent_process() is not None:
        return
    _arrived.append(time.time())
    if interrupts.is_luigi_command():
        interrupts.end_in_one_line()
        _show(task)
    try:
        _require_free(task)
    except InvalidInput:
        return  # the checks say it
    except Busy as error:
        if not interrupts.is_luigi_command():
            raise
        print(error, file=sys.stderr, flush=True)
        code = get_config().getint("retcode", "already_running", ALREADY_RUNNING)
        raise SystemExit(code or ALREADY_RUNNING) from error


def arrival_time() -> float:
    """The time (s) at which the last run of this process began; 0 before any."""
    return _arrived[0] if _arrived else 0.0


def _show(task: luigi.Task) -> None:
    """Show the run in the terminal, as the commands of the package do.

    Whether it succeeds is for Luigi, which ends the process: what came of it is told last of all.
    """
    note = merged_note(Path("luigi.cfg"), os.environ.get("LUIGI_CONFIG_PATH"))
    if note is not None:
        print(note, file=sys.stderr, flush=True)
    parser = CmdlineParser.get_instance()
    root = task if parser is None else parser.get_task_obj()
    terminal.begin(root, bar=not getattr(root, "hide_progress_bar", False))
    atexit.register(messages.end)


def merged_note(local: Path, named: str | None) -> str | None:
    """A sentence on options of a configuration that Luigi reads beside the one that is named.

    Luigi merges both; what only the one in the current folder has counts, unseen.

    Args:
        local: path of the configuration in the current folder.
        named: path that LUIGI_CONFIG_PATH has, or None.

    Returns:
        None where nothing counts that is not named.
    """
    if not named or not local.is_file() or not Path(named).is_file() or local.samefile(named):
        return None
    options = []
    for path in (local, named):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            return None  # of another kind, or one that Luigi refuses
        options.append(set(parser[SECTION]) if parser.has_section(SECTION) else set())
    more = sorted(options[0] - options[1])
    if not more:
        return None
    verb = "counts" if len(more) == 1 else "count"
    return f"Luigi reads {local} beside {named}: {some(more)} of it {verb}, which {named} lacks."


def _require_free(task: Any) -> None:
    look(task.held_places())
    for lock in sorted(Path(task.work_dir, layout.LOCKS).glob("*.lock")):
        who = holder(lock)
        if who is not None:
            raise Busy(
                f"{lock.stem} in {task.work_dir} is being made by another run ({who}). Wait until "
                "it ends, or stop it."
            )
