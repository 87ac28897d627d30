"""The space tier: limits, somata, positions, profiles along depth, and what breaks them."""

import dataclasses

import numpy as np
import pytest

from helpers.atlas_factory import make_atlas
from helpers.factories import random_morphology
from region_grower_flow.morphology import APICAL_DENDRITE, BASAL_DENDRITE
from region_grower_flow.space.layers import LayerContext
from region_grower_flow.validation import depths, space
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.populations import upright
from region_grower_flow.validation.verdict import FAIL, NOT_TESTABLE, PASS
from region_grower_flow.validation.written import MtypeCells

TREES = ((BASAL_DENDRITE, 5), (APICAL_DENDRITE, 9))
LAYERS = LayerContext(300.0, [0.0, 100.0, 600.0], [100.0, 600.0])


def grown(seed=0):
    return random_morphology(seed, trees=TREES)


def place(most=None, least=None, kind="apical_dendrite"):
    """The place of a cell 300 um deep whose limits are these distances (um) above its soma."""
    constraints = {}
    for name, distance in (("hard_limit_max", most), ("hard_limit_min", least)):
        if distance is not None:
            # Layer 2 lies from 100 to 600 um of depth, its fractions count from the bottom.
            fraction = (600.0 - (300.0 - distance)) / 500.0
            constraints[name] = {"layer": 2, "fraction": fraction}
    params = {"context_constraints": {kind: constraints}}
    return space.CellPlace(np.zeros(3), np.eye(3), LAYERS, params, "COL")


def extent(morphology, kind=APICAL_DENDRITE):
    types, extents, _ = space.tree_tops(morphology)
    return extents[types == kind].max()


def verdict(place_of, morphology, count=1):
    cells = [ValidationCell(f"cell {i}", morphology) for i in range(count)]
    return space.limit_verdicts("PC", cells, [place_of] * count)


@pytest.mark.parametrize(("beyond", "word"), [(-5, PASS), (0.9, PASS), (1.1, FAIL)])
def test_a_top_above_its_limit(beyond, word):
    cell = grown()
    (found,) = verdict(place(most=extent(cell) - beyond), cell)
    assert found.verdict == word
    assert found.neurite_type == "apical_dendrite"
    assert found.values["greatest miss (um)"] == pytest.approx(max(beyond, 0), abs=1e-3)


@pytest.mark.parametrize(("short", "word"), [(-5, PASS), (0.9, PASS), (1.1, FAIL)])
def test_a_top_below_its_least_height(short, word):
    cell = grown()
    (found,) = verdict(place(least=extent(cell) + short), cell)
    assert found.verdict == word


def test_basal_dendrites_have_limits_too():
    cell = grown()
    top = extent(cell, BASAL_DENDRITE)
    (found,) = verdict(place(most=top - 2, kind="basal_dendrite"), cell)
    assert (found.verdict, found.neurite_type) == (FAIL, "basal_dendrite")


def test_one_cell_of_a_thousand_may_miss():
    cell = grown()
    fine, wrong = place(most=extent(cell) + 5), place(most=extent(cell) - 5)
    cells = [ValidationCell(str(i), cell) for i in range(1000)]
    for missing, word in ((1, PASS), (2, FAIL)):
        places = [wrong] * missing + [fine] * (1000 - missing)
        (found,) = space.limit_verdicts("PC", cells, places)
        assert found.verdict == word
        assert found.statistic == pytest.approx(1 - missing / 1000)


def test_without_limits_there_is_no_verdict():
    assert verdict(place(), grown()) == []
    vacuum = dataclasses.replace(place(most=1.0), layers=LayerContext(np.nan, None, None))
    assert verdict(vacuum, grown()) == []


def test_the_limit_holds_along_the_axis_of_the_cell():
    """A cell that lies in a curved atlas is measured along its own axis."""
    cell = grown()
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turned = dataclasses.replace(cell, points=cell.points @ turn.T.astype(np.float32))
    assert extent(turned) != pytest.approx(extent(cell), abs=1)
    assert extent(upright(turned, turn)) == pytest.approx(extent(cell), abs=1e-3)


def test_a_soma_that_lies_elsewhere():
    cell = grown()
    assert space.soma_verdict("PC", [ValidationCell("a", cell)]).verdict == PASS
    away = dataclasses.replace(cell, soma_points=cell.soma_points + np.float32(30))
    found = space.soma_verdict("PC", [ValidationCell("a", cell), ValidationCell("b", away)])
    assert (found.verdict, found.statistic) == (FAIL, 0.5)
    assert "b" in found.detail


