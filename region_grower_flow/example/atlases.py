"""The two cortical atlases of the example: a straight column and a curved sheet.

Both hold what space-aware synthesis reads: ``brain_regions`` (ids of the hierarchy's layers),
``orientation`` (quaternions w, x, y, z that turn the y axis to the pia), ``[PH]y`` (um from the
white matter along that axis) and ``[PH]1`` to ``[PH]6`` (bottom and top of each layer, um along
the same axis). Outside the cortex the placement hints are NaN and the region is 0.

The column has the layer thicknesses of :mod:`.targets`. In the curved atlas the cortex is a sector
of a cylinder round the z axis, every layer is up to 15 % thicker or thinner than in the column,
and its third voxel dimension is negative, as in real atlases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow import layout
from region_grower_flow.example.targets import COLUMN_HEIGHT, LAYERS, THICKNESSES
from region_grower_flow.io.atomic import PathLike

CORTEX, AREAS = "CTX", ("S1", "S2")
"""Acronyms: the cortex, and its two areas; a layer is called ``S1;L4``."""
CORTEX_ID = 1

COLUMN_VOXEL = 20.0
COLUMN_WIDTH = 600.0
COLUMN_MARGIN_BELOW, COLUMN_MARGIN_ABOVE = 60.0, 100.0

CURVED_VOXEL = 40.0
CURVED_INNER_RADIUS = 3000.0
"""Distance (um) of the white matter from the axis of the cylinder."""
CURVED_HALF_ANGLE = np.deg2rad(20.0)
CURVED_LENGTH = 600.0
CURVED_VARIATION = 0.15
"""Largest relative deviation of a layer's thickness from the column's."""
CURVED_SHIFT = np.array([1200.0, -2500.0, 800.0])
"""Point where the cylinder's axis meets the middle of the sheet (um): not the atlas's origin."""

HINT_STEP = 0.5
"""Placement hints are rounded to this (um): they compress three times better."""
QUATERNION_STEP = np.float32(2.0**-12)
"""Quaternions are rounded to this, for the same reason."""


@dataclass(frozen=True)
class Grid:
    """The voxels of an atlas: ``shape``, ``voxel_dimensions`` and ``offset`` (um)."""

    shape: tuple[int, ...]
    voxel_dimensions: np.ndarray
    offset: np.ndarray

    def centers(self) -> np.ndarray:
        """(nx, ny, nz, 3): positions (um) of the voxels' centers."""
        indices = np.moveaxis(np.indices(self.shape), 0, -1)
        return self.offset + (indices + 0.5) * self.voxel_dimensions

    def indices(self, positions: np.ndarray) -> np.ndarray:
        """(n, 3) int: the voxels that hold the (n, 3) positions (um)."""
        return np.floor((positions - self.offset) / self.voxel_dimensions).astype(int)


@dataclass(frozen=True)
class AtlasArrays:
    """An atlas as arrays over its grid.

    Attributes:
        grid: the voxels.
        height: (nx, ny, nz) um from the white matter.
        boundaries: (nx, ny, nz, layers + 1) um from the white matter of the pia, of the borders
            between layers 1 and 2, 2 and 3 and so on, and of the white matter (0).
        area: (nx, ny, nz) index into :data:`AREAS`, -1 outside the cortex.
        angle: (nx, ny, nz) rad, turn round the z axis from y to the local direction of the pia.
    """

    grid: Grid
    height: np.ndarray
    boundaries: np.ndarray
    area: np.ndarray
    angle: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """(nx, ny, nz) bool: the voxel's center is in the cortex."""
        pia = self.boundaries[..., 0]
        return (self.area >= 0) & (self.height >= 0.0) & (self.height < pia)

    def region_ids(self) -> np.ndarray:
        """(nx, ny, nz) uint32: id of the layer in the hierarchy, 0 outside the cortex."""
        below = self.height[..., None] < self.boundaries[..., 1:-1]
        layer = 1 + below.sum(axis=-1)
        ids = np.where(self.area >= 0, layer_id(self.area, layer), 0)
        return np.where(self.inside, ids, 0).astype(np.uint32)


def column() -> AtlasArrays:
    """The :class:`AtlasArrays` of the column: y = 0 is the white matter, x = z = 0 its axis."""
    margins = COLUMN_MARGIN_BELOW, COLUMN_MARGIN_ABOVE
    return straight(THICKNESSES, COLUMN_WIDTH, margins, COLUMN_VOXEL)


def straight(
    thicknesses: Sequence[float], width: float, margins: tuple[float, float], voxel: float
) -> AtlasArrays:
    """The :class:`AtlasArrays` of a column whose lower end is y = 0 and whose axis is x = z = 0.

    Args:
        thicknesses: of its layers from the top down (um).
        width: um.
        margins: thickness of the voxels below and above the layers (um).
        voxel: size of the voxels (um).
    """
    height, (below, above) = sum(thicknesses), margins
    across = round(width / voxel)
    grid = Grid(
        (across, int(np.ceil((below + height + above) / voxel)), across),
        np.full(3, voxel),
        np.array([-width / 2, -below, -width / 2]),
    )
    boundaries = height - np.concatenate([[0.0], np.cumsum(thicknesses)])
    return AtlasArrays(
        grid,
        height=grid.centers()[..., 1],
        boundaries=np.broadcast_to(boundaries, (*grid.shape, len(boundaries))),
        area=np.zeros(grid.shape, dtype=np.int64),
        angle=np.zeros(grid.shape),
    )


