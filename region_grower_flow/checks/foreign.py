"""Files in a folder of outputs that the flow has not written.

Many stages of a run rely on one check. A folder is looked through once, and again when something
in it, or the listing of what is ours, has changed since.
"""

import os
import time
from dataclasses import dataclass

from region_grower_flow.io.atomic import TEMPORARY_PREFIX, PathLike
from region_grower_flow.io.files import TICK_SECONDS, stamp_of
from region_grower_flow.record.file_table import packed
from region_grower_flow.record.listing import our_files
from region_grower_flow.record.run_lock import LOCK_PREFIX


@dataclass(frozen=True)
class FolderLook:
    """A look through a folder.

    Attributes:
        foreign: the names of files below it that are not ours.
        has_ours: whether any file was known as ours.
        listing: the stamp of the listing.
        times: {folder below, or itself: the time of its last change, ns}.
    """

    foreign: tuple[str, ...]
    has_ours: bool
    listing: list[int] | None
    times: dict[str, int]


_looks: dict[tuple[str, str], FolderLook] = {}
"""{(folder, listing): FolderLook} of this process."""


def look_for_foreign(folder: PathLike, listing: PathLike, staged: PathLike) -> FolderLook:
    """Look through a folder, or remember the look when nothing has changed.

    Args:
        folder: of outputs.
        listing: of the morphologies of ours in it, see :mod:`region_grower_flow.record.listing`.
        staged: the folder of the morphologies in the work folder.
    """
    key = os.path.abspath(folder), os.path.abspath(listing)
    known = _looks.get(key)
    if known is None or not _is_as_it_was(known, listing):
        before = time.time_ns()
        known = _look(folder, listing, staged)
        # What changes within a tick of the clock may bear the same time.
        settled = max(known.times.values()) < before - 1e9 * TICK_SECONDS
        if settled and known.listing is not None:
            _looks[key] = known
    return known


def _is_as_it_was(look: FolderLook, listing: PathLike) -> bool:
    try:
        now = {folder: os.stat(folder).st_mtime_ns for folder in look.times}
    except OSError:
        return False
    return now == look.times and stamp_of(listing) == look.listing


def _look(folder: PathLike, listing: PathLike, staged: PathLike) -> FolderLook:
    stamp = stamp_of(listing)
    ours = our_files(listing, folder, staged)
    times, foreign = {os.fspath(folder): os.stat(folder).st_mtime_ns}, []
    for parent, folders, files in os.walk(folder):
        for each in folders:
            path = os.path.join(parent, each)
            times[path] = os.stat(path).st_mtime_ns
        below = os.path.relpath(parent, folder)
        names = [
            name if below == os.curdir else f"{below}/{name}"
            for name in files
            if not name.startswith((TEMPORARY_PREFIX, LOCK_PREFIX))
        ]
        places = ours.find(packed(names)).tolist()
        foreign += [name for name, place in zip(names, places, strict=True) if place < 0]
    return FolderLook(tuple(sorted(foreign)), len(ours) > 0, stamp, times)
