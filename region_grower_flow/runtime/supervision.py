"""One launch: start it, listen to it, watch for hangs, and see that nothing of it is left."""

import contextlib
import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from region_grower_flow.errors import printable
from region_grower_flow.io.atomic import open_own
from region_grower_flow.runtime import processes
from region_grower_flow.runtime.notes import ABSENT, GROWING, Note, read_notes
from region_grower_flow.runtime.privacy import hide_environment

if TYPE_CHECKING:
    from region_grower_flow.runtime.job import Job

Event: TypeAlias = dict[str, Any]
"""A message of a rank: its JSON object."""

OnProgress: TypeAlias = Callable[[Event], object]

POLL_SECONDS = 0.2
WATCH_SECONDS = 0.5
"""Seconds between two looks at the ranks' notes."""

DRAIN_SECONDS = 1.0
"""Seconds for the last words of a launcher that has ended."""

TEXT_LENGTH = 20_000
"""Characters of the launcher's own words that are kept in memory (all go to its log)."""


@dataclass(frozen=True)
class Limits:
    """Limits that end a job from outside.

    Attributes:
        cell_seconds: for one cell, with the grace; None for no limit.
        stall_seconds: without any sign of life.
        start_seconds: from the start of the first rank until all ranks are at work.
        queued: the launcher may wait for its turn, for as long as it takes.
    """

    cell_seconds: float | None
    stall_seconds: float
    start_seconds: float
    queued: bool = False


@dataclass
class LaunchEnd:
    """End of a launch: exit code, last words, failures and notes of its ranks.

    Attributes:
        code: exit code of the launcher (negative: killed by a signal); None in this process.
        text: the end of what the launcher itself printed.
        failure: {"kind", "message"} that a rank reported, None when none did.
        failures: {rank: message} of all ranks that left one.
        timed_out: rows of cells that exceeded their limit and did not let themselves be ended.
        stalled: seconds without any sign of life, 0 when that is not what ended it.
        notes: the last note of each rank.
    """

    code: int | None = None
    text: str = ""
    failure: dict[str, Any] | None = None
    failures: dict[int, str] = field(default_factory=dict)
    timed_out: tuple[int, ...] = ()
    stalled: float = 0.0
    notes: list[Note] = field(default_factory=list)


def run_launch(
    command: list[str],
    environment: Mapping[str, str],
    job: "Job",
    limits: Limits,
    on_progress: OnProgress,
) -> LaunchEnd:
    """Run a launch command to its end, or until a limit is exceeded or a rank reports a failure.

    Args:
        command: list of words.
        environment: of the launcher.
        job: the Job, whose file is written.
        limits: the Limits.
        on_progress: called with the values of each progress event.

    Returns:
        A LaunchEnd; no process of the launch is left, also when this raises.

    Raises:
        WorkerFailed: the launcher cannot be started.
    """
    end = LaunchEnd()
    process = processes.start(command, environment)
    watch = _Watch(job, limits)
    try:
        with _Listener(process, job.launcher_log) as listener:
            while process.poll() is None and end.failure is None:
                events = listener.listen(POLL_SECONDS)
                _handle(events, end, on_progress)
                watch.started |= bool(events)
                end.timed_out, end.stalled = watch.look()
                if end.timed_out or end.stalled:
                    break
            if process.poll() is None:
                # SIGTERM first: the launcher's last words are still read below.
                process.terminate()
            _handle(listener.drain(), end, on_progress)
            end.text = listener.text
    finally:
        processes.stop(process, str(job.path))
    end.code = process.returncode
    return finish(end, job)


def finish(end: LaunchEnd, job: "Job") -> LaunchEnd:
    """Read what the ranks left behind into a LaunchEnd, and return it."""
    end.notes = read_notes(job.notes, job.ranks)
    for rank in range(job.ranks):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            failure = json.loads(job.failure(rank).read_text(encoding="utf-8"))
            end.failures[rank] = str(failure["message"])
            if failure["kind"] != "error" and end.failure is None:
                end.failure = failure
    return end


