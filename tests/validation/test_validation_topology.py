"""Topology: images on common limits, TMD's traps, and verdicts that turn when trees are broken."""

import numpy as np
import pytest
from scipy import stats
from tmd.Topology import methods

from helpers.factories import random_morphology
from helpers.made_cells import by_test, make_cells
from region_grower_flow.morphology import AXON, BASAL_DENDRITE
from region_grower_flow.validation import controls, persistence, topology
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.verdict import FAIL, NO_POWER, NOT_TESTABLE, PASS

pytestmark = pytest.mark.slow
# TMD 2.4.0 has its images elsewhere.
vectorizations = pytest.importorskip("tmd.Topology.vectorizations")

BASAL = "basal_dendrite"


def rectangle(width=20.0, height=10.0, end=100.0, start=0.0):
    """Four bars whose ends and starts are uncorrelated, as the axes of our kernel are."""
    return np.array(
        [[end, start], [end + width, start], [end, start + height], [end + width, start + height]]
    )


def drawn(barcodes, image_limits=None, grid=persistence.GRID):
    image_limits = image_limits or persistence.limits(barcodes)
    widths = persistence.kernel_widths(barcodes, image_limits, grid)
    return persistence.images(barcodes, image_limits, widths, grid)


def test_barcodes_are_tmds():
    cell = make_cells(1, seed=0)[0]
    codes = topology.barcodes(cell, BASAL)
    assert len(codes) == np.sum(cell.morphology.parents < 0)
    for bars, root in zip(codes, np.flatnonzero(cell.morphology.parents < 0), strict=True):
        # The longest bar starts at the root, and ends at the farthest tip.
        assert bars[-1, 1] == 0
        assert bars[-1, 0] == bars[:, 0].max()
        assert cell.morphology.parents[root] == -1
    assert topology.barcodes(cell, "apical_dendrite") == []


@pytest.mark.parametrize("filtration", ["path_distances", "radial_distances"])
def test_barcodes_are_tmds_of_the_whole_cell(filtration):
    trees = ((AXON, 5), (BASAL_DENDRITE, 9), (BASAL_DENDRITE, 1), (BASAL_DENDRITE, 15))
    cell = ValidationCell("cell", random_morphology(2, trees, n_points=(2, 12)))
    expected = [
        methods.get_persistence_diagram(tree, feature=filtration)
        for tree in cell.tmd().basal_dendrite
    ]
    found = topology.barcodes(cell, BASAL, filtration)
    assert len(found) == len(expected) == 3
    for bars, whole in zip(found, expected, strict=True):
        np.testing.assert_allclose(bars, whole, rtol=1e-5, atol=1e-3)


def test_image_of_a_tree_is_tmds():
    bars = rectangle()
    limits = ((80.0, 140.0), (-10.0, 20.0))
    expected = vectorizations.persistence_image_data(
        bars, xlim=limits[0], ylim=limits[1], resolution=persistence.GRID
    )
    image = drawn([bars], limits)[0].reshape(persistence.GRID, persistence.GRID)
    np.testing.assert_allclose(image / image.max(), expected, atol=1e-9)


def test_images_have_common_limits_where_tmds_do_not():
    near, far = rectangle(), rectangle(end=1000.0, start=500.0)
    # The trap: without limits each image has its own, and trees far apart look the same.
    distances = pytest.importorskip("tmd.Topology.distances")  # TMD from 2.4.1 on
    assert distances.total_persistence_image_diff(near, far) < 1e-6
    assert persistence.image_distances([near], [far])[0, 1] == pytest.approx(2.0, abs=1e-3)


def test_tmd_never_asks_for_the_limits_of_starts():
    """The trap: with xlim alone, TMD's image fails, as it never looks for a missing ylim."""
    with pytest.raises(TypeError):
        vectorizations.persistence_image_data(rectangle(), xlim=(80, 140))


