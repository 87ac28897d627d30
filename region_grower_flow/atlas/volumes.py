"""The volumes of an atlas folder (NRRD files), with readable errors."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike, remove_own
from region_grower_flow.io.nrrd_volumes import (
    memory_of,
    read_header,
    read_volume,
    unpack_volume,
)
from region_grower_flow.io.schemas import did_you_mean
from region_grower_flow.layout import ORIENTATION, PRINCIPAL_AXIS

if TYPE_CHECKING:
    from region_grower_flow.io.voxcell import VoxelData

_SUFFIX = ".nrrd"
SHARED_BYTES = 32 << 20
"""Size of orientations in memory from which processes share them."""
_OTHER_FORMS = {
    ".nhdr": "write header and values into one file (.nrrd)",
    ".nrrd.gz": "unpack it, or write it with the encoding gzip",
    ".nii": "convert it to NRRD",
    ".nii.gz": "convert it to NRRD",
    ".tif*": "convert it to NRRD",
    ".NRRD": "its name must end with .nrrd",
}
_ROUNDING = 1e-7
"""Voxels: positions this close to the border count as inside (as in voxcell)."""
_TOLERANCE = 1e-4
"""Relative difference of voxel sizes and corners that the printing of numbers explains."""


class HasGeometry(Protocol):
    """A volume or its :class:`Geometry`: lengths in um, three numbers each."""

    @property
    def shape(self) -> Sequence[int]:
        """Number of voxels along each axis."""

    @property
    def voxel_dimensions(self) -> Sequence[float] | np.ndarray:
        """Their size; a negative one counts from the far end of its axis."""

    @property
    def offset(self) -> Sequence[float] | np.ndarray:
        """The corner of the first voxel."""


@dataclass(frozen=True)
class Geometry:
    """Place of a volume: number of voxels, their size and the corner (um; sizes may be < 0)."""

    shape: tuple[int, ...]
    voxel_dimensions: tuple[float, ...]
    offset: tuple[float, ...]

    def outside(self, positions: np.ndarray) -> np.ndarray:
        """(N,) bool: which of the (N, 3) positions are outside, or not finite.

        It is voxcell's answer, except that voxcell takes a position beyond the far end of an axis
        with negative voxel size to be in the last voxel; here it is outside.
        """
        from region_grower_flow.io.voxcell import VoxelData

        positions = np.asarray(positions).reshape(-1, 3)
        finite = np.isfinite(positions).all(axis=-1)
        # A volume of the right shape that takes no memory.
        probe = VoxelData(
            np.broadcast_to(np.int8(0), self.shape), self.voxel_dimensions, self.offset
        )
        inner = np.where(finite[:, np.newaxis], positions, probe.offset)
        indices = probe.positions_to_indices(inner, strict=False)
        fractions = (inner - probe.offset) / probe.voxel_dimensions
        beyond = (fractions > np.array(self.shape) + _ROUNDING).any(axis=-1)
        return ~finite | beyond | (indices == VoxelData.OUT_OF_BOUNDS).any(axis=-1)


def geometry_differences(ours: HasGeometry, theirs: HasGeometry) -> Iterator[tuple[str, str]]:
    """Differences between the spaces of two volumes: (what it has, what the other has).

    Args:
        ours, theirs: a Geometry or a voxcell.VoxelData each.
    """
    if tuple(ours.shape) != tuple(theirs.shape):
        yield f"{_times(ours.shape)} voxels", _times(theirs.shape)
    scale = np.abs(theirs.voxel_dimensions).max()
    for name, words in (("voxel_dimensions", "voxels of"), ("offset", "its corner at")):
        own, other = getattr(ours, name), getattr(theirs, name)
        if np.abs(np.subtract(own, other)).max() > _TOLERANCE * scale:
            yield f"{words} {_numbers(own)} um", f"{_numbers(other)} um"


def per_voxel(payload: tuple[int, ...]) -> str:
    """The shape of what each voxel of a volume holds, as words."""
    count = int(np.prod(payload)) if payload else 1
    return f"{count} number{'s' if count > 1 else ''} per voxel"


def _times(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape))


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def volume_path(atlas_dir: PathLike, name: str) -> Path:
    """The file of the volume ``name``."""
    return Path(atlas_dir) / f"{name}{_SUFFIX}"


def hinted_layers(atlas_dir: PathLike) -> list[str]:
    """The names of the layers that an atlas has hints ([PH] volumes) of."""
    names = sorted(path.stem for path in Path(atlas_dir).glob(f"[[]PH]*{_SUFFIX}"))
    return [name.removeprefix("[PH]") for name in names if name != PRINCIPAL_AXIS]


def load_volume(atlas_dir: PathLike, name: str) -> VoxelData:
    """Load a volume as :class:`voxcell.VoxelData` (``orientation``: OrientationField).

    Raises:
        InvalidInput: the file is absent, unreadable or no volume of this kind.
    """
    from region_grower_flow.io.voxcell import OrientationField, VoxelData

    kind = OrientationField if name == ORIENTATION else VoxelData
    return read_volume(_existing(atlas_dir, name), kind)


def unpack_orientations(atlas_dir: PathLike, target: PathLike) -> bool:
    """Write the orientations unpacked where they are large; else remove what is there.

    Args:
        atlas_dir: the atlas's folder.
        target: the file, which many processes then share instead of holding a copy each.

    Returns:
        True when the file is there.

    Raises:
        InvalidInput: the volume is absent or unreadable.
        OutputFailed: the file cannot be written or removed.
    """
    path = _existing(atlas_dir, ORIENTATION)
    if memory_of(path) < SHARED_BYTES:
        remove_own(target)
        return False
    unpack_volume(path, target)
    return True


def read_geometry(atlas_dir: PathLike, name: str) -> tuple[Geometry, tuple[int, ...]]:
    """The geometry and payload shape of a volume from its header: (Geometry, tuple).

    Raises:
        InvalidInput: the file is absent or its header broken, or of a form that is not read.
    """
    shape, spacings, offset, payload = read_header(_existing(atlas_dir, name))
    return Geometry(shape, tuple(spacings.tolist()), tuple(offset.tolist())), payload


def _existing(atlas_dir: PathLike, name: str) -> Path:
    path = volume_path(atlas_dir, name)
    if not path.is_file():
        folder = Path(atlas_dir)
        there = [file.stem for file in folder.glob(f"*{_SUFFIX}")] if folder.is_dir() else []
        raise InvalidInput(
            f"the atlas has no volume {name!r}: the file does not exist",
            where=path,
            # Hints ([PH]1, [PH]y) resemble each other, and mean other things.
            hint=other_volumes(folder, name)
            or (None if name.startswith("[") else did_you_mean(name, there)),
        )
    return path


def other_volumes(atlas_dir: PathLike, name: str = "*") -> str | None:
    """A hint where a folder has a volume in a form that is not read; None otherwise."""
    folder, stem = Path(atlas_dir), glob.escape(name) if name != "*" else name
    for suffix, how in _OTHER_FORMS.items():
        if found := sorted(folder.glob(f"{stem}{suffix}")) if folder.is_dir() else []:
            return f"there is {found[0].name}: {how}"
    return None


def rotations_at(volume: VoxelData, positions: np.ndarray) -> np.ndarray:
    """(N, 3, 3) rotations of an orientation field at positions (um), NaN where it has none.

    Atlases hold zeros outside of their regions: a quaternion of zeros is no rotation, which voxcell
    would take for the identity.
    """
    from region_grower_flow.io.voxcell import VoxelData

    with np.errstate(invalid="ignore"):  # infinite numbers, which become NaN
        rotations = volume.lookup(positions)
    nothing = ~VoxelData.lookup(volume, positions).any(axis=-1)
    if nothing.any():
        rotations = rotations.copy()
        rotations[nothing] = np.nan
    return rotations


def usable_heights(values: np.ndarray) -> np.ndarray:
    """Values of a [PH] volume of which differences are taken, which do not wrap around below 0.

    An infinite height is unknown, as NaN is; it is changed in place.

    Args:
        values: looked up in the volume (um), a copy.
    """
    if values.dtype.kind == "u":
        return values.astype(np.int64)
    if values.dtype.kind == "f":
        values[np.isinf(values)] = np.nan
    return values
