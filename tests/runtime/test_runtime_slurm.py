"""The srun launcher under a real Slurm of one node, started here without systemd."""

import os
import shutil
import signal
import sys
import time

import pytest

from helpers.marked_processes import marked_processes, wait_until_gone
from helpers.own_slurm import own_slurm
from helpers.runtime_helpers import files, journal
from region_grower_flow.errors import WorkerFailed
from region_grower_flow.record.blocks import finished_records
from region_grower_flow.runtime import commands

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def slurm():
    """A Slurm of this machine alone; its configuration is in SLURM_CONF meanwhile."""
    with own_slurm() as folder:
        yield folder


@pytest.fixture
def srun_plan(slurm, fake, monkeypatch):
    """Makes plans for srun, outside of any allocation."""
    for name in [n for n in os.environ if n.startswith("SLURM_") and n != "SLURM_CONF"]:
        monkeypatch.delenv(name)

    def make(**options):
        return fake(launcher="srun", workers=2, **options)

    return make


def test_srun_grows_a_chunk(srun_plan, run, fake, mark):
    told = []
    plan = srun_plan(settings={"seconds": 0.02})
    outcome = run(plan, told.append)
    assert outcome.launches == 1
    assert told[-1].done == 60
    reference = run(fake("reference", launcher="inprocess"))
    assert outcome.records == reference.records
    assert files(plan) == files(fake("reference"))
    assert marked_processes(mark) == {}


def test_crashing_cell_under_srun_is_dropped(srun_plan, run, mark):
    outcome = run(srun_plan(settings={"odd": {"17": "segfault"}}))
    assert outcome.dropped == 1
    assert "Segmentation fault" in outcome.records[17]["reason"]
    assert marked_processes(mark) == {}


def test_killed_and_hanging_cells_under_srun_are_dropped(srun_plan, run, mark):
    odd = {"17": "kill", "40": "hang"}
    outcome = run(srun_plan(settings={"odd": odd}, cell_timeout=1.0, hang_grace=0.5))
    dropped = {r: v["reason"] for r, v in outcome.records.items() if v["status"] == "dropped"}
    assert set(dropped) == {17, 40}
    assert "time limit" in dropped[40]
    assert marked_processes(mark) == {}


def test_srun_of_another_mpi_is_found_at_once(srun_plan, run):
    plan = srun_plan(srun_options=["--mpi=none"])
    with pytest.raises(WorkerFailed, match="3 single processes"):
        run(plan)
    assert journal(plan) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_parent_of_srun_leaves_nothing(srun_plan, start_parent, mark, number):
    plan = srun_plan(settings={"seconds": 0.02}, rows=range(200), block_size=5)
    parent = start_parent(plan)
    deadline = time.monotonic() + 60
    while len(journal(plan)) < 60:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    parent.send_signal(number)
    parent.communicate(timeout=20)
    wait_until_gone(mark)
    kept = len(finished_records(plan.blocks_folder))
    assert 0 < kept < 200
    out, err = start_parent(plan).communicate(timeout=60)
    assert f"begins {200 - kept}" in out
    assert "ends" in out, err
    assert len(finished_records(plan.blocks_folder)) == 200


@pytest.mark.mpi
def test_mpiexec_within_a_slurm_step(slurm, srun_plan, fake, start_parent, mpi, mark):
    """Plain mpiexec within a step would start its ranks by srun and wait for ever."""
    plan = fake(launcher="mpiexec", workers=2)
    step = [shutil.which("srun"), "--ntasks=1", "--mpi=none"]
    out, err = start_parent(plan, prefix=step).communicate(timeout=90)
    assert "ends" in out, err
    assert len(finished_records(plan.blocks_folder)) == 60


def test_srun_is_the_one_of_the_path(slurm):
    command = commands.launch_command("srun", 2, [sys.executable])
    assert command[0] == shutil.which("srun")
