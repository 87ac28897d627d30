"""Length along depth, and in layers: where a population has its neurites.

In an atlas depth is below the top of the region, along each cell's own axis; in vacuum it is below
the soma.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology

if TYPE_CHECKING:
    from region_grower_flow.space.layers import LayerContext

DEPTH_BIN = 25.0
"""Width (um) of the bins of the profiles of length along depth."""
ABOVE, BELOW = "above", (np.inf, "below")
"""Names for length that lies in no layer: above all layers, below all layers."""


@dataclass
class Profile:
    """Length along depth of the trees of one neurite type, of one population.

    Attributes:
        depths: (S,) um, of the middle of each segment, downwards.
        lengths: (S,) um.
        cells: number of cells.
        layers: {(place from the top, name): length (um)}; above the top the place is 0.
    """

    depths: np.ndarray
    lengths: np.ndarray
    cells: int
    layers: dict[tuple[float, str], float]

    def per_cell(self, edges: np.ndarray) -> np.ndarray:
        """Length (um per cell) between each two of the edges (um)."""
        return np.histogram(self.depths, edges, weights=self.lengths)[0] / max(self.cells, 1)


def segments(morphology: FlatMorphology, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Depths below the soma's center, and lengths, of the segments of a neurite type (um)."""
    points = morphology.points.astype(float)
    if len(points) < 2:
        return np.empty(0), np.empty(0)
    inside = np.ones(len(points) - 1, dtype=bool)
    inside[morphology.offsets[1:-1] - 1] = False
    counts = np.diff(morphology.offsets)
    inside &= np.repeat(morphology.types == NEURITE_TYPES[kind], counts)[1:]
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)[inside]
    middles = (points[1:, 1] + points[:-1, 1])[inside] / 2
    return -middles, lengths


def compared(
    reference: Sequence[FlatMorphology],
    synthesized: Sequence[FlatMorphology],
    kind: str,
    seed: int,
    depths: Sequence[float] | None = None,
    layers: Sequence[LayerContext] | None = None,
) -> tuple[Profile, Profile]:
    """The Profiles of two populations.

    In an atlas each synthesized cell has a reference cell beside it, drawn at random, which stands
    at its depth: so both see the same layers.

    Args:
        reference, synthesized: upright FlatMorphologies.
        kind: the neurite type.
        seed: of the draw.
        depths: um below the top of the region, of each synthesized soma; None in vacuum.
        layers: the LayerContext of each synthesized cell; None where they are not asked for.

    Returns:
        (Profile of the reference, Profile of the synthesized cells)
    """
    beside = reference
    if depths is not None and reference:
        rng = np.random.default_rng(seed)
        beside = [reference[i] for i in rng.integers(len(reference), size=len(synthesized))]
    return profile(beside, kind, depths, layers), profile(synthesized, kind, depths, layers)


def profile(
    morphologies: Sequence[FlatMorphology],
    kind: str,
    depths: Sequence[float] | None = None,
    layers: Sequence[LayerContext] | None = None,
) -> Profile:
    """The Profile of some upright cells.

    Args:
        morphologies: FlatMorphologies.
        kind: the neurite type.
        depths: um below the top of the region, of each soma; None in vacuum.
        layers: the LayerContext of each cell; None in vacuum.
    """
    found = [segments(morphology, kind) for morphology in morphologies]
    places, lengths = [], []
    sums: dict[tuple[float, str], float] = {}
    for index, (below, length) in enumerate(found):
        depth = below + (0.0 if depths is None else depths[index])
        places.append(depth)
        lengths.append(length)
        if layers is not None and layers[index].layer_depths:
            _add_layers(sums, depth, length, layers[index])
    stack = np.concatenate if found else lambda _: np.empty(0)
    return Profile(stack(places), stack(lengths), len(found), sums)


def _add_layers(
    sums: dict[tuple[float, str], float],
    depth: np.ndarray,
    length: np.ndarray,
    layers: LayerContext,
) -> None:
    """Add lengths to those of the layers that they lie in."""
    boundaries = layers.layer_depths or []
    names = [ABOVE, *(layers.names or range(1, len(boundaries)))]
    found = np.searchsorted(boundaries, depth, side="left")
    for place in np.unique(found).tolist():
        key = (place, names[place]) if place < len(boundaries) else BELOW
        sums[key] = sums.get(key, 0.0) + float(length[found == place].sum())


def wasserstein(reference: Profile, synthesized: Profile) -> float | None:
    """The distance (um) between two Profiles as distributions of length; None when one is empty."""
    from scipy.stats import wasserstein_distance

    if not reference.lengths.sum() > 0 or not synthesized.lengths.sum() > 0:
        return None
    return float(
        wasserstein_distance(
            reference.depths, synthesized.depths, reference.lengths, synthesized.lengths
        )
    )


def depth_rows(reference: Profile, synthesized: Profile) -> list[dict[str, float]]:
    """Rows of the table of depths: from_um, to_um, reference, synthesized (um per cell)."""
    both = np.concatenate([reference.depths, synthesized.depths])
    if not len(both):
        return []
    first, last = np.floor(both.min() / DEPTH_BIN), np.floor(both.max() / DEPTH_BIN) + 1
    edges = np.arange(first, last + 1) * DEPTH_BIN
    columns = zip(
        edges[:-1], edges[1:], reference.per_cell(edges), synthesized.per_cell(edges), strict=True
    )
    names = ("from_um", "to_um", "reference", "synthesized")
    return [dict(zip(names, map(float, values), strict=True)) for values in columns]


def layer_rows(reference: Profile, synthesized: Profile) -> list[dict[str, Any]]:
    """Rows of the table of layers: layer, reference, synthesized (fractions of the length)."""
    totals = [sum(p.layers.values()) for p in (reference, synthesized)]
    if not all(totals):
        return []
    return [
        {
            "layer": key[1],
            "reference": reference.layers.get(key, 0.0) / totals[0],
            "synthesized": synthesized.layers.get(key, 0.0) / totals[1],
        }
        for key in sorted({*reference.layers, *synthesized.layers}, key=lambda key: key[0])
    ]
