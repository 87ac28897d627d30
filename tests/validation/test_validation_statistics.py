"""The statistics of the validation against other implementations, by hand, and under the null."""

import numpy as np
import pytest
from scipy import stats

from region_grower_flow.validation import clustered, statistics
from region_grower_flow.validation.features import (
    feature_tests,
    feature_verdicts,
    judge,
    overall,
)
from region_grower_flow.validation.statistics import FeatureTest, compare_feature
from region_grower_flow.validation.verdict import (
    FAIL,
    NO_POWER,
    NOT_TESTABLE,
    PASS,
    Verdict,
    too_few,
)


def test_benjamini_hochberg_is_scipys_and_leaves_nan_out():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=30) ** 2
    expected = stats.false_discovery_control(p)
    np.testing.assert_allclose(statistics.benjamini_hochberg(p), expected)
    with_nan = np.insert(p, 4, np.nan)
    adjusted = statistics.benjamini_hochberg(with_nan)
    assert np.isnan(adjusted[4])
    np.testing.assert_allclose(np.delete(adjusted, 4), expected)
    assert statistics.benjamini_hochberg([]).shape == (0,)


def test_mvs_by_hand():
    reference, synthesized = np.arange(41.0), np.arange(41.0) + 8
    # The medians are 20 and 28, the 2.5th percentile is 1 (of the first), the 97.5th 47.
    assert statistics.mvs(reference, synthesized) == pytest.approx(8 / 46)


def test_mvs_of_samples_without_spread_is_zero_not_nan():
    assert statistics.mvs(np.full(9, 3.0), np.full(12, 3.0)) == 0.0
    assert statistics.mvs(np.full(9, 3.0), np.full(12, 4.0)) == 1.0


@pytest.mark.parametrize(
    ("reference", "synthesized", "expected"),
    [
        ([1.0, 2, 3, 4, 5], [9.0, 9], 1.4826),
        ([1.0, 1, 1, 1, 5], [9.0, 9], np.std([1, 1, 1, 1, 5], ddof=1)),
        ([1.0, 1, 1], [1.0, 2, 3], np.std([1, 1, 1, 1, 2, 3], ddof=1)),
        ([0.0, 0, 0], [0.0, 0], 0.0),
    ],
)
def test_spread_has_a_value_for_constant_samples(reference, synthesized, expected):
    found = statistics.spread(np.array(reference), np.array(synthesized))
    assert found == pytest.approx(expected)


def test_feature_of_one_value_agrees_with_itself_and_not_with_another():
    rng = np.random.default_rng(0)
    same = compare_feature("trees", np.ones(10), np.ones(20), rng, 8)
    assert judge(same, same.p, same.mvs_p)[0] == PASS
    other = compare_feature("trees", np.ones(10), np.full(20, 2.0), rng, 8)
    assert judge(other, other.p, other.mvs_p)[0] == FAIL


def test_zeros_are_values_and_nan_are_none():
    rng = np.random.default_rng(0)
    found = compare_feature("asymmetry", [0.0] * 6 + [np.nan] * 3, [0.0] * 9, rng, 5)
    assert (found.n_reference, found.n_synthesized) == (6, 9)
    assert found.medians == (0.0, 0.0)


def test_feature_test_has_scipys_ks():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=15), rng.normal(0.5, size=40)
    found = compare_feature("x", a, b, rng, 8)
    expected = stats.ks_2samp(a, b)
    assert (found.ks, found.p) == (expected.statistic, expected.pvalue)
    assert found.difference == pytest.approx(
        (np.median(b) - np.median(a)) / stats.median_abs_deviation(a, scale=1 / 1.4826)
    )
    low, high = found.interval
    assert low < found.difference < high