def test_trees_of_one_bar_have_images_that_sum_to_one():
    barcodes = [np.array([[120.0, 0.0]]), np.array([[80.0, 0.0]]), rectangle()]
    images = drawn(barcodes)
    np.testing.assert_allclose(images.sum(axis=1), 1.0)
    assert np.isfinite(images).all()
    with pytest.raises((ValueError, np.linalg.LinAlgError)):
        vectorizations.persistence_image_data(barcodes[0], xlim=(0, 200), ylim=(0, 100))


def test_a_single_bar_has_a_kernel():
    one = [np.array([[120.0, 0.0]])]
    widths = persistence.kernel_widths(one, persistence.limits([*one, rectangle()]))
    assert np.isfinite(widths).all()
    assert (widths > 0).all()


def test_trees_that_never_branch_can_be_compared():
    rng = np.random.default_rng(0)
    lines = [np.array([[end, 0.0]]) for end in rng.normal(200, 20, size=40)]
    verdicts = by_test(
        topology.compare_trees({BASAL: lines[:20]}, {BASAL: lines[20:]}, Comparison((BASAL,), 0))
    )
    assert verdicts["energy distance"].verdict == PASS


def test_image_distances_are_sums_of_absolute_differences():
    first, second = rectangle(), rectangle(end=110.0)
    images = drawn([first, second, second])
    found = persistence.image_distances([first, second, second], [])
    assert found[0, 1] == pytest.approx(np.abs(images[0] - images[1]).sum())
    assert found[1, 2] == 0


def test_features_of_bars_by_hand():
    found = topology.bar_features([np.array([[30.0, 10.0], [50.0, 0.0]]), np.array([[20.0, 0.0]])])
    assert {name: values.tolist() for name, values in found.items()} == {
        "bars per tree": [2, 1],
        "total bar length": [70, 20],
        "longest bar": [50, 20],
    }


@pytest.fixture(scope="module")
def reference():
    return make_cells(40, seed=11)


@pytest.fixture(scope="module")
def same():
    return make_cells(60, seed=12)


def test_cells_of_one_recipe_pass(reference, same):
    verdicts = topology.compare(reference, same, Comparison((BASAL,), 0, "L5_TPC"))
    found = by_test(verdicts)
    assert list(found) == [
        topology.RATIO,
        topology.ENERGY,
        "bars per tree",
        "total bar length",
        "longest bar",
    ]
    assert found[topology.RATIO].verdict == found[topology.ENERGY].verdict == PASS
    assert FAIL not in {v.verdict for v in verdicts}
    assert found[topology.ENERGY].n_reference == sum(
        len(topology.barcodes(cell, BASAL)) for cell in reference
    )


@pytest.mark.parametrize("test", [topology.RATIO, topology.ENERGY])
def test_image_tests_are_corrected_for_the_neurite_types(test):
    cells = make_cells(10, seed=1, apicals=1), make_cells(12, seed=2, apicals=1)
    verdicts = topology.compare(*cells, Comparison((BASAL, "apical_dendrite"), 0))
    found = [v for v in verdicts if v.test == test]
    expected = stats.false_discovery_control([v.p for v in found])
    np.testing.assert_allclose([v.p_adjusted for v in found], expected)
    assert any(v.p_adjusted > v.p for v in found)


def test_larger_barcodes_fail(reference, same):
    larger = controls.scaled(same, 1.2, (BASAL,))
    found = by_test(topology.compare(reference, larger, Comparison((BASAL,), 0)))
    assert found[topology.ENERGY].verdict == FAIL
    assert found["longest bar"].verdict == FAIL
    assert found["bars per tree"].verdict != FAIL


def test_other_branching_fails(reference):
    bushy = make_cells(40, seed=13, branching=0.95)
    found = by_test(topology.compare(reference, bushy, Comparison((BASAL,), 0)))
    assert found[topology.ENERGY].verdict == FAIL
    assert found["bars per tree"].verdict == FAIL


