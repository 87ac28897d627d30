"""The lock of a run: shared among its processes, closed to others, taken over from the dead."""

import json
import multiprocessing
import os
import subprocess
import sys

import pytest

from region_grower_flow.errors import Busy, OutputFailed
from region_grower_flow.io.atomic import atomic_write
from region_grower_flow.record.run_lock import LOCK_PREFIX, hold, lock_path, look, release

HOLDER = """
import sys
from region_grower_flow.record.run_lock import hold
hold(sys.argv[1:])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _released():
    yield
    release()


@pytest.fixture
def other():
    """Starts a run of its own that holds places; returns its process."""
    started = []

    def start(*places):
        command = [sys.executable, "-c", HOLDER, *map(str, places)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, **pipes)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_what_another_run_holds_is_closed(tmp_path, other):
    process = other(tmp_path / "nodes.h5")
    for way in (hold, look):
        with pytest.raises(
            Busy, match=rf"nodes\.h5 is being .*process {process.pid} of .*since 20"
        ):
            way([tmp_path / "apical.yaml", tmp_path / "nodes.h5"])
    process.communicate()
    look([tmp_path / "nodes.h5"])
    hold([tmp_path / "nodes.h5"])


def test_another_name_of_the_same_place(tmp_path, other):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    other(tmp_path / "real" / "nodes.h5")
    with pytest.raises(Busy):
        hold([tmp_path / "link" / "nodes.h5"])


def test_lock_files_are_gone_after_the_release(tmp_path):
    hold([tmp_path / "a", tmp_path / "b"])
    hold([tmp_path / "a"])
    assert len(list(tmp_path.glob(f"{LOCK_PREFIX}*"))) == 2
    release()
    assert list(tmp_path.iterdir()) == []


def test_a_look_writes_nothing(tmp_path):
    look([tmp_path / "absent" / "nodes.h5", tmp_path / "nodes.h5"])
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_held_is_taken_over_and_tidied(tmp_path, other):
    place = tmp_path / "nodes.h5"
    process = other(place)
    process.kill()
    process.wait()
    with atomic_write(place) as left:
        left.write_text("whole")
    left.write_text("half")
    beside = tmp_path / ".tmp-of-another-file"
    beside.write_text("half")
    hold([place])
    assert not left.exists()
    assert beside.exists()
    assert json.loads(lock_path(place).read_text())["pid"] == os.getpid()


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"pid": "x", "host": 3}'])
def test_lock_files_that_tell_nonsense_belong_to_nobody(tmp_path, text):
    place = tmp_path / "nodes.h5"
    lock_path(place).write_text(text)
    look([place])
    hold([place])


def test_between_two_tasks_the_living_run_still_holds(tmp_path, other):
    """The task processes of a run may all have ended while its main process lives."""
    place = tmp_path / "nodes.h5"
    process = other(tmp_path / "something else")
    content = lock_path(tmp_path / "something else").read_text()
    lock_path(place).write_text(content)
    with pytest.raises(Busy, match=str(process.pid)):
        hold([place])


def test_a_folder_whose_surroundings_are_closed_is_locked_inside(tmp_path, monkeypatch):
    place = tmp_path / "out"
    place.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert lock_path(place).parent == place


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFailed, match="cannot be written"):
        hold([tmp_path / "file" / "nodes.h5"])


def test_task_processes_of_a_run_that_start_at_the_same_moment_share_a_place(tmp_path):
    context = multiprocessing.get_context("fork")
    for turn in range(10):
        start = context.Event()
        children = [
            context.Process(target=_hold_at, args=(start, tmp_path / f"nodes{turn}.h5"))
            for _ in range(4)
        ]
        for child in children:
            child.start()
        start.set()
        for child in children:
            child.join()
        assert [child.exitcode for child in children] == [0] * 4


def _hold_at(start, place):
    start.wait()
    hold([place])
