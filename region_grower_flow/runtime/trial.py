"""Trials of MPI: two ranks are started, to see that it works here."""

import contextlib
import functools
import json
import os
import resource
import subprocess

from region_grower_flow.errors import InvalidInput, WorkerFailed
from region_grower_flow.runtime import commands, processes
from region_grower_flow.runtime.privacy import hide_environment

CHECK_SECONDS = 60
"""Seconds for two ranks to start and say how many they are."""


TRIALS = 2
"""A trial that dies without a word may have been killed from outside: it is made once more."""

SILENCE = "it said nothing"

MPI_FILE_SIZE = 10_000_000
"""Bytes of the largest file that a rank of MPICH makes in shared memory (measured: below 10 MB)."""


def file_size_problem() -> str | None:
    """A sentence when the file-size limit is too small for MPI, else None.

    MPI's shared memory counts as files: below a few MB its ranks die with odd messages.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit == resource.RLIM_INFINITY or limit >= MPI_FILE_SIZE:
        return None
    return (
        f"The file-size limit of {limit} bytes is too small for MPI, which needs files of "
        f"{MPI_FILE_SIZE} bytes in shared memory; raise it (ulimit -f) and run again."
    )


def mpi_works() -> tuple[bool | None, str]:
    """True if a usable mpiexec and mpi4py are here: see :func:`launcher_works`."""
    return launcher_works(commands.MPIEXEC)


@functools.cache
def launcher_works(launcher: str) -> tuple[bool | None, str]:
    """True if a launcher starts two ranks of mpi4py as one job: (bool or None, a sentence).

    None: it did not answer in time, as launchers that wait for their turn in a queue do not.
    Starts the ranks once.

    Args:
        launcher: "mpiexec", or a template.
    """
    problem = file_size_problem()
    if problem:
        return False, problem
    for _ in range(TRIALS):
        works, sentence = _try_once(launcher)
        if works is not False or not sentence.endswith(SILENCE):
            break
    return works, sentence


def _try_once(launcher: str) -> tuple[bool | None, str]:
    try:
        command = commands.launch_command(launcher, 2, commands.worker_command(None, 2))
        environment = commands.rank_environment(os.environ, launcher)
        process = processes.start(command, environment)
    except (InvalidInput, WorkerFailed) as error:
        return False, str(error)
    try:
        out, err = process.communicate(timeout=CHECK_SECONDS)
    except subprocess.TimeoutExpired:
        return None, f"{command[0]} did not start two ranks within {CHECK_SECONDS} s."
    finally:
        processes.stop(process)
    return _check_answer(command[0], out, err)


def _check_answer(program: str, out: bytes, err: bytes) -> tuple[bool, str]:
    answers = []
    for line in out.decode(errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            answers.append(json.loads(line))
    sizes = [a.get("size") for a in answers if isinstance(a, dict) and a.get("event") == "ranks"]
    if sizes == [2, 2]:
        return True, f"{program} starts ranks of mpi4py."
    said = [a["message"] for a in answers if isinstance(a, dict) and "message" in a]
    if said:
        return False, said[0]
    last = " ".join(hide_environment(err.decode(errors="replace")).split()[-40:])
    if "No module named mpi4py" in last:
        return False, "mpi4py is not installed: install the package with its extra 'mpi'."
    return False, f"{program} could not start two ranks of mpi4py: {last or SILENCE}"
