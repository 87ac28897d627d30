"""The listing of placed morphologies."""

import json
import os
import shutil
import zlib

import numpy as np
import pytest

from region_grower_flow.io.files import stamp_of
from region_grower_flow.record import listing as listings
from region_grower_flow.record.file_table import ABSENT, scan
from region_grower_flow.record.listing import (
    intact,
    our_files,
    placed_listing,
    read_listing,
    remove_listed,
    synthesized_by_others,
    write_listing,
)
from region_grower_flow.record.tables import write_records


@pytest.fixture(params=[100, 1], ids=["one process", "several processes"])
def placed(request, tmp_path, monkeypatch):
    monkeypatch.setattr(listings, "FILES_PER_PROCESS", request.param)
    folder = tmp_path / "out"
    files = {}
    for name in ("a.h5", "hashed/0a/b.h5", "hashed/0b/c.h5"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        files[name] = (len(name), zlib.crc32(name.encode()))
    write_listing(tmp_path / "listing", folder, files)
    return tmp_path / "listing", folder, files


def test_round_trip(placed):
    listing, folder, files = placed
    read = read_listing(listing, folder)
    assert {name: known[:2] for name, known in read.items()} == files
    assert all(min(mark) > 0 for _, _, mark in read.values())
    assert intact(listing, folder)


def test_a_listing_of_another_folder_does_not_count(placed):
    listing, folder, _ = placed
    assert read_listing(listing, folder.parent) is None


def test_touched_files_are_intact_and_foreign_ones_do_not_matter(placed):
    listing, folder, _ = placed
    os.utime(folder / "a.h5", (1, 1))
    (folder / "foreign.txt").write_text("x")
    assert intact(listing, folder)


@pytest.fixture
def synthesized(tmp_path):
    """Two morphologies of ours and a file of somebody's; gives the listing and their folder."""
    folder, files = tmp_path / "out", {}
    for name in (f"{'a' * 32}.h5", f"hashed/0a/{'b' * 32}.h5", "their.h5"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
        files[name] = (len(name), zlib.crc32(name.encode()))
    write_listing(tmp_path / "listing", folder, files)
    return tmp_path / "listing", folder


def test_listed_morphologies_are_removed_and_no_others(synthesized):
    listing, folder = synthesized
    os.utime(folder / f"{'a' * 32}.h5", (1, 1))
    remove_listed(listing, folder)
    assert os.listdir(folder) == ["their.h5"]
    remove_listed(listing, folder.parent)
    (folder / "their.h5").unlink()
    remove_listed(listing, folder)
    assert not folder.exists()
    assert not listing.exists()
    remove_listed(listing, folder)


def test_a_listed_morphology_that_is_another_by_now_stays(synthesized):
    listing, folder = synthesized
    edited = folder / "hashed" / "0a" / f"{'b' * 32}.h5"
    edited.write_bytes(b"edited")
    remove_listed(listing, folder)
    assert sorted(path.name for path in folder.rglob("*.h5")) == [edited.name, "their.h5"]
    assert edited.name in listing.read_text()


@pytest.mark.parametrize("content", [b"", b"a.h", b"A.H5", b"longer than it was"])
def test_changed_files_are_found(placed, content):
    listing, folder, _ = placed
    (folder / "a.h5").write_bytes(content)
    assert not intact(listing, folder)


def test_missing_files_are_found(placed):
    listing, folder, _ = placed
    (folder / "hashed/0a/b.h5").unlink()
    assert not intact(listing, folder)


def test_a_damaged_listing_is_none(placed):
    listing, folder, _ = placed
    listing.write_text(listing.read_text()[:-40])
    assert read_listing(listing, folder) is None
    assert not intact(listing, folder)


def test_without_a_listing_nothing_is_intact(placed):
    listing, folder, _ = placed
    listing.unlink()
    assert not intact(listing, folder)


def test_an_edit_that_keeps_size_and_time_is_found(placed):
    listing, folder, _ = placed
    before = (folder / "a.h5").stat()
    (folder / "a.h5").write_bytes(b"A.H5")
    os.utime(folder / "a.h5", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not intact(listing, folder)


@pytest.mark.parametrize(
    "name", ["../mine", "/etc/mine", "a/../../mine", "", "./a", "a//b", "x\x1b"]
)
def test_names_that_lead_outside_are_not_ours(placed, name):
    listing, folder, files = placed
    write_listing(listing, folder, {**files, name: (1, 1)})
    assert set(read_listing(listing, folder)) == set(files)


def test_names_below_a_link_are_not_ours(placed, tmp_path):
    listing, folder, files = placed
    (tmp_path / "elsewhere").mkdir()
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    write_listing(listing, folder, {**files, "link/mine": (1, 1)})
    assert set(read_listing(listing, folder)) == set(files)


def test_scan_gives_only_what_is_asked_for(placed):
    _, folder, _ = placed
    stamps = scan(folder, np.array([b"a.h5", b"nowhere/x.h5"]))
    assert stamps[:, 0].tolist() == [len("a.h5"), ABSENT]
    assert stamps[0].tolist() == stamp_of(folder / "a.h5")


def test_a_damaged_listing_still_knows_what_is_as_it_says(placed):
    listing, folder, files = placed
    (folder / "mine.txt").write_text("a user's")
    text = listing.read_text().replace("crc32", "crc33", 1)
    listing.write_text(text + "../mine\t1\t1\t0\t0\t0\nmine.txt\t8\t1\t0\t0\t0\n")
    (folder / "a.h5").write_bytes(b"edit")
    ours = our_files(listing, folder, folder.with_name("nowhere"))
    assert {name: known[:2] for name, known in ours.items()} == {
        name: known for name, known in files.items() if name != "a.h5"
    }


@pytest.mark.parametrize("copied", [True, False])
def test_without_a_listing_links_and_copies_of_the_work_folder_are_ours(placed, tmp_path, copied):
    listing, folder, files = placed
    (folder / "mine.h5").write_text("a user's")
    staged = tmp_path / "staged"
    for name in files:
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copy if copied else os.link)(folder / name, staged / name)
    (staged / "mine.h5").write_text("another's")
    listing.unlink()
    ours = our_files(listing, folder, staged)
    assert {name: known[:2] for name, known in ours.items()} == files


def test_a_whole_listing_is_believed(placed):
    listing, folder, files = placed
    (folder / "a.h5").unlink()
    assert set(our_files(listing, folder, folder.with_name("nowhere"))) == set(files)


def test_the_first_folder_of_a_work_folder_has_the_plain_listing_and_others_their_own(tmp_path):
    work, first, second = tmp_path / "work", tmp_path / "out", tmp_path / "out2"
    plain = work / "manifests" / "morphologies.txt"
    assert placed_listing(work, second) == placed_listing(work, first) == plain
    write_listing(placed_listing(work, first), first, {})
    assert placed_listing(work, first) == plain
    own = placed_listing(work, second)
    assert own != plain
    assert own.parent == plain.parent
    write_listing(own, second, {})
    assert placed_listing(work, second) == own
    plain.write_text("damaged")
    assert (placed_listing(work, first), placed_listing(work, second)) == (plain, own)
    plain.unlink()
    plain.mkdir()
    assert placed_listing(work, first) == plain


def test_names_of_synthesized_morphologies_are_known_from_others(tmp_path):
    names = [f"{i:032x}.h5" for i in range(3)]
    for name in (*names, f"hashed/0a/{3:032x}.swc", "mine.h5", f"{4:032x}.txt", f"x/{5:032x}.h5"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = set(synthesized_by_others(tmp_path, {names[0]}))
    assert found == {names[1], names[2], f"hashed/0a/{3:032x}.swc"}


def test_what_a_record_names_is_ours_though_listing_and_staged_file_are_gone(tmp_path):
    folder, staged = tmp_path / "out", tmp_path / "work" / "morphologies"
    folder.mkdir()
    staged.mkdir(parents=True)
    for name in ("a", "b", "mine"):
        (folder / f"{name}.h5").write_text(name)
    records = [
        {"row": i, "digest": "", "status": "made", "name": name, "files": {"h5": [1, crc]}}
        for i, (name, crc) in enumerate([("a", zlib.crc32(b"a")), ("b", 7)])
    ]
    write_records(tmp_path / "work" / "chunks" / "cells_000000000-000000002.jsonl", records)
    assert set(our_files(tmp_path / "none", folder, staged)) == {"a.h5"}


@pytest.mark.parametrize(
    "line", [b"no numbers", b"a.h5\tx\t1\t1\t1\t1", b"../out/a.h5\t4\t1\t1\t1\t1", b"\xff\t1\t1\t1"]
)
def test_a_listing_with_a_line_that_is_none_is_not_believed(placed, line):
    listing, folder, _ = placed
    head, _, body = listing.read_bytes().partition(b"\n")
    body += line + b"\n"
    head = {**json.loads(head), "crc32": zlib.crc32(body)}
    listing.write_bytes(json.dumps(head).encode() + b"\n" + body)
    assert not intact(listing, folder)
