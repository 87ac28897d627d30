"""The table of a chunk's results: the records of its cells, as JSON Lines.

The last value of each line is the checksum of what stands before it, so that of a damaged table the
lines that are whole still count, and no other.
"""

import contextlib
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from region_grower_flow.errors import FlowError
from region_grower_flow.io.atomic import PathLike, atomic_write, make_folder
from region_grower_flow.record.blocks import is_record

_END = b',"check":"%08x"}\n'
_END_LENGTH = len(_END % 0)
_BYTES = 1 << 20
"""Bytes of a table that are read at a time."""


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
        for record in records:
            file.write(_line(record))


def _line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, separators=(",", ":")).encode()[:-1]
    return text + _END % zlib.crc32(text)


def read_records(path: PathLike) -> Iterator[dict[str, Any]]:
    """Iterate over the records of a table of results.

    Raises:
        DamagedTable: a line is not as it was written, or there is no table.
    """
    for record in _records(path):
        if record is None:
            raise DamagedTable(path)
        yield record


def whole_records(path: PathLike) -> tuple[list[dict[str, Any]], bool]:
    """The records of the whole lines of a table (a list), and whether all lines are whole."""
    try:
        records = list(_records(path))
    except DamagedTable:
        return [], False
    whole = [record for record in records if record is not None]
    return whole, len(whole) == len(records)


def _records(path: PathLike) -> Iterator[dict[str, Any] | None]:
    """The record of each line, None for a line that is not as it was written."""
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
