"""A classifier that tries to tell synthesized cells from reference cells.

It sees what the other tiers see, all at once: the morphometrics of a cell and the persistence
image of its trees. If it does no better than chance, the populations are alike in all of it.

The classifier is a ridge regression of the classes (scikit-learn's ``RidgeClassifier`` with
balanced classes; the tests compare with it): it has no parameter to tune, and with few cells and
many features it is as good as any. In its dual form the cells meet only in their kernel matrix, so
that all permutations of the permutation test are solved at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from region_grower_flow.validation import morphometrics, persistence, topology
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.copies import deal_places
from region_grower_flow.validation.statistics import p_value
from region_grower_flow.validation.threads import one_thread
from region_grower_flow.validation.verdict import (
    FAIL,
    PASS,
    Verdict,
    too_few,
)

TIER = "classifier"
TEST = "real against synthesized"

MAX_ACCURACY = 0.60
"""Balanced accuracy that passes whatever its p-value."""

MIN_P = 0.01
"""Smallest p-value of the permutation test that passes."""

FOLDS = 5
PERMUTATIONS = 499
REGULARIZATION = 1.0
"""Regularization of the ridge, with a kernel whose diagonal is 1 on average."""

IMAGE_GRID = 20
"""Pixels of a cell's persistence image along each axis."""

_MAX_ELEMENTS = 8_000_000


def kernel(
    reference: Sequence[ValidationCell],
    synthesized: Sequence[ValidationCell],
    neurite_types: Sequence[str],
) -> np.ndarray:
    """Likeness of the cells: (n, n), the reference's first.

    It is the mean of two kernels, so that images and morphometrics weigh the same: products of
    standardised morphometrics and of centered persistence images (the sum over a cell's trees),
    each over its mean diagonal. What a cell does not have (angles without bifurcations) is the
    median of all cells.

    Args:
        reference, synthesized: [ValidationCell].
        neurite_types: keys of NEURITE_TYPES.
    """
    cells = [*reference, *synthesized]
    blocks = [_standardised(_morphometrics(cells, neurite_types))]
    blocks += [_images(reference, cells, kind) for kind in neurite_types]
    of_images = np.concatenate(blocks[1:], axis=1) if len(blocks) > 1 else np.empty((len(cells), 0))
    kernels = [_normalised(values @ values.T) for values in (blocks[0], of_images)]
    present = [found for found in kernels if found is not None]
    return np.mean(present, axis=0) if present else np.zeros((len(cells), len(cells)))


def _morphometrics(cells: Sequence[ValidationCell], neurite_types: Sequence[str]) -> np.ndarray:
    tables = [[morphometrics.measure(cell, kind) for cell in cells] for kind in neurite_types]
    return np.concatenate([np.array(table) for table in tables], axis=1)


def _standardised(values: np.ndarray) -> np.ndarray:
    finite = np.isfinite(values)
    values = values[:, finite.any(axis=0)]
    values = np.where(np.isfinite(values), values, np.nanmedian(values, axis=0))
    values = values - values.mean(axis=0)
    spread = values.std(axis=0)
    varied = spread > 1e-9 * np.maximum(np.abs(values).max(axis=0), 1e-300)
    return values[:, varied] / spread[varied]


def _images(
    reference: Sequence[ValidationCell], cells: Sequence[ValidationCell], kind: str
) -> np.ndarray:
    trees = [topology.barcodes(cell, kind) for cell in cells]
    flat = [bars for of_cell in trees for bars in of_cell]
    result = np.zeros((len(cells), IMAGE_GRID * IMAGE_GRID))
    if flat:
        known = [bars for of_cell in trees[: len(reference)] for bars in of_cell] or flat
        image_limits = persistence.limits(flat)
        widths = persistence.kernel_widths(known, image_limits, IMAGE_GRID)
        drawn = persistence.images(flat, image_limits, widths, IMAGE_GRID)
        # A tree's image sums to 1: a tree of more bars weighs more in the image of its cell.
        owners = np.repeat(np.arange(len(cells)), [len(of_cell) for of_cell in trees])
        np.add.at(result, owners, drawn * np.array([[len(bars)] for bars in flat]))
    return result - result.mean(axis=0)


def _normalised(matrix: np.ndarray) -> np.ndarray | None:
    size = np.trace(matrix) / len(matrix)
    return matrix / size if size > 0 else None


def fold_numbers(sizes: Sequence[int], seed: int) -> np.ndarray:
    """(n,) the fold of each cell, stratified: each has its share of both classes."""
    from sklearn.model_selection import StratifiedKFold

    classes = np.repeat([0, 1], sizes)
    count = min(FOLDS, *sizes)
    numbers = np.empty(len(classes), dtype=int)
    splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
    for number, (_, test) in enumerate(splitter.split(classes[:, None], classes)):
        numbers[test] = number
    return numbers


