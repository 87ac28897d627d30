"""The srun launcher under a real Slurm of one node, started here without systemd."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from helpers.marked_processes import marked_processes, wait_until_gone
from helpers.real_parts import needs
from helpers.runtime_helpers import files, journal
from region_grower_flow.errors import WorkerFailed
from region_grower_flow.record.blocks import finished_records
from region_grower_flow.runtime import commands
from region_grower_flow.runtime.processes import die_with_parent

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(180)]

DAEMONS = ("munged", "slurmctld", "slurmd")
PROGRAMS = (*DAEMONS, "srun", "sinfo", "scancel")

SLURM_CONF = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={first_port}
SlurmdPort={second_port}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=pmi2
ReturnToService=2
KillWait=5
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000
PartitionName=main Nodes={host} Default=YES State=UP OverSubscribe=YES
"""


def program(name):
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin")


def absent_parts():
    missing = [name for name in PROGRAMS if program(name) is None]
    return missing if os.geteuid() == 0 else [*missing, "the rights of root"]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A Slurm of this machine alone; its configuration is in SLURM_CONF meanwhile."""
    missing = absent_parts()
    needs(not missing, f"a real Slurm needs {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("slurm")
    # munge refuses sockets and keys below folders that others may write to.
    folder = folder.rename(f"/run/rgf-slurm-{secrets.token_hex(4)}")
    started, log = [], (folder / "daemons.log").open("ab")
    earlier = os.environ.get("SLURM_CONF")
    try:
        _configure(folder)
        os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
        started = [subprocess.Popen(c, **_quiet(log)) for c in _daemon_commands(folder)]
        _wait_for_node(folder)
        yield folder
        subprocess.run([program("scancel"), "--user=root"], check=False)
        _wait_for_node(folder)
    finally:
        for daemon in reversed(started):
            daemon.terminate()
        for daemon in started:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        log.close()
        os.environ.pop("SLURM_CONF", None)
        if earlier is not None:
            os.environ["SLURM_CONF"] = earlier
        shutil.rmtree(folder, ignore_errors=True)


def _quiet(log):
    return {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "preexec_fn": _session}


def _session():
    # The daemons end with the tests, even when these are killed.
    os.setsid()
    die_with_parent(signal.SIGTERM)


def _configure(folder):
    folder.chmod(0o755)
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(mode=0o700 if name == "munge" else 0o755)
    key = folder / "munge" / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    ports = [_free_port() for _ in range(2)]
    text = SLURM_CONF.format(
        host=socket.gethostname().split(".")[0],
        folder=folder,
        first_port=ports[0],
        second_port=ports[1],
    )
    (folder / "slurm.conf").write_text(text)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _daemon_commands(folder):
    conf = str(folder / "slurm.conf")
    munge = [program("munged"), "--foreground", "--force", f"--socket={folder}/munge.sock"]
    munge += [f"--key-file={folder}/munge/munge.key", f"--pid-file={folder}/munge/munged.pid"]
    munge += [f"--log-file={folder}/munge/log", f"--seed-file={folder}/munge/seed"]
    return [
        munge,
        [program("slurmctld"), "-D", "-i", "-f", conf],
        [program("slurmd"), "-D", "-f", conf],
    ]


def _wait_for_node(folder):
    deadline = time.monotonic() + 60
    sinfo = [program("sinfo"), "--noheader", "--format=%T"]
    while True:
        state = subprocess.run(sinfo, capture_output=True, text=True, check=False).stdout.strip()
        if state == "idle":
            return
        if time.monotonic() > deadline:
            logs = (folder / "daemons.log").read_text()[-2000:]
            pytest.fail(f"Slurm does not come up (node {state!r}): {logs}")
        time.sleep(0.2)


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
    plan = srun_plan(settings={"seconds": 0.02}, rows=range(200), block_cells=5)
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
