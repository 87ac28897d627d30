"""Tests on cells that were grown from one half of the reference and are compared with the other.

However well cells are grown, they inherit the chance by which the fitted half came out as it did: a
hundred cells grown from twenty hold no more than twenty cells say about the population. A test that
counts them as a hundred fails real cells, too. So here the null distribution has two levels: the
real cells of both halves are dealt anew, and from the one half as many *copies* are drawn (with
replacement) as there are synthesized cells. What real cells reach in this way is the *floor*; a
difference counts only as far as it exceeds it. Intervals, too, hold the chance of the fitted half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from region_grower_flow.validation.clustered import (
    draw_medians,
    weighted_ks,
    weighted_percentiles,
)
from region_grower_flow.validation.statistics import (
    MVS_EDGES,
    RESAMPLES,
    DistanceTest,
    FeatureTest,
    feature_test,
    joint_owners,
    mvs_of_percentiles,
    p_value,
)

FLOOR_DRAWS = 99
"""Draws of copies of the fitted cells, whose median distance is told as the floor."""
MIN_FITTED = 4
"""Fitted cells with a value, of which copies can be drawn."""


def deal(
    sizes: Sequence[int], wanted: int, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the real cells: which are the reference, and how often each other one is copied.

    Args:
        sizes: (reference, fitted) numbers of cells; N is their sum, the reference comes first.
        wanted: number of copies.
        count: number of deals.
        rng: numpy Generator.

    Returns:
        (count, N) and (count, N) whole numbers.
    """
    total = sum(sizes)
    order = rng.permuted(np.tile(np.arange(total), (count, 1)), axis=1)
    reference = np.zeros((count, total), dtype=int)
    np.put_along_axis(reference, order[:, : sizes[0]], 1, axis=1)
    return reference, _copied(order[:, sizes[0] :], wanted, total, rng)


def draw(
    sizes: Sequence[int], wanted: int, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of cells as from :func:`deal`, but with the halves as they are."""
    total = sum(sizes)
    own = np.tile(np.arange(sizes[0], total), (count, 1))
    reference = np.tile(np.arange(total) < sizes[0], (count, 1)).astype(int)
    return reference, _copied(own, wanted, total, rng)


def _copied(own: np.ndarray, wanted: int, total: int, rng: np.random.Generator) -> np.ndarray:
    count, size = own.shape
    times = rng.multinomial(wanted, np.full(size, 1 / size), size=count)
    copies = np.zeros((count, total), dtype=int)
    np.put_along_axis(copies, own, times, axis=1)
    return copies


def deal_places(
    sizes: Sequence[int], wanted: int, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Places of real cells as :func:`deal` has them: (count, reference + wanted) numbers."""
    order = rng.permuted(np.tile(np.arange(sum(sizes)), (count, 1)), axis=1)
    chosen = rng.integers(sizes[1], size=(count, wanted))
    copies = np.take_along_axis(order[:, sizes[0] :], chosen, axis=1)
    return np.concatenate([order[:, : sizes[0]], copies], axis=1)


def compare(
    name: str,
    samples: Sequence[np.ndarray],
    owners: Sequence[np.ndarray],
    rng: np.random.Generator,
    minimum: int,
) -> FeatureTest:
    """Compare one feature of synthesized and reference cells above the floor of copies.

    Args:
        name: the feature.
        samples: (reference, synthesized, fitted) finite values, of cells or of trees.
        owners: (reference, synthesized, fitted) the number of the cell of each value.
        rng: numpy Generator.
        minimum: of reference and synthesized cells.

    Returns:
        FeatureTest.
    """
    reference, synthesized, fitted = map(np.asarray, samples)
    counts = [len(np.unique(group)) for group in owners]
    sizes = len(reference), len(synthesized)
    if min(counts[:2]) < minimum or counts[2] < MIN_FITTED:
        return FeatureTest(name, *sizes)
    values = np.concatenate([reference, fitted])
    cells, real = joint_owners((owners[0], owners[2]))
    dealt = [w[:, cells] for w in deal(real, counts[1], RESAMPLES, rng)]
    floor = [w[:, cells] for w in draw(real, counts[1], FLOOR_DRAWS, rng)]
    observed = ks_distance(reference, synthesized)
    p = p_value(observed, weighted_ks(values, *dealt))
    medians = [draw_medians(v, o, rng) for v, o in zip(samples, owners, strict=True)]
    # The fitted half might have come out otherwise, and the synthesized cells with it.
    differences = medians[1] + (medians[2] - np.median(fitted)) - medians[0]
    null = mvs_of_percentiles(*(weighted_percentiles(values, w, MVS_EDGES) for w in dealt))
    test = feature_test(name, (reference, synthesized), (observed, p), differences, null)
    return replace(test, floor=float(np.median(weighted_ks(values, *floor))))


def compare_cells(
    name: str,
    reference: np.ndarray,
    synthesized: np.ndarray,
    fitted: np.ndarray,
    rng: np.random.Generator,
    minimum: int,
) -> FeatureTest:
    """:func:`compare` of a feature with a value per cell; values that are not finite are left out.

    Args:
        name: the feature.
        reference, synthesized, fitted: (n,) values.
        rng: numpy Generator.
        minimum: of reference and synthesized values.
    """
    samples = [np.asarray(values, dtype=float) for values in (reference, synthesized, fitted)]
    samples = [values[np.isfinite(values)] for values in samples]
    return compare(name, samples, [np.arange(len(values)) for values in samples], rng, minimum)


def ks_distance(first: np.ndarray, second: np.ndarray) -> float:
    """The Kolmogorov-Smirnov distance of two samples."""
    values = np.concatenate([first, second])
    own = np.arange(len(values)) < len(first)
    return float(weighted_ks(values, own[None].astype(int), (~own)[None].astype(int))[0])


def compare_distances(
    observed: Sequence[float],
    distances: np.ndarray,
    owners: Sequence[np.ndarray],
    wanted: int,
    rng: np.random.Generator,
    permutations: int,
) -> DistanceTest:
    """The energy distance and the ratio of distances above the floor of copies.

    Args:
        observed: (energy, ratio) of reference and synthesized trees.
        distances: (n, n) between the trees of the reference and the fitted cells, in this order.
        owners: (reference, fitted) the number of the cell of each tree.
        wanted: number of synthesized cells.
        rng: numpy Generator.
        permutations: number of deals.

    Returns:
        DistanceTest.
    """
    cells, real = joint_owners(owners)
    first, second = (w[:, cells].astype(float) for w in deal(real, wanted, permutations, rng))
    energies, ratios = energies_and_ratios(distances, first, second)
    return DistanceTest.of(observed, energies, ratios)


def energies_and_ratios(
    distances: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The statistics of ``statistics.compare_distances`` for (rows, n) weights of two groups."""
    n, m = first.sum(axis=1), second.sum(axis=1)
    to_first, to_second = first @ distances, second @ distances
    within_first = np.einsum("ij,ij->i", to_first, first)
    between = np.einsum("ij,ij->i", to_first, second)
    within_second = np.einsum("ij,ij->i", to_second, second)
    energy = 2 * between / (n * m) - within_first / n**2 - within_second / m**2
    mean_within = within_first / np.maximum(n * (n - 1), 1)
    mean_between = between / (n * m)
    same = np.where(mean_between > 0, np.inf, 1.0)
    ratio = np.divide(mean_between, mean_within, out=same, where=mean_within > 0)
    return energy, ratio
