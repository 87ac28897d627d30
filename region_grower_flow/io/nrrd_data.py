"""The values of NRRD files, read within the bounds that their headers set.

pynrrd parses the header and knows the types. What is done here is what it leaves open: values are
in the file itself, skips end within it, and what is compressed gives no more than the header says.
"""

import bz2
import gzip
import io
import math
import re
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike, atomic_write
from region_grower_flow.io.files import reading

HEADER_BYTES = 1 << 20
"""Greatest size of a header, which is some lines of text."""
MOST_COMPRESSED = {"gzip": 1100, "gz": 1100, "bzip2": None, "bz2": None}
"""Values that a compressed byte can hold at most, in bytes (1032 for deflate); None: no bound."""
TEXT = ("ASCII", "ascii", "text", "txt")
_READ_BYTES = 1 << 17
_OF_PACKING = re.compile(rb"(encoding|endian|line ?skip|byte ?skip)\s*:", re.IGNORECASE)
"""Lines of a header that say how the values are packed."""
_ALIGNMENT = 64
"""Unpacked values begin at a multiple of so many bytes: compiled code wants them aligned."""


def read_nrrd(path: PathLike, mapped: bool = False) -> tuple[np.ndarray, dict[str, Any]]:
    """The array of an NRRD file (as pynrrd gives it, x first) and its header.

    Args:
        path: the file.
        mapped: the array is the file in memory (read-only), which all processes of a machine share;
            for files of :func:`unpack_nrrd`.

    Raises:
        InvalidInput: the values are not in the file, or not those that the header describes.
        NRRDError, OSError, ValueError and others: see ``io.nrrd_volumes.broken``.
    """
    with reading(path, None), open(path, "rb") as file:
        header = _header(file, path)
        values = _mapped(file, header, path) if mapped else _values(file, header, path)
    return values.reshape(header["sizes"][::-1]).T, header


def unpack_nrrd(path: PathLike, target: PathLike) -> None:
    """Write the same volume raw: uncompressed, in one block, in the byte order of this machine.

    Args:
        path: an NRRD file.
        target: the file to write (atomically).

    Raises:
        InvalidInput and others: as :func:`read_nrrd`.
        OutputFailed: the file cannot be written.
    """
    with reading(path, None), open(path, "rb") as file:
        header = _header(file, path)
        end = file.tell()
        values = _values(file, header, path)
        file.seek(0)
        lines = [line for line in file.read(end).splitlines() if not _OF_PACKING.match(line)]
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    head = b"\n".join([*filter(None, lines), b"encoding: raw", f"endian: {sys.byteorder}".encode()])
    head += b"\n# " + b"-" * (-(len(head) + 5) % _ALIGNMENT) + b"\n\n"
    with atomic_write(target) as temporary, open(temporary, "wb") as out:
        out.write(head)
        values.tofile(out)


def unpacked_bytes(path: PathLike) -> int:
    """Size of a volume's values in memory, by its header; raises as :func:`read_nrrd`."""
    header = read_nrrd_header(path)
    return _kind(header).itemsize * math.prod(int(size) for size in header["sizes"])


def read_nrrd_header(path: PathLike) -> dict[str, Any]:
    """The header of an NRRD file; raises as :func:`read_nrrd`."""
    with reading(path, None), open(path, "rb") as file:
        return _header(file, path)


def _header(file: BinaryIO, path: PathLike) -> dict[str, Any]:
    """The header; the file is left at its end."""
    import nrrd

    lines = []
    while (line := file.readline(HEADER_BYTES)).rstrip():
        lines.append(line)
        if file.tell() > HEADER_BYTES:
            raise InvalidInput("its header has no end", path, "is it a complete NRRD file?")
    header = nrrd.read_header(lines)
    if "data file" in header or "datafile" in header:
        raise InvalidInput(
            "a detached header: its values are in another file ('data file')",
            path,
            "write header and values into one file",
        )
    return header


def _kind(header: dict[str, Any]) -> np.dtype:
    """The type of the values."""
    import nrrd

    fields: dict[str, Any] = {
        name: header[name] for name in ("type", "dimension", "endian") if name in header
    }
    if header["encoding"] in TEXT:
        fields["endian"] = "little"  # of no meaning there, and mostly left out
    empty = {**fields, "encoding": "raw", "sizes": np.zeros_like(header["sizes"])}
    return nrrd.read_data(empty, io.BytesIO()).dtype


def _mapped(file: BinaryIO, header: dict[str, Any], path: PathLike) -> np.ndarray:
    kind, count = _kind(header), math.prod(int(size) for size in header["sizes"])
    if header["encoding"] != "raw" or _left(file) != kind.itemsize * count:
        raise _wrong_size(count, path)
    return np.memmap(file, kind, "r", file.tell(), (count,)).view(np.ndarray)


def _values(file: BinaryIO, header: dict[str, Any], path: PathLike) -> np.ndarray:
    skips = [header.get(f"{what} skip", header.get(f"{what}skip", 0)) for what in ("line", "byte")]
    kind, count = _kind(header), math.prod(int(size) for size in header["sizes"])
    encoding = header["encoding"]
    if encoding in MOST_COMPRESSED:
        if skips[0] or skips[1] not in (0, -1):
            raise InvalidInput("skips within compressed values are not read", path)
        return _decompressed(file, encoding, (kind, count), path)
    _skip(file, skips, kind.itemsize * count, path)
    values: np.ndarray | None = None
    if encoding in TEXT:
        values = np.fromfile(file, kind, sep=" ")
    elif encoding == "raw":
        if _left(file) == kind.itemsize * count:
            values = np.fromfile(file, kind, count)
    else:
        raise InvalidInput(f"the encoding {encoding!r} is not read", path, "use gzip or raw")
    if values is None or len(values) != count:
        raise _wrong_size(count, path)
    return values


def _wrong_size(count: int, path: PathLike) -> InvalidInput:
    return InvalidInput(
        f"the volume cannot be read (it does not hold the {count} values of its header)",
        path,
        "is it a complete NRRD file?",
    )


def _left(file: BinaryIO) -> int:
    """Bytes from here to the end."""
    place = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(place)
    return end - place


def _skip(file: BinaryIO, skips: Sequence[int], size: int, path: PathLike) -> None:
    lines, skipped = skips
    left = _left(file)
    if not 0 <= lines <= left or not -1 <= skipped <= left:
        raise InvalidInput(f"its header skips {max(skips)} lines or bytes, beyond its end", path)
    for _ in range(lines):
        file.readline()
    if skipped == -1:
        file.seek(-min(size, _left(file)), io.SEEK_END)
    else:
        file.seek(skipped, io.SEEK_CUR)


def _decompressed(
    file: BinaryIO, encoding: str, wanted: tuple[np.dtype, int], path: PathLike
) -> np.ndarray:
    kind, count = wanted
    most, size = MOST_COMPRESSED[encoding], kind.itemsize * count
    if most is not None and size > _left(file) * most:
        raise _wrong_size(count, path)
    stream = gzip.GzipFile(fileobj=file, mode="rb") if most is not None else bz2.BZ2File(file)
    values, done = np.empty(count, kind), 0
    content = values.view(np.uint8)
    with stream:
        while done < size and (part := stream.read(min(_READ_BYTES, size - done))):
            content[done : done + len(part)] = np.frombuffer(part, np.uint8)
            done += len(part)
        if done < size or stream.read(1):
            raise _wrong_size(count, path)
    return values
