"""Pieces of a run that jobs make by themselves: what a file of pieces may hold."""

import json

import pytest
from click.testing import CliRunner

from region_grower_flow.cli import main

CONTENT = {
    "version": 1,
    "folder": ".",
    "options": {"input_cells": "nodes.h5", "atlas": "atlas", "out_cells": "out/nodes.h5"},
    "pieces": [["SynthesizeChunk", 0, 10], ["SynthesizeMorphologies", None, None]],
}


@pytest.mark.parametrize(
    ("change", "number", "sentence"),
    [
        ({"folder": "/nowhere/at/all"}, 0, "the folder of the run is gone"),
        ({"folder": 3}, 0, "not a file of pieces"),
        ({"version": 7}, 0, "a file of pieces of version 7"),
        ({"pieces": [["CheckInputs", 0, 1]]}, 0, "not a file of pieces"),
        ({"pieces": 5}, 0, "not a file of pieces"),
        ({"pieces": [["SynthesizeChunk", "a", 10]]}, 0, "a whole number is expected"),
        ({"options": []}, 0, "not a file of pieces"),
        ({}, 2, "there is no piece 2, the last is 1"),
    ],
)
def test_a_file_of_pieces_that_does_not_do_is_a_sentence(tmp_path, change, number, sentence):
    path = tmp_path / "pieces.json"
    path.write_text(json.dumps({**CONTENT, **change}))
    done = CliRunner().invoke(main, ["make-piece", str(path), str(number)])
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 2
    assert sentence in done.output
