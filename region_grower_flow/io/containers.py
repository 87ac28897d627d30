"""All morphologies of a circuit in one HDF5 file that ``morphio.Collection`` reads (3.3.5 on).

One group a cell, named as in the nodes' column ``morphology``, in the layout of a morphology file.
The datasets are contiguous and uncompressed, since the HDF5 in MorphIO's wheels has no filters,
and the names have no folders, since bluepysnap compares them with the keys of the root.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.hdf5 import hdf5_file
from region_grower_flow.io.morphology_h5 import decode_h5, write_group, write_tables
from region_grower_flow.morphology import FlatMorphology

if TYPE_CHECKING:
    import h5py

Content: TypeAlias = bytes | bytearray | memoryview
"""The bytes of an HDF5 morphology file."""


def write_container(path: PathLike, items: Iterable[tuple[str, FlatMorphology | Content]]) -> None:
    """Write morphologies into one container, one at a time (they are never all in memory).

    Args:
        path: the file to write (atomically).
        items: iterable of (name, FlatMorphology or the bytes of an HDF5 morphology file); the names
            are those of the nodes, "/" included when morphologies are spread over folders.

    Raises:
        InvalidInput: a name that is empty, is no path below the root or is there twice, or bytes
            that are not a morphology; nothing is written then.
        OutputFailed: the file cannot be written.
    """
    metadata = None
    with hdf5_file(path) as (file, check):
        for name, content in items:
            group = _new_group(file, name)
            _write(group, name, content, metadata)
            metadata = metadata or group["metadata"]
            check()


def _new_group(file: h5py.File, name: str) -> h5py.Group:
    if not name or "" in name.split("/") or {".", ".."} & set(name.split("/")):
        raise InvalidInput(f"{name!r} cannot be the name of a morphology in a container")
    if name in file:
        raise InvalidInput(f"the morphology {name!r} is there twice")
    return file.create_group(name)


def _write(
    group: h5py.Group, name: str, content: FlatMorphology | Content, metadata: h5py.Group | None
) -> None:
    if not isinstance(content, Content):
        write_group(group, content, metadata)
        return
    try:
        tables = decode_h5(content)
    except InvalidInput as error:
        raise InvalidInput(error.problem, where=f"the morphology {name!r}") from error
    write_tables(group, *tables, metadata)
