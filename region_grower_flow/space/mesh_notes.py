"""Meshes that never act because they are elsewhere: in another unit, in voxels, or far away.

Units are what users of meshes get wrong most: nm or mm for um, voxel indices for um, or the other
way round. A boundary acts within ``d_max`` of its surface, so a mesh no part of whose surface comes
that near to the atlas does nothing, wherever its cells are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.errors import some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.space.constraints import D_MAX
from region_grower_flow.space.meshes import load_mesh, mesh_paths, mesh_place

if TYPE_CHECKING:
    from region_grower_flow.space.fields import VoxelGrid

SMALL = 1.0
"""Size, in voxels, that no surface of a brain is as small as."""
_DISTANCES = ("params_section", "params_trunk")


def mesh_notes(
    entry: Mapping[str, Any],
    where: str,
    base_dir: PathLike,
    grid: VoxelGrid,
    shape: np.ndarray,
) -> list[str]:
    """Oddities in the places of the meshes of a region's boundaries, as sentences.

    Args:
        entry: the region's entry of the region structure, which passed the checks.
        where: what the sentences begin with (file and region).
        base_dir: the folder that relative paths start from.
        grid: VoxelGrid of the atlas.
        shape: (3,) its numbers of voxels.
    """
    notes = []
    for i, boundary in enumerate(entry.get("boundaries") or ()):
        path = mesh_place(base_dir, boundary["path"])
        paths = mesh_paths(path) if path.is_dir() else [path]
        reach = max(
            [(boundary.get(k) or {}).get("d_max", D_MAX) for k in _DISTANCES if boundary.get(k)]
            or [D_MAX]
        )
        in_voxels = boundary.get("mesh_type", "voxel") == "voxel"
        found: dict[str, list[Path]] = {}
        for mesh in paths:
            word = _oddness(load_mesh(mesh).triangles, grid, shape, reach, in_voxels)
            if word:
                found.setdefault(word, []).append(mesh)
        for word, meshes in found.items():
            which = f"the mesh {meshes[0]}"
            if len(paths) > 1:
                names = some([mesh.name for mesh in meshes], 3)
                which = f"{len(meshes)} of the {len(paths)} meshes in {path} ({names})"
            notes.append(f"{where}, boundaries/{i}: {which} {word}")
    return notes


def _oddness(
    triangles: np.ndarray, grid: VoxelGrid, shape: np.ndarray, reach: float, in_voxels: bool
) -> str:
    """Oddity of one mesh, as the end of a sentence ('' without any)."""
    corners = np.asarray(triangles, dtype=float)
    if in_voxels:
        corners = grid.to_positions(corners)
    lower, upper = corners.min(axis=1), corners.max(axis=1)
    box = np.sort(np.array([grid.offset, grid.to_positions(np.array(shape, float))]), axis=0)
    near = ((lower - reach <= box[1]) & (upper + reach >= box[0])).all(axis=1)
    kind = "voxels (mesh_type)" if in_voxels else "um (mesh_type)"
    if not near.any():
        lowest, highest = _span(lower.min(axis=0)), _span(upper.max(axis=0))
        return (
            f"is nowhere within {reach:g} um of the atlas ({_span(box[0])} to {_span(box[1])} um; "
            f"the mesh as {kind}: {lowest} to {highest} um), so it never acts: is it in nm, mm or "
            f"{'um' if in_voxels else 'voxels'}?"
        )
    size = float((upper.max(axis=0) - lower.min(axis=0)).max())
    voxel = float(np.abs(grid.voxel_dimensions).max())
    if size < SMALL * voxel or (not in_voxels and _looks_like_indices(lower, upper, box, shape)):
        return (
            f"is {size:.3g} um large as {kind}, voxels are {voxel:.3g} um: is it in mm"
            f"{'' if in_voxels else ' or in voxels'}?"
        )
    return ""


def _looks_like_indices(
    lower: np.ndarray, upper: np.ndarray, box: np.ndarray, shape: np.ndarray
) -> bool:
    """True if a mesh in um has the size of the atlas counted in voxels, and its place."""
    lowest, highest = lower.min(axis=0), upper.max(axis=0)
    fits = (lowest >= -1).all() and (highest <= np.array(shape) + 1).all()
    large = ((highest - lowest) > 0.5 * np.array(shape)).any()
    return bool(fits and large and ((highest - lowest) < 0.2 * (box[1] - box[0])).all())


def _span(corner: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:.4g}" for value in corner) + ")"
