"""Prepared distributions against neurots.morphmath.sample, with the same generator."""

import numpy as np
import pytest
from neurots.morphmath import sample

from region_grower_flow.engine.distributions import Distribution, TrunkDistributions
from region_grower_flow.errors import GrowthFailed

DESCRIPTIONS = [
    {"norm": {"mean": 0.5, "std": 1.0}},
    {"uniform": {"min": -1.0, "max": 2.0}},
    {"expon": {"loc": -0.5, "lambda": 2.0}},
    {"data": {"bins": [0.5, 1, 2.5, 7], "weights": [1, 0, 3, 2]}},
    {"data": {"bins": [3], "weights": [2]}},
]


@pytest.mark.parametrize("description", DESCRIPTIONS)
@pytest.mark.parametrize("method", ["draw", "draw_positive"])
def test_same_draws(description, method):
    ours, theirs = np.random.default_rng(1), np.random.default_rng(1)
    prepared, reference = Distribution.prepare(description), sample.Distr(description, theirs)
    for _ in range(200):
        assert getattr(prepared, method)(ours) == getattr(reference, method)()
    assert ours.bit_generator.state == theirs.bit_generator.state


def test_constant_draws_nothing():
    rng = np.random.default_rng(1)
    state = rng.bit_generator.state
    assert Distribution.prepare({"norm": {"mean": 2.0, "std": 0.0}}).draw_positive(rng) == 2.0
    assert rng.bit_generator.state == state


@pytest.mark.parametrize(
    "description",
    [
        {"norm": {"mean": -1.0, "std": 0.0}},
        {"data": {"bins": [-1.0, 1.0], "weights": [1, 1]}},
        {"data": {"bins": [-1.0], "weights": [1]}},
    ],
)
def test_refusals_draw_nothing(description):
    ours, theirs = np.random.default_rng(1), np.random.default_rng(1)
    with pytest.raises(ValueError):
        sample.Distr(description, theirs).draw_positive()
    with pytest.raises(GrowthFailed):
        Distribution.prepare(description).draw_positive(ours)
    assert ours.bit_generator.state == theirs.bit_generator.state


@pytest.mark.parametrize(
    "azimuth",
    [{"uniform": {"min": np.pi, "max": 0.0}}, {"data": {"bins": [1, 2], "weights": [1, 1]}}],
)
def test_trunk_angles(azimuth):
    distributions = {
        "num_trees": DESCRIPTIONS[3],
        "trunk": {
            "azimuth": azimuth,
            "orientation_deviation": DESCRIPTIONS[0],
            "absolute_elevation_deviation": DESCRIPTIONS[1],
        },
    }
    prepared = TrunkDistributions.prepare(distributions)
    ours, theirs = np.random.default_rng(2), np.random.default_rng(2)
    for _ in range(20):
        number = prepared.draw_number(ours)
        assert number == sample.n_neurites(distributions["num_trees"], theirs)
        for draw, reference in [
            (prepared.draw_relative, sample.trunk_angles),
            (prepared.draw_absolute, sample.trunk_absolute_angles),
            (prepared.draw_azimuths, sample.azimuth_angles),
        ]:
            found, expected = draw(number + 1, ours), reference(distributions, number + 1, theirs)
            np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert ours.bit_generator.state == theirs.bit_generator.state


def test_unknown_distribution():
    with pytest.raises(ValueError, match="no distribution 'gamma'"):
        Distribution.prepare({"gamma": {"shape": 1.0}})
