"""Work done by a job array of Slurm: attached to, submitted where it lacks, waited for.

What is submitted is remembered in a file, so that a process that starts anew finds its jobs again.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.errors import WorkerFailed
from region_grower_flow.io.atomic import make_folder, write_json_atomic
from region_grower_flow.runtime import slurm
from region_grower_flow.runtime.slurm import JobOptions

POLL_SECONDS = 0.5, 15.0
"""Seconds between two looks at the queue, first and last: a controller serves many users."""

POLL_GROWTH = 1.3
"""Factor from each wait to the next."""

GONE_POLLS = 2
"""Looks that miss a job before it counts as ended: one that is just submitted may not show, and
files that it has written may show late."""

TRIES = 3
"""Times that the same work is submitted: jobs are killed with their nodes and at time limits; what
they have finished counts."""

TAIL_LENGTH = 600
"""Characters of a job's log that an error quotes."""


@dataclass
class JobArray:
    """The jobs of a run.

    Attributes:
        folder: in the work folder, for the batch script, what is submitted, and the jobs' logs.
        command: words that make one piece of the work; its number is added.
        names: the pieces in order: a piece's number is its place.
        options: the JobOptions.
        show: called with a sentence on what happens.
        poll_seconds: between two looks, at first and in the end.
    """

    folder: Path
    command: Sequence[str]
    names: Sequence[str]
    options: JobOptions
    show: Callable[[str], object] = lambda sentence: None
    poll_seconds: tuple[float, float] = POLL_SECONDS
    _tries: dict[str, int] = field(default_factory=dict)

    def wait(self, name: str, is_done: Callable[[str], bool]) -> None:
        """Wait until a piece is done, with all others submitted that lack.

        Args:
            name: the piece.
            is_done: whether a piece is done, by what its job has left behind.

        Raises:
            WorkerFailed: its jobs ended again and again without finishing it.
            InvalidInput: there is no Slurm.
        """
        missed, shown, pause = 0, "", self.poll_seconds[0]
        while not is_done(name):
            state = self.queue().get(name)
            missed = 0 if state else missed + 1
            if missed > (GONE_POLLS if name in self._submitted() else 0):
                lacking = [each for each in self.names if not is_done(each)]
                if name in lacking:
                    self._submit(lacking, name)
                missed, pause = 0, self.poll_seconds[0]
                continue
            job = self._submitted()[name][0]
            sentence = f"job {job} of Slurm for {name}: {(state or 'ended').lower()}"
            if sentence != shown:
                self.show(sentence)
            shown = sentence
            time.sleep(pause)
            pause = min(pause * POLL_GROWTH, self.poll_seconds[1])

    def queue(self) -> dict[str, str]:
        """{piece: state} of the jobs that are in Slurm's queue."""
        submitted = self._submitted()
        states = {job: slurm.states(job) for job in {job for job, _ in submitted.values()}}
        found = {name: states[job].get(index) for name, (job, index) in submitted.items()}
        return {name: state for name, state in found.items() if state}

    def cancel(self) -> None:
        """Cancel all jobs that are still there."""
        for job in {job for job, _ in self._submitted().values()}:
            slurm.cancel(job)
        self._record.unlink(missing_ok=True)

    def log(self, name: str) -> Path:
        """The log of a piece's jobs."""
        return self.folder / layout.job_log(self.names.index(name))

    @property
    def _record(self) -> Path:
        return self.folder / layout.SUBMITTED

    def _submitted(self) -> dict[str, tuple[str, int]]:
        """{piece: (job, number in its array)} of what has been submitted, by whatever process."""
        try:
            content = json.loads(self._record.read_text(encoding="utf-8"))
            found = {name: (str(job), int(index)) for name, (job, index) in content.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}
        known = set(self.names)
        return {
            name: (job, index)
            for name, (job, index) in found.items()
            if name in known and slurm.JOB_ID.fullmatch(job)
        }

    def _submit(self, lacking: list[str], wanted: str) -> None:
        """Submit the pieces that lack and are not in the queue."""
        if self._tries.get(wanted, 0) >= TRIES:
            raise WorkerFailed(
                f"{TRIES} jobs of Slurm ended without finishing {wanted}. {self._tail(wanted)}"
            )
        queued = self.queue()
        pieces = [name for name in lacking if name not in queued]
        numbers = {name: self.names.index(name) for name in pieces}
        log = str(self.folder / layout.job_log("%a"))
        text = slurm.script(self.command, list(numbers.values()), self.options, log)
        job = slurm.submit(self.folder / layout.BATCH_SCRIPT, text)
        submitted = {name: self._submitted()[name] for name in queued}
        submitted |= {name: (job, number) for name, number in numbers.items()}
        make_folder(self.folder)
        write_json_atomic(self._record, submitted, durable=True)
        for name in pieces:
            self._tries[name] = self._tries.get(name, 0) + 1
        self.show(f"submitted job {job} of Slurm for {len(pieces)} pieces of work")

    def _tail(self, name: str) -> str:
        path = self.log(name)
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return f"There is no log {path}."
        said = " | ".join(line.strip() for line in lines if line.strip())[-TAIL_LENGTH:]
        return f"The log {path} says: {said}" if said else f"The log {path} is empty."
