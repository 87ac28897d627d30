"""Shards hold what their records say, whatever else happens to be in them."""

import os
import resource

import pytest

from region_grower_flow.errors import OutputFailed
from region_grower_flow.io.shards import Shard, ShardReader, ends, holds, shard_path, trim

CHUNK = "cells_000000000-000000010"


@pytest.fixture
def shard(tmp_path):
    return Shard(tmp_path, CHUNK)


def test_images_are_read_where_they_were_appended(shard, tmp_path):
    images = [bytes([i]) * (i * 1000) for i in range(5)]
    places = [shard.append(image) for image in images]
    assert len({name for name, *_ in places}) == 1
    with ShardReader(tmp_path) as reader:
        assert [reader.read(place) for place in reversed(places)] == images[::-1]
    assert all(holds(tmp_path, place) for place in places)
    assert ends(places) == {places[0][0]: 10_000}
    assert shard_path(tmp_path, places[0][0]).stat().st_size == 10_000


def test_nothing_is_made_before_the_first_image(shard, tmp_path):
    assert os.listdir(tmp_path) == []
    shard.append(b"x")
    assert os.listdir(tmp_path) == [CHUNK]


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "folder", "link"])
def test_a_damaged_image_is_none(shard, tmp_path, damage):
    first, last = shard.append(b"a" * 100), shard.append(b"b" * 100)
    path = shard_path(tmp_path, first[0])
    if damage == "flip":
        with open(path, "r+b") as file:
            file.seek(150)
            file.write(b"!")
    elif damage == "cut":
        os.truncate(path, 199)
    else:
        content = path.read_bytes()
        path.unlink()
        if damage == "folder":
            path.mkdir()
        if damage == "link":
            (tmp_path / "other").write_bytes(content)
            path.symlink_to(tmp_path / "other")
    with ShardReader(tmp_path) as reader:
        assert reader.read(last) is None
        assert (reader.read(first) is None) == (damage in ("remove", "folder", "link"))


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "cells_0-1/../x", f"{CHUNK}/x.shard", "x", "", "a/b/c"]
)
def test_names_lead_nowhere_else(tmp_path, name):
    (tmp_path / "secret").write_bytes(b"x")
    root = tmp_path / "shards"
    root.mkdir()
    assert shard_path(root, name) is None
    assert not holds(root, (name, 0, 1, 0))
    with ShardReader(root) as reader:
        assert reader.read((name, 0, 1, 0)) is None


def test_numbers_that_no_file_has_are_no_image(shard, tmp_path):
    name = shard.append(b"x")[0]
    with ShardReader(tmp_path) as reader:
        # The last but one would take all memory.
        for start, size in ((1 << 70, 1), (5, 1), (0, 1 << 45), (0, 2)):
            assert reader.read((name, start, size, 0)) is None


def test_an_image_that_was_interrupted_is_written_over(shard, tmp_path, monkeypatch):
    first = shard.append(b"a" * 10)
    write = os.pwrite

    def half(descriptor, data, start):
        write(descriptor, data[: len(data) // 2], start)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(KeyboardInterrupt):
        shard.append(b"c" * 1000)
    monkeypatch.setattr(os, "pwrite", write)
    last = shard.append(b"b" * 10)
    with ShardReader(tmp_path) as reader:
        assert (reader.read(first), reader.read(last)) == (b"a" * 10, b"b" * 10)
    # The rest of what was interrupted is nobody's.
    assert shard_path(tmp_path, first[0]).stat().st_size == 510
    trim(tmp_path, CHUNK, ends([first, last]))
    assert shard_path(tmp_path, first[0]).stat().st_size == 20


def test_shards_without_a_record_go_and_files_of_others_stay(shard, tmp_path):
    place, other = shard.append(b"kept"), Shard(tmp_path, CHUNK).append(b"nobody's")
    foreign = tmp_path / CHUNK / "notes.txt"
    foreign.write_text("mine")
    trim(tmp_path, CHUNK, ends([place]))
    assert shard_path(tmp_path, place[0]).read_bytes() == b"kept"
    assert not shard_path(tmp_path, other[0]).exists()
    trim(tmp_path, CHUNK, {})
    assert os.listdir(tmp_path / CHUNK) == ["notes.txt"]
    foreign.unlink()
    trim(tmp_path, CHUNK, {})
    trim(tmp_path, CHUNK, {})
    assert os.listdir(tmp_path) == []


def test_a_shard_that_another_work_folder_has_as_well_is_not_cut(shard, tmp_path):
    """Copies of work folders may be made of hard links: their records may name more of it."""
    places = [shard.append(b"first"), shard.append(b"second")]
    path = shard_path(tmp_path, places[0][0])
    os.link(path, tmp_path / "copy")
    trim(tmp_path, CHUNK, ends(places[:1]))
    assert (tmp_path / "copy").read_bytes() == b"firstsecond"
    trim(tmp_path, CHUNK, {})
    assert (tmp_path / "copy").read_bytes() == b"firstsecond"


def test_a_forked_process_has_a_shard_of_its_own(shard, tmp_path):
    mine = shard.append(b"mine")
    child = os.fork()
    if child == 0:
        os._exit(0 if shard.append(b"the child's")[0] != mine[0] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert shard.append(b"again")[:2] == (mine[0], 4)
    assert len(os.listdir(tmp_path / CHUNK)) == 2


def test_more_shards_than_are_open_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("region_grower_flow.io.shards.MOST_OPEN", 3)
    places = [Shard(tmp_path, CHUNK).append(b"%d" % i) for i in range(8)]
    with ShardReader(tmp_path) as reader:
        for turn in range(2):
            assert [reader.read(place) for place in places] == [b"%d" % i for i in range(8)], turn
            assert len(reader._open) <= 3


def test_a_full_disk_is_a_sentence(shard):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OutputFailed, match="cannot be written: the file-size limit"):
            shard.append(b"x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_link_in_place_of_the_folder_is_refused(shard, tmp_path):
    (tmp_path / CHUNK).symlink_to(tmp_path)
    with pytest.raises(OutputFailed, match="is a link"):
        shard.append(b"x")
    trim(tmp_path, CHUNK, {})
    assert os.listdir(tmp_path) == [CHUNK]