def test_interval_has_the_bootstraps_of_scipy():
    rng = np.random.default_rng(5)
    a, b = rng.gamma(4, size=30), rng.gamma(4, size=60)
    found = compare_feature("x", a, b, rng, 8)
    expected = stats.bootstrap(
        (a, b),
        lambda x, y, axis: (np.median(y, axis) - np.median(x, axis)) / found.scale,
        confidence_level=0.9,
        method="percentile",
        n_resamples=4000,
        random_state=np.random.default_rng(1),
    ).confidence_interval
    np.testing.assert_allclose(found.interval, expected, atol=0.1)


@pytest.mark.parametrize(("sizes", "expected"), [((10, 100), 0.19), ((20, 100), 0.15)])
def test_null_of_the_mvs_is_that_of_identical_normals(sizes, expected):
    rng = np.random.default_rng(0)
    found = [
        compare_feature("x", *(rng.normal(size=n) for n in sizes), rng, 8).mvs_null95
        for _ in range(40)
    ]
    assert np.mean(found) == pytest.approx(expected, abs=0.04)


def test_same_seed_same_test():
    a, b = np.arange(12.0), np.arange(9.0)
    first, second = (compare_feature("x", a, b, np.random.default_rng(4), 8) for _ in range(2))
    assert first == second


def naive_energy(distances, n):
    total = len(distances)
    between = [distances[i, j] for i in range(n) for j in range(n, total)]
    first = [distances[i, j] for i in range(n) for j in range(n)]
    second = [distances[i, j] for i in range(n, total) for j in range(n, total)]
    apart = [distances[i, j] for i in range(n) for j in range(n) if i != j]
    energy = 2 * np.mean(between) - np.mean(first) - np.mean(second)
    return energy, np.mean(between) / np.mean(apart)


def points_distances(rng, n, m, shift=0.0, dimensions=3):
    points = rng.normal(size=(n + m, dimensions))
    points[n:] += shift
    return np.linalg.norm(points[:, None] - points, axis=-1)


def test_energy_and_ratio_are_those_of_a_naive_implementation():
    rng = np.random.default_rng(0)
    distances = points_distances(rng, 7, 5, 0.4)
    found = statistics.compare_distances(distances, (np.arange(7), np.arange(5)), rng, 50)
    assert (found.energy, found.ratio) == pytest.approx(naive_energy(distances, 7))


def test_energy_in_one_dimension_is_scipys():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=20), rng.normal(0.5, size=30)
    values = np.concatenate([a, b])
    distances = np.abs(values[:, None] - values)
    found = statistics.compare_distances(distances, (np.arange(20), np.arange(30)), rng, 10)
    assert found.energy == pytest.approx(stats.energy_distance(a, b) ** 2)


def test_permuted_statistics_are_those_of_the_permuted_trees():
    rng = np.random.default_rng(2)
    distances = points_distances(rng, 6, 4)
    labels = statistics.label_permutations((6, 4), 5, rng)
    energies, ratios = statistics._energies_and_ratios(distances, labels)
    for column in range(5):
        order = np.r_[np.flatnonzero(labels[:, column]), np.flatnonzero(~labels[:, column])]
        expected = naive_energy(distances[np.ix_(order, order)], 6)
        assert (energies[column], ratios[column]) == pytest.approx(expected)


def test_energy_test_rejects_the_null_at_its_rate_and_finds_a_shift():
    rng = np.random.default_rng(0)
    owners = np.arange(10), np.arange(15)
    p = [
        statistics.compare_distances(points_distances(rng, 10, 15), owners, rng, 199).p
        for _ in range(200)
    ]
    assert 0.01 <= np.mean(np.array(p) <= 0.05) <= 0.10
    assert stats.kstest(p, "uniform").pvalue > 0.001
    shifted = statistics.compare_distances(points_distances(rng, 10, 15, 2.0), owners, rng, 199)
    assert shifted.p == pytest.approx(1 / 200)
    assert shifted.ratio > 1.05


def clustered_distances(rng, cells, per_cell):
    centers = np.repeat(rng.normal(size=(sum(cells), 2)), per_cell, axis=0)
    points = centers + 0.3 * rng.normal(size=centers.shape)
    owners = tuple(np.repeat(np.arange(n), per_cell) for n in cells)
    return np.linalg.norm(points[:, None] - points, axis=-1), owners


