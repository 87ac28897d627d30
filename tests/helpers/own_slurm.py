"""A real Slurm of two nodes on this machine, started without systemd."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from helpers.real_parts import needs
from region_grower_flow.runtime.processes import die_with_parent

DAEMONS = ("munged", "slurmctld", "slurmd")
PROGRAMS = (*DAEMONS, "srun", "sbatch", "squeue", "sinfo", "scancel", "scontrol")
NODES = ("n1", "n2")

SLURM_CONF = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmctldPort={ports[0]}
ProctrackType=proctrack/linuxproc
TmpFS={folder}/tmp-%n
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=pmi2
ReturnToService=2
KillWait=5
SlurmdTimeout=10
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=1000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=1000
PartitionName=main Nodes=n1,n2 Default=YES State=UP OverSubscribe=YES
"""


def program(name):
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin")


def absent_parts():
    missing = [name for name in PROGRAMS if program(name) is None]
    return missing if os.geteuid() == 0 else [*missing, "the rights of root"]


@contextlib.contextmanager
def own_slurm():
    """A Slurm with two nodes, both this machine; its configuration is in SLURM_CONF meanwhile."""
    missing = absent_parts()
    needs(not missing, f"a real Slurm needs {', '.join(missing)}")
    # munge refuses sockets and keys below folders that others may write to.
    folder = Path(f"/run/rgf-slurm-{secrets.token_hex(4)}")
    folder.mkdir()
    started, log = [], (folder / "daemons.log").open("ab")
    earlier = os.environ.get("SLURM_CONF")
    try:
        _configure(folder)
        os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
        started = [subprocess.Popen(c, **_quiet(log)) for c in _daemon_commands(folder)]
        _wait_for_nodes(folder)
        yield folder
        subprocess.run([program("scancel"), "--user=root"], check=False)
        _wait_for_nodes(folder)
    finally:
        started += _BACK
        _BACK.clear()
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


def lose_node(folder, node):
    """End a node at once, with all that runs on it, as when its power fails."""
    # Its jobs' processes are known by what Slurm tells them; those of others are left alone.
    mark = f"SLURMD_NODENAME={node}".encode()
    conf = f"SLURM_CONF={folder}/slurm.conf".encode()
    os.kill(int((folder / f"slurmd-{node}.pid").read_text()), signal.SIGKILL)
    for place in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if {mark, conf} <= set(place.read_bytes().split(b"\0")):
                os.kill(int(place.parent.name), signal.SIGKILL)


def bring_back(folder, node):
    """Start a lost node again."""
    command = [program("slurmd"), "-D", "-f", str(folder / "slurm.conf"), "-N", node]
    with (folder / "daemons.log").open("ab") as log:
        _BACK.append(subprocess.Popen(command, **_quiet(log)))
    _wait_for_nodes(folder)


_BACK = []
"""Nodes that were started again: they end with their Slurm."""


def _quiet(log):
    return {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "preexec_fn": _session}


def _session():
    # The daemons end with the tests, even when these are killed.
    os.setsid()
    die_with_parent(signal.SIGTERM)


def _configure(folder):
    folder.chmod(0o755)
    own = (f"{kind}-{node}" for kind in ("spool", "tmp") for node in NODES)
    for name in ("munge", "state", *own):
        (folder / name).mkdir(mode=0o700 if name == "munge" else 0o755)
    key = folder / "munge" / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    ports = [_free_port() for _ in range(3)]
    host = socket.gethostname().split(".")[0]
    text = SLURM_CONF.format(host=host, folder=folder, ports=ports)
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
        *([program("slurmd"), "-D", "-f", conf, "-N", node] for node in NODES),
    ]


def _wait_for_nodes(folder):
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