def _handle(events: Iterable[Event], end: LaunchEnd, on_progress: OnProgress) -> None:
    for event in events:
        if event["event"] == "progress":
            on_progress(event)
        elif event["event"] == "failed" and end.failure is None:
            end.failure = event


class _Watch:
    """Finds cells and jobs that hang, by this machine's clock alone.

    Attributes:
        started: whether a rank has begun.
    """

    def __init__(self, job: "Job", limits: Limits) -> None:
        self._job, self._limits = job, limits
        self._begin = self._next = time.monotonic()
        self._seen: dict[int, tuple[int, float]] = {}
        self.started = not limits.queued

    def look(self) -> tuple[tuple[int, ...], float]:
        """The rows beyond their limit, and the seconds of a stall (0 for none)."""
        now = time.monotonic()
        if now < self._next:
            return (), 0.0
        self._next = now + WATCH_SECONDS
        if not self.started:
            self._begin = now
            return (), 0.0
        notes = read_notes(self._job.notes, self._job.ranks)
        if any(note.state == ABSENT for note in notes):
            waited = now - self._begin
            return (), waited if waited > self._limits.start_seconds else 0.0
        for rank, note in enumerate(notes):
            if rank not in self._seen or self._seen[rank][0] != note.serial:
                self._seen[rank] = (note.serial, now)
        late: tuple[int, ...] = ()
        limit = self._limits.cell_seconds
        growing = [rank for rank, note in enumerate(notes) if note.state == GROWING]
        if limit is not None:
            late = tuple(notes[rank].row for rank in growing if now - self._seen[rank][1] > limit)
            if growing:
                return late, 0.0
        quiet = now - max(moment for _, moment in self._seen.values())
        return late, quiet if quiet > self._limits.stall_seconds else 0.0


class _Listener:
    """Reads a launcher's pipes: events from the ranks, and its own words, which go to a log."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process, self._log_path = process, log
        self._selector = selectors.DefaultSelector()
        self._rest: dict[Any, bytes] = {}
        self._log: IO[bytes] | None = None
        self.text = ""

    def __enter__(self) -> "_Listener":
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._log = open(open_own(self._log_path, flags), "ab", buffering=0)
        for pipe in filter(None, (self._process.stdout, self._process.stderr)):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ)
            self._rest[pipe] = b""
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        if self._log is not None:
            self._log.close()

    def listen(self, seconds: float) -> list[Event]:
        """Wait for words, or the end, of the launcher and return the events among them."""
        if not self._selector.get_map():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            return []
        events: list[Event] = []
        for key, _ in self._selector.select(seconds):
            events += self._read(key.fileobj)
        return events

    def drain(self) -> list[Event]:
        """The events that are left, until the pipes are closed or a moment has passed."""
        events: list[Event] = []
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._selector.get_map() and time.monotonic() < deadline:
            events += self.listen(0.05)
        return events

    def _read(self, pipe: Any) -> list[Event]:
        data = os.read(pipe.fileno(), 1 << 16)
        if not data:
            self._selector.unregister(pipe)
            data = b"\n" if self._rest[pipe] else b""
        *lines, self._rest[pipe] = (self._rest[pipe] + data).split(b"\n")
        events: list[Event] = []
        for line in lines:
            event = _event(line)
            if event is None:
                self._keep(line)
            else:
                events.append(event)
        return events

    def _keep(self, line: bytes) -> None:
        words = printable(hide_environment(line.decode(errors="replace"))) + "\n"
        self.text = (self.text + words)[-TEXT_LENGTH:]
        if self._log is not None:
            # A log that cannot be written must not end what is logged.
            with contextlib.suppress(OSError):
                self._log.write(words.encode(errors="replace"))


def _event(line: bytes) -> Event | None:
    """The event on a line of output; None when it is something else."""
    if not line.startswith(b'{"event"'):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event.get("event"), str) else None
