"""Shared by the runtime's tests: memory left behind, journals and files of fake cells."""

import contextlib
from pathlib import Path

import pytest

both_launchers = pytest.mark.parametrize(
    "how",
    ["inprocess", pytest.param("mpiexec", marks=pytest.mark.mpi)],
)


def orphaned_memory():
    """The shared memory of MPICH that no process has open."""
    names = {str(path) for path in Path("/dev/shm").glob("mpich_shm_*")}
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):
            names -= {line.split()[-1] for line in maps.read_text().splitlines()}
    return names


def journal(plan):
    """The rows that were begun, in order, repeated ones included."""
    path = Path(plan.settings["journal"])
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def files(plan):
    """{name: content} of the cells' files."""
    folder = Path(plan.settings["folder"])
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}
