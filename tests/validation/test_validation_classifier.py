"""The classifier: scikit-learn's answers, chance for one population, and cells it tells apart."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import cross_val_predict

from helpers.made_cells import make_cells
from region_grower_flow.validation import classifier, controls, morphometrics, topology
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.verdict import FAIL, NOT_TESTABLE, PASS

BASAL, APICAL = "basal_dendrite", "apical_dendrite"


@pytest.fixture
def two_classes():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(36, 12))
    values[24:] += 0.5
    return values, np.repeat([-1.0, 1.0], [24, 12])


def test_scores_are_those_of_scikit_learn(two_classes):
    values, classes = two_classes
    train = np.arange(36) % 4 != 0
    matrix = values @ values.T
    found = classifier.ridge_scores(
        matrix[None][:, train][:, :, train],
        matrix[None][:, ~train][:, :, train],
        classes[train],
    )
    expected = RidgeClassifier(alpha=1.0, class_weight="balanced")
    expected.fit(values[train], classes[train])
    np.testing.assert_allclose(found[0], expected.decision_function(values[~train]))


def test_accuracies_are_those_of_scikit_learn_for_each_arrangement(two_classes):
    values, classes = two_classes
    sizes = 24, 12
    numbers = classifier.fold_numbers(sizes, 3)
    rng = np.random.default_rng(1)
    arrangements = np.stack([np.arange(36), rng.permutation(36), rng.permutation(36)])
    found = classifier.accuracies(values @ values.T, sizes, numbers, arrangements)
    folds = [(np.flatnonzero(numbers != k), np.flatnonzero(numbers == k)) for k in range(5)]
    for accuracy, cells in zip(found, arrangements, strict=True):
        model = RidgeClassifier(alpha=1.0, class_weight="balanced")
        told = cross_val_predict(model, values[cells], classes, cv=folds)
        assert accuracy == pytest.approx(balanced_accuracy_score(classes, told))


def test_folds_are_stratified():
    numbers = classifier.fold_numbers((10, 40), 0)
    assert np.bincount(numbers[:10]).tolist() == [2] * 5
    assert np.bincount(numbers[10:]).tolist() == [8] * 5
    assert len(np.unique(classifier.fold_numbers((4, 9), 0))) == 4


@pytest.mark.slow
def test_permutation_test_rejects_the_null_at_its_rate():
    rng = np.random.default_rng(0)
    sizes, places, p = (10, 14), np.arange(24), []
    for seed in range(120):
        values = rng.normal(size=(24, 6))
        orders = rng.permuted(np.tile(places, (99, 1)), axis=1)
        found = classifier.accuracies(
            values @ values.T / 6,
            sizes,
            classifier.fold_numbers(sizes, seed),
            np.vstack([places, orders]),
        )
        p.append((1 + np.sum(found[1:] >= found[0])) / 100)
    assert np.mean(np.array(p) <= 0.05) <= 0.10


@pytest.mark.slow
def test_features_without_values_or_spread_do_no_harm():
    cells = make_cells(10, seed=0), make_cells(10, seed=1, apicals=1)
    matrix = classifier.kernel(*cells, (BASAL, APICAL))
    assert np.isfinite(matrix).all()
    assert np.trace(matrix) == pytest.approx(20)
    # Cells that are all the same cannot be told apart.
    twins = [make_cells(1, seed=0)[0] for _ in range(20)]
    verdict = classifier.compare(twins[:10], twins[10:], Comparison((BASAL,), 0))[0]
    assert (verdict.statistic, verdict.verdict) == (0.5, PASS)


def test_a_type_that_one_reference_cell_has_as_a_single_bar():
    """Its spread would not be a number, nor the accuracy, which would pass."""
    reference = [*make_cells(9, 0), *make_cells(1, 2, apicals=1, branching=0.0)]
    synthesized = make_cells(12, 1, apicals=1)
    assert np.isfinite(classifier.kernel(reference, synthesized, (BASAL, APICAL))).all()
    (verdict,) = classifier.compare(reference, synthesized, Comparison((BASAL, APICAL), 0))
    assert verdict.verdict == FAIL
    assert verdict.statistic > 0.7


@pytest.mark.slow
def test_cells_of_one_recipe_are_not_told_apart():
    verdicts = classifier.compare(
        make_cells(20, 3), make_cells(40, 4), Comparison((BASAL,), 0, "L5_TPC")
    )
    assert [(v.verdict, v.mtype) for v in verdicts] == [(PASS, "L5_TPC")]
    assert verdicts[0].statistic < 0.7


@pytest.mark.slow
def test_other_cells_are_told_apart():
    reference = make_cells(20, 3)
    larger = controls.scaled(make_cells(40, 4), 1.5, (BASAL,))
    for other in (larger, make_cells(30, 5, branching=0.95), make_cells(30, 6, basals=9)):
        verdict = classifier.compare(reference, other, Comparison((BASAL,), 0))[0]
        assert verdict.verdict == FAIL
        assert verdict.statistic > 0.7
        assert "can be told from real ones" in verdict.detail


@pytest.mark.parametrize(
    "tier", [topology.TIER, pytest.param(morphometrics.TIER, marks=pytest.mark.slow)]
)
def test_it_sees_the_images_and_the_morphometrics(tier):
    """Cells that are larger in one of them only."""
    reference, cells = make_cells(20, 3, spread=0.05), make_cells(40, 4, spread=0.05)
    for cell, larger in zip(cells, controls.scaled(cells, 1.5, (BASAL,)), strict=True):
        for key, value in larger.measured.items():
            if key[0] == tier:
                cell.measured[key] = value
    verdict = classifier.compare(reference, cells, Comparison((BASAL,), 0))[0]
    assert verdict.verdict == FAIL


def test_fewer_than_eight_cells_are_not_testable():
    verdicts = classifier.compare(make_cells(7, 0), make_cells(20, 1), Comparison((BASAL,), 0))
    assert [v.verdict for v in verdicts] == [NOT_TESTABLE]


def test_verdicts_depend_on_the_seed_alone():
    cells = make_cells(9, 0), make_cells(12, 1)
    first, again, other = (
        classifier.compare(*cells, Comparison((BASAL,), seed))[0] for seed in (0, 0, 1)
    )
    assert first == again
    assert first.p != other.p or first.statistic != other.statistic
