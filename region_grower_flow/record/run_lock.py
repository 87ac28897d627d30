"""Locks of places: one run at a time holds its work folder and its outputs.

A run is a process together with the task processes that Luigi forks from it: these share what the
run holds. The kernel releases everything when the processes end, however they end, so what a dead
run has held is simply taken over; its unfinished files are removed then.
"""

import atexit
import contextlib
import errno
import fcntl
import json
import multiprocessing
import os
import socket
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from region_grower_flow.errors import Busy, OutputFailed
from region_grower_flow.io.atomic import PathLike, make_folder, open_own, remove_unfinished, writing
from region_grower_flow.record.lock import holder_content, holder_words

LOCK_PREFIX = ".lock-"
"""Prefix of the names of lock files, which are there while a run holds their place."""

ORPHAN_SECONDS = 10.0
"""Seconds for the processes of a killed run to end, which still hold what it held."""

POLL_SECONDS = 0.05
ATTEMPTS = 20
"""Attempts to take a lock file: somebody who looks at it, or a run that ends, may be in the way."""

_held: dict[tuple[int, Path], int] = {}


def hold(places: Iterable[PathLike]) -> None:
    """Hold places (paths of files or folders) until :func:`release` or the end of the process.

    What this run holds already is no obstacle.

    Raises:
        Busy: another run holds one; says which process, where and since when.
        OutputFailed: a lock file cannot be written.
    """
    for place in places:
        place = Path(os.path.realpath(place))
        path = lock_path(place)
        if (os.getpid(), path) not in _held:
            _held[os.getpid(), path] = _take(path, place)


def look(places: Iterable[PathLike]) -> None:
    """See that no other run holds the places; nothing is written.

    Raises:
        Busy: as :func:`hold`.
    """
    for place in places:
        place = Path(os.path.realpath(place))
        with contextlib.suppress(FileNotFoundError, PermissionError, NotADirectoryError):
            handle = os.open(lock_path(place), os.O_RDONLY | os.O_CLOEXEC)
            try:
                _check(handle, place, _flock(handle, fcntl.LOCK_SH))
            finally:
                os.close(handle)


@atexit.register
def release() -> None:
    """Give up all that this process holds; the lock files go with the last process of the run."""
    for pid, path in list(_held):
        if pid != os.getpid():
            continue
        handle = _held.pop((pid, path))
        with contextlib.suppress(OSError):
            if _flock(handle, fcntl.LOCK_EX):
                os.unlink(path)
        os.close(handle)


def lock_path(place: Path) -> Path:
    """The lock file of a place: beside it, or in it where that is a folder and beside is closed."""
    name = f"{LOCK_PREFIX}{zlib.crc32(os.fsencode(place.name)):08x}"
    if place.is_dir() and not os.access(place.parent, os.W_OK | os.X_OK):
        return place / name
    return place.parent / name


def _take(path: Path, place: Path) -> int:
    """Lock a file for this run and return its descriptor."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    make_folder(path.parent)
    for _ in range(ATTEMPTS):
        with writing(path):
            handle = open_own(path, os.O_RDWR | os.O_CREAT)
        try:
            if _take_open(handle, path, place, deadline):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        time.sleep(POLL_SECONDS)
    raise Busy(f"{place} is held by several runs that start at the same time. Start one again.")


def _take_open(handle: int, path: Path, place: Path, deadline: float) -> bool:
    """True if this run has the lock file now, else it has gone or changed hands meanwhile."""
    alone = _flock(handle, fcntl.LOCK_EX)
    while not alone and _is_unclear(handle) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        alone = _flock(handle, fcntl.LOCK_EX)
    if not _is_file(handle, path):
        return False
    _check(handle, place, alone)
    if alone and not _is_ours(_content(handle)):
        if _content(handle):
            remove_unfinished(place)
        _write(handle, path, place)
    # Shared from now on: the other task processes of this run hold it too.
    return _flock(handle, fcntl.LOCK_SH) and _is_ours(_content(handle))


def _check(handle: int, place: Path, free: bool) -> None:
    """Raise Busy when a lock file belongs to another living run."""
    content = _content(handle)
    if _is_ours(content) or (free and not _is_running(content)):
        return
    raise Busy(
        f"{place} is being written by another run ({holder_words(json.dumps(content))}). "
        "Wait until it ends, or stop it."
    )


def _flock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise OutputFailed(f"A lock file cannot be locked ({error.strerror}).") from error
    return True


def _is_file(handle: int, path: Path) -> bool:
    """True if the open file is still the one at ``path``: a run that ends removes it."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _content(handle: int) -> dict[str, Any]:
    try:
        content = json.loads(os.pread(handle, 4096, 0))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _write(handle: int, path: Path, place: Path) -> None:
    content = {**holder_content(), **_run(), "place": str(place)}
    with writing(path):
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(content).encode(), 0)


def _run() -> dict[str, Any]:
    """The process of this run that all others are forked from."""
    parent = multiprocessing.parent_process()
    pid = os.getpid() if parent is None else parent.pid
    return {"pid": pid, "started": _start_of(pid), "host": socket.gethostname()}


def _is_ours(content: dict[str, Any]) -> bool:
    run = _run()
    return {name: content.get(name) for name in run} == run


def _is_running(content: dict[str, Any]) -> bool:
    """True if the run of a lock file lives, as far as this machine can know."""
    if content.get("host") != socket.gethostname() or not isinstance(content.get("pid"), int):
        return False
    started = _start_of(content["pid"])
    return started is not None and started == content.get("started")


def _is_unclear(handle: int) -> bool:
    """True if a locked file tells of nobody yet, or of a run that has ended."""
    content = _content(handle)
    return not content or (content.get("host") == socket.gethostname() and not _is_running(content))


def _start_of(pid: int | None) -> int | None:
    """Start of a process of this machine (clock ticks), None when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])
