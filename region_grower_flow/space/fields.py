"""The atlas's orientation field: the rotation at a point, and the grid of its voxels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.files import stamp_of
from region_grower_flow.io.nrrd_volumes import read_volume


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """Conversion between positions (um) and voxel indices; mirrors region-grower's.

    Attributes:
        voxel_dimensions: (3,) um, negative where an axis runs backwards.
        offset: (3,) um, the position of the corner of voxel 0.
    """

    voxel_dimensions: np.ndarray
    offset: np.ndarray

    def to_indices(self, positions: np.ndarray) -> np.ndarray:
        """Fractional voxel indices of positions."""
        return (positions - self.offset) / self.voxel_dimensions

    def to_positions(self, indices: np.ndarray) -> np.ndarray:
        """Positions (um) of fractional voxel indices."""
        return indices * self.voxel_dimensions + self.offset


@dataclass(eq=False)
class RotationField:
    """The rotation of the atlas at each voxel, read at first use and shared by all cells.

    Attributes:
        path: the nrrd file of quaternions (w, x, y, z): int8 (in 1/127), float32 or float64.
        mapped: the file is unpacked (``io.nrrd_data.unpack_nrrd``), and not copied into memory.
    """

    path: Path
    mapped: bool = False

    def __deepcopy__(self, memo: dict[int, object]) -> RotationField:
        """The field is shared: NeuroTS deep-copies its context for every section."""
        return self

    @cached_property
    def volume(self) -> Any:
        """The ``voxcell.OrientationField``.

        Raises:
            InvalidInput: the file is missing or is no orientation field.
        """
        from region_grower_flow.io.voxcell import OrientationField

        return read_volume(self.path, OrientationField, self.mapped)

    def rotate(self, point: np.ndarray, vector: np.ndarray) -> np.ndarray | None:
        """``vector`` in the axes of the atlas at ``point`` (um): (3,), or None outside the atlas.

        NaN where the atlas has no orientation (a NaN quaternion).
        """
        from region_grower_flow.io.voxcell import VoxcellError

        try:
            rotation = self.volume.lookup(point)
        except VoxcellError:
            return None
        return np.dot(rotation, vector)[0]


def rotation_field(path: PathLike, mapped: bool = False) -> RotationField:
    """The field of a file, shared by all regions of a process for each version of the file.

    With ``mapped`` all processes of a machine share it, see :class:`RotationField`.
    """
    # The sentence for a missing file is said at first use.
    return _shared_field(Path(path), mapped, *(stamp_of(path) or ()))


@lru_cache(maxsize=8)
def _shared_field(path: Path, mapped: bool, *_stamp: object) -> RotationField:
    return RotationField(path, mapped)
