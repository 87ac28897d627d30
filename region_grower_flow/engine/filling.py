"""Filling the kernel cache: which groups lack, why, and their compilation in processes apart."""

from __future__ import annotations

import contextlib
import glob
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from region_grower_flow.engine import cache
from region_grower_flow.engine.groups import GROUPS
from region_grower_flow.engine.target import target_name
from region_grower_flow.errors import WorkerFailed

if TYPE_CHECKING:
    from typing import IO

    from filelock import BaseFileLock

L = logging.getLogger(__name__)

PROCESSES = 2
"""Groups that are compiled at once, where there are as many cores."""

POLL_SECONDS = 0.05
NEWS_SECONDS = 5
"""Seconds between two lines on what is still compiled."""

KEPT_DAYS, KEPT_FOLDERS = 30, 20
"""Folders of other versions are removed when unused for so long, or when there are more of a
group: several environments and processors may share a cache."""

OURS = re.compile(
    r"(?:(?P<group>[a-z_]+)-)?[\w.+]+-[0-9a-f]{16}-numba[\w.+]+-numpy[\w.+]+-python[\w.+]+-[\w.+-]+"
)
"""The names of cache folders, also of those before kernels were in groups."""


def provide(groups: Iterable[str] = tuple(GROUPS)) -> None:
    """Fill today's folders of some groups if need be, before several processes would compile.

    Tells what is compiled, why, and what it takes.

    Raises:
        WorkerFailed: the kernels do not compile.
    """
    if not cache.compiles():
        return
    try:
        fill(groups, L.warning)
        denied = not all(cache.usable_folder(group) for group in groups)
        problem = "it cannot be written to, as Numba wants" if denied else None
    except OSError as error:
        problem = str(error)
    if problem:
        L.warning(
            "Compiled kernels cannot be kept in %s (%s): each process compiles its own, for up to "
            "a minute. Set %s to a folder to avoid it.",
            cache.base_folder(),
            problem,
            cache.BASE_VARIABLE,
        )


def fill(groups: Iterable[str] = tuple(GROUPS), report: Callable[..., None] = L.debug) -> None:
    """Fill today's folders of some groups unless they are; several processes may call this at once.

    Without compilation there is nothing to keep; a folder filled then would be believed later.

    Args:
        groups: names of groups.
        report: called with the words of a line of news and their arguments, as a logger.

    Raises:
        WorkerFailed: the kernels do not compile.
        OSError: the folders cannot be made.
    """
    missing = [group for group in groups if not cache.is_filled(group)]
    if not missing or not cache.compiles():
        return
    cache.base_folder().mkdir(parents=True, exist_ok=True)
    words = ", ".join(GROUPS[group] for group in missing)
    report("Compiling the growth engine (%s), once %s: some 10 to 40 s of CPU.", words, _reason())
    L.info("Compiled for Numba %s and processors like %s.", version("numba"), target_name())
    start = time.monotonic()
    _fill_all(missing)
    report("Compiled the growth engine in %.0f s.", time.monotonic() - start)
    remove_old_folders()


def _reason() -> str:
    """Reason why kernels lack, for the message."""
    if not any(cache.base_folder().glob(f"*/{cache.COMPLETE}")):
        return "on this machine"
    return "for this version of the package"


def _fill_all(waiting: Iterable[str]) -> None:
    waiting, news = list(waiting), time.monotonic()
    running: list[Filling] = []
    room = min(PROCESSES, len(os.sched_getaffinity(0)))
    try:
        while waiting or running:
            for filling in [each for each in running if each.has_ended()]:
                filling.keep()
                running.remove(filling)
                L.info("Compiled: %s.", GROUPS[filling.group])
            # A group whose lock is held is being filled by another process: it may be done now.
            waiting = [group for group in waiting if not cache.is_filled(group)]
            for group in waiting[:]:
                begun = Filling.begin(group) if len(running) < room else None
                if begun is not None:
                    running.append(begun)
                    waiting.remove(group)
            if time.monotonic() - news > NEWS_SECONDS:
                news = time.monotonic()
                left = [each.group for each in running] + waiting
                L.info("Still compiling: %s.", ", ".join(GROUPS[group] for group in left))
            if waiting or running:
                time.sleep(POLL_SECONDS)
    finally:
        for filling in running:
            filling.give_up()


