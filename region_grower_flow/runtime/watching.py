"""Watching while cells grow: how many are done, and whether the launcher lives."""

import socket
import time
from collections.abc import Callable
from typing import Any

from region_grower_flow.runtime.job import Job
from region_grower_flow.runtime.notes import read_notes
from region_grower_flow.runtime.processes import is_alive

PROGRESS_SECONDS = 0.5
LAUNCHER_SECONDS = 2.0
"""Seconds between two reports of progress, and two looks whether the launcher is alive."""


class ProgressReports:
    """Reports how many cells are done, not too often."""

    def __init__(
        self,
        count: Callable[[], tuple[int, int]],
        send: Callable[[dict[str, Any]], object],
    ) -> None:
        self._count, self._send = count, send
        self._start = self._last = time.monotonic()
        self._reported: tuple[int, int] | None = None

    def report(self, now: bool = False) -> None:
        """Report if something is new and the last time is long enough ago; ``now``: at once."""
        moment = time.monotonic()
        if not now and moment - self._last < PROGRESS_SECONDS:
            return
        self._last = moment
        done, dropped = self._count()
        if not now and self._reported == (done, dropped):
            return
        self._reported = (done, dropped)
        rate = done / max(moment - self._start, 1e-9)
        self._send({"done": done, "dropped": dropped, "cells_per_second": round(rate, 3)})


def count_cells(job: Job) -> tuple[int, int]:
    """(cells done, cells of them dropped) by all ranks of a job, as their notes say."""
    notes = read_notes(job.notes, job.ranks)
    return sum(note.done for note in notes), sum(note.dropped for note in notes)


class LauncherWatch:
    """Looks now and then whether the process that launched the job lives (on the same node)."""

    def __init__(self, job: Job) -> None:
        self._pid = job.pid if job.host == socket.gethostname() else None
        self._next = time.monotonic()

    def launcher_is_alive(self) -> bool:
        """False once it is known to be gone; looks every few seconds."""
        if self._pid is None or time.monotonic() < self._next:
            return True
        self._next = time.monotonic() + LAUNCHER_SECONDS
        return is_alive(self._pid)
