"""Measured trees: bars that know their angles, owners, directions and diameters."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.factories import measured_cell, random_morphology
from region_grower_flow.calibration.measured import (
    measure,
    measure_trees,
    set_bends,
    turned_down,
)
from region_grower_flow.morphology import APICAL_DENDRITE, BASAL_DENDRITE, FlatMorphology


def fork():
    """A trunk of 20 um along y, then a branch of 30 um along x and one of 10 um along -x."""
    lines = [
        [(0, 5, 0), (0, 25, 0)],
        [(0, 25, 0), (10, 25, 0), (30, 25, 0)],
        [(0, 25, 0), (-10, 25, 0)],
    ]
    points = np.array([point for line in lines for point in line], dtype=np.float32)
    contour = 5.0 * np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]], dtype=np.float32)
    return FlatMorphology(
        points,
        np.array([2.0, 1.5, 1.0, 0.5, 0.8, 1.2, 0.6], dtype=np.float32),
        np.array([0, 2, 5, 7]),
        np.full(3, BASAL_DENDRITE, dtype=np.int32),
        np.array([-1, 0, 0]),
        contour,
        np.zeros(4, dtype=np.float32),
    )


def test_a_fork():
    (tree,) = measure_trees(fork(), BASAL_DENDRITE, np.zeros(3))
    right = round(np.pi / 2, 4)
    assert tree["direction"] == [0.0, 1.0, 0.0]
    assert not tree["joined"]
    assert tree["bars"] == [
        [50.0, 0.0, 0.0, 0.0, 0.0, -1],
        [30.0, 20.0, right, right, round(np.pi, 4), 0],
    ]
    np.testing.assert_allclose(tree["headings"], [[0.8321, 0.5547, 0], [-1, 0, 0]], atol=1e-4)
    assert tree["ways"] == [[0.0, 1.0, 0.0, 0.0, 1.0, 0.0], [-1.0, 0.0, 0.0, 1.0, 0.0, 0.0]]
    assert tree["bends"] == [[[0.0, 1], [0.0, 1]], [[0.0, 0], [0.0, 1]]]
    assert tree["diameters"] == [
        [[0.0, 2.0], [20.0, 1.5], [20.0, 1.0], [30.0, 0.5], [50.0, 0.8]],
        [[20.0, 1.2], [30.0, 0.6]],
    ]


@pytest.mark.parametrize("n_children", [2, 3])
def test_bars_keep_the_tree(n_children):
    morphology = random_morphology(n_children=n_children, diameters="random")
    trees = measure_trees(morphology, BASAL_DENDRITE, np.zeros(3))
    steps = np.linalg.norm(np.diff(morphology.points.astype(float), axis=0), axis=1)
    steps[morphology.offsets[1:-1] - 1] = 0.0
    ours = np.repeat(morphology.types == BASAL_DENDRITE, np.diff(morphology.offsets))[1:]
    total = sum(bar[0] - bar[1] for tree in trees for bar in tree["bars"])
    assert total == pytest.approx(steps[ours].sum(), abs=0.01)
    for tree in trees:
        bars = np.array(tree["bars"])
        owners = bars[:, 5].astype(int)
        assert owners[0] == -1
        assert (np.diff(bars[:, 1]) >= 0).all()
        for i in range(1, len(bars)):
            assert owners[i] < i
            assert bars[owners[i], 0] >= bars[i, 0]
            assert bars[owners[i], 1] <= bars[i, 1]
        for bar, profile in zip(bars, tree["diameters"], strict=True):
            assert profile[0][0] == pytest.approx(bar[1], abs=1e-3)
            assert profile[-1][0] == pytest.approx(bar[0], abs=1e-3)


def test_cells_of_inverted_mtypes_are_turned_down_once():
    upright = measured_cell("a", replace(fork(), types=np.full(3, APICAL_DENDRITE)))
    (tree,) = measure([upright], {"apical_dendrite": 0})["apical_dendrite"]
    down = turned_down(upright)
    (turned,) = measure([down], {"apical_dendrite": 0})["apical_dendrite"]
    for name in ("direction", "headings", "ways"):
        before = np.reshape(tree[name], (-1, 3))
        np.testing.assert_allclose(np.reshape(turned[name], (-1, 3)), before * (-1, -1, 1))
    for name in ("bars", "bends", "diameters"):
        assert turned[name] == tree[name]
    assert turned_down(down) is down
    without = measured_cell("b", fork())
    assert turned_down(without) is without


def test_thresholds_and_somas():
    cells = [measured_cell("a", fork()), measured_cell("b", random_morphology())]
    found = measure(cells, {"basal_dendrite": 2})
    assert found["cells"][0] == {"name": "a", "soma_radius": 5.0}
    assert {tree["cell"] for tree in found["basal_dendrite"]} == {1}
    assert len(measure(cells, {"basal_dendrite": 0})["basal_dendrite"]) == 3


def test_how_much_sections_bend_in_comparison():
    straight = {"bars": [[400.0, 0.0, 0, 0, 0, -1]], "bends": [[[0.0, 20], [0.0, 20]]]}
    owner = [[[2.0, 20], [2.0, 20]], [[0.0, 0], [1.9, 19]]]
    bent = {"bars": [[400.0, 0.0, 0, 0, 0, -1], [10.0, 5.0, 0, 0, 0, 0]], "bends": owner}
    set_bends([straight, bent])
    assert straight["bends"][0][0] < 0.7 < 1.2 < bent["bends"][0][0]
    # A section too short to measure leans on its bar, that on its type.
    assert bent["bends"][1][0] == pytest.approx(1.0)
    assert bent["bends"][1][1] == pytest.approx(bent["bends"][0][0], rel=0.05)
    # ... and a bar on its cell: one of a cell that bends bends, too.
    short = {"bars": [[10.0, 0.0, 0, 0, 0, -1]], "bends": [[[0.0, 0], [0.0, 0]]]}
    bent["bends"], straight["bends"] = owner, [[[0.0, 20], [0.0, 20]]]
    apart = [{**short, "cell": 0}, {**short, "cell": 1}]
    set_bends([straight | {"cell": 0}, bent | {"cell": 1}, *apart])
    assert apart[0]["bends"][0][0] < 0.7 < 1.2 < apart[1]["bends"][0][0]
    points = {"bars": [[1.0, 0.0, 0, 0, 0, -1]], "bends": [[[0.0, 0], [0.0, 0]]]}
    set_bends([points])
    assert points["bends"] == [[1.0, 1.0]]
