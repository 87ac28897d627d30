"""Pieces of a run that jobs make by themselves: what a file of pieces may hold."""

import json
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from helpers.sentences import says
from region_grower_flow.cli import main
from region_grower_flow.record.fingerprint import with_check
from region_grower_flow.tasks import cluster

CONTENT = {
    "version": 2,
    "folder": ".",
    "options": {"input_cells": "nodes.h5", "atlas": "atlas", "out_cells": "out/nodes.h5"},
    "pieces": [["SynthesizeChunk", 0, 10], ["SynthesizeMorphologies", None, None]],
}


@pytest.mark.parametrize(
    ("change", "number", "sentence"),
    [
        ({"folder": "/nowhere/at/all"}, 0, "the folder of the run is gone"),
        ({"version": 7}, 0, "a file of pieces of version 7"),
        ({"pieces": [["SynthesizeChunk", "a", 10]]}, 0, "a whole number is expected"),
        ({}, 2, "there is no piece 2, the last is 1"),
    ],
)
def test_a_file_of_pieces_that_does_not_do_is_a_sentence(tmp_path, change, number, sentence):
    content = with_check({**CONTENT, **change})
    assert sentence in refusal(tmp_path / "pieces.json", content, number)


@pytest.mark.parametrize(
    "content",
    [[], {"pieces": []}, {**CONTENT, "check": "0"}, {**with_check(CONTENT), "folder": ".."}],
)
def test_other_files_are_no_pieces(tmp_path, content):
    found = refusal(tmp_path / "pieces.json", content, 0)
    assert says(found, "pieces.json: not a file of pieces | the run has written")


def test_another_file_of_ours_is_no_file_of_pieces(tmp_path):
    found = refusal(tmp_path / "pieces.json", with_check({"version": 2, "files": {}}), 0)
    assert "not a file of pieces" in found


@pytest.mark.parametrize("name", ["__version__", "importlib", "BuildParameters"])
def test_pieces_are_of_chunks_and_the_merge_alone(tmp_path, name):
    content = {**CONTENT, "pieces": [[name, None, None]]}
    found = refusal(tmp_path / "pieces.json", with_check(content), 0)
    assert says(found, "pieces.json: not a file of pieces | the run has written")


def test_pieces_of_a_copied_project_are_not_those_of_the_original(tmp_path, monkeypatch):
    """They were made in the original's folders, without a word."""
    original, copy = (tmp_path / name / "work" / "jobs" for name in ("original", "copy"))
    for folder in (original, copy):
        folder.mkdir(parents=True)
    home = tmp_path / "original"
    options = {**CONTENT["options"], "work_dir": "work"}
    content = with_check({**CONTENT, "folder": str(home), "options": options})
    monkeypatch.chdir(tmp_path)
    (original / "pieces.json").write_text(json.dumps(content))
    found = refusal(copy / "pieces.json", content, 0)
    assert says(found, f"copy/work/jobs/pieces.json | a copy | {original} | plan-pieces")
    assert cluster.load_piece(original / "pieces.json", 0).is_alone


def refusal(path, content, number):
    """What is printed on a file of pieces that does not do."""
    path.write_text(json.dumps(content))
    done = CliRunner().invoke(main, ["make-piece", str(path), str(number)])
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 2
    return done.output


def test_the_command_of_a_piece_can_be_given_as_it_stands(monkeypatch):
    path = Path("/my brain/flow/jobs/pieces.json")
    monkeypatch.setattr(cluster, "write_pieces", lambda task: path)
    monkeypatch.setattr(cluster, "pieces_of", lambda task: [("SynthesizeChunk", 0, 1)] * 3)
    check = SimpleNamespace(complete=lambda: True, cover=lambda stages: None)
    task, said = SimpleNamespace(check=lambda: check, cell_stages=dict), []
    assert cluster.plan(task, lambda stage: 0, said.append) == 0
    command = said[0].partition(": region-grower-flow ")[2].partition(" N, ")[0]
    assert shlex.split(command) == ["make-piece", str(path)]
