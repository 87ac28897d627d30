"""The calibration's stages in whole flows: what runs again, what grows again, what is refused."""

import json

import pytest

from helpers.bad.bases import calibration
from helpers.flow_factory import COMMAND, Flow, environment, finished_copy, stages_run
from helpers.forked import run_forked
from helpers.reference_cells import write_first_rows
from helpers.sentences import says

pytestmark = pytest.mark.slow

MADE = {
    "CheckInputs",
    "LoadAtlas",
    "GenerateParameters",
    "ExtractDistributions",
    "FitTrunkAngles",
    "FitPathDistances",
    "BuildParameters",
    "SynthesizeChunk 0-12",
    "SynthesizeMorphologies",
}
BELOW = {"BuildParameters", "SynthesizeChunk 0-12", "SynthesizeMorphologies"}
TARGET = {"extent_to_target": {"layer": "L1", "fraction": 0.8}}
RULES = {
    "default": {"basal_dendrite": {"hard_limit_max": {"layer": 1, "fraction": 0.99}}},
    "L5_TPC:A": {"apical_dendrite": TARGET},
}
TABLE = """mtype,entry,value
L5_MC,basal_dendrite.orientation.mode,pia_constraint
L5_MC,basal_dendrite.orientation.values.form,double_step
L5_MC,axon.randomness,0.3
"""


def write(flow, name, content):
    flow.path(name).write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture(scope="module")
def calibrated_once(tmp_path_factory, kernels):
    """A synthesis of 12 cells from the example's reconstructions, with all fits."""
    from region_grower_flow.example.create import create_example

    folder = tmp_path_factory.mktemp("calibrated") / "flow"
    paths = create_example(folder / "inputs", atlas="column", n_cells=12)
    write_first_rows(paths.mtypes, folder / "mtypes.dat", 4)
    flow = Flow(folder)
    flow.options = {
        "morphologies_dir": "inputs/morphologies",
        "dat_file": "mtypes.dat",
        "trunk_fits": "asked",
        "scaling_rules": "rules.json",
        "overrides": "custom.csv",
        "input_cells": "inputs/nodes.h5",
        "atlas": "inputs/atlas_column",
        "region_structure": "inputs/region_structure.yaml",
        "work_dir": "work",
        "out_cells": "out/nodes.h5",
        "out_morph_dir": "out/morphologies",
        "launcher": "inprocess",
        "processes": 1,
        "hide_progress_bar": "true",
        "skip_page": "true",
    }
    write(flow, "rules.json", RULES)
    write(flow, "custom.csv", TABLE)
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    assert stages_run(process) == MADE
    return flow


@pytest.fixture
def calibrated(calibrated_once, tmp_path):
    return finished_copy(calibrated_once, tmp_path / "flow")


@pytest.fixture
def flow_of_reconstructions(tmp_path, kernels):
    """A small flow whose distributions come from reconstructions, not run yet."""
    flow = calibration(tmp_path / "flow")
    flow.options["processes"] = 1
    return flow


def rerun(flow):
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    return stages_run(process) - {"CheckInputs"}


def count(flow, mtype):
    return flow.summary["mtypes"][mtype]["asked"]


def test_the_final_parameters(calibrated_once):
    generated = calibrated_once.json("work/tmd_parameters_generated.json")["default"]
    final = calibrated_once.json("work/tmd_parameters.json")["default"]
    fits = calibrated_once.json("work/path_distance_fits.json")["default"]
    laws = calibrated_once.json("work/trunk_fits.json")["default"]
    assert list(final) == list(generated)
    assert set(calibrated_once.summary["seconds"]) == {name.split()[0] for name in MADE}
    target = final["L5_TPC:A"]["context_constraints"]["apical_dendrite"]["extent_to_target"]
    assert target["slope"] == fits["L5_TPC:A"]["apical_dendrite"]["slope"]
    expected = laws["L5_MC"]["basal_dendrite"]["pia"]["laws"]["double_step"]
    found = final["L5_MC"]["basal_dendrite"]["orientation"]["values"]
    assert found == {key: expected[key] for key in ("form", "params")}
    log = calibrated_once.path("work/logs/BuildParameters.log").read_text()
    assert "L5_MC: basal_dendrite.orientation.mode is 'pia_constraint' (was None)." in log
    assert says(log, "axon | not used | L5_MC")


