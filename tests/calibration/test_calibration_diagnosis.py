"""The diagnosis says what each mtype's distributions rest on."""

import csv
import io
import json
from dataclasses import replace

import luigi
import numpy as np
import pytest

from helpers.reference_cells import (
    INTERNEURON,
    PYRAMIDAL,
    make_cell,
    write_cell,
    write_dat,
    write_dataset,
)
from region_grower_flow import DiagnoseReconstructions
from region_grower_flow.calibration import diagnosis
from region_grower_flow.calibration.dataset import read_dataset, split_dataset
from region_grower_flow.calibration.distributions import extract_distributions
from region_grower_flow.calibration.populations import gather_populations
from region_grower_flow.calibration.variants import find_variants

BASAL, APICAL = "basal_dendrite", "apical_dendrite"


@pytest.fixture(scope="module")
def made(dataset):
    """(populations, distributions) of 6 pyramidal cells and 6 interneurons."""
    return gather_populations(dataset), extract_distributions(dataset)[0]["default"]


@pytest.fixture
def found(made):
    return diagnosis.diagnose(*made)


def test_cells_trees_and_bars(found, made):
    pyramids = found[PYRAMIDAL]
    assert pyramids["cells"] == [f"pc_{i}" for i in range(6)]
    basal, apical = pyramids["neurites"][BASAL], pyramids["neurites"][APICAL]
    assert basal["trees"] == {
        "total": 18,
        "cells_with": 6,
        "per_cell": {"n": 6, "min": 3.0, "median": 3.0, "max": 3.0},
    }
    assert apical["bars"]["barcodes"] == 6
    assert apical["bars"]["total"] == 48  # each tree bifurcates three times
    assert apical["bars"]["per_tree"] == {"n": 6, "min": 8.0, "median": 8.0, "max": 8.0}
    assert list(found[INTERNEURON]["neurites"]) == [BASAL]
    spread = found[INTERNEURON]["neurites"][BASAL]["trees"]["per_cell"]
    assert (spread["min"], spread["max"]) == (2.0, 4.0)
    json.dumps(found, allow_nan=False)


def test_laws_fit_the_cells_that_they_were_made_from(found):
    for mtype in (PYRAMIDAL, INTERNEURON):
        for neurite in found[mtype]["neurites"].values():
            laws = neurite["laws"]
            assert laws["number_of_trees"] == pytest.approx(0, abs=1e-12)
            # Half a bin of 30 at most.
            assert laws["trunk_origin_elevations"] < np.pi / 60
            assert laws["trunk_angles"] < 2 * np.pi / 60


def test_laws_of_other_cells_do_not_fit(made):
    populations, distributions = made
    wrong = json.loads(json.dumps(distributions[PYRAMIDAL]))
    wrong[BASAL]["num_trees"]["data"] = {"bins": [3, 8], "weights": [1, 1]}
    wrong[BASAL]["trunk"]["absolute_elevation_deviation"]["data"]["bins"] = [
        angle + 1.0
        for angle in wrong[BASAL]["trunk"]["absolute_elevation_deviation"]["data"]["bins"]
    ]
    wrong["soma"]["size"]["norm"] = {"mean": 50.0, "std": 1.0}
    (found,) = diagnosis.diagnose({PYRAMIDAL: populations[PYRAMIDAL]}, {PYRAMIDAL: wrong}).values()
    laws = found["neurites"][BASAL]["laws"]
    assert laws["number_of_trees"] == pytest.approx(0.5)
    assert laws["trunk_origin_elevations"] == pytest.approx(1.0, abs=0.1)
    assert found["soma"]["ks"] == pytest.approx(1.0)
    assert any("the number of trees of type basal_dendrite is not" in r for r in found["remarks"])


def test_distances():
    data = {"bins": [1, 2, 3], "weights": [1, 1, 2]}
    assert diagnosis.distance_to_counts([1, 2, 3, 3], data) == pytest.approx(0)
    assert diagnosis.distance_to_counts([4, 4], data) == pytest.approx(1)
    assert diagnosis.distance_to_counts([1, 1, 3, 3], data) == pytest.approx(0.25)
    assert diagnosis.distance_to_bins([1.1, 2.1, 3.1, 3.1], data) == pytest.approx(0.1)
    assert diagnosis.distance_to_bins([], data) is None


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, "one cell is too few to know any spread (at least 3), what is grown repeats them"),
        (2, "2 cells are too few to know any spread (at least 3)"),
        (3, "3 cells are too few for a validation (at least 8)"),
        (7, "7 cells are too few for a validation (at least 8)"),
        (8, "8 cells are too few for a validation on cells that were not fitted (at least 16)"),
        (15, "15 cells are too few for a validation on cells that were not fitted"),
        (16, None),
    ],
)
def test_too_few_cells_are_said_plainly(count, expected):
    soma = {"mean": 5.0, "std": 1.0, "ks": 0.1}
    entry = {"cells": [str(i) for i in range(count)], "soma": soma, "neurites": {}, "alike": []}
    remarks = list(diagnosis._remarks(entry))
    assert len(remarks) == (expected is not None)
    assert expected is None or remarks[0].startswith(expected)


