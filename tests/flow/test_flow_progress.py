"""The one bar over a run, its lines where there is no terminal, and what the web UI is told."""

import io
import re
from types import SimpleNamespace

import pytest

from region_grower_flow.tasks import progress
from region_grower_flow.tasks.progress import Part, Progress, duration


class Task:
    """Remembers what it is told."""

    work_dir = "work"

    def __init__(self):
        self.told = []

    def tell(self, message, percentage):
        self.told.append((percentage, message))


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    """A time that passes only when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def time(self):
        return self.now

    monotonic = time


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr("tqdm.std.time", clock.time)
    monkeypatch.setattr(progress, "_runs", {})
    return clock


def chunk(task, part, total, clock, shown=True, dropped=0):
    """A chunk of which ``total`` cells are left to do, one every ten seconds."""
    shows = Progress(task, "cells", part, shown)
    for done in range(total + 1):
        values = {"done": done, "total": total, "dropped": dropped, "cells_per_second": 0.1}
        shows.cells(SimpleNamespace(**values))
        clock.now += 10
    shows.close()


def test_one_bar_goes_on_over_all_chunks(clock, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    task = Task()
    chunk(task, Part(0, 10, 30), 10, clock, dropped=1)
    # Six cells of the second chunk are taken over, the third is finished already.
    chunk(task, Part(10, 20, 30, beyond=10), 4, clock, dropped=2)
    counts = [int(n) for n in re.findall(r"(\d+)/30", stream.getvalue())]
    assert counts == sorted(counts)
    assert counts == [*range(1, 11), *range(27, 31)]
    # Cells that are taken over do not count as fast ones: 14 cells in 150 s is the speed.
    assert re.search(r"30/30 \[02:30, 00:00 left, +0.09 cells/s", stream.getvalue())
    assert "3 dropped" in stream.getvalue()
    assert stream.getvalue().endswith("\r")  # the line is left to others


def test_the_web_ui_is_told_what_is_left_of_the_chunk(clock):
    task = Task()
    chunk(task, Part(10, 20, 30), 4, clock, shown=False)
    assert task.told[0] == (
        60,
        "6 of 10 cells, 0.1 cells/s, 40 s left, 0 dropped, 6 done before",
    )
    assert task.told[-1][0] == 100


def test_the_web_ui_is_told_at_most_twice_a_second(clock):
    task = Task()
    shows = Progress(task, "mtypes", shown=False)
    for done in range(101):
        shows(done, 100)
        clock.now += 0.1
    assert len(task.told) == 21
    assert task.told[-1] == (100, "100 of 100 mtypes")


def test_without_a_terminal_there_is_a_line_now_and_then(clock, capsys):
    task = Task()
    chunk(task, Part(0, 10, 20), 10, clock)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "3 of 20 cells (15 %), 0.1/s, 2 min 50 s left, 0 dropped"
    assert len(lines) == 3


def test_a_hidden_bar_is_hidden(clock, capsys, monkeypatch):
    chunk(Task(), Part(0, 10, 20), 10, clock, shown=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations(seconds, words):
    assert duration(seconds) == words
