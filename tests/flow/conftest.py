"""Small flows: one that has run is copied where a test wants to start from a finished run."""

import pytest

from helpers.bad.bases import make_bases
from helpers.flow_factory import finished_copy, make_flow
from helpers.flow_faults import Faults


@pytest.fixture
def flow(tmp_path, kernels):
    """The inputs of a small synthesis, not run yet."""
    return make_flow(tmp_path / "flow")


@pytest.fixture(scope="session")
def bases(tmp_path_factory, kernels):
    """{kind: Flow} of the flows that bad inputs are made from: to be copied, then spoilt."""
    return make_bases(tmp_path_factory.mktemp("bases"))


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory, kernels):
    flow = make_flow(tmp_path_factory.mktemp("finished") / "flow")
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    return flow


@pytest.fixture
def finished(finished_once, tmp_path):
    """A small synthesis that has run."""
    return finished_copy(finished_once, tmp_path / "flow")


@pytest.fixture
def mpi_flow(tmp_path, kernels, mpi):
    """Makes a flow of 24 cells that a real mpiexec grows."""
    return lambda cells=24, **options: make_flow(
        tmp_path / "flow", cells, **{"launcher": "mpiexec", **options}
    )


@pytest.fixture
def faulty(tmp_path, kernels, mark):
    """Makes Faults: a flow of so many cells, of which some are odd."""

    def make(cells=12, odd=None, seconds=0.0, **options):
        flow = make_flow(tmp_path / "flow", cells, **options)
        return Faults(flow, mark, {str(row): how for row, how in (odd or {}).items()}, seconds)

    return make


@pytest.fixture
def script(tmp_path):
    """Writes a shell script and returns its path."""

    def write(name, text):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    return write
