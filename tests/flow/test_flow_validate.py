"""ValidateSynthesis by the luigi command, and its tiers on the files of a finished run."""

import csv
import dataclasses
import os
import shutil

import h5py
import pytest

from helpers.flow_factory import Flow, finished_copy, stages_run
from helpers.sentences import says
from region_grower_flow.io.cell_files import write_nodes
from region_grower_flow.io.cells import read_cells
from region_grower_flow.io.morphologies import read_morphology, write_morphology
from region_grower_flow.options.validation import TIERS
from region_grower_flow.validation import space, structure
from region_grower_flow.validation.populations import SynthesisOutputs
from region_grower_flow.validation.validate import Part, ValidationPlan, validate

pytestmark = pytest.mark.slow

TASK = "ValidateSynthesis"


@pytest.fixture
def finished(finished):
    """A finished run that is to be validated, in one process."""
    finished.options.update(validation_dir="val", processes=1)
    return finished


@pytest.fixture(scope="module")
def validated_once(finished_once, tmp_path_factory):
    """A run that has been validated, and the process that has done it."""
    flow = finished_copy(finished_once, tmp_path_factory.mktemp("validated") / "flow")
    flow.options.update(validation_dir="val", processes=1)
    return flow, flow.luigi(task=TASK)


@pytest.fixture
def validated(validated_once):
    """The run that has been validated, with options of its own: its files are for all tests."""
    flow, _ = validated_once
    return Flow(flow.folder, dict(flow.options))


def results(flow):
    return flow.json("val/validation.json")


def test_it_runs_once_and_writes_everything(validated_once, validated):
    _, process = validated_once
    assert process.returncode == 0, process.stdout + process.stderr
    assert stages_run(process) == {"CheckInputs", TASK}
    content = results(validated)
    recipe = content["provenance"]["recipe"]
    assert "tmd_distributions" in recipe["files"]
    assert recipe["packages"]["scikit-learn"]
    assert content["parts"] == ["full"]
    assert set(content["populations"]["full"]) == {"PC", "IN"}
    assert content["populations"]["full"]["PC"]["asked"] == 4
    assert content["counts"]["full"]["structure"] == {"pass": 19}
    assert {v["verdict"] for v in content["verdicts"] if v["tier"] == "topology"} == {
        "not testable"
    }
    for table in content["tables"].values():
        with open(validated.path("val", table["file"]), encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == table["rows"]
    assert validated.path("val", "validation.html").is_file()
    with open(validated.path("val", "validation_mtypes.csv"), encoding="utf-8") as file:
        assert [(r["mtype"], r["structure"]) for r in csv.DictReader(file)] == [
            ("IN", "pass"),
            ("PC", "pass"),
        ]
    assert "full: 2 mtypes, 8 synthesized cells compared." in process.stdout
    validated.write_cfg()
    status = validated.command("status", "--config", "luigi.cfg", "--task", TASK).stdout
    assert f"{TASK:32} fresh" in status
    assert f"{'SynthesizeChunk_0-4':32} fresh" in status
    assert "A run would do nothing" in status
    assert "Outputs:\n  val/validation.html\n" in status
    again = validated.luigi(task=TASK)
    assert (again.returncode, stages_run(again)) == (0, set())


@pytest.mark.slow
def test_another_seed_or_folder_or_other_cells_validate_again(finished):
    assert finished.luigi(task=TASK).returncode == 0
    for change in ({"validation_seed": 1, "validation_dir": "elsewhere"}, {"seed": 2}):
        finished.options.update(change)
        process = finished.luigi(task=TASK)
        assert process.returncode == 0
        assert TASK in stages_run(process)
    assert "SynthesizeMorphologies" in stages_run(process)
    assert finished.path("elsewhere", "validation.json").is_file()
    finished.options["processes"] = 2
    assert stages_run(finished.luigi(task=TASK)) == set()


def test_fail_on_fails_after_all_is_written_and_validates_once(finished):
    finished.options["fail_on"] = "not_testable"
    process = finished.luigi(task=TASK)
    assert process.returncode == 30
    assert "PC (full): topology: " in process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr
    before = os.stat(finished.path("val", "validation.json")).st_mtime_ns
    assert finished.luigi(task=TASK).returncode == 30
    finished.options["fail_on"] = "fail"
    process = finished.luigi(task=TASK)
    assert (process.returncode, stages_run(process)) == (0, set())
    assert os.stat(finished.path("val", "validation.json")).st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code"),
    [("none", 0), ("fail", 0), ("not_testable", 1), ("not_testable,structure", 0), ("often", 2)],
)
def test_exit_codes_of_the_command(validated, words, code):
    given = [f"--{name.replace('_', '-')}={value}" for name, value in validated.options.items()]
    flags = [f for f in given if not f.startswith(("--hide", "--fail", "--skip"))]
    before = os.stat(validated.path("val", "validation.json")).st_mtime_ns
    process = validated.command(
        "validate", *flags, "--hide-progress-bar", "--skip-page", "--fail-on", words
    )
    assert process.returncode == code, process.stdout + process.stderr
    assert os.stat(validated.path("val", "validation.json")).st_mtime_ns == before


