"""Persistence images of barcodes, and distances between them.

The images of all trees of a comparison share limits, grid and kernel: TMD's
``persistence_image_data`` takes the limits of each barcode by itself unless both are given (and it
forgets to check ``ylim``), its kernel's width is another one for each tree, and it has no image for
trees of one or two bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

GRID = 50
"""Pixels of an image along each axis."""

Limits: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
"""((low, high) of the ends, (low, high) of the starts) of bars."""


def limits(barcodes: Sequence[np.ndarray]) -> Limits:
    """((low, high) of the ends, (low, high) of the starts) of the bars of all barcodes."""
    bars = np.concatenate(barcodes)
    low, high = bars.min(axis=0), bars.max(axis=0)
    # All bars that begin at the root have one start: an image needs some width.
    high = np.where(high > low, high, low + 1.0)
    return (low[0], high[0]), (low[1], high[1])


def kernel_widths(
    barcodes: Sequence[np.ndarray], image_limits: Limits, grid: int = GRID
) -> np.ndarray:
    """The standard deviations (um) of the Gaussian of a bar, along ends and along starts.

    Scott's rule, as in TMD's images, with the spread of all bars and the mean number of bars of a
    tree; at least one pixel.
    """
    bars = np.concatenate(barcodes)
    # A single bar has no spread.
    widths = bars.std(axis=0, ddof=min(1, len(bars) - 1))
    widths *= (len(bars) / len(barcodes)) ** (-1 / 6)
    pixels = np.array([high - low for low, high in image_limits]) / (grid - 1)
    return np.maximum(widths, pixels)


def images(
    barcodes: Sequence[np.ndarray], image_limits: Limits, widths: np.ndarray, grid: int = GRID
) -> np.ndarray:
    """Persistence images on common limits, grid and kernel.

    Args:
        barcodes: [(n, 2)] bars of each tree.
        image_limits: as of :func:`limits`.
        widths: as of :func:`kernel_widths`.
        grid: pixels along each axis.

    Returns:
        (trees, grid * grid): the density of the bars of each tree, its sum is 1.
    """
    axes = [np.linspace(low, high, grid) for low, high in image_limits]
    result = np.empty((len(barcodes), grid * grid))
    for row, bars in zip(result, barcodes, strict=True):
        kernels = [
            np.exp(-0.5 * ((axis - bars[:, [i]]) / widths[i]) ** 2) for i, axis in enumerate(axes)
        ]
        image = (kernels[0].T @ kernels[1]).ravel()
        row[:] = image / image.sum()
    return result


def image_distances(
    reference: Sequence[np.ndarray], synthesized: Sequence[np.ndarray]
) -> np.ndarray:
    """(n, n) sums of absolute differences of the images of all trees, the reference's first.

    They are between 0 (the same) and 2 (nothing in common).
    """
    from scipy.spatial.distance import pdist, squareform

    barcodes = [*reference, *synthesized]
    image_limits = limits(barcodes)
    widths = kernel_widths(reference, image_limits)
    return squareform(pdist(images(barcodes, image_limits, widths), "cityblock"))
