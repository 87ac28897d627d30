"""Morphometrics: values by hand, and verdicts that turn when a property is broken."""

import neurom
import numpy as np
import pytest

from helpers.factories import random_morphology
from helpers.made_cells import by_test, flat, make_cells
from region_grower_flow.morphology import APICAL_DENDRITE, AXON, BASAL_DENDRITE
from region_grower_flow.validation import controls, morphometrics
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.verdict import FAIL, NO_POWER, NOT_TESTABLE, PASS

BASAL, APICAL = "basal_dendrite", "apical_dendrite"


def cell_of(*sections):
    return ValidationCell("by hand", flat(sections))


def line(*points):
    return np.array(points, dtype=float)


@pytest.fixture(scope="module")
def fork():
    """A Y of three sections: a stem of 10 um along x, twigs of 5 um at 90 degrees."""
    return cell_of(
        (line([5, 0, 0], [15, 0, 0]), BASAL_DENDRITE, -1, 2.0),
        (line([15, 0, 0], [15, 5, 0]), BASAL_DENDRITE, 0, 1.0),
        (line([15, 0, 0], [18, 0, 0], [18, 0, 2]), BASAL_DENDRITE, 0, 1.0),
    )


def test_features_by_hand(fork):
    found = dict(zip(morphometrics.NAMES, morphometrics.measure(fork, BASAL), strict=True))
    angle = np.arctan2(2, 3)
    expected = {
        "trees": 1,
        "sections": 3,
        "bifurcations": 1,
        "tips": 2,
        "total length": 20,
        "area": np.pi * (10 * 2 + 5 + 5),
        "mean path distance": 15,
        "maximum path distance": 15,
        "mean radial distance": (np.hypot(10, 5) + np.hypot(13, 2)) / 2,
        "maximum radial distance": np.hypot(13, 2),
        "mean branch order": 2 / 3,
        "maximum branch order": 1,
        "mean partition asymmetry": 0,
        "mean remote angle": np.arccos(np.dot([0, 1, 0], [np.cos(angle), 0, np.sin(angle)])),
        "mean tortuosity": (1 + 1 + 5 / np.hypot(3, 2)) / 3,
        "extent along x": 13,
        "extent along y": 5,
        "extent along z": 2,
        "mean diameter": (10 * 2 + 5 + 5) / 20,
        "maximum diameter": 2,
    }
    assert found == pytest.approx(expected, rel=1e-5)


def test_areas_and_extents_are_neuroms():
    trees = ((AXON, 5), (BASAL_DENDRITE, 9), (APICAL_DENDRITE, 7), (BASAL_DENDRITE, 15))
    cell = ValidationCell("cell", random_morphology(2, trees, diameters="random"))
    neuron = cell.neurom()
    for kind in (BASAL, APICAL):
        found = dict(zip(morphometrics.NAMES, morphometrics.measure(cell, kind), strict=True))
        for name, feature in (
            ("area", "total_area_per_neurite"),
            ("extent along x", "total_width"),
            ("extent along y", "total_height"),
            ("extent along z", "total_depth"),
        ):
            expected = neurom.get(feature, neuron, neurite_type=neurom.NeuriteType[kind])
            assert found[name] == pytest.approx(np.sum(expected), rel=1e-5)


def test_cell_without_such_trees_has_zeros_and_missing_values(fork):
    found = dict(zip(morphometrics.NAMES, morphometrics.measure(fork, APICAL), strict=True))
    zeros = {"trees", "sections", "bifurcations", "tips", "total length", "area"}
    assert {name for name, value in found.items() if value == 0} == zeros
    assert all(np.isnan(value) for name, value in found.items() if name not in zeros)


def test_unbranched_tree_has_no_angles_but_a_zero_order():
    cell = cell_of((line([5, 0, 0], [15, 0, 0]), BASAL_DENDRITE, -1, 2.0))
    found = dict(zip(morphometrics.NAMES, morphometrics.measure(cell, BASAL), strict=True))
    assert found["mean branch order"] == found["bifurcations"] == 0
    assert np.isnan(found["mean remote angle"])
    assert np.isnan(found["mean partition asymmetry"])


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_section_that_closes_on_itself_does_not_spoil_the_tortuosity():
    cell = cell_of(
        (line([5, 0, 0], [9, 0, 0], [5, 0, 0]), BASAL_DENDRITE, -1, 2.0),
        (line([0, 5, 0], [0, 15, 0]), BASAL_DENDRITE, -1, 2.0),
    )
    found = dict(zip(morphometrics.NAMES, morphometrics.measure(cell, BASAL), strict=True))
    assert found["mean tortuosity"] == pytest.approx(1.0)


