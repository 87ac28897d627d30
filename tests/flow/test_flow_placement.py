"""Placement, slices and the choice of axons as tasks, run by the luigi command."""

import importlib
import json

import numpy as np
import pytest
import yaml
from luigi.task_register import Register

from helpers.atlas_factory import load_raw, make_atlas, save_volume
from helpers.flow_factory import Flow, make_flow, stages_run, write_nodes
from helpers.sentences import says
from region_grower_flow.errors import InvalidInput
from region_grower_flow.example.create import create_example
from region_grower_flow.io.axons import load_axon_table
from region_grower_flow.io.cells import read_cells

pytestmark = pytest.mark.slow

DENSITIES = {"PC": {"COL;L2": 9000.0}, "IN": {"COL;L2": 3000.0, "COL;L1": 1000.0}}


@pytest.fixture
def flow(tmp_path):
    """A small atlas and densities, and the options of the tasks."""
    folder = tmp_path / "flow"
    make_atlas(folder / "atlas")
    (folder / "densities.yaml").write_text(yaml.safe_dump(DENSITIES))
    (folder / "donors.csv").write_text("name,mtype,layer\na,PC,2\nb,PC,2\nc,PC,2\n")
    return Flow(
        folder,
        {
            "work_dir": "work",
            "atlas": "atlas",
            "region_structure": "atlas/region_structure.yaml",
            "densities": "densities.yaml",
            "placed_cells": "out/placed.h5",
            "planes_region": "COL",
            "planes_count": 2,
            "out_planes": "out/planes.json",
            "slice_from": "out/placed.h5",
            "slice_n_cells": 5,
            "slice_planes": "out/planes.json",
            "sliced_cells": "out/sliced.h5",
            "input_cells": "out/sliced.h5",
            "axon_donors": "donors.csv",
            "chosen_axons": "out/axons.tsv",
        },
    )


def task_of(flow, name, **more):
    """A task with the flow's options, in this process."""
    importlib.import_module("region_grower_flow.tasks")  # Luigi knows all names then
    task_class = Register.get_task_cls(name)
    own = {option for option, _ in task_class.get_params()}
    options = {**flow.options, **more}
    return task_class(**{option: value for option, value in options.items() if option in own})


def ran(flow, task, *arguments):
    """Run a task; returns the names of what has run."""
    process = flow.luigi(*arguments, task=task)
    assert process.returncode == 0, process.stdout + process.stderr
    return stages_run(process)


def facts(flow, task):
    return flow.json(f"work/manifests/{task}.json")["facts"]


@pytest.mark.slow
def test_from_densities_to_axons(flow):
    assert "PlaceCells" in ran(flow, "PlaceCells")
    cells = read_cells(flow.path("out", "placed.h5"))
    assert len(cells) == 576 + 192 + 48
    assert set(cells.properties["layer"]) == {"1", "2"}
    assert cells.population == "default"
    report = flow.path("out", "placed_report.csv").read_text().splitlines()
    assert report == [
        "mtype,region,expected,placed",
        "IN,COL;L1,48.0,48",
        "IN,COL;L2,192.0,192",
        "PC,COL;L2,576.0,576",
    ]
    ran(flow, "CreatePlanes")
    ran(flow, "SliceCells")
    sliced = read_cells(flow.path("out", "sliced.h5"))
    assert len(sliced) == 2 * 2 * 5
    rows = sliced.properties["original_id"].to_numpy()
    np.testing.assert_array_equal(sliced.positions, cells.positions[rows])
    ran(flow, "ChooseAxons")
    names, _ = load_axon_table(flow.path("out", "axons.tsv"), range(20))
    mtypes = sliced.properties["mtype"].to_numpy()
    assert {name is None for name in names[mtypes == "IN"]} == {True}
    assert set(names[mtypes == "PC"]) <= {"a", "b", "c"}
    assert facts(flow, "ChooseAxons")["without"] == 10
    # All cells get the axons that the slice gets.
    flow.options["input_cells"] = "out/placed.h5"
    ran(flow, "ChooseAxons")
    everything, _ = load_axon_table(flow.path("out", "axons.tsv"), range(816))
    np.testing.assert_array_equal(names, everything[rows])


@pytest.mark.slow
def test_a_placement_is_made_again_only_when_its_inputs_change(flow):
    ran(flow, "PlaceCells")
    before = flow.path("out", "placed.h5").read_bytes()
    assert ran(flow, "PlaceCells") == set()
    flow.options["placement_seed"] = 1
    assert "PlaceCells" in ran(flow, "PlaceCells")
    assert flow.path("out", "placed.h5").read_bytes() != before
    flow.path("densities.yaml").write_text(yaml.safe_dump({"PC": DENSITIES["PC"]}))
    assert "PlaceCells" in ran(flow, "PlaceCells")
    assert len(read_cells(flow.path("out", "placed.h5"))) == 576
    flow.options["placed_cells"] = "out/other.mvd3"
    assert "PlaceCells" in ran(flow, "PlaceCells")
    assert len(read_cells(flow.path("out", "other.mvd3"))) == 576


