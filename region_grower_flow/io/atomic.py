"""Files that are either whole or absent: written beside their place, then renamed.

A reader, or the next run after a kill at any moment, never sees half a file. Everything that the
package leaves behind goes through here, so a full disk or a read-only folder is one sentence.
"""

import contextlib
import ctypes
import errno
import itertools
import json
import os
import re
import secrets
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from region_grower_flow.errors import InvalidInput, OutputFailed

PathLike: TypeAlias = str | os.PathLike[str]
"""A path as functions take it."""

TEMPORARY_PREFIX = ".tmp-"
"""Prefix of the name of every file that is not complete yet."""

_ADVICE: dict[int | None, tuple[str | None, str]] = {
    errno.ENOSPC: ("the disk is full", "free some space and run again: finished work is kept"),
    errno.EDQUOT: ("the disk quota is used up", "free some space and run again"),
    errno.EROFS: ("the file system is read-only", "choose an output folder that can be written"),
    errno.EACCES: ("permission denied", "make the folder writable or choose another one"),
    errno.EPERM: ("operation not permitted", "make the folder writable or choose another one"),
    errno.EFBIG: ("the file-size limit is reached", "raise it (ulimit -f) and run again"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter folder or file name"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose another output path"),
    errno.EISDIR: ("a folder is in its place", "choose another output path or remove the folder"),
    errno.EEXIST: ("a file is in the place of a folder", "choose another output path"),
    errno.ENOENT: ("the folder does not exist", "create it or choose another one"),
    errno.EIO: ("the disk reports an input/output error", "check the disk and run again"),
}

_COUNTER = itertools.count()
_PROCESS = secrets.token_hex(4)
"""Tells temporary files of processes with the same number apart (containers, other machines)."""
_HDF5_ERRNO = re.compile(r"\berrno\s*=\s*(\d+)")


def output_failed(error: BaseException, path: PathLike) -> OutputFailed:
    """The :class:`OutputFailed` that tells what ``error`` (of the system or h5py) means."""
    number = getattr(error, "errno", None)
    if number is None:
        # h5py raises OSError or RuntimeError with HDF5's text, which quotes the system's errno.
        quoted = _HDF5_ERRNO.search(str(error))
        number = int(quoted.group(1)) if quoted else None
    reason, advice = _ADVICE.get(number, (None, "check the disk and the folder, and run again"))
    if reason is None:
        reason = os.strerror(number) if number else " ".join(str(error).split())
    return OutputFailed(f"{path} cannot be written: {reason}; {advice}.")


@contextlib.contextmanager
def writing(path: PathLike) -> Iterator[None]:
    """Turn system errors raised in the block into :class:`OutputFailed` that names ``path``.

    HDF5 reports some failed writes as RuntimeError (a failed flush on closing): these count too
    when they quote a system error.
    """
    try:
        yield
    except OSError as error:
        raise output_failed(error, path) from error
    except RuntimeError as error:
        if _HDF5_ERRNO.search(str(error)) is None:
            raise
        raise output_failed(error, path) from error


