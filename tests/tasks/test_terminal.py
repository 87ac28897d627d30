"""The terminal of a run: a line a stage, one bar, and news from processes that were forked."""

import io
import json
import os
from types import SimpleNamespace

import pytest

from region_grower_flow.tasks import terminal
from region_grower_flow.tasks.display import DIM, Display, _in_one_piece
from region_grower_flow.tasks.plan import Plan


class Stage:
    """A stage with a name, an upstream, and seconds that it took the last time."""

    def __init__(self, name, *above, seconds=None):
        self.task_id, self.task_family, self.above = f"{name}_id", name, above
        self.seconds = seconds

    def requires(self):
        return {stage.task_id: stage for stage in self.above}

    def manifest(self):
        return SimpleNamespace(facts=self.facts())

    def facts(self):
        return {"seconds": self.seconds}


def chunk(first, last):
    stage = Stage("SynthesizeChunk")
    stage.task_id, stage.cells_to_grow = f"chunk_{first}", lambda: last - first
    return stage


class Terminal(io.StringIO):
    """A stream that is a terminal, or is none."""

    def __init__(self, real):
        super().__init__()
        self.real = real

    def isatty(self):
        return self.real


@pytest.fixture
def shown(monkeypatch):
    """A function that opens a display of a run, on a terminal or not."""
    opened = []

    def open_display(root, real=False, **environment):
        stream = Terminal(real)
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        display = Display(root, None, bar=True)
        opened.append(display)
        return display, stream

    yield open_display
    for display in opened:
        if not display._ends.is_set():
            display.close(succeeded=False)


def news(stage, event, **more):
    return {"event": event, "id": stage.task_id, "family": stage.task_family, **more}


CELLS = {"made": 9, "dropped": 1, "grown": 10, "cells": 10}


def run_of_chunks(display, stages, kept):
    above, chunks, merge = stages
    display.hear(news(above, "kept"))
    for each in chunks[:kept]:
        display.hear(news(each, "kept", cells=CELLS))
    for each in chunks[kept:]:
        display.hear(news(each, "start"))
        display.hear(news(each, "show", words="5 of 10 cells", done=0.5))
        display.hear(news(each, "done", words="?", cells=CELLS))
    display.hear(news(merge, "start"))
    display.hear(news(merge, "done", words="outputs written."))


@pytest.fixture
def stages():
    above, chunks = Stage("LoadAtlas"), [chunk(0, 10), chunk(10, 20), chunk(20, 30)]
    return above, chunks, Stage("SynthesizeMorphologies", *chunks)


def test_each_stage_has_one_line_and_all_chunks_together_one(shown, stages):
    display, stream = shown(stages[2])
    run_of_chunks(display, stages, kept=1)
    display.close(succeeded=True)
    lines = stream.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == [
        "LoadAtlas", "SynthesizeChunk", "SynthesizeMorphologies",
    ]  # fmt: skip
    assert lines[0].endswith("kept")
    assert "27 cells made, 3 dropped; 10 kept (" in lines[1]
    assert lines[2].endswith("outputs written (0 s)")
    assert "\x1b" not in stream.getvalue()
    assert display.cells == {"grown": 20, "kept": 10}
    assert display.root_state == "done"


def test_chunks_that_are_all_kept_are_told_once(shown, stages):
    display, stream = shown(stages[2])
    run_of_chunks(display, stages, kept=3)
    assert stream.getvalue().count("SynthesizeChunk") == 1
    assert display.cells == {"grown": 0, "kept": 30}


def test_a_root_that_is_kept_needs_no_line(shown, stages):
    display, stream = shown(stages[2], real=True)
    display.hear(news(stages[2], "kept"))
    display.close(succeeded=True)
    assert "kept" not in stream.getvalue()
    assert display.root_state == "kept"


def test_the_bar_stays_below_the_lines_and_never_goes_back(shown, stages):
    display, stream = shown(stages[2], real=True)
    run_of_chunks(display, stages, kept=0)
    print("a line of somebody else", file=__import__("sys").stderr)
    display.close(succeeded=True)
    text = stream.getvalue()
    percents = [int(part.split()[-1]) for part in text.split(" %")[:-1]]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert "a line of somebody else\n" in text
    assert text.rstrip().endswith("done")


@pytest.mark.parametrize(
    ("environment", "colors", "bar"),
    [({}, True, True), ({"NO_COLOR": "1"}, False, True), ({"TERM": "dumb"}, False, False)],
)
def test_terminals_that_can_less(shown, stages, environment, colors, bar):
    display, stream = shown(stages[2], real=True, **environment)
    run_of_chunks(display, stages, kept=1)
    display.close(succeeded=True)
    assert (DIM in stream.getvalue()) == colors
    assert (" %" in stream.getvalue()) == bar


def test_news_of_other_processes_arrive(shown, stages, monkeypatch):
    display, stream = shown(stages[2])
    monkeypatch.setattr(display, "_pid", -1)  # as in a process that Luigi has forked
    display.hear(news(stages[0], "done", words="10 cells looked up"))
    monkeypatch.setattr(display, "_pid", os.getpid())
    display.close(succeeded=True)
    assert "LoadAtlas" in stream.getvalue()


def test_remarks_stand_below_the_line_of_their_stage(shown, stages):
    display, stream = shown(stages[-1])
    news = {"event": "done", **terminal._named(stages[0]), "words": "done"}
    display.hear({**news, "remarks": ["one is flat.", "two are small."]})
    lines = stream.getvalue().splitlines()
    assert lines[-2:] == ["  one is flat.", "  two are small."]


def test_many_remarks_are_counted_and_what_is_too_long_for_a_pipe_goes(tmp_path):
    task = SimpleNamespace(log_path=tmp_path / "stage.log")
    found = terminal._remarks(task, {"remarks": [f"remark {i}." for i in range(9)]})
    assert found[:2] == ["remark 0.", "remark 1."]
    assert found[-1] == f"4 more remarks: {tmp_path / 'stage.log'}"
    assert len(found) == terminal.MOST_REMARKS
    sent = json.loads(_in_one_piece({"remarks": ["short", "x" * 5000]}))
    assert sent["remarks"] == ["short"]


def test_a_failed_stage_is_named(shown, stages):
    display, stream = shown(stages[2])
    display.hear(news(stages[2], "start"))
    display.hear(news(stages[2], "failed"))
    display.close(succeeded=False)
    assert "SynthesizeMorphologies  failed" in stream.getvalue()
    assert display.root_state == "failed"


def test_a_stage_counts_for_what_it_took_before():
    quick, slow = Stage("LoadAtlas", seconds=1), Stage("CalibrateGrowth", seconds=97)
    merge = Stage("SynthesizeMorphologies", quick, slow, seconds={"LoadAtlas": 1.0})
    plan = Plan()
    plan.read(merge)
    plan.finish(slow.task_id)
    assert plan.fraction() == pytest.approx(97 / (97 + 1 + 15))
    plan.reach(merge.task_id, 2.0)
    assert plan.fraction() == 0.99  # the rest is for the end itself


def test_names_keep_their_capitals_in_a_line():
    assert terminal._as_part("Parameters of 6 mtypes") == "parameters of 6 mtypes"
    assert terminal._as_part("PlotScales: 6 mtypes.") == "PlotScales: 6 mtypes."
