"""Trials of MPI: two ranks are started, to see that it works here."""

import contextlib
import functools
import importlib.metadata
import json
import os
import resource
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from region_grower_flow.engine import cache
from region_grower_flow.errors import InvalidInput, OutputFailed, WorkerFailed
from region_grower_flow.io.atomic import make_folder, write_json_atomic
from region_grower_flow.runtime import commands, processes
from region_grower_flow.runtime.privacy import hide_environment

CHECK_SECONDS = 60
"""Seconds for two ranks to start and say how many they are."""


TRIALS = 2
"""A trial that dies without a word may have been killed from outside: it is made once more."""

SILENCE = "it said nothing"

REMEMBERED, MANY_HOSTS = "launchers.json", 1000
"""The file beside the cache of kernels that remembers which mpiexec worked, by host."""

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
    known = _remembered() if launcher == commands.MPIEXEC else None
    if known is not None and known.state() == known.kept():
        return True, f"{known.program} starts ranks of mpi4py (as it did before)."
    works, sentence = try_launcher(launcher)
    if works and known is not None:
        known.keep()
    return works, sentence


def try_launcher(launcher: str) -> tuple[bool | None, str]:
    """The answer of :func:`launcher_works`, by a new trial: nothing is remembered."""
    problem = file_size_problem()
    if problem:
        return False, problem
    for _ in range(TRIALS):
        works, sentence = _try_once(launcher)
        if works is not False or not sentence.endswith(SILENCE):
            break
    return works, sentence


@dataclass(frozen=True)
class _Memory:
    """A trial of mpiexec that worked, remembered by what it depends on."""

    program: str

    def state(self) -> list[object]:
        """The host, the program and its state, Python, and the version of mpi4py."""
        found = os.stat(self.program)
        here = [socket.gethostname(), sys.executable, importlib.metadata.version("mpi4py")]
        return [*here, self.program, found.st_size, found.st_mtime_ns, found.st_ino]

    @property
    def _path(self) -> Path:
        return cache.base_folder() / REMEMBERED

    def kept(self) -> object:
        """The state at the last trial that worked; None when there is none."""
        try:
            return json.loads(self._path.read_text(encoding="utf-8")).get(socket.gethostname())
        except (OSError, ValueError, AttributeError):
            return None

    def keep(self) -> None:
        """Remember today's state; where that cannot be, the next run tries again."""
        with contextlib.suppress(OSError, OutputFailed):
            try:
                known = json.loads(self._path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                known = {}
            known = known if isinstance(known, dict) and len(known) < MANY_HOSTS else {}
            make_folder(self._path.parent)
            write_json_atomic(self._path, {**known, socket.gethostname(): self.state()})


def _remembered() -> _Memory | None:
    """The memory of mpiexec's trials; None where there is nothing to remember them by."""
    with contextlib.suppress(InvalidInput, OSError, importlib.metadata.PackageNotFoundError):
        memory = _Memory(commands.find_mpiexec())
        memory.state()
        return memory
    return None


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
        return False, f"mpi4py is not installed: {commands.INSTALL_MPI}."
    return False, f"{program} could not start two ranks of mpi4py: {last or SILENCE}"
