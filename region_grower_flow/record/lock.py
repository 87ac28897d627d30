"""Locks: one run at a time makes a stage; a lock of a dead process counts for nothing."""

import contextlib
import errno
import fcntl
import getpass
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from region_grower_flow.errors import Busy, OutputFailed
from region_grower_flow.io.atomic import PathLike, make_folder, open_own, writing

PROBE_SECONDS = 0.05
"""Longer than anybody needs who only looks whether a lock is held."""


@contextlib.contextmanager
def stage_lock(path: PathLike, what: str) -> Iterator[None]:
    """Hold the lock file ``path`` while ``what`` is made.

    The kernel releases the lock when its process ends, however it ends.

    Raises:
        Busy: another run holds it; the message says which process, where and since when.
        OutputFailed: the lock file cannot be written.
    """
    path = Path(path)
    make_folder(path.parent)
    with writing(path):
        handle = open_own(path, os.O_RDWR | os.O_CREAT)
    try:
        _take(handle, path, what)
        yield
    finally:
        os.close(handle)


def holder(path: PathLike) -> str | None:
    """The holder of a lock file, as words; None when nobody holds it. Nothing is written."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return holder_words(os.read(handle, 4096).decode("utf-8", "replace"))
    else:
        return None
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    """Lock; a second time after a moment, since :func:`holder` holds a lock while it looks."""
    for pause in (PROBE_SECONDS, None):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if pause is None:
                raise
            time.sleep(pause)


def _take(handle: int, path: PathLike, what: str) -> None:
    try:
        _lock(handle)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise OutputFailed(f"{path}: cannot be locked ({error.strerror}).") from error
        holder = os.read(handle, 4096).decode("utf-8", "replace")
        raise Busy(
            f"{what} is being made by another run ({holder_words(holder)}). Wait until it ends, or "
            "stop it."
        ) from error
    with writing(path):
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(holder_content()).encode(), 0)


def holder_content() -> dict[str, Any]:
    """Content of a lock file that this process holds from now on, as a dict."""
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "user": _user(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def holder_words(text: str) -> str:
    """The holder of a lock in words, from the content of its file."""
    try:
        content = json.loads(text)
        return (
            f"process {int(content['pid'])} of {content['user']} on {content['host']}, "
            f"since {content['since']}"
        )
    except (ValueError, KeyError, TypeError):
        return "its process is not known"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
