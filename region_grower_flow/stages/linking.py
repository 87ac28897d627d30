"""Morphologies linked from the work folder to the users', or copied where links fail.

Linked files are one file under two names, so that what damages a user's morphology damages the one
in the work folder as well; and a power cut may have taken what had been written. So before anything
is placed, all of the work folder's are read and compared with the checksums of their records, but
for those that have been placed before and have not changed since.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from region_grower_flow.errors import FlowError, some
from region_grower_flow.io.atomic import (
    TEMPORARY_PREFIX,
    PathLike,
    make_folder,
    make_own_folder,
    put,
    remove_own,
    remove_temporaries,
    sync_files_of,
    writing,
)
from region_grower_flow.io.files import opened_folder, stamp_of
from region_grower_flow.io.morphologies import check_file
from region_grower_flow.record.file_table import (
    FileTable,
    batches,
    inside,
    known_marks,
    packed,
    parents,
    scan,
)
from region_grower_flow.record.listing import (
    our_files,
    share_out,
    synthesized_by_others,
    write_intended,
    write_listing,
)

NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOTSUP)
"""Errors of a file system that cannot link here."""


_GONE = [0, 0, 0, 0]
"""Stamp of a file that somebody has removed already."""


class DamagedMorphologies(FlowError):
    """Morphologies in the work folder are missing or not as they were written.

    Attributes:
        names: set of their paths below the work folder's morphologies.
    """

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(
            f"Morphologies in the work folder are missing or damaged ({len(names)}) and have to be "
            f"grown again: {some(sorted(names))}."
        )
        self.names = names


def place_morphologies(
    wanted: Mapping[str, Sequence[int]],
    staged: Path,
    folder: Path,
    listing: Path,
    staged_names: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> None:
    """Make the users' folder hold the wanted morphologies, and none of earlier runs of ours.

    Args:
        wanted: {path below ``folder``: (size, crc32)}, best a FileTable.
        staged: the folder of the morphologies in the work folder.
        folder: the users' folder (made where it is missing).
        listing: the file that remembers which files of ``folder`` are ours, see ``record.listing``.
        staged_names: {path below ``folder``: path below ``staged``} of those that differ.
        overwrite: whether synthesized morphologies of other work folders are removed as well.

    Raises:
        DamagedMorphologies: nothing has been placed.
        OutputFailed: a file cannot be placed.
    """
    wanted = FileTable.of(wanted)
    sources = wanted.names
    if staged_names:
        sources = packed(staged_names.get(name, name) for name in wanted)
    listed = our_files(listing, folder, staged)
    make_own_folder(staged)
    _check_staged(wanted, sources, staged, listed)
    # The listing is written first: what a kill leaves behind is then known as ours.
    write_intended(listing, folder, _with_known_marks(listed.updated(wanted), listed))
    make_folder(folder)
    folders = parents(wanted.names)
    for below in sorted({*folders, *parents(listed.names)}):
        make_folder(folder / below)
        # Nobody writes morphologies now: what is not complete was left by killed processes.
        remove_temporaries(folder / below)
    for below in folders if sources is wanted.names else parents(sources):
        remove_temporaries(make_own_folder(staged, below))
    placed = wanted.with_marks(_place_all(wanted, staged, sources, folder))
    unwanted = listed.rows(wanted.find(listed.names) < 0)
    others = synthesized_by_others(folder, wanted) if overwrite else ()
    gone = list(itertools.chain(unwanted, others))
    for name in gone:
        remove_own(folder / name)
    # Durable before it is recorded: the listing vouches for what is not read again.
    sync_files_of(folder)
    if gone:  # the marks of files that had two names are others now
        write_listing(listing, folder, wanted)
    else:
        write_intended(listing, folder, placed)


def _with_known_marks(files: FileTable, listed: FileTable) -> FileTable:
    """The files with the marks of those that a listing has with the same size and content."""
    marks = np.zeros((len(files), 3), dtype=np.int64)
    places = listed.find(files.names)
    rows = np.flatnonzero(places >= 0)
    rows = rows[_same(files, rows, listed, places[rows])]
    marks[rows] = known_marks(listed)[places[rows]]
    return files.with_marks(marks)


def _same(
    files: FileTable, rows: np.ndarray, others: FileTable, other_rows: np.ndarray
) -> np.ndarray:
    """(M,) bool: some rows of two FileTables have the same size and content."""
    sizes = files.sizes[rows] == others.sizes[other_rows]
    return sizes & (files.crcs[rows] == others.crcs[other_rows])


def _check_staged(
    wanted: FileTable, sources: np.ndarray, staged: PathLike, listed: FileTable
) -> None:
    """Raise when a morphology of the work folder is missing or not as it was written.

    What the listing knows with the stamp that it has now has been read before; the checksum decides
    of all others.
    """
    safe = inside(staged, sources)
    unread = safe.copy()
    unread[_known_rows(wanted, sources, staged, listed)] = False
    unread = np.flatnonzero(unread)
    names = {name.decode(errors="replace") for name in sources[~safe].tolist()}
    names |= set(
        share_out(lambda part: _damaged(wanted, sources, staged, unread[part]), len(unread))
    )
    if names:
        raise DamagedMorphologies(names)


def _known_rows(
    wanted: FileTable, sources: np.ndarray, staged: PathLike, listed: FileTable
) -> np.ndarray:
    """The rows that a listing has with the stamp that their files have now."""
    places = listed.find(wanted.names)
    rows = np.flatnonzero(places >= 0)
    rows = rows[_same(wanted, rows, listed, places[rows])]
    stamps, places = scan(staged, sources[rows]), places[rows]
    same = stamps[:, 0] == wanted.sizes[rows]
    return rows[same & (stamps[:, 1:] == known_marks(listed)[places]).all(axis=1)]


def _damaged(
    wanted: FileTable, sources: np.ndarray, staged: PathLike, rows: np.ndarray
) -> list[str]:
    """The names of those rows whose file's content is not that of its record."""
    found = []
    with opened_folder(staged) as below:
        for batch in batches(len(rows)):
            columns = (c[rows[batch]].tolist() for c in (sources, wanted.sizes, wanted.crcs))
            for name, size, crc32 in zip(*columns, strict=True):
                if not check_file(name, size, crc32, below):
                    found.append(name.decode())
    return found


