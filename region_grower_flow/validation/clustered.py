"""One feature of trees that share cells: what is drawn and permuted are whole cells.

Trees of one cell are alike, so that there are fewer independent values than trees. The statistics
are those of :mod:`region_grower_flow.validation.statistics`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from region_grower_flow.validation.statistics import (
    MVS_EDGES,
    RESAMPLES,
    FeatureTest,
    feature_test,
    joint_owners,
    label_permutations,
    mvs_of_percentiles,
    p_value,
)

PERMUTATIONS = 999


def compare_clustered(
    name: str,
    samples: Sequence[np.ndarray],
    owners: Sequence[np.ndarray],
    rng: np.random.Generator,
    minimum: int,
) -> FeatureTest:
    """Compare one feature of the trees of two populations of cells.

    Args:
        name: the feature.
        samples: (reference, synthesized) values, one per tree, finite.
        owners: (reference, synthesized) numbers of the trees' cells.
        rng: numpy Generator.
        minimum: with fewer cells on either side nothing but the numbers (of trees) is computed.

    Returns:
        FeatureTest.
    """
    sizes = len(samples[0]), len(samples[1])
    cells, counts = joint_owners(owners)
    if min(counts) < minimum:
        return FeatureTest(name, *sizes)
    distances = ks_distances(np.concatenate(samples), cells, sizes, counts, rng)
    medians = [draw_medians(*of_sample, rng) for of_sample in zip(samples, owners, strict=True)]
    labels = label_permutations(counts, RESAMPLES, rng)[cells].T
    null = [
        weighted_percentiles(np.concatenate(samples), group.astype(int), MVS_EDGES)
        for group in (labels, ~labels)
    ]
    ks = distances[0], p_value(distances[0], distances[1:])
    return feature_test(name, samples, ks, medians[1] - medians[0], mvs_of_percentiles(*null))


def ks_distances(
    values: np.ndarray,
    cells: np.ndarray,
    sizes: Sequence[int],
    counts: Sequence[int],
    rng: np.random.Generator,
) -> np.ndarray:
    """(1 + PERMUTATIONS,) KS distances: of the samples, then of permutations of their cells.

    Args:
        values: (n,) of the trees, the reference's first.
        cells: (n,) the cell of each tree.
        sizes, counts: (reference, synthesized) numbers of trees, of cells.
        rng: numpy Generator.
    """
    labels = np.empty((len(values), 1 + PERMUTATIONS), dtype=bool)
    labels[:, 0] = np.arange(len(values)) < sizes[0]
    labels[:, 1:] = label_permutations(counts, PERMUTATIONS, rng)[cells]
    return weighted_ks(values, labels.T, ~labels.T)


def weighted_ks(values: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(rows,) KS distances between values that occur as often as each row of weights says.

    Args:
        values: (n,).
        first, second: (rows, n) whole numbers.
    """
    order = np.argsort(values, kind="stable")
    # Distribution functions are compared where a value ends, not between equal values.
    ends = np.append(values[order][1:] > values[order][:-1], True)
    below = [np.cumsum(weights[:, order], axis=1) for weights in (first, second)]
    shares = [cumulated / cumulated[:, -1:] for cumulated in below]
    return np.abs(shares[0] - shares[1])[:, ends].max(axis=1)


def draw_medians(values: np.ndarray, owners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(RESAMPLES,) medians of the trees of cells drawn with replacement.

    Args:
        values: (n,) of the trees.
        owners: (n,) the cell of each.
        rng: numpy Generator.
    """
    known, cells = np.unique(owners, return_inverse=True)
    shares = np.full(len(known), 1 / len(known))
    times = rng.multinomial(len(known), shares, size=RESAMPLES)
    return weighted_percentiles(values, times[:, cells], (50,))[0]


def weighted_percentiles(
    values: np.ndarray, weights: np.ndarray, percentiles: Sequence[float]
) -> np.ndarray:
    """(P, rows) percentiles of values that occur as often as each row of weights says.

    Between two values it is their mean, as NumPy's method "averaged_inverted_cdf", so that the
    50th percentile is the median.

    Args:
        values: (n,).
        weights: (rows, n) whole numbers.
        percentiles: (P,).
    """
    order = np.argsort(values)
    ordered = values[order]
    below = np.cumsum(weights[:, order], axis=1)
    result = np.empty((len(percentiles), len(weights)))
    for row, percentile in zip(result, percentiles, strict=True):
        target = percentile / 100 * below[:, -1:]
        low = np.sum(below < target - 1e-9, axis=1)
        high = np.minimum(np.sum(below < target + 1e-9, axis=1), len(values) - 1)
        row[:] = (ordered[low] + ordered[high]) / 2
    return result
