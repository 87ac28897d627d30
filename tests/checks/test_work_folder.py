"""Checks of the work folder, by itself (refused in a run: tests/helpers/bad/places.py)."""

from types import SimpleNamespace

import pytest

from helpers.sentences import says
from region_grower_flow import layout
from region_grower_flow.checks.work_folder import check_mesh_folder, check_work_folder


def options(work, **given):
    return SimpleNamespace(work_dir=str(work), **given)


def test_links_in_the_work_folder_are_refused_and_the_folder_may_be_one(tmp_path):
    far = tmp_path / "far"
    (far / "morphologies").mkdir(parents=True)
    work = tmp_path / "work"
    work.symlink_to(far)
    assert check_work_folder(options(work)) == []
    for name in (layout.MANIFESTS, layout.GROWTH_KEPT, layout.DISTRIBUTIONS_KEPT):
        (far / name).symlink_to(tmp_path)
        (problem,) = check_work_folder(options(work))
        assert says(problem, f"{name}: | is a link")
        (far / name).unlink()


@pytest.mark.parametrize(
    "given",
    [
        {"atlas": "..", "morphologies_dir": "."},
        {"atlas": "work/atlas", "morphologies_dir": "work/cells"},
        {"atlas": "work_of_others/morphologies", "input_cells": "work/placed_cells.h5"},
        {"tmd_parameters": "work/tmd_parameters.json", "input_cells": "work/nodes.h5"},
        {"base_parameters": "work/tmd_parameters_generated.json"},
    ],
)
def test_inputs_around_the_work_folder_and_beside_what_is_kept_there(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    assert check_work_folder(options("work", **given)) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("morphologies_dir", f"work/{layout.PREPARED}/L5"),
        ("base_morph_dir", f"far/{layout.MORPHOLOGIES}"),
        ("atlas", f"work/{layout.HOLDOUT_WORK}"),
        ("base_parameters", f"far/{layout.PARAMETERS}"),
        ("slice_from", f"work/{layout.CELL_TABLE}"),
    ],
)
def test_inputs_that_runs_or_clean_would_take_for_their_own(tmp_path, monkeypatch, name, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "far").mkdir()
    (tmp_path / "work").symlink_to("far")
    (problem,) = check_work_folder(options("work", **{name: path}))
    assert says(problem, f"option {name} ({path}): | keeps its own | another work_dir than work")


def test_a_work_folder_beside_meshes_and_not_among_them(tmp_path):
    assert check_mesh_folder(tmp_path / "work", tmp_path / "meshes") == []
    (problem,) = check_mesh_folder(tmp_path / "meshes", tmp_path / "meshes")
    assert says(problem, "option work_dir | is in the folder of meshes")
