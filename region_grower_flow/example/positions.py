"""Cells of the example: how many of each m-type, and where.

The shares of the m-types follow their densities (cells/mm3, from the counts of Markram et al.
2015, see :mod:`.targets`) and the volume of their layers in the atlas; every m-type gets at least
:data:`FEWEST`, for a small example would have no interneurons otherwise. Positions are uniform in
the layers of the m-type, away from the sides of the atlas.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.example.atlases import (
    AREAS,
    CURVED_HALF_ANGLE,
    CURVED_LENGTH,
    CURVED_SHIFT,
    AtlasArrays,
    Grid,
)
from region_grower_flow.example.celltypes import CELL_TYPES
from region_grower_flow.example.targets import LAYERS

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 3
COLUMN_RADIUS = 200.0
"""Somata of the column lie within this distance (um) of its axis."""
GOLDEN_STEPS = 1.2207440846057596 ** -np.arange(1.0, 4.0)
"""Steps of an evenly spread sequence in three dimensions (g ** 4 = g + 1)."""
CLEARANCE = 40.0
"""Least distance (um) of somata (their voxels) from the pia and the white matter."""
JITTER = 0.5
"""Jitter of a position, relative to the mean distance between neighbors."""
FACE_MARGIN = 0.02
"""Share of a voxel, at each face, that holds no somata."""
SIDE_MARGIN = 0.1
"""Share of the curved sheet at each of its four sides that holds no somata."""


def cell_table(
    space: AtlasArrays, n_cells: int, rng: np.random.Generator, usable: np.ndarray
) -> pd.DataFrame:
    """Draw the cells.

    Args:
        space: the atlas, a :class:`~region_grower_flow.example.atlases.AtlasArrays`.
        n_cells: how many; at least one per m-type.
        rng: :class:`numpy.random.Generator`.
        usable: (nx, ny, nz) bool, the voxels that may hold somata.

    Returns:
        :class:`pandas.DataFrame` with x, y, z (um), mtype, region, layer, etype, synapse_class and
        morph_class, m-type by m-type.
    """
    import pandas as pd

    ids = np.where(usable, space.region_ids(), 0)
    layer_of_voxel = ids % 10
    counts = cells_per_type(space, layer_of_voxel, n_cells)
    tables = []
    for cell_type, count in zip(CELL_TYPES, counts, strict=True):
        allowed = np.isin(layer_of_voxel, cell_type.layers)
        positions = scattered(space.grid, allowed, count, rng).astype(np.float32)
        found = ids[tuple(space.grid.indices(positions).T)]
        tables.append(
            pd.DataFrame(
                {
                    **dict(zip("xyz", positions.T, strict=True)),
                    "mtype": cell_type.mtype,
                    "region": [f"{AREAS[i // 10 - 1]};L{i % 10}" for i in found],
                    "layer": [str(i % 10) for i in found],
                    "etype": cell_type.etype,
                    "synapse_class": cell_type.synapse_class,
                    "morph_class": cell_type.morph_class,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def scattered(grid: Grid, allowed: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` positions (n, 3), um, uniform in the voxels ``allowed`` and without clumps.

    Points of a sequence that fills the bounding box of the voxels evenly (an additive recurrence
    with powers of the generalized golden ratio, Roberts 2018) from a random start on, jittered,
    without those outside of the voxels: a few dozen cells cover their layer.
    """
    voxels = np.argwhere(allowed)
    low, size = voxels.min(axis=0), np.ptp(voxels, axis=0) + 1
    # The jitter breaks the rows of the sequence: half of the mean distance between neighbors.
    jitter = JITTER * (len(voxels) / np.prod(size) / max(count, 1)) ** (1.0 / 3.0)
    start, drawn, batch = rng.random(3), 0, max(4 * count, 64)
    kept = np.empty((0, 3))
    while len(kept) < count:
        steps = np.arange(drawn, drawn + batch)[:, None]
        drawn += batch
        places = low + size * (
            (start + steps * GOLDEN_STEPS + rng.uniform(-jitter, jitter, (batch, 3))) % 1.0
        )
        kept = np.concatenate([kept, places[allowed[tuple(np.floor(places).astype(int).T)]]])
    # Not on the very face of a voxel: rounding to float32 must not move a cell to the next one.
    places = np.floor(kept[:count]) + np.clip(kept[:count] % 1.0, FACE_MARGIN, 1.0 - FACE_MARGIN)
    return grid.offset + places * grid.voxel_dimensions


def cells_per_type(space: AtlasArrays, layer_of_voxel: np.ndarray, n_cells: int) -> np.ndarray:
    """The number of cells of each m-type: shares of ``n_cells`` by density times volume."""
    volume = float(np.abs(np.prod(space.grid.voxel_dimensions))) * 1e-9
    voxels = {layer: int((layer_of_voxel == layer).sum()) for layer in LAYERS}
    expected = np.array(
        [
            cell_type.density * volume * sum(voxels[layer] for layer in cell_type.layers)
            for cell_type in CELL_TYPES
        ]
    )
    fewest = min(FEWEST, n_cells // len(CELL_TYPES))
    rest = n_cells - fewest * len(CELL_TYPES)
    shares = rest * expected / expected.sum()
    counts = np.floor(shares).astype(int)
    # What rounding leaves goes to the largest remainders.
    for index in np.argsort(counts - shares, kind="stable")[: rest - counts.sum()]:
        counts[index] += 1
    return counts + fewest


def usable_in_column(space: AtlasArrays) -> np.ndarray:
    """(nx, ny, nz) bool: voxels of the column near enough to its axis."""
    centers = space.grid.centers()
    return _clear(space) & (np.hypot(centers[..., 0], centers[..., 2]) <= COLUMN_RADIUS)


def usable_in_curved(space: AtlasArrays) -> np.ndarray:
    """(nx, ny, nz) bool: voxels of the curved sheet away from its sides."""
    along = (space.grid.centers()[..., 2] - CURVED_SHIFT[2]) / CURVED_LENGTH
    inner = 1.0 - 2.0 * SIDE_MARGIN
    return (
        _clear(space)
        & (np.abs(space.angle) < inner * CURVED_HALF_ANGLE)
        & (np.abs(along) < inner / 2)
    )


def _clear(space: AtlasArrays) -> np.ndarray:
    """(nx, ny, nz) bool: voxels far enough from the pia and the white matter for a soma."""
    depth = space.boundaries[..., 0] - space.height
    return (depth >= CLEARANCE) & (space.height >= CLEARANCE)


def write_nodes(table: pd.DataFrame, path: Path) -> None:
    """Write the cells as SONATA nodes (population "default")."""
    from region_grower_flow.io.voxcell import CellCollection

    table = table.copy()
    table.index += 1
    CellCollection.from_dataframe(table).save_sonata(str(path))
