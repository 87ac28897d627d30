"""Small flows: one that has run is copied where a test wants to start from a finished run."""

import shutil

import pytest
from flow_factory import Flow, make_flow


@pytest.fixture
def flow(tmp_path, kernels):
    """The inputs of a small synthesis, not run yet."""
    return make_flow(tmp_path / "flow")


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory, kernels):
    flow = make_flow(tmp_path_factory.mktemp("finished") / "flow")
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    return flow


@pytest.fixture
def finished(finished_once, tmp_path):
    """A small synthesis that has run."""
    folder = tmp_path / "flow"
    shutil.copytree(finished_once.folder, folder, copy_function=shutil.copy2)
    flow = Flow(folder, dict(finished_once.options))
    # The listing and the manifests name absolute places: run once so that they name these.
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    return flow
