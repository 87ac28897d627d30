"""Files that are read: regular ones only, and known to be the same from one look to the next.

A file counts as unchanged while its stamp is: size, time of change, time of the last change of its
inode, and the inode itself. Size and time of change alone can be those of another file: archives
with fixed times, ``cp -p``, an editor that restores the time.
"""

import contextlib
import errno
import hashlib
import os
import stat as kinds
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, TypeAlias

from region_grower_flow.errors import InputChanged, InvalidInput
from region_grower_flow.io.atomic import PathLike

MAX_BYTES = 1 << 31
"""Larger files are no configurations, tables, morphologies or meshes (the 58 calibrated mtypes of
the rat are 20 MB); volumes and cells may be larger."""

READ_SIZE = 1 << 20
"""Bytes of a file that are hashed at a time."""

TICK_SECONDS = 0.02
"""Longer than the clock of file systems stands still: within a tick a file can change twice and
bear one stamp."""

ATTEMPTS = 5
"""Number of attempts to read a file that somebody is writing."""


def stamp(status: os.stat_result) -> list[int]:
    """List of numbers that tells one state of a file from all others."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def stamp_of(path: PathLike | bytes, folder: int | None = None) -> list[int] | None:
    """The stamp of the file at ``path`` (below an opened folder); None when there is none."""
    try:
        return stamp(os.stat(path, dir_fd=folder))
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def opened_folder(folder: PathLike) -> Iterator[int]:
    """The descriptor of a folder: the way to it is not walked again for each of very many files.

    Raises:
        OSError: there is no such folder.
    """
    descriptor = os.open(folder, getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def require_regular(path: PathLike) -> os.stat_result:
    """The status of a file that can be read to its end.

    Raises:
        InvalidInput: there is none, or it is a folder, a device, a pipe or a socket, or a link that
            leads in a circle.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError as error:
        problem = "the file does not exist"
        if os.path.islink(path):
            problem = "is a link that leads nowhere"
        raise InvalidInput(problem, path) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InvalidInput(f"cannot be read ({_reason(error)})", path) from error
    if kinds.S_ISDIR(status.st_mode):
        raise InvalidInput("is a folder, a file was expected", where=path)
    if not kinds.S_ISREG(status.st_mode):
        raise InvalidInput("is not a regular file", where=path)
    return status


def _reason(error: Exception) -> object:
    if getattr(error, "errno", None) == errno.ELOOP:
        return "its links lead in a circle"
    return getattr(error, "strerror", None) or error


def digest_file(path: PathLike) -> tuple[list[int], str]:
    """(stamp, SHA-256 in hex) of a regular file at one moment.

    Raises:
        OSError: it cannot be read, is no regular file, or is being written all the time.
    """
    # Without O_NONBLOCK the opening of a pipe would wait for its other end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:
        for _ in range(ATTEMPTS):
            before = _settled(file)
            digest = _digest(file)
            if stamp(os.fstat(file.fileno())) == stamp(before):
                return stamp(before), digest
            file.seek(0)
    raise OSError("it is being written")


def _settled(file: BinaryIO) -> os.stat_result:
    """The status of an open file, a tick after its last change at the earliest."""
    status = os.fstat(file.fileno())
    if not kinds.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if abs(time.time() - status.st_ctime_ns / 1e9) < TICK_SECONDS:
        time.sleep(TICK_SECONDS)
        status = os.fstat(file.fileno())
    return status


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(READ_SIZE):
        digest.update(block)
    return digest.hexdigest()


# What is recorded is what was read.

Known: TypeAlias = list[Any]
"""State of an input: [*stamp, digest]."""

_expected: dict[str, Known] = {}
"""{absolute path: [*stamp, digest]} of the inputs of the stage that is being made."""

_folders: set[str] = set()
"""Folders of which all files are inputs."""


@contextlib.contextmanager
def expecting(files: Mapping[str, Known], folders: Iterable[PathLike] = ()) -> Iterator[None]:
    """While the block runs, these inputs are read as they are described, or not at all.

    Args:
        files: {path: [*stamp, digest]}, as :meth:`FileDigests.known` gives them.
        folders: those whose every file is an input.
    """
    expect(files, folders)
    try:
        yield
    finally:
        expect({}, ())


def expect(files: Mapping[str, Known], folders: Iterable[PathLike] = ()) -> None:
    """Expect sources until the next call; :func:`expecting` does so for a part of a process."""
    files = {path: list(known) for path, known in files.items()}
    _expected.clear()
    # By the paths as they are named, and as they are: readers may know either.
    _expected.update((os.path.realpath(path), known) for path, known in files.items())
    _expected.update((os.path.abspath(path), known) for path, known in files.items())
    _folders.clear()
    _folders.update(map(os.path.abspath, folders))


def expectations() -> tuple[dict[str, Known], list[str]]:
    """Expectations of this process about its inputs, as :func:`expect` takes them."""
    return dict(_expected), list(_folders)


@contextlib.contextmanager
def reading(path: PathLike, most: int | None = MAX_BYTES) -> Iterator[None]:
    """Around the reading of an input: it is a regular file, and what it was when it was recorded.

    Args:
        path: the file.
        most: bytes that such a file may have, None for any number.

    Raises:
        InvalidInput: see :func:`require_regular`; or it is larger.
        InputChanged: it is not the file that a record of this stage will name, or changes now.
    """
    known = recorded(path)
    try:
        status = require_regular(path)
    except InvalidInput as error:
        raise (error if known is None else InputChanged(path)) from error
    if most is not None and status.st_size > most:
        text = f"has {status.st_size / 1e9:.1f} GB, at most {most / 1e9:.1f} GB are read"
        raise InvalidInput(text, where=path)
    before = stamp(status)
    if known is not None:
        _require_same(path, before, known)
    yield
    if known is not None and stamp_of(path) != before:
        raise InputChanged(path)


def recorded(path: PathLike) -> Known | None:
    """[*stamp, digest] that an input must have; None when nobody has said so.

    Raises:
        InputChanged: it has joined a folder of which all files are inputs.
    """
    if not _expected and not _folders:
        return None
    place = os.path.abspath(path)
    known = _expected.get(place)
    if known is None and os.path.dirname(place) in _folders:
        raise InputChanged(path)
    return known


def _require_same(path: PathLike, found: list[int], known: Known) -> None:
    *mark, digest = known
    if found == mark:
        return
    try:
        today = digest_file(path)[1]
    except OSError as error:
        raise InputChanged(path) from error
    if today != digest:
        raise InputChanged(path)


def require_all(folder: PathLike, names: Iterable[str]) -> None:
    """See that a folder of inputs has the files that it had when it was recorded.

    Args:
        folder: the folder.
        names: of the files in it that are there now, a part of those of the record.

    Raises:
        InputChanged
    """
    place = os.path.abspath(folder)
    if place not in _folders:
        return
    recorded = {os.path.basename(path) for path in _expected if os.path.dirname(path) == place}
    there = {name for name in recorded if os.path.exists(os.path.join(place, name))}
    if not set(names) <= recorded or there != recorded:
        raise InputChanged(folder)
