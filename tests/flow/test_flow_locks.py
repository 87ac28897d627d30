"""Two runs on the same outputs at once: the second says who holds them, and changes nothing."""

import os
import shutil
import signal
import time

import pytest

from helpers.bad.harness import snapshot
from helpers.flow_faults import Faults, results_of
from helpers.marked_processes import wait_until_gone

pytestmark = pytest.mark.slow

ALREADY_RUNNING = 10
"""Exit code of luigi when another run holds the outputs: it leaves before anything is scheduled."""


@pytest.fixture
def busy(faulty):
    """A run in one process that grows slowly: Faults and its process, at its third cell."""
    faults = faulty(8, seconds=0.5)
    process = faults.start()
    faults.wait_for_cells(3, process)
    assert process.poll() is None
    yield faults, process
    faults.kill_all(signal.SIGKILL)


class Second(Faults):
    """A second run in the same folder, with a log of its own."""

    @property
    def log_path(self):
        return self.flow.folder.with_name("second-log")


def second(faults, **options):
    """A second run on the same inputs with some options of its own."""
    flow = type(faults.flow)(faults.flow.folder, {**faults.flow.options, **options})
    return Second(flow, faults.mark)


def freeze(faults):
    """Stop the first run, so that only the second could change anything."""
    faults.kill_all(signal.SIGSTOP)
    return {k: v for k, v in snapshot(faults.flow.folder).items() if k != "luigi.cfg"}


def assert_refused(faults, process, **options):
    before = freeze(faults)
    begun = faults.journal()
    held = process.pid
    for command in (None, "region-grower-flow"):
        other = second(faults, **options)
        words = other.region_grower_flow() if command else None
        code, text = other.run(command=words)
        assert code == (1 if command else ALREADY_RUNNING), text
        assert f"process {held} of" in text
        assert f", since {time.strftime('%Y-')}" in text
        assert "is being written by another run" in text
        assert "Traceback" not in text
    assert begun == faults.journal()
    after = snapshot(faults.flow.folder)
    new = {k for k in after if k not in before and not k.startswith("luigi.cfg")}
    return before, after, new


def test_the_second_run_of_a_work_folder(busy):
    faults, process = busy
    before, after, new = assert_refused(faults, process)
    assert new == set()
    assert {k: v for k, v in after.items() if k != "luigi.cfg"} == before


def test_the_second_run_with_another_work_folder(busy):
    """It notices before it grows anything: during its checks."""
    faults, process = busy
    before, after, new = assert_refused(faults, process, work_dir="work2")
    assert {k: v for k, v in after.items() if k in before} == before
    assert new == set()


@pytest.mark.parametrize(
    "other",
    [{"out_cells": "out/others.h5"}, {"out_morph_dir": "out/others", "out_cells": "elsewhere.h5"}],
)
def test_runs_that_share_one_output_only(busy, other):
    faults, process = busy
    shared = {"out_summary": "out/sum2.json", "work_dir": "work2", **other}
    _, _, new = assert_refused(faults, process, **shared)
    assert new == set()


def test_runs_of_one_work_folder_with_other_outputs(busy):
    faults, process = busy
    options = {"out_cells": "b/nodes.h5", "out_morph_dir": "b/m", "out_apical": "b/apical.yaml"}
    _, _, new = assert_refused(faults, process, chunksize=3, **options)
    assert new == set()


def test_runs_with_nothing_in_common_do_not_disturb_each_other(busy):
    faults, process = busy
    options = {"out_cells": "b/nodes.h5", "out_morph_dir": "b/m", "out_apical": "b/apical.yaml"}
    other = second(faults, work_dir="work2", **options)
    other.run_to_end()
    assert process.wait(60) == 0, faults.text


def test_the_lock_of_a_dead_run_is_taken_over(busy, finished_once):
    faults, process = busy
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_until_gone(faults.mark)
    locks = list(faults.flow.folder.rglob(".lock-*"))
    assert locks
    faults.seconds = 0
    faults.run_to_end()
    assert results_of(faults.flow) == results_of(finished_once)
    assert list(faults.flow.folder.rglob(".lock-*")) == []


def test_a_lock_file_that_tells_nonsense_is_taken_over(faulty):
    faults = faulty(8)
    faults.run_to_end()
    shutil.rmtree(faults.flow.path("out"))
    faults.flow.path("out").mkdir()
    from region_grower_flow.record.run_lock import lock_path

    for text in ("", "nonsense", "[]", '{"pid": "x", "host": 3}'):
        for name in ("out/nodes.h5", "work"):
            lock_path(faults.flow.path(name)).write_text(text)
        faults.flow.path("out", "nodes.h5").unlink(missing_ok=True)
        faults.run_to_end()


@pytest.mark.slow
def test_task_processes_of_one_run_share_its_locks(busy, faulty):
    """luigi --workers 2 forks a process for each task: together they are one run."""
    faults, process = busy
    assert process.wait(60) == 0, faults.text
    expected = results_of(faults.flow)
    shutil.rmtree(faults.flow.path("out"))
    shutil.rmtree(faults.flow.path("work"))
    faults.seconds = 0.4
    process = faults.start("--workers", "2")
    begun = len(faults.journal())
    faults.wait_for_cells(begun + 3, process)
    code, text = second(faults).run("--workers", "2")
    assert code == ALREADY_RUNNING
    assert "is being written by another run" in text
    assert process.wait(60) == 0, faults.text
    assert results_of(faults.flow) == expected
    assert list(faults.flow.folder.rglob(".lock-*")) == []