def test_a_changed_volume_of_densities_is_noticed(flow, monkeypatch):
    monkeypatch.chdir(flow.folder)
    shape = load_raw(flow.path("atlas", "brain_regions.nrrd")).shape
    flow.path("densities.yaml").write_text("{PC: {COL;L2: '{PC}'}}")
    found = []
    for density in (9000.0, 4500.0):
        save_volume(flow.path("atlas", "PC.nrrd"), np.full(shape, density))
        task = task_of(flow, "PlaceCells")
        cells = task.make()[1]["cells"]
        found.append((task.recipe().fingerprint(), cells))
    assert [cells for _, cells in found] == [576, 288]
    assert found[0][0] != found[1][0]


@pytest.mark.slow
def test_cells_beside_the_atlas_can_be_placed_again(flow):
    """An output in a folder of inputs is ours when we have written it."""
    flow.options["placed_cells"] = "atlas/placed.h5"
    ran(flow, "PlaceCells")
    flow.options["placement_seed"] = 3
    assert "PlaceCells" in ran(flow, "PlaceCells")
    flow.options["work_dir"] = "another"
    process = flow.luigi(task="PlaceCells")
    assert process.returncode == 30
    assert says(process.stdout + process.stderr, "overwrite | folder of the atlas")


def test_properties_of_placed_cells(flow, monkeypatch):
    monkeypatch.chdir(flow.folder)
    shape = load_raw(flow.path("atlas", "brain_regions.nrrd")).shape
    sides = np.ones(shape, dtype=np.uint8)
    sides[:, :, 2:] = 2
    save_volume(flow.path("atlas", "hemisphere.nrrd"), sides)
    flow.path("taxonomy.tsv").write_text("mtype mClass sClass\nPC PYR EXC\nIN INT INH\n")
    task_of(
        flow,
        "PlaceCells",
        hemisphere_volume="hemisphere",
        mtype_taxonomy="taxonomy.tsv",
        placed_orientations="atlas",
        placed_population="mine",
        out_placement_mask="out/mask.nrrd",
        placed_region="COL;L2",
    ).make()
    cells = read_cells(flow.path("out", "placed.h5"))
    found = cells.properties
    assert cells.population == "mine"
    np.testing.assert_array_equal(found["hemisphere"] == "left", cells.positions[:, 2] < 200)
    assert set(zip(found["mtype"], found["morph_class"], found["synapse_class"], strict=True)) == {
        ("PC", "PYR", "EXC"),
        ("IN", "INT", "INH"),
    }
    traits = {"mtype": "PC", "morph_class": "PYR"}
    entry = {"density": 9000, "region": "COL;L2", "traits": traits}
    flow.path("twice.yaml").write_text(yaml.safe_dump({"version": "v2.0", "neurons": [entry]}))
    twice = {"densities": "twice.yaml", "mtype_taxonomy": "taxonomy.tsv"}
    (problem,) = task_of(flow, "PlaceCells", **twice).own_check().problems()
    assert says(problem, "'morph_class' | densities")
    mask = load_raw(flow.path("out", "mask.nrrd"))
    regions = load_raw(flow.path("atlas", "brain_regions.nrrd"))
    np.testing.assert_array_equal(mask == 1, regions == 3)


def refused(flow, task):
    """The sentences with which a task refuses its inputs."""
    process = flow.luigi(task=task)
    assert process.returncode == 30, process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr
    assert not flow.path("out").exists()
    return process.stdout + process.stderr


def test_wrong_densities_are_refused_before_any_work(flow):
    flow.path("densities.yaml").write_text("{PC: {COL;L9: 9000}, IN: {COL;L1: absent}}")
    flow.options["mtype_taxonomy"] = "densities.yaml"
    text = refused(flow, "PlaceCells")
    assert "no region 'COL;L9'" in text
    flow.options.update(out_cells="out/nodes.h5", slice_from="other.h5")
    assert "the steps hand on out/placed.h5" in refused(flow, "SynthesizeFromDensities")
    assert "no volume 'absent'" in text
    assert "the column 'mClass' is missing" in text


