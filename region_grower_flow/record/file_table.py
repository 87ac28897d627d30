"""Very many files of a folder as columns: some 50 bytes a file, where a dict takes 300.

Names are bytes (UTF-8) in an array that is sorted, so that columns are compared whole and one name
is found by bisection. Whatever goes from file to file goes in batches.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from region_grower_flow.io.atomic import PathLike, is_plain
from region_grower_flow.io.files import opened_folder, stamp_of

BATCH = 20_000
"""Files that are handled as Python objects at a time."""

ABSENT = -1
"""Size of a file that is not there."""

_NO_STAMP = (ABSENT,) * 4


class FileTable(Mapping[str, Any]):
    """{path below a folder: (size, crc32, (mtime_ns, ctime_ns, inode))}, held as columns.

    Attributes:
        names: (N,) bytes, sorted, each once.
        sizes: (N,) int64, bytes.
        crcs: (N,) uint32, CRC-32 of the content.
        marks: (N, 3) int64, the rest of the stamp; 0 where it is not known. None: of no file.
    """

    def __init__(
        self, names: np.ndarray, sizes: np.ndarray, crcs: np.ndarray, marks: np.ndarray | None
    ) -> None:
        if (names[:-1] > names[1:]).any():
            order = np.argsort(names, kind="stable")
            names, sizes, crcs = names[order], sizes[order], crcs[order]
            marks = None if marks is None else marks[order]
        self.names, self.sizes, self.crcs, self.marks = names, sizes, crcs, marks

    @classmethod
    def of(cls, files: Mapping[str, Sequence[Any]]) -> FileTable:
        """The table of {name: (size, crc32)} or {name: (size, crc32, mark)}."""
        if isinstance(files, FileTable):
            return files
        known = list(files.values())
        marks = [each[2] for each in known] if known and len(known[0]) > 2 else None
        return cls(
            packed(files),
            np.array([each[0] for each in known], dtype=np.int64),
            np.array([each[1] for each in known], dtype=np.uint32),
            None if marks is None else np.array(marks, dtype=np.int64).reshape(-1, 3),
        )

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        for batch in self.batches():
            for name in self.names[batch].tolist():
                yield name.decode()

    def __getitem__(self, name: str) -> Any:
        wanted = name.encode()
        place = int(np.searchsorted(self.names, wanted)) if len(self) else 0
        if place >= len(self) or self.names[place] != wanted:
            raise KeyError(name)
        mark = (0, 0, 0) if self.marks is None else tuple(self.marks[place].tolist())
        return int(self.sizes[place]), int(self.crcs[place]), mark

    def batches(self) -> Iterator[slice]:
        """The rows, BATCH at a time."""
        return batches(len(self))

    def rows(self, rows: Any) -> FileTable:
        """The table of some rows (a mask, a slice or ascending numbers)."""
        marks = None if self.marks is None else self.marks[rows]
        return FileTable(self.names[rows], self.sizes[rows], self.crcs[rows], marks)

    def find(self, names: np.ndarray) -> np.ndarray:
        """(M,) int64, the row of each of some names (bytes), -1 for those that are not there."""
        return find(self.names, names)

    def with_marks(self, marks: np.ndarray) -> FileTable:
        """The same files with these (N, 3) marks."""
        return FileTable(self.names, self.sizes, self.crcs, marks)

    def updated(self, other: FileTable) -> FileTable:
        """These files and those of another table, which says what is in both."""
        only_here = self.rows(other.find(self.names) < 0)
        if not len(only_here):
            return other
        return FileTable(
            np.concatenate([only_here.names, other.names]),
            np.concatenate([only_here.sizes, other.sizes]),
            np.concatenate([only_here.crcs, other.crcs]),
            np.concatenate([known_marks(only_here), known_marks(other)]),
        )

    def inside(self, folder: PathLike) -> FileTable:
        """Those files whose names lie in ``folder``, see :func:`inside`."""
        kept = inside(folder, self.names)
        return self if kept.all() else self.rows(kept)


def packed(names: Iterable[str]) -> np.ndarray:
    """Names as an array of bytes."""
    return np.array([os.fsencode(name) for name in names], dtype=np.bytes_)


def find(known: np.ndarray, names: np.ndarray) -> np.ndarray:
    """(M,) int64, the place of each of some names among known ones, -1 for others.

    Args:
        known: (N,) bytes, sorted.
        names: (M,) bytes.
    """
    if not len(known) or not len(names):
        return np.full(len(names), -1)
    # Names that are longer than any that is known would have all of these copied.
    too_long = np.char.str_len(names) > known.dtype.itemsize
    names = names.astype(known.dtype)
    places = np.searchsorted(known, names)
    places[places == len(known)] = 0
    return np.where((known[places] == names) & ~too_long, places, -1)


def known_marks(table: FileTable) -> np.ndarray:
    """(N, 3) int64, the marks of a table, 0 where there are none."""
    return np.zeros((len(table), 3), dtype=np.int64) if table.marks is None else table.marks


def batches(count: int) -> Iterator[slice]:
    """Slices of at most BATCH of ``count`` rows."""
    for start in range(0, count, BATCH):
        yield slice(start, min(start + BATCH, count))


def parents(names: np.ndarray) -> list[str]:
    """The folders that some names (bytes) lie in, sorted; "" for those without any."""
    found: set[bytes] = set()
    for batch in batches(len(names)):
        found.update([name.rpartition(b"/")[0] for name in names[batch].tolist()])
    return sorted(parent.decode(errors="surrogateescape") for parent in found)


def inside(folder: PathLike, names: np.ndarray) -> np.ndarray:
    """True for each of very many names (bytes, from a file) that lies in ``folder``: (N,) bool.

    The one gate for names of morphologies that are read from a work folder. A name is a path below
    the folder without odd parts, and no folder on its way is a link that leads out.
    """
    kept = np.ones(len(names), dtype=bool)
    for batch in batches(len(names)):
        known = names[batch].tolist()
        if not _all_plain(known):
            kept[batch] = [_is_plain(name) for name in known]
    root = os.path.realpath(folder)
    outer = {
        parent.encode()
        for parent in parents(names[kept])
        if parent and os.path.realpath(os.path.join(root, parent)) != os.path.join(root, parent)
    }
    for batch in batches(len(names)) if outer else ():
        lead_out = [name.rpartition(b"/")[0] in outer for name in names[batch].tolist()]
        kept[batch] &= ~np.array(lead_out, dtype=bool)
    return kept


def _all_plain(names: list[bytes]) -> bool:
    """True if all names are plain, by a look at their text as a whole; False when in doubt."""
    try:
        text = b"\n".join([b"", *names, b""]).decode()
    except UnicodeDecodeError:
        return False
    odd = ("\n/", "\n.", "/.", "//", "/\n", "\n\n")
    whole = text.count("\n") == len(names) + 1 and text.replace("\n", "").isprintable()
    return whole and not any(part in text for part in odd)


def _is_plain(name: bytes) -> bool:
    try:
        return is_plain(name.decode())
    except UnicodeDecodeError:
        return False


def scan(folder: PathLike, names: np.ndarray) -> np.ndarray:
    """The stamps of very many files.

    Args:
        folder: of the files.
        names: (N,) bytes.

    Returns:
        (N, 4) int64, the stamp of each file; the size is ABSENT where there is none.
    """
    stamps = np.full((len(names), 4), _NO_STAMP, dtype=np.int64)
    with contextlib.suppress(OSError), opened_folder(folder) as below:
        for batch in batches(len(names)):
            known = [stamp_of(name, below) or _NO_STAMP for name in names[batch].tolist()]
            stamps[batch] = known
    return stamps
