"""Where the value of an option comes from, also under its former names."""

import warnings

import pytest
from click.testing import CliRunner
from luigi.cmdline_parser import CmdlineParser
from luigi.configuration import get_config
from luigi.interface import core
from luigi.rpc import RemoteScheduler
from luigi_tools.util import set_luigi_config

import region_grower_flow
from helpers.sentences import says
from region_grower_flow import tasks
from region_grower_flow.cli import main
from region_grower_flow.cli.options import TaskCommand
from region_grower_flow.errors import InvalidInputs
from region_grower_flow.options import Model, Placement, Slicing
from region_grower_flow.options.former import FORMER_NAMES
from region_grower_flow.start.flow_file import read_flow


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """A function that sets Luigi's configuration until the end of a with statement."""
    monkeypatch.chdir(tmp_path)
    yield set_luigi_config
    tasks._set_defaults(get_config())


def test_luigi_reads_our_defaults_without_a_warning(monkeypatch):
    monkeypatch.setattr(core, "_unconsumed_params", set(), raising=False)
    tasks._set_defaults(get_config())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        core()
        scheduler = RemoteScheduler("http://127.0.0.1:9")
    read = {
        f"rpc_retry_{name}": getattr(scheduler, f"_rpc_retry_{name}")
        for name in ("attempts", "wait")
    }
    assert read == tasks.RETRIES


GIVEN = {"morphologies_dir": "m", "dat_file": "d"}


def formerly(name):
    """The names that an option once had."""
    return [old for old, new in FORMER_NAMES.items() if new == name]


@pytest.mark.parametrize("former", formerly("processes"))
def test_a_value_under_a_former_name_is_handed_on(former):
    task = region_grower_flow.ExtractDistributions(**GIVEN, **{former: 3})
    assert task.processes == 3
    assert getattr(task, former) is None
    today = region_grower_flow.ExtractDistributions(**GIVEN, processes=3)
    assert task.task_id == today.task_id
    assert task.clone(processes=2).processes == 2


def test_a_former_name_serves_an_inner_stage(configured):
    assert region_grower_flow.FitTrunkAngles(**GIVEN, report_processes=3).processes == 3
    with configured({"region_grower_flow": {"extraction_processes": "2", **GIVEN}}):
        assert region_grower_flow.FitTrunkAngles(bar_threshold=1).processes == 2
        assert region_grower_flow.FitPathDistances().processes == 2


def test_the_name_of_today_comes_first():
    task = region_grower_flow.ExtractDistributions(**GIVEN, processes=1, extraction_processes=3)
    assert task.processes == 1


def test_a_former_flag_of_luigi():
    words = ["ExtractDistributions", "--extraction-processes", "2"]
    words += ["--morphologies-dir", "m", "--dat-file", "d"]
    with CmdlineParser.global_instance(words) as parser:
        assert parser.get_task_obj().processes == 2


def some(values):
    """The values that are given."""
    return {name: value for name, value in values.items() if value not in (None, ())}


def test_a_former_flag_of_a_command_is_not_in_its_help():
    command = TaskCommand("x", groups=(Model,), callback=lambda **values: values)
    given = command.main(["--report-processes", "2"], standalone_mode=False)
    assert region_grower_flow.ExtractDistributions(**{**GIVEN, **some(given)}).processes == 2
    context = command.make_context("x", [])
    assert "--processes" in command.get_help(context)
    assert "--report-processes" not in command.get_help(context)


def test_a_former_key_of_a_configuration(tmp_path):
    path = tmp_path / "flow.cfg"
    path.write_text("[DEFAULT]\naxon_seed = 0\n[region_grower_flow]\nvalidation-processes = 2\n")
    assert read_flow(path) == {"validation_processes": 2, "axon_seed": 0}


PLACED = {"densities": "d.yaml", "atlas": "a"}
CHOSEN = {"input_cells": "c.h5", "axon_donors": "d.csv"}
VACUUM = {"validation_of": "vacuum"}
SEEDS = [
    ("PlaceCells", PLACED, "placement_seed"),
    ("SliceCells", {"slice_from": "c.h5"}, "placement_seed"),
    ("ChooseAxons", CHOSEN, "placement_seed"),
    ("ExtractDistributions", GIVEN, "validation_seed"),
    ("ValidateSynthesis", VACUUM, "validation_seed"),
    ("PlotScoreMatrix", {"report_of": "vacuum"}, "validation_seed"),
]


