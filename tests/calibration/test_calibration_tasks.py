"""The tasks of the calibration: where they write, and what their options change."""

import json

import luigi
import numpy as np
import pytest

from helpers.reference_cells import make_cell, write_cell, write_dat
from region_grower_flow import BuildParameters, ExtractDistributions, FitPathDistances
from region_grower_flow.calibration.sources import calibration_settings
from region_grower_flow.errors import InvalidInput
from region_grower_flow.options import Model
from region_grower_flow.tasks.reconstructions import OfReconstructions


@pytest.fixture
def given(tmp_path):
    """The options of a calibration of three cells with axons, one of which is not to be used."""
    rng, rows = np.random.default_rng(4), ["name,mtype,use_axon"]
    for i in range(3):
        write_cell(make_cell(rng, axons=1), tmp_path / "cells", f"c{i}")
        rows.append(f"c{i},IN,{i > 0}")
    table = write_dat(tmp_path, rows).rename(tmp_path / "cells.csv")
    return {
        "morphologies_dir": str(tmp_path / "cells"),
        "dat_file": str(table),
        "work_dir": str(tmp_path / "work"),
        "processes": 1,
        "hide_progress_bar": True,
    }


def made(task):
    assert luigi.build([task], local_scheduler=True, log_level="ERROR")
    assert task.complete()
    return json.loads(task.path.read_text())["default"]["IN"]


@pytest.mark.parametrize(
    ("task", "option"),
    [
        (ExtractDistributions, "extracted_distributions"),
        (BuildParameters, "generated_parameters"),
    ],
)
def test_another_place_is_written(task, option, given, tmp_path):
    first = made(task(**given))
    other = task(**given, **{option: str(tmp_path / "elsewhere" / "made.json")})
    assert not other.complete()
    assert made(other) == first
    assert other.path == tmp_path / "elsewhere" / "made.json"


def test_axons_are_calibrated_where_they_are_to_be_grown(given):
    dendrites = made(ExtractDistributions(**given))
    assert dendrites["axon"] == {}
    task = ExtractDistributions(**given, synthesize_axons=True)
    assert not task.complete()
    found = made(task)
    assert found["axon"]["num_trees"]["data"] == {"bins": [1], "weights": [2]}
    assert found["basal_dendrite"] == dendrites["basal_dendrite"]
    parameters = made(BuildParameters(**given, synthesize_axons=True))
    assert parameters["grow_types"] == ["basal_dendrite", "axon"]
    # Path distances are of dendrites only.
    plain, axons = FitPathDistances(**given), FitPathDistances(**given, synthesize_axons=True)
    assert plain.recipe() == axons.recipe()


def test_a_stage_may_go_by_other_options_than_those_of_the_reconstructions(given):
    class CountCells(OfReconstructions):
        results_of = (Model.region,)

    assert CountCells(**given).results() == {"region": "default", "needed": None}


def test_more_than_two_basal_dendrites_cannot_be_asked_for(given):
    with pytest.raises(InvalidInput, match=r"min_basal_trees.*at most 2"):
        ExtractDistributions(**given, min_basal_trees=3)


def test_the_threshold_of_barcodes_is_that_of_the_growth_or_the_one_given(given):
    def threshold(**options):
        return calibration_settings(ExtractDistributions(**given, **options)).bar_threshold

    assert threshold() is None
    assert threshold(bar_threshold=1) == 1
    assert threshold(growth_calibration="parameters") == 0
    assert threshold(growth_calibration="extended", bar_threshold=2) == 2
    plain, other = (ExtractDistributions(**given, bar_threshold=n) for n in (None, 0))
    assert plain.recipe() != other.recipe()
