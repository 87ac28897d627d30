"""Random numbers that belong to cells, whichever other cells there are."""

from __future__ import annotations

import numpy as np

from region_grower_flow.record.fingerprint import digest_of

_BLOCK = 1 << 16


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
