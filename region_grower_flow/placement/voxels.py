"""The voxels of an atlas by region, and those that may hold somata."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.atlas.plausible import unknown_id_note
from region_grower_flow.atlas.regions import load_region_map
from region_grower_flow.atlas.volumes import (
    geometry_differences,
    load_volume,
    per_voxel,
    read_geometry,
    volume_path,
)
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.schemas import did_you_mean
from region_grower_flow.layout import BRAIN_REGIONS

if TYPE_CHECKING:
    from region_grower_flow.io.voxcell import RegionMap, VoxelData

UM3_PER_MM3 = 1e9


class Voxels:
    """The annotated voxels of an atlas.

    Voxels are named by their index into the flattened volume (C order).

    Args:
        volume: :class:`voxcell.VoxelData` of region ids.
        region_map: :class:`voxcell.RegionMap`.
        where: the atlas, for messages.
    """

    def __init__(self, volume: VoxelData, region_map: RegionMap, where: PathLike) -> None:
        self.volume, self.region_map, self.where = volume, region_map, where
        self._ids = np.ascontiguousarray(volume.raw).reshape(-1)

    @classmethod
    def load(cls, atlas_dir: PathLike) -> Voxels:
        """Those of an atlas folder.

        Raises:
            InvalidInput: its hierarchy or its volume of regions is absent or broken.
        """
        return cls(load_volume(atlas_dir, BRAIN_REGIONS), load_region_map(atlas_dir), atlas_dir)

    @property
    def size(self) -> np.ndarray:
        """(3,) absolute size of a voxel along each axis (um)."""
        return np.abs(self.volume.voxel_dimensions).astype(np.float64)

    @property
    def mm3(self) -> float:
        """The volume of a voxel (mm3)."""
        return float(np.prod(self.size)) / UM3_PER_MM3

    @functools.cached_property
    def acronyms(self) -> dict[int, str]:
        """{id: acronym} of all regions of the hierarchy."""
        return self.region_map.as_dataframe()["acronym"].to_dict()

    def ids(self, query: str) -> set[int]:
        """The ids of the regions that a query finds, and of those below them.

        Mirrors voxcell's ``Atlas.get_region_mask``: an acronym, or "@" and a regular expression
        that is looked for anywhere in the acronyms.

        Raises:
            InvalidInput: no region is found.
        """
        try:
            found = self.region_map.find(query, "acronym", with_descendants=True)
        except re.error as error:
            problem = f"{query!r} is not '@' and a regular expression ({error})"
            raise InvalidInput(problem, where=self.where) from error
        if not found:
            hint = did_you_mean(query.lstrip("@"), self.acronyms.values())
            raise InvalidInput(f"the atlas has no region {query!r}", self.where, hint)
        return found

    def of(self, query: str, allowed: np.ndarray | None = None) -> np.ndarray:
        """(n,) int64, the voxels of a region in rising order; only those ``allowed`` (bool)."""
        ids = self.ids(query)
        found = [self._voxels_of_id[i] for i in ids if i in self._voxels_of_id]
        voxels = np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
        return voxels if allowed is None else voxels[allowed.reshape(-1)[voxels]]

    def mask(self, query: str) -> np.ndarray:
        """(nx, ny, nz) bool, the voxels of a region."""
        mask = np.zeros(self._ids.shape, dtype=bool)
        mask[self.of(query)] = True
        return mask.reshape(self.volume.shape)

    def ids_at(self, voxels: np.ndarray) -> np.ndarray:
        """(n,) the region ids of voxels."""
        return self._ids[voxels]

    def unknown_ids(self) -> str | None:
        """A sentence on ids of voxels that the hierarchy lacks, None when it has all of them."""
        counts = {i: len(voxels) for i, voxels in self._voxels_of_id.items()}
        return unknown_id_note(counts, self.region_map, "voxels of regions")

    def indices(self, voxels: np.ndarray) -> np.ndarray:
        """(n, 3) int64, the voxels' indices along the three axes."""
        return np.column_stack(np.unravel_index(voxels, self.volume.shape))

    def positions(self, indices: np.ndarray) -> np.ndarray:
        """(n, 3) float64 um of places given in voxels (whole numbers are corners)."""
        volume = self.volume
        return indices * volume.voxel_dimensions.astype(np.float64) + volume.offset

    @functools.cached_property
    def _voxels_of_id(self) -> dict[int, np.ndarray]:
        """{id: its voxels}; the volume is sorted once, however many regions are asked for."""
        inside = np.flatnonzero(self._ids)
        order = inside[np.argsort(self._ids[inside], kind="stable")]
        ids, starts = np.unique(self._ids[order], return_index=True)
        parts = np.split(order, starts[1:]) if len(ids) else []
        return dict(zip(ids.tolist(), parts, strict=True))


def geometry_problem(
    voxels: Voxels, folder: PathLike, name: str, payload: tuple[int, ...] = ()
) -> InvalidInput | None:
    """The difference between the space of a volume and that of the regions: InvalidInput, or None.

    Args:
        voxels: Voxels.
        folder, name: of the volume.
        payload: the shape of what each voxel holds: () for a number.

    Raises:
        InvalidInput: the volume is absent or its header broken.
    """
    geometry, found = read_geometry(folder, name)
    where = volume_path(folder, name)
    if found != payload:
        return InvalidInput(f"has {per_voxel(found)}, expected {per_voxel(payload)}", where)
    for ours, theirs in geometry_differences(geometry, voxels.volume):
        return InvalidInput(f"has {ours}, the atlas's regions have {theirs}", where)
    return None


def load_values(voxels: Voxels, folder: PathLike, name: str) -> np.ndarray:
    """The values of a volume in the space of the regions, flattened.

    Raises:
        InvalidInput: it is absent, broken or of another space.
    """
    problem = geometry_problem(voxels, folder, name)
    if problem is not None:
        raise problem
    values = load_volume(folder, name).raw
    if values.dtype.kind not in "fiub":
        raise InvalidInput("holds no numbers", volume_path(folder, name))
    return np.ascontiguousarray(values).reshape(-1)


def named_volume(text: str, atlas_dir: PathLike) -> tuple[Path, str]:
    """(folder, name) of a volume given as a path (``.nrrd``) or by its name in the atlas."""
    path = Path(text)
    if path.suffix == ".nrrd":
        return path.parent, path.name.removesuffix(".nrrd")
    return Path(atlas_dir), text


def boundary_distance(region: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Least distance of the voxels of a region from its boundary.

    The distance is that from any point of the voxel to the nearest point outside of the region (of
    a voxel of another region, or beyond the atlas): a cell placed anywhere in a voxel with the
    value d is at least d away. Next to the boundary it is 0. Between two voxels it is the
    distance of two boxes; it is computed as the distance between centers after the outside has
    grown by one voxel in all directions, which is the same.

    Args:
        region: (nx, ny, nz) bool.
        size: (3,) size of a voxel (um).

    Returns:
        (nx, ny, nz) float32, um; 0 outside.
    """
    from scipy import ndimage

    distance = np.zeros(region.shape, dtype=np.float32)
    occupied = np.argwhere(region)
    if not len(occupied):
        return distance
    low, high = occupied.min(axis=0), occupied.max(axis=0) + 1
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    outside = np.pad(~region[box], 1, constant_values=True)
    grown = ndimage.binary_dilation(outside, structure=np.ones((3, 3, 3), dtype=bool))
    inner = ndimage.distance_transform_edt(~grown, sampling=size)
    distance[box] = inner[1:-1, 1:-1, 1:-1]
    return distance