def test_features_of_scaled_cells_are_those_of_larger_cells():
    cells = make_cells(3, seed=0, apicals=1)
    for cell, copy in zip(cells, controls.scaled(cells, 1.2, (BASAL, APICAL)), strict=True):
        for kind in (BASAL, APICAL):
            measured = morphometrics.measure(cell.scaled(1.2), kind)
            np.testing.assert_allclose(morphometrics.measure(copy, kind), measured, rtol=1e-4)


def test_a_cell_is_measured_once(monkeypatch):
    cell = make_cells(1, seed=0)[0]
    first = morphometrics.measure(cell, BASAL)
    monkeypatch.setattr(ValidationCell, "neurom", lambda *_: pytest.fail("measured again"))
    assert morphometrics.measure(cell, BASAL) is first


@pytest.fixture(scope="module")
def reference():
    return make_cells(40, seed=1, apicals=1)


@pytest.fixture(scope="module")
def same():
    return make_cells(60, seed=2, apicals=1)


@pytest.mark.slow
def test_many_cells_of_one_recipe_pass():
    populations = [make_cells(n, seed=n, depth=2) for n in (150, 300)]
    verdicts = morphometrics.compare(*populations, Comparison((BASAL,), 0, "L5_TPC"))
    assert by_test(verdicts)["features"].verdict == PASS
    assert {v.mtype for v in verdicts} == {"L5_TPC"}


def test_few_cells_of_one_recipe_have_no_power(reference, same):
    verdicts = by_test(morphometrics.compare(reference[:10], same[:20], Comparison((BASAL,), 0)))
    assert verdicts["features"].verdict == NO_POWER
    assert "too few" in verdicts["features"].detail


def test_fewer_than_eight_cells_are_not_testable(reference, same):
    for pair in ((reference[:7], same), (reference, same[:7])):
        verdicts = morphometrics.compare(*pair, Comparison((BASAL, APICAL), 0))
        assert [(v.neurite_type, v.verdict) for v in verdicts] == [
            (BASAL, NOT_TESTABLE),
            (APICAL, NOT_TESTABLE),
        ]


def test_cells_one_and_a_half_times_as_large_fail(reference, same):
    larger = controls.scaled(same, 1.5, (BASAL,))
    verdicts = by_test(morphometrics.compare(reference, larger, Comparison((BASAL,), 0)))
    assert verdicts["features"].verdict == FAIL
    assert verdicts["total length"].verdict == FAIL
    assert verdicts["maximum path distance"].interval[0] > 0.5
    # What does not depend on size does not fail.
    assert verdicts["mean partition asymmetry"].verdict != FAIL
    assert verdicts["trees"].verdict != FAIL


def test_other_branching_fails_in_the_counts(reference):
    bushy = make_cells(40, seed=3, branching=0.9)
    verdicts = by_test(morphometrics.compare(reference, bushy, Comparison((BASAL,), 0)))
    for test in ("sections", "bifurcations", "tips", "features"):
        assert verdicts[test].verdict == FAIL
    assert verdicts["mean tortuosity"].verdict != FAIL


def test_a_missing_apical_dendrite_fails(reference):
    without = make_cells(40, seed=4)
    verdicts = by_test(
        morphometrics.compare(reference, without, Comparison((BASAL, APICAL), 0)), APICAL
    )
    assert verdicts["trees"].verdict == FAIL
    assert verdicts["features"].verdict == FAIL
    assert verdicts["mean path distance"].verdict == NOT_TESTABLE


def test_types_that_no_cell_has_give_no_verdict(reference, same):
    verdicts = morphometrics.compare(reference, same, Comparison((BASAL, "axon"), 0))
    assert {v.neurite_type for v in verdicts} == {BASAL}


def test_verdicts_depend_on_the_seed_alone(reference, same):
    first, again, other = (
        morphometrics.compare(reference[:12], same[:20], Comparison((BASAL,), seed))
        for seed in (0, 0, 1)
    )
    assert first == again
    assert [v.interval for v in first] != [v.interval for v in other]
