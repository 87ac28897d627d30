"""Tries: places of their own, and work folders that go on from others."""

import os

from region_grower_flow.start.tries import go_on_from_others, trial_places


def test_a_try_has_places_of_its_own():
    places = {"work_dir": "work", "out_cells": "out/nodes.h5", "out_apical": None, "x": "/a/n.h5"}
    assert trial_places(places, "limit_50") == {
        "work_dir": "work_limit_50",
        "out_cells": "out_limit_50/nodes.h5",
        "x": "/a/n_limit_50.h5",
    }


def folder(path):
    for name in (
        "manifests/CalibrateGrowth.json", "manifests/SynthesizeMorphologies.json",
        "manifests/morphologies-1.txt", "tmd_parameters.json", "growth_calibration/L4_PC.json",
        "morphologies/a.h5", "chunks/cells_0-9.jsonl", "cells.h5", "locks/LoadAtlas.lock",
        "logs/LoadAtlas.log", "digests.json",
    ):  # fmt: skip
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(f"{path.name} {name}")
    return path


def files(path):
    return {str(p.relative_to(path)) for p in path.rglob("*") if p.is_file()}


MODEL = {"manifests/CalibrateGrowth.json", "tmd_parameters.json", "growth_calibration/L4_PC.json"}
CELLS = {"morphologies/a.h5", "chunks/cells_0-9.jsonl", "cells.h5"}


def test_all_cells_go_on_from_the_latest_try(tmp_path):
    old, new = folder(tmp_path / "work_limit_5"), folder(tmp_path / "work_limit_50")
    os.utime(old / "manifests", (1, 1))
    os.symlink("/etc/hostname", new / "elsewhere")
    work = tmp_path / "work"
    assert go_on_from_others(work, work) == new
    assert files(work) == MODEL | CELLS
    assert (work / "tmd_parameters.json").read_text() == "work_limit_50 tmd_parameters.json"
    assert go_on_from_others(work, work) is None  # it has begun


def test_a_try_goes_on_from_all_cells_without_the_cells(tmp_path):
    folder(tmp_path / "work_limit_5")
    whole, work = folder(tmp_path / "work"), tmp_path / "work_limit_7"
    assert go_on_from_others(work, whole) == whole
    assert files(work) == MODEL


def test_a_beginning_that_was_killed_begins_again(tmp_path):
    found, work = folder(tmp_path / "work_limit_5"), tmp_path / "work"
    (work / "morphologies").mkdir(parents=True)
    os.link(found / "morphologies" / "a.h5", work / "morphologies" / "a.h5")
    assert go_on_from_others(work, work) == found
    assert files(work) == MODEL | CELLS


def test_there_may_be_nothing_to_go_on_from(tmp_path):
    (tmp_path / "work_of_mine").mkdir()
    assert go_on_from_others(tmp_path / "work", tmp_path / "work") is None
    assert not (tmp_path / "work").exists()