def problems(flow, task, monkeypatch):
    """The findings of a task's check, in this process, as one text."""
    monkeypatch.chdir(flow.folder)
    try:
        found = task_of(flow, task).own_check().problems()
    except InvalidInput as error:  # an option that is wrong in itself
        found = [error]
    return " ".join(map(str, found))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ""),
        ({"placed_cells": "out/placed.csv"}, "its extension must be .h5 or .mvd3"),
        ({"placed_cells": "densities.yaml"}, "would overwrite the densities"),
        ({"placement_mask": "absent"}, "no volume 'absent'"),
        ({"placed_region": "COLL"}, "no region 'COLL'"),
        ({"boundary_distance": 1e6}, "no cell would be placed"),
        ({"density_factor": -1}, "must be at least 0"),
        ({"density_rounding": "up"}, "not one of the choices"),
    ],
)
def test_wrong_options_of_a_placement_are_refused(flow, monkeypatch, options, words):
    flow.options.update(options)
    found = problems(flow, "PlaceCells", monkeypatch)
    assert words in found
    assert bool(found) == bool(words)


def test_what_properties_need_is_looked_for_before_any_work(flow, monkeypatch):
    flow.path("taxonomy.tsv").write_text("mtype mClass sClass\nPC PYR EXC\n")
    save_volume(flow.path("atlas", "hemisphere.nrrd"), np.ones((3, 3, 3), dtype=np.uint8))
    save_volume(flow.path("atlas", "[PH]1.nrrd"), np.ones((3, 3, 3, 2), dtype=np.float32))
    flow.path("atlas", "[PH]2.nrrd").unlink()
    flow.options.update(mtype_taxonomy="taxonomy.tsv", hemisphere_volume="hemisphere")
    found = problems(flow, "PlaceCells", monkeypatch)
    assert says(found, "taxonomy.tsv: | not in it | IN")
    assert says(found, "hemisphere.nrrd: | 3 x 3 x 3 voxels | regions have")
    assert "[PH]1.nrrd: has 3 x 3 x 3 voxels" in found
    assert "no volume '[PH]2'" in found


@pytest.mark.parametrize(
    ("task", "options", "words"),
    [
        ("CreatePlanes", {}, ""),
        ("CreatePlanes", {"planes_region": "COLL"}, "no region 'COLL'"),
        ("CreatePlanes", {"planes_thickness": 5000}, "thicker than the line"),
        ("CreatePlanes", {"planes_first": "1,2"}, "3 numbers are expected"),
        ("SliceCells", {}, ""),
        ("SliceCells", {"slice_box": "1,2,3,0,5,6"}, "the least x,y,z"),
        ("SliceCells", {"slice_mtypes": "PC,XX"}, "no cell has the mtype 'XX'"),
        ("SliceCells", {"slice_planes": "densities.yaml"}, "expected a list of slices"),
        ("SliceCells", {"sliced_cells": "nodes.h5"}, "would overwrite the cells to slice"),
        ("ChooseAxons", {}, ""),
        ("ChooseAxons", {"axon_choice": "layers"}, "option base_morph_dir: is needed"),
        ("ChooseAxons", {"axon_scales": "0.9,x"}, "numbers are expected"),
        ("ChooseAxons", {"axon_scales": "0.9,-1"}, "at least 0.001"),
        ("ChooseAxons", {"axon_donors": "densities.yaml"}, "expected a table of reconstructions"),
        ("ChooseAxons", {"input_cells": "absent.h5"}, "no such file"),
    ],
)
def test_wrong_options_of_other_tasks_are_refused(flow, monkeypatch, task, options, words):
    write_nodes(flow.path("nodes.h5"), 20, 1200.0)
    del flow.options["slice_planes"]
    flow.options.update({"slice_from": "nodes.h5", "input_cells": "nodes.h5", **options})
    found = problems(flow, task, monkeypatch)
    assert words in found
    assert bool(found) == bool(words)


def test_too_many_cells_without_axon_stop_the_choice(flow, monkeypatch):
    write_nodes(flow.path("nodes.h5"), 20, 1200.0)
    monkeypatch.chdir(flow.folder)
    with pytest.raises(InvalidInput, match="have no axon for IN"):
        task_of(flow, "ChooseAxons", input_cells="nodes.h5", max_without_axon=0.9).make()
    assert not flow.path("work").exists()


def test_left_cells_by_the_middle_of_the_atlas(flow, monkeypatch):
    write_nodes(flow.path("nodes.h5"), 50, 1200.0)
    monkeypatch.chdir(flow.folder)
    del flow.options["slice_planes"]
    left = {"slice_hemisphere": "left", "sliced_cells": "left.h5"}
    task_of(flow, "SliceCells", slice_from="nodes.h5", **left).make()
    assert 0 < read_cells(flow.path("left.h5")).positions[:, 2].max() < 200.0


