"""Random draws: numbers that belong to cells, whichever others there are; positions and traits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from region_grower_flow.placement.voxels import Voxels
from region_grower_flow.record.fingerprint import digest_of

_BLOCK = 1 << 16
_FACE = 1e-2
"""Share of a voxel from its faces to which a position goes that float32 would move out of it."""


def cell_draws(ids: np.ndarray, seed: int, purpose: str) -> np.ndarray:
    """One uniform number in [0, 1) per cell.

    The number of a cell depends on its id, the seed and the purpose only: a slice of the cells has
    the same numbers as all of them. It is the id-th number of one stream (PCG64 can jump ahead).

    Args:
        ids: (N,) whole numbers from 0.
        seed: of the run.
        purpose: a word that tells independent draws of a cell apart.

    Returns:
        (N,) float64.
    """
    ids = np.asarray(ids, dtype=np.uint64)
    draws = np.empty(len(ids), dtype=np.float64)
    key = [int(seed), int(digest_of(purpose)[:16], 16)]
    blocks, codes = np.unique(ids // _BLOCK, return_inverse=True)
    codes = codes.reshape(-1)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(blocks) + 1))
    for number, block in enumerate(blocks.tolist()):
        rows = order[bounds[number] : bounds[number + 1]]
        bits = np.random.PCG64(np.random.SeedSequence(key)).advance(block * _BLOCK)
        numbers = np.random.Generator(bits).random(_BLOCK)
        draws[rows] = numbers[(ids[rows] % np.uint64(_BLOCK)).astype(np.int64)]
    return draws


def draw_positions(voxels: Voxels, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n, 3) float32, uniform in the voxels, and in them also after rounding to float32."""
    corners = voxels.indices(chosen)
    fractions = rng.random(corners.shape)
    positions = voxels.positions(corners + fractions).astype(np.float32)
    moved = (_indices(voxels, positions) != corners).any(axis=1)
    if moved.any():
        inner = np.clip(fractions[moved], _FACE, 1.0 - _FACE)
        positions[moved] = voxels.positions(corners[moved] + inner)
    return positions


def _indices(voxels: Voxels, positions: np.ndarray) -> np.ndarray:
    if not len(positions):
        return np.empty((0, 3), dtype=np.int64)
    return voxels.volume.positions_to_indices(positions, strict=False)


def draw_trait(
    choice: Mapping[str, float] | None, count: int, rng: np.random.Generator
) -> np.ndarray:
    """(count,) object: values of a trait, drawn by their probabilities."""
    names = [None] if choice is None else list(choice)
    if choice is None or len(names) == 1:
        return np.full(count, names[0], dtype=object)
    drawn = rng.choice(len(names), size=count, p=list(choice.values()))
    return np.array(names, dtype=object)[drawn]
