"""Which cell brought a rank down, and how often it did so.

Launchers say little, and differently, about who died first. What they say is believed only where
it is unmistakable; else all cells that were growing are suspects. Suspects are grown at the end,
alone in a job of one worker, where the guilty one is certain. Counts are kept in the blocks folder,
so that they also add up over runs.
"""

import json
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from region_grower_flow.io.atomic import write_json_atomic
from region_grower_flow.runtime.notes import FAILED, GROWING

CRASHES = "crashes.json"
CRASHES_VERSION = 1

MAX_CRASHES = 2
MAX_KILLS = 3
"""A cell is dropped after so many crashes. A SIGKILL may come from outside as well as from the
kernel when memory is short, and an unknown death too: these have to happen once more."""

CRASH_SIGNALS = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGBUS: "bus error",
    signal.SIGILL: "illegal instruction",
    signal.SIGFPE: "arithmetic error",
    signal.SIGABRT: "abort",
    signal.SIGSYS: "forbidden system call",
}
KILLED = "killed (out of memory, or by somebody)"

_MPICH = re.compile(r"PID (\d+) RUNNING AT[^\n]*\n[^\n]*EXIT CODE: (\d+)")
_OPEN_MPI = re.compile(r"process rank (\d+) with PID \d+ .*exited on\s+signal (\d+)", re.S)
_SLURM = re.compile(r"error: [^\n]*: tasks? (\d+): ([A-Z][a-z ]+)")
_SLURM_WORDS = {
    "Segmentation fault": signal.SIGSEGV,
    "Bus error": signal.SIGBUS,
    "Illegal instruction": signal.SIGILL,
    "Floating point exception": signal.SIGFPE,
    "Aborted": signal.SIGABRT,
    "Bad system call": signal.SIGSYS,
    "Out Of Memory": signal.SIGKILL,
}


@dataclass(frozen=True)
class Culprit:
    """A rank that certainly died by itself, and how (in words)."""

    rank: int
    how: str


def find_culprit(text, notes, failures):
    """The rank that ended a job, where that is certain; else None.

    Args:
        text: what the launcher printed.
        notes: the ranks' notes after the end.
        failures: {rank: message} of the ranks that could say so themselves.
    """
    for rank, note in enumerate(notes):
        if note.state == FAILED:
            return Culprit(rank, failures.get(rank, "an error"))
    found = _from_mpich(text, notes) or _from_open_mpi(text) or _from_slurm(text)
    return found if found and found.rank < len(notes) else None


def _from_mpich(text, notes):
    # MPICH kills the other ranks by SIGKILL and may then name one of those: only other signals
    # tell who it was.
    for pid, code in _MPICH.findall(text):
        ranks = [rank for rank, note in enumerate(notes) if note.pid == int(pid)]
        if int(code) in CRASH_SIGNALS and len(ranks) == 1:
            return Culprit(ranks[0], signal_words(int(code)))
    return None


def _from_open_mpi(text):
    found = _OPEN_MPI.search(text)
    if found and int(found[2]) in (*CRASH_SIGNALS, signal.SIGKILL):
        return Culprit(int(found[1]), signal_words(int(found[2])))
    return None


def _from_slurm(text):
    for rank, words in _SLURM.findall(text):
        for start, number in _SLURM_WORDS.items():
            if words.startswith(start):
                return Culprit(int(rank), signal_words(number))
    return None


def signal_words(number):
    """What a signal means, for a sentence."""
    if number == signal.SIGKILL:
        return KILLED
    if number in CRASH_SIGNALS:
        return f"{CRASH_SIGNALS[number]} (signal {number})"
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def code_words(code):
    """What the exit code of a launcher means, for a sentence.

    A negative one is the launcher's own death by a signal. MPICH gives a rank's signal as it is,
    Open MPI and srun add 128.
    """
    if code < 0:
        return f"it was ended by {signal_words(-code)} itself"
    number = code - 128 if code > 128 else code
    if number in (*CRASH_SIGNALS, signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        return f"exit code {code}: {signal_words(number)}"
    if code in (241, 255):
        return f"exit code {code}: the launcher's own time limit, or a failed start"
    return f"exit code {code}"


def suspects(notes):
    """{rank: row} of the ranks that were growing a cell when their job ended."""
    growing = (GROWING, FAILED)
    return {r: n.row for r, n in enumerate(notes) if n.state in growing and n.row >= 0}


class Crashes:
    """How often the cells of a blocks folder brought their process down.

    Attributes:
        counts: {(row, digest): [times, how it happened last]}; 0 times is a mere suspicion.
    """

    def __init__(self, folder):
        self._path = Path(folder) / CRASHES
        self.counts = {}

    def load(self):
        """Read what earlier runs have counted; an unreadable file counts nothing."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            version, cells = content["version"], content["cells"]
            read = {(int(c[0]), str(c[1])): [int(c[2]), str(c[3])] for c in cells}
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return self
        if version == CRASHES_VERSION:
            self.counts = read
        return self

    def add(self, cell, times, how):
        """Count a crash (1) or a suspicion (0) of a cell (row, digest); raises OutputFailed."""
        count = self.counts.setdefault(cell, [0, how])
        count[0] += times
        count[1] = how
        self._save()

    def clear(self, cells):
        """Forget cells that are finished; raises OutputFailed."""
        known = [cell for cell in cells if cell in self.counts]
        for cell in known:
            del self.counts[cell]
        if known:
            self._save()

    def reason(self, cell):
        """Why the cell is to be given up; None while it is not."""
        times, how = self.counts.get(cell, (0, ""))
        certain = how != KILLED and not how.startswith(UNKNOWN)
        if times < (MAX_CRASHES if certain else MAX_KILLS):
            return None
        return f"the cell brought its process down {times} times, last by: {how}"

    def _save(self):
        cells = [[*cell, *count] for cell, count in sorted(self.counts.items())]
        write_json_atomic(self._path, {"version": CRASHES_VERSION, "cells": cells}, durable=True)


UNKNOWN = "unknown cause"
"""How a death begins of which nobody said anything."""
