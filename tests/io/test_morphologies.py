"""Names, folders, the order of sections, and files that are written, read and checked."""

import os
import zlib

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.factories import random_morphology
from helpers.odd_morphologies import assert_same, odd_morphology
from helpers.sentences import saying, says
from region_grower_flow.errors import DropCell, InvalidInput, OutputFailed
from region_grower_flow.io import morphologies
from region_grower_flow.io.files import opened_folder
from region_grower_flow.io.morphologies import (
    check_file,
    directory_depth,
    morphology_name,
    read_morphology,
    relative_stem,
    write_morphology,
)


def test_names_are_those_of_the_reference():
    assert morphology_name(0) == "e3e70682c2094cac629f6fbed82c07cd"
    assert morphology_name(np.int64(1)) == "cd613e30d8f16adf91b7584a2265b1f5"
    assert len({morphology_name(seed) for seed in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("n_files", "most", "depth"),
    [
        (10, None, None),
        (255, 256, None),
        (256, 256, 0),
        (257, 256, 1),
        (65_536, 256, 1),
        (65_537, 256, 2),
        (1_000_000, 1024, 2),
        (10, 5000, None),
        (10, 100, None),
    ],
)
def test_depth_of_folders(n_files, most, depth):
    assert directory_depth(n_files, most) == depth


def test_impossible_folders_are_refused():
    with pytest.raises(InvalidInput, match=saying("max_files_per_dir: | 255 files | too few")):
        directory_depth(1000, 255)
    with pytest.raises(InvalidInput, match="4 levels"):
        directory_depth(256**4 + 1, 256)


def test_stems():
    assert relative_stem("a1b2c3d4") == "a1b2c3d4"
    assert relative_stem("a1b2c3d4", 0) == "hashed/a1b2c3d4"
    assert relative_stem("a1b2c3d4", 2) == "hashed/a1/b2/a1b2c3d4"


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.integers(0, 1000))
def test_files_are_written_and_read_back(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("morphologies")
    morphology = random_morphology(seed=seed, diameters="random")
    written = write_morphology(folder, "hashed/ab/name", morphology, ["h5", "swc", "asc"])
    assert sorted(os.listdir(folder / "hashed" / "ab")) == ["name.asc", "name.h5", "name.swc"]
    for extension, (size, crc32) in written.items():
        path = folder / f"hashed/ab/name.{extension}"
        assert check_file(path, size, crc32)
        read = read_morphology(path)
        np.testing.assert_array_equal(read.parents, morphology.parents)
        np.testing.assert_allclose(read.points, morphology.points, atol=1e-9)
    assert_same(read_morphology(folder / "hashed/ab/name.h5"), morphology)


def test_check_finds_every_damage(tmp_path):
    written = write_morphology(tmp_path, "m", random_morphology(), ["h5"])
    size, crc32 = written["h5"]
    path = tmp_path / "m.h5"
    content = path.read_bytes()
    assert check_file(path, size, crc32)
    path.write_bytes(content[:-1])
    assert not check_file(path, size, crc32)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert not check_file(path, size, crc32)
    path.unlink()
    assert not check_file(path, size, crc32)
    assert not check_file(tmp_path, size, crc32)


@pytest.mark.parametrize("at_a_time", [1, 7, 8, 9, 100])
@pytest.mark.parametrize("length", [0, 1, 8, 16])
def test_a_file_is_what_is_known_of_it_however_it_is_read(tmp_path, monkeypatch, length, at_a_time):
    monkeypatch.setattr(morphologies, "_READ_BYTES", at_a_time)
    content = bytes(range(length))
    path = tmp_path / "a.h5"
    for change in (b"", b"x", -1):
        path.write_bytes(content[:change] if change == -1 else content + change)
        same = path.read_bytes() == content
        assert check_file(path, length, zlib.crc32(content)) is same
        with opened_folder(tmp_path) as folder:
            assert check_file(b"a.h5", length, zlib.crc32(content), folder) is same


def test_a_cell_that_a_format_cannot_hold_leaves_no_file(tmp_path):
    morphology = random_morphology(trees=((5, 3),))
    with pytest.raises(DropCell, match="no sections of type 5"):
        write_morphology(tmp_path, "m", morphology, ["h5", "asc"])
    assert os.listdir(tmp_path) == []


def test_writing_below_a_file_is_a_sentence(tmp_path):
    (tmp_path / "hashed").write_text("")
    with pytest.raises(OutputFailed, match="cannot be written"):
        write_morphology(tmp_path, "hashed/m", random_morphology(), ["h5"])


def test_another_rank_may_make_the_folder_meanwhile(tmp_path, monkeypatch):
    real = os.open

    def found_missing_then_made(path, *arguments, **options):
        try:
            return real(path, *arguments, **options)
        except FileNotFoundError:
            (tmp_path / "hashed" / "ab").mkdir(parents=True, exist_ok=True)
            raise

    monkeypatch.setattr(os, "open", found_missing_then_made)
    written = write_morphology(tmp_path, "hashed/ab/m", random_morphology(), ["h5"])
    assert check_file(tmp_path / "hashed/ab/m.h5", *written["h5"])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("m.h5", b"", "not a readable morphology"),
        ("m.h5", b"\x89HDF\r\n\x1a\n", "not a readable morphology"),
        ("m.swc", b"1 1 0 0 0 x -1\n", "not a readable morphology"),
        ("m.swc", b"1 69 0 0 0 1 -1\n", "Unsupported section type"),
        ("m.swc", b"1 1 0 0 0 1 -1\n2 3 0 0 nan 1 1\n3 3 0 1 1 1 2\n", "m.swc: "),
        ("m.asc", b'("CellBody" (CellBody) (0 0 0 1)', "not a readable morphology"),
        ("m.txt", b"", "is not a kind of morphology file"),
        ("m", b"", "no extension is not a kind"),
    ],
)
def test_bad_files_are_a_sentence(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read_morphology(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


SOUND = "1 1 0 0 0 9 -1\n2 3 0 10 0 1 1\n3 3 0 20 0 1 2\n"
LOOP = f"{SOUND}4 3 0 30 0 1 6\n5 3 0 40 0 1 4\n6 3 0 50 0 1 5\n"
"""Samples 4, 5 and 6 come after each other: MorphIO reads 2 and 3 alone."""
CLASSIC_MAC = "# made long ago\r1 1 0 0 0 9 -1\r2 3 0 10 0 1 1\r3 3 0 20 0 1 2\r"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LOOP, "3 samples | circle | ids 4, 5, 6 | or -1"),
        (CLASSIC_MAC, "classic Mac OS | line ends of Unix"),
        ("\ufeff" + SOUND, "byte order mark | plain text"),
        (SOUND.encode("utf-16"), "byte order mark"),
        (SOUND.replace(" ", ","), "at line 1 | id type x y z radius parent"),
    ],
)
def test_texts_of_which_a_part_would_be_read_are_refused(tmp_path, content, words):
    path = tmp_path / "m.swc"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidInput) as caught:
        read_morphology(path)
    assert says(str(caught.value), words)