def test_the_status_of_a_validation_tells_what_is_stale(validated):
    validated.options["validation_seed"] = 7
    validated.write_cfg()
    status = validated.command("status", "--task", TASK).stdout
    assert "parameter validation_seed: 0 -> 7" in status
    assert "A run would do: CheckInputs, ValidateSynthesis." in status
    work = validated.options.get("work_dir", "region_grower_flow_work")
    # The options are those of the last run, whatever verdicts that one accepted.
    status = validated.command("status", "--work-dir", work, "--task", TASK).stdout
    (line,) = [line for line in status.splitlines() if line.startswith(TASK)]
    assert line.split()[1] == "fresh" or "fail_on does not accept its verdicts" in line
    assert "missing" not in status
    unknown = validated.command("status", "--task", "ValidateSynthesi")
    assert unknown.returncode == 2
    assert says(unknown.stderr, "option task: | 'ValidateSynthesi' | Did you mean")


def test_wrong_options_are_sentences_before_any_work(flow):
    for name in ("atlas", "out_cells"):
        del flow.options[name]
    flow.options["holdout"] = "true"
    process = flow.luigi(task=TASK)
    assert process.returncode != 0
    told = process.stdout + process.stderr
    for name in ("atlas", "out_cells", "morphologies_dir", "dat_file"):
        assert f"option {name}: is needed" in told
    assert "Traceback" not in told
    assert not flow.path("work", "cells.h5").exists()


def test_without_morphologies_there_is_nothing_to_validate(flow):
    flow.options["skip_write"] = "true"
    process = flow.luigi(task=TASK)
    assert process.returncode != 0
    assert "leaves no morphology to validate" in process.stdout + process.stderr
    assert stages_run(process) <= {"CheckInputs"}


# The tiers, on files that something has happened to.


@pytest.fixture
def opened(finished_once, tmp_path):
    """A copy of a finished run's files, to be broken."""
    flow = dataclasses.replace(finished_once, folder=tmp_path / "flow")
    shutil.copytree(finished_once.folder, flow.folder)
    return flow


def plan(flow, **changes):
    out = flow.path("out")
    outputs = SynthesisOutputs(
        cells=out / "nodes.h5",
        ids=out / "nodes_ids.csv",
        summary=out / "nodes_summary.json",
        morphologies=out / "morphologies",
        extensions=("h5",),
        cell_table=flow.path("work", "cells.h5"),
        asked=flow.path("nodes.h5"),
        listing=next(flow.path("work", "manifests").glob("morphologies*.txt")),
    )
    part = Part(
        "full",
        outputs,
        flow.path("parameters.json"),
        flow.path("distributions.json"),
        atlas=flow.path("atlas"),
        region_structure=flow.path("atlas", "region_structure.yaml"),
    )
    return ValidationPlan((part,), **changes)


def failures(flow, **changes):
    """{(mtype, test)} of the failing verdicts."""
    found = validate(plan(flow, **changes)).verdicts
    return {(v["mtype"], v["test"]) for v in found if v["verdict"] == "fail"}


def first_cell(flow):
    """(mtype, path) of the first morphology of the nodes."""
    nodes = read_cells(flow.path("out/nodes.h5"))
    name = nodes.properties["morphology"][0]
    return nodes.properties["mtype"][0], flow.path("out", "morphologies", f"{name}.h5")


def test_sound_files_fail_nothing_with_any_number_of_processes(opened):
    found = [validate(plan(opened, processes=count)).as_dict() for count in (1, 3)]
    assert found[0] == found[1]
    assert {v["verdict"] for v in found[0]["verdicts"]} <= {"pass", "not testable"}
    inside = [row["inside"] for row in validate(plan(opened)).tables["profiles"]]
    assert all(0.5 < value <= 1 for value in inside)


def test_a_corrupted_diameter(opened):
    mtype, path = first_cell(opened)
    with h5py.File(path, "r+") as file:
        file["points"][-1, 3] = -1.0
    expected = {(mtype, structure.DIAMETERS), (mtype, structure.READ_BACK)}
    assert failures(opened) == expected


def test_a_missing_file(opened):
    mtype, path = first_cell(opened)
    path.unlink()
    names = (structure.FILES, structure.READABLE, structure.READ_BACK)
    assert failures(opened) == {(mtype, name) for name in names}


