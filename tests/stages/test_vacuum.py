"""Cells grown without an atlas: they are NeuroTS's, each from its own seed, and all accounted."""

import copy
import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from helpers.reference_cells import write_first_rows
from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.options import Growth
from region_grower_flow.stages.vacuum import (
    VacuumPlan,
    folder_of,
    read_index,
    synthesize_vacuum,
    vacuum_cells,
)

pytestmark = pytest.mark.slow

SAME = 1e-4
"""um: the files hold single precision."""


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Parameters and distributions of the example's mtypes, limits in layers included."""
    from region_grower_flow.calibration.build import Additions, build_parameters
    from region_grower_flow.calibration.dataset import read_dataset
    from region_grower_flow.calibration.distributions import extract_distributions
    from region_grower_flow.calibration.parameters import generate_parameters
    from region_grower_flow.example.create import create_example

    folder = tmp_path_factory.mktemp("models")
    example = create_example(folder / "example", atlas="column")
    table = write_first_rows(example.mtypes, folder / "mtypes.dat", 4)
    dataset = read_dataset(example.morphologies, table, "h5")
    overrides = json.loads(example.overrides.read_text())
    generated = generate_parameters(dataset)[0]["default"]
    parameters, _ = build_parameters(generated, Additions(overrides=overrides))
    distributions, _ = extract_distributions(dataset, processes=1)
    paths = folder / "parameters.json", folder / "distributions.json"
    for path, content in zip(paths, ({"default": parameters}, distributions), strict=True):
        path.write_text(json.dumps(content))
    return paths


@pytest.fixture
def plan(models, tmp_path):
    """Makes a plan of two cells per mtype."""

    def make(**changes):
        grown = {name: changes.pop(name) for name in Growth.DECLARED if name in changes}
        return VacuumPlan(
            **{
                "parameters": models[0],
                "distributions": models[1],
                "folder": tmp_path / "vacuum",
                "cells": 2,
                "growth": Growth(**grown),
                **changes,
            }
        )

    return make


def edited(path, tmp_path, change):
    content = json.loads(path.read_text())
    change(content["default"])
    copy_path = tmp_path / f"edited_{path.name}"
    copy_path.write_text(json.dumps(content))
    return copy_path


def neurots_cell(models, mtype, seed, path):
    """The cell that NeuroTS itself grows, its trees in NEURON's order, through a file."""
    import morphio
    import neurots
    from diameter_synthesis import build_diameters

    params, distributions = (json.loads(path.read_text())["default"][mtype] for path in models)
    external = params["diameter_params"]["method"] == "external"
    grower = neurots.NeuronGrower(
        copy.deepcopy(params),
        distributions,
        external_diametrizer=build_diameters.build if external else None,
        rng_or_seed=np.random.default_rng(seed),
    )
    grower.grow().write(path)
    return morphio.Morphology(path, morphio.Option.nrn_order)


def test_each_mtype_is_as_neurots_grows_it(models, plan, tmp_path):
    import morphio

    result = synthesize_vacuum(plan(seed=11, cells=1))
    mtypes = {row["mtype"] for row in result.index}
    assert len(mtypes) == len(result.index) == 7
    for row in result.index:
        ours = morphio.Morphology(row["path"])
        theirs = neurots_cell(models, row["mtype"], row["seed"], tmp_path / "theirs.h5")
        assert ours.section_types.tolist() == theirs.section_types.tolist()
        np.testing.assert_allclose(ours.points, theirs.points, rtol=0, atol=SAME)
        np.testing.assert_allclose(ours.diameters, theirs.diameters, rtol=0, atol=SAME)
        np.testing.assert_allclose(ours.soma.points, theirs.soma.points, rtol=0, atol=SAME)


