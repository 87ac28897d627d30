"""Layers by name, through the real task: a tiny hippocampus, regions of their own, none at all."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from helpers.atlas_factory import make_atlas, make_cells, write_structure
from helpers.flow_factory import make_flow, stages_run, write_nodes
from helpers.forked import run_forked
from helpers.sentences import says
from region_grower_flow import layout

pytestmark = pytest.mark.slow

THICKNESSES = {"SLM": 200.0, "SR": 400.0, "SP": 100.0, "SO": 200.0}
"""Layers of a hippocampal field from the fissure down (um)."""
NUMBERS = {number + 1: um for number, um in enumerate(THICKNESSES.values())}
MODEL = {"SLM": 150.0, "SR": 300.0, "SP": 80.0, "SO": 160.0}


def limits(target, highest):
    """Parameters that make pyramidal cells reach into a layer, and end in another."""
    return {
        "apical_dendrite": {
            "extent_to_target": {"layer": target, "fraction": 0.5, "slope": 1.1, "intercept": 3.0},
            "hard_limit_max": {"layer": highest, "fraction": 0.9},
        },
        "basal_dendrite": {"hard_limit_max": {"layer": highest, "fraction": 1.0}},
    }


def field_flow(folder, layers, constraints, direction_layers=None, **options):
    """The small flow in an atlas of these layers ({name: um}), cells in SP and SO."""
    flow = make_flow(folder, **options)
    model = dict(zip(layers, MODEL.values(), strict=True))
    region = {"layers": list(layers), "thicknesses": model}
    if direction_layers:
        params = {"direction": [0.0, 1.0, 0.0], "mode": "perpendicular", "layers": direction_layers}
        region["directions"] = [{"neurite_types": ["apical_dendrite"], "params": params}]
    for path in flow.path("atlas").iterdir():
        path.unlink()
    atlas = make_atlas(flow.path("atlas"), thicknesses=layers, structure={"COL": region})
    write_nodes(flow.path("nodes.h5"), 8, atlas.top, region=f"COL;L{list(layers)[1]}")

    def limit(parameters):
        parameters["default"]["PC"]["context_constraints"] = constraints

    flow.edit("parameters.json", limit)
    return flow


def test_names_are_numbers(tmp_path, kernels):
    """The same cells, to the byte, as in an atlas whose layers are 1, 2, 3, 4."""
    named = field_flow(tmp_path / "named", THICKNESSES, limits("SLM", "SLM"), ["SLM", "SR"])
    numbered = field_flow(tmp_path / "numbered", NUMBERS, limits(1, 1), [1, 2])
    free = field_flow(tmp_path / "free", NUMBERS, {})
    for flow in (named, numbered, free):
        process = flow.luigi()
        assert process.returncode == 0, process.stdout + process.stderr
    assert named.summary["cells"]["made"] == 8
    assert named.morphologies() == numbered.morphologies()
    # Constraints and directions act, or the comparison would say nothing.
    assert named.morphologies() != free.morphologies()


@pytest.fixture
def unpacking(tmp_path):
    """Runs luigi so that orientations of any size are unpacked."""
    (tmp_path / "sitecustomize.py").write_text(
        "from region_grower_flow.atlas import volumes\nvolumes.SHARED_BYTES = 1\n"
    )

    def run(command, folder, environment, timeout):
        path = os.pathsep.join([str(tmp_path), environment.get("PYTHONPATH", "")])
        return run_forked(command, folder, {**environment, "PYTHONPATH": path}, timeout)

    return run


def test_orientations_are_unpacked_for_all_ranks(tmp_path, kernels, unpacking):
    """The same cells, to the byte, and nothing is left behind that is no more needed."""
    packed = field_flow(tmp_path / "packed", NUMBERS, {}, [1, 2])
    assert packed.luigi().returncode == 0
    flow = field_flow(tmp_path / "flow", NUMBERS, {}, [1, 2])
    process = flow.luigi(run=unpacking)
    assert process.returncode == 0, process.stdout + process.stderr
    unpacked = flow.path("work", layout.UNPACKED_ORIENTATION)
    assert not packed.path("work", layout.UNPACKED_ORIENTATION).exists()
    assert not np.frombuffer(unpacked.read_bytes()[-16:], np.float32)[1:].any()
    assert flow.morphologies() == packed.morphologies()
    # A damaged one is written anew, and no cell is made of it.
    unpacked.write_bytes(unpacked.read_bytes()[:-16] + np.ones(4, np.float32).tobytes())
    flow.options["seed"] = packed.options["seed"] = 5
    process = flow.luigi(run=unpacking)
    assert "LoadAtlas" in stages_run(process)
    assert packed.luigi().returncode == 0
    assert flow.morphologies() == packed.morphologies()
    # Without directions it goes.
    structure = flow.path("atlas", "region_structure.yaml")
    content = yaml.safe_load(structure.read_text())
    del content["COL"]["directions"]
    structure.write_text(yaml.safe_dump(content))
    assert flow.luigi(run=unpacking).returncode == 0
    assert not unpacked.exists()
    assert flow.morphologies() != packed.morphologies()


@pytest.mark.slow
def test_numbers_stay_places_in_the_list(tmp_path, kernels):
    """As in region-grower: 1 is the top layer, whatever it is called."""
    named = field_flow(tmp_path / "named", THICKNESSES, limits("SLM", "SLM"), ["SLM"])
    placed = field_flow(tmp_path / "placed", THICKNESSES, limits(1, 1), [1])
    for flow in (named, placed):
        assert flow.luigi().returncode == 0
    assert named.morphologies() == placed.morphologies()


@pytest.mark.slow
def test_regions_that_share_parameters_have_their_own_layers(tmp_path, kernels):
    """SP is the third layer of the field, and the first where a region has but SP and SO."""
    structure = {
        "COL": {"layers": list(THICKNESSES), "thicknesses": THICKNESSES},
        "COL;LSP": {
            "layers": ["SP", "SO"],
            "thicknesses": {name: THICKNESSES[name] for name in ("SP", "SO")},
        },
    }
    wanted = {"COL;LSO": 3, "COL;LSP": 1}
    grown = {}
    for name in ("SP", 3, 1):
        constraints = limits(name, name)
        flow = field_flow(tmp_path / str(name), THICKNESSES, constraints)
        write_structure(flow.path("atlas", "region_structure.yaml"), structure)
        regions = [("COL;LSO", "COL;LSP")[i // 2 % 2] for i in range(8)]
        write_nodes(flow.path("nodes.h5"), 8, 610.0, region=regions)
        if name == 3:
            # The region of two layers has no third one: refused, unless no cell is in it.
            refused = flow.luigi()
            assert refused.returncode != 0
            assert "layer 3 of a region that has 2 layers" in refused.stdout + refused.stderr
            write_nodes(flow.path("nodes.h5"), 8, 610.0, region="COL;LSO")
        process = flow.luigi()
        assert process.returncode == 0, process.stdout + process.stderr
        names = [line.split(",")[2] for line in flow.path("out/nodes_ids.csv").read_text().split()]
        grown[name] = [flow.morphologies().get(f"{cell}.h5") for cell in names[1:]]
    for cell, region in enumerate(regions):
        assert grown["SP"][cell] is not None
        assert grown["SP"][cell] == grown[wanted[region]][cell]
    field = [cell for cell, region in enumerate(regions) if wanted[region] == 3]
    assert any(grown["SP"][cell] != grown[1][cell] for cell in field)


BAD = {
    "parameters": ("SLMM", "hard_limit_max -> layer: | 'SLMM' | has the layers"),
    "directions": ("SRR", "params -> layers: | 'SRR' | has the layers"),
    "atlas": ("SL", "atlas | 'SL' | [PH]SL.nrrd | Did you mean 'SLM'"),
}


@pytest.mark.parametrize("where", BAD)
def test_unknown_names_are_refused_with_the_nearest(where, tmp_path, kernels):
    name, sentence = BAD[where]
    constraints = limits("SLM", name if where == "parameters" else "SLM")
    directions = [name] if where == "directions" else None
    flow = field_flow(tmp_path / "flow", THICKNESSES, constraints, directions)
    if where == "atlas":
        flow.edit("parameters.json", lambda p: p["default"]["PC"].pop("context_constraints"))
        path = flow.path("atlas", "region_structure.yaml")
        path.write_text(path.read_text().replace("SLM", name))
    process = flow.luigi()
    text = process.stdout + process.stderr
    assert process.returncode != 0
    assert says(text, sentence)
    assert "Did you mean" in text
    assert "Traceback" not in text


def test_a_region_without_layers_grows_as_nothing_were_asked(tmp_path, kernels):
    """No scaling, no limits: heights in layers mean nothing where there are none."""
    flows = []
    for name, constraints in (("asked", limits("SLM", "SLM")), ("free", {})):
        flow = field_flow(tmp_path / name, THICKNESSES, constraints)
        write_structure(flow.path("atlas", "region_structure.yaml"), {"COL": {}})
        for path in flow.path("atlas").glob("[[]PH]*"):
            path.unlink()
        process = flow.luigi()
        assert process.returncode == 0, process.stdout + process.stderr
        flows.append(flow)
    asked, free = flows
    assert asked.summary["cells"]["made"] == 8
    assert asked.morphologies() == free.morphologies()


def test_regions_without_cells_may_lack_their_volumes(tmp_path, kernels):
    """One region structure serves atlases of a part of the brain; with cells it is refused."""
    flow = field_flow(tmp_path / "flow", THICKNESSES, {}, skip_write="true")
    cortex = {"layers": ["L1", "L2"], "thicknesses": {"L1": 100.0, "L2": 100.0}}
    field = {"layers": list(THICKNESSES), "thicknesses": MODEL}
    path = flow.path("atlas", "region_structure.yaml")
    write_structure(path, {"COL": field, "other": cortex})
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    write_structure(path, {"COL": cortex, "other": field})
    process = flow.luigi()
    assert process.returncode != 0
    assert says(process.stdout + process.stderr, "atlas | 'L1' | [PH]L1.nrrd")
    assert "Traceback" not in process.stdout + process.stderr


def test_a_column_of_layer_names_stays(tmp_path, kernels):
    """The cells' own property, names or numbers, is written as it was read."""
    import h5py

    flow = field_flow(tmp_path / "flow", THICKNESSES, {}, skip_write="true")
    layers = ["SP", "SO"] * 4
    write_nodes(flow.path("nodes.h5"), 8, 700.0, region="COL;LSR", layer=layers, number=range(8))
    assert flow.luigi().returncode == 0
    with h5py.File(flow.path("out/nodes.h5")) as file:
        (population,) = file["nodes"].values()
        group = population["0"]
        words = group["layer"][()]
        if "@library/layer" in group:
            words = group["@library/layer"][()][words]
        assert [word.decode() for word in words] == layers
        assert group["number"][:].tolist() == list(range(8))


