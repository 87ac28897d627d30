"""Cells that brought a rank down, and how often they did so.

Launchers say little, and differently, about who died first. Where the ranks themselves do not tell,
all cells that were growing are suspects. Suspects are grown at the end,
alone in a job of one worker, where the guilty one is certain. Counts are kept in the blocks folder,
so that they also add up over runs.
"""

import re
import signal
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from region_grower_flow import layout
from region_grower_flow.io.atomic import PathLike, write_json_atomic
from region_grower_flow.record.fingerprint import read_checked, with_check
from region_grower_flow.runtime.notes import FAILED, GROWING, Note

if TYPE_CHECKING:
    from region_grower_flow.runtime.job import Job

Cell: TypeAlias = tuple[int, str]
"""Row and digest of a cell."""

CRASHES_VERSION = 2

LOG_LENGTH = 100_000
"""Bytes at the end of a log that are searched for a crash."""

MAX_CRASHES = 2
MAX_KILLS = 3
"""A cell is dropped after so many crashes. A SIGKILL may come from outside as well as from the
kernel when memory is short, and an unknown death too: these have to happen once more."""

KILLED = "killed (out of memory, or by somebody)"

UNKNOWN = "unknown cause"
"""Beginning of the description of a death of which nobody said anything."""

SIGNAL_WORDS: dict[int, str] = {
    signal.SIGKILL: KILLED,
    signal.SIGSEGV: "segmentation fault",
    signal.SIGBUS: "bus error",
    signal.SIGILL: "illegal instruction",
    signal.SIGFPE: "floating point exception",
    signal.SIGABRT: "abort",
    signal.SIGTERM: "terminated",
    signal.SIGINT: "interrupted",
}

FATAL = "Fatal Python error"
"""Beginning of the last words, which faulthandler writes."""

_FATAL_LINE = re.compile(rf"^{FATAL}: ([^\n]+)", re.M)


def log_header(job_name: str, rank: int) -> str:
    """The line with which a rank begins its part of a log that launches share."""
    return f"--- rank {rank} of job {job_name}"


def find_culprits(job: "Job", notes: Sequence[Note], failures: Mapping[int, str]) -> dict[int, str]:
    """The ranks that certainly ended by themselves: {rank: how, in words}.

    A rank that raises says so in its note; one that crashes in compiled code leaves the words of
    :mod:`faulthandler` in its log. What launchers print is of no use: MPICH may name, with the
    signal of the crash, one of the innocent ranks that it has killed itself.

    Args:
        job: the Job.
        notes: the ranks' notes after the end.
        failures: {rank: message} of the ranks that could say so themselves.
    """
    culprits = {}
    for rank, note in enumerate(notes):
        fatal = _FATAL_LINE.search(log_of_job(job, rank))
        if note.state == FAILED:
            culprits[rank] = failures.get(rank, "an error")
        elif fatal:
            culprits[rank] = fatal[1].strip()
    return culprits


def log_of_job(job: "Job", rank: int) -> str:
    """The log of a rank in this job, at most its last LOG_LENGTH bytes."""
    try:
        with open(job.log(rank), "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_LENGTH))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return text.rpartition(log_header(job.name, rank))[2]


def signal_words(number: int) -> str:
    """Meaning of a signal, for a sentence."""
    return f"{SIGNAL_WORDS.get(number, 'ended')} (signal {int(number)})"


def code_words(code: int) -> str:
    """Meaning of a launcher's exit code, for a sentence.

    A negative one is the launcher's own death by a signal. MPICH gives a rank's signal as it is,
    Open MPI and srun add 128.
    """
    if code < 0:
        return f"it was itself {signal_words(-code)}"
    number = code - 128 if code > 128 else code
    if number in SIGNAL_WORDS:
        return f"exit code {code}, {signal_words(number)}"
    if code in (241, 255):
        return f"exit code {code}, the launcher's own time limit or a failed start"
    return f"exit code {code}"


def suspects(notes: Sequence[Note]) -> dict[int, int]:
    """{rank: row} of the ranks that were growing a cell when their job ended."""
    growing = (GROWING, FAILED)
    return {r: n.row for r, n in enumerate(notes) if n.state in growing and n.row >= 0}


class Crashes:
    """Counts of how often the cells of a blocks folder brought their process down.

    Attributes:
        counts: {(row, digest): [times, how it happened last]}; 0 times is a mere suspicion.
    """

    def __init__(self, folder: PathLike) -> None:
        self._path = Path(folder) / layout.CRASHES
        self.counts: dict[Cell, list[Any]] = {}

    def load(self) -> "Crashes":
        """Read what earlier runs have counted; a damaged file counts nothing."""
        content = read_checked(self._path) or {"version": None}
        if content["version"] == CRASHES_VERSION:
            self.counts = {(row, digest): counted for row, digest, *counted in content["cells"]}
        return self

    def add(self, cell: Cell, times: int, how: str) -> None:
        """Count a crash (1) or a suspicion (0) of a cell (row, digest); raises OutputFailed."""
        count = self.counts.setdefault(cell, [0, how])
        count[0] += times
        count[1] = how
        self._save()

    def clear(self, cells: Iterable[Cell]) -> None:
        """Forget cells that are finished; raises OutputFailed."""
        known = [cell for cell in cells if cell in self.counts]
        for cell in known:
            del self.counts[cell]
        if known:
            self._save()

    def reason(self, cell: Cell) -> str | None:
        """Reason why the cell is to be given up; None while it is not."""
        times, how = self.counts.get(cell, (0, ""))
        certain = how != KILLED and not how.startswith(UNKNOWN)
        if times < (MAX_CRASHES if certain else MAX_KILLS):
            return None
        return f"the cell brought its process down {times} times, last by: {how}"

    def _save(self) -> None:
        cells = [[*cell, *count] for cell, count in sorted(self.counts.items())]
        content = with_check({"version": CRASHES_VERSION, "cells": cells})
        write_json_atomic(self._path, content, durable=True)