@one_thread
def accuracies(
    matrix: np.ndarray, sizes: Sequence[int], numbers: np.ndarray, arrangements: np.ndarray
) -> np.ndarray:
    """The cross-validated balanced accuracies of arrangements of the cells.

    Args:
        matrix: (n, n) kernel of the cells.
        sizes: (reference, synthesized); the first places are the reference's.
        numbers: (n,) fold of each place.
        arrangements: (P, n) which cell takes each place; one may take several.

    Returns:
        (P,): mean of the shares of both classes that are told right.
    """
    classes = np.repeat([-1.0, 1.0], sizes)
    right = np.empty((len(arrangements), len(classes)))
    chunk = max(1, _MAX_ELEMENTS // len(classes) ** 2)
    for start in range(0, len(arrangements), chunk):
        some = arrangements[start : start + chunk]
        kernels = matrix[some[:, :, None], some[:, None, :]]
        for number in np.unique(numbers):
            test, train = numbers == number, numbers != number
            scores = ridge_scores(
                kernels[:, train][:, :, train], kernels[:, test][:, :, train], classes[train]
            )
            # A score of 0 (cells that are all the same) tells nothing: half right.
            sign = np.sign(scores) * classes[test]
            right[start : start + chunk, test] = 0.5 * (1 + sign)
    return 0.5 * (right[:, classes < 0].mean(axis=1) + right[:, classes > 0].mean(axis=1))


def ridge_scores(
    within: np.ndarray,
    across: np.ndarray,
    classes: np.ndarray,
    regularization: float = REGULARIZATION,
) -> np.ndarray:
    """Scores of test cells by ridge regressions with balanced classes and an intercept.

    Args:
        within: (P, t, t) kernels of the training cells.
        across: (P, s, t) kernels of the test cells with them.
        classes: (t,) -1 or 1, of the training cells.
        regularization: of the ridge.

    Returns:
        (P, s): above 0 for the class 1.
    """
    weights = np.where(classes > 0, 0.5 / np.sum(classes > 0), 0.5 / np.sum(classes < 0))
    # Kernels with the weighted mean of the training cells as origin: this is the intercept, as the
    # weighted mean of the classes is 0.
    means = within @ weights
    overall = means @ weights
    centered = within - means[:, :, None] - means[:, None, :] + overall[:, None, None]
    of_test = across - (across @ weights)[:, :, None] - means[:, None, :] + overall[:, None, None]
    count = len(classes)
    penalty = regularization * np.diag(1 / (count * weights))
    dual = np.linalg.solve(centered + penalty, np.broadcast_to(classes[:, None], (*means.shape, 1)))
    return (of_test @ dual)[:, :, 0]


@one_thread
def compare(
    reference: Sequence[ValidationCell],
    synthesized: Sequence[ValidationCell],
    comparison: Comparison,
) -> list[Verdict]:
    """Try to tell two populations of one mtype apart.

    The permutation test gives the places (class and fold) to the cells at random, so that the
    observed arrangement is one of those of the null hypothesis.

    Args:
        reference, synthesized: the cells.
        comparison: its terms. The classifier sees all neurite types together. With fitted cells
            the null distribution is that of copies of real cells, see :mod:`copies`.

    Returns:
        One Verdict; its statistic is the balanced accuracy.
    """
    sizes = len(reference), len(synthesized)
    few = too_few(TIER, TEST, sizes, comparison.minimum, mtype=comparison.mtype)
    if few:
        return [few]
    accuracy, null = _accuracy(reference, synthesized, comparison)
    return [_verdict(sizes, accuracy, null, comparison.mtype, bool(comparison.fitted))]


def _accuracy(
    reference: Sequence[ValidationCell],
    synthesized: Sequence[ValidationCell],
    comparison: Comparison,
) -> tuple[float, np.ndarray]:
    """The balanced accuracy, and those (P,) of the null hypothesis."""
    sizes = len(reference), len(synthesized)
    kinds, fitted = comparison.neurite_types, comparison.fitted
    rng = np.random.default_rng(comparison.seed)
    matrix = kernel(reference, synthesized, kinds)
    numbers = fold_numbers(sizes, comparison.seed)
    places = np.arange(sum(sizes))
    if fitted:
        real = kernel(reference, fitted, kinds)
        dealt = deal_places((sizes[0], len(fitted)), sizes[1], PERMUTATIONS, rng)
        null = accuracies(real, sizes, numbers, dealt)
        return float(accuracies(matrix, sizes, numbers, places[None])[0]), null
    arrangements = rng.permuted(np.tile(places, (PERMUTATIONS, 1)), axis=1)
    found = accuracies(matrix, sizes, numbers, np.vstack([places, arrangements]))
    return float(found[0]), found[1:]


def _verdict(
    sizes: Sequence[int], accuracy: float, null: np.ndarray, mtype: str | None, fitted: bool
) -> Verdict:
    p = p_value(accuracy, null)
    told = p < MIN_P and accuracy > MAX_ACCURACY
    floor = float(np.median(null))
    chance = f"copies of real cells: {floor:.0%}" if fitted else "50 % is chance"
    return Verdict(
        TIER,
        TEST,
        FAIL if told else PASS,
        mtype=mtype,
        n_reference=sizes[0],
        n_synthesized=sizes[1],
        statistic=accuracy,
        p=p,
        threshold={"p": MIN_P, "accuracy": MAX_ACCURACY},
        detail=f"a classifier tells {accuracy:.0%} of the cells right ({chance}, p {p:.2g})"
        f"{': synthesized cells can be told from real ones' if told else ''}",
        values={
            "accuracy_null95": float(np.percentile(null, 95)),
            "folds": FOLDS,
            **({"floor": floor} if fitted else {}),
        },
    )
