"""Manifests: complete only when the outputs are as they were written."""

import json
import os
import shutil
from pathlib import Path

import pytest

from region_grower_flow.io.atomic import atomic_write
from region_grower_flow.record.fingerprint import Recipe
from region_grower_flow.record.manifest import Manifest, read_manifest


@pytest.fixture
def written(tmp_path):
    output = tmp_path / "output"
    output.write_text("content")
    manifest = Manifest.describe(Recipe("stage", 1), [output], {"cells": 3})
    manifest.write(tmp_path / "manifests" / "stage.json")
    return tmp_path / "manifests" / "stage.json", output


def test_round_trip(written):
    path, _ = written
    manifest = read_manifest(path)
    assert manifest.fingerprint == Recipe("stage", 1).fingerprint()
    assert manifest.facts == {"cells": 3}
    assert manifest.intact()


@pytest.mark.parametrize("relative", [True, False])
def test_a_copied_work_folder_speaks_of_the_outputs_beside_it(tmp_path, monkeypatch, relative):
    """The outputs of the original may change, and those of the copy be gone."""
    monkeypatch.chdir(tmp_path)
    output = Path("flow", "out", "nodes.h5") if relative else tmp_path / "flow" / "out" / "nodes.h5"
    output.parent.mkdir(parents=True)
    output.write_text("cells")
    place = Path("flow", "work", "manifests", "stage.json")
    Manifest.describe(Recipe("stage", 1), [output]).write(place)
    shutil.copytree("flow", "copy")
    manifest = read_manifest(Path("copy", *place.parts[1:]))
    assert manifest.intact()
    assert [os.path.abspath(path) for path in manifest.outputs] == [
        str(tmp_path / "copy" / "out" / "nodes.h5")
    ]
    (tmp_path / "copy" / "out" / "nodes.h5").unlink()
    assert not read_manifest(Path("copy", *place.parts[1:])).intact()
    assert read_manifest(place).intact()


def test_a_manifest_speaks_of_the_same_files_in_any_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("out.h5").write_text("cells")
    Path("work").mkdir()
    Manifest.describe(Recipe("stage", 1), ["out.h5"]).write("work/manifests/stage.json")
    monkeypatch.chdir("work")
    manifest = read_manifest("manifests/stage.json")
    assert list(manifest.outputs) == ["../out.h5"]
    assert manifest.intact()


def test_what_a_killed_writer_left_is_removed(written):
    path, _ = written
    with atomic_write(path) as left:
        left.write_bytes(path.read_bytes())
    left.write_text("half")
    other = path.with_name(".tmp-of-another-stage")
    other.write_text("half")
    read_manifest(path).write(path)
    assert sorted(path.parent.iterdir()) == [other, path]


def test_a_touched_output_is_intact(written):
    path, output = written
    os.utime(output, (1, 1))
    assert read_manifest(path).intact()


@pytest.mark.parametrize("content", ["", "conten", "CONTENT", "content and more"])
def test_a_changed_output_is_not_intact(written, content):
    path, output = written
    output.write_text(content)
    assert not read_manifest(path).intact()


def test_a_missing_output_is_not_intact(written):
    path, output = written
    output.unlink()
    assert not read_manifest(path).intact()


def test_every_truncation_of_a_manifest_is_recognized(written):
    path, _ = written
    whole = path.read_bytes()
    for length in range(len(whole) - 1):
        path.write_bytes(whole[:length])
        assert read_manifest(path) is None


def test_an_edited_manifest_is_recognized(written):
    path, _ = written
    content = json.loads(path.read_text())
    content["facts"] = {"cells": 4}
    path.write_text(json.dumps(content))
    assert read_manifest(path) is None


def test_a_missing_manifest_is_none(tmp_path):
    assert read_manifest(tmp_path / "none.json") is None
