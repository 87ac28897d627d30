"""Containers are read by morphio.Collection and written whole or not at all."""

import os
import resource
import time
import weakref

import h5py
import morphio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.factories import random_morphology
from helpers.odd_morphologies import assert_same, odd_morphology
from helpers.sentences import saying
from region_grower_flow.errors import DropCell, InvalidInput, OutputFailed
from region_grower_flow.io.containers import write_container
from region_grower_flow.io.morphologies import morphology_name
from region_grower_flow.io.morphology_h5 import encode_h5
from region_grower_flow.morphology import FlatMorphology


def read(collection, name):
    return FlatMorphology.from_morphio(collection.load(name))


@settings(deadline=None, derandomize=True, max_examples=10)
@given(st.lists(st.integers(0, 500), max_size=8, unique=True))
def test_collections_read_all_cells(tmp_path_factory, seeds):
    path = tmp_path_factory.mktemp("container") / "merged.h5"
    cells = {morphology_name(seed): odd_morphology(seed) for seed in seeds}
    items = (
        (name, encode_h5(cell) if i % 2 else cell) for i, (name, cell) in enumerate(cells.items())
    )
    write_container(path, items)
    collection = morphio.Collection(str(path))
    for name, cell in cells.items():
        found = read(collection, name)
        if len(cell.soma_points) == 1:
            cell.soma_points, cell.soma_diameters = found.soma_points, found.soma_diameters
        assert_same(found, cell)


def test_the_content_is_plain(tmp_path):
    write_container(tmp_path / "c.h5", [("a", random_morphology()), ("b", odd_morphology(3))])
    with h5py.File(tmp_path / "c.h5", "r") as file:
        assert list(file) == ["a", "b"]
        for name in ("a/points", "a/structure", "b/points"):
            assert file[name].chunks is None
            assert file[name].compression is None
        assert file["a/points"].dtype == np.float32
        assert file["a/structure"].dtype == np.int32
        assert list(file["a/metadata"].attrs["version"]) == [1, 3]


def test_equal_cells_give_equal_bytes(tmp_path):
    """HDF5 keeps the second in which an object was made, unless it is told not to."""
    cells = [("a", random_morphology()), ("b", encode_h5(odd_morphology(3)))]
    write_container(tmp_path / "1.h5", cells)
    time.sleep(1.1)
    write_container(tmp_path / "2.h5", cells)
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()


def test_cells_are_taken_one_at_a_time(tmp_path):
    """Each is asked for when the one before has been written: two are in memory at most."""
    cells = []

    def items():
        for i in range(5):
            assert sum(cell() is not None for cell in cells) <= 1
            cell = random_morphology(seed=i)
            cells.append(weakref.ref(cell))
            yield f"cell{i}", cell
            del cell

    write_container(tmp_path / "c.h5", items())
    assert len(cells) == 5


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([("hashed//x", odd_morphology(1))], "'hashed//x' cannot be the name"),
        ([("../x", odd_morphology(1))], "'../x' cannot be the name"),
        ([("", odd_morphology(1))], "'' cannot be the name"),
        ([("a", odd_morphology(1)), ("a", odd_morphology(2))], "'a' is there twice"),
        ([("a", b"nonsense")], "the morphology 'a': not an HDF5 morphology file"),
        ([("a", encode_h5(odd_morphology(1))[:-9])], "the morphology 'a': not an HDF5"),
    ],
)
def test_bad_items_leave_the_earlier_file(tmp_path, items, words):
    path = tmp_path / "c.h5"
    path.write_bytes(b"before")
    with pytest.raises(InvalidInput, match=words):
        write_container(path, items)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["c.h5"]


def test_names_in_folders_are_those_of_the_nodes(tmp_path):
    path = tmp_path / "c.h5"
    cells = {"hashed/0a/x": odd_morphology(1), "hashed/0b/y": odd_morphology(2)}
    write_container(path, cells.items())
    for name, cell in cells.items():
        read = morphio.Collection(str(path)).load(name)
        assert np.array_equal(read.points, cell.points)


@pytest.mark.parametrize("count", [0, 1, 128, 129, 128 * 128 + 1])
def test_any_number_of_names_is_found(tmp_path, count):
    """A leaf holds 128 names, a node of the tree above 128 leaves."""
    path, content = tmp_path / "c.h5", encode_h5(odd_morphology(1))
    names = [morphology_name(seed) for seed in range(count)]
    write_container(path, ((name, content) for name in names))
    with h5py.File(path, "r+") as file:
        assert list(file) == sorted(names)
        for name in names[:: max(1, count // 100)]:
            assert name in file
            assert name[:-1] not in file
            assert f"{name}0" not in file
        assert not {"", "0", "g"} & set(file)
        # What others write into it later finds its place.
        for name in (*names[:3], "0", "7" * 32, "g"):
            file.copy(file[names[0]], f"{name}x") if names else file.create_group(f"{name}x")
            assert f"{name}x" in file
        assert len(file) == count + 3 + min(3, count)


def test_names_and_folders_may_begin_alike(tmp_path):
    path, names = tmp_path / "c.h5", ["b/c", "a-", "a/b/c", "a", "a0", "b-/c", "b/c0", "é"]
    content = encode_h5(odd_morphology(1))
    with pytest.raises(InvalidInput, match=saying("'a' | morphology | folder")):
        write_container(path, [(name, content) for name in names])
    names.remove("a")
    write_container(path, [(name, content) for name in names])
    with h5py.File(path, "r") as file:
        found = []
        file.visit(lambda name: found.append(name.removesuffix("/points")))
        assert {name for name in found if f"{name}/points" in file} == set(names)
        assert list(file) == ["a", "a-", "a0", "b", "b-", "é"]


def test_the_group_of_metadata_is_shared(tmp_path):
    write_container(tmp_path / "c.h5", [(f"c{i}", odd_morphology(i)) for i in range(5)])
    with h5py.File(tmp_path / "c.h5", "r") as file:
        assert file["c0/metadata"] == file["c4/metadata"]
        assert h5py.h5o.get_info(file["c0/metadata"].id).rc == 5
        assert dict(file["c0/metadata"].attrs).keys() == {"version", "cell_family"}


def test_a_cell_without_points_is_named(tmp_path):
    broken = random_morphology(trees=((3, 1),), n_points=(1, 1))
    with pytest.raises(DropCell, match="less than two points"):
        write_container(tmp_path / "c.h5", [("a", broken)])
    assert os.listdir(tmp_path) == []


def test_the_file_size_limit_is_a_sentence(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OutputFailed, match=r"c\.h5 cannot be written: the file-size limit"):
            write_container(
                tmp_path / "c.h5", ((f"c{i}", random_morphology(seed=i)) for i in range(100))
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []
