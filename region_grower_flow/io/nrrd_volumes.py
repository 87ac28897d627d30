"""NRRD volumes: read as voxcell reads them, and what it cannot read told by its cause.

Mirrors ``voxcell.VoxelData.load_nrrd``. What differs: big-endian values are read, every named
``space`` is, noise of the rounding beside the diagonal is none, and a header with permuted or
rotated axes, another unit or no voxel sizes is refused in a sentence of its own.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.errors import FlowError, InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.nrrd_data import (
    read_nrrd,
    read_nrrd_header,
    unpack_nrrd,
    unpacked_bytes,
)

if TYPE_CHECKING:
    from region_grower_flow.io.voxcell import VoxelData

NDIM = 3
_NOISE = 1e-5
"""Share of a voxel beside the diagonal that writers leave of a rotation that is none."""
_OTHER_UNITS = {
    "nm": 1e-3, "nanometer": 1e-3, "nanometers": 1e-3, "nanometre": 1e-3, "nanometres": 1e-3,
    "mm": 1e3, "millimeter": 1e3, "millimeters": 1e3, "millimetre": 1e3, "millimetres": 1e3,
    "cm": 1e4, "m": 1e6, "meter": 1e6, "meters": 1e6,
}  # fmt: skip
"""Micrometers of other units that headers name."""
PLAUSIBLE_VOXELS = (0.5, 2000.0)
"""Sizes of voxels (um) that atlases have."""


def read_volume(
    path: PathLike, kind: type[VoxelData] | None = None, mapped: bool = False
) -> VoxelData:
    """The volume of a file, as voxcell's class ``kind`` (None: VoxelData).

    With ``mapped`` its values are those of an unpacked file, see ``io.nrrd_data.unpack_nrrd``.

    Raises:
        InvalidInput: the file is absent, broken, or of a form that is not read.
    """
    from region_grower_flow.io.voxcell import VoxelData

    with _in_sentences(path):
        data, header = read_nrrd(path, mapped)
        spacings, offset, payload = header_geometry(header, path)
        raw = np.moveaxis(data, range(len(payload)), range(NDIM, NDIM + len(payload)))
        return (kind or VoxelData)(native(raw), spacings, offset)


def unpack_volume(path: PathLike, target: PathLike) -> None:
    """Write a volume unpacked, to be ``mapped``, see ``io.nrrd_data.unpack_nrrd``.

    Raises:
        InvalidInput: the file is absent, broken, or of a form that is not read.
        OutputFailed: the target cannot be written.
    """
    with _in_sentences(path):
        unpack_nrrd(path, target)


def memory_of(path: PathLike) -> int:
    """Bytes of a volume's values in memory, by its header; raises InvalidInput."""
    with _in_sentences(path):
        return unpacked_bytes(path)


@contextlib.contextmanager
def _in_sentences(path: PathLike) -> Iterator[None]:
    """Turns errors of pynrrd and voxcell on a file into an InvalidInput."""
    import nrrd

    from region_grower_flow.io.voxcell import VoxcellError

    try:
        yield
    except FlowError:
        raise
    except broken(nrrd, VoxcellError) as error:
        raise unreadable(path, error) from error


def read_header(path: PathLike) -> tuple[tuple[int, ...], np.ndarray, np.ndarray, tuple[int, ...]]:
    """The header of a file: (shape, sizes of voxels, corner, shape of what a voxel holds).

    Raises:
        InvalidInput: the file is absent, broken, or of a form that is not read.
    """
    with _in_sentences(path):
        header = read_nrrd_header(path)
        sizes = [int(size) for size in header["sizes"]]
        spacings, offset, payload = header_geometry(header, path)
        return tuple(sizes[-NDIM:]), spacings, offset, payload


def native(raw: np.ndarray) -> np.ndarray:
    """The same values in the byte order of this machine."""
    return raw.astype(raw.dtype.newbyteorder("="), copy=False)


def header_geometry(
    header: Mapping[str, Any], where: object
) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """(voxel sizes, corner, shape of what a voxel holds) of an NRRD header; float32, um.

    Raises:
        InvalidInput: voxcell's volumes cannot have this geometry.
    """
    sizes = [int(size) for size in header["sizes"]]
    if "space directions" in header:
        spacings = _diagonal(header["space directions"], where)
    elif "spacings" in header:
        spacings = np.array(header["spacings"][-NDIM:], dtype=np.float32)
    else:
        problem = "its header has neither 'space directions' nor 'spacings'"
        raise InvalidInput(problem, where, "write the size of its voxels (um)")
    offset = np.array(header.get("space origin", [0.0] * NDIM), dtype=np.float32)
    if not len(sizes) >= len(spacings) == len(offset) == NDIM:
        raise InvalidInput("is not a volume with three dimensions of space", where=where)
    if not (np.isfinite(spacings).all() and spacings.all() and np.isfinite(offset).all()):
        text = ", ".join(f"{size:g}" for size in spacings)
        raise InvalidInput(f"its voxels have the sizes {text} (um)", where, "mend its header")
    _check_units(header, spacings, where)
    return spacings, offset, tuple(sizes[:-NDIM])


def _diagonal(directions: Iterable[np.ndarray | None], where: object) -> np.ndarray:
    rows = [np.full(NDIM, np.nan) if row is None else row for row in directions]
    if len(rows) < NDIM:
        raise InvalidInput("is not a volume with three dimensions of space", where=where)
    matrix = np.array(rows[-NDIM:], dtype=np.float64)
    if np.isnan(matrix).any() and len(rows) > NDIM:
        raise InvalidInput(
            "what its voxels hold is along its last axis ('space directions'), expected along the "
            "first",
            where,
        )
    if matrix.shape != (NDIM, NDIM):
        raise InvalidInput("is not a volume with three dimensions of space", where=where)
    beside = matrix - np.diag(np.diagonal(matrix))
    if np.abs(beside).max() > _NOISE * np.abs(matrix).max():
        how = "permuted" if (np.count_nonzero(matrix, axis=0) == 1).all() else "rotated"
        raise InvalidInput(
            f"its axes are {how}: only diagonal 'space directions' are supported",
            where,
            "write the volume again with its axes in the order x, y, z",
        )
    return np.diagonal(matrix).astype(np.float32)


def _check_units(header: Mapping[str, Any], spacings: np.ndarray, where: object) -> None:
    """Refuse a volume that says it is in another unit, where its voxels then have a likely size."""
    units = [str(unit or "").strip().lower() for unit in header.get("space units") or ()]
    units = units or [str(unit or "").strip().lower() for unit in header.get("units") or ()][-NDIM:]
    for unit, size in zip(units[-NDIM:], np.abs(spacings), strict=False):
        factor = _OTHER_UNITS.get(unit.strip("'\""))
        # A header that says mm and has voxels of 25 was never in mm.
        if factor and PLAUSIBLE_VOXELS[0] <= size * factor <= PLAUSIBLE_VOXELS[1]:
            raise InvalidInput(
                f"its 'space units' are {unit}, expected um",
                where,
                "write sizes and origin in um (and the heights of [PH] volumes)",
            )


def broken(nrrd: ModuleType, voxcell_error: type[Exception]) -> tuple[type[BaseException], ...]:
    """Errors that the readers raise on a damaged or strange file."""
    return (
        nrrd.NRRDError, voxcell_error, zlib.error, OSError, EOFError, ValueError, TypeError,
        LookupError, AttributeError, AssertionError, NotImplementedError, OverflowError,
        MemoryError, StopIteration,
    )  # fmt: skip


def unreadable(path: PathLike, error: BaseException) -> InvalidInput:
    """The sentence for a file that the readers refuse."""
    if isinstance(error, FileNotFoundError) or not Path(path).exists():
        return InvalidInput("the volume does not exist", where=path)
    reason = " ".join(str(error).split()) or type(error).__name__
    # voxcell's words on orientations.
    hint = "write it as float32" if "dtype" in reason else "is it a complete NRRD file?"
    return InvalidInput(f"the volume cannot be read ({reason})", where=path, hint=hint)