class Filling:
    """A process that compiles one group into a folder beside its place, under the group's lock."""

    def __init__(self, group: str, lock: BaseFileLock) -> None:
        self.group = group
        self._lock, self._target = lock, cache.folder(group)
        for left in self._target.parent.glob(f"{glob.escape(self._target.name)}.?*"):
            if left.is_dir():  # of a process that was killed: nobody else fills, we hold the lock
                shutil.rmtree(left, ignore_errors=True)
        beside = tempfile.mkdtemp(prefix=self._target.name + ".", dir=self._target.parent)
        self._beside = Path(beside)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def begin(cls, group: str) -> Filling | None:
        """Start to fill a group; None when another process does, or has just done.

        Raises:
            OSError: the folders cannot be locked, as on some network mounts.
        """
        from filelock import FileLock, Timeout

        target = cache.folder(group)
        lock = FileLock(target.with_name(target.name + ".lock"), blocking=False)
        try:
            lock.acquire()
        except Timeout:
            return None
        if cache.is_filled(group):
            lock.release()
            return None
        filling = cls(group, lock)
        try:
            filling._process = start_compiler(group, filling._beside, filling._errors)
        except BaseException:
            filling.give_up()
            raise
        return filling

    def has_ended(self) -> bool:
        """True if the process has ended."""
        return self._process is None or self._process.poll() is not None

    def keep(self) -> None:
        """Put the filled folder into its place; raises WorkerFailed when the process failed."""
        try:
            code = 1 if self._process is None else self._process.wait()
            if code:
                raise WorkerFailed(f"the kernels cannot be compiled: {self._last_words(code)}")
            (self._beside / cache.COMPLETE).touch()
            shutil.rmtree(self._target, ignore_errors=True)
            self._beside.rename(self._target)
        finally:
            self.give_up()

    def _last_words(self, code: int) -> str:
        """The last words of a process that failed, or how it ended."""
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        if code < 0:
            return f"the process that does it was ended by {signal.Signals(-code).name}"
        return said[-1] if said else f"the process that does it ended with {code}"

    def give_up(self) -> None:
        """End the process, remove what it has left, and free the lock."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        shutil.rmtree(self._beside, ignore_errors=True)
        self._lock.release()


def start_compiler(group: str, target: Path, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Compile a group in a new process, where no kernel has been imported from elsewhere.

    Args:
        group: its name.
        target: the folder to fill.
        errors: the open file for what the process has to say.

    Returns:
        the Popen.
    """
    environment = {**os.environ, cache.FILL_VARIABLE: f"{group}:{target}"}
    call = (
        f"from region_grower_flow.engine.warm import fill_for; fill_for({os.getpid()}, {group!r})"
    )
    command = [sys.executable, "-c", call]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)


def remove_old_folders() -> None:
    """Remove cache folders of other versions that have not been used for long, with their locks."""
    kept: dict[str, int] = {}
    limit = time.time() - KEPT_DAYS * 86_400
    today = {cache.folder(group).name for group in GROUPS}
    found = []
    for path in cache.base_folder().iterdir():
        match = OURS.fullmatch(path.name)
        if match and path.is_dir() and path.name not in today:
            with contextlib.suppress(OSError):  # one that is being filled has no marker yet
                found.append(((path / cache.COMPLETE).stat().st_mtime, match["group"], path))
    for used, group, path in sorted(found, reverse=True):
        kept[group] = kept.get(group, 0) + 1
        if used < limit or kept[group] > KEPT_FOLDERS:
            (path / cache.COMPLETE).unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)
            path.with_name(path.name + ".lock").unlink(missing_ok=True)