@pytest.mark.slow
def test_a_rule_of_one_mtype_grows_its_cells_only(calibrated):
    rules = json.loads(json.dumps(RULES))
    rules["L5_TPC:A"]["apical_dendrite"]["hard_limit_max"] = {"layer": "L1", "fraction": 0.95}
    write(calibrated, "rules.json", rules)
    assert rerun(calibrated) == BELOW
    assert 0 < calibrated.summary["grown_now"] == count(calibrated, "L5_TPC:A")
    assert calibrated.summary["taken_over"] == 12 - count(calibrated, "L5_TPC:A")


@pytest.mark.slow
def test_the_same_rules_in_other_words_grow_nothing(calibrated):
    words = json.dumps(RULES).replace('"L1"', "1")
    assert words != json.dumps(RULES)
    write(calibrated, "rules.json", words)
    assert rerun(calibrated) == BELOW
    assert calibrated.summary["grown_now"] == 0


@pytest.mark.slow
def test_trunk_rules_need_no_other_fits(calibrated):
    rule = {"L5_MC": {"basal_dendrite": {"mode": "pia_constraint", "form": "flat"}}}
    write(calibrated, "trunks.json", rule)
    write(calibrated, "custom.csv", "mtype,entry,value\nL5_MC,basal_dendrite.randomness,0.24\n")
    calibrated.options["trunk_rules"] = "trunks.json"
    assert rerun(calibrated) == BELOW
    assert calibrated.summary["grown_now"] == count(calibrated, "L5_MC")


@pytest.mark.slow
def test_what_is_not_asked_for_is_not_made(calibrated):
    for option in ("scaling_rules", "overrides", "trunk_fits"):
        del calibrated.options[option]
    assert rerun(calibrated) == BELOW
    work = calibrated.path("work")
    final = json.loads((work / "tmd_parameters.json").read_text())
    assert final == json.loads((work / "tmd_parameters_generated.json").read_text())
    status = calibrated.command("status", "--config", "luigi.cfg").stdout
    assert "FitTrunkAngles" not in status
    assert "BuildParameters                  fresh" in status


@pytest.mark.slow
def test_a_file_that_the_user_has_named_is_an_output_like_others(flow_of_reconstructions):
    flow = flow_of_reconstructions
    place = flow.path("out", "distributions.json")
    flow.options["extracted_distributions"] = "out/distributions.json"
    rerun(flow)
    written = place.read_bytes()
    for spoil in (place.unlink, lambda: place.write_bytes(written[::-1])):
        spoil()
        assert rerun(flow) == {"ExtractDistributions", "SynthesizeMorphologies"}
        assert place.read_bytes() == written
    assert rerun(flow) == set()


@pytest.mark.slow
def test_all_trees_need_other_fits_of_path_distances(calibrated):
    calibrated.options["path_fit_trees"] = "all"
    assert rerun(calibrated) == {"FitPathDistances", *BELOW}
    # The cells have one apical tree each, which is all of them.
    assert calibrated.summary["grown_now"] == 0


def test_a_stage_alone(calibrated_once, tmp_path):
    flow = Flow(calibrated_once.folder, dict(calibrated_once.options))
    flow.options["work_dir"] = str(tmp_path / "alone")
    process = flow.luigi(task="FitPathDistances")
    assert process.returncode == 0, process.stdout + process.stderr
    assert stages_run(process) == {"CheckInputs", "FitPathDistances"}
    fits = json.loads((tmp_path / "alone" / "path_distance_fits.json").read_text())
    assert fits == calibrated_once.json("work/path_distance_fits.json")


