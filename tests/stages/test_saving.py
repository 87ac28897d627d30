"""Copies of a synthesis: with names of their own, and over nothing that is there already."""

import json
from pathlib import Path

import pytest

from helpers.sentences import saying
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.circuit import circuit_config
from region_grower_flow.stages.saving import save_outputs

NAMES = ["a" * 32 + ".h5", "hashed/ab/" + "b" * 32 + ".h5"]


@pytest.fixture
def made(tmp_path):
    """A folder with what a synthesis writes."""
    folder = tmp_path / "made"
    for name in NAMES:
        (folder / "morphologies" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "morphologies" / name).write_text(name)
    config = circuit_config(folder / "nodes.h5", "cells", folder / "morphologies", ["h5"])
    (folder / "circuit_config.json").write_text(json.dumps(config))
    (folder / "nodes.h5").write_text("cells")
    (folder / "nodes_ids.csv").write_text("ids")
    (folder / "notes.txt").write_text("of the user")
    return folder


def save(made, target, inputs=(), **how):
    files = [made / name for name in ("nodes.h5", "nodes_ids.csv", "circuit_config.json")]
    nodes, folder = made / "nodes.h5", made / "morphologies"
    save_outputs(files, nodes, folder, NAMES, Path(target), dict(inputs), **how)


def files_of(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_what_is_named_as_the_nodes_gets_their_new_name(made, tmp_path):
    save(made, tmp_path / "saved" / "L5.h5")
    expected = {"L5.h5", "L5_ids.csv", "circuit_config.json", *(f"morphologies/{n}" for n in NAMES)}
    assert files_of(tmp_path / "saved") == expected
    config = json.loads((tmp_path / "saved" / "circuit_config.json").read_text())
    (entry,) = config["networks"]["nodes"]
    assert entry["nodes_file"] == "$BASE_DIR/L5.h5"
    assert (tmp_path / "saved" / "morphologies" / NAMES[1]).read_text() == NAMES[1]
    save(made, tmp_path / "saved" / "L5.h5")  # the same again


@pytest.mark.parametrize("name", ["nodes.h5", "nodes_ids.csv", "circuit_config.json"])
def test_what_is_there_already_stays(made, tmp_path, name):
    other = tmp_path / "other"
    other.mkdir()
    (other / name).write_text('{"of": "the user"}')
    with pytest.raises(InvalidInput, match=saying(f"{name} | another content | overwrite=True")):
        save(made, other / "nodes.h5")
    assert files_of(other) == {name}
    assert (other / name).read_text() == '{"of": "the user"}'
    (other / "morphologies").mkdir()
    stale = other / "morphologies" / ("c" * 32 + ".h5")
    stale.write_text("of an earlier population")
    (other / "morphologies" / "own.swc").write_text("of the user")
    save(made, other / "nodes.h5", overwrite=True)
    assert (other / "nodes.h5").read_text() == "cells"
    assert not stale.exists()
    assert (other / "morphologies" / "own.swc").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_inputs_are_never_overwritten(made, tmp_path, overwrite):
    (tmp_path / "nodes.h5").write_text("positions")
    inputs = {"input cells": tmp_path / "nodes.h5"}
    with pytest.raises(InvalidInput, match="would overwrite the input cells"):
        save(made, tmp_path / "nodes.h5", inputs, overwrite=overwrite)
    assert (tmp_path / "nodes.h5").read_text() == "positions"
    assert not (tmp_path / "morphologies").exists()
