"""Only mtypes that the cells need are calibrated, whatever else has reconstructions."""

import csv
import json

import pytest

from helpers.bad.bases import calibration, change_nodes, set_mtypes
from helpers.flow_factory import stages_run
from helpers.reference_cells import INTERNEURON, PYRAMIDAL

pytestmark = pytest.mark.slow

FITTED = {"trunk_fits": "all", "scaling_rules": "rules.json", "overrides": "overrides.json"}
RULES = {"default": {"basal_dendrite": {"extent_to_target": {"layer": "L1", "fraction": 0.8}}}}
OF_BOTH = {
    PYRAMIDAL: {"basal_dendrite": {"randomness": 0.2}},
    INTERNEURON: {"basal_dendrite": {"randomness": 0.3}},
    "*": {"apical_dendrite": {"randomness": 0.1}},
}


@pytest.fixture
def flow(tmp_path, kernels):
    """A flow of two mtypes with reconstructions whose cells are all interneurons."""
    made = calibration(tmp_path / "flow")
    made.options.update(FITTED, processes=1)
    made.write_json("rules.json", RULES)
    made.write_json("overrides.json", OF_BOTH)
    change_nodes(made, lambda nodes: set_mtypes(nodes, [INTERNEURON] * 8))
    return made


def run(flow, **more):
    process = flow.luigi(**more)
    assert process.returncode == 0, process.stdout + process.stderr
    return stages_run(process)


def mtypes_of(flow, name):
    return set(flow.json(f"work/{name}.json")["default"])


def break_cells(flow, mtype):
    """Make the reconstructions of an mtype unusable."""
    for line in flow.path("neurondb.dat").read_text().splitlines():
        name, _, own = line.split()
        if own == mtype:
            next(flow.path("cells").glob(f"{name}.*")).write_bytes(b"none")


def test_other_mtypes_are_neither_made_nor_read(flow):
    break_cells(flow, PYRAMIDAL)
    run(flow)
    for name in ("tmd_distributions", "tmd_parameters", "trunk_fits", "path_distance_fits"):
        assert mtypes_of(flow, name) == {INTERNEURON}
    assert flow.json("work/tmd_parameters.json")["default"][INTERNEURON]["basal_dendrite"][
        "randomness"
    ] == pytest.approx(0.3)
    assert run(flow) == set()
    break_cells(flow, INTERNEURON)
    assert flow.luigi().returncode != 0


def test_a_misspelt_mtype_in_overrides_is_still_told(flow):
    flow.write_json("overrides.json", {f"{PYRAMIDAL}x": OF_BOTH[PYRAMIDAL]})
    process = flow.luigi()
    assert process.returncode != 0
    assert f"unknown mtype '{PYRAMIDAL}x'" in process.stdout + process.stderr


def test_another_choice_of_mtypes_keeps_what_there_is(flow):
    run(flow)
    first = json.loads(flow.path("work/tmd_distributions.json").read_text())
    kept = {path: path.stat().st_mtime_ns for path in flow.path("work/extracted").glob("*.json")}
    assert len(kept) == 1
    change_nodes(flow, lambda nodes: set_mtypes(nodes, [INTERNEURON] * 7 + [PYRAMIDAL]))
    run(flow)
    assert mtypes_of(flow, "tmd_distributions") == {INTERNEURON, PYRAMIDAL}
    again = json.loads(flow.path("work/tmd_distributions.json").read_text())
    assert repr(again["default"][INTERNEURON]) == repr(first["default"][INTERNEURON])
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    assert (flow.summary["grown_now"], flow.summary["taken_over"]) == (1, 7)
    # Back to fewer mtypes: nothing is extracted or grown but the cell that is another.
    change_nodes(flow, lambda nodes: set_mtypes(nodes, [INTERNEURON] * 8))
    run(flow)
    assert mtypes_of(flow, "tmd_distributions") == {INTERNEURON}
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    assert (flow.summary["grown_now"], flow.summary["taken_over"]) == (1, 7)


def test_cells_without_an_atlas_are_of_all_mtypes(flow):
    """The same configuration serves both; the vacuum does not know the cells in the atlas."""
    flow.options.update(vacuum_cells=1, vacuum_dir="vacuum")
    del flow.options["scaling_rules"]
    run(flow, task="SynthesizeVacuum")
    with open(flow.path("vacuum/index.csv"), encoding="utf-8") as file:
        assert {row["mtype"] for row in csv.DictReader(file)} == {INTERNEURON, PYRAMIDAL}


def test_a_cell_whose_axon_is_bad(flow):
    """``use_axon_excludes = cell`` is the reading of synthesis-workflow."""
    rows = [line.split() for line in flow.path("neurondb.dat").read_text().splitlines()]
    names = [name for name, _, mtype in rows if mtype == INTERNEURON]
    lines = ["name,mtype,use_axon", *(f"{n},{INTERNEURON},{n != names[0]}" for n in names)]
    flow.path("table.csv").write_text("\n".join(lines) + "\n")
    flow.options["dat_file"] = "table.csv"
    flow.write_json("overrides.json", {})
    counts = []
    for reading in ("axon", "cell"):
        flow.options["use_axon_excludes"] = reading
        assert "ExtractDistributions" in run(flow, task="ExtractDistributions")
        found = flow.json("work/tmd_distributions.json")["default"][INTERNEURON]
        counts.append(sum(found["basal_dendrite"]["num_trees"]["data"]["weights"]))
    assert counts == [len(names), len(names) - 1]
