"""Nothing stale is used and nothing is made twice: through the luigi command."""

import os
import re
import shlex
import shutil

import pytest

from helpers.flow_factory import LUIGI, environment, make_flow, run_alone, stages_run
from helpers.forked import run_forked

pytestmark = pytest.mark.slow

ALL = {
    "CheckInputs",
    "LoadAtlas",
    "SynthesizeChunk 0-4",
    "SynthesizeChunk 4-8",
    "SynthesizeMorphologies",
}
SYNTHESIS = ALL - {"LoadAtlas", "CheckInputs"}


def rerun(flow, *arguments):
    process = flow.luigi(*arguments)
    assert process.returncode == 0, process.stdout + process.stderr
    return stages_run(process) - {"CheckInputs"}


def test_all_stages_run_once(flow):
    process = flow.luigi(run=run_alone)
    assert process.returncode == 0, process.stdout + process.stderr
    assert stages_run(process) == ALL
    assert flow.summary["cells"] == {"asked": 8, "made": 8, "dropped": 0, "without_axon": 0}
    assert "8 cells asked, 8 made, 0 dropped." in process.stdout
    stages = {name.split()[0] for name in ALL}
    assert set(flow.summary["seconds"]) == stages
    again = flow.luigi()
    assert again.returncode == 0
    assert stages_run(again) == set()
    assert "Did not run any tasks" in again.stdout + again.stderr


def test_another_seed_runs_synthesis_and_merge(finished):
    before = finished.morphologies()
    finished.options["seed"] = 2
    assert rerun(finished) == SYNTHESIS
    after = finished.morphologies()
    assert len(after) == len(before)
    # Names follow from the seeds: the cells of the first run are gone, but for shared seeds.
    assert set(before) != set(after)


def test_the_parameters_of_one_mtype_grow_its_cells_only(finished):
    before = finished.morphologies()

    def change(parameters):
        parameters["default"]["IN"]["basal_dendrite"]["randomness"] = 0.3

    finished.edit("parameters.json", change)
    assert rerun(finished) == SYNTHESIS
    after = finished.morphologies()
    assert finished.summary["grown_now"] == 4
    assert finished.summary["taken_over"] == 4
    assert sum(before[name] != after[name] for name in before) == 4


def test_touching_files_runs_nothing(finished):
    for path in finished.folder.rglob("*"):
        if path.is_file():
            os.utime(path, (10**9, 10**9))
    assert rerun(finished) == set()


def test_what_changes_no_result_runs_nothing(finished):
    usual = dict(finished.options)
    for option, value in {
        "chunksize": "3",
        "block_size": "1",
        "nb_processes": "3",
        "launcher": "mpiexec",
        "worker_log_level": "debug",
        "cell_timeout": "99",
        "hide_progress_bar": "false",
    }.items():
        finished.options = {**usual, option: value}
        assert rerun(finished) == set(), option


def test_a_deleted_table_is_merged_again(finished):
    finished.path("out", "apical.yaml").unlink()
    assert rerun(finished) == {"SynthesizeMorphologies"}
    assert finished.path("out", "apical.yaml").exists()


def test_a_deleted_morphology_is_placed_again(finished):
    name = next(iter(finished.morphologies()))
    finished.path("out", "morphologies", name).unlink()
    assert rerun(finished) == {"SynthesizeMorphologies"}
    assert name in finished.morphologies()


@pytest.mark.parametrize(
    "name",
    ["out/nodes.h5", "out/nodes_ids.csv", "out/nodes_summary.json", "out/apical.yaml"],
)
def test_a_damaged_table_is_made_again(finished, name):
    path = finished.path(name)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert rerun(finished) == {"SynthesizeMorphologies"}
    assert path.stat().st_size >= len(whole) - 40


def test_a_damaged_morphology_is_grown_again(finished):
    before = finished.morphologies()
    name = next(iter(before))
    path = finished.path("out", "morphologies", name)
    with open(path, "r+b") as file:
        file.truncate(100)
    rerun(finished)
    assert finished.morphologies() == before


def test_a_damaged_intermediate_is_made_again_when_it_is_needed(finished):
    finished.path("work", "cells.h5").write_bytes(b"nothing")
    assert rerun(finished) == set()
    finished.options["min_hard_scale"] = 0.3
    assert rerun(finished) == SYNTHESIS | {"LoadAtlas"}


def test_an_edited_atlas_runs_everything_below(finished):
    path = finished.path("atlas", "region_structure.yaml")
    path.write_text(path.read_text().replace("400.0", "410.0"))
    assert rerun(finished) == SYNTHESIS | {"LoadAtlas"}


def test_an_earlier_output_stays_whole_when_a_new_run_fails(finished):
    before = finished.morphologies()
    nodes = finished.path("out", "nodes.h5").read_bytes()
    finished.path("parameters.json").write_text("{")
    process = finished.luigi()
    assert process.returncode == 30
    assert "parameters.json" in process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr
    assert finished.morphologies() == before
    assert finished.path("out", "nodes.h5").read_bytes() == nodes


def done(process):
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_a_page_of_other_cells_is_not_offered(tmp_path, kernels):
    """A run without a page, or one that is killed before it, leaves the page of earlier cells."""
    flow = make_flow(tmp_path / "flow", 2, skip_page="false")
    assert PAGE in done(flow.luigi())
    flow.options.update(seed=7, skip_page="true")
    assert "html" not in done(flow.luigi())
    flow.options.update(skip_page="false")
    for words in ("shows other cells", "has not been drawn"):
        said = done(flow.luigi())
        assert "Open" not in said
        command = re.search(f"html {words}: (.+?) draws that of these cells", said).group(1)
        done(run_forked([LUIGI, *shlex.split(command)[1:]], flow.folder, environment(), 300))
        assert PAGE in done(flow.luigi())
        flow.path("work", "out_nodes_report.html").unlink()


def test_a_configuration_whose_page_is_of_other_cells_draws_it(tmp_path, kernels):
    flow = make_flow(tmp_path / "flow", 2, skip_page="false")
    done(by_configuration(flow))
    flow.options["seed"] = 7
    done(by_configuration(flow, "--no-page"))
    for _ in range(2):
        said = done(by_configuration(flow))
        assert PAGE in said
        assert "draws" not in said
        flow.path("work", "out_nodes_report.html").unlink()


PAGE = "Open work/out_nodes_report.html"


def by_configuration(flow, *more):
    flow.write_cfg()
    shutil.copy(flow.path("luigi.cfg"), flow.path("flow.cfg"))
    return flow.command("run", "flow.cfg", *more)
