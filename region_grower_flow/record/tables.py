"""Tables of results, of a chunk or of a block: the records of its cells, as JSON Lines.

The last value of each line is the checksum of what stands before it, so that of a damaged table the
lines that are whole still count, and no other.
"""

import contextlib
import gc
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from region_grower_flow import layout
from region_grower_flow.errors import FlowError
from region_grower_flow.io.atomic import PathLike, atomic_write, is_plain, make_folder

_END = b',"check":"%08x"}\n'
_END_LENGTH = len(_END % 0)
_BYTES = 1 << 20
"""Bytes of a table that are read at a time."""

_CRC32, _MOST = 1 << 32, 1 << 62
"""Checksums are less."""


class DamagedTable(FlowError):
    """A table of results is not as it was written."""

    def __init__(self, path: PathLike) -> None:
        super().__init__(f"{path} is damaged. Run again: its cells are grown again.")
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        """Made of the path again in another process."""
        return DamagedTable, (self.path,)


def write_records(path: PathLike, records: Iterable[dict[str, Any]]) -> None:
    """Write records as JSON Lines, atomically."""
    path = Path(path)
    make_folder(path.parent)
    with atomic_write(path, durable=True) as temporary, open(temporary, "wb") as file:
        file.writelines(lines_of(records))


def lines_of(records: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """The line of each of some records (JSON-able dicts)."""
    for record in records:
        text = json.dumps(record, separators=(",", ":")).encode()[:-1]
        yield text + _END % zlib.crc32(text)


def read_records(path: PathLike) -> Iterator[dict[str, Any]]:
    """Iterate over the records of a table of results.

    Raises:
        DamagedTable: a line is not as it was written, or there is no table.
    """
    for record in records_or_none(path):
        if record is None:
            raise DamagedTable(path)
        yield record


def whole_records(path: PathLike) -> tuple[list[dict[str, Any]], bool]:
    """The records of the whole lines of a table (a list), and whether all lines are whole."""
    try:
        records = list(records_or_none(path))
    except DamagedTable:
        return [], False
    whole = [record for record in records if record is not None]
    return whole, len(whole) == len(records)


def records_or_none(path: PathLike) -> Iterator[dict[str, Any] | None]:
    """The record of each line, None for a line that is not as it was written.

    Raises:
        DamagedTable: because of an OSError.
    """
    try:
        with open(path, "rb") as file:
            while lines := file.readlines(_BYTES):
                yield from _read(lines)
    except OSError as error:
        raise DamagedTable(path) from error


def _read(lines: list[bytes]) -> list[dict[str, Any] | None]:
    # All at once where all are whole, which takes a third of the time of one by one.
    texts = [line[:-_END_LENGTH] for line in lines]
    ends = b"".join([line[-_END_LENGTH:] for line in lines])
    if ends == _END * len(lines) % tuple(map(zlib.crc32, texts)):
        with contextlib.suppress(ValueError):  # orjson knows no NaN
            records = orjson.loads(b"[%b}]" % b"},".join(texts))
            if len(records) == len(lines) and all(map(is_record, records)):
                return records
    return list(map(_record, lines))


def _record(line: bytes) -> dict[str, Any] | None:
    text, end = line[:-_END_LENGTH], line[-_END_LENGTH:]
    try:
        record = json.loads(text + b"}") if end == _END % zlib.crc32(text) else None
    except (ValueError, RecursionError):
        return None
    return record if is_record(record) else None


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