def test_trees_that_share_cells_need_permutations_of_cells():
    rng = np.random.default_rng(0)
    by_cell, by_tree = [], []
    for _ in range(100):
        distances, owners = clustered_distances(rng, (8, 8), 5)
        by_cell.append(statistics.compare_distances(distances, owners, rng, 199).p)
        single = np.arange(40), np.arange(40)
        by_tree.append(statistics.compare_distances(distances, single, rng, 199).p)
    assert np.mean(np.array(by_cell) <= 0.05) <= 0.12
    # The same trees as if they were independent: the trap.
    assert np.mean(np.array(by_tree) <= 0.05) >= 0.4


def test_ratio_of_reference_trees_that_are_all_the_same():
    owners = np.arange(8), np.arange(8)
    same = statistics.compare_distances(np.zeros((16, 16)), owners, np.random.default_rng(0), 20)
    assert (same.ratio, same.energy, same.p) == (1.0, 0.0, 1.0)


def test_clustered_ks_of_single_trees_is_scipys():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 6, 20).astype(float), rng.integers(1, 8, 25).astype(float)
    found = clustered.compare_clustered("bars", (a, b), (np.arange(20), np.arange(25)), rng, 8)
    expected = stats.ks_2samp(a, b)
    assert found.ks == pytest.approx(expected.statistic)
    permutation = stats.permutation_test(
        (a, b),
        lambda x, y: stats.ks_2samp(x, y, method="asymp").statistic,
        n_resamples=400,
        alternative="greater",
        random_state=np.random.default_rng(0),
    )
    assert found.p == pytest.approx(permutation.pvalue, abs=0.08)


def test_clustered_and_plain_intervals_agree_for_single_trees():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=30), rng.normal(size=50)
    plain = compare_feature("x", a, b, rng, 8)
    found = clustered.compare_clustered("x", (a, b), (np.arange(30), np.arange(50)), rng, 8)
    np.testing.assert_allclose(found.interval, plain.interval, atol=0.1)
    assert found.mvs_null95 == pytest.approx(plain.mvs_null95, abs=0.06)


def test_weighted_percentiles_are_those_of_repeated_values():
    rng = np.random.default_rng(1)
    values, weights = rng.normal(size=9), rng.integers(0, 4, size=(20, 9))
    weights[:, 0] += 1
    found = clustered.weighted_percentiles(values, weights, (2.5, 50, 97.5))
    for row, times in zip(found.T, weights, strict=True):
        repeated = np.repeat(values, times)
        expected = np.percentile(repeated, (2.5, 50, 97.5), method="averaged_inverted_cdf")
        np.testing.assert_allclose(row, expected)


def feature_test(interval, mvs=0.0, null95=0.05):
    return FeatureTest("x", 20, 20, interval=interval, mvs=mvs, mvs_null95=null95)