LINES = SOUND.splitlines()


@pytest.mark.parametrize("pieces", [LINES, LINES[::-1], [f"{line}.0" for line in LINES]])
def test_samples_may_come_in_any_order_with_comments_and_several_roots(tmp_path, pieces):
    path = tmp_path / "m.swc"
    more = "8 3 90 0 0 1 -1\n9 3 99 0 0 1 8 # far off\n"
    path.write_text("# a cell\n\n" + "\n".join(pieces) + "\n" + more)
    assert len(read_morphology(path).points) == 4


def test_compressed_tables_say_what_to_do(tmp_path):
    write_morphology(tmp_path, "m", random_morphology(), ["h5"])
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        points = file["points"][:]
        del file["points"]
        file.create_dataset("points", data=points, compression="gzip")
    with pytest.raises(InvalidInput, match="without compression"):
        read_morphology(tmp_path / "m.h5")


def test_missing_files_are_a_sentence(tmp_path):
    with pytest.raises(InvalidInput, match="there is no such file"):
        read_morphology(tmp_path / "m.h5")


def test_truncated_files_are_refused_at_every_length(tmp_path):
    path = tmp_path / "m.h5"
    written = write_morphology(tmp_path, "m", random_morphology(), ["h5"])
    content = path.read_bytes()
    assert len(content) == written["h5"][0]
    for length in range(0, len(content), 701):
        path.write_bytes(content[:length])
        with pytest.raises(InvalidInput):
            read_morphology(path)


