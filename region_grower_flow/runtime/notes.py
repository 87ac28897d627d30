"""Notes of each rank on what it is doing, in a file that survives the rank.

Each rank owns one page of a shared notes file and overwrites its note there with a single write of
about a microsecond when it begins and ends a cell. After a crash, a kill or a hang the launcher
reads from it which cell each rank was growing.
"""

import os
import struct
from dataclasses import dataclass

from region_grower_flow.io.atomic import PathLike, writing

ABSENT, LOADING, IDLE, GROWING, FAILED, ENDED = range(6)
"""States of a rank; FAILED means that it raised an error itself and could still say so."""

_LAYOUT = struct.Struct("<IIqqqqq")
_MAGIC = 0x52474631
_PAGE = 4096
"""Bytes between two notes: nodes that share a file system by pages do not disturb each other."""


@dataclass(frozen=True)
class Note:
    """The last note of one rank.

    Attributes:
        state: one of the states above.
        pid: process of the rank on its node.
        row: of the cell that is growing or grew last, -1 before the first.
        serial: number of notes so far: it changes when anything happens.
        done, dropped: cells finished in this job, and how many of these were dropped.
    """

    state: int = ABSENT
    pid: int = 0
    row: int = -1
    serial: int = 0
    done: int = 0
    dropped: int = 0


def create_notes(path: PathLike, ranks: int) -> None:
    """Write an empty notes file for so many ranks; raises OutputFailed.

    The pages are written, not merely reserved, so that a disk that fills up later cannot fail a
    rank in the middle of a note.
    """
    with writing(path), open(path, "wb") as file:
        for _ in range(ranks):
            file.write(b"\0" * _PAGE)


def read_notes(path: PathLike, ranks: int) -> list[Note]:
    """The notes of all ranks; a missing or short file gives empty notes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return [Note()] * ranks
    try:
        return [_read_note(descriptor, rank) for rank in range(ranks)]
    finally:
        os.close(descriptor)


def _read_note(descriptor: int, rank: int) -> Note:
    data = os.pread(descriptor, _LAYOUT.size, rank * _PAGE)
    if len(data) < _LAYOUT.size:
        return Note()
    magic, *values = _LAYOUT.unpack(data)
    return Note(*values) if magic == _MAGIC else Note()


class RankNotes:
    """Writes the notes of one rank; open it with ``with``."""

    def __init__(self, path: PathLike, rank: int) -> None:
        self._path, self._offset = path, rank * _PAGE
        self._descriptor = -1
        self._pid = 0
        self.row, self.serial, self.done, self.dropped = -1, 0, 0, 0

    def __enter__(self) -> "RankNotes":
        with writing(self._path):
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        self._pid = os.getpid()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def begin(self, row: int) -> None:
        """Note that the cell of this row is being grown."""
        self.row = row
        self.enter(GROWING)

    def end(self, dropped: bool) -> None:
        """Note that the cell is finished."""
        self.done += 1
        self.dropped += bool(dropped)
        self.enter(IDLE)

    def enter(self, state: int) -> None:
        """Note a change of state; raises OutputFailed."""
        self.serial += 1
        values = (state, self._pid, self.row, self.serial, self.done, self.dropped)
        try:
            os.pwrite(self._descriptor, _LAYOUT.pack(_MAGIC, *values), self._offset)
        except OSError:
            # The path of failure only: a context manager would double the cost of each note.
            with writing(self._path):
                raise