@pytest.mark.parametrize(
    ("test", "ks_p", "mvs_p", "expected"),
    [
        (feature_test((-0.4, 0.4)), 0.5, 0.5, PASS),
        (feature_test((-0.4, 0.4)), 0.04, 0.5, FAIL),
        (feature_test((-0.6, 0.4)), 0.5, 0.5, NO_POWER),
        (feature_test((-0.2, 1.4)), 0.5, 0.5, NO_POWER),
        (feature_test((0.6, 1.4)), 0.5, 0.5, FAIL),
        (feature_test((-1.4, -0.6)), 0.5, 0.5, FAIL),
        (feature_test((-0.4, 0.4), mvs=0.09), 0.5, 0.01, PASS),
        (feature_test((-0.4, 0.4), mvs=0.11), 0.5, 0.01, FAIL),
        # Above the limit, as one of many tests is by chance: neither shown nor agreed.
        (feature_test((-0.4, 0.4), mvs=0.11), 0.5, 0.2, NO_POWER),
        (feature_test((-0.4, 0.4), mvs=0.11, null95=0.2), 0.5, 0.01, PASS),
    ],
)
def test_verdict_of_a_feature(test, ks_p, mvs_p, expected):
    verdict, detail = judge(test, ks_p, mvs_p)
    assert verdict == expected
    assert detail


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([PASS] * 18 + [FAIL] * 2, PASS),
        ([PASS] * 17 + [FAIL] * 3, FAIL),
        ([PASS] * 9 + [NO_POWER], PASS),
        ([PASS] * 8 + [NO_POWER] * 2, NO_POWER),
        ([NO_POWER] * 10, NO_POWER),
        ([PASS] * 6 + [NOT_TESTABLE] * 14, NOT_TESTABLE),
        ([NOT_TESTABLE] * 10, NOT_TESTABLE),
        ([FAIL] * 2 + [NOT_TESTABLE] * 10, FAIL),
        ([], NOT_TESTABLE),
    ],
)
def test_nine_of_ten_features_have_to_pass(words, expected):
    verdicts = [
        Verdict("morphometrics", f"feature {i}", word, n_reference=9, n_synthesized=9)
        for i, word in enumerate(words)
    ]
    assert overall(verdicts, "morphometrics", "L5_TPC", "basal_dendrite").verdict == expected


def test_family_of_a_correction_is_the_mtype():
    rng = np.random.default_rng(0)
    tests = {
        kind: feature_tests(
            {f"{kind} {i}": rng.normal(size=20) for i in range(4)},
            {f"{kind} {i}": rng.normal(size=20) for i in range(4)},
            rng,
            8,
        )
        for kind in ("basal_dendrite", "apical_dendrite")
    }
    verdicts = feature_verdicts("morphometrics", "L5_TPC", tests, 8)
    expected = stats.false_discovery_control([t.p for kind in tests.values() for t in kind])
    np.testing.assert_allclose([v.p_adjusted for v in verdicts], expected)


@pytest.mark.slow
def test_identical_populations_hardly_fail_a_feature_and_no_verdict_on_all():
    rng = np.random.default_rng(0)
    failed = []
    for _ in range(25):
        samples = [{f"f{i}": rng.normal(size=n) for i in range(20)} for n in (15, 60)]
        tests = feature_tests(*samples, rng, 8)
        verdicts = feature_verdicts("morphometrics", "m", {"basal_dendrite": tests}, 8)
        failed.append([v.verdict == FAIL for v in verdicts])
    # Both of a feature's tests are corrected: uncorrected, the MVS alone would fail one in twenty.
    assert np.mean(failed) < 0.03
    assert np.sum(failed, axis=1).max() <= 2


def test_many_cells_of_one_law_pass_and_few_have_no_power():
    rng = np.random.default_rng(0)
    words = {}
    for sizes in ((10, 20), (200, 400)):
        samples = [{f"f{i}": rng.normal(size=n) for i in range(20)} for n in sizes]
        verdicts = feature_verdicts(
            "morphometrics", "m", {"basal_dendrite": feature_tests(*samples, rng, 8)}, 8
        )
        words[sizes] = overall(verdicts, "morphometrics", "m", "basal_dendrite").verdict
    assert words == {(10, 20): NO_POWER, (200, 400): PASS}


def test_too_few_cells_are_not_testable():
    assert too_few("topology", "energy", (8, 8)) is None
    verdict = too_few("topology", "energy", (7, 100), mtype="L5_TPC")
    assert verdict.verdict == NOT_TESTABLE
    assert verdict.detail == "7 reference cells of at least 8"
    assert too_few("topology", "energy", (9, 1)).detail == "1 synthesized cell of at least 8"


def test_p_value_counts_the_observed_arrangement():
    assert statistics.p_value(5.0, [1.0, 2.0, 3.0]) == 0.25
    assert statistics.p_value(2.0, [1.0, 2.0, 3.0]) == 0.75