@pytest.mark.slow
def test_the_command_makes_the_final_parameters(calibrated_once, tmp_path):
    folder = calibrated_once.folder
    arguments = [folder / "inputs" / "morphologies", folder / "mtypes.dat", "-pf", "p.json"]
    arguments += ["--overrides", calibrated_once.path("custom.csv"), "--trunk-fits", "asked"]
    arguments += ["--scaling-rules", calibrated_once.path("rules.json")]
    # A part of the mtypes: what is made of each depends on no other.
    arguments += ["--mtypes", "L5_MC,L5_TPC:A"]
    command = [COMMAND, "generate-parameters", *arguments]
    process = run_forked(command, tmp_path, environment(), 120)
    assert process.returncode == 0, process.stdout + process.stderr
    (region, every), *_ = calibrated_once.json("work/tmd_parameters.json").items()
    expected = {region: {mtype: every[mtype] for mtype in ("L5_MC", "L5_TPC:A")}}
    assert json.loads((tmp_path / "p.json").read_text()) == expected
    assert "Final parameters of 2 mtypes." in process.stdout
    status = Flow(tmp_path).command("status", "--work-dir", "p_work").stdout
    assert "A run would do nothing" in status
    assert "FitTrunkAngles" in status


def test_everything_wrong_is_said_before_any_work(calibrated_once, tmp_path):
    flow = Flow(calibrated_once.folder, dict(calibrated_once.options))
    bad = tmp_path / "rules.yaml"
    bad.write_text("default: {basal_dendrite: {hard_limit_max: {layer: L7}}}\n")
    trunks = tmp_path / "trunks.yaml"
    trunks.write_text("L5_MC: {basal_dendrite: {mode: pia}}\n")
    options = {"scaling_rules": bad, "trunk_rules": trunks, "work_dir": tmp_path / "work"}
    flow.options.update({name: str(path) for name, path in options.items()})
    process = flow.luigi(task="BuildParameters")
    text = process.stdout + process.stderr
    assert process.returncode != 0
    assert "Traceback" not in text
    where = f"{bad}, default, basal_dendrite, hard_limit_max"
    assert says(text, f"{where}: | 'L7' | only 6 | 1, 2, 3, 4, 5, 6.")
    assert says(text, f"{trunks}, L5_MC, basal_dendrite: | 'pia' | expected one of")
    assert stages_run(process) == {"CheckInputs"}
    assert not (tmp_path / "work" / "tmd_distributions.json").exists()


def test_rules_for_given_parameters_are_refused(calibrated):
    calibrated.options["tmd_parameters"] = "work/tmd_parameters.json"
    process = calibrated.luigi()
    text = process.stdout + process.stderr
    assert process.returncode != 0
    assert says(text, "option scaling_rules: | no effect | tmd_parameters")


def test_another_file_of_a_database_grows_the_cells_of_its_mtype_only(flow):
    for kind, prefix in (("parameters", "params"), ("distributions", "distr")):
        content = flow.json(f"{kind}.json")
        flow.path("inputs").mkdir(exist_ok=True)
        for region, mtypes in content.items():
            for mtype, entry in mtypes.items():
                name = f"inputs/{prefix}_luigi_{region}_{mtype}.json"
                flow.write_json(name, {region: {mtype: entry}})
        flow.options[f"tmd_{kind}"] = "inputs"
    assert flow.luigi().returncode == 0
    before = flow.morphologies()

    def change(parameters):
        parameters["default"]["IN"]["basal_dendrite"]["randomness"] = 0.3

    flow.edit("inputs/params_luigi_default_IN.json", change)
    assert {name.split()[0] for name in rerun(flow)} == {
        "SynthesizeChunk",
        "SynthesizeMorphologies",
    }
    assert (flow.summary["grown_now"], flow.summary["taken_over"]) == (4, 4)
    assert sum(before[name] != after for name, after in flow.morphologies().items()) == 4
    flow.path("inputs/params_luigi_default_IN.json").write_text("{")
    process = flow.luigi()
    assert process.returncode != 0
    assert says(process.stdout + process.stderr, "params_luigi_default_IN.json: | JSON | line 1")
