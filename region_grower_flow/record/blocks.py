"""Records of finished blocks of cells: one file a block, whole or absent, never half believed.

A block file is JSON lines: a header with the number of records, the length and the checksum of
what follows, then one record a cell. It is written beside its place and renamed, so a kill leaves
either nothing or a whole file; the checksum finds what a broken disk or an editor did to it.
"""

import contextlib
import gc
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike, is_plain, write_bytes_atomic

FORMAT, FORMAT_VERSION = "region_grower_flow.block", 1

_CRC32, _MOST = 1 << 32, 1 << 62
"""Checksums are less."""


def block_name(job: str, index: int, first_row: int) -> str:
    """The file name of a block: unique to the job, sorted by row, independent of the contents."""
    return f"{first_row:09d}-{job}-{index:06d}{layout.RECORDS}"


def write_block(folder: PathLike, name: str, records: Iterable[dict[str, Any]]) -> Path:
    """Write the records (JSON-able dicts) of one block and return its path; raises OutputFailed."""
    lines = [json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in records]
    body = "".join(line + "\n" for line in lines).encode()
    header = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "count": len(lines),
        "bytes": len(body),
        "crc32": zlib.crc32(body),
    }
    path = Path(folder) / name
    write_bytes_atomic(path, json.dumps(header).encode() + b"\n" + body, durable=True)
    return path


def read_block(path: PathLike) -> list[dict[str, Any]] | None:
    """The records of a block file, or None when the file is not whole or not a block file.

    Raises:
        InvalidInput: the file is there but cannot be read, which says nothing about its contents.
    """
    try:
        first, _, body = Path(path).read_bytes().partition(b"\n")
    except (FileNotFoundError, IsADirectoryError):
        return None
    except OSError as error:
        raise InvalidInput(f"the records cannot be read ({error.strerror})", path) from error
    try:
        header = json.loads(first)
        if (header["format"], header["version"]) != (FORMAT, FORMAT_VERSION):
            return None
        if header["bytes"] != len(body) or header["crc32"] != zlib.crc32(body):
            return None
        # JSON escapes line ends within strings, so each line end here separates two records.
        records = _values(b"[" + body.rstrip(b"\n").replace(b"\n", b",") + b"]")
        whole = header["count"] == len(records) and all(map(is_record, records))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return records if whole else None


def _values(text: bytes) -> Any:
    """What a JSON text holds; raises ValueError, RecursionError."""
    try:
        return orjson.loads(text)  # a third of the time of json's
    except ValueError:
        return json.loads(text)  # which knows NaN


def is_record(record: Any) -> bool:
    """True if a value read from JSON is the record of a cell, with all that others ask of it."""
    try:
        row, status, files = record["row"], record["status"], record.get("files", {})
        # Without a function for each number: this is asked of every cell of a merge.
        if not (type(row) is int and 0 <= row < _MOST and isinstance(record["digest"], str)):
            return False
        if status == layout.DROPPED:
            return isinstance(record.get("reason", ""), str)
        for size, crc32 in files.values():
            if not (type(size) is type(crc32) is int and 0 <= size < _MOST and 0 <= crc32 < _CRC32):
                return False
        shard = record.get("shard")
        if shard is not None:
            name, *numbers = shard
            start, size, crc32 = numbers
            numbers_known = _is_whole(start) and _is_whole(size) and _is_whole(crc32, _CRC32)
            if not (is_plain(name) and numbers_known):
                return False
        named = not (files or shard) or is_plain(record["name"])
        return status == layout.MADE and named
    except (LookupError, TypeError, ValueError, AttributeError):
        return False


def _is_whole(value: object, limit: int = _MOST) -> bool:
    # Records are held in columns of such numbers.
    return type(value) is int and 0 <= value < limit


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
    """The records of all whole block files of a folder.

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
            for record in read_block(path) or ():
                key = (record["row"], record["digest"])
                earlier = found.get(key)
                made = record["status"] == layout.MADE
                if made or earlier is None or earlier["status"] != layout.MADE:
                    found[key] = record
    return found


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """No search for garbage while many records are made that all stay: a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
