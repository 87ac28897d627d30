"""Stages as Luigi knows them: what they require, what they read, and what they wait for."""

import luigi
import pytest

import region_grower_flow
from region_grower_flow.options.kinds import Whole
from region_grower_flow.record.fingerprint import Recipe
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.checks import CheckInputs

GIVEN = {"morphologies_dir": "m", "dat_file": "d.dat", "work_dir": "w"}


@pytest.mark.parametrize("name", region_grower_flow.TASKS)
def test_each_stage_says_what_it_writes(name):
    task = getattr(region_grower_flow, name)
    assert any("output" in vars(kind) for kind in task.__mro__ if kind is not luigi.Task)
    assert issubclass(task, FlowTask)


def test_inputs_are_the_outputs_of_what_is_required():
    task = region_grower_flow.DiagnoseReconstructions(**GIVEN)
    assert list(task.requires()) == ["ExtractDistributions", "FitPathDistances", "FitTrunkAngles"]
    assert {name: target.path for name, target in task.input().items()} == {
        name: stage.output().path for name, stage in task.requires().items()
    }
    assert task.input()["ExtractDistributions"].path == "w/tmd_distributions.json"


def test_an_input_that_changed_is_named_by_its_path(tmp_path):
    """Where no process had it open: the recipe tells in the end."""
    atlas, stage = tmp_path / "atlas", region_grower_flow.LoadAtlas
    task = stage(atlas=str(atlas), input_cells="n.h5", region_structure="r.yaml", work_dir="w")
    task.external_files = lambda: {"cells": "n.h5", "volume": atlas / "orientation.nrrd"}
    before = Recipe("LoadAtlas", 1, files={"cells": "a", "volume": "b"})
    now = Recipe("LoadAtlas", 1, files={"cells": "a", "volume": "c"})
    assert task.what_differs(before, now) == atlas / "orientation.nrrd"
    assert task.what_differs(before, before) is None


def test_a_stage_whose_inputs_are_wrong_waits_for_the_check_alone(tmp_path):
    task = region_grower_flow.ExtractDistributions(**{**GIVEN, "work_dir": str(tmp_path / "w")})
    assert [stage.task_family for stage in task.deps()] == ["CheckInputs"]
    assert not task.complete()
    assert not (tmp_path / "w").exists()


def test_of_several_runs_in_a_process_each_waits_for_its_own_check(tmp_path, monkeypatch):
    """A notebook asks for some cells, for others, and for the first ones with another seed."""
    monkeypatch.setattr(CheckInputs, "finds_nothing_wrong", lambda self: True)
    monkeypatch.setattr(region_grower_flow.SynthesizeMorphologies, "ranges", lambda _: [(0, 1)])
    cells = {"input_cells": "n.h5", "atlas": "a", "region_structure": "r", "work_dir": "w"}
    models = {"tmd_parameters": "p.json", "tmd_distributions": "d.json"}
    places = {"out_cells": "out.h5", "out_morph_dir": str(tmp_path)}

    def check_of_the_atlas(seed):
        options = {**cells, **models, **places, "seed": seed}
        task = region_grower_flow.SynthesizeMorphologies(**options)
        check, chunk = task.deps()
        assert chunk.deps()[0] is check
        return check, chunk.requires()["LoadAtlas"].deps()[0]

    for seed in (1, 2, 1):
        of_flow, of_atlas = check_of_the_atlas(seed)
        assert of_flow is of_atlas
        assert of_atlas.seed == seed


def test_each_class_has_its_own_parameters():
    """They are found once for a class: not those of the class that it is derived from."""
    stage = region_grower_flow.ExtractDistributions
    names = [name for name, _ in stage.get_params()]

    class Another(stage):
        extra = Whole[int]("Another option", default=1)

    assert {name for name, _ in Another.get_params()} == {*names, "extra"}
    assert [name for name, _ in stage.get_params()] == names
    assert luigi.Task.get_params.__func__(stage) == stage.get_params()
    assert Another(**GIVEN, extra=3).extra == 3
