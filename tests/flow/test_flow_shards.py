"""Whole runs whose morphologies are in the container alone: shards are as safe as files."""

import os
import random
import shutil
import signal
import time

import h5py
import pytest

from helpers.flow_factory import make_flow, stages_run
from helpers.flow_faults import Faults, results_of, tables_of, temporaries
from helpers.marked_processes import wait_until_gone
from region_grower_flow.io.shards import ends
from region_grower_flow.record.tables import read_records

pytestmark = pytest.mark.slow

CELLS, CHUNK = 24, 12
FILES = {"container_only": "false"}
ALONE = {"container_only": "true", "container_path": "out/container.h5"}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, kernels):
    """A flow, what it makes with files, and the container that it writes beside them."""
    folder = tmp_path_factory.mktemp("shards") / "flow"
    flow = make_flow(folder, CELLS, chunksize=CHUNK, block_size=4, **{**ALONE, **FILES})
    run(flow)
    return flow, results_of(flow), flow.path("out", "container.h5").read_bytes()


@pytest.fixture
def flow(inputs):
    """The flow from its beginning, with the container alone."""
    flow = inputs[0]
    for name in ("out", "work"):
        shutil.rmtree(flow.path(name), ignore_errors=True)
    flow.options.update(ALONE, chunksize=CHUNK)
    flow.options.pop("max_files_per_dir", None)
    return flow


def run(flow, *arguments):
    process = flow.luigi(*arguments)
    text = process.stdout + process.stderr
    assert process.returncode == 0, text
    assert "Traceback" not in text
    return process


def container(flow):
    return flow.path("out", "container.h5").read_bytes()


def shards(flow):
    return sorted(flow.path("work", "shards").rglob("*.shard"))


def grown(flow):
    return flow.summary["grown_now"]


def assert_no_waste(flow, between=False):
    """The shards end with what the records of cells name; nor is anything else between them."""
    tables = flow.path("work", "chunks").glob("*.jsonl")
    places = [record["shard"] for table in tables for record in read_records(table)]
    sizes = {
        str(p.relative_to(flow.path("work", "shards"))): p.stat().st_size for p in shards(flow)
    }
    assert sizes == ends(places)
    assert between or sum(sizes.values()) == sum(size for _, _, size, _ in places)


def test_the_container_alone_is_the_same(flow, inputs):
    _, files, expected = inputs
    run(flow)
    assert container(flow) == expected
    without = {name: data for name, data in files.items() if not name.startswith("morphologies/")}
    assert results_of(flow) == without
    assert not flow.path("out", "morphologies").exists()
    assert not flow.path("work", "morphologies").exists()
    assert_no_waste(flow)
    assert stages_run(run(flow)) == set()


def test_files_are_written_when_they_are_asked_for(flow, inputs):
    _, files, expected = inputs
    run(flow)
    flow.options.update(FILES)
    run(flow)
    assert (results_of(flow), container(flow), grown(flow)) == (files, expected, 0)
    assert shards(flow) == []
    flow.options.update(ALONE)
    run(flow)
    assert (container(flow), grown(flow)) == (expected, 0)
    assert_no_waste(flow)


def test_another_size_of_chunks_grows_nothing(flow, inputs):
    run(flow)
    before = shards(flow)
    flow.path("out", "container.h5").unlink()
    flow.options["chunksize"] = 5
    run(flow)
    assert (container(flow), grown(flow)) == (inputs[2], 0)
    assert shards(flow) == before
    assert flow.command("clean", "work", "--stale", "--yes").returncode == 0
    flow.path("out", "container.h5").unlink()
    run(flow)
    assert (container(flow), shards(flow)) == (inputs[2], before)


