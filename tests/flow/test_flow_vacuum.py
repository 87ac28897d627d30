"""SynthesizeVacuum by the luigi command: alone, cached, whole after a kill, or refused."""

import csv
import os
import signal
import subprocess
import time

import pytest

from helpers.flow_factory import LUIGI, Flow, make_flow, stages_run
from helpers.sentences import says

pytestmark = pytest.mark.slow

TASK = "SynthesizeVacuum"


@pytest.fixture
def vacuum(tmp_path, kernels):
    """The small flow's mtypes, to be grown without its atlas."""
    flow = make_flow(tmp_path / "flow", vacuum_cells=3, vacuum_dir="vacuum")
    for name in ("input_cells", "atlas", "region_structure", "out_cells", "out_morph_dir"):
        del flow.options[name]
    return flow


def grown(flow):
    """{path: bytes} of the morphologies in the folder."""
    folder = flow.path("vacuum")
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.glob("*/*.h5")}


def index(flow):
    with open(flow.path("vacuum", "index.csv"), encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_it_runs_alone_and_once(vacuum):
    process = vacuum.luigi(task=TASK)
    assert process.returncode == 0, process.stdout + process.stderr
    assert stages_run(process) == {"CheckInputs", TASK}
    assert "6 cells asked, 6 made, 0 dropped." in process.stdout
    assert "Written to vacuum: " in process.stdout
    assert "index.csv" in process.stdout
    cells = grown(vacuum)
    assert sorted(cells) == sorted(row["path"] for row in index(vacuum))
    assert {row["mtype"] for row in index(vacuum)} == {"PC", "IN"}
    assert sorted(int(row["seed"]) for row in index(vacuum)) == [1, 2, 3, 4, 5, 6]
    again = vacuum.luigi(task=TASK)
    assert (again.returncode, stages_run(again)) == (0, set())
    assert grown(vacuum) == cells


@pytest.mark.parametrize(
    ("option", "value", "grown_again"),
    [("seed", 2, 3), ("vacuum_cells", 4, 2), ("mtypes", "PC", 0), ("launcher", "inprocess", 0)],
)
def test_what_an_option_changes(vacuum, option, value, grown_again):
    """The seed of each cell is that of the run plus its turn: seed 2 shifts all cells by one."""
    assert vacuum.luigi(task=TASK).returncode == 0
    before = grown(vacuum)
    vacuum.options[option] = value
    assert vacuum.luigi(task=TASK).returncode == 0
    after = grown(vacuum)
    if option == "seed":
        assert not set(before.values()) & set(after.values())
    elif option == "launcher":
        assert after == before
    else:
        shared = before.keys() & after.keys()
        assert len(shared) == min(len(before), len(after))
        assert all(before[name] == after[name] for name in shared)
        assert len(after) - len(shared) == grown_again


def test_a_lost_or_damaged_morphology_is_made_again(vacuum):
    assert vacuum.luigi(task=TASK).returncode == 0
    before = grown(vacuum)
    lost, damaged, *_ = sorted(before)
    vacuum.path("vacuum", lost).unlink()
    damaged_path = vacuum.path("vacuum", damaged)
    damaged_path.unlink()
    damaged_path.write_bytes(b"x" * len(before[damaged]))
    process = vacuum.luigi(task=TASK)
    assert stages_run(process) >= {TASK}
    assert grown(vacuum) == before


@pytest.mark.slow
def test_a_killed_run_is_finished_by_the_next(vacuum):
    vacuum.options.update(vacuum_cells=150, block_size=5, vacuum_dir="vacuum")
    vacuum.write_cfg()
    command = [LUIGI, "--module", "region_grower_flow", TASK]
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=vacuum.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    blocks = vacuum.path("work", "vacuum_work", "blocks")
    deadline = time.monotonic() + 60
    # Whole blocks: while one is written its name begins with a dot.
    while not any(blocks.glob("*/[!.]*.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not vacuum.path("vacuum", "index.csv").exists()
    finished = vacuum.luigi(task=TASK)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert vacuum.json("vacuum/summary.json")["taken_over"] > 0
    assert len(grown(vacuum)) == len(index(vacuum)) == 300


BAD = {
    "mtypes": ("PCC", "'PCC' | missing | 'default' | Did you mean 'PC'"),
    "vacuum_cells": (0, "it must be at least 1"),
    "tmd_parameters": ("nowhere.json", "nowhere.json"),
    "vacuum_dir": ("mine", "not know | (notes.txt)"),
    "work_dir": ("mine/work", "must not be in it"),
    "launcher": ("'", "is no command line"),
}


@pytest.mark.parametrize("option", BAD)
def test_bad_input_is_refused_in_a_sentence_before_any_work(vacuum, option):
    value, sentence = BAD[option]
    vacuum.path("mine").mkdir()
    vacuum.path("mine", "notes.txt").write_text("mine")
    if option == "work_dir":
        vacuum.options["vacuum_dir"] = "mine"
    vacuum.options[option] = value
    process = vacuum.luigi(task=TASK)
    text = process.stdout + process.stderr
    assert process.returncode != 0
    assert says(text, sentence)
    assert "Traceback" not in text
    assert not vacuum.path("vacuum").exists()
    assert vacuum.path("mine", "notes.txt").read_text() == "mine"


def test_a_folder_that_somebody_has_put_a_file_in_is_refused(vacuum):
    assert vacuum.luigi(task=TASK).returncode == 0
    vacuum.path("vacuum", "PC", "mine.txt").write_text("mine")
    vacuum.options["seed"] = 5
    process = vacuum.luigi(task=TASK)
    assert process.returncode != 0
    assert says(process.stdout + process.stderr, "not know | (PC/mine.txt)")


def test_too_many_failures_fail_the_run(vacuum):
    def spoil(parameters):
        parameters["default"]["PC"]["basal_dendrite"]["orientation"] = [[0.0, 1.0, 0.0]]

    vacuum.edit("parameters.json", spoil)
    vacuum.options["max_failure_ratio"] = 0.5
    process = vacuum.luigi(task=TASK)
    assert process.returncode != 0
    assert "PC (3 of 3" in process.stdout + process.stderr
    assert vacuum.json("vacuum/summary.json")["mtypes"]["PC"]["dropped"] == 3


def test_parameters_are_generated_where_they_are_not_given(tmp_path, kernels):
    """The same check guards the calibration; nothing but its inputs is needed."""
    from region_grower_flow.example.create import create_example

    example = create_example(tmp_path / "example", atlas="column")
    flow = Flow(tmp_path)
    flow.options = {
        "morphologies_dir": example.morphologies,
        "dat_file": example.mtypes,
        "mtypes": "L5_MC, L1_NGC-DA",
        "work_dir": "work",
        "vacuum_cells": 1,
        "hide_progress_bar": "true",
    }
    process = flow.luigi(task=TASK)
    assert process.returncode == 0, process.stdout + process.stderr
    stages = stages_run(process)
    assert {"CheckInputs", "ExtractDistributions", TASK} <= stages
    summary = flow.json("work/vacuum/summary.json")
    assert {mtype: counts["made"] for mtype, counts in summary["mtypes"].items()} == {
        "L1_NGC-DA": 1,
        "L5_MC": 1,
    }


def test_clean_removes_the_intermediates_and_leaves_the_cells(vacuum):
    from region_grower_flow.record.cleaning import everything

    vacuum.options["vacuum_dir"] = "work/vacuum"
    assert vacuum.luigi(task=TASK).returncode == 0
    work = vacuum.path("work")
    cells = {p.relative_to(work): p.read_bytes() for p in work.glob("vacuum/*/*.h5")}
    everything(work).remove()
    assert [p.name for p in work.glob("vacuum_work/**/*") if p.is_file()] == ["morphologies.txt"]
    assert len(cells) == 6
    assert {p.relative_to(work): p.read_bytes() for p in work.glob("vacuum/*/*.h5")} == cells
    # They are known for ours: another run may replace them.
    vacuum.options["seed"] = 50
    process = vacuum.luigi(task=TASK)
    assert process.returncode == 0, process.stdout + process.stderr
    assert not {p.read_bytes() for p in work.glob("vacuum/*/*.h5")} & set(cells.values())


def test_a_link_in_the_work_folder_is_refused_and_nothing_behind_it_goes(vacuum, tmp_path):
    assert vacuum.luigi(task=TASK).returncode == 0
    far, staged = tmp_path / "far", vacuum.path("work", "vacuum_work", "morphologies")
    staged.rename(far)
    (far / "mine.txt").write_text("mine")
    before = sorted(far.iterdir())
    staged.symlink_to(far)
    vacuum.options["seed"] = 2
    process = vacuum.luigi(task=TASK)
    assert process.returncode != 0
    assert says(process.stdout + process.stderr, "is a link | work folder")
    assert sorted(far.iterdir()) == before


def test_cells_of_before_go_though_their_listing_is_gone(vacuum):
    assert vacuum.luigi(task=TASK).returncode == 0
    before = grown(vacuum)
    vacuum.path("work", "vacuum_work", "morphologies.txt").unlink()
    vacuum.options["seed"] = 2
    process = vacuum.luigi(task=TASK)
    assert process.returncode == 0, process.stdout + process.stderr
    assert len(grown(vacuum)) == len(before)
    assert not set(grown(vacuum).values()) & set(before.values())