def test_variants_of_one_reconstruction_are_found(tmp_path):
    rng = np.random.default_rng(4)
    cell = make_cell(rng)
    for name in ("v0", "v1"):
        write_cell(cell, tmp_path / "cells", name)
        for section in cell.iter():
            section.points = section.points + rng.normal(scale=0.01, size=section.points.shape)
    other = make_cell(rng, basals=4)
    write_cell(other, tmp_path / "cells", "w")
    dataset = read_dataset(tmp_path / "cells", write_dat(tmp_path, ["v0 1 A", "w 1 A", "v1 1 A"]))
    found = diagnosis.diagnose(
        gather_populations(dataset), extract_distributions(dataset)[0]["default"]
    )["A"]
    assert found["alike"] == [["v0", "v1"]]
    assert any("variants of one reconstruction have (v0, v1)" in r for r in found["remarks"])


def test_an_mtype_without_cells(made, dataset):
    populations, distributions = made
    lost = gather_populations(replace(dataset, notes={"X": ["not used"]}))["X"]
    found = diagnosis.diagnose({**populations, "X": lost}, distributions)
    assert found["X"]["remarks"] == ["no cell is left"]
    assert "X: not used." in diagnosis.sentences(found, "table.csv")
    rows = list(csv.DictReader(io.StringIO(diagnosis.table(found))))
    assert [(row["mtype"], row["neurite_type"]) for row in rows] == [
        (PYRAMIDAL, BASAL),
        (PYRAMIDAL, APICAL),
        (INTERNEURON, BASAL),
        ("X", ""),
    ]
    assert rows[1]["bars_total"] == "48"
    assert rows[0]["remarks"].startswith("6 cells are too few for a validation (at least 8)")


def test_fits_are_merged_without_their_data(found):
    law = {"form": "step", "params": [1.0, 2.0], "ks": 0.1}
    fits = {
        PYRAMIDAL: {BASAL: {"laws": {"step": law}, "histogram": {"bins": [1], "weights": [2]}}},
        "other": {BASAL: {"slope": 1.0}},
        INTERNEURON: {APICAL: {"slope": 1.0}},
    }
    diagnosis.merge(found, trunk_fit=fits)
    assert found[PYRAMIDAL]["neurites"][BASAL]["trunk_fit"] == {"laws": {"step": law}}
    assert "trunk_fit" not in found[PYRAMIDAL]["neurites"][APICAL]
    assert "other" not in found


def test_the_task(tmp_path):
    source, table = write_dataset(tmp_path / "given")
    task = DiagnoseReconstructions(
        morphologies_dir=str(source),
        dat_file=str(table),
        work_dir=str(tmp_path / "work"),
        processes=1,
        hide_progress_bar=True,
    )
    assert luigi.build([task], local_scheduler=True, log_level="ERROR")
    found = json.loads(task.path.read_text())["default"]
    basal = found[PYRAMIDAL]["neurites"][BASAL]
    assert basal["path_distance_fit"]["n_trees"] == 6
    assert "pia" in basal["trunk_fit"]
    assert (tmp_path / "work" / "calibration_diagnosis.csv").read_text().count("\n") == 4
    assert task.complete()
    (tmp_path / "work" / "calibration_diagnosis.csv").unlink()
    assert not task.complete()


def test_independent_cells_of_one_form_are_no_variants(tmp_path):
    """The same soma, numbers of trees and tips, and points in each section: other cells yet."""
    rng = np.random.default_rng(8)
    names = [f"c{i}" for i in range(6)]
    paths = {name: write_cell(make_cell(rng), tmp_path, name) for name in names}
    assert find_variants(paths) == []


def test_clones_are_variants(tmp_path):
    rng = np.random.default_rng(9)
    cells = [make_cell(rng) for _ in range(3)]
    paths = {f"c{i}": write_cell(cell, tmp_path, f"c{i}") for i, cell in enumerate(cells)}
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    for section in cells[1].iter():  # turned, scaled and jittered
        section.points = 1.1 * section.points @ turn + rng.normal(size=section.points.shape)
    paths["clone"] = write_cell(cells[1], tmp_path, "clone")
    paths["absent"] = tmp_path / "absent.h5"
    assert find_variants(paths) == [["c1", "clone"]]


def test_one_cell_in_two_files_is_told(tmp_path):
    rng = np.random.default_rng(3)
    cells = [make_cell(rng), make_cell(rng)]
    places = [("a", 0), ("b", 1), ("again", 0)]
    for name, number in places:
        write_cell(cells[number], tmp_path / "cells", name)
    (tmp_path / "cells" / "again.h5").write_bytes((tmp_path / "cells" / "a.h5").read_bytes())
    (tmp_path / "n.dat").write_text("".join(f"{name} 1 A\n" for name, _ in places))
    dataset = read_dataset(tmp_path / "cells", tmp_path / "n.dat")
    assert (
        "a, again have the same file, which counts 2 times"
        in gather_populations(dataset)["A"].notes
    )


def test_variants_fall_into_one_half(tmp_path):
    rng = np.random.default_rng(5)
    lines = []
    for i in range(8):
        cell = make_cell(rng)
        for name in (f"a{i}", f"b{i}"):
            write_cell(cell, tmp_path / "cells", name)
            lines.append(f"{name} 1 A")
            for section in cell.iter():
                section.points = section.points + rng.normal(scale=0.1, size=section.points.shape)
    dataset = read_dataset(tmp_path / "cells", write_dat(tmp_path, lines))
    for seed in range(4):
        halves = [split_dataset(dataset, part, seed).mtypes["A"] for part in ("fit", "test")]
        names = [{cell.name[1] for cell in half} for half in halves]
        assert not names[0] & names[1]
        assert len(halves[0]) == len(halves[1]) == 8
