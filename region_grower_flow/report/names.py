"""Names of report files, which come from mtypes, and tables of numbers."""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from region_grower_flow.io.atomic import PathLike, make_folder, safe_child, write_text_atomic
from region_grower_flow.io.csv_files import csv_text
from region_grower_flow.validation.results import plain

TableRow: TypeAlias = dict[str, Any]
"""A row of a table: values by the names of columns."""

MAX_STEM = 80
"""Greatest length (characters) of the name of a file; file systems allow 255 bytes."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_RESERVED = {"CON", "PRN", "AUX", "NUL"}
"""Names that Windows does not allow."""


def file_stem(name: object) -> str:
    """A file name for an mtype: readable, the same on all systems, different for each mtype.

    A name of plain characters stays as it is; ``L5_TPC:A`` gives ``L5_TPC_A-<checksum>``.
    """
    name = str(name)
    plain = _UNSAFE.sub("_", name).lstrip(".-")[:MAX_STEM]
    if plain == name and plain and plain.upper() not in _RESERVED:
        return plain
    checksum = zlib.crc32(name.encode("utf-8", "surrogatepass"))
    return f"{plain or 'unnamed'}-{checksum:08x}"


def report_file(folder: PathLike, name: str, suffix: str) -> Path:
    """The path of an mtype's file in a report's folder, which always lies in it."""
    return safe_child(folder, f"{file_stem(name)}.{suffix}")


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows (dicts with the keys ``columns``) as CSV; what is None or NaN is empty.

    Raises:
        OutputFailed: the file cannot be written.
    """
    make_folder(path.parent)
    write_text_atomic(path, csv_text(columns, map(plain, rows)))
    return path
