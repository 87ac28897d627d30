"""Where the value of an option comes from, also under its former names."""

import warnings

import pytest
from luigi.cmdline_parser import CmdlineParser
from luigi.configuration import get_config
from luigi.interface import core
from luigi.rpc import RemoteScheduler
from luigi_tools.util import set_luigi_config

import region_grower_flow
from region_grower_flow import tasks
from region_grower_flow.cli.options import TaskCommand
from region_grower_flow.errors import InvalidInputs
from region_grower_flow.options import FORMER_NAMES, Model
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


@pytest.mark.parametrize("former", FORMER_NAMES)
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


def test_a_former_flag_of_a_command_is_not_in_its_help():
    command = TaskCommand("x", groups=(Model,), callback=lambda **values: values["processes"])
    assert command.main(["--report-processes", "2"], standalone_mode=False) == 2
    context = command.make_context("x", [])
    assert "--processes" in command.get_help(context)
    assert "--report-processes" not in command.get_help(context)


def test_a_former_key_of_a_configuration(tmp_path):
    path = tmp_path / "flow.cfg"
    path.write_text("[region_grower_flow]\nvalidation-processes = 2\n")
    assert read_flow(path) == {"processes": 2}


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
