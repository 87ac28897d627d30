"""The terminal and the web UI are told of the cells of a run."""

from types import SimpleNamespace

import pytest

from region_grower_flow.io.words import duration
from region_grower_flow.tasks import progress
from region_grower_flow.tasks.progress import Part, StageProgress


class Task:
    """Remembers what it is told."""

    work_dir = "work"

    def __init__(self):
        self.told, self.shown = [], []

    def show(self, message, percentage, shown):
        self.told.append((percentage, message))
        self.shown.append(shown)


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
    monkeypatch.setattr(progress, "_runs", {})
    return clock


def chunk(task, part, total, clock, dropped=0):
    """A chunk of which ``total`` cells are left to do, one every ten seconds."""
    shows = StageProgress(task, "cells", part)
    for done in range(total + 1):
        values = {"done": done, "total": total, "dropped": dropped, "cells_per_second": 0.1}
        shows.cells(SimpleNamespace(**values))
        clock.now += 10
    shows.close()


def test_the_terminal_is_told_of_the_cells_of_all_chunks(clock):
    task = Task()
    chunk(task, Part(0, 10, 30), 10, clock, dropped=1)
    # Six cells of the second chunk are taken over, the third is finished already.
    chunk(task, Part(10, 20, 30, beyond=10), 4, clock, dropped=2)
    counts = [int(words.split()[0]) for words in task.shown]
    assert counts == sorted(counts)
    assert counts == [*range(11), *range(26, 31)]
    # Cells that are taken over do not count as fast ones: 14 cells in 150 s is the speed.
    assert task.shown[-1] == "30 of 30 cells, 0.1/s, 0 s left, 3 dropped"


def test_the_web_ui_is_told_what_is_left_of_the_chunk(clock):
    task = Task()
    chunk(task, Part(10, 20, 30), 4, clock)
    assert task.told[0] == (
        60,
        "6 of 10 cells, 0.1 cells/s, 40 s left, 0 dropped, 6 done before",
    )
    assert task.told[-1][0] == 100


def test_the_web_ui_is_told_at_most_twice_a_second(clock):
    task = Task()
    shows = StageProgress(task, "mtypes")
    for done in range(101):
        shows(done, 100)
        clock.now += 0.1
    assert len(task.told) == 21
    assert task.told[-1] == (100, "100 of 100 mtypes")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations(seconds, words):
    assert duration(seconds) == words
