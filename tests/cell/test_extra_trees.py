"""Trees beyond the given orientations."""

import numpy as np
import pytest

from region_grower_flow.cell.extra_trees import VARIANTS, complete_orientations, oriented_variants

UP, DOWN = [0.2, 0.4, 0.7], [2.1, 2.5, 2.9]
"""Angles to the pia of two apicals (radians)."""


def angle_to_pia(vector):
    return np.arccos(vector[1] / np.linalg.norm(vector))


def mtype(orientation, trees, law=None):
    trunk = {} if law is None else {"pia_3d_angles": {"data": law}}
    params = {"grow_types": ["apical_dendrite"], "apical_dendrite": {"orientation": orientation}}
    number = {"data": {"bins": [1, trees], "weights": [1, 1]}}
    return params, {"apical_dendrite": {"num_trees": number, "trunk": trunk}}


@pytest.mark.parametrize(("given", "others"), [([0.0, 1.0, 0.0], DOWN), ([0.0, -2.0, 0.0], UP)])
def test_the_second_tree_takes_the_angles_that_the_given_one_leaves(given, others):
    rng = np.random.default_rng(0)
    law = UP + DOWN, np.ones(6)
    drawn = [complete_orientations([given], *law, 2, rng) for _ in range(200)]
    assert all(first == given for first, _ in drawn)
    angles = {round(float(angle_to_pia(second)), 6) for _, second in drawn}
    assert angles == set(others)
    azimuths = np.array([np.arctan2(second[2], second[0]) for _, second in drawn])
    assert np.histogram(azimuths, bins=4, range=(-np.pi, np.pi))[0].min() > 25


def test_angles_come_by_their_weights():
    rng = np.random.default_rng(1)
    bins, weights = [0.1, 2.0, 3.0], [4.0, 3.0, 1.0]
    drawn = [complete_orientations([[0, 1, 0]], bins, weights, 2, rng)[1] for _ in range(400)]
    share = np.mean([angle_to_pia(vector) < 2.5 for vector in drawn])
    assert share == pytest.approx(0.75, abs=0.06)


def test_variants_differ_and_are_the_same_each_time():
    law = {"bins": UP + DOWN, "weights": [1.0] * 6}
    params, distributions = mtype([[0.0, 1.0, 0.0]], 2, law)
    made = oriented_variants(params, distributions)
    assert made == oriented_variants(params, distributions)
    lists = [variant["apical_dendrite"]["orientation"] for variant in made]
    assert len(lists) == VARIANTS
    assert all(len(vectors) == 2 for vectors in lists)
    assert len({tuple(vectors[1]) for vectors in lists}) == VARIANTS
    assert params["apical_dendrite"]["orientation"] == [[0.0, 1.0, 0.0]]  # the original is kept


@pytest.mark.parametrize("orientation", [[[0, 1, 0], [0, -1, 0]], None, {"mode": "uniform"}])
def test_types_that_lack_nothing_stay_as_they_are(orientation):
    params, distributions = mtype(orientation, 2)
    assert oriented_variants(params, distributions) == [params]


def test_without_angles_of_reconstructions_trees_are_oriented_by_each_other():
    params, distributions = mtype([[0.0, 1.0, 0.0]], 2)
    made = oriented_variants(params, distributions)
    assert {variant["apical_dendrite"]["orientation"] for variant in made} == {None}
