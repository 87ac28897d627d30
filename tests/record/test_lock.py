"""Locks: one holder at a time; a dead holder holds nothing."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from region_grower_flow.errors import Busy, OutputFailed
from region_grower_flow.record.lock import stage_lock

HOLD = textwrap.dedent(
    """
    import sys, time
    from region_grower_flow.record.lock import stage_lock
    with stage_lock(sys.argv[1], "the stage"):
        print("held", flush=True)
        time.sleep(60)
    """
)


@pytest.fixture
def holder(tmp_path):
    path = tmp_path / "locks" / "stage.lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield path, process
    process.kill()
    process.wait()


def test_the_second_says_who_holds_the_lock_and_since_when(holder):
    path, process = holder
    expected = rf"the stage.*process {process.pid}.*since \d{{4}}-"
    with pytest.raises(Busy, match=expected), stage_lock(path, "the stage"):
        pass


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_of_a_dead_process_is_taken_over(holder, how):
    path, process = holder
    process.send_signal(how)
    process.wait()
    with stage_lock(path, "the stage"):
        assert str(os.getpid()) in path.read_text()


def test_a_lock_is_free_after_its_block(tmp_path):
    for _ in range(2):
        with stage_lock(tmp_path / "lock", "the stage"):
            pass


def test_a_lock_is_free_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), stage_lock(tmp_path / "lock", "the stage"):
        raise ZeroDivisionError
    with stage_lock(tmp_path / "lock", "the stage"):
        pass


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputFailed, match="file"),
        stage_lock(tmp_path / "file" / "lock", "the stage"),
    ):
        pass