@pytest.mark.parametrize(("name", "given", "seed"), SEEDS)
def test_a_former_seed_counts_where_it_is_the_one_of_today(name, given, seed):
    task = getattr(region_grower_flow, name)
    for former in formerly(seed):
        same = task(**given, **{former: 3, seed: 3})
        assert (getattr(same, seed), getattr(same, former)) == (3, None)
        assert same.task_id == task(**given, **{seed: 3}).task_id
        assert getattr(task(**given, **{former: 0}), seed) == 0


@pytest.mark.parametrize(("name", "given", "seed"), SEEDS)
def test_a_former_seed_never_changes_what_it_did_not_decide(configured, name, given, seed):
    task, formers = getattr(region_grower_flow, name), formerly(seed)
    for former in formers:
        words = f"option {former}: | {seed} has taken its place | is 0, not 3 | Give {seed} alone"
        with pytest.raises(InvalidInputs) as error:
            task(**given, **{former: 3})
        assert says(error.value, words)
        with (
            configured({"region_grower_flow": {former: "3", seed: "4"}}),
            pytest.raises(InvalidInputs, match="is 4, not 3"),
        ):
            task(**given)
    with pytest.raises(InvalidInputs) as error:
        task(**given, **dict.fromkeys(formers, 3))
    assert len(error.value.problems) == len(formers) == 2


def test_a_former_seed_of_another_stage_is_nothing_to_a_task(configured):
    with configured({"region_grower_flow": {"axon_seed": "3", "slice_seed": "2"}}):
        assert region_grower_flow.ExtractDistributions(**GIVEN).validation_seed == 0


def test_a_former_seed_serves_an_inner_stage(configured):
    given = {**GIVEN, "split_seed": "3"}
    with configured({"region_grower_flow": {**given, "validation_seed": "3"}}):
        assert region_grower_flow.FitTrunkAngles().validation_seed == 3
    with (
        configured({"region_grower_flow": given}),
        pytest.raises(InvalidInputs, match="split_seed"),
    ):
        region_grower_flow.FitTrunkAngles()


def test_a_former_seed_as_a_flag(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["validate", "--validation-of", "vacuum", "--report-seed", "3"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert says(done.output, "option report_seed: | validation_seed has taken its place")
    (tmp_path / "flow.cfg").write_text("[region_grower_flow]\nsplit_seed = 3\n")
    for words in (["validate"], ["status", "--task", "ValidateSynthesis"]):
        done = CliRunner().invoke(main, [words[0], "flow.cfg", *words[1:]])
        assert done.exit_code == 2
        assert says(done.output, "option split_seed: | validation_seed has taken its place")
    assert [path.name for path in tmp_path.iterdir()] == ["flow.cfg"]


def test_one_seed_places_slices_and_chooses():
    assert Placement.placement_seed is Slicing.placement_seed
    names = {name: getattr(region_grower_flow, name) for name, *_ in SEEDS[:3]}
    for name, given, seed in SEEDS[:3]:
        found = [names[name](**given, **{seed: value}).results() for value in (0, 1)]
        assert found[0].pop(seed) != found[1].pop(seed)
        assert found[0] == found[1]


def test_the_section_of_the_task_comes_before_that_of_all_tasks(configured):
    shared = {"region": "SSCX", "bar_threshold": "3"}
    with configured({"region_grower_flow": shared, "FitTrunkAngles": {"region": "VIS"}}):
        fits = region_grower_flow.FitTrunkAngles(**GIVEN)
        assert (fits.region, fits.bar_threshold) == ("VIS", 3)
        distributions = region_grower_flow.ExtractDistributions(**GIVEN, bar_threshold=4)
        assert (distributions.region, distributions.bar_threshold) == ("SSCX", 4)


def test_keys_and_values_that_do_not_do_are_told_at_once(configured):
    with (
        configured({"region_grower_flow": {"regoin": "SSCX"}}),
        pytest.raises(InvalidInputs, match="the key 'regoin' is not known"),
    ):
        region_grower_flow.FitTrunkAngles(**GIVEN)
    wrong = {"bar_threshold": "many", "synthesize_axons": "perhaps"}
    with configured({"region_grower_flow": wrong}), pytest.raises(InvalidInputs) as error:
        region_grower_flow.FitTrunkAngles(**GIVEN)
    assert len(error.value.problems) == 2
