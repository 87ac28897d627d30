"""Inputs that change while a run goes on: told in one sentence, and nothing wrong is kept."""

import os
import signal

import pytest

from helpers.bad.bases import write_axons
from helpers.flow_faults import Faults
from helpers.rich_flow import (
    change_volume,
    clean_outputs,
    differing,
    make_rich_flow,
    outputs_of,
    write_donors,
)

pytestmark = pytest.mark.slow

CELLS = 8
CHANGED = "an input changed while the run was going on. Run again; nothing was lost."


@pytest.fixture
def faults(tmp_path, kernels, mark):
    """A flow whose cells take some time each, with a donor of an axon for each."""
    flow = make_rich_flow(tmp_path / "flow", chunksize=4, block_size=1)
    write_donors(flow.path("donors"), count=CELLS)
    write_axons(flow, [f"donor{i}" for i in range(CELLS)])
    found = Faults(flow, mark, seconds=0.15)
    yield found
    found.kill_all(signal.SIGKILL)


def run_with_a_change(faults, change):
    """Change an input while the first cells grow; returns the exit code."""
    process = faults.start()
    faults.wait_for_cells(2, process)
    os.killpg(process.pid, signal.SIGSTOP)
    change(faults.flow)
    os.killpg(process.pid, signal.SIGCONT)
    return process.wait(60)


def assert_as_clean(faults, tmp_path):
    faults.seconds = 0.0
    faults.run_to_end()
    clean = clean_outputs(faults.flow, tmp_path / "clean" / "flow")
    assert differing(outputs_of(faults.flow), clean) == []


def other_donors(flow):
    flow.path("donors").rename(flow.path("kept"))
    flow.path("donors").mkdir()
    write_donors(flow.path("donors"), seed=50, count=CELLS)


def other_mesh(flow):
    import trimesh

    trimesh.creation.box(bounds=[(40, 300, 40), (350, 1100, 350)]).export(
        flow.path("atlas/box.obj")
    )


def other_parameters(flow):
    path = flow.path("parameters.json")
    path.write_text(path.read_text().replace("0.24", "0.44"))


def other_heights(flow):
    change_volume(flow.path("atlas", "[PH]y.nrrd"), lambda raw: raw.__iadd__(5))


def test_donors_that_change_and_change_back(faults, tmp_path):
    assert run_with_a_change(faults, other_donors) != 0
    assert CHANGED in faults.text
    assert "Traceback" not in faults.text
    faults.flow.path("donors").rename(tmp_path / "others")
    faults.flow.path("kept").rename(faults.flow.path("donors"))
    assert_as_clean(faults, tmp_path)


@pytest.mark.parametrize("change", [other_mesh, other_parameters, other_heights])
def test_what_changes_is_told_once_and_counts_in_the_next_run(faults, tmp_path, change):
    code = run_with_a_change(faults, change)
    assert "Traceback" not in faults.text
    assert "Unfulfilled" not in faults.text
    assert code != 0
    assert faults.text.count("an input changed") == 1
    assert_as_clean(faults, tmp_path)


def test_what_is_only_touched_disturbs_nobody(faults, tmp_path):
    assert run_with_a_change(faults, lambda flow: os.utime(flow.path("parameters.json"))) == 0
    clean = clean_outputs(faults.flow, tmp_path / "clean" / "flow")
    assert differing(outputs_of(faults.flow), clean) == []
