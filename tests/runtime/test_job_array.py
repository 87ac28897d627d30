"""Job arrays under commands that answer as Slurm's do: a real Slurm is in test_runtime_slurm."""

import json
import subprocess

import pytest

from helpers.sentences import saying
from region_grower_flow.errors import InvalidInput, WorkerFailed
from region_grower_flow.runtime import job_array, slurm
from region_grower_flow.runtime.job_array import JobArray
from region_grower_flow.runtime.slurm import JobOptions

SBATCH = """#!/bin/sh
echo "$@" >> {folder}/sbatch.calls
cp "$2" {folder}/script
test -e {folder}/refuse && echo "sbatch: error: Invalid account" >&2 && exit 1
n=$(cat {folder}/count 2>/dev/null || echo 100); n=$((n + 1)); echo $n > {folder}/count
echo "$n;cluster"
"""
SQUEUE = """#!/bin/sh
test -e {folder}/deaf && echo "slurm_load_jobs error: Unable to contact controller" >&2 && exit 1
for word in "$@"; do case $word in --jobs=*) job=${{word#--jobs=}};; esac; done
if test -e {folder}/queue.$job; then cat {folder}/queue.$job
else echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1; fi
"""
SCANCEL = """#!/bin/sh
echo "$@" >> {folder}/cancelled
"""


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Slurm's commands; ``queue.JOB`` holds what squeue says of a job."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", SCANCEL)):
        (folder / name).write_text(text.format(folder=folder))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def made(tmp_path):
    """Makes an array of three pieces."""

    def make(**more):
        return JobArray(
            folder=tmp_path / "jobs",
            command=["make", "a range"],
            names=["a", "b", "c"],
            options=JobOptions(partition="main", time="10:00", tasks=4, at_once=2),
            poll_seconds=(0.0, 0.0),
            **more,
        )

    return make


def test_script_runs_as_bash_and_holds_the_options(tmp_path):
    options = JobOptions("p", "a", "1-0", 2, 8, None, ("--mem=0", "--comment=of mine"))
    text = slurm.script(["echo", "it's", "$HOME"], [0, 1, 2, 7], options, "/x/job-%a.log")
    lines = text.splitlines()
    assert lines[0] == "#!/bin/bash"
    for word in ("--array=0-2,7", "--partition=p", "--account=a", "--time=1-0", "--nodes=2"):
        assert f"#SBATCH {word}" in lines
    assert '#SBATCH "--comment=of mine"' in lines
    (tmp_path / "script").write_text(text)
    command = ["bash", str(tmp_path / "script")]
    environment = {"SLURM_ARRAY_TASK_ID": "7", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "it's $HOME 7\n"


def test_an_option_cannot_end_its_line():
    with pytest.raises(InvalidInput, match="cannot be an option of sbatch"):
        slurm.script(["x"], [0], JobOptions(extra=("--comment=a\nrm -r x",)), "log")


def test_pieces_that_lack_are_submitted_at_once_and_waited_for(commands, made):
    done, told = {"b"}, []
    array = made(show=told.append)
    (commands / "queue.101").write_text("0 RUNNING\n2 PENDING\n")

    def is_done(name):
        if len(told) > 1 and name == "a":
            done.add("a")
        return name in done

    array.wait("a", is_done)
    assert "#SBATCH --array=0,2%2" in (commands / "script").read_text()
    assert told == [
        "submitted job 101 of Slurm for 2 pieces of work",
        "job 101 of Slurm for a: running",
    ]


def test_another_process_attaches_to_the_jobs(commands, made):
    (commands / "queue.101").write_text("0 PENDING\n1 PENDING\n2 PENDING\n")
    looks = []

    def is_done(_):
        looks.append(1)
        return len(looks) > 12

    made().wait("a", is_done)
    assert (commands / "count").read_text() == "101\n"
    looks.clear()
    made().wait("b", is_done)
    assert (commands / "count").read_text() == "101\n"


def test_jobs_that_end_without_result_are_submitted_again_and_given_up(commands, made):
    (commands / "queue.101").write_text("")
    array = made()
    array.folder.mkdir()
    array.log("a").write_text("slurmstepd: error: Detected 1 oom_kill event\n")
    with pytest.raises(WorkerFailed, match=r"3 jobs .* without finishing a.*oom_kill"):
        array.wait("a", lambda name: False)
    assert (commands / "count").read_text() == "103\n"


def test_a_controller_that_does_not_answer_is_no_end_of_a_job(commands, made):
    (commands / "deaf").touch()
    array = made()
    array.folder.mkdir()
    (array.folder / "submitted.json").write_text(json.dumps({"a": ["101", 0]}))
    with pytest.raises(WorkerFailed, match="Unable to contact controller"):
        array.wait("a", lambda name: False)
    assert not (commands / "count").exists()


def test_refused_jobs_are_a_sentence(commands, made):
    (commands / "refuse").touch()
    with pytest.raises(WorkerFailed, match=saying("sbatch | 1: | sbatch: error: Invalid account")):
        made().wait("a", lambda name: False)


def test_all_jobs_are_cancelled(commands, made):
    array = made()
    array.folder.mkdir()
    record = array.folder / "submitted.json"
    record.write_text(json.dumps({"a": ["101", 0], "b": ["101", 1], "c": ["7; rm", 1]}))
    array.cancel()
    assert (commands / "cancelled").read_text() == "101\n"
    assert not record.exists()


def test_without_slurm_there_is_a_hint(made, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidInput, match="no sbatch in the PATH"):
        made().wait("a", lambda name: False)


def test_an_outer_allocation_does_not_shape_the_jobs():
    kept = slurm.clean_environment({"SLURM_CONF": "x", "SLURM_NTASKS": "3", "SBATCH_TIME": "1"})
    assert kept == {"SLURM_CONF": "x"}


def test_constants_leave_room_for_slow_controllers():
    assert job_array.GONE_POLLS >= 1 < job_array.TRIES
