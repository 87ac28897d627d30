"""From the work folder to the users' folder: morphologies linked, or copied where links fail.

Linked files are one file under two names, so that what damages a user's morphology damages the one
in the work folder as well; and a power cut may have taken what had been written. So before anything
is placed, all of the work folder's are read and compared with the checksums of their records, but
for those that have been placed before and have not changed since.
"""

import contextlib
import errno
import os
import shutil

from region_grower_flow.errors import FlowError, some
from region_grower_flow.io.atomic import (
    TEMPORARY_PREFIX,
    inside,
    make_folder,
    make_own_folder,
    put,
    remove_temporaries,
    sync_files_of,
    writing,
)
from region_grower_flow.io.files import stamp
from region_grower_flow.io.morphologies import check_file
from region_grower_flow.record.listing import (
    our_files,
    scan,
    share_out,
    synthesized_by_others,
    write_listing,
)

NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOTSUP)
"""Errors of a file system that cannot link here."""


class DamagedMorphologies(FlowError):
    """Morphologies in the work folder are missing or not as they were written.

    Attributes:
        names: set of their paths below the work folder's morphologies.
    """

    def __init__(self, names):
        super().__init__(
            f"Morphologies in the work folder are missing or damaged ({len(names)}) and have to be "
            f"grown again: {some(sorted(names))}."
        )
        self.names = names


def place_morphologies(wanted, staged, folder, listing, staged_names=None, overwrite=False):
    """Make the users' folder hold the wanted morphologies, and none of earlier runs of ours.

    Args:
        wanted: {path below ``folder``: (size, crc32)}.
        staged: the folder of the morphologies in the work folder.
        folder: the users' folder (made where it is missing).
        listing: the file that remembers which files of ``folder`` are ours, see ``io.listing``.
        staged_names: {path below ``folder``: path below ``staged``} of those that differ.
        overwrite: whether synthesized morphologies of other work folders are removed as well.

    Raises:
        DamagedMorphologies: nothing has been placed.
        OutputFailed: a file cannot be placed.
    """
    # A dict of a million names is 100 MB: none is made where they are the same on both sides.
    sources = {name: staged_names.get(name, name) for name in wanted} if staged_names else None
    listed = our_files(listing, folder, staged)
    make_own_folder(staged)
    _check_staged(wanted, sources, staged, listed)
    earlier = {name: (size, crc32) for name, (size, crc32, _) in listed.items()}
    # The listing is written first: what a kill leaves behind is then known as ours.
    write_listing(listing, folder, earlier | wanted)
    make_folder(folder)
    for below in sorted({os.path.dirname(name) for name in [*wanted, *earlier]}):
        make_folder(folder / below)
        # Nobody writes morphologies now: what is not complete was left by killed processes.
        remove_temporaries(folder / below)
    for below in {os.path.dirname(source) for source in (sources.values() if sources else wanted)}:
        remove_temporaries(make_own_folder(staged, below))
    before, after = f"{staged}/", f"{folder}/"
    for name, known in wanted.items():
        _place(before + (sources[name] if sources else name), after + name, known)
    others = synthesized_by_others(folder, wanted) if overwrite else ()
    for name in {*(earlier.keys() - wanted.keys()), *others}:
        with writing(folder / name):
            (folder / name).unlink(missing_ok=True)
    # Durable before it is recorded: the listing vouches for what is not read again.
    sync_files_of(folder)
    write_listing(listing, folder, wanted)


def _check_staged(wanted, sources, staged, listed):
    """Raise when a morphology of the work folder is missing or not as it was written.

    What the listing knows with the stamp that it has now has been read before; the checksum decides
    of all others.
    """
    names = {source: name for name, source in sources.items()} if sources else wanted
    damaged, unread = set(names) - inside(staged, names), []
    missing = set(names)
    # One status at a time: a million of them are 500 MB.
    for source, status in scan(staged, names):
        missing.discard(source)
        name = names[source] if sources else source
        known = wanted[name]
        if status.st_size != known[0]:
            damaged.add(source)
        elif name not in listed or (*known, tuple(stamp(status)[1:])) != listed[name]:
            unread.append((source, known))
    damaged |= missing
    damaged.update(share_out(lambda part: _damaged(staged, part), unread))
    if damaged:
        raise DamagedMorphologies(damaged)


def _damaged(staged, files):
    """The names of those files whose content is not that of their records."""
    return [name for name, known in files if not check_file(f"{staged}/{name}", *known)]


def _place(source, target, known):
    """Make ``target`` the same file as ``source``, or a copy of it (paths as text, for speed)."""
    try:
        os.link(source, target)
    except OSError:
        with writing(target):
            _replace(source, target, known)


def _replace(source, target, known):
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


def _is_placed(source, target, known):
    """True if the target is the source, or a whole copy of it on another file system."""
    try:
        there, here = os.stat(target), os.stat(source)
    except FileNotFoundError:
        return False
    if os.path.samestat(there, here):
        return True
    return there.st_dev != here.st_dev and check_file(target, *known)


def _link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        shutil.copyfile(source, target)