def test_another_seed_gives_other_cells(plan, tmp_path):
    first = synthesize_vacuum(plan(mtypes=("L5_MC",)))
    other = synthesize_vacuum(plan(mtypes=("L5_MC",), seed=100, folder=tmp_path / "other"))
    contents = [[Path(row["path"]).read_bytes() for row in r.index] for r in (first, other)]
    assert not set(contents[0]) & set(contents[1])


def test_neither_restriction_nor_number_changes_a_cell(plan, tmp_path):
    """A cell is known by the run's seed, its mtype and its turn."""
    every = synthesize_vacuum(plan())
    some = synthesize_vacuum(plan(cells=3, mtypes=("L5_MC", "L4_SSC"), folder=tmp_path / "some"))
    known = {row["name"]: Path(row["path"]).read_bytes() for row in every.index}
    shared = [row for row in some.index if row["name"] in known]
    assert len(shared) == 4
    assert all(Path(row["path"]).read_bytes() == known[row["name"]] for row in shared)


def test_numbers_are_counted_round_by_round(plan):
    mtypes, numbers = vacuum_cells(["A", "B", "C"], plan(seed=7, mtypes=("C", "A"), cells=2))
    assert mtypes.tolist() == ["A", "C", "A", "C"]
    assert numbers.tolist() == [0, 2, 3, 5]


def test_outputs(plan, tmp_path):
    """The index, the nodes, the ids and the files say the same."""
    result = synthesize_vacuum(plan(out_morph_ext=("swc", "h5")))
    folder = tmp_path / "vacuum"
    assert read_index(folder) == result.index
    with open(folder / "index.csv", encoding="utf-8") as file:
        paths = [row["path"] for row in csv.DictReader(file)]
    assert all(path.endswith(".swc") for path in paths)
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    stems = {path.removesuffix(".swc") for path in paths}
    assert files == {*layout.VACUUM_TABLES, *paths, *(f"{stem}.h5" for stem in stems)}
    with h5py.File(folder / "nodes.h5") as file:
        group = file["nodes/default/0"]
        assert set(group["morphology"].asstr()) == stems
        assert not group["x"][:].any()
    assert result.summary["cells"]["made"] == 14
    assert result.outputs == [folder / name for name in layout.VACUUM_TABLES]


@pytest.mark.parametrize("engine", ["compiled", "neurots"])
def test_limits_in_layers_mean_nothing(engine, models, plan, tmp_path):
    """There are no layers: the cells are those of parameters without constraints."""
    limit = {"layer": "SLM", "fraction": 0.5}
    target = {**limit, "slope": 1.0, "intercept": 0.0}

    def by_names(parameters):
        for entry in parameters.values():
            for kind in entry["grow_types"]:
                limits = {"hard_limit_max": limit, "extent_to_target": target}
                entry["context_constraints"][kind] = limits

    def without(parameters):
        for entry in parameters.values():
            assert entry.pop("context_constraints")

    some = {"cells": 1, "engine": engine, "mtypes": ("L5_TPC:A", "L5_MC")}
    found = []
    for change in (without, by_names):
        changed = edited(models[0], tmp_path, change)
        result = synthesize_vacuum(
            plan(parameters=changed, folder=tmp_path / change.__name__, **some)
        )
        found.append({row["name"]: Path(row["path"]).read_bytes() for row in result.index})
    result = synthesize_vacuum(plan(**some))
    found.append({row["name"]: Path(row["path"]).read_bytes() for row in result.index})
    assert len(found[0]) == 2
    assert found[0] == found[1] == found[2]


def test_finished_cells_are_taken_over_and_others_go(models, plan, tmp_path):
    first = synthesize_vacuum(plan(cells=3))
    assert first.facts["grown"] == 21

    def change(parameters):
        parameters["L5_MC"]["basal_dendrite"]["randomness"] = 0.3

    again = synthesize_vacuum(plan(cells=2, parameters=edited(models[0], tmp_path, change)))
    assert (again.facts["taken_over"], again.facts["grown"]) == (12, 2)
    for folder in (tmp_path / "vacuum", tmp_path / "vacuum_work" / "morphologies"):
        assert len(list(folder.rglob("*.h5"))) - (folder / "nodes.h5").exists() == 14