def test_no_cell_shows_nothing():
    for found in (space.soma_verdict("PC", []), space.position_verdict("PC", MtypeCells())):
        assert (found.verdict, found.statistic) == (NOT_TESTABLE, None)


def test_a_position_that_is_not_the_one_asked_for():
    cells = MtypeCells(asked=2, names=["a", "b"])
    assert space.position_verdict("PC", cells).verdict == PASS
    cells.moved.append("b")
    assert space.position_verdict("PC", cells).verdict == FAIL


def line(*heights):
    """A morphology of one basal dendrite along y, with these heights (um)."""
    cell = random_morphology(0, trees=((BASAL_DENDRITE, 1),), n_points=(len(heights),) * 2)
    points = np.zeros((len(heights), 3), dtype=np.float32)
    points[:, 1] = heights
    return dataclasses.replace(cell, points=points)


def test_segments_are_those_of_one_type_within_sections():
    cell = grown()
    lengths = [
        np.linalg.norm(np.diff(cell.section(i), axis=0), axis=1).sum()
        for i in range(cell.n_sections)
        if cell.types[i] == APICAL_DENDRITE
    ]
    _, found = depths.segments(cell, "apical_dendrite")
    assert found.sum() == pytest.approx(sum(lengths), rel=1e-5)
    assert len(depths.segments(cell, "axon")[0]) == 0


def lengths(soma, *heights, boundaries=(0.0, 100.0, 600.0), names=None):
    layers = LayerContext(soma, list(boundaries), None, names)
    return depths.profile([line(*heights)], "basal_dendrite", [soma], [layers])


def test_length_in_layers_and_bins():
    upward = lengths(106.0, 0, 10, 20)
    assert upward.layers == {(1, 1): 10.0, (2, 2): 10.0}
    assert upward.per_cell(np.array([75.0, 100.0, 125.0])).tolist() == [10.0, 10.0]
    assert lengths(2.0, 0, 10).layers == {(0, "above"): 10.0}
    below = lengths(99.0, 0, -10, boundaries=(0.0, 100.0))
    assert below.layers == {depths.BELOW: 10.0}
    rows = depths.layer_rows(upward, below)
    assert [(r["layer"], r["reference"], r["synthesized"]) for r in rows] == [
        (1, 0.5, 0.0),
        (2, 0.5, 0.0),
        ("below", 0.0, 1.0),
    ]


def test_layers_have_their_names():
    assert lengths(106.0, 0, 10, 20, names=["SP", "SR"]).layers == {(1, "SP"): 10, (2, "SR"): 10}


def test_the_distance_of_profiles_is_in_um():
    profiles = [depths.profile([line(0, top, 2 * top)], "basal_dendrite") for top in (10, 20)]
    assert depths.wasserstein(*profiles) == pytest.approx(10.0)
    assert depths.wasserstein(profiles[0], profiles[0]) == 0.0
    assert depths.wasserstein(profiles[0], depths.profile([], "basal_dendrite")) is None


def test_rows_of_depth_hold_all_length():
    one, two = (
        depths.profile([grown(seed)], "apical_dendrite", [300.0], [LAYERS]) for seed in (1, 2)
    )
    rows = depths.depth_rows(one, two)
    assert sum(row["reference"] for row in rows) == pytest.approx(one.lengths.sum())
    assert sum(row["synthesized"] for row in rows) == pytest.approx(two.lengths.sum())
    assert all(row["to_um"] - row["from_um"] == depths.DEPTH_BIN for row in rows)


def test_points_inside_the_region(tmp_path):
    atlas = make_atlas(tmp_path / "atlas")
    lookup = space.RegionLookup(tmp_path / "atlas", tmp_path / "atlas" / "region_structure.yaml")
    inside = np.array([[200.0, atlas.top - 100.0, 200.0]])
    above = np.array([[200.0, atlas.top + 100.0, 200.0]])
    far = np.array([[1e7, 0.0, 0.0]])
    assert lookup.inside("COL", inside) == 1.0
    assert lookup.inside("COL", np.vstack([inside, above, far, far])) == 0.25
    assert lookup.inside("default", inside) == 1.0
