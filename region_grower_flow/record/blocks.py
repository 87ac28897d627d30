"""Finished blocks of cells: a small table of records each, see :mod:`.tables`, whole or absent.

A block is written beside its place and renamed, so a kill leaves either nothing or a whole file;
the checksums of its lines find what a broken disk or an editor did to it.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike, write_bytes_atomic
from region_grower_flow.record.tables import (
    DamagedTable,
    lines_of,
    records_or_none,
    without_collection,
)


def block_name(job: str, index: int, first_row: int) -> str:
    """The file name of a block: unique to the job, sorted by row, independent of the contents."""
    return f"{first_row:09d}-{job}-{index:06d}{layout.RECORDS}"


def write_block(folder: PathLike, name: str, records: Iterable[dict[str, Any]]) -> Path:
    """Write the records (JSON-able dicts) of one block and return its path; raises OutputFailed."""
    path = Path(folder) / name
    write_bytes_atomic(path, b"".join(lines_of(records)), durable=True)
    return path


def read_block(path: PathLike) -> list[dict[str, Any]]:
    """The records of the whole lines of a block file; none where there is no file.

    Raises:
        InvalidInput: the file is there but cannot be read, which says nothing about its contents.
    """
    try:
        return [record for record in records_or_none(path) if record is not None]
    except DamagedTable as error:
        cause = error.__cause__
        if isinstance(cause, FileNotFoundError | IsADirectoryError):
            return []
        reason = getattr(cause, "strerror", None)
        raise InvalidInput(f"the records cannot be read ({reason})", path) from error


def block_files(folder: PathLike, job: str | None = None) -> list[Path]:
    """The paths of the block files in a folder (of one job when ``job`` is named), sorted."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(layout.RECORDS)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    names = [n for n in names if not n.startswith(".") and (job is None or f"-{job}-" in n)]
    return [Path(folder) / name for name in sorted(names)]


def finished_records(
    folder: PathLike, job: str | None = None
) -> dict[tuple[int, str], dict[str, Any]]:
    """The records of all block files of a folder.

    Args:
        folder: the blocks folder; it may be missing.
        job: read the files of this job only.

    Returns:
        {(row, digest): record}. Of two records of the same cell a made one is preferred, then the
        later file.
    """
    found: dict[tuple[int, str], dict[str, Any]] = {}
    with without_collection():
        for path in block_files(folder, job):
            for record in read_block(path):
                key = (record["row"], record["digest"])
                earlier = found.get(key)
                made = record["status"] == layout.MADE
                if made or earlier is None or earlier["status"] != layout.MADE:
                    found[key] = record
    return found
