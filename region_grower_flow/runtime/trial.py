"""Whether MPI works here, found out by trying."""

import contextlib
import functools
import json
import os
import subprocess

from region_grower_flow.errors import InvalidInput, WorkerFailed
from region_grower_flow.runtime import commands, processes

CHECK_SECONDS = 60
"""For two ranks to start and say how many they are."""


@functools.cache
def mpi_works():
    """Whether a usable mpiexec and mpi4py are here: (bool, a sentence). Starts two ranks once."""
    try:
        command = commands.launch_command(commands.MPIEXEC, 2, commands.worker_command(None, 2))
        environment = commands.rank_environment(os.environ, commands.MPIEXEC)
        process = processes.start(command, environment)
    except (InvalidInput, WorkerFailed) as error:
        return False, str(error)
    try:
        out, err = process.communicate(timeout=CHECK_SECONDS)
    except subprocess.TimeoutExpired:
        return False, f"{command[0]} did not start two ranks within {CHECK_SECONDS} s."
    finally:
        processes.stop(process)
    return _check_answer(command[0], out, err)


def _check_answer(mpiexec, out, err):
    answers = []
    for line in out.decode(errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            answers.append(json.loads(line))
    sizes = [a.get("size") for a in answers if isinstance(a, dict) and a.get("event") == "ranks"]
    if sizes == [2, 2]:
        return True, f"{mpiexec} starts ranks of mpi4py."
    said = [a["message"] for a in answers if isinstance(a, dict) and "message" in a]
    if said:
        return False, said[0]
    last = " ".join(err.decode(errors="replace").split()[-40:])
    if "No module named mpi4py" in last:
        return False, "mpi4py is not installed: install the package with its extra 'mpi'."
    return False, f"{mpiexec} could not start two ranks of mpi4py: {last or 'it said nothing'}"