def _place_all(wanted: FileTable, staged: Path, sources: np.ndarray, folder: Path) -> np.ndarray:
    """Make each wanted file of ``folder`` the same as its source in ``staged``, or a copy of it.

    Returns:
        (N, 3) int64, the marks of what has been placed.
    """
    marks = np.empty((len(wanted), 3), dtype=np.int64)
    with opened_folder(staged) as here, opened_folder(folder) as there:

        def placed(source: bytes, name: bytes, size: int, crc32: int) -> list[int]:
            try:
                os.link(source, name, src_dir_fd=here, dst_dir_fd=there)
            except OSError:
                place = os.path.join(folder, os.fsdecode(name))
                with writing(place):
                    _replace(os.path.join(staged, os.fsdecode(source)), place, (size, crc32))
            return (stamp_of(name, there) or _GONE)[1:]

        for batch in wanted.batches():
            columns = (sources, wanted.names, wanted.sizes, wanted.crcs)
            marks[batch] = list(map(placed, *(column[batch].tolist() for column in columns)))
    return marks


def _replace(source: str, target: str, known: tuple[int, int]) -> None:
    """The same where there is a file already, or where links do not work."""
    if _is_placed(source, target, known):
        return
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f"{TEMPORARY_PREFIX}{os.getpid()}-{name}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside)
    try:
        _link_or_copy(source, beside)
        put(beside, target)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _is_placed(source: str, target: str, known: tuple[int, int]) -> bool:
    """True if the target is the source, or a whole copy of it on another file system."""
    try:
        there, here = os.stat(target), os.stat(source)
    except FileNotFoundError:
        return False
    if os.path.samestat(there, here):
        return True
    return there.st_dev != here.st_dev and check_file(target, *known)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        shutil.copyfile(source, target)
