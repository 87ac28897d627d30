"""The display of one run in the terminal: lines of stages, the bar, and news of other processes."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import luigi

from region_grower_flow.errors import counted, printable
from region_grower_flow.io.words import duration
from region_grower_flow.tasks.plan import CHECK, CHUNK, MENDED, Plan
from region_grower_flow.tasks.streams import kept_above, wrapped

LINE_SECONDS = 30.0
"""Seconds between two lines on the stage at work, where there is no bar."""

NAME, WIDEST = 24, 100
"""Columns of the stages' names, and of a line."""
LONGEST_NEWS = 4000
"""Bytes that another process hands over in one piece (a pipe's PIPE_BUF is 4096)."""

DIM, RED, PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[0m"
NEWS = "region_grower_flow.engine.filling"
"""The logger whose records are lines for people, and not warnings: kernels that are compiled."""

News = dict[str, Any]
"""An event of a stage, in words that JSON holds: a process may hand it to another one."""


class Display:
    """The terminal of one run.

    Attributes:
        root: the task that was named.
        ran: families of the stages that have been made.
        root_state: the event that the root has ended with: "done", "kept", "failed" or None.
        cells: {"grown": .., "kept": ..}, the cells of the chunks by what this run did.
    """

    def __init__(self, root: luigi.Task, on_work: Callable[[], object] | None, bar: bool) -> None:
        self.root, self.root_state = root, None
        self.ran: set[str] = set()
        self.cells = {"grown": 0, "kept": 0}
        self._on_work = on_work
        self._pid, self._start = os.getpid(), time.monotonic()
        self._line = self._start
        self._began: dict[str, float] = {}
        self._written: set[str] = set()
        self._message = "looking at the inputs"
        self._totals, self._seconds_of_cells = {"made": 0, "dropped": 0}, 0.0
        self._plan, self._lock = Plan(), threading.RLock()
        self._stream = sys.stderr
        terminal = self._stream is not None and self._stream.isatty()
        able = terminal and os.environ.get("TERM", "dumb") != "dumb"
        self._colored = able and "NO_COLOR" not in os.environ
        self._wide = able
        self._bar = self._open_bar() if able and bar else None
        self._quiet = not bar
        self._reader, self._writer = os.pipe()
        self._left = contextlib.ExitStack()
        self._left.enter_context(kept_above(self._bar, self._is_news))
        self._news = _News(self)
        logging.getLogger(NEWS).addHandler(self._news)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._start

    def hear(self, news: News) -> None:
        """Take what a stage or Luigi says; from other processes it comes through a pipe."""
        if os.getpid() != self._pid:
            with contextlib.suppress(OSError):
                os.write(self._writer, _in_one_piece(news))
            return
        with self._lock:
            getattr(self, f"_on_{news['event']}")(news)
            self._draw()

    def note(self, text: str, line: bool = False) -> None:
        """Put words beside the bar, or a line above it: of what stages do not tell themselves."""
        with self._lock:
            if line:
                self._write(wrapped(text, self._stream))
            self._message = text
            self._draw()

    def close(self, succeeded: bool) -> None:
        """Leave the terminal to others; the bar stays where it was, if anything was made."""
        if os.getpid() != self._pid:
            return
        self._ends.set()
        os.write(self._writer, b"\n")
        self._thread.join(timeout=5)
        logging.getLogger(NEWS).removeHandler(self._news)
        with self._lock:
            if self._bar is not None:
                self._bar.leave = bool(self.ran - {CHECK})
                if succeeded and self.root_state in ("done", "kept"):
                    self._bar.n = 1.0
                    self._message = "done"
                self._draw()
                self._bar.close()
                self._bar = None
        self._left.close()
        os.close(self._reader)
        os.close(self._writer)

    # What is heard.

    def _on_show(self, news: News) -> None:
        self._message = f"{news['family']}: {news['words'].rstrip('.')}"
        self._plan.reach(news["id"], news["done"])

    def _on_start(self, news: News) -> None:
        first = not self._began
        # A stage that finds work above it begins once more.
        self._began[news["id"]] = self._start if first else time.monotonic()
        if news["family"] != CHECK:
            if self._on_work is not None:
                self._on_work()
                self._on_work = None
            self._plan.read(self.root)
            none_left = CHUNK not in self.ran and not self._plan.awaits(CHUNK)
            if self.cells["kept"] and none_left and CHUNK not in self._written:
                self._written.add(CHUNK)
                self._write_kept(CHUNK)
        self._message = f"{news['family']}: begins"

    def _on_done(self, news: News) -> None:
        self.ran.add(news["family"])
        self._finish(news, news.get("words") or "done")
        for remark in news.get("remarks", ()):
            self._write(wrapped(f"  {printable(remark)}", self._stream, indent=2))

    def _on_kept(self, news: News) -> None:
        if news["id"] not in self._began:
            self._plan.keep(news["id"])
            self._finish(news, None)

    def _on_failed(self, news: News) -> None:
        self.ran.add(news["family"])
        self._end_root(news)
        self._message = f"{news['family']}: failed"
        self._write(self._text(news["family"], "failed", self._took(news), RED))

    def _finish(self, news: News, words: str | None) -> None:
        self._end_root(news)
        if news["id"] in self._written:
            return
        self._written.add(news["id"])
        self._plan.finish(news["id"])
        took = self._took(news)
        if news["family"] == CHUNK:
            self._count(news["cells"], words is None)
            took = took if took is None else self._add(took)
            if CHUNK not in self.ran or self._plan.awaits(CHUNK):
                return
            words = self._words_of_cells()
        if news["family"] == MENDED:  # of cells that this run has taken for kept
            grown = news["cells"]["grown"]
            self.cells["grown"] += grown
            self.cells["kept"] -= grown
        if news["family"] == CHECK:  # several look at parts of a flow
            if CHECK in self._written:
                return
            self._written.add(CHECK)
        if words is None and self.root_state is None:  # a root that is kept: nothing to do
            self._write_kept(news["family"])
        elif words is None:
            return
        else:
            self._write(self._text(news["family"], words.rstrip("."), took))

    def _write_kept(self, family: str) -> None:
        self._write(self._text(family, "kept", None, DIM))

    def _end_root(self, news: News) -> None:
        if news["id"] == self.root.task_id:
            self.root_state = news["event"]

    def _took(self, news: News) -> float | None:
        began = self._began.get(news["id"])
        return None if began is None else time.monotonic() - began

    def _add(self, seconds: float) -> float:
        self._seconds_of_cells += seconds
        return self._seconds_of_cells

    def _count(self, cells: dict[str, int], kept: bool) -> None:
        grown = 0 if kept else cells["grown"]
        self.cells["grown"] += grown
        self.cells["kept"] += cells["cells"] - grown
        for name in ("made", "dropped"):
            self._totals[name] += cells[name]

    def _words_of_cells(self) -> str:
        words = f"{counted(self._totals['made'], 'cell')} made, {self._totals['dropped']:,} dropped"
        return words + (f"; {self.cells['kept']:,} kept" if self.cells["kept"] else "")

    # What is written.

    def _text(self, name: str, words: str, seconds: float | None, color: str = "") -> str:
        took = "" if seconds is None else duration(seconds)
        if not self._wide:
            return f"{name:<{NAME}}{words}{took and f' ({took})'}"
        width = min(shutil.get_terminal_size().columns, WIDEST) - 1
        room = max(width - NAME - len(took) - 2, 8)
        words = words if len(words) <= room else words[: room - 1] + "…"
        if not self._colored:
            return f"{name:<{NAME}}{words:<{room}}  {took}".rstrip()
        return f"{name:<{NAME}}{color}{words:<{room}}{PLAIN}  {DIM}{took}{PLAIN}"

    def _write(self, line: str) -> None:
        if self._stream is None:
            return
        if self._bar is None:
            print(line, file=self._stream, flush=True)
        else:
            self._bar.write(line, file=self._stream)

    def _draw(self) -> None:
        if self._bar is not None:
            self._bar.n = max(self._bar.n, self._plan.fraction())
            self._bar.set_description_str(printable(self._message), refresh=False)
            self._bar.refresh()
        elif not self._quiet and time.monotonic() - self._line > LINE_SECONDS:
            self._line = time.monotonic()
            self._write(printable(f"{duration(self.seconds)}: {self._message}"))

    def _open_bar(self) -> Any:
        from tqdm import tqdm

        length = max(8, min(30, shutil.get_terminal_size().columns // 4))
        return tqdm(
            total=1.0,
            bar_format=f"{{percentage:3.0f}} % {{bar:{length}}} {{elapsed}}  {{desc}}",
            desc=self._message,
            dynamic_ncols=True,
            file=self._stream,
        )

    def _watch(self) -> None:
        """Draw once a second, and read what other processes say, until the end."""
        rest, ends = b"", False
        while not ends:
            ends = self._ends.is_set()  # what was written before is still read
            readable, _, _ = select.select([self._reader], [], [], 0 if ends else 1.0)
            if readable:
                *lines, rest = (rest + os.read(self._reader, 1 << 20)).split(b"\n")
                for line in lines:
                    if line.strip():
                        self.hear(json.loads(line))
            with self._lock, contextlib.suppress(OSError, ValueError):
                self._draw()

    @staticmethod
    def _is_news(record: logging.LogRecord) -> bool:
        return record.name == NEWS


def _in_one_piece(news: News) -> bytes:
    """News as a line of JSON, short enough to arrive in one piece; remarks that are too long go."""
    news = {**news, "words": news.get("words", "")[:500], "remarks": [*news.get("remarks", ())]}
    while len(text := json.dumps(news).encode()) > LONGEST_NEWS and news["remarks"]:
        news["remarks"].pop()
    return text + b"\n"


class _News(logging.Handler):
    """Words on what is compiled: the important ones a line, the others beside the bar."""

    def __init__(self, display: Display) -> None:
        super().__init__()
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        text = printable(record.getMessage()).rstrip(".")
        self._display.note(text, line=record.levelno >= logging.WARNING)
