"""Morphologies from the work folder to the users': placed, replaced, removed, found damaged."""

import errno
import os
import shutil
import zlib

import pytest

from region_grower_flow.errors import OutputFailed
from region_grower_flow.io.files import stamp_of
from region_grower_flow.record.listing import intact, read_listing, write_listing
from region_grower_flow.stages import linking
from region_grower_flow.stages.linking import DamagedMorphologies, place_morphologies


class Places:
    """A work folder with files, and a folder of the users'."""

    def __init__(self, folder):
        self.staged, self.users = folder / "work", folder / "out"
        self.listing = folder / "manifests" / "listing"
        self.wanted = {}

    def grow(self, name, content):
        path = self.staged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_bytes(content)
        beside.replace(path)
        self.wanted[name] = (len(content), zlib.crc32(content))

    def place(self, **more):
        place_morphologies(self.wanted, self.staged, self.users, self.listing, **more)

    def found(self):
        files = [path for path in self.users.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.users)): path.read_bytes() for path in files}


@pytest.fixture
def places(tmp_path):
    made = Places(tmp_path)
    made.grow("hashed/00/one.h5", b"first")
    made.grow("hashed/01/two.h5", b"second")
    made.place()
    return made


@pytest.fixture
def no_links(monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(linking.os, "link", refuse)


def test_files_are_linked_and_listed(places):
    assert places.found() == {"hashed/00/one.h5": b"first", "hashed/01/two.h5": b"second"}
    assert (places.users / "hashed/00/one.h5").samefile(places.staged / "hashed/00/one.h5")
    assert intact(places.listing, places.users)


def test_files_are_copied_where_links_fail(no_links, places):
    assert places.found() == {"hashed/00/one.h5": b"first", "hashed/01/two.h5": b"second"}
    assert (places.users / "hashed/00/one.h5").stat().st_nlink == 1


def test_what_is_grown_anew_replaces_and_what_is_unwanted_goes(places):
    places.grow("hashed/00/one.h5", b"other")
    del places.wanted["hashed/01/two.h5"]
    (places.users / "mine.txt").write_bytes(b"a user's")
    (places.users / "hashed/00/.tmp-1-one.h5").write_bytes(b"of a killed process")
    places.place()
    assert places.found() == {"hashed/00/one.h5": b"other", "mine.txt": b"a user's"}
    assert set(read_listing(places.listing, places.users)) == {"hashed/00/one.h5"}


def test_other_names_in_the_work_folder(places):
    names = {"mtype/one.h5": "hashed/00/one.h5"}
    wanted = {"mtype/one.h5": places.wanted["hashed/00/one.h5"]}
    place_morphologies(wanted, places.staged, places.users, places.listing, names)
    assert places.found() == {"mtype/one.h5": b"first"}


def test_the_list_has_the_stamps_of_the_end(places):
    """A file that loses its name of an earlier run gets another stamp by that."""
    names = {f"PC/{name}": name for name in places.wanted}
    places.wanted = {f"PC/{name}": known for name, known in places.wanted.items()}
    places.place(staged_names=names)
    listed = read_listing(places.listing, places.users)
    assert sorted(listed) == sorted(names) == sorted(places.found())
    for name, (size, _, mark) in listed.items():
        assert [size, *mark] == stamp_of(places.users / name)


@pytest.mark.parametrize("damage", ["cut", "edited", "deleted"])
def test_damage_through_a_link_is_found(places, damage):
    path = places.users / "hashed/00/one.h5"
    if damage == "deleted":
        (places.staged / "hashed/00/one.h5").unlink()
    else:
        path.write_bytes(b"f" if damage == "cut" else b"f1rst")
    before = places.found()
    with pytest.raises(DamagedMorphologies, match=r"again: hashed/00/one\.h5") as raised:
        places.place()
    assert raised.value.names == {"hashed/00/one.h5"}
    assert places.found() == before


def test_a_touched_file_is_whole(places):
    os.utime(places.users / "hashed/00/one.h5", (1, 1))
    places.place()
    assert intact(places.listing, places.users)


def test_a_damaged_copy_is_copied_again(no_links, places):
    (places.users / "hashed/00/one.h5").write_bytes(b"f1rst")
    places.place()
    assert places.found()["hashed/00/one.h5"] == b"first"


def test_what_was_placed_and_has_not_changed_is_not_read_again(places, monkeypatch):
    monkeypatch.setattr(linking, "check_file", lambda *_: pytest.fail("read again"))
    places.place()
    assert intact(places.listing, places.users)


@pytest.mark.parametrize("lost", ["the output", "the output and the listing", "the output folder"])
def test_what_has_lost_its_second_name_is_read(places, lost):
    """A power cut, an editor, another out_morph_dir: the size alone would fit."""
    staged = places.staged / "hashed/00/one.h5"
    before = staged.stat()
    staged.write_bytes(bytes(5))
    os.utime(staged, ns=(before.st_atime_ns, before.st_mtime_ns))
    (places.users / "hashed/00/one.h5").unlink()
    if lost == "the output and the listing":
        places.listing.unlink()
    if lost == "the output folder":
        shutil.rmtree(places.users)
    with pytest.raises(DamagedMorphologies) as raised:
        places.place()
    assert raised.value.names == {"hashed/00/one.h5"}


def test_a_name_that_leads_outside_deletes_nothing(places, tmp_path):
    (tmp_path / "mine.txt").write_bytes(b"a user's")
    write_listing(places.listing, places.users, {**places.wanted, "../mine.txt": (8, 1)})
    places.place()
    assert (tmp_path / "mine.txt").read_bytes() == b"a user's"


def test_a_link_in_the_work_folder_is_refused(places, tmp_path):
    """Unfinished files are removed there: it must not be somebody's own folder."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / ".tmp-mine").write_bytes(b"a user's")
    shutil.rmtree(places.staged / "hashed/00")
    (places.staged / "hashed/00").symlink_to(tmp_path / "own")
    (tmp_path / "own" / "one.h5").write_bytes(b"first")
    with pytest.raises((DamagedMorphologies, OutputFailed)):
        places.place()
    assert (tmp_path / "own" / ".tmp-mine").exists()


def test_synthesized_morphologies_of_others_go_where_the_user_says_overwrite(places):
    other, mine = places.users / f"{7:032x}.h5", places.users / "notes.h5"
    other.write_text("of another work folder")
    mine.write_text("mine")
    places.place()
    assert other.exists()
    places.place(overwrite=True)
    assert not other.exists()
    assert mine.read_text() == "mine"


def test_an_empty_folder_in_the_place_of_a_morphology_gives_way(places):
    path = places.users / "hashed/00/one.h5"
    path.unlink()
    path.mkdir()
    places.place()
    assert places.found() == {"hashed/00/one.h5": b"first", "hashed/01/two.h5": b"second"}
    path.unlink()
    path.mkdir()
    (path / "mine").write_text("mine")
    with pytest.raises(OutputFailed, match="a folder is in its place"):
        places.place()
    assert (path / "mine").read_text() == "mine"