def test_folders_of_unwanted_mtypes_go(plan, tmp_path):
    synthesize_vacuum(plan())
    synthesize_vacuum(plan(mtypes=("L5_MC",)))
    assert [p.name for p in (tmp_path / "vacuum").iterdir() if p.is_dir()] == ["L5_MC"]


def test_drops_are_named(models, plan, tmp_path):
    """An mtype that cannot grow: its cells are dropped with a reason, the others stay."""

    def spoil(parameters):
        # One orientation for several trees: region-grower drops such cells, and so do we.
        parameters["L5_MC"]["basal_dendrite"]["orientation"] = [[0.0, 1.0, 0.0]]

    spoilt = edited(models[0], tmp_path, spoil)
    result = synthesize_vacuum(plan(parameters=spoilt))
    assert result.summary["cells"] == {"asked": 14, "made": 12, "dropped": 2, "without_axon": 0}
    assert result.summary["mtypes"]["L5_MC"]["reasons"]
    assert len(result.index) == 12
    with open(tmp_path / "vacuum" / "nodes_ids.csv", encoding="utf-8") as file:
        dropped = [row for row in csv.DictReader(file) if row["status"] == "dropped"]
    assert len(dropped) == 2
    assert all(row["reason"] for row in dropped)


@pytest.mark.parametrize("name", ["../../escaped", "a/b", ".hidden", "nodes.h5", "", "x\0y", ".."])
def test_odd_names_of_mtypes_stay_in_the_folder(name):
    folder = folder_of(name)
    assert "/" not in folder
    assert not folder.startswith(".")
    assert "\0" not in folder
    assert folder not in layout.VACUUM_TABLES
    assert folder != name


def test_no_two_mtypes_share_a_folder(models, plan, tmp_path):
    def rename(entries):
        cell = entries.pop("L5_MC")
        entries.clear()
        entries.update({"a/b": cell, "a_b": cell, "../b": cell})

    paths = [edited(path, tmp_path, rename) for path in models]
    result = synthesize_vacuum(plan(parameters=paths[0], distributions=paths[1]))
    folders = {row["mtype"]: Path(row["path"]).parent for row in result.index}
    assert len(set(folders.values())) == 3
    assert {folder.parent for folder in folders.values()} == {tmp_path / "vacuum"}


def test_unknown_mtypes_are_named_with_the_nearest(plan):
    with pytest.raises(InvalidInputs) as caught:
        synthesize_vacuum(plan(mtypes=("L5_MCC", "L1_NGC-DA", "L6_TPCC")))
    sentences = [str(problem) for problem in caught.value.problems]
    assert len(sentences) == 4  # each in the parameters and in the distributions
    assert "'L5_MCC' is missing" in sentences[0]
    assert "L5_MC" in sentences[0].split("is missing")[1]


def test_an_unknown_region_is_served_by_default_or_refused(models, plan, tmp_path):
    assert len(synthesize_vacuum(plan(region="elsewhere", cells=1)).index) == 7
    paths = []
    for path in models:
        moved = tmp_path / f"moved_{path.name}"
        moved.write_text(json.dumps({"SSCX": json.loads(path.read_text())["default"]}))
        paths.append(moved)
    moved = plan(parameters=paths[0], distributions=paths[1])
    with pytest.raises(InvalidInputs, match=r"there is no region .default.*SSCX"):
        synthesize_vacuum(moved)


def test_another_table_is_no_index(tmp_path):
    for text in ("name,mtype\na,b\n", 'path,seed\na,"1"2\n'):
        (tmp_path / "index.csv").write_text(text)
        with pytest.raises(InvalidInput, match="it is no index of a vacuum synthesis"):
            read_index(tmp_path)
