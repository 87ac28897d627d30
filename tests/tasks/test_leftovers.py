"""Files that an earlier run has written and the present one has not."""

import zlib

import pytest

from region_grower_flow.record.fingerprint import Recipe
from region_grower_flow.record.listing import placed_listing, write_listing
from region_grower_flow.record.manifest import Manifest
from region_grower_flow.tasks.leftovers import remove_leftovers, remove_unasked


def test_only_own_files_of_the_same_folder_go(tmp_path):
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for folder in (here, elsewhere):
        folder.mkdir()
        for name in ("old", "kept", "mine"):
            (folder / name).write_text(name)
    earlier = [here / "old", here / "kept", elsewhere / "old"]
    manifest = tmp_path / "manifest.json"
    Manifest.describe(Recipe("stage", 1), earlier).write(manifest)
    remove_leftovers(manifest, [here / "kept"], here)
    assert sorted(path.name for path in here.iterdir()) == ["kept", "mine"]
    assert len(list(elsewhere.iterdir())) == 3


def test_a_first_run_leaves_everything(tmp_path):
    (tmp_path / "mine").write_text("")
    remove_leftovers(tmp_path / "none.json", [], tmp_path)
    assert (tmp_path / "mine").exists()


@pytest.fixture
def container(tmp_path):
    """Files of a run with a container; gives the arguments of the run after it, without."""
    out = tmp_path / "out"
    out.mkdir()
    for name in ("nodes.h5", "container.h5"):
        (out / name).write_text(name)
    recipe = Recipe(
        "stage", 1, {"out_cells": "../out/nodes.h5", "container": "../out/container.h5"}
    )
    manifest = tmp_path / "manifest.json"
    Manifest.describe(recipe, [out / "nodes.h5", out / "container.h5"]).write(manifest)
    places = {"out_cells": out / "nodes.h5", "container": None}
    return manifest, places, [out / "nodes.h5"], tmp_path / "work"


def test_what_no_option_asks_for_any_more_goes(container, tmp_path):
    remove_unasked(*container)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["nodes.h5"]


def test_what_no_option_asks_for_goes_from_the_folder_of_the_morphologies(tmp_path):
    """Nothing may be there but outputs of today: the next run would be refused for it."""
    folder = tmp_path / "out" / "morphologies"
    folder.mkdir(parents=True)
    (folder / "container.h5").write_text("of the run before")
    recipe = Recipe("stage", 1, {"container": "../out/morphologies/container.h5"})
    manifest = tmp_path / "manifest.json"
    Manifest.describe(recipe, [folder / "container.h5"]).write(manifest)
    places = {"container": None, "morphologies": folder}
    remove_unasked(manifest, places, [tmp_path / "out" / "nodes.h5"], tmp_path / "work")
    assert list(folder.iterdir()) == []


def test_what_was_edited_stays(container, tmp_path):
    (tmp_path / "out" / "container.h5").write_text("mine now")
    remove_unasked(*container)
    assert (tmp_path / "out" / "container.h5").exists()


def test_what_has_another_name_now_or_lies_elsewhere_stays(container, tmp_path):
    manifest, places, outputs, work = container
    remove_unasked(manifest, {**places, "container": "out/other.h5"}, outputs, work)
    (tmp_path / "elsewhere").mkdir()
    remove_unasked(manifest, places, [tmp_path / "elsewhere" / "nodes.h5"], work)
    assert (tmp_path / "out" / "container.h5").exists()


@pytest.fixture
def morphologies(tmp_path):
    """A run with two morphologies in files; gives the arguments of the run after it, without."""
    folder, work, nodes = tmp_path / "out" / "morphologies", tmp_path / "work", "../out/nodes.h5"
    folder.mkdir(parents=True)
    (tmp_path / "out" / "nodes.h5").write_text("")
    files = {f"{letter * 32}.h5": (1, zlib.crc32(letter.encode())) for letter in "ab"}
    for name in files:
        (folder / name).write_text(name[0])
    write_listing(placed_listing(work, folder), folder, files)
    recipe = Recipe("stage", 1, {"out_cells": nodes, "morphologies": "../out/morphologies"})
    Manifest.describe(recipe, [tmp_path / "out" / "nodes.h5"]).write(tmp_path / "manifest.json")
    places = {"out_cells": tmp_path / "out" / "nodes.h5", "morphologies": None}
    return tmp_path / "manifest.json", places, [tmp_path / "out" / "nodes.h5"], work


def test_morphologies_of_files_that_are_no_more_written_go(morphologies, tmp_path):
    remove_unasked(*morphologies)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["nodes.h5"]


def test_morphologies_that_were_edited_or_are_of_other_cells_stay(morphologies, tmp_path):
    manifest, places, outputs, work = morphologies
    folder = tmp_path / "out" / "morphologies"
    remove_unasked(manifest, {**places, "morphologies": folder}, outputs, work)
    remove_unasked(manifest, places, [tmp_path / "out" / "others.h5"], work)
    assert len(list(folder.iterdir())) == 2
    (folder / f"{'a' * 32}.h5").write_text("mine")
    remove_unasked(*morphologies)
    assert [path.read_text() for path in folder.iterdir()] == ["mine"]