@pytest.mark.slow
def test_the_example_by_layers(tmp_path):
    """The example's densities and donors: axons that fit are preferred, and grafting takes them."""
    example = create_example(tmp_path / "example", atlas="curved")
    options = {
        "work_dir": "work",
        "atlas": example.atlas_curved,
        "region_structure": example.region_structure,
        "densities": example.densities,
        "density_factor": 0.05,
        "placed_cells": "placed.h5",
        "input_cells": "placed.h5",
        "axon_donors": example.donor_table,
        "base_morph_dir": example.donors,
        "chosen_axons": "axons.tsv",
        "axon_choice": "layers",
        "axon_scales": "0.9,1.0,1.1",
    }
    flow = Flow(tmp_path, options)
    ran(flow, "PlaceCells")
    ran(flow, "ChooseAxons", "--axon-alpha", "3")
    donors = np.genfromtxt(
        flow.path("axons_donors.csv"), delimiter=",", names=True, dtype=None, encoding="utf-8"
    )
    better = {}
    for row in donors:
        better.setdefault(row["mtype"], []).append((row["mean_score"], row["chosen"]))
    pyramidal = [sorted(found) for mtype, found in better.items() if "TPC" in str(mtype)]
    assert all(low[1] < high[1] for low, high in pyramidal)
    flow.options["morph_axon"] = "axons.tsv"
    flow.options["max_drop_ratio"] = 0.5
    ran(flow, "LoadAtlas")
    assert (
        facts(flow, "LoadAtlas")["rows"]
        == len(read_cells(flow.path("placed.h5"))) - facts(flow, "ChooseAxons")["without"]
    )


@pytest.mark.slow
def test_placed_cells_are_synthesized(tmp_path, kernels):
    flow = make_flow(tmp_path / "flow")
    flow.path("densities.yaml").write_text("{PC: {COL;L2: 90}, IN: {COL;L2: 60}}")
    flow.options.update(densities="densities.yaml", placed_cells="nodes.h5")
    flow.path("nodes.h5").unlink()
    ran(flow, "PlaceCells")
    ran(flow, "SynthesizeMorphologies")
    placed, made = read_cells(flow.path("nodes.h5")), read_cells(flow.path("out", "nodes.h5"))
    assert len(placed) == len(made) == 10
    np.testing.assert_array_equal(made.positions, placed.positions)
    assert json.loads(flow.path("out", "nodes_summary.json").read_text())


@pytest.mark.slow
def test_from_densities_to_morphologies_in_one_command(tmp_path, kernels):
    flow = make_flow(tmp_path / "flow")
    flow.path("nodes.h5").unlink()
    del flow.options["input_cells"]
    flow.path("densities.yaml").write_text("{PC: {COL;L2: 150}, IN: {COL;L2: 60}}")
    flow.options.update(densities="densities.yaml", slice_n_cells=6)

    def made():
        return read_cells(flow.path("out", "nodes.h5")).properties["mtype"].value_counts().to_dict()

    done = ran(flow, "SynthesizeFromDensities")
    assert {"PlaceCells", "SliceCells", "SynthesizeChunk 0-4", "SynthesizeMorphologies"} <= done
    assert "ChooseAxons" not in done
    assert made() == {"PC": 6, "IN": 4}
    assert ran(flow, "SynthesizeFromDensities") == set()
    # Fewer cells: the chunks of the earlier ones are not asked for again.
    flow.path("densities.yaml").write_text("{PC: {COL;L2: 45}}")
    done = ran(flow, "SynthesizeFromDensities")
    assert {"PlaceCells", "SliceCells", "SynthesizeMorphologies"} <= done
    assert {name for name in done if "Chunk" in name} == {"SynthesizeChunk 0-3"}
    assert made() == {"PC": 3}


def test_the_steps_hand_their_files_on(flow, monkeypatch):
    monkeypatch.chdir(flow.folder)
    flow.options.update(out_cells="out/nodes.h5", morph_axon=None)
    task = task_of(flow, "SynthesizeFromDensities")
    names = [step.task_family for step in task.steps()]
    assert names == [
        "PlaceCells", "CreatePlanes", "SliceCells", "ChooseAxons", "SynthesizeMorphologies",
    ]  # fmt: skip
    assert task.steps()[-1].input_cells == "out/sliced.h5"
    assert task.steps()[-1].morph_axon == "out/axons.tsv"
    alone = {"planes_region": None, "slice_planes": None, "slice_n_cells": 0, "axon_donors": None}
    found = task_of(flow, "SynthesizeFromDensities", input_cells=None, **alone).steps()
    assert [step.task_family for step in found] == ["PlaceCells", "SynthesizeMorphologies"]
    assert found[-1].input_cells == "out/placed.h5"
    assert found[-1].morph_axon is None
    with pytest.raises(InvalidInput, match=r"but the steps hand on out/sliced\.h5"):
        task_of(flow, "SynthesizeFromDensities", input_cells="other.h5").steps()
