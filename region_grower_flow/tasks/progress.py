"""Progress of a stage: one bar over the whole run in the terminal, a message in the web UI."""

import contextlib
import logging
import os
import sys
import time
from dataclasses import dataclass, field

from region_grower_flow.errors import printable
from region_grower_flow.io.logs import PlainFormatter

TELL_SECONDS = 0.5
"""Seconds between two messages to the scheduler: each costs two requests."""

LINE_SECONDS = 30.0
"""Seconds between two lines where there is no terminal to draw a bar in."""

FORMAT = (
    "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} "
    "[{elapsed}, {remaining} left, {rate_noinv_fmt}{postfix}]"
)
"""Form of the bar: tqdm's own turns slow rates around (s/cell)."""


def duration(seconds):
    """Seconds as words for a person: ``12 s``, ``3 min 20 s``, ``2 h 05 min``."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


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
    line: float = field(default_factory=lambda: time.monotonic())
    dropped: int = 0

    def speed(self, position):
        """Per second, since the start."""
        return (position - self.initial) / max(time.time() - self.start, 1e-9)


_runs = {}


class Progress:
    """Shows how far a task is: in the terminal, and as percentage and message in the web UI.

    Call it with (done, total), or use :meth:`cells` for what the runtime reports.

    Args:
        task: the task.
        what: what is counted, in the plural.
        part: the Part of a bar that several tasks share, None for a bar of its own.
        shown: whether there is anything in the terminal.
    """

    def __init__(self, task, what, part=None, shown=True):
        self._task, self._what, self._part, self._shown = task, what, part, shown
        self._bar, self._run = None, None
        self._told = float("-inf")
        self._dropped = 0

    def __call__(self, done, total):
        """Show that ``done`` of ``total`` are done."""
        self._part = self._part or Part(0, total, total)
        self._show(done, total, 0, f"{done} of {total} {self._what}")

    def cells(self, progress):
        """Show the runtime's Progress: cells done, cells/s, time left, drops.

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
        self._show(total - left, total, total - progress.total, ", ".join(words))

    def close(self):
        """Leave the line of the bar to others."""
        if self._run is not None:
            self._run.dropped += self._dropped
            self._dropped = 0
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, done, total, before, message):
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS or done >= total:
            self._told = now
            self._task.tell(message, int(100 * done / total) if total else 100)
        if self._shown:
            start = self._part.first + self._part.beyond
            self._draw(start + done, start + before)

    def _draw(self, position, start):
        if self._run is None:
            key = (self._task.work_dir, self._what)
            self._run = _runs.setdefault(key, _Run(start, start))
            # What has been skipped or taken over says nothing of the speed.
            self._run.initial += max(start - self._run.position, 0)
        self._run.position = position
        if not sys.stderr.isatty():
            self._write_line(position)
            return
        if self._bar is None:
            self._bar = self._open_bar()
        if self._what == "cells":
            self._bar.set_postfix_str(f"{self._run.dropped + self._dropped} dropped", False)
        self._bar.update(position - self._bar.n)

    def _open_bar(self):
        from tqdm import tqdm

        bar = tqdm(
            total=self._part.overall,
            desc=self._what.capitalize(),
            unit=f" {self._what}",
            initial=self._run.initial,
            smoothing=0,  # the mean over the run: single cells differ a hundredfold
            bar_format=FORMAT,
            delay=1e-9,  # nothing is drawn before the position is known
            leave=False,
            file=sys.stderr,
        )
        bar.start_t = self._run.start
        return bar

    def _write_line(self, position):
        run, now = self._run, time.monotonic()
        if now - run.line < LINE_SECONDS:
            return
        run.line = now
        overall, speed = self._part.overall, run.speed(position)
        words = [f"{position} of {overall} {self._what} ({int(100 * position / overall)} %)"]
        if speed > 0:
            words.append(f"{speed:.1f}/s, {duration((overall - position) / speed)} left")
        if self._what == "cells":
            words.append(f"{run.dropped + self._dropped} dropped")
        print(", ".join(words), file=sys.stderr, flush=True)


class _QuietHandler(logging.FileHandler):
    """A log that cannot be written must not end, or clutter, what is logged."""

    def handleError(self, record):
        """Say nothing."""


class _Sentence(logging.Formatter):
    """A line for the terminal; tracebacks are in the log only."""

    def format(self, record):
        """The message with its level."""
        return printable(f"{record.levelname}: {record.getMessage()}")


@contextlib.contextmanager
def stage_log(path, level="info"):
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
    terminal = logging.StreamHandler()
    terminal.setFormatter(_Sentence())
    terminal.setLevel(logging.WARNING)
    # Under the luigi command nobody else shows warnings.
    handlers = [handler] if logging.getLogger().handlers else [handler, terminal]
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
