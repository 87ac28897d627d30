"""Cells with their places, and slices of the atlas."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from helpers.atlas_factory import make_atlas
from helpers.report_factory import pixels, pyramid, shows
from region_grower_flow.atlas.structure import load_region_structure
from region_grower_flow.morphology import APICAL_DENDRITE, BASAL_DENDRITE
from region_grower_flow.placement.planes import Plane
from region_grower_flow.placement.planes import Slice as Slab
from region_grower_flow.report.placed import PlacedCell, common_layers, layer_names, readable
from region_grower_flow.report.slices import (
    LayerMap,
    aligned_slice,
    choose_slices,
    planes_slice,
    plot_slice,
)
from region_grower_flow.report.style import LAYER_FILLS, NEURITE_COLORS


def placed(position, layers=(), rotation=None):
    cell = PlacedCell(
        name="a",
        mtype="A",
        path="nowhere.h5",
        position=np.array(position, dtype=float),
        orientation=np.eye(3) if rotation is None else rotation,
        depth=10.0,
        layers=layers,
    )
    vars(cell)["morphology"] = pyramid()
    return cell


def test_unreadable_cells_are_said(tmp_path):
    cell = PlacedCell("a", "A", tmp_path / "a.h5", np.zeros(3), np.eye(3))
    found, lost = readable([cell, placed((0, 0, 0))])
    assert len(found) == 1
    assert lost == [f"{tmp_path / 'a.h5'}: there is no such file."]


def test_layers_of_cells_are_medians():
    cells = [placed((0, 0, 0), ((1, 0.0, a), (2, a, 100.0))) for a in (40.0, 50.0, 70.0)]
    assert common_layers(cells) == ((1, 0.0, 50.0), (2, 50.0, 100.0))
    assert common_layers([*cells, placed((0, 0, 0), ((1, 0.0, 9.0),))]) == ()
    assert common_layers([placed((0, 0, 0))]) == ()
    assert layer_names({"layers": ["A", "B"]}, 2) == ["A", "B"]
    assert layer_names({}, 2) == [1, 2]


def test_slices_lie_where_cells_are():
    rng = np.random.default_rng(0)
    positions = rng.uniform((0, 0, 0), (1000, 500, 100), (500, 3))
    one, two = choose_slices(positions, 2, 50.0)
    # The cells spread less along z than along x.
    assert one.frame[2].tolist() == two.frame[2].tolist() == [0, 0, 1]
    assert 15 < one.origin[2] < 40
    assert 60 < two.origin[2] < 85
    assert choose_slices(positions, 1, 50.0, axis=0)[0].frame[2, 0] == 1
    assert choose_slices(np.empty((0, 3)), 2, 50.0) == []


def test_a_slice_holds_what_is_between_its_planes():
    where = aligned_slice(2, 100.0, 50.0)
    positions = [(0, 0, 75.0), (0, 0, 124.9), (0, 0, 74.9), (500, 500, 100)]
    assert where.holds(positions).tolist() == [True, True, False, True]
    assert where.title == "z from 75 to 125 µm"


@pytest.fixture
def column(tmp_path):
    atlas = make_atlas(tmp_path / "atlas")
    structure = load_region_structure(tmp_path / "atlas" / "region_structure.yaml")
    return SimpleNamespace(
        top=atlas.top, map=LayerMap.load(tmp_path / "atlas", structure), made=structure
    )


def test_layers_of_points_are_those_of_the_atlas(column):
    layers = next(iter(column.made.values()))["layers"]
    heights = column.top - np.array([-50.0, 5.0, 1e5])
    points = np.column_stack([np.full(3, 200.0), heights, np.full(3, 200.0)])
    names, numbers = column.map.lookup(points)
    assert names == layers
    assert numbers.tolist() == [-1, 0, -1]


def test_a_slice_shows_cells_and_layers(column):
    position = (200.0, column.top - 300.0, 200.0)
    cells = [placed(position), placed((200.0, column.top - 300.0, 390.0))]
    figure, names = plot_slice(cells, aligned_slice(2, 200.0, 60.0), column.map, "A")
    assert names == ["a"]
    picture = pixels(figure)
    assert any(shows(picture, fill, 200, 0.01) for fill in LAYER_FILLS)
    empty, names = plot_slice(cells, aligned_slice(2, 20.0, 10.0), column.map, "A")
    assert names == []
    assert "no cell lies in the slice" in empty.axes[0].texts[0].get_text()


def test_cells_lie_in_the_atlas_as_they_were_turned():
    from region_grower_flow.report.drawing import Morphologies

    quarter = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # the pia along +x
    shown = Morphologies()
    shown.add(pyramid(), (100.0, 50.0), quarter)
    left, bottom, right, top = shown.bounds
    # Upright the cell reaches from -25 to 65 um, and 10 um to each side.
    assert (left, right) == pytest.approx((75.0, 165.0))
    assert (bottom, top) == pytest.approx((40.0, 60.0))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_aligned_slices_are_drawn_in_coordinates_of_the_atlas(axis):
    where = aligned_slice(axis, 100.0, 50.0)
    position = np.array([1.0, 2.0, 3.0])
    across, up = where.project(position)
    named = dict(zip("xyz", position, strict=True))
    assert (across, up) == (named[where.labels[0][0]], named[where.labels[1][0]])
    back = where.points(np.array([across]), np.array([up]))[0, 0]
    position[axis] = 100.0
    assert back == pytest.approx(position)


def test_slices_between_planes_keep_lengths_and_stand_upright():
    normal = np.array([1.0, 0.5, 1.0]) / 1.5
    point = np.array([100.0, 200.0, 300.0])
    slab = Slab(Plane(point, normal), Plane(point + 50 * normal, normal))
    where = planes_slice(slab, 3)
    assert where.frame @ where.frame.T == pytest.approx(np.eye(3))
    assert where.frame[1, 1] > 0
    inside = point + 25 * normal
    assert where.holds(inside).tolist() == [True]
    assert where.holds(point - normal).tolist() == [False]
    assert where.project(inside) == pytest.approx((0, 0))
    assert where.project(inside + where.frame[1] * 7) == pytest.approx((0, 7))
    assert where.title.startswith("slice 3")


def test_the_pia_is_above_whatever_the_axes_of_the_atlas():
    rng = np.random.default_rng(0)
    positions = rng.uniform((0, 0, 0), (100, 500, 900), (300, 3))
    (where,) = choose_slices(positions, 1, 50.0, pia=(0.1, 0.2, -0.9))
    assert where.labels == ("y (µm)", "z (µm)")
    assert where.downwards
    # A cell whose pia is along -z: upright, its apical dendrite is above the soma.
    turn = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
    assert turn @ (0, 1, 0) == pytest.approx((0, 0, -1))
    cell = placed((where.origin[0], 250.0, 450.0), rotation=turn)
    figure, _ = plot_slice([cell], where, None, "A")
    bottom, top = figure.axes[0].get_ylim()
    assert bottom > top
    picture = pixels(figure)[:-30]  # without the legend
    apical, basal = (
        np.flatnonzero((np.abs(picture - to_rgb(NEURITE_COLORS[kind])).max(-1) < 0.2).any(1))
        for kind in (APICAL_DENDRITE, BASAL_DENDRITE)
    )
    assert apical.mean() < basal.mean()
    slab = Slab(Plane(np.zeros(3), np.array([1.0, 0, 0])), Plane(np.ones(3), np.array([1.0, 0, 0])))
    assert planes_slice(slab, 1, (0.0, 0.0, -1.0)).frame[1] == pytest.approx((0, 0, -1))
    from_above = planes_slice(slab, 1, (1.0, 0.0, 0.0))
    assert from_above.frame @ from_above.frame.T == pytest.approx(np.eye(3))
