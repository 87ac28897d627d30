"""Distance from the soma of a barcode's apical point (mirrors
tmd.Topology.analysis.find_apical_point_distance_smoothed).

NeuroTS estimates it for every cell, from the scaled barcode. Scaling a barcode scales the density
of its bars, so the bin that is chosen stays the same and needs to be found only once; except where
the choice hangs on the last digits of the numbers, which scaling changes. Such barcodes are found
out beforehand, and estimated for every cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from region_grower_flow.errors import DropCell

N_BINS = 100
"""Edges of bins over the range of the barcode."""

THRESHOLD = 0.1
"""A minimum's slope is below this part of the steepest; doubled until there is a minimum."""

NO_POINT = -1
"""The bin of a barcode whose density has no minimum: NeuroTS looks for it forever."""

SAFE = 1e-9
"""Relative distance to a decision beyond which rounding cannot change it (errors are ~1e-12)."""


@dataclass(frozen=True)
class ApicalPoint:
    """Place of the apical point of a barcode.

    Attributes:
        lowest, highest: the range (um) of bifurcations and terminations, not scaled.
        bin: the bin of the apical point; None when it has to be found for each scaling, NO_POINT
            when there is none.
    """

    lowest: float
    highest: float
    bin: int | None

    @classmethod
    def prepare(cls, bars: np.ndarray) -> ApicalPoint:
        """Find the bin of a barcode.

        Args:
            bars: (n, 6) float64, terminations and bifurcations first.
        """
        lowest, highest = float(bars[:, :2].min()), float(bars[:, :2].max())
        return cls(lowest, highest, safe_bin(bars[:, :2], lowest, highest))

    def distance(self, bars: np.ndarray, ratio: float | None) -> float:
        """The apical point's path distance (um) for the barcode scaled by ``ratio``.

        Args:
            bars: the (n, 6) barcode.
            ratio: its scaling, None for none.

        Raises:
            ValueError: the barcode has too few bars for an estimate (as in NeuroTS).
            DropCell: the barcode has no apical point.
        """
        if self.bin == NO_POINT:
            raise DropCell("the barcode of an apical dendrite with a tuft has no apical point")
        lowest, highest = self.lowest, self.highest
        if ratio is not None:
            lowest, highest = lowest * ratio, highest * ratio
        if self.bin is None or highest <= lowest or (ratio is not None and ratio <= 0.0):
            return estimated_distance(bars, ratio)
        # As numpy.linspace computes the two edges of the bin.
        step = (highest - lowest) / (N_BINS - 1)
        left = self.bin * step + lowest
        right = highest if self.bin + 1 == N_BINS - 1 else (self.bin + 1) * step + lowest
        return 0.5 * (left + right)


def estimated_distance(bars: np.ndarray, ratio: float | None) -> float:
    """The distance by TMD itself, which NeuroTS calls for every cell."""
    from tmd.Topology.analysis import find_apical_point_distance_smoothed

    scaled = bars.copy()
    if ratio is not None:
        scaled[:, :2] *= ratio
    return float(find_apical_point_distance_smoothed(scaled.tolist()))


def has_no_point(bars: Sequence[Sequence[float]]) -> bool:
    """True if TMD would look for the apical point of some bars forever, or fail.

    Args:
        bars: barcode: both ends of each bar first.
    """
    ends = np.sort(np.array(bars, dtype=float)[:, :2], axis=1)
    counts = _spans(ends, np.linspace(ends.min(), ends.max(), N_BINS)).sum(axis=0)
    density = _density(counts) if counts.sum() > 1 else None
    if density is None:
        return True
    slope = np.gradient(density)
    return not (np.gradient(slope) > 0).any() or not np.abs(slope).max() > 0


def safe_bin(bars: np.ndarray, lowest: float, highest: float) -> int | None:
    """The bin of the first minimum of the density.

    None if rounding could make it another, NO_POINT if there is no minimum.

    Args:
        bars: (n, 2) float64, both ends of each bar.
        lowest, highest: the range of the barcode.
    """
    if not highest > lowest:
        return None
    edges = np.linspace(lowest, highest, N_BINS)
    counts = _bars_per_bin(np.sort(bars, axis=1), edges)
    if counts is None or counts.sum() < 2:
        return None
    density = _density(counts)
    if density is None:
        return None
    slope = np.gradient(density)
    curvature = np.gradient(slope)
    return _first_minimum(density, slope, curvature)


def _bars_per_bin(bars: np.ndarray, edges: np.ndarray) -> np.ndarray | None:
    """Number of bars that span each bin wholly; None if a bar ends too close to an edge."""
    inner = edges[1:-1]
    ends = bars[(bars > edges[0]) & (bars < edges[-1])]
    scale = max(abs(edges[0]), abs(edges[-1]))
    if len(ends) and np.abs(ends[:, None] - inner[None, :]).min() <= SAFE * scale:
        return None
    return _spans(bars, edges).sum(axis=0)


def _spans(bars: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(n, bins) bool, the bins that each bar, (start, end), spans wholly."""
    return (bars[:, 1:] > edges[None, 1:]) & (bars[:, :1] < edges[None, :-1])


def _density(counts: np.ndarray) -> np.ndarray | None:
    """A Gaussian kernel density of the bins' centers with these counts, Scott's bandwidth."""
    total = counts.sum()
    place = np.arange(len(counts), dtype=float)
    mean = (counts * place).sum() / total
    variance = (counts * (place - mean) ** 2).sum() / (total - 1)
    variance *= float(total) ** (-2.0 / 5.0)
    if not variance > 0.0:
        return None
    distance = place[:, None] - place[None, :]
    kernel = np.exp(-0.5 * distance**2 / variance)
    return kernel.dot(counts) / (total * math.sqrt(2.0 * math.pi * variance))


def _first_minimum(density: np.ndarray, slope: np.ndarray, curvature: np.ndarray) -> int | None:
    """The first bin with a small slope and a positive curvature, None if that is not sure."""
    # The error of a bin's derivatives is relative to the densities that they are taken from.
    if not (curvature > -SAFE * density.max()).any():
        return NO_POINT
    around = np.array([density[max(0, i - 2) : i + 3].max() for i in range(len(density))])
    sure_curvature = np.abs(curvature) > SAFE * around
    steepest = np.abs(slope).max()
    threshold = THRESHOLD
    while threshold < 1e6:
        flat = np.abs(slope) < threshold * steepest
        sure_flat = np.abs(np.abs(slope) - threshold * steepest) > SAFE * (steepest + around)
        for i in range(len(slope)):
            out = (sure_flat[i] and not flat[i]) or (sure_curvature[i] and curvature[i] <= 0.0)
            if out:
                continue
            chosen = sure_flat[i] and flat[i] and sure_curvature[i] and curvature[i] > 0.0
            return i if chosen else None
        threshold *= 2.0
    return None