def test_a_row_that_is_deleted(opened):
    mtype, _ = first_cell(opened)
    path = opened.path("out/nodes.h5")
    nodes = read_cells(path)
    kept = dataclasses.replace(
        nodes,
        positions=nodes.positions[1:],
        orientations=None,
        properties=nodes.properties.iloc[1:].reset_index(drop=True),
    )
    write_nodes(path, kept)
    assert failures(opened) == {(mtype, structure.ROWS), (None, structure.STRAY)}


def test_a_cell_that_has_moved(opened):
    mtype, _ = first_cell(opened)
    with h5py.File(opened.path("out/nodes.h5"), "r+") as file:
        file["nodes/small/0/x"][0] += 1.0
    assert failures(opened) == {(mtype, space.POSITION)}


def test_a_cell_beyond_its_limit(opened):
    """The parameters name a limit that the cells, grown without one, do not keep."""
    limit = {"hard_limit_max": {"layer": 2, "fraction": 0.9}}
    opened.edit(
        "parameters.json",
        lambda c: c["default"]["PC"].update(context_constraints={"apical_dendrite": limit}),
    )
    allowed = failures(opened)
    limit["hard_limit_max"] = {"layer": 2, "fraction": 0.05}
    opened.edit(
        "parameters.json",
        lambda c: c["default"]["PC"].update(context_constraints={"apical_dendrite": limit}),
    )
    assert failures(opened) - allowed == {("PC", space.LIMITS)}


def test_a_soma_that_is_not_at_the_origin(opened):
    mtype, path = first_cell(opened)
    cell = read_morphology(path)
    moved = dataclasses.replace(cell, soma_points=cell.soma_points + 50)
    write_morphology(path.parent, path.stem, moved, ["h5"])
    assert failures(opened) == {(mtype, space.SOMA), (mtype, structure.READ_BACK)}


def test_a_cell_that_the_table_of_ids_does_not_know(opened):
    path = opened.path("out/nodes_ids.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    assert {test for _, test in failures(opened)} == {structure.DROPPED, space.POSITION}


def test_a_summary_that_is_wrong(opened):
    opened.edit("out/nodes_summary.json", lambda c: c["mtypes"]["PC"].update(made=3))
    assert failures(opened) == {("PC", structure.ROWS)}


def test_samples_are_drawn_by_seed(opened):
    def sampled(seed):
        found = validate(plan(opened, sample=2, seed=seed))
        return {row["cell"] for row in found.tables["cells"]}

    assert len(sampled(0)) == 4
    assert sampled(0) == sampled(0)
    assert len({frozenset(sampled(seed)) for seed in range(5)}) > 1


@pytest.mark.slow
def test_vacuum_and_hold_out_of_an_example_that_is_yet_to_be_made(tmp_path, kernels):
    """The example's reconstructions: all of them, and one half against the other.

    The example is made by the run itself: its reconstructions cannot be read when the run begins.
    """
    options = {
        "validation_of": "vacuum",
        "holdout": "true",
        "validation_dir": "val",
        "example_dir": "example",
        "morphologies_dir": "example/morphologies",
        "dat_file": "example/mtypes.dat",
        "mtypes": "L4_SSC,L1_NGC-DA",
        "vacuum_cells": 9,
        "launcher": "inprocess",
        "processes": 2,
    }
    flow = Flow(tmp_path, options)
    process = flow.luigi(task=TASK, timeout=400)
    assert process.returncode == 0, process.stdout + process.stderr
    content = results(flow)
    assert content["parts"] == ["full", "holdout"]
    sizes = {
        part: {(m["n_reference"], m["n_synthesized"]) for m in mtypes.values()}
        for part, mtypes in content["populations"].items()
    }
    assert sizes == {"full": {(8, 9)}, "holdout": {(4, 9)}}
    tested = {v["tier"] for v in content["verdicts"] if v["verdict"] != "not testable"}
    assert tested == set(TIERS)
    held_out = [v for v in content["verdicts"] if v["part"] == "holdout"]
    assert {v["verdict"] for v in held_out if v["tier"] == "topology"} == {"not testable"}
    assert stages_run(flow.luigi(task=TASK)) == set()
    text = flow.command("status", "--task", TASK).stdout
    assert "Work folder: region_grower_flow_work/holdout\n" in text
    assert "stale" not in text
    assert "A run would do nothing" in text
    assert flow.command("clean", "--task", TASK, "--all", "--yes").returncode == 0
    assert not flow.path("region_grower_flow_work", "holdout", "vacuum").exists()
    assert flow.path("region_grower_flow_work", "vacuum", "nodes.h5").exists()
