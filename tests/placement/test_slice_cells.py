"""Slices of cells, and the planes between which they are."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.atlas_factory import make_atlas
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.cell_files import write_nodes
from region_grower_flow.io.cells import Cells, read_cells
from region_grower_flow.placement import planes
from region_grower_flow.placement.draws import cell_draws
from region_grower_flow.placement.planes import LineSettings, Plane, Slice
from region_grower_flow.placement.slices import SliceSettings, slice_cells
from region_grower_flow.placement.voxels import Voxels


@pytest.fixture
def cells():
    """1,000 cells of three mtypes in a cube of 1,000 um."""
    rng = np.random.default_rng(0)
    mtypes = rng.choice(["A", "B", "C"], 1000, p=[0.6, 0.39, 0.01])
    properties = pd.DataFrame({"mtype": mtypes, "region": "R"})
    return Cells(rng.uniform(0.0, 1000.0, (1000, 3)), None, properties, "pop")


def taken(cells, **settings):
    return slice_cells(cells, SliceSettings(**settings))


def ids(cells):
    return cells.properties["original_id"].to_numpy()


def test_a_slice_of_all_is_all(cells):
    result = taken(cells)
    assert len(result) == 1000
    np.testing.assert_array_equal(ids(result), np.arange(1000))
    np.testing.assert_array_equal(result.positions, cells.positions)
    assert result.population == "pop"


def test_n_cells_of_each_mtype_are_taken(cells):
    result = taken(cells, n_cells=20)
    counts = result.properties["mtype"].value_counts()
    assert counts["A"] == counts["B"] == 20
    assert counts["C"] == (cells.properties["mtype"] == "C").sum() < 20
    original = cells.properties["mtype"].to_numpy()[ids(result)]
    np.testing.assert_array_equal(original, result.properties["mtype"])
    assert (np.diff(ids(result)) > 0).all()


def test_the_choice_depends_on_the_seed_and_on_nothing_else(cells):
    one, same = taken(cells, n_cells=20), taken(cells, n_cells=20)
    np.testing.assert_array_equal(ids(one), ids(same))
    assert set(ids(one)) != set(ids(taken(cells, n_cells=20, seed=1)))
    only_b = taken(cells, n_cells=20, mtypes=("B",))
    of_b = ids(one)[(one.properties["mtype"] == "B").to_numpy()]
    np.testing.assert_array_equal(ids(only_b), of_b)


def test_a_smaller_choice_is_part_of_a_larger_one(cells):
    assert set(ids(taken(cells, n_cells=5))) < set(ids(taken(cells, n_cells=50)))


def test_a_slice_of_a_slice_remembers_the_first_file(cells):
    first = taken(cells, mtypes=("B",))
    second = taken(first, n_cells=7)
    assert set(ids(second)) <= set(ids(first))
    np.testing.assert_array_equal(ids(second), ids(taken(cells, mtypes=("B",), n_cells=7)))


def test_every_kth_cell_is_taken(cells):
    np.testing.assert_array_equal(ids(taken(cells, every=4)), np.arange(0, 1000, 4))


def test_a_box_is_taken(cells):
    result = taken(cells, box=(100.0, 200.0, 300.0, 400.0, 500.0, 600.0))
    assert 0 < len(result) < 100
    assert (result.positions >= (100, 200, 300)).all()
    assert (result.positions <= (400, 500, 600)).all()


def test_left_is_below_the_midplane(cells):
    left = taken(cells, hemisphere="left", midplane=400.0)
    right = taken(cells, hemisphere="right", midplane=400.0)
    assert left.positions[:, 2].max() < 400.0 <= right.positions[:, 2].min()
    assert len(left) + len(right) == 1000


def test_a_property_tells_the_hemisphere_without_a_midplane(cells):
    cells.properties["hemisphere"] = np.where(np.arange(1000) < 10, "left", "right")
    np.testing.assert_array_equal(ids(taken(cells, hemisphere="left")), np.arange(10))


def test_what_cannot_be_taken_is_said(cells):
    with pytest.raises(InvalidInput) as error:
        taken(cells, mtypes=("A", "b", "X"), hemisphere="left")
    problems = str(error.value).splitlines()
    assert len(problems) == 3
    assert "no cell has the mtype 'b'" in problems[0]
    assert "no property 'hemisphere'" in problems[2]
    with pytest.raises(InvalidInput, match="none of the 1,000 cells is left"):
        taken(cells, box=(0.0, 0.0, 2000.0, 1.0, 1.0, 3000.0))


def between(low, high, axis=0):
    normal = np.eye(3)[axis]
    return Slice(Plane(low * normal, normal), Plane(high * normal, normal))


def test_cells_between_planes_belong_to_the_first_slice_that_holds_them(cells):
    result = taken(cells, slices=[between(100, 300), between(250, 400), between(900, 901)])
    x, number = result.positions[:, 0], result.properties["slice"].to_numpy()
    assert ((x >= 100) & (x < 400) | (x >= 900) & (x < 901)).all()
    assert (number[(x >= 250) & (x < 300)] == 0).all()
    assert (number[(x >= 300) & (x < 400)] == 1).all()
    assert len(set(ids(result))) == len(result)


def test_n_cells_are_taken_in_each_slice(cells):
    slices = [between(0, 250), between(250, 500)]
    result = taken(cells, slices=slices, n_cells=10, mtypes=("A",))
    assert result.properties["slice"].value_counts().to_dict() == {0: 10, 1: 10}


def test_sliced_cells_are_written_with_their_orientations(cells, tmp_path):
    from scipy.spatial.transform import Rotation

    cells.orientations = Rotation.random(1000, random_state=0).as_matrix()
    for suffix in (".h5", ".mvd3"):
        result = taken(cells, n_cells=3)
        path = tmp_path / f"cells{suffix}"
        write_nodes(path, result)
        again = read_cells(path)
        np.testing.assert_allclose(again.positions, result.positions, rtol=1e-6)
        np.testing.assert_allclose(again.orientations, result.orientations, atol=1e-6)
        np.testing.assert_array_equal(ids(again), ids(result))
        np.testing.assert_allclose(again.orientations, cells.orientations[ids(result)], atol=1e-6)


# The draws of cells.


def test_a_draw_belongs_to_its_cell():
    everything = cell_draws(np.arange(200_000), 3, "axon")
    some = np.array([199_999, 5, 131_072, 65_536, 65_535])
    np.testing.assert_array_equal(cell_draws(some, 3, "axon"), everything[some])
    assert not np.array_equal(cell_draws(some, 4, "axon"), everything[some])
    assert not np.array_equal(cell_draws(some, 3, "slice"), everything[some])


def test_no_two_cells_share_a_draw():
    assert len(np.unique(cell_draws(np.arange(200_000), 3, "axon"))) == 200_000


def test_draws_are_uniform_and_independent():
    from scipy import stats

    draws = cell_draws(np.arange(100_000), 0, "axon")
    others = [cell_draws(np.arange(100_000), *of) for of in ((1, "axon"), (0, "slice"))]
    assert stats.kstest(draws, "uniform").pvalue > 0.01
    for other in others:  # of another seed, and of another purpose of the same one
        assert abs(np.corrcoef(draws, other)[0, 1]) < 0.02
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.02


# Planes.


@pytest.fixture
def bow():
    """Centers (um) and indices of the voxels of half a ring, thickness 5, radius 20 voxels."""
    grid = np.moveaxis(np.indices((51, 30, 5)), 0, -1).reshape(-1, 3)
    x, y = grid[:, 0] - 25, grid[:, 1]
    radius = np.hypot(x, y)
    indices = grid[(radius >= 18) & (radius < 23)]
    return (indices + 0.5) * 10.0, indices, np.full(3, 10.0)


def test_an_aligned_line_spans_the_region(bow):
    line = planes.center_line(*bow, LineSettings("aligned", axis=0))
    centers = bow[0]
    np.testing.assert_allclose(line[:, 0], [centers[:, 0].min() - 5, centers[:, 0].max() + 5])
    np.testing.assert_allclose(line[0, 1:], line[1, 1:])


def test_a_straight_line_leads_from_end_to_end(bow):
    line = planes.center_line(*bow, LineSettings("straight"))
    assert line[0, 0] < 90
    assert line[1, 0] > 420


def test_given_ends_are_the_ends(bow):
    settings = LineSettings("straight", first=(1.0, 2.0, 3.0), last=(4.0, 5.0, 6.0))
    line = planes.center_line(*bow, settings)
    np.testing.assert_array_equal(line, [[1, 2, 3], [4, 5, 6]])


def test_a_curved_line_follows_the_region(bow):
    line = planes.center_line(*bow, LineSettings("curved"))
    radius = np.hypot(line[:, 0] - 255.0, line[:, 1])
    inner = line[:, 1] > 30.0
    assert np.abs(radius[inner] - 205.0).max() < 12.0
    # It leads from one end of the ring to the other.
    assert line[0, 0] < 80
    assert line[-1, 0] > 430
    length = np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
    assert length == pytest.approx(np.pi * 205.0, rel=0.05)


def test_planes_of_a_curved_line_stand_upright_on_it(bow):
    line = planes.center_line(*bow, LineSettings("curved"))
    slices = planes.slices_along(line, 5, 50.0)
    for part in slices[1:-1]:
        outward = part.left.point - np.array([255.0, 0.0, part.left.point[2]])
        cosine = outward @ part.left.normal / np.linalg.norm(outward)
        assert abs(cosine) < 0.15


def test_slices_are_as_thick_as_is_said_and_evenly_apart():
    line = np.array([[0.0, 0.0, 0.0], [1000.0, 0.0, 0.0]])
    slices = planes.slices_along(line, 4, 100.0)
    lefts = [part.left.point[0] for part in slices]
    rights = [part.right.point[0] for part in slices]
    np.testing.assert_allclose(lefts, [0, 300, 600, 900])
    np.testing.assert_allclose(np.subtract(rights, lefts), 100.0)
    (single,) = planes.slices_along(line, 1, 100.0)
    assert (single.left.point[0], single.right.point[0]) == (450, 550)
    with pytest.raises(InvalidInput, match="thicker than the line is long"):
        planes.slices_along(line, 1, 1001.0)


def test_planes_survive_their_file(tmp_path):
    line = np.array([[0.0, 0.0, 0.0], [500.0, 500.0, 0.0], [1000.0, 500.0, 0.0]])
    slices = planes.slices_along(line, 3, 100.0)
    path = tmp_path / "planes.json"
    path.write_text(json.dumps(planes.planes_document(line, slices)))
    positions = np.random.default_rng(0).uniform(0, 1000, (500, 3))
    for before, after in zip(slices, planes.load_slices(path), strict=True):
        np.testing.assert_array_equal(before.holds(positions), after.holds(positions))


def test_two_points_are_enough_for_a_slice(tmp_path):
    path = tmp_path / "planes.yaml"
    path.write_text(
        yaml.safe_dump([{"left": {"point": [0, 0, 0]}, "right": {"point": [0, 10, 0]}}])
    )
    (part,) = planes.load_slices(path)
    held = part.holds([[5, 5, 5], [0, -1, 0], [0, 10, 0]])
    np.testing.assert_array_equal(held, [True, False, False])


def test_planes_that_are_none_are_refused(tmp_path):
    path = tmp_path / "planes.yaml"
    path.write_text(
        yaml.safe_dump(
            [
                {"left": {"point": [0, 0]}, "right": {"point": [0, 1, "x"]}},
                {"left": {"point": [0, 0, 0]}},
                {"left": {"point": [1, 1, 1]}, "right": {"point": [1, 1, 1]}},
            ]
        )
    )
    with pytest.raises(InvalidInput) as error:
        planes.load_slices(path)
    assert len(str(error.value).splitlines()) == 4


def test_a_region_in_one_hemisphere_is_cut(tmp_path):
    voxels = Voxels.load(make_atlas(tmp_path / "atlas").folder)
    both, _ = planes.region_centers(voxels, "COL")
    left, _ = planes.region_centers(voxels, "COL", "left")
    assert len(left) == len(both) / 2
    assert left[:, 2].max() < 200.0
    with pytest.raises(InvalidInput, match="has no voxel"):
        planes.region_centers(voxels, "other")