@contextlib.contextmanager
def atomic_write(path: PathLike, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that becomes ``path`` when the block ends well.

    Args:
        path: the final file; its folder must exist.
        durable: wait until content and name are on the disk (manifests, records), so that they
            survive a power cut.

    Raises:
        OutputFailed: the file cannot be written; nothing is left behind and an earlier file of
            that name is unharmed.
    """
    path = Path(path)
    # The name stays short: the final one may have nearly the longest length that is allowed.
    temporary = path.with_name(f"{_temporary_prefix(path.name)}{_unique()}{path.suffix}")
    try:
        with writing(path):
            yield temporary
            if durable:
                sync_file(temporary)
            put(temporary, path)
            if durable:
                sync_file(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _temporary_prefix(name: str) -> str:
    return f"{TEMPORARY_PREFIX}{zlib.crc32(os.fsencode(name)):08x}-"


def _unique() -> str:
    return f"{os.getpid()}-{_PROCESS}-{next(_COUNTER)}"


def remove_unfinished(path: PathLike) -> None:
    """Remove what killed writers of ``path`` have left beside it, and in it when it is a folder.

    Nobody may be writing ``path`` meanwhile.
    """
    path = Path(path)
    remove_temporaries(path.parent, _temporary_prefix(path.name))
    remove_temporaries(path)


def remove_temporaries(folder: PathLike, prefix: str = TEMPORARY_PREFIX) -> None:
    """Remove the files of a folder (if it is one) that begin with ``prefix``."""
    known = (FileNotFoundError, NotADirectoryError, PermissionError)
    with contextlib.suppress(*known), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def write_bytes_atomic(path: PathLike, data: bytes | memoryview, durable: bool = False) -> None:
    """Write ``data`` (bytes-like) as the whole content of ``path``; raises OutputFailed.

    As :func:`atomic_write` in the fewest system calls, without Path objects: this is called for
    every cell.
    """
    path = os.fspath(path)
    folder, _, name = path.rpartition("/")
    folder = folder or ("/" if path.startswith("/") else ".")
    suffix = name[name.rindex(".") :] if "." in name[1:] else ""
    temporary = f"{folder}/{_temporary_prefix(name)}{_unique()}{suffix}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with writing(path):
            descriptor = os.open(temporary, flags, 0o666)
            try:
                view = memoryview(data).cast("B")
                while len(view):
                    view = view[os.write(descriptor, view) :]
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            put(temporary, path)
            if durable:
                sync_file(folder)
    except BaseException:  # also the end of a cell's time
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def write_text_atomic(path: PathLike, text: str, durable: bool = False) -> None:
    """Write ``text`` as UTF-8; raises OutputFailed."""
    write_bytes_atomic(path, text.encode("utf-8"), durable)


def write_json_atomic(path: PathLike, value: object, durable: bool = False, **options: Any) -> None:
    """Write ``value`` as JSON (``options`` as in :func:`json.dumps`); raises OutputFailed."""
    options = {"indent": 1, "ensure_ascii": False, "allow_nan": False, **options}
    write_text_atomic(path, json.dumps(value, **options) + "\n", durable)


def make_own_folder(root: PathLike, *parts: str) -> Path:
    """Make a folder below a work folder, which may come from somebody else, and return its path.

    Raises:
        OutputFailed: a part below ``root`` is a link: what is written, or removed, would be
            elsewhere. Or it cannot be made.
    """
    path = Path(root)
    for part in Path(*parts).parts:
        path /= part
        if path.is_symlink():
            raise OutputFailed(f"{path} is a link, which the work folder must not have; remove it.")
    make_folder(path)
    return path


def open_own(path: PathLike, flags: int) -> int:
    """Open a file of ours to write in it, as :func:`os.open`.

    A link in its place is removed, and an empty folder.

    Raises:
        OSError
    """
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except OSError as error:
        if os.path.islink(path):
            os.unlink(path)
        elif error.errno == errno.EISDIR:
            with contextlib.suppress(OSError):
                os.rmdir(path)
        else:
            raise
        return os.open(path, flags, 0o644)


def remove_own(path: PathLike) -> None:
    """Remove a file of ours if it is there, also where an empty folder has come in its place.

    Raises:
        OutputFailed: it cannot be removed, or a folder that holds something is in its place.
    """
    with writing(path):
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except (IsADirectoryError, PermissionError):
            if not os.path.isdir(path) or os.path.islink(path) or os.listdir(path):
                raise
            os.rmdir(path)


def make_folder(path: PathLike) -> None:
    """Make the folder ``path`` and those above it where they are missing; raises OutputFailed."""
    with writing(path):
        os.makedirs(path, exist_ok=True)


FEW_FILES = 10
"""Files that are synced one by one, for some milliseconds each."""


def sync_outputs(paths: Iterable[PathLike]) -> None:
    """Wait until files are on the disk, before a record vouches for them.

    Raises:
        OSError
    """
    paths = list(paths)
    if len(paths) <= FEW_FILES:
        for path in paths:
            sync_file(path)
        return
    for folder in {Path(path).parent for path in paths}:
        sync_files_of(folder)


def sync_files_of(folder: PathLike) -> None:
    """Wait until everything that was written to the file system of ``folder`` is on the disk."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        syncfs = getattr(ctypes.CDLL(None), "syncfs", None)
        if syncfs is None or syncfs(descriptor) != 0:
            os.sync()
    finally:
        os.close(descriptor)


def is_plain(name: object) -> bool:
    """True if a name is a path of ordinary parts (a million are asked for in a second)."""
    return (
        isinstance(name, str)
        and name.isprintable()
        and not name.startswith(("/", "."))
        and "/." not in name
        and "//" not in name
        and name[-1:] not in ("", "/")
    )


def safe_child(folder: PathLike, name: object) -> Path:
    """The path of ``name`` in ``folder``, for names that come from a file.

    Args:
        folder: a folder that the user named.
        name: a relative path; its parts may be folders below ``folder``.

    Raises:
        InvalidInput: the name is empty, absolute, holds a NUL or ``..``, or leaves the folder
            through a symbolic link.
    """
    text = name if isinstance(name, str) else ""
    parts = text.split("/")
    if not text.strip():
        raise InvalidInput(f"{name!r} is not the name of a file", where=folder)
    if "\0" in text or not text.isprintable():
        raise InvalidInput(f"the name {name!r} holds characters that no file name has", folder)
    if text.startswith("/") or ".." in parts or "." in parts or "" in parts:
        raise InvalidInput(
            f"the name {name!r} leaves the folder",
            where=folder,
            hint="give a name relative to the folder, without '..' or a leading '/'",
        )
    path = Path(folder) / text
    root = os.path.realpath(folder)
    if os.path.commonpath([root, os.path.realpath(path)]) != root:
        raise InvalidInput(f"the name {name!r} leaves the folder through a symbolic link", folder)
    return path


def put(temporary: PathLike, path: PathLike) -> None:
    """Rename, also where an empty folder is in the way: it holds nothing of anybody's."""
    try:
        os.replace(temporary, path)
    except IsADirectoryError:
        with contextlib.suppress(OSError):
            os.rmdir(path)
        os.replace(temporary, path)


def sync_file(path: PathLike) -> None:
    """Wait until the content of a file, or the names in a folder, are on the disk.

    Raises:
        OSError
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