@pytest.mark.parametrize("option", ["container_only", "skip_write"])
def test_nothing_of_earlier_cells_stays(flow, option):
    """Morphologies of other cells may have the same names; a page shows those of its run."""
    flow.options.update(FILES)
    run(flow)
    page = flow.path("work", "out_nodes_report.html")
    page.write_text("of an earlier run")
    flow.options.update({option: "true", "tmd_parameters": "others.json", "skip_page": "false"})
    flow.write_json("others.json", flow.json("parameters.json"))
    flow.edit("others.json", lambda p: p["default"]["IN"]["basal_dendrite"].update(randomness=0.3))
    flow.write_cfg()
    shutil.copy(flow.path("luigi.cfg"), flow.path("flow.cfg"))
    try:
        process = flow.command("run", "flow.cfg")
    finally:
        flow.options.pop("skip_write", None)
        flow.options.update(tmd_parameters="parameters.json", skip_page="true")
    text = process.stdout + process.stderr
    assert process.returncode == 0, text
    assert f"No page: it shows morphologies in files, and {option} leaves none." in text
    assert "Open " not in text
    assert "ReportSynthesis" not in text
    left = {"apical.yaml", "nodes.h5", "nodes_ids.csv", "nodes_summary.json"}
    left |= {"container.h5"} if option == "container_only" else set()
    assert {path.name for path in flow.path("out").iterdir()} == left


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "remove all", "container"])
def test_damage_is_mended(flow, inputs, damage):
    run(flow)
    path = shards(flow)[0]
    if damage == "flip":
        with open(path, "r+b") as file:
            file.seek(path.stat().st_size // 2)
            file.write(b"damage")
    elif damage == "cut":
        os.truncate(path, path.stat().st_size - 10)
    elif damage == "remove":
        path.unlink()
    elif damage == "remove all":
        shutil.rmtree(flow.path("work", "shards"))
    place = flow.path("out", "container.h5")
    place.write_bytes(b"damaged") if damage == "container" else place.unlink()
    run(flow)
    assert container(flow) == inputs[2]
    expected = {"flip": 1, "cut": 1, "remove": CHUNK, "remove all": CELLS, "container": 0}[damage]
    # Cells of chunks that are not grown again count as before.
    chunks = {"flip": 1, "cut": 1, "remove": 1, "remove all": 2, "container": 0}[damage]
    assert grown(flow) == expected + (2 - chunks) * CHUNK
    assert_no_waste(flow, between=damage == "flip")
    assert stages_run(run(flow)) == set()


def test_the_container_of_another_run_stays_and_that_of_a_killed_one_is_written_again(flow, inputs):
    run(flow)
    flow.options["work_dir"] = "work2"
    try:
        process = flow.luigi()
        assert process.returncode != 0
        assert "this work folder does not know" in process.stdout + process.stderr
        assert container(flow) == inputs[2]
    finally:
        flow.options["work_dir"] = "work"
        shutil.rmtree(flow.path("work2"), ignore_errors=True)
    # Killed when the container was in its place, and before the manifest was there.
    flow.path("work", "manifests", "SynthesizeMorphologies.json").unlink()
    run(flow)
    assert container(flow) == inputs[2]


def test_cells_in_folders_are_so_in_the_container(flow):
    flow.options["max_files_per_dir"] = "256"
    run(flow)
    with h5py.File(flow.path("out", "container.h5"), "r") as file:
        assert len([name for name in tables_of(file) if name.endswith("points")]) == CELLS


def test_what_does_not_go_together_is_told(flow):
    flow.options.update(container_path="", out_morph_ext="h5, swc")
    process = flow.luigi()
    text = process.stdout + process.stderr
    assert process.returncode != 0
    assert "option container_only: needs a container" in text
    assert "holds morphologies in the format h5 only" in text
    assert "Traceback" not in text
    flow.options.pop("out_morph_ext")


def test_clean_and_status_know_shards(flow):
    run(flow)
    said = flow.command("status", "luigi.cfg")
    assert said.returncode == 0
    assert "Container:" in said.stdout
    assert "Morphologies:" not in said.stdout
    said = flow.command("clean", "work", "--all", "--yes")
    assert "shards:" in said.stdout
    assert not flow.path("work", "shards").exists()


@pytest.mark.mpi
@pytest.mark.timeout(3600)
def test_killed_at_random_moments(flow, inputs, mark, mpi):
    """RGF_STRESS says how often (2): each time until a run comes to its end."""
    kills = int(os.environ.get("RGF_STRESS", "2"))
    chance = random.Random(os.environ.get("RGF_STRESS_SERIES", "0"))
    flow.options.update(launcher="mpiexec", nb_processes=2, chunksize=CELLS)
    faults = Faults(flow, mark, seconds=0.05)
    try:
        for _ in range(kills):
            for name in ("out", "work"):
                shutil.rmtree(flow.path(name), ignore_errors=True)
            for _ in range(chance.randrange(1, 4)):
                process = faults.start()
                faults.wait_for_cells(len(faults.journal()) + chance.randrange(1, 16), process)
                time.sleep(chance.random() * 0.2)
                faults.kill_all(signal.SIGKILL)
                process.wait(20)
                wait_until_gone(faults.mark)
                spoil_tail(flow, chance)
            faults.run_to_end()
            assert container(flow) == inputs[2]
            assert_no_waste(flow)
            assert temporaries(flow.folder) == []
    finally:
        flow.options.update(launcher="inprocess", nb_processes="")


def spoil_tail(flow, chance):
    """What a kill in the middle of a write, or a power cut, leaves at the end of a shard."""
    found = shards(flow)
    if found and chance.random() < 0.7:
        path = chance.choice(found)
        if chance.random() < 0.5:
            with open(path, "ab") as file:
                file.write(bytes(chance.randrange(1, 5000)))
        else:
            os.truncate(path, max(0, path.stat().st_size - chance.randrange(1, 5000)))
