"""Scores of how well axons fit cells: one per cell and donor, from 0 (never chosen) to 1.

``layers``: the axon keeps its layers. At home, in the column that the donor comes from, the shares
of the axon's length in the layers (and below the last one) are p_1 .. p_L, p_L+1; moved to the
cell's depth among the layers of the atlas there, and scaled, they are q_1 .. q_L+1. The score is
the intersection of the two histograms, sum of min(p_k, q_k) (Swain and Ballard 1991). The p are
those of the part below the top of the home column and add up to 1, so 1 is reached where the
axon has in each layer the share that it has at home; what would be above the pia is lost.

It is multiplied by that of the limit: 1 when the axon's highest point is below the pia, falling
linearly to 0 where it is ``tolerance`` above (as placement-algorithm's strict rule "below").

``rules``: placement-algorithm's rules and annotations, see :mod:`.rules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from region_grower_flow.placement.donors import AxonHeights


@dataclass(frozen=True)
class Places:
    """The places of n cells that have the same layers.

    Attributes:
        depths: (n,) um below the top of the region.
        bounds: (n, L + 1) um, depths of the boundaries of the layers, from 0 down.
    """

    depths: np.ndarray
    bounds: np.ndarray


def layer_shares(
    heights: AxonHeights, depths: np.ndarray, bounds: np.ndarray, scale: float = 1.0
) -> np.ndarray:
    """Shares of an axon's length in each layer and below the last one.

    Args:
        heights: AxonHeights.
        depths: (n,) depths of the soma (um).
        bounds: (n, L + 1) depths of the boundaries.
        scale: of the axon.

    Returns:
        (n, L + 1): layers 1 to L, and what is below them. What is above the top is left out.
    """
    below = heights.share_below((depths[:, np.newaxis] - bounds) / scale)
    return np.concatenate([below[:, :-1] - below[:, 1:], below[:, -1:]], axis=1)


def home_shares(
    heights: AxonHeights, soma_depth: float, thicknesses: Sequence[float]
) -> np.ndarray:
    """(L + 1,) shares of a donor's axon in its home column, which add up to 1.

    NaN when no part of the axon is below the top of the column.
    """
    bounds = np.concatenate([[0.0], np.cumsum(thicknesses)])
    shares = layer_shares(heights, np.array([soma_depth]), bounds[np.newaxis])[0]
    total = shares.sum()
    return shares / total if total > 0 else np.full_like(shares, np.nan)


def layer_scores(
    heights: AxonHeights, home: np.ndarray, places: Places, scale: float = 1.0
) -> np.ndarray:
    """(n,) scores of an axon at the cells' places: the intersection with its shares at home."""
    shares = layer_shares(heights, places.depths, places.bounds, scale)
    return np.minimum(shares, home).sum(axis=1)


def limit_scores(top: float, depths: np.ndarray, tolerance: float) -> np.ndarray:
    """(n,) 1 where the highest point of an axon is below the pia, 0 from ``tolerance`` (um) on."""
    above = top - depths
    if tolerance <= 0:
        return (above <= 0).astype(np.float64)
    return np.clip(1.0 - above / tolerance, 0.0, 1.0)


def scale_weight(scale: float, bias: str) -> float:
    """Factor by which a scale other than 1 lowers a score.

    ``uniform``: not at all; ``linear``: by the factor min(scale, 1 / scale); ``gaussian``: by
    exp(-(ln scale / 0.25)^2 / 2). Twice and half the size count the same.
    """
    if bias == "linear":
        return min(scale, 1.0 / scale)
    if bias == "gaussian":
        return float(np.exp(-0.5 * (np.log(scale) / 0.25) ** 2))
    return 1.0
