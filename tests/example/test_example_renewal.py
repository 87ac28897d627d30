"""An example of another version of the package: made again by runs, or refused."""

import json
import shutil

import pytest

from region_grower_flow.errors import InvalidInput
from region_grower_flow.example import create
from region_grower_flow.example.create import MARKER, create_example, is_current, renew_example
from region_grower_flow.tasks.example import CreateExample

CELLS = 24


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "example"
    create_example(folder, atlas="column", n_cells=CELLS, seed=3)
    return folder


@pytest.fixture
def older(made, tmp_path):
    """A small example as another version has made it."""
    folder = tmp_path / "example"
    shutil.copytree(made, folder)
    change_marker(folder, version=create.VERSION - 1)
    return folder


def change_marker(folder, **options):
    marker = json.loads((folder / MARKER).read_text())
    marker["options"].update(options)
    (folder / MARKER).write_text(json.dumps(marker))


@pytest.mark.slow
def test_an_older_one_is_made_again_with_its_options(older):
    task = CreateExample(example_dir=str(older))
    assert not task.complete()
    (older / "mtypes.dat").write_bytes((older / "mtypes.dat").read_bytes())
    task.run()
    assert task.complete()
    options = json.loads((older / MARKER).read_text())["options"]
    assert options == {"version": create.VERSION, "seed": 3, "atlas": "column", "n_cells": CELLS}


def test_an_older_one_that_has_been_changed_is_refused(older):
    with open(older / "mtypes.dat", "a") as file:
        file.write("mine 0 L1_NGC-DA\n")
    with pytest.raises(InvalidInput, match=r"have been changed since \(mtypes.dat\)"):
        renew_example(older)
    assert "mine" in (older / "mtypes.dat").read_text()


def test_an_older_one_with_files_of_others_is_refused(older):
    (older / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="no part of an example"):
        renew_example(older)


def test_what_a_user_has_changed_in_todays_stays(older):
    change_marker(older, version=create.VERSION)
    with open(older / "mtypes.dat", "a") as file:
        file.write("mine 0 L1_NGC-DA\n")
    assert is_current(older)


def test_a_file_that_is_gone_is_made_again(older):
    change_marker(older, version=create.VERSION)
    (older / "mtypes.dat").unlink()
    assert not is_current(older)
    renew_example(older)
    assert is_current(older)


@pytest.mark.parametrize("name", ["/etc/hostname", "../notes.txt"])
def test_a_marker_that_leads_outside_makes_no_example(older, name):
    (older.parent / "notes.txt").write_text("mine")
    marker = json.loads((older / MARKER).read_text())
    marker["files"][name] = 1
    (older / MARKER).write_text(json.dumps(marker))
    assert not is_current(older)
    with pytest.raises(InvalidInput, match="no part of an example"):
        renew_example(older)


@pytest.mark.parametrize("options", [None, [], {"version": 1}, {"seed": "3"}])
def test_a_marker_that_is_not_ours_makes_no_example(older, options):
    marker = json.loads((older / MARKER).read_text())
    (older / MARKER).write_text(json.dumps({**marker, "options": options}))
    assert not is_current(older)
    with pytest.raises(InvalidInput, match="no part of an example"):
        renew_example(older)


def test_a_link_in_a_circle_is_no_folder(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert not is_current(tmp_path / "loop")
    with pytest.raises(InvalidInput, match="it is not a folder"):
        renew_example(tmp_path / "loop")
