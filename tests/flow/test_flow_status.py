"""The commands status and clean: what is there, what is stale and why, and what may go."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.bad.harness import changes, snapshot
from helpers.flow_factory import LUIGI, make_flow, run_alone
from region_grower_flow.record.blocks import block_files
from region_grower_flow.record.lock import stage_lock

pytestmark = pytest.mark.slow


def status(flow, *arguments, code=0):
    """{stage: (state, notes)}, and the text, of a look that has written nothing."""
    flow.write_cfg()
    before = moments(flow.folder)
    process = flow.command("status", *arguments)
    assert process.returncode == code, process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    assert moments(flow.folder) == before
    lines = re.findall(
        r"^(\w+(?:-\d+)?) +(fresh|stale|partial|missing) *(.*)$", process.stdout, re.MULTILINE
    )
    return {name: (state, notes) for name, state, notes in lines}, process.stdout + process.stderr


def moments(folder):
    """{path: size and times of change} of all below a folder."""
    paths = [folder, *sorted(Path(folder).rglob("*"))]
    stats = {str(path): path.lstat() for path in paths}
    return {name: (s.st_size, s.st_mtime_ns, s.st_ctime_ns) for name, s in stats.items()}


def states(stages):
    return {name: state for name, (state, _) in stages.items()}


ALL = {
    "CheckInputs": "fresh",
    "LoadAtlas": "fresh",
    "SynthesizeChunk_0-4": "fresh",
    "SynthesizeChunk_4-8": "fresh",
    "SynthesizeMorphologies": "fresh",
}


def test_before_the_first_run_all_is_missing(flow):
    stages, text = status(flow)
    assert states(stages) == dict.fromkeys(ALL, "missing")
    assert "A run would do: CheckInputs, LoadAtlas, SynthesizeChunk, Synth" in text
    assert "2 chunks of 8 cells" in text
    assert re.search(r"Nodes: +out/nodes.h5 \(not there yet\)", text)
    assert not flow.path("work").exists()


def test_after_a_run_all_is_fresh(finished):
    stages, text = status(finished)
    assert states(stages) == ALL
    assert "A run would do nothing" in text
    assert re.search(r"Nodes: +out/nodes.h5$", text, re.MULTILINE)
    assert re.search(r"Summary: +out/nodes_summary.json$", text, re.MULTILINE)
    assert re.search(r"Morphologies: +out/morphologies$", text, re.MULTILINE)


def test_another_seed_is_named_with_both_values(finished):
    finished.options["seed"] = 2
    stages, text = status(finished)
    assert states(stages) == {**dict.fromkeys(ALL, "stale"), "LoadAtlas": "fresh"}
    for name in ("SynthesizeChunk_0-4", "SynthesizeChunk_4-8"):
        assert stages[name][1] == "parameter seed: 1 -> 2"
    assert "A run would do: CheckInputs, SynthesizeChunk" in text


def test_an_edited_parameter_file_is_named_and_the_cells_to_grow_are_counted(finished):
    def change(parameters):
        parameters["default"]["IN"]["basal_dendrite"]["randomness"] = 0.3

    finished.edit("parameters.json", change)
    stages, text = status(finished)
    stale = {"CheckInputs", "SynthesizeChunk_0-4", "SynthesizeChunk_4-8", "SynthesizeMorphologies"}
    assert {name for name, (state, _) in stages.items() if state == "stale"} == stale
    for name in stale:
        assert re.match(r"content of tmd_parameters: \w{10} -> \w{10}", stages[name][1]), stages
    assert "2 of 4 cells done" in stages["SynthesizeChunk_0-4"][1]
    assert "2 chunks: 4 cells to grow, 4 to take over." in text
    # And that is what a run does.
    assert finished.luigi().returncode == 0
    assert (finished.summary["grown_now"], finished.summary["taken_over"]) == (4, 4)


def test_touched_files_are_fresh(finished):
    for path in finished.folder.rglob("*"):
        if path.is_file():
            os.utime(path, (10**9, 10**9))
    stages, _ = status(finished)
    assert states(stages) == ALL


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("out/apical.yaml", "out/apical.yaml is missing"),
        ("out/morphologies", "a morphology is missing, or is not as it was written"),
    ],
)
def test_a_deleted_output_is_named(finished, name, reason):
    path = finished.path(name)
    (next(path.glob("*.h5")) if path.is_dir() else path).unlink()
    stages, text = status(finished)
    assert states(stages) == {**ALL, "SynthesizeMorphologies": "stale"}
    assert stages["SynthesizeMorphologies"][1] == reason
    assert "A run would do: SynthesizeMorphologies." in text


def test_a_damaged_table_is_named(finished):
    path = finished.path("work", "chunks", "cells_000000004-000000008.jsonl")
    path.write_bytes(path.read_bytes()[:-50])
    stages, text = status(finished)
    assert stages["SynthesizeChunk_4-8"][0] == "stale", text
    assert "is not as it was written" in stages["SynthesizeChunk_4-8"][1]


def test_a_missing_input_is_a_sentence(finished):
    finished.path("distributions.json").unlink()
    stages, text = status(finished)
    assert stages["LoadAtlas"][0] == "fresh"
    assert stages["SynthesizeChunk_0-4"] == ("stale", "an input cannot be read, see below")
    assert "A run would be refused:\n  distributions.json: cannot be read" in text


def kill_in_the_middle(flow):
    """Start a run, kill it when some blocks are finished; returns how many cells these hold."""
    flow.write_cfg()
    command = [LUIGI, "--module", "region_grower_flow", "SynthesizeMorphologies"]
    blocks = flow.path("work", "blocks", "cells_000000000-000000100")
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=flow.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while len(block_files(blocks)) < 3:
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return len(block_files(blocks))


@pytest.mark.slow
def test_a_killed_run_is_partial(tmp_path, kernels):
    flow = make_flow(tmp_path / "flow", 200, chunksize=100, block_size=1, engine="neurots")
    done = kill_in_the_middle(flow)
    stages, text = status(flow)
    assert stages["SynthesizeChunk_0-100"] == (
        "partial",
        f"{done} blocks done; {done} of 100 cells done",
    )
    assert stages["SynthesizeChunk_100-200"] == ("missing", "")
    assert f"2 chunks: {200 - done} cells to grow, {done} to take over." in text
    # What is finished is no rubbish.
    assert "Nothing to remove" in flow.command("clean", "--yes").stdout


@pytest.mark.slow
def test_a_run_of_the_command_line_is_found_by_its_work_folder(flow):
    from helpers.bad.harness import arguments_of

    done = flow.command("synthesize-morphologies", *arguments_of(flow.options))
    assert done.returncode == 0, done.stderr
    before = moments(flow.folder)
    elsewhere = flow.folder.parent / "moved"
    for folder in (flow.folder, elsewhere):
        if folder == elsewhere:
            flow.folder.rename(elsewhere)
        process = subprocess.run(
            [str(LUIGI.with_name("region-grower-flow")), "status", "--work-dir", folder / "work"],
            cwd=sys.prefix,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        assert "A run would do nothing" in process.stdout
        assert len(moments(folder)) == len(before)


@pytest.mark.parametrize(
    ("cfg", "sentence"),
    [
        (None, "luigi.cfg: there is no such configuration."),
        ("[region_grower_flow\nseed = 1\n", "luigi.cfg: cannot be parsed"),
        ("[region_grower_flow]\nsead = 1\n", "the key 'sead' is not known"),
        ("[region_grower_flow]\nseed = one\n", "'one' is not valid: a whole number is expected"),
    ],
)
def test_a_bad_configuration_is_a_sentence(flow, cfg, sentence):
    path = flow.path("luigi.cfg")
    if cfg is not None:
        path.write_text(cfg)
    before = snapshot(flow.folder)
    for command in ("status", "clean"):
        process = flow.command(command, run=run_alone)  # Luigi reads it at its import
        assert process.returncode == 2
        assert sentence in process.stderr
        assert "Traceback" not in process.stderr
    assert changes(before, snapshot(flow.folder)) == []


def test_a_folder_without_a_run_is_a_sentence(flow):
    for command in (["status"], ["clean"], ["clean", "--all"]):
        process = flow.command(*command, "--work-dir", "atlas")
        assert process.returncode == 2
        assert process.stderr.startswith("atlas: ") or "/atlas: " in process.stderr
        assert "Traceback" not in process.stderr


# Removing.


@pytest.mark.slow
def test_clean_removes_what_a_change_has_left_behind(finished):
    finished.options["seed"] = 2
    finished.write_cfg()
    # Before the new run nobody knows which cells it will take over.
    assert "Nothing to remove" in finished.command("clean", "--yes").stdout
    assert finished.luigi("--chunksize", "8").returncode == 0
    finished.options["chunksize"] = 8
    finished.write_cfg()
    outputs = snapshot(finished.path("out"))
    stray = finished.path("work", "morphologies", "notes.txt")
    stray.write_text("of somebody else")
    staged = list(finished.path("work", "morphologies").glob("*.h5"))
    assert len(staged) > 8

    asked = finished.command("clean")
    assert asked.returncode == 1
    assert "To be removed" in asked.stdout
    assert sorted(finished.path("work", "morphologies").glob("*.h5")) == sorted(staged)

    process = finished.command("clean", "--yes")
    assert process.returncode == 0, process.stderr
    assert re.search(r"chunks: +2 files", process.stdout)
    left = {path.name for path in finished.path("work", "chunks").iterdir()}
    assert left == {"cells_000000000-000000008.jsonl"}
    assert {p.name for p in finished.path("work", "morphologies").glob("*.h5")} == set(
        finished.morphologies()
    )
    assert stray.exists()
    assert snapshot(finished.path("out")) == outputs
    stages, text = status(finished)
    assert set(states(stages).values()) == {"fresh"}
    assert "A run would do nothing" in text
    assert "Nothing to remove" in finished.command("clean", "--yes").stdout


def test_clean_all_leaves_outputs_and_files_of_others(finished):
    work = finished.path("work")
    strays = [work / "mine.txt", work / "chunks" / "mine.jsonl", work / "logs" / "mine" / "x.log"]
    for stray in strays:
        stray.parent.mkdir(exist_ok=True)
        stray.write_text("of somebody else")
    (work / "link").symlink_to(finished.path("out"))
    outputs = snapshot(finished.path("out"))
    process = finished.command("clean", "--all", "--yes", "--work-dir", "work")
    assert process.returncode == 0, process.stderr
    left = {path for path in work.rglob("*") if path.is_file()}
    assert left - set((work / "link").rglob("*")) == set(strays)
    assert snapshot(finished.path("out")) == outputs


def test_status_tells_what_a_run_at_work_has_left_to_do(flow):
    """As a user asks: in a process of its own, which no other run has begun in."""
    flow.write_cfg()
    lock = flow.path("work", "locks", "LoadAtlas.lock")
    lock.parent.mkdir(parents=True)
    with stage_lock(lock, "LoadAtlas"):
        process = flow.command("status", run=run_alone)
    assert process.returncode == 0, process.stderr
    at_work = rf"LoadAtlas +missing +being made now by process {os.getpid()}"
    assert re.search(at_work, process.stdout)
    assert "A run would do: CheckInputs, LoadAtlas" in process.stdout
    assert "Nodes: " in process.stdout


def test_clean_refuses_while_a_run_makes_something(finished):
    before = snapshot(finished.folder)
    with stage_lock(finished.path("work", "locks", "LoadAtlas.lock"), "LoadAtlas"):
        process = finished.command("clean", "--all", "--yes")
        _, text = status(finished)
    assert process.returncode == 1
    assert f"LoadAtlas is being made by process {os.getpid()}" in process.stderr
    assert re.search(rf"LoadAtlas +fresh +being made now by process {os.getpid()}", text)
    assert set(changes(before, snapshot(finished.folder))) == {"work/locks/LoadAtlas.lock"}
