"""Fixtures that all tests share."""

import os
import signal
import subprocess
import uuid
from pathlib import Path

import pytest

from helpers.marked_processes import MARK, marked_processes
from helpers.real_parts import needs

SHARED = Path(__file__).resolve().parents[2] / "shared"

WITH_KERNELS = {
    "api",
    "cell",
    "engine",
    "flow",
    "golden",
    "report",
    "space",
    "stages",
    "validation",
}
"""Folders of tests that run compiled kernels."""


FIRST = "slurm", "longest"
"""Marks of tests that begin before all others, in this order."""


def pytest_collection_modifyitems(items):
    """Those first that the other processes would wait for at the end.

    Tests of Slurm mostly wait themselves, and one process makes all of them, one after the other:
    pytest-xdist gives each process a part of the list as it is, and those that have no more take
    from the end of others' parts. Meanwhile the others compute.
    """
    items.sort(key=lambda item: [item.get_closest_marker(mark) is None for mark in FIRST])


def heed_signals():
    """Undo that a shell or nohup has these ignored: what tests start would ignore them too."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            usual = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if usual else signal.SIG_DFL)


def pytest_sessionstart(session):
    """Fill the kernel cache before test modules import kernels: each would compile its own.

    The first process compiles (once per state of the kernels), the others wait for it.
    """
    heed_signals()
    if session.config.option.collectonly:
        return
    folders = {part for word in session.config.args for part in Path(word.split("::")[0]).parts}
    if folders & WITH_KERNELS or folders <= {"tests"}:  # all tests, where none are named
        from region_grower_flow.engine import filling

        filling.fill()


@pytest.fixture(scope="session", autouse=True)
def _no_configuration():
    """Tasks without the options of the checkout's luigi.cfg, which Luigi reads at its import."""
    from luigi.configuration import get_config

    get_config().remove_section("region_grower_flow")


@pytest.fixture(scope="session")
def shared():
    """The folder of golden scenarios and real data beside the checkout; skips when absent."""
    if not (SHARED / "golden").is_dir():
        pytest.skip("no folder 'shared' beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def kernels():
    """Compiled kernels on disk, before anything that is timed out starts a process."""
    from region_grower_flow.engine import filling

    filling.fill()


@pytest.fixture
def mpi():
    """A usable mpiexec."""
    from region_grower_flow.runtime.trial import mpi_works

    needs(*mpi_works())


@pytest.fixture(autouse=True)
def _mpi_where_marked(request):
    if request.node.get_closest_marker("mpi"):
        request.getfixturevalue("mpi")


@pytest.fixture
def mark(monkeypatch):
    """A mark in the environment of all processes that the test starts; none is left after it."""
    value = uuid.uuid4().hex
    monkeypatch.setenv(MARK, value)
    yield value
    for pid in marked_processes(value):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def mount():
    """Mounts file systems in memory, or mounts them anew with other options."""
    mounted = []

    def do(folder, options):
        folder.mkdir(parents=True, exist_ok=True)
        options = ("remount," if folder in mounted else "") + options
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        needs(done.returncode == 0, f"a file system cannot be mounted here ({done.stderr.strip()})")
        mounted.append(folder)

    yield do
    for folder in set(mounted):
        subprocess.run(["umount", "-l", str(folder)], check=False)