def test_shuffled_starts_of_bars_fail_though_numbers_and_ends_agree(reference, same):
    rng = np.random.default_rng(0)
    trees = [
        {BASAL: [bars for cell in cells for bars in topology.barcodes(cell, BASAL)]}
        for cells in (reference, same)
    ]
    shuffled = []
    for bars in trees[1][BASAL]:
        bars = bars.copy()
        # Bars start anywhere before their end: the tree branches at other places.
        bars[:-1, 1] = bars[:-1, 0] * rng.uniform(0.8, 1.0, size=len(bars) - 1)
        shuffled.append(bars)
    found = by_test(topology.compare_trees(trees[0], {BASAL: shuffled}, Comparison((BASAL,), 0)))
    assert found[topology.ENERGY].verdict == FAIL
    assert found[topology.RATIO].verdict == FAIL
    assert found["bars per tree"].verdict != FAIL
    assert found["longest bar"].verdict != FAIL


def test_fewer_than_eight_cells_are_not_testable_however_many_trees(reference, same):
    verdicts = topology.compare(reference[:7], same, Comparison((BASAL,), 0))
    assert [v.verdict for v in verdicts] == [NOT_TESTABLE, NOT_TESTABLE]
    assert verdicts[0].detail == "7 reference cells of at least 8"


def test_a_type_that_few_cells_have_is_not_testable(reference, same):
    with_apicals = [*make_cells(3, seed=14, apicals=1), *reference]
    verdicts = topology.compare(with_apicals, same, Comparison((BASAL, "apical_dendrite"), 0))
    found = {v.verdict for v in verdicts if v.neurite_type == "apical_dendrite"}
    assert found == {NOT_TESTABLE}


def test_ratio_above_the_limit_by_chance_is_no_failure():
    """The same population, but so few trees that ratios above 1.05 are chance."""
    found = []
    for seed in range(16):
        cells = make_cells(16, seed=100 + seed)
        verdict = by_test(topology.compare(cells[:8], cells[8:], Comparison((BASAL,), seed)))[
            topology.RATIO
        ]
        found.append((verdict.statistic, verdict.verdict))
    above = [verdict for ratio, verdict in found if ratio > topology.MAX_RATIO]
    assert len(above) > 3
    assert set(above) == {NO_POWER}


def test_energy_distance_of_one_population_fails_at_its_rate():
    p = []
    for seed in range(30):
        cells = make_cells(16, seed=200 + seed, spread=0.4, depth=1)
        verdicts = by_test(topology.compare(cells[:8], cells[8:], Comparison((BASAL,), seed)))
        p.append(verdicts[topology.ENERGY].p)
    assert np.mean(np.array(p) < 0.05) <= 0.15
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_barcodes_of_distributions_are_compared_without_their_angles(reference, same):
    trees = {BASAL: [b for cell in reference for b in topology.barcodes(cell, BASAL)]}
    with_angles = {BASAL: [np.c_[b, np.ones((len(b), 4))].tolist() for b in trees[BASAL]]}
    expected = topology.compare_trees(trees, trees, Comparison(tuple(trees), 0))
    found = topology.compare_trees(trees, with_angles, Comparison(tuple(trees), 0))
    assert found == expected


def test_cells_behind_barcodes_are_counted():
    of_cells = {"num_trees": {"data": {"bins": [3, 4, 5], "weights": [1, 2, 4]}}}
    shares = {"num_trees": {"data": {"bins": [3, 4, 5], "weights": [0.2, 0.3, 0.5]}}}
    assert topology.cells_of_barcodes(of_cells) == 7
    assert topology.cells_of_barcodes(shares) is None
    assert topology.cells_of_barcodes({"num_trees": {"norm": {"mean": 3}}}) is None
    few = topology.untestable((7, 20), BASAL, "L5_TPC")
    assert [v.verdict for v in few] == [NOT_TESTABLE, NOT_TESTABLE]
    assert topology.untestable((None, 7), BASAL, "L5_TPC")
    assert topology.untestable((None, 8), BASAL, "L5_TPC") == []


def test_verdicts_depend_on_the_seed_alone(reference, same):
    first, again, other = (
        topology.compare(reference[:10], same[:10], Comparison((BASAL,), seed))
        for seed in (0, 0, 1)
    )
    assert first == again
    assert [v.p for v in first] != [v.p for v in other]