@pytest.mark.parametrize(
    ("table", "place", "value", "words"),
    [
        ("structure", (3, 0), 10**6, "its sections lie outside of its"),
        ("structure", (3, 0), -1, "its sections lie outside of its"),
        ("structure", (3, 2), 3, "a parent that does not come before it"),
        ("structure", (3, 2), 10**6, "a parent that does not come before it"),
        ("structure", (3, 2), -7, "a parent that does not come before it"),
        ("structure", (3, 1), 77, "not a readable morphology"),
    ],
)
def test_damaged_tables_do_not_reach_morphio(tmp_path, table, place, value, words):
    import h5py

    write_morphology(tmp_path, "m", random_morphology(), ["h5"])
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file[table][place] = value
    with pytest.raises(InvalidInput, match=words):
        read_morphology(tmp_path / "m.h5")


def test_tables_of_other_shapes(tmp_path):
    import h5py

    for n, name, shape in ((0, "points", (5, 3)), (1, "structure", (5,)), (2, "points", ())):
        path = tmp_path / f"{n}.h5"
        with h5py.File(path, "w") as file:
            tables = {"points": (5, 4), "structure": (5, 3)} | {name: shape}
            for table, size in tables.items():
                file[table] = np.zeros(size)
        with pytest.raises(InvalidInput, match=f"'{name}' has the shape"):
            read_morphology(path)


def test_values_that_are_not_finite_are_named(tmp_path):
    import h5py

    write_morphology(tmp_path, "m", random_morphology(), ["h5"])
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file["points"][20, 1] = np.nan
    with pytest.raises(InvalidInput, match="1 of its points are not finite"):
        read_morphology(tmp_path / "m.h5")


def test_zero_diameters_are_refused_on_request(tmp_path):
    morphology = random_morphology()
    morphology.diameters[5:8] = 0
    write_morphology(tmp_path, "m", morphology, ["h5"])
    assert_same(read_morphology(tmp_path / "m.h5"), morphology)
    with pytest.raises(InvalidInput, match=r"3 of its \d+ points have the diameter 0"):
        read_morphology(tmp_path / "m.h5", require_diameters=True)


def test_known_bad_reconstructions_are_a_sentence(shared):
    folder = shared / "realdata" / "known_bad"
    if not folder.is_dir():
        pytest.skip("no known bad reconstructions")
    for path in sorted(folder.iterdir()):
        with pytest.raises(InvalidInput) as caught:
            read_morphology(path, require_diameters=True)
        assert "\n" not in str(caught.value)


def test_reading_is_silent(tmp_path, capfd):
    content = "1 1 0 0 0 1 -1\n2 3 0 0 5 0 1\n3 3 0 1 6 0 2\n"
    (tmp_path / "m.swc").write_text(content)
    read_morphology(tmp_path / "m.swc")
    assert capfd.readouterr() == ("", "")


def test_odd_morphologies_are_odd():
    """The factory makes the cases that the tests of all formats are about."""
    samples = [odd_morphology(seed) for seed in range(40)]
    children = [np.bincount(m.parents[m.parents >= 0]) for m in samples if m.n_sections]
    counts = [np.diff(m.offsets) for m in samples if m.n_sections]
    assert any((c == 1).any() for c in children)
    assert any((c == 1).any() for c in counts)
    assert {len(m.soma_points) for m in samples} == {1, 3, 9}
