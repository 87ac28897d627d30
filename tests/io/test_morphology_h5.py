"""HDF5 images made in memory are what MorphIO writes, and are read by MorphIO and h5py."""

import io

import h5py
import morphio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.factories import random_morphology
from helpers.odd_morphologies import assert_same, morphologies
from region_grower_flow.errors import DropCell, InvalidInput
from region_grower_flow.io import morphology_h5
from region_grower_flow.io.morphologies import read_morphology
from region_grower_flow.io.morphology_h5 import decode_h5, encode_h5, h5_tables
from region_grower_flow.morphology import FlatMorphology

PROPERTY = settings(deadline=None, derandomize=True, max_examples=25)


def stored(source):
    with h5py.File(source, "r") as file:
        return {
            "points": file["points"][()],
            "structure": file["structure"][()],
            "layouts": [
                file[name].id.get_create_plist().get_layout() for name in ("points", "structure")
            ],
            "version": file["metadata"].attrs["version"],
            "family": file["metadata"].attrs["cell_family"],
        }


def test_the_quick_way_is_taken():
    """With this HDF5 the template works; without it each file would take ten times longer."""
    assert morphology_h5._template() is not None


@PROPERTY
@given(morphologies())
def test_tables_are_those_of_morphio(tmp_path_factory, morphology):
    folder = tmp_path_factory.mktemp("h5")
    morphio.set_maximum_warnings(0)
    ours = stored(io.BytesIO(encode_h5(morphology)))
    assert ours["version"].dtype == np.uint32
    assert list(ours["version"]) == [1, 3]
    assert list(ours["family"]) == [0]
    assert ours["layouts"] == [h5py.h5d.CONTIGUOUS] * 2
    if len(morphology.soma_points) == 1:
        return  # MorphIO writes these as files that it cannot read
    morphology.to_morphio().write(str(folder / "m.h5"))
    theirs = stored(folder / "m.h5")
    for name in ("points", "structure"):
        assert ours[name].dtype == theirs[name].dtype
        np.testing.assert_array_equal(ours[name], theirs[name])


@PROPERTY
@given(morphologies())
def test_morphio_reads_the_same_morphology(tmp_path_factory, morphology):
    path = tmp_path_factory.mktemp("h5") / "m.h5"
    path.write_bytes(encode_h5(morphology))
    read = read_morphology(path)
    if len(morphology.soma_points) == 1:
        assert len(read.soma_points) == 20
        read.soma_points, read.soma_diameters = morphology.soma_points, morphology.soma_diameters
    assert_same(read, morphology)
    assert morphio.Morphology(str(path)).version[1:] == (1, 3)


@PROPERTY
@given(st.integers(0, 5000), st.integers(0, 300))
def test_every_size_is_read_back(n_points, n_rows):
    rng = np.random.default_rng(n_points)
    points = rng.normal(size=(n_points, 4)).astype("<f4")
    structure = rng.integers(0, 99, size=(n_rows, 3)).astype("<i4")
    template = morphology_h5._template()
    image = template.fill(points, structure)
    for tables in (template.read(image), _read_by_h5py(image)):
        np.testing.assert_array_equal(tables[0], points)
        np.testing.assert_array_equal(tables[1], structure)


def _read_by_h5py(image):
    read = stored(io.BytesIO(image))
    return read["points"], read["structure"]


def test_the_slow_way_writes_the_same(monkeypatch):
    morphology = random_morphology(diameters="random")
    quick = encode_h5(morphology)
    monkeypatch.setattr(morphology_h5, "_template", lambda: None)
    slow = encode_h5(morphology)
    ours, theirs = stored(io.BytesIO(quick)), stored(io.BytesIO(slow))
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value)
    np.testing.assert_array_equal(decode_h5(quick)[0], theirs["points"])


def test_an_unexpected_head_is_not_patched(monkeypatch):
    monkeypatch.setattr(
        morphology_h5, "_unallocated_head", lambda *sizes: b"\x89HDF\r\n\x1a\n\x02" + bytes(99)
    )
    assert morphology_h5._template.__wrapped__() is None


def test_images_are_reproducible():
    morphology = random_morphology(seed=4)
    assert encode_h5(morphology) == encode_h5(random_morphology(seed=4))


def test_files_of_others_are_decoded(tmp_path):
    morphology = random_morphology()
    morphology.to_morphio().write(str(tmp_path / "m.h5"))
    points, structure = decode_h5((tmp_path / "m.h5").read_bytes())
    np.testing.assert_array_equal(points, h5_tables(morphology)[0])
    np.testing.assert_array_equal(structure, h5_tables(morphology)[1])


def test_damaged_files_are_not_decoded():
    image = encode_h5(random_morphology())
    for damaged in (b"", image[:3000], image[:-100], b"x" + image[1:]):
        with pytest.raises(InvalidInput, match="not an HDF5 morphology file"):
            decode_h5(damaged)


def test_damaged_tables_of_our_own_are_not_decoded():
    points, structure = h5_tables(random_morphology())
    structure[2, 2] = 99
    with pytest.raises(InvalidInput, match="a parent that does not come before it"):
        decode_h5(morphology_h5._template().fill(points, structure))


def test_empty_cells_are_written(tmp_path):
    empty = random_morphology(trees=())
    (tmp_path / "m.h5").write_bytes(encode_h5(empty))
    assert_same(read_morphology(tmp_path / "m.h5"), empty)


@pytest.mark.parametrize(
    ("points", "offsets", "words"),
    [
        (np.zeros((1, 3)), [0, 1], "a root section has less than two points"),
        (np.zeros((0, 3)), [0, 0], "a section has no points"),
        (np.full((2, 3), np.nan), [0, 2], "a value of its points is not finite"),
    ],
)
def test_what_morphio_would_refuse_is_not_written(points, offsets, words):
    morphology = FlatMorphology(
        points=points.astype("f4"),
        diameters=np.ones(len(points), "f4"),
        offsets=np.array(offsets),
        types=np.array([3], "i4"),
        parents=np.array([-1]),
        soma_points=np.zeros((3, 3), "f4"),
        soma_diameters=np.zeros(3, "f4"),
    )
    with pytest.raises(DropCell, match=words):
        encode_h5(morphology)
