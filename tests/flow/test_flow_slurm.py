"""Chunks as jobs of a real Slurm with two nodes: the same results, whatever ends the jobs."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from helpers.flow_factory import COMMAND, LUIGI, environment, make_flow, run_alone
from helpers.flow_faults import results_of
from helpers.forked import run_forked
from helpers.own_slurm import bring_back, lose_node, own_slurm, program

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.timeout(300)]

CELLS, CHUNK = 24, 8


@pytest.fixture(scope="module")
def slurm():
    """A Slurm with two nodes."""
    with own_slurm() as folder:
        yield folder


@pytest.fixture(scope="module")
def expected(tmp_path_factory, kernels):
    """The results of one process, one chunk."""
    flow = make_flow(tmp_path_factory.mktemp("expected") / "flow", CELLS, chunksize=100)
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    return results_of(flow)


@pytest.fixture
def flow(slurm, tmp_path):
    more = {"launcher": "sbatch", "slurm_partition": "main", "slurm_time": "5"}
    return make_flow(tmp_path / "flow", CELLS, **{"nb_processes": "", "chunksize": CHUNK, **more})


def start(flow):
    """A run in the background."""
    flow.write_cfg()
    command = [LUIGI, "--module", "region_grower_flow", "SynthesizeMorphologies"]
    output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=flow.folder, env=environment(), **output)


def jobs():
    """{job of an array: state} of all jobs in the queue."""
    words = [program("squeue"), "--noheader", "--array", "--format=%F_%K %T"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return dict(line.split() for line in done.stdout.splitlines())


def nodes():
    """The nodes on which jobs are."""
    words = [program("squeue"), "--noheader", "--format=%N"]
    return set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())


def wait_until(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, jobs()
        time.sleep(0.1)


def slow(flow):
    """Let each job take its time before it begins."""
    path = flow.path("sitecustomize.py")
    path.write_text("import os, time\nif 'SLURM_ARRAY_TASK_ID' in os.environ: time.sleep(5)\n")
    return str(flow.folder)


def test_jobs_with_several_tasks_make_the_same(flow, expected):
    flow.options |= {"slurm_tasks": 2, "slurm_nodes": 2, "slurm_jobs": 1}
    process = flow.luigi(run=run_alone, timeout=250)
    assert process.returncode == 0, process.stdout + process.stderr
    assert results_of(flow) == expected
    assert flow.summary["grown_now"] == CELLS
    logs = [flow.path(f"work/jobs/job-{number}.log").read_text() for number in range(4)]
    assert all("8 of 8 cells made" in log for log in logs[:3])
    assert "24 cells asked, 24 made" in logs[3]
    assert jobs() == {}
    again = flow.luigi(run=run_alone)
    assert again.returncode == 0
    assert len(flow.path("work/jobs/job-0.log").read_text().splitlines()) == 1


def test_killed_jobs_are_submitted_again(flow, expected, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{slow(flow)}:{os.environ.get('PYTHONPATH', '')}")
    run = start(flow)
    wait_until(lambda: "RUNNING" in jobs().values())
    killed = next(name for name, state in jobs().items() if state == "RUNNING")
    # As when a node fails: every process of the job is gone at once.
    subprocess.run([program("scancel"), "--full", "--signal=KILL", killed], check=True)
    monkeypatch.undo()
    assert run.wait(200) == 0
    assert results_of(flow) == expected


def test_a_node_that_is_lost_ends_no_run(flow, expected, slurm, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{slow(flow)}:{os.environ.get('PYTHONPATH', '')}")
    run = start(flow)
    wait_until(lambda: "n2" in nodes())
    monkeypatch.undo()
    lose_node(slurm, "n2")
    try:
        wait_until(lambda: "n2" not in nodes())
        assert run.wait(200) == 0
    finally:
        bring_back(slurm, "n2")
    assert results_of(flow) == expected


def end_its_time(job):
    """Let the time limit of a running job be now: Slurm counts limits in whole minutes."""
    update = [program("scontrol"), "update", f"JobId={job}", "EndTime=now"]
    subprocess.run(update, check=True)


def test_a_job_at_its_time_limit_is_submitted_again(flow, expected, monkeypatch):
    once = flow.path("slept")
    flow.path("sitecustomize.py").write_text(
        "import os, time\n"
        f"if os.environ.get('SLURM_ARRAY_TASK_ID') == '1' and not os.path.exists({str(once)!r}):\n"
        f"    open({str(once)!r}, 'w').close()\n"
        "    time.sleep(600)\n"
    )
    flow.options["slurm_time"] = "1"
    monkeypatch.setenv("PYTHONPATH", f"{flow.folder}:{os.environ.get('PYTHONPATH', '')}")
    run = start(flow)
    wait_until(once.exists)
    end_its_time(next(job for job in jobs() if job.endswith("_1")))
    assert run.wait(200) == 0
    assert "DUE TO TIME LIMIT" in flow.path("work/jobs/job-1.log").read_text()
    assert results_of(flow) == expected


def test_a_run_that_starts_anew_finds_its_jobs(flow, expected, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{slow(flow)}:{os.environ.get('PYTHONPATH', '')}")
    first = start(flow)
    wait_until(lambda: len(jobs()) >= 3)
    submitted = set(jobs())
    first.kill()
    first.wait()
    assert set(jobs()) <= submitted
    second = start(flow)
    assert second.wait(200) == 0
    assert results_of(flow) == expected
    record = json.loads(flow.path("work/jobs/submitted.json").read_text())
    chunks = {f"{job}_{number}" for name, (job, number) in record.items() if "Chunk" in name}
    assert chunks <= submitted


def test_an_interrupt_cancels_the_jobs(flow, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{slow(flow)}:{os.environ.get('PYTHONPATH', '')}")
    run = start(flow)
    wait_until(lambda: len(jobs()) >= 3)
    run.send_signal(signal.SIGINT)
    assert run.wait(60) != 0
    # A node may take long to tell that a cancelled job has left it.
    wait_until(lambda: set(jobs().values()) <= {"CANCELLED", "COMPLETING"})


def test_pieces_are_made_without_slurm(flow, expected):
    flow.options["launcher"] = "inprocess"
    flow.write_cfg()
    words = ["--hide-progress-bar"]
    for name, value in flow.options.items():
        if value not in ("", "true"):
            words += [f"--{name.replace('_', '-')}", str(value)]
    planned = flow.command("plan-pieces", *words)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    pieces = flow.path("work/jobs/pieces.json")
    assert f"Pieces 0 to 3 are in {pieces}" in planned.stdout

    def make(number, program=(COMMAND,), run=run_forked):
        command = [*program, "make-piece", pieces, number]
        return run(command, flow.folder.parent, environment(), 100)

    early = make(3, (sys.executable, "-m", "region_grower_flow.cli"), run_alone)
    assert early.returncode == 2
    assert "needs what has not been made: SynthesizeChunk_0-8" in early.stderr
    for number in (2, 0, 1, 3):
        done = make(number)
        assert done.returncode == 0, done.stderr
    assert "SynthesizeMorphologies is up to date" in make(3).stdout
    assert make(4).returncode == 2
    assert results_of(flow) == expected
