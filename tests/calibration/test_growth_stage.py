"""The calibration of all mtypes: what is needed, what is kept, and the task."""

import dataclasses
import json

import luigi
import numpy as np
import pytest

from helpers.reference_cells import make_cell, write_cell, write_dat
from region_grower_flow import BuildParameters, CalibrateGrowth, SynthesizeVacuum
from region_grower_flow.calibration import growth_stage
from region_grower_flow.calibration.growth_cells import GrowthCell
from region_grower_flow.calibration.growth_stage import GrowthPlan, calibrate_growth
from region_grower_flow.checks.calibration import check_growth_calibration
from region_grower_flow.engine import filling
from region_grower_flow.report import growth_pictures
from region_grower_flow.tasks.models import model_paths, model_stages

TYPE = {
    "growth_method": "tmd",
    "metric": "path_distances",
    "randomness": 0.24,
    "targeting": 0.14,
    "branching_method": "bio_oriented",
}
PARAMS = {"grow_types": ["basal_dendrite"], "basal_dendrite": TYPE}


def plan(folder, **more):
    return GrowthPlan("extended", folder, **more)


def tasks(*mtypes, **distributions):
    """Tasks of mtypes whose distributions differ, unless they are given."""
    return {
        mtype: growth_stage.GrowthTask(
            mtype, "extended", PARAMS, distributions.get(mtype, {"of": mtype}),
            (GrowthCell("c", "c.h5", "c"),),
        )
        for mtype in mtypes
    }  # fmt: skip


@pytest.fixture
def made(monkeypatch):
    """The mtypes that are calibrated, in name only."""
    made = []

    def note(task):
        made.append(task.mtype)
        return {"mtype": task.mtype, "values": {"basal_dendrite": {"randomness": 0.3}}}

    monkeypatch.setattr(growth_stage, "calibrate_mtype", note)
    monkeypatch.setattr(filling, "provide", lambda groups: None)
    return made


def test_only_what_changed_is_calibrated_again(tmp_path, made):
    parameters = {"A": PARAMS, "B": PARAMS, "C": PARAMS}
    digests = {"c.h5": "1"}.get
    final, entries = calibrate_growth(parameters, tasks("A", "B"), plan(tmp_path), digests)
    assert sorted(made) == ["A", "B"]
    assert list(entries) == ["A", "B"]
    assert final["A"]["basal_dendrite"]["randomness"] == 0.3
    assert final["A"]["growth_levers"]["basal_dendrite"]["angles"] == "measured"
    assert final["C"] == PARAMS
    assert calibrate_growth(parameters, tasks("A", "B"), plan(tmp_path), digests)[0] == final
    assert len(made) == 2
    changed = tasks("A", "B", A={"soma": {"bars": [float("nan")]}})
    calibrate_growth(parameters, changed, plan(tmp_path), digests)
    assert made[2:] == ["A"]
    calibrate_growth(parameters, tasks("B"), plan(tmp_path), {"c.h5": "2"}.get)
    assert made[3:] == ["B"]
    for path in tmp_path.iterdir():
        path.write_text("{", encoding="utf-8")
    calibrate_growth(parameters, tasks("B"), plan(tmp_path), {"c.h5": "2"}.get)
    assert made[4:] == ["B"]


def test_mtypes_that_borrow_the_same_cells_are_calibrated_once(tmp_path, made):
    own = {mtype: {"of": "lender"} for mtype in "AB"}
    parameters = {"A": PARAMS, "B": PARAMS}
    both = tasks("A", "B", **own)
    limits = {"context_constraints": {"basal_dendrite": {"hard_limit_max": {"layer": 1}}}}
    both["B"] = dataclasses.replace(both["B"], params={**PARAMS, **limits})
    final, entries = calibrate_growth(parameters, both, plan(tmp_path), {"c.h5": "1"}.get)
    assert made == ["A"]
    assert [entry["mtype"] for entry in entries.values()] == ["A", "B"]
    assert final["A"] == final["B"]
    calibrate_growth({"B": PARAMS}, tasks("B", **own), plan(tmp_path), {"c.h5": "1"}.get)
    assert made == ["A"]


def test_default_barcodes_are_those_of_trees_with_more_than_two_tips():
    codes = [[1], [1, 2], [1, 2, 3]]
    found = growth_stage.default_distributions({"basal_dendrite": {"persistence_diagram": codes}})
    assert found["basal_dendrite"]["persistence_diagram"] == codes[2:]
    few = {"basal_dendrite": {"persistence_diagram": codes[:2]}, "diameter": "x"}
    assert growth_stage.default_distributions(few) == few


@pytest.fixture
def given(tmp_path):
    """The options of a calibration of three cells."""
    rng, rows = np.random.default_rng(4), ["name,mtype"]
    for i in range(3):
        write_cell(make_cell(rng), tmp_path / "cells", f"c{i}")
        rows.append(f"c{i},IN")
    table = write_dat(tmp_path, rows).rename(tmp_path / "cells.csv")
    return {
        "morphologies_dir": str(tmp_path / "cells"),
        "dat_file": str(table),
        "work_dir": str(tmp_path / "work"),
        "processes": 1,
        "hide_progress_bar": True,
    }


@pytest.mark.parametrize("mode", ["parameters", "extended"])
def test_the_task_writes_parameters_values_and_a_page(mode, given, tmp_path, monkeypatch):
    monkeypatch.setattr(filling, "provide", lambda groups: None)
    monkeypatch.setattr(growth_pictures, "growth_pictures", lambda *_: {})
    asked = str(tmp_path / "asked.json")
    task = CalibrateGrowth(**given, growth_calibration=mode, generated_parameters=asked)
    assert luigi.build([task], local_scheduler=True, log_level="ERROR")
    assert task.complete()
    built = json.loads((tmp_path / "asked.json").read_text())["default"]["IN"]
    assert ("growth_levers" in built) == (mode == "extended")
    method = built["diameter_params"]["method"]
    assert method == ("M4" if mode == "parameters" else "default")
    entry = json.loads((tmp_path / "work/growth_calibration.json").read_text())["default"]["IN"]
    assert entry["fitted"] is False
    assert "3 independent cells" in entry["why"]
    assert "3 independent cells" in (tmp_path / "work/growth_calibration.html").read_text()
    lines = task.manifest().facts["sentences"]
    assert lines[0] == "Growth is fitted for 0 of 1 mtypes."


def test_growth_goes_by_the_calibrated_parameters(given):
    plain = SynthesizeVacuum(**given)
    assert "CalibrateGrowth" not in model_stages(plain)
    task = SynthesizeVacuum(**given, growth_calibration="extended")
    assert set(model_stages(task)) == {"CalibrateGrowth", "ExtractDistributions"}
    assert model_paths(task)["parameters"].endswith("tmd_parameters_calibrated.json")
    required = task.clone(CalibrateGrowth).requires()
    assert isinstance(required["BuildParameters"], BuildParameters)
    assert task.recipe() != plain.recipe()


def test_what_is_given_cannot_be_calibrated(given):
    from types import SimpleNamespace

    options = {"tmd_parameters": "p.json", "tmd_distributions": None, "engine": "neurots"}
    found = check_growth_calibration(SimpleNamespace(**options, growth_calibration="extended"))
    words = [str(problem) for problem in found]
    assert "not tmd_parameters" in words[0]
    assert "base_parameters" in words[0]
    assert "engine neurots" in words[1]
    assert len(words) == 2
    assert not list(check_growth_calibration(SimpleNamespace(growth_calibration="none")))