def test_a_cell_that_lacks_a_layer_is_dropped_by_its_name(tmp_path, kernels):
    """A layer without thickness at the cells: the reason names the layer, the debug data too."""
    from helpers.atlas_factory import load_raw, save_volume

    flow = field_flow(tmp_path / "flow", THICKNESSES, limits("SLM", "SLM"))
    flow.options.update(out_debug_data="out/debug.jsonl", max_failure_ratio=1)
    flow.options["out_morphs_df"] = "out/cells.csv"
    path = flow.path("atlas", "[PH]SLM.nrrd")
    bounds = np.array(load_raw(path))
    bounds[..., 0] = bounds[..., 1]
    save_volume(path, bounds)
    assert flow.luigi().returncode == 0
    reasons = flow.summary["mtypes"]["PC"]["reasons"]
    (reason,) = reasons
    assert says(reason, "layer SLM | 0.000 um | at the cell")
    lines = [json.loads(line) for line in flow.path("out/debug.jsonl").read_text().splitlines()]
    assert {line["reason"] for line in lines if line["mtype"] == "PC"} == set(reasons)
    # The columns of the reference's table, and its infos of a scaling by layers.
    for name in ("x", "y", "z", "seed", "synthesis_region", "current_depth", "layer_depths",
                 "orientation", "directions", "boundaries", "atlas_info", "axon_name",
                 "axon_scale", "apical_NRN_sections", "debug_infos"):  # fmt: skip
        assert name in lines[0]
    made = next(line for line in lines if line["status"] == "made")
    assert made["debug_infos"]["input_scaling"]["default_func"]["inputs"].keys() == {
        "target_thickness", "reference_thickness", "min_target_thickness",
    }  # fmt: skip
    assert len({line["seed"] - line["cell"] for line in lines}) == 1
    assert np.array(made["orientation"]).shape == (3, 3)
    with open(flow.path("out", "cells.csv"), encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert {row["name"] for row in listed} == {
        line["name"] for line in lines if line["status"] == "made"
    }
    assert all(Path(row["path"]).is_file() for row in listed)


def test_the_cell_table_knows_the_layers(tmp_path):
    from region_grower_flow.atlas.load import load_atlas_table

    structure = {
        "COL": {
            "layers": list(THICKNESSES),
            "thicknesses": THICKNESSES,
            "directions": [
                {"params": {"direction": [0, 1, 0], "layers": ["SR", 4]}},
                {"params": {"direction": [0, 1, 0], "layers": ["SLM"]}},
            ],
        },
        # It has the directions of the region around it, and none of the layers of the second.
        "COL;LSO": {"layers": ["SR", "SO"], "thicknesses": {"SR": 1.0, "SO": 1.0}},
    }
    atlas = make_atlas(tmp_path / "atlas", thicknesses=THICKNESSES, structure=structure)
    cells = make_cells([[150.0, 150.0, 150.0]] * 2, ["COL", "COL;LSO"])
    table = load_atlas_table(atlas.folder, atlas.structure, cells)
    assert table.meta["layers"] == {"COL": list(THICKNESSES), "COL;LSO": ["SR", "SO"]}
    asked = [
        [d["params"]["layers"] for d in table.cell(row).region_meta["directions"]]
        for row in range(2)
    ]
    assert asked == [[[2, 4], [1]], [[1]]]
