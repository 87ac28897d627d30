"""Progress of a stage: words beside the bar in the terminal, a message in the web UI."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow.errors import printable
from region_grower_flow.io.logs import PlainFormatter
from region_grower_flow.io.words import duration
from region_grower_flow.tasks import terminal
from region_grower_flow.tasks.display import NEWS

if TYPE_CHECKING:
    from region_grower_flow.runtime.plans import ChunkProgress


SHOW_SECONDS = 0.5
"""Seconds between two messages to the scheduler: each costs two requests."""


@dataclass(frozen=True)
class Part:
    """Part of a longer bar that belongs to a task.

    Attributes:
        first, last: the range of the part, ``last`` excluded.
        overall: length of the bar.
        beyond: how many after the part are finished already.
    """

    first: int
    last: int
    overall: int
    beyond: int = 0


@dataclass
class _Run:
    """The state that the parts of a bar share, since the first part that this process saw.

    Attributes:
        initial: how many were finished before the start, or were taken over since.
        position: how many are finished now.
    """

    initial: int
    position: int
    start: float = field(default_factory=lambda: time.time())
    dropped: int = 0

    def speed(self, position: int) -> float:
        """Number of cells a second since the start."""
        return (position - self.initial) / max(time.time() - self.start, 1e-9)


_runs: dict[tuple[str, str], _Run] = {}


class StageProgress:
    """Shows how far a task is: beside the terminal's bar, as percentage and message in the web UI.

    Call it with (done, total), or use :meth:`cells` for what the runtime reports.

    Args:
        task: the task.
        what: what is counted, in the plural.
        part: the Part of a count that several tasks share, None for one of its own.
    """

    def __init__(self, task: Any, what: str, part: Part | None = None) -> None:
        self._task, self._what, self._part = task, what, part
        self._run: _Run | None = None
        self._shown_at, self._dropped = float("-inf"), 0

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are done."""
        self._show(done, total, f"{done} of {total} {self._what}")

    def cells(self, progress: ChunkProgress) -> None:
        """Show the runtime's ChunkProgress: cells done, cells/s, time left, drops.

        The runtime counts what was left to do when it started; here the rest of the part counts as
        done before.
        """
        left = progress.total - progress.done
        total = self._part.last - self._part.first if self._part else progress.total
        rate, self._dropped = progress.cells_per_second, progress.dropped
        words = [
            f"{total - left} of {total} cells",
            f"{rate:.1f} cells/s",
            f"{duration(left / rate)} left" if rate else "time left not known yet",
            f"{progress.dropped} dropped",
        ]
        if total > progress.total:
            words.append(f"{total - progress.total} done before")
        self._show(
            total - left, total, ", ".join(words), self._of_run(total - left, progress, total)
        )

    def close(self) -> None:
        """Leave the count to the next part."""
        if self._run is not None:
            self._run.dropped += self._dropped
            self._dropped = 0

    def _show(self, done: int, total: int, message: str, shown: str | None = None) -> None:
        now = time.monotonic()
        if now - self._shown_at >= SHOW_SECONDS or done >= total:
            self._shown_at = now
            percentage = int(100 * done / total) if total else 100
            self._task.show(message, percentage, message if shown is None else shown)

    def _of_run(self, done: int, progress: ChunkProgress, total: int) -> str:
        """The words of the terminal: on the cells of the whole run, in all of its parts."""
        part = self._part or Part(0, total, total)
        start = part.first + part.beyond
        position, taken = start + done, start + total - progress.total
        if self._run is None:
            key = (self._task.work_dir, self._what)
            self._run = _runs.setdefault(key, _Run(taken, taken))
            # What has been skipped or taken over says nothing of the speed.
            self._run.initial += max(taken - self._run.position, 0)
        self._run.position = position
        words = [f"{position:,} of {part.overall:,} cells"]
        speed = self._run.speed(position)
        if speed > 0:
            words.append(f"{speed:.1f}/s, {duration((part.overall - position) / speed)} left")
        dropped = self._run.dropped + self._dropped
        return ", ".join([*words, *([f"{dropped:,} dropped"] if dropped else [])])


class _QuietHandler(logging.FileHandler):
    """A log that cannot be written must not end, or clutter, what is logged."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing."""


class _Sentence(logging.Formatter):
    """A line for the terminal; tracebacks are in the log only."""

    def format(self, record: logging.LogRecord) -> str:
        """The message with its level."""
        return printable(f"{record.levelname}: {record.getMessage()}")


@contextlib.contextmanager
def stage_log(path: Path, level: str = "info") -> Iterator[Callable[[str], object]]:
    """Copy what the package logs to a file while a stage is made; gives a function to add text.

    Raises:
        OutputFailed: the file cannot be opened.
    """
    from region_grower_flow.io.atomic import make_folder, open_own, writing

    logger = logging.getLogger("region_grower_flow")
    make_folder(path.parent)
    with writing(path):
        os.close(open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        handler = _QuietHandler(path, encoding="utf-8")
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    screen = logging.StreamHandler()
    screen.setFormatter(_Sentence())
    screen.setLevel(logging.WARNING)
    screen.addFilter(lambda record: not (terminal.is_open() and record.name == NEWS))
    # Under the luigi command nobody else shows warnings.
    handlers: list[logging.Handler] = (
        [handler] if logging.getLogger().handlers else [handler, screen]
    )
    before = logger.level
    for each in handlers:
        logger.addHandler(each)
    logger.setLevel(level.upper())
    try:
        yield lambda text: handler.handle(logger.makeRecord(logger.name, 20, "", 0, text, (), None))
    finally:
        logger.setLevel(before)
        for each in handlers:
            logger.removeHandler(each)
        handler.close()
