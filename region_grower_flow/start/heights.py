"""Reach of the reconstructions' apical dendrites, and the layer where that is at the cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from region_grower_flow.atlas.volumes import load_volume, usable_heights
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.morphologies import open_morphology
from region_grower_flow.layout import PRINCIPAL_AXIS, layer_hint
from region_grower_flow.morphology import APICAL_DENDRITE


def apical_heights(paths: Iterable[PathLike]) -> list[float]:
    """Heights (um) of the tops of apical dendrites above their somata; cells without have none.

    Args:
        paths: files of upright reconstructions.
    """
    heights = []
    for path in paths:
        try:
            morphology = open_morphology(path)
        except InvalidInput:
            continue
        offsets = np.asarray(morphology.section_offsets).astype(int)
        kinds = np.repeat(np.asarray(morphology.section_types), np.diff(offsets))
        tops = np.asarray(morphology.points)[kinds == APICAL_DENDRITE, 1]
        if len(tops):
            heights.append(float(tops.max()) - float(morphology.soma.center[1]))
    return heights


def depths_at(
    atlas_dir: PathLike, positions: np.ndarray, layers: Sequence[Any]
) -> tuple[np.ndarray, np.ndarray]:
    """((N,) depths of positions, (N, 2) depths of top and bottom of the first layer) in um.

    Args:
        atlas_dir: folder of the atlas.
        positions: (N, 3) um, inside the atlas.
        layers: names of the layers from the top down.
    """
    names = layer_hint(layers[0]), PRINCIPAL_AXIS
    first, axis = (usable_heights(load_volume(atlas_dir, n).lookup(positions)) for n in names)
    depth = first[:, 1] - axis
    return depth, np.column_stack([np.zeros(len(depth)), first[:, 1] - first[:, 0]])


def reaches_first_layer(
    heights: Sequence[float], depths: np.ndarray, first: np.ndarray
) -> float | None:
    """The height in the first layer (0 to 1) that dendrites reach at the cells, None if not.

    Args:
        heights: of the reconstructions (um).
        depths: (n,) of the cells (um).
        first: (n, 2) depths of top and bottom of the first layer at the cells (um).
    """
    known = np.isfinite(depths) & np.isfinite(first).all(axis=1)
    if not heights or not known.any():
        return None
    tops = depths[known] - np.median(heights)
    share = 1.0 - tops / np.maximum(first[known, 1], 1.0)
    middle = float(np.median(share))
    return float(np.clip(round(middle, 1), 0.3, 0.8)) if middle > 0.0 else None
