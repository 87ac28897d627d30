"""Inputs that look bad and are not: they run, or drop single cells with a reason."""

import h5py
import numpy as np
import pytest

from helpers.bad.bases import (
    NAN,
    both,
    change_nodes,
    distribs,
    link,
    mtypes,
    nodes,
    options,
    set_mtypes,
    text,
    volume,
    write_axons,
)
from helpers.bad.harness import copied, synthesize
from helpers.sentences import says

UNICODE = "L5_\u00fc\u03a9 \U0001f9e0"


def run(bases, tmp_path, spoil, kind="plain"):
    flow = copied(bases[kind], tmp_path / "flow")
    spoil(flow)
    outcome = synthesize(flow)
    assert outcome.code == 0, outcome.text
    return flow, outcome.text


def rename_pc(flow):
    for name in ("parameters.json", "distributions.json"):
        flow.edit(name, lambda content: content["default"].update(
            {UNICODE: content["default"].pop("PC")}))  # fmt: skip
    mtypes(UNICODE, "IN")(flow)


def move(name):
    """Everything is in a folder with an odd name."""

    def spoil(flow):
        flow.path(name).mkdir()
        for entry in ("nodes.h5", "parameters.json", "distributions.json", "atlas"):
            flow.path(entry).rename(flow.path(name, entry))
        for option, value in flow.options.items():
            if option in (
                "input_cells",
                "atlas",
                "region_structure",
                "work_dir",
                "out_cells",
                "tmd_parameters",
                "tmd_distributions",
                "out_morph_dir",
                "out_apical",
            ):
                flow.options[option] = f"{name}/{value}"

    return spoil  # fmt: skip


def nan_at_first_cell(name):
    """NaN in a volume at the first cell only (all cells are moved to two voxels)."""

    def spoil(flow):
        def place(population):
            group = population["0"]
            for axis, (first, others) in {
                "x": (150, 250),
                "y": (750, 750),
                "z": (150, 250),
            }.items():
                group[axis][...] = np.where(np.arange(8) == 0, first, others)

        change_nodes(flow, place)

        def put(raw):
            raw[1, 7, 1] = NAN
            return raw

        volume(name, put)(flow)

    return spoil


def test_unicode_names(bases, tmp_path):
    flow, _ = run(bases, tmp_path, rename_pc)
    assert flow.summary["mtypes"][UNICODE]["made"] == 4


@pytest.mark.parametrize(
    "name", ["d\u00f6ssi\u00ear \u03a9", "with space", 'quote\'s "two"', "100%d"]
)
def test_odd_folders(bases, tmp_path, name):
    flow, _ = run(bases, tmp_path, move(name))
    assert flow.json(f"{name}/out/nodes_summary.json")["cells"]["made"] == 8


@pytest.mark.parametrize("name", ["orientation", "[PH]y", "[PH]1", "[PH]2"])
def test_a_cell_without_value_in_the_atlas_is_dropped(bases, tmp_path, name):
    flow, said = run(bases, tmp_path, nan_at_first_cell(name))
    assert "(NaN) at 1 of 8 cells (ids 0)" in said
    assert "will be dropped" in said
    assert flow.summary["cells"] == {"asked": 8, "made": 7, "dropped": 1, "without_axon": 0}


def test_inputs_through_links(bases, tmp_path):
    def spoil(flow):
        flow.path("nodes.h5").rename(tmp_path / "elsewhere.h5")
        link("nodes.h5", tmp_path / "elsewhere.h5")(flow)
        flow.path("atlas").rename(tmp_path / "atlas")
        link("atlas", tmp_path / "atlas")(flow)

    run(bases, tmp_path, spoil)
    assert (tmp_path / "elsewhere.h5").is_file()


def test_an_absent_axon_drops_its_cells(bases, tmp_path):
    spoil = lambda flow: write_axons(flow, ["nobody"] * 3 + ["donor0"] * 5)  # noqa: E731
    flow, said = run(bases, tmp_path, spoil, "axons")
    assert says(said, "3 of 8 cells | absent | (nobody)")
    assert flow.summary["cells"]["dropped"] == 3


def test_one_of_two_populations(bases, tmp_path):
    def double(population):
        population.parent.copy(population, "other")
        population["0/y"][:] = 1e6  # far outside the atlas

    spoil = both(nodes(double), options(population="other"))
    flow, said = run(bases, tmp_path, spoil)
    assert "8 made" in said
    # All inputs were said to be fine, right below a warning.
    assert says(said, "CheckInputs | inputs can be used, with 1 warning")
    assert says(said, "only population 'other' is read")
    with h5py.File(flow.path("out/nodes.h5")) as made:
        assert list(made["nodes"]) == ["other"]


def test_no_cells_at_all(bases, tmp_path):
    def empty(population):
        group = population["0"]
        for name in [name for name in group if not name.startswith("@")]:
            values = group[name][:0]
            del group[name]
            group.create_dataset(name, data=values)
        set_mtypes(population, [])
        del population["node_type_id"]
        population.create_dataset("node_type_id", data=np.zeros(0, dtype=int))

    flow, _ = run(bases, tmp_path, lambda flow: change_nodes(flow, empty))
    assert flow.summary["cells"]["asked"] == 0


def test_a_byte_order_mark(bases, tmp_path):
    def spoil(flow):
        content = flow.path("parameters.json").read_text()
        text("parameters.json", content.encode("utf-8-sig"))(flow)

    run(bases, tmp_path, spoil)


def test_a_cell_that_never_fits_is_dropped_with_a_reason(bases, tmp_path):
    none = {"bins": [0], "weights": [1]}
    spoil = both(
        distribs("basal_dendrite", "num_trees", "data", value=none),
        options(seed=3, max_failure_ratio=1.0),
    )
    flow, said = run(bases, tmp_path, spoil)
    assert "at least 2 basal dendrites (got 0)" in said
    assert flow.summary["mtypes"]["PC"]["dropped"] == 4
