"""All morphologies of a circuit in one HDF5 file that ``morphio.Collection`` reads (3.3.5 on).

One group a cell, named as in the nodes' column ``morphology``, in the layout of a morphology file.
The datasets are contiguous and uncompressed, since the HDF5 in MorphIO's wheels has no filters,
and the names have no folders, since bluepysnap compares them with the keys of the root.
"""

from __future__ import annotations

import itertools
import os
from array import array
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io import container_file
from region_grower_flow.io.atomic import PathLike, atomic_write
from region_grower_flow.io.container_file import ALIGNMENT, CELL_BYTES, NameTable
from region_grower_flow.io.morphology_h5 import METADATA, decode_h5, h5_tables
from region_grower_flow.morphology import FlatMorphology

Content: TypeAlias = FlatMorphology | bytes | bytearray | memoryview
"""A morphology, or the bytes of an HDF5 morphology file."""

_COLUMNS = 4
"""Numbers that are kept of each cell: see :func:`container_file.cell_headers`."""


def write_container(path: PathLike, items: Iterable[tuple[str, Content]]) -> None:
    """Write morphologies into one container, one at a time (they are never all in memory).

    Args:
        path: the file to write (atomically).
        items: iterable of (name, FlatMorphology or the bytes of an HDF5 morphology file, whose
            checksum has been compared); the names are those of the nodes, "/" included when
            morphologies are spread over folders.

    Raises:
        InvalidInput: a name that is empty, is no path below the root or is there twice, or bytes
            that are not a morphology; nothing is written then.
        OutputFailed: the file cannot be written.
    """
    names: list[bytes] = []
    tables = array("q")
    with atomic_write(path) as temporary, open(temporary, "xb", buffering=0) as raw:
        file = _Appending(raw.fileno())
        file.write(bytes(container_file.SUPERBLOCK_BYTES))
        for name, content in items:
            names.append(_checked_name(name))
            points, structure = _tables_of(name, content)
            tables.extend((file.end, len(points)))
            start = file.end + points.nbytes
            gap = -start % ALIGNMENT
            tables.extend((start + gap, len(structure)))
            rest = -structure.nbytes % ALIGNMENT
            file.write(points, bytes(gap), structure, bytes(rest))
        numbers = np.frombuffer(tables, np.int64).reshape(-1, _COLUMNS)
        root = _write_names(file, names, *_write_headers(file, numbers))
        os.pwrite(raw.fileno(), container_file.superblock(root, file.end), 0)


class _Appending:
    """A file that is written from its beginning to its end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self.end = descriptor, 0

    def write(self, *parts: Any) -> None:
        """Write all of some bytes and arrays; raises OSError."""
        views = [memoryview(_as_bytes(part)) for part in parts if len(part)]
        while views:
            written = os.writev(self._descriptor, views)
            self.end += written
            while views and written >= len(views[0]):
                written -= len(views.pop(0))
            if views:
                views[0] = views[0][written:]


def _as_bytes(part: Any) -> Any:
    return part.reshape(-1).view(np.uint8) if isinstance(part, np.ndarray) else part


def _checked_name(name: str) -> bytes:
    if not name or "\0" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise InvalidInput(f"{name!r} cannot be the name of a morphology in a container")
    return name.encode()


def _tables_of(name: str, content: Content) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(content, FlatMorphology):
        tables = h5_tables(content)
    else:
        try:
            tables = decode_h5(content, verified=True)
        except InvalidInput as error:
            raise InvalidInput(error.problem, where=f"the morphology {name!r}") from error
    points, structure = tables
    return np.ascontiguousarray(points, "<f4"), np.ascontiguousarray(structure, "<i4")


def _write_headers(
    file: _Appending, numbers: npt.NDArray[np.int64]
) -> tuple[int, npt.NDArray[np.uint64]]:
    """Write the headers of all cells; returns the address of the first, and all addresses."""
    metadata = file.end
    if len(numbers):
        file.write(container_file.metadata_group(METADATA, len(numbers)))
    first = file.end
    for headers in container_file.cell_headers(numbers, first, metadata):
        file.write(headers)
    return first, container_file.addresses(first, CELL_BYTES, len(numbers))


def _write_names(
    file: _Appending, names: list[bytes], first: int, headers: npt.NDArray[np.uint64]
) -> NameTable:
    """Write the groups of a container, a folder's after those in it; returns the root."""
    order = sorted(range(len(names)), key=names.__getitem__)
    pairs = itertools.pairwise(order)
    twice = next((a for a, b in pairs if names[a] == names[b]), None)
    if twice is not None:
        raise InvalidInput(f"the morphology {names[twice].decode()!r} is there twice")
    return _write_folder(file, [names[i] for i in order], headers[order])


def _write_folder(
    file: _Appending, names: list[bytes], headers: npt.NDArray[np.uint64]
) -> NameTable:
    """Write the group of some names (sorted), and those of the folders among them before it."""
    if any(b"/" in name for name in names):
        names, headers = _with_folders(file, names, headers)
    table = NameTable(names, headers, file.end)
    for part in table.parts():
        file.write(part)
    return table


def _with_folders(
    file: _Appending, names: list[bytes], headers: npt.NDArray[np.uint64]
) -> tuple[list[bytes], npt.NDArray[np.uint64]]:
    """The members of a group, sorted, and their addresses; the folders among them are written."""
    members: dict[bytes, int] = {}
    place = 0
    while place < len(names):
        member, slash, _ = names[place].partition(b"/")
        if member in members:
            raise InvalidInput(f"{member.decode()!r} is both a morphology and a folder of others")
        last = place + 1
        if slash:
            while last < len(names) and names[last].startswith(member + slash):
                last += 1
            below = [name[len(member) + 1 :] for name in names[place:last]]
            members[member] = _write_folder(file, below, headers[place:last]).header
        else:
            members[member] = int(headers[place])
        place = last
    # A folder's names stand behind those that go on with what is before "/", as "-".
    return sorted(members), np.array([members[m] for m in sorted(members)], dtype=np.uint64)
