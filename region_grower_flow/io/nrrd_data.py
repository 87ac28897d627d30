"""The values of NRRD files, read within the bounds that their headers set.

pynrrd parses the header and knows the types. What is done here is what it leaves open: values are
in the file itself, skips end within it, and what is compressed gives no more than the header says.
"""

import bz2
import gzip
import io
import math
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.files import reading

HEADER_BYTES = 1 << 20
"""Greatest size of a header, which is some lines of text."""
MOST_COMPRESSED = {"gzip": 1100, "gz": 1100, "bzip2": None, "bz2": None}
"""Values that a compressed byte can hold at most, in bytes (1032 for deflate); None: no bound."""
TEXT = ("ASCII", "ascii", "text", "txt")
_READ_BYTES = 1 << 17


def read_nrrd(path: PathLike) -> tuple[np.ndarray, dict[str, Any]]:
    """The array of an NRRD file (as pynrrd gives it, x first) and its header.

    Raises:
        InvalidInput: the values are not in the file, or not those that the header describes.
        NRRDError, OSError, ValueError and others: see ``io.nrrd_volumes.broken``.
    """
    with reading(path, None), open(path, "rb") as file:
        header = _header(file, path)
        values = _values(file, header, path)
    return values.reshape(header["sizes"][::-1]).T, header


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


def _values(file: BinaryIO, header: dict[str, Any], path: PathLike) -> np.ndarray:
    import nrrd

    skips = [header.get(f"{what} skip", header.get(f"{what}skip", 0)) for what in ("line", "byte")]
    fields: dict[str, Any] = {
        name: header[name] for name in ("type", "dimension", "endian") if name in header
    }
    if header["encoding"] in TEXT:
        fields["endian"] = "little"  # of no meaning there, and mostly left out
    empty = {**fields, "encoding": "raw", "sizes": np.zeros_like(header["sizes"])}
    kind = nrrd.read_data(empty, io.BytesIO()).dtype
    count = math.prod(int(size) for size in header["sizes"])
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