def curved() -> AtlasArrays:
    """The :class:`AtlasArrays` of the curved sheet: S1 on one side of its middle, S2 beyond."""
    grid = _curved_grid()
    x, y, z = np.moveaxis(grid.centers() - CURVED_SHIFT, -1, 0)
    around = np.arctan2(x, y)
    height = np.hypot(x, y) - CURVED_INNER_RADIUS
    along = z / CURVED_LENGTH
    thicknesses = np.stack(
        [
            thickness * _thickness_factor(around / CURVED_HALF_ANGLE, along, i)
            for i, thickness in enumerate(THICKNESSES)
        ],
        axis=-1,
    )
    total = thicknesses.sum(axis=-1, keepdims=True)
    tops = total - np.concatenate([np.zeros_like(total), np.cumsum(thicknesses, axis=-1)], axis=-1)
    sector = (np.abs(around) < CURVED_HALF_ANGLE) & (np.abs(along) < 0.5)
    return AtlasArrays(
        grid,
        height=height,
        boundaries=tops,
        area=np.where(sector, (around >= 0.0).astype(np.int64), -1),
        angle=-around,
    )


def _thickness_factor(around: np.ndarray, along: np.ndarray, layer_index: int) -> np.ndarray:
    """1 +- 15 %: a wave along the curve (-1 to 1) and the axis, shifted from layer to layer."""
    phase = 0.5 * layer_index
    wave = 0.8 * np.sin(np.pi * around + phase) + 0.2 * np.cos(2.0 * np.pi * along + phase)
    return 1.0 + CURVED_VARIATION * wave


def _curved_grid() -> Grid:
    outer = CURVED_INNER_RADIUS + COLUMN_HEIGHT * (1.0 + CURVED_VARIATION)
    half_width = outer * np.sin(CURVED_HALF_ANGLE)
    low = np.array([-half_width, CURVED_INNER_RADIUS * np.cos(CURVED_HALF_ANGLE)])
    high = np.array([half_width, outer])
    shape = [*np.ceil((high - low) / CURVED_VOXEL).astype(int), round(CURVED_LENGTH / CURVED_VOXEL)]
    # The third dimension is negative, so that its offset is at the upper end.
    offset = CURVED_SHIFT + np.array([low[0], low[1], CURVED_LENGTH / 2])
    return Grid(tuple(shape), np.array([1.0, 1.0, -1.0]) * CURVED_VOXEL, offset)


def layer_id(area: Any, layer: Any) -> Any:
    """The id of a layer (its number, from 1 at the top) of an area (its index)."""
    return (area + 1) * 10 + layer


def hierarchy() -> dict[str, Any]:
    """The content of ``hierarchy.json``: the cortex, its areas, their layers."""
    areas = [
        region(100 + index, area, f"area {area} of the example cortex", [
            region(layer_id(index, layer), f"{area};L{layer}", f"{area}, layer {layer}")
            for layer in LAYERS
        ])
        for index, area in enumerate(AREAS)
    ]  # fmt: skip
    return region(CORTEX_ID, CORTEX, "example cortex", areas)


def region(
    number: int, acronym: str, name: str, children: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """A region of a hierarchy, with those below it."""
    return {"id": number, "acronym": acronym, "name": name, "children": list(children)}


def write_atlas(
    space: AtlasArrays,
    folder: PathLike,
    layers: Sequence[int | str] = LAYERS,
    regions: Mapping[str, Any] | None = None,
) -> None:
    """Write the volumes (gzip NRRD) and the hierarchy of ``space`` into ``folder``.

    Args:
        space: the AtlasArrays.
        folder: where.
        layers: what its layers are called, from the top down.
        regions: the content of ``hierarchy.json``; None: the cortex.
    """
    import json

    from region_grower_flow.io.voxcell import OrientationField, VoxelData

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    grid = space.grid

    def save(name: str, values: np.ndarray, kind: Callable[..., VoxelData] = VoxelData) -> None:
        data = kind(values, voxel_dimensions=grid.voxel_dimensions, offset=grid.offset)
        path = folder / f"{name}.nrrd"
        data.save_nrrd(str(path))
        _drop_date(path)

    inside = space.inside
    hints = np.where(inside[..., None], _rounded(space.boundaries), np.nan).astype(np.float32)
    for index, layer in enumerate(layers):
        save(layout.layer_hint(layer), hints[..., [index + 1, index]])
    save(layout.PRINCIPAL_AXIS, np.where(inside, _rounded(space.height), np.nan).astype(np.float32))
    save(layout.BRAIN_REGIONS, space.region_ids())
    save(layout.ORIENTATION, _quaternions(space.angle), OrientationField)
    text = json.dumps(hierarchy() if regions is None else regions, indent=1)
    (folder / layout.HIERARCHY).write_text(text + "\n", encoding="utf-8")


def _drop_date(path: Path) -> None:
    """Take the date out of a NRRD header: the same example is the same bytes."""
    header, end, payload = path.read_bytes().partition(b"\n\n")
    lines = [line for line in header.split(b"\n") if not line.startswith(b"# on ")]
    path.write_bytes(b"\n".join(lines) + end + payload)


def _quaternions(angle: np.ndarray) -> np.ndarray:
    """(..., 4) float32: w, x, y, z of a turn by ``angle`` (rad) round the z axis."""
    quaternions = np.zeros((*angle.shape, 4), dtype=np.float32)
    quaternions[..., 0] = np.cos(angle / 2.0)
    quaternions[..., 3] = np.sin(angle / 2.0)
    return np.round(quaternions / QUATERNION_STEP).astype(np.float32) * QUATERNION_STEP


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.round(np.asarray(values) / HINT_STEP) * HINT_STEP
