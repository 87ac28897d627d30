"""The fast table of morphometrics against NeuroM's."""

import numpy as np
import pytest

from region_grower_flow.calibration import growth_moments
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.validation import morphometrics
from region_grower_flow.validation.cells import ValidationCell

SOMA = np.zeros((1, 3), np.float32), np.full(1, 8.0, np.float32)


def random_cell(rng, trees=3, kind=3):
    """A cell of random binary trees, a section before its children."""
    points, diameters, offsets, types, parents = [], [], [0], [], []

    def grow(begin, parent, depth):
        steps = rng.normal(0.5, 1.0, (int(rng.integers(3, 60)), 3))
        way = np.vstack([begin, begin + np.cumsum(steps, axis=0)])
        place = len(types)
        points.append(way)
        diameters.append(rng.uniform(0.5, 3, len(way)))
        offsets.append(offsets[-1] + len(way))
        types.append(kind)
        parents.append(parent)
        if depth and rng.random() < 0.8:
            for _ in range(2):
                grow(way[-1], place, depth - 1)

    for _ in range(trees):
        grow(rng.normal(0, 8, 3), -1, 4)
    return FlatMorphology(
        np.vstack(points).astype(np.float32),
        np.concatenate(diameters).astype(np.float32),
        np.array(offsets),
        np.array(types, np.int32),
        np.array(parents),
        *SOMA,
    )


def test_the_features_are_those_of_the_validation():
    rng = np.random.default_rng(1)
    cells = [random_cell(rng, trees) for trees in (1, 3, 6)]
    found = dict(zip(growth_moments.NAMES, growth_moments.growth_table(cells, 3).T, strict=True))
    for place, cell in enumerate(cells):
        expected = dict(
            zip(
                morphometrics.NAMES,
                morphometrics.measure(ValidationCell("", cell), "basal_dendrite"),
                strict=True,
            )
        )
        for name in found.keys() & expected.keys():
            assert found[name][place] == pytest.approx(expected[name], rel=1e-4), name


def test_tortuosity_at_a_coarse_scale_forgets_the_zigzag():
    along = np.arange(0.0, 200.0)
    zigzag = np.stack([along, along % 2, 0 * along], axis=1)
    straight = FlatMorphology(
        zigzag.astype(np.float32),
        np.ones(200, np.float32),
        np.array([0, 200]),
        np.array([3]),
        np.array([-1]),
        *SOMA,
    )
    (row,) = growth_moments.growth_table([straight], 3)
    found = dict(zip(growth_moments.NAMES, row, strict=True))
    assert found["mean tortuosity"] == pytest.approx(np.sqrt(2), rel=1e-3)
    # A zigzag of 1 um: 5 um of path are 3.6 um of chord.
    assert found["mean bending over 5 um"] == pytest.approx(1 - np.sqrt(0.5), abs=0.03)
    assert found["mean tortuosity at 20 um"] == pytest.approx(1.0, abs=4e-3)


def test_a_cell_without_such_trees_has_zeros_and_nan():
    cell = random_cell(np.random.default_rng(0))
    (row,) = growth_moments.growth_table([cell], 4)
    found = dict(zip(growth_moments.NAMES, row, strict=True))
    assert found["trees"] == found["total length"] == 0
    assert np.isnan([found["mean tortuosity"], found["extent along x"]]).all()
    mixed = growth_moments.growth_table([cell, random_cell(np.random.default_rng(0), 2, 4)], 4)
    assert mixed[:, 0].tolist() == [0, 2]


def test_moments_and_spreads_take_no_harm_from_missing_values():
    table = np.array([[1.0, np.nan], [2.0, np.nan], [9.0, np.nan]])
    assert growth_moments.moments(table)[0] == pytest.approx(3.0)
    assert growth_moments.spreads(table)[1] == 1.0


def test_trees_too_short_for_any_window_are_measured():
    points = np.array([[0, 0, 0], [2, 0, 0]], np.float32)
    arrays = np.ones(2, np.float32), np.array([0, 2]), np.array([3], np.int32), np.array([-1])
    table = growth_moments.growth_table([FlatMorphology(points, *arrays, *SOMA)], 3)
    values = dict(zip(growth_moments.NAMES, table[0], strict=True))
    assert values["total length"] == pytest.approx(2.0)
    assert values["mean tortuosity"] == pytest.approx(1.0)
    assert np.isnan(values["mean tortuosity at 20 um"])


def test_many_points_are_measured_in_parts(monkeypatch):
    rng = np.random.default_rng(3)
    cells = [random_cell(rng) for _ in range(5)]
    whole = growth_moments.growth_table(cells, 3)
    monkeypatch.setattr(growth_moments, "MOST_POINTS", len(cells[0].points) + 1)
    np.testing.assert_allclose(growth_moments.growth_table(cells, 3), whole, rtol=1e-9)
    assert growth_moments.growth_table([], 3).shape == (0, len(growth_moments.NAMES))
