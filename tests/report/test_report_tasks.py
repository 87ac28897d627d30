"""The reports as tasks: their files, what they refuse, and when they are made again."""

import csv
import shutil

import numpy as np
import pytest

from helpers.flow_factory import Flow, stages_run

REPORTS = {
    "morphometrics": {"IN.png", "PC.png", "morphometrics.csv", "summary.csv"},
    "scores": {"scores.png", "scores.csv"},
    "density_profiles": {"IN.png", "PC.png", "profiles.csv", "layers.csv"},
    "path_distance_fits": {"IN.png", "PC.png", "trees.csv", "fits.csv"},
    "scales": {"scales.png", "scales.csv", "summary.csv"},
    "trunks": {"IN.png", "PC.png", "angles.csv", "summary.csv"},
    "collage": {"slice_1.png", "cells.csv"},
}


def rows(flow, *parts):
    with open(flow.path("reports", "atlas", *parts), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_every_report_is_there(reported):
    for name, files in REPORTS.items():
        folder = reported.path("reports", "atlas", name)
        assert {path.name for path in folder.iterdir() if path.is_file()} == files
        assert all(path.stat().st_size > 0 for path in folder.rglob("*"))
    collage = reported.path("reports", "atlas", "collage")
    assert {p.name for p in (collage / "upright").iterdir()} == {"IN.png", "PC.png"}
    page = reported.path("work", "out_nodes_report.html").read_text(encoding="utf-8")
    assert "All 8 cells that were asked for were grown." in page
    # The figures of the other reports are on it.
    assert "PlotMorphometrics: 2 figures" in page
    assert page.count("data:image/webp;base64,") > 20
    assert "Open work/out_nodes_report.html" in reported.said


@pytest.mark.slow
def test_tables_hold_all_cells(reported):
    cells = rows(reported, "morphometrics", "morphometrics.csv")
    found = {(row["mtype"], row["population"]): 0 for row in cells}
    for row in cells:
        if row["neurite_type"] == "basal_dendrite":
            found[row["mtype"], row["population"]] += 1
    assert found == {
        ("PC", "reference"): 8,
        ("PC", "synthesized"): 4,
        ("IN", "reference"): 8,
        ("IN", "synthesized"): 4,
    }


@pytest.mark.slow
def test_profiles_hold_the_length_of_the_cells(reported):
    profiles = rows(reported, "density_profiles", "profiles.csv")
    cells = rows(reported, "morphometrics", "morphometrics.csv")
    for mtype in ("PC", "IN"):
        mine = [
            float(row["total length"])
            for row in cells
            if (row["mtype"], row["population"]) == (mtype, "synthesized")
            and row["neurite_type"] == "basal_dendrite"
        ]
        bins = [
            float(row["synthesized"])
            for row in profiles
            if (row["mtype"], row["neurite_type"]) == (mtype, "basal_dendrite")
        ]
        assert sum(bins) == pytest.approx(np.mean(mine), rel=1e-5)


@pytest.mark.slow
def test_layers_are_those_of_the_atlas(reported):
    layers = list(rows(reported, "density_profiles", "layers.csv"))
    tops = [float(row["top_um"]) for row in layers if row["mtype"] == "PC"]
    bottoms = [float(row["bottom_um"]) for row in layers if row["mtype"] == "PC"]
    assert tops[0] == 0.0
    assert tops[1:] == bottoms[:-1]


@pytest.mark.slow
def test_a_second_run_makes_nothing(reported):
    assert stages_run(reported.luigi(task="MakeReports")) == set()


@pytest.mark.slow
def test_other_options_make_a_report_again_and_old_files_go(reported, tmp_path):
    shutil.copytree(reported.folder, tmp_path / "flow", copy_function=shutil.copy2)
    flow = Flow(tmp_path / "flow", {**reported.options, "processes": 2})
    process = flow.luigi("--report-mtypes", "PC", task="PlotMorphometrics", timeout=300)
    assert process.returncode == 0, process.stdout + process.stderr
    folder = flow.path("reports", "atlas", "morphometrics")
    assert {path.name for path in folder.iterdir()} == {
        "PC.png",
        "morphometrics.csv",
        "summary.csv",
    }
    assert flow.path("reports", "atlas", "trunks", "IN.png").is_file()
    # The figure depends neither on the other mtypes nor on the number of processes.
    earlier = reported.path("reports", "atlas", "morphometrics", "PC.png")
    assert (folder / "PC.png").read_bytes() == earlier.read_bytes()


@pytest.mark.slow
def test_what_is_refused_is_refused_before_any_work(reported, tmp_path):
    shutil.copytree(reported.folder, tmp_path / "flow", ignore=_leftovers)
    flow = Flow(tmp_path / "flow", {**reported.options, "out_debug_data": "", "dat_file": ""})
    process = flow.luigi("--reports", "PlotScales,PlotMorphometrics", task="MakeReports")
    said = process.stdout + process.stderr
    assert process.returncode != 0
    assert "option out_debug_data: is needed" in said
    assert "option dat_file" in said
    assert "Traceback" not in said
    assert not flow.path("out").exists()
    assert not flow.path("reports").exists()


def _leftovers(_folder, names):
    return [name for name in names if name in ("work", "out", "reports")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("report", "options", "words"),
    [
        ("PlotScales", {"out_debug_data": None}, "option out_debug_data: is needed"),
        ("PlotCollage", {"report_of": "vacuum"}, "PlotCollage shows cells in an atlas only"),
        ("PlotVacuumMorphologies", {}, "shows cells grown without an atlas only"),
        ("PlotMorphometrics", {"dat_file": None}, "dat_file"),
        ("PlotMorphometrics", {"report_mtypes": "PCC"}, "there is no mtype 'PCC'"),
        ("PlotMorphometrics", {"input_cells": None}, "option input_cells: is needed"),
        ("PlotMorphometrics", {"skip_write": True}, "option skip_write: leaves no morphology"),
        ("PlotMorphometrics", {"report_dir": "nodes.h5"}, "is a file, a folder is expected"),
    ],
)
def test_bad_options_are_sentences(reported, monkeypatch, report, options, words):
    from region_grower_flow.tasks.checks import CheckInputs

    monkeypatch.chdir(reported.folder)
    usual = {**reported.options, "hide_progress_bar": True}
    problems = CheckInputs(checked="report", report=report, **{**usual, **options}).problems()
    assert any(words in str(problem) for problem in problems), problems
    assert not CheckInputs(checked="report", report="PlotMorphometrics", **usual).problems()


def test_names_of_reports_are_checked():
    from region_grower_flow.tasks.checks import CheckInputs

    problems = CheckInputs(checked="reports", reports="PlotCollages").problems()
    assert "Did you mean 'PlotCollage'" in str(problems[0])
