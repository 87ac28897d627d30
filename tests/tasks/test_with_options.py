"""Options of tasks: a parameter each where people name the task, whole groups of inner stages."""

import json

import luigi
import pytest
from luigi.cmdline_parser import CmdlineParser

import region_grower_flow
from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.options import GROUPS, Execution, Growth, Outputs, Reference, Space
from region_grower_flow.tasks.checks import CheckInputs

INNER = ("SynthesizeChunk", "GenerateParameters", "FitTrunkAngles", "FitPathDistances")
CELLS = {"input_cells": "cells.h5", "atlas": "atlas", "region_structure": "r.yaml"}
RECONSTRUCTIONS = {"morphologies_dir": "m", "dat_file": "d"}
GIVEN = {**CELLS, **RECONSTRUCTIONS, "out_cells": "n.h5", "out_morph_dir": "out"}


@pytest.fixture
def work_dir(tmp_path, monkeypatch):
    """A work folder of the test's own: Luigi keeps the tasks of a process."""
    monkeypatch.chdir(tmp_path)
    return str(tmp_path / "work")


@pytest.fixture
def merge(work_dir):
    options = {**GIVEN, "work_dir": work_dir, "seed": 3, "launcher": "inprocess"}
    return region_grower_flow.SynthesizeMorphologies(**options)


@pytest.fixture
def chunk(merge):
    return merge.clone(region_grower_flow.SynthesizeChunk, first=0, last=5)


@pytest.mark.parametrize("name", INNER)
def test_inner_stages_receive_whole_groups(name):
    stage = getattr(region_grower_flow, name)
    parameters = {n for n, _ in stage.get_params()}
    assert parameters == {*stage.group_parameters, *stage.single_options}
    assert {p.kind for p in stage.group_parameters.values()} == set(stage.groups)
    assert len(parameters) <= 9


def test_a_stage_hands_on_its_groups(merge, chunk):
    assert chunk.growth_options == merge.group(Growth) == chunk.group(Growth)
    assert chunk.outputs_options == merge.group(Outputs)
    assert {name: getattr(chunk, name) for name in merge.options} == {
        name: getattr(merge, name) for name in merge.options
    }
    assert (chunk.first, chunk.last) == (0, 5)


def test_single_options_change_their_group_alone(chunk):
    again = chunk.clone(launcher="srun", nb_processes=4)
    assert again.execution_options == chunk.execution_options.replace(
        launcher="srun", nb_processes=4
    )
    assert (again.growth_options, again.first) == (chunk.growth_options, 0)
    assert chunk.clone(processes=2).task_id == chunk.task_id, "no result depends on it"
    assert chunk.clone(seed=4).task_id != chunk.task_id
    with pytest.raises(InvalidInput, match="nb_processes"):
        chunk.clone(nb_processes="many")


def test_a_task_with_single_options_is_made_of_whole_groups(merge, chunk):
    loaded = chunk.clone(region_grower_flow.LoadAtlas)
    assert loaded == merge.clone(region_grower_flow.LoadAtlas)
    assert loaded.group(Space) == chunk.space_options


@pytest.mark.parametrize("name", ["SynthesizeMorphologies", *INNER])
def test_tasks_come_back_from_their_texts(name, merge):
    stage = getattr(region_grower_flow, name)
    task = merge.clone(stage, **({"first": 1, "last": 2} if name == "SynthesizeChunk" else {}))
    texts = task.to_str_params()
    assert texts["work_dir"] == merge.work_dir
    assert set(texts) == set(stage.options)
    assert stage.from_str_params(texts) == task


def test_the_check_receives_all_groups_of_the_flow(merge, work_dir):
    check = merge.check()
    assert {p.kind for p in check.group_parameters.values()} == set(GROUPS)
    assert check.growth_options == merge.group(Growth)
    assert check.seed == 3
    alone = region_grower_flow.ExtractDistributions(**RECONSTRUCTIONS, work_dir=work_dir).check()
    assert alone.reference_options == Reference(**RECONSTRUCTIONS)
    assert alone.atlas is None, "required elsewhere, but not by this stage"
    assert alone.execution_options == Execution()
    assert CheckInputs.from_str_params(alone.to_str_params()) == alone


def test_an_inner_stage_in_the_terminal(work_dir):
    words = ["FitTrunkAngles", "--model-options", json.dumps({"region": "SSCX"})]
    words += [
        "--reference-options",
        json.dumps(RECONSTRUCTIONS),
        "--work-options",
        "{}",
    ]  # none: the usual one
    with CmdlineParser.global_instance(words) as parser:
        task = parser.get_task_obj()
    assert (task.region, task.morphologies_dir, task.input_cells) == ("SSCX", "m", None)
    with (
        CmdlineParser.global_instance([*words[:2], "SSCX"]) as parser,
        pytest.raises(InvalidInput, match=r"option model_options: 'SSCX' is no JSON object"),
    ):
        parser.get_task_obj()


def test_all_problems_of_all_groups_are_told(work_dir):
    wrong = {"seed": -1.5, "nb_processes": "many", "first": 0, "last": 1, "work_dir": work_dir}
    with pytest.raises(InvalidInputs) as error:
        region_grower_flow.SynthesizeChunk(**{**GIVEN, **wrong})
    found = [str(problem) for problem in error.value.problems]
    assert len(found) == 2
    assert all(any(f"option {name}" in text for text in found) for name in ("seed", "nb_processes"))


def test_luigi_sees_the_options_that_tell_stages_apart(chunk):
    public = chunk.to_str_params(only_public=True)
    assert {"first", "last", "seed", "work_dir"} == set(public)
    visible = luigi.parameter.ParameterVisibility.PUBLIC.serialize()
    seen = {name for name, how in chunk._get_param_visibilities().items() if how == visible}
    assert seen == set(public)
