"""SWC and ASC texts are those of MorphIO, except for the soma of SWC and unifurcations."""

import morphio
import numpy as np
import pytest
from hypothesis import given, settings

from helpers.factories import random_morphology
from helpers.odd_morphologies import assert_same, morphologies
from region_grower_flow.errors import DropCell
from region_grower_flow.io.morphologies import read_morphology
from region_grower_flow.io.morphology_text import encode_asc, encode_swc, swc_rows

PROPERTY = settings(deadline=None, derandomize=True, max_examples=25)

LITTLE_CELL = """\
# Created by region-grower-flow
# index     type         X            Y            Z       radius       parent
1           1  0.000000000  0.000000000  0.000000000  1.500000000          -1
2           3  0.000000000  2.000000000  0.000000000  0.500000000           1
3           3  0.000000000  4.000000000  0.000000000  0.500000000           2
4           3  1.000000000  5.000000000  0.000000000  0.250000000           3
5           3  0.000000000  4.000000000  0.000000000  0.250000000           3
6           3 -1.000000000  5.000000000  0.000000000  0.250000000           5
"""


def little_cell():
    """A root of two points; of its children one goes on with its diameter, one does not."""
    from region_grower_flow.morphology import FlatMorphology

    points = [[0, 2, 0], [0, 4, 0], [0, 4, 0], [1, 5, 0], [0, 4, 0], [-1, 5, 0]]
    return FlatMorphology(
        points=np.array(points, "f4"),
        diameters=np.array([1, 1, 1, 0.5, 0.5, 0.5], "f4"),
        offsets=np.array([0, 2, 4, 6]),
        types=np.array([3, 3, 3], "i4"),
        parents=np.array([-1, 0, 0]),
        soma_points=np.zeros((1, 3), "f4"),
        soma_diameters=np.array([3], "f4"),
    )


def test_rows_of_a_little_cell():
    assert encode_swc(little_cell()).decode() == LITTLE_CELL


def written_by_morphio(morphology, path):
    morphio.set_maximum_warnings(0)
    morphology.to_morphio().write(str(path))
    return path.read_bytes()


def without_comments(text):
    return [line for line in text.splitlines() if not line.startswith((b";", b"#"))]


@PROPERTY
@given(morphologies())
def test_asc_is_the_text_of_morphio(tmp_path_factory, morphology):
    if len(morphology.soma_points) == 1:
        return  # MorphIO writes these as files that it cannot read
    path = tmp_path_factory.mktemp("asc") / "m.asc"
    expected = written_by_morphio(morphology, path)
    assert without_comments(encode_asc(morphology)) == without_comments(expected)


@PROPERTY
@given(morphologies(odd=False))
def test_swc_is_the_text_of_morphio_but_for_the_soma(tmp_path_factory, morphology):
    path = tmp_path_factory.mktemp("swc") / "m.swc"
    expected = without_comments(written_by_morphio(morphology, path))
    found = without_comments(encode_swc(morphology))
    more = len(morphology.soma_points) - 1
    expected = [line.split() for line in expected[more + 1 :]]
    assert len(found) == len(expected) + 1
    for ours, theirs in zip(found[1:], expected, strict=True):
        ours = ours.split()
        assert ours[1:6] == theirs[1:6]
        assert int(ours[0]) == int(theirs[0]) - more
        # Root sections hang on the soma's first point in both.
        assert ours[6] == b"1" if theirs[6] == b"1" else int(ours[6]) == int(theirs[6]) - more


@PROPERTY
@given(morphologies(odd=False))
def test_morphio_reads_both_back(tmp_path_factory, morphology):
    folder = tmp_path_factory.mktemp("text")
    (folder / "m.swc").write_bytes(encode_swc(morphology))
    (folder / "m.asc").write_bytes(encode_asc(morphology))
    swc, asc = read_morphology(folder / "m.swc"), read_morphology(folder / "m.asc")
    assert len(swc.soma_points) == 1
    if len(morphology.soma_points) > 1:
        np.testing.assert_allclose(asc.soma_points, morphology.soma_points, rtol=1e-6, atol=1e-9)
    for read in (swc, asc):
        assert read.soma_points.mean(axis=0) == pytest.approx(
            morphology.soma_points.mean(axis=0), abs=1e-5
        )
        np.testing.assert_array_equal(read.types, morphology.types)
        np.testing.assert_array_equal(read.parents, morphology.parents)
        np.testing.assert_array_equal(read.offsets, morphology.offsets)
        np.testing.assert_allclose(read.points, morphology.points, rtol=1e-6, atol=1e-9)
        first = np.zeros(len(read.points), dtype=bool)
        first[read.offsets[:-1]] = True
        np.testing.assert_array_equal(read.diameters[~first], morphology.diameters[~first])
    np.testing.assert_array_equal(asc.diameters, morphology.diameters)


@PROPERTY
@given(morphologies())
def test_odd_swc_files_keep_all_points(tmp_path_factory, morphology):
    path = tmp_path_factory.mktemp("swc") / "m.swc"
    path.write_bytes(encode_swc(morphology))
    read = read_morphology(path)
    rows = swc_rows(morphology)
    assert len(rows.types) == len(path.read_text().splitlines()) - 2
    found = {tuple(point) for point in np.round(read.points.astype(float), 4)}
    assert found == {tuple(point) for point in np.round(morphology.points.astype(float), 4)}


def test_a_section_with_one_child_becomes_one_with_it(tmp_path):
    morphology = random_morphology(trees=((3, 1),), n_children=1)
    chain = random_morphology(trees=((3, 4),), n_children=1)
    (tmp_path / "m.swc").write_bytes(encode_swc(chain))
    read = read_morphology(tmp_path / "m.swc")
    assert chain.n_sections == 4
    assert read.n_sections == morphology.n_sections == 1
    np.testing.assert_allclose(read.points[-1], chain.points[-1])


def test_cells_without_soma_or_neurites(tmp_path):
    for name, change in (("soma", {"trees": ()}), ("neurites", {})):
        morphology = random_morphology(**change)
        if name == "neurites":
            morphology.soma_points = morphology.soma_points[:0]
            morphology.soma_diameters = morphology.soma_diameters[:0]
        for extension, encode in (("swc", encode_swc), ("asc", encode_asc)):
            path = tmp_path / f"{name}.{extension}"
            path.write_bytes(encode(morphology))
            read = read_morphology(path)
            assert read.n_sections == morphology.n_sections
            assert (len(read.soma_points) > 0) == (name == "soma")


def test_types_that_asc_does_not_know():
    morphology = random_morphology(trees=((5, 3),))
    with pytest.raises(DropCell, match="no sections of type 5"):
        encode_asc(morphology)
    assert b" 5 " in encode_swc(morphology)


@pytest.mark.golden
def test_asc_files_of_the_reference(shared, tmp_path):
    folder = shared / "golden" / "peer_suite" / "golden" / "morphologies"
    paths = sorted(folder.glob("*.asc"))
    assert paths
    for path in paths:
        morphology = read_morphology(path.with_suffix(".h5"))
        assert without_comments(encode_asc(morphology)) == without_comments(path.read_bytes())
        (tmp_path / "m.asc").write_bytes(encode_asc(morphology))
        assert_same(read_morphology(tmp_path / "m.asc"), read_morphology(path))
