"""Runs the rows of one chunk to their records, whatever happens to the processes that grow them.

:func:`run_chunk` launches a job, reads the records of its finished blocks, and launches again with
what is left, until every row has a record. The launcher's exit code proves nothing: records do.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow.errors import FlowError, InvalidInput, OutputFailed, WorkerFailed, some
from region_grower_flow.io.atomic import make_folder, make_own_folder, remove_temporaries
from region_grower_flow.record.blocks import finished_records
from region_grower_flow.runtime import blame, commands, notes, processes, supervision
from region_grower_flow.runtime.commands import INPROCESS, WORKER_MODULE
from region_grower_flow.runtime.job import JOBS, Block, Job, load_job, write_job
from region_grower_flow.runtime.plans import ChunkOutcome, ChunkProgress, ChunkRun, cut_blocks
from region_grower_flow.runtime.timeout import timeout_reason
from region_grower_flow.runtime.trial import file_size_problem

if TYPE_CHECKING:
    from region_grower_flow.cell.synthesis import Synthesizer

TAIL_LINES, TAIL_LENGTH = 5, 600
"""Lines and characters of a log that an error quotes."""


def run_chunk(
    plan: ChunkRun,
    on_progress: Callable[[ChunkProgress], object] | None = None,
    synthesizer: "Synthesizer | None" = None,
    worker_module: str = WORKER_MODULE,
) -> ChunkOutcome:
    """Grow the rows of a chunk; finished blocks stay, whatever happens.

    Call it from the main thread, one at a time for a blocks folder (the caller holds the lock).
    SIGTERM, SIGINT and SIGHUP end it, and every rank, within seconds.

    Args:
        plan: a :class:`ChunkRun`.
        on_progress: called with a :class:`ChunkProgress` at most about twice a second.
        synthesizer: an open one of the same settings, used where the plan has no digests or costs
            and for the launcher "inprocess".
        worker_module: the module that ranks run.

    Returns:
        A :class:`ChunkOutcome` with a record for every row.

    Raises:
        InvalidInput: the launcher is unknown or missing, or the ranks cannot read their inputs.
        OutputFailed: results cannot be written.
        WorkerFailed: launches fail again and again, or many cells bring their process down.
    """
    start = time.monotonic()
    processes.die_with_forking_parent()
    with processes.signals_raise():
        chunk = _Chunk(plan, on_progress, synthesizer, worker_module)
        chunk.prepare()
        while chunk.remaining:
            chunk.launch()
        chunk.outcome.seconds = time.monotonic() - start
        chunk.tell_end()
    return chunk.outcome


class _Chunk:
    """The state of one call of run_chunk.

    Attributes:
        remaining: {row: digest} of the rows without a record.
        given_up: {row: reason} of those that will be dropped without being tried.
        outcome: the ChunkOutcome.
    """

    def __init__(
        self,
        plan: ChunkRun,
        on_progress: Callable[[ChunkProgress], object] | None,
        synthesizer: "Synthesizer | None",
        worker_module: str,
    ) -> None:
        self.plan, self.worker_module = plan, worker_module
        self._on_progress = on_progress or (lambda _: None)
        self._synthesizer = synthesizer
        self.crashes = blame.Crashes(plan.blocks_folder)
        self.remaining: dict[int, str] = {}
        self.given_up: dict[int, str] = {}
        self.suspects: set[int] = set()
        self.outcome = ChunkOutcome()
        self._told = 0
        self._idle_launches = 0
        self._crashed: set[int] = set()

    def prepare(self) -> None:
        """Make the folders, tidy up after a killed run, and learn what it is about to do."""
        plan = self.plan
        if plan.workers < 1:
            raise InvalidInput("the number of workers must be at least 1", where="workers")
        if plan.launcher != INPROCESS:
            _check_file_size_limit()
        make_own_folder(plan.blocks_folder, JOBS)
        make_folder(plan.logs_folder)
        self.crashes.load()
        digest = plan.digests.__getitem__ if plan.digests is not None else self._open().digest
        self.remaining = {row: digest(row) for row in plan.rows}
        self._tidy()
        for row, cell in self.remaining.items():
            if (row, cell) in self.crashes.counts:
                self._suspect(row)

    def launch(self) -> None:
        """One launch: grow what can be grown, collect the records, judge what went wrong."""
        job, alone = self._make_job()
        self.outcome.launches += 1
        try:
            write_job(job)
            notes.create_notes(job.notes, job.ranks)
            end = self._run(job)
        finally:
            # Also on the way out: an interrupted process is no reason to suspect its cell.
            _remove_job(job)
        found = self._collect(job)
        self._judge(job, end, found, alone)

    # What to do.

    def _open(self) -> "Synthesizer":
        if self._synthesizer is None:
            from region_grower_flow.cell.synthesis import open_synthesizer

            self._synthesizer = open_synthesizer(self.plan.settings)
        return self._synthesizer

    def _make_job(self) -> tuple[Job, bool]:
        """The next Job, and whether it grows suspects alone."""
        plan = self.plan
        drops = [Block((row,), reason) for row, reason in sorted(self.given_up.items())]
        normal = [r for r in self.remaining if r not in self.given_up and r not in self.suspects]
        alone = not normal
        if alone:
            # The most suspected first: a guilty cell is given up after few launches.
            order = sorted(self.suspects, key=lambda row: (-self._count(row), row))
            grown = [Block((row,)) for row in order if row not in self.given_up]
        else:
            costs = plan.costs if plan.costs is not None else self._costs(normal)
            grown = cut_blocks(normal, costs, plan.workers, plan.execution.block_size)
        blocks = tuple(drops + grown)
        workers = 1 if alone else min(plan.workers, len(blocks))
        job = Job(
            settings=dict(plan.settings),
            blocks=blocks,
            blocks_folder=str(plan.blocks_folder),
            logs_folder=str(plan.logs_folder),
            ranks=1 if plan.launcher == INPROCESS else workers + 1,
            execution=plan.execution,
            log_level=plan.log_level,
        )
        return job, alone or job.ranks == 1

    def _costs(self, rows: Iterable[int]) -> dict[int, float]:
        return {row: self._open().cost(row) for row in rows}

    def _count(self, row: int) -> int:
        return self.crashes.counts.get((row, self.remaining[row]), (0, ""))[0]

    # Doing it.

    def _run(self, job: Job) -> supervision.LaunchEnd:
        if self.plan.launcher == INPROCESS:
            return self._run_here(job)
        plan = self.plan
        command = commands.launch_command(
            plan.launcher,
            job.ranks,
            commands.worker_command(job.path, job.ranks, self.worker_module),
            plan.srun_options,
        )
        limit = plan.execution.cell_timeout + plan.hang_grace
        return supervision.run_launch(
            command,
            commands.rank_environment(os.environ, plan.launcher),
            job,
            supervision.Limits(
                limit,
                plan.stall_seconds,
                plan.start_seconds,
                queued=plan.launcher != commands.MPIEXEC,
            ),
            self._tell,
        )

    def _run_here(self, job: Job) -> supervision.LaunchEnd:
        from region_grower_flow.runtime.worker import run_serial

        end = supervision.LaunchEnd()
        try:
            run_serial(job, self._tell, self._synthesizer)
        except FlowError:
            raise
        except Exception as error:  # becomes the crash of a cell, counted and tried again
            end.failures[0] = f"{type(error).__name__}: {error}"
        return supervision.finish(end, job)

    def _tell(self, event: Mapping[str, Any]) -> None:
        """Pass progress on, counted over all launches."""
        records = self.outcome.records
        done = max(self._told, len(records) + event["done"])
        self._told = min(done, len(records) + len(self.remaining))
        total = len(records) + len(self.remaining)
        dropped = self.outcome.dropped + event["dropped"]
        self._on_progress(ChunkProgress(self._told, dropped, total, event["cells_per_second"]))

    def tell_end(self) -> None:
        """Tell the final numbers."""
        done, rate = len(self.outcome.records), 0.0
        if self.outcome.seconds > 0:
            rate = done / self.outcome.seconds
        self._on_progress(ChunkProgress(done, self.outcome.dropped, done, rate))

    # What came of it.

    def _collect(self, job: Job) -> int:
        """Take over the records of a job's blocks; returns how many there are."""
        found = 0
        for (row, digest), record in finished_records(
            self.plan.blocks_folder, job=job.name
        ).items():
            expected = self.remaining.get(row)
            if expected is None:
                continue
            if digest != expected:
                raise WorkerFailed(
                    f"Row {row} was grown from other inputs than those of this run: a file has "
                    "changed meanwhile. Run again."
                )
            found += 1
            self.outcome.records[row] = record
            del self.remaining[row]
            self.given_up.pop(row, None)
            self.suspects.discard(row)
            self.crashes.clear([(row, digest)])
        return found

    def _judge(self, job: Job, end: supervision.LaunchEnd, found: int, alone: bool) -> None:
        """Decide what a launch's end means for the next; raises when there should be none."""
        _raise_failure(end)
        for row in end.timed_out:
            if row in self.remaining:
                self.given_up[row] = timeout_reason(self.plan.execution.cell_timeout)
        left = [row for row in job.rows if row in self.remaining]
        if not left:
            self._idle_launches = 0
            return
        culprits = {} if end.timed_out or end.stalled else self._blame(job, end, alone)
        useful = found or end.timed_out or any(r in blame.suspects(end.notes) for r in culprits)
        self._idle_launches = 0 if useful else self._idle_launches + 1
        sentence = _sentence(job, end, culprits)
        self.outcome.incidents.append(sentence)
        quoted = f"{sentence} {_tail(job, end, culprits)}".rstrip()
        if self._idle_launches >= self.plan.max_launches:
            raise WorkerFailed(
                f"{self._idle_launches} launches in a row came to nothing; the last: {quoted}"
            )
        if len(self._crashed) > self.plan.max_crashed_cells:
            raise WorkerFailed(
                f"{len(self._crashed)} cells brought their process down, which points at the "
                f"installation or the memory; the last: {quoted}"
            )

    def _blame(self, job: Job, end: supervision.LaunchEnd, alone: bool) -> dict[int, str]:
        """Count crashes and suspicions after a launch that died; returns {rank: how} if certain."""
        if end.code is not None and end.code < 0:
            return {}  # somebody killed the launcher: no cell did that
        growing = blame.suspects(end.notes)
        culprits = blame.find_culprits(job, end.notes, end.failures)
        if not culprits and alone:
            how = blame.KILLED if end.code in (9, 137) else _unknown(end.code)
            culprits = dict.fromkeys(growing, how)
        for rank, row in growing.items():
            if row not in self.remaining or (culprits and rank not in culprits):
                continue
            how = culprits.get(rank, _unknown(end.code))
            self.crashes.add((row, self.remaining[row]), int(rank in culprits), how)
            self._suspect(row)
            if rank in culprits:
                self._crashed.add(row)
        return culprits

    def _suspect(self, row: int) -> None:
        self.suspects.add(row)
        reason = self.crashes.reason((row, self.remaining[row]))
        if reason is not None and row not in self.given_up:
            self.given_up[row] = reason

    # After a killed run.

    def _tidy(self) -> None:
        """End the ranks of a killed run, learn which cell killed it, and remove its files."""
        folder = Path(self.plan.blocks_folder)
        for path in sorted((folder / JOBS).glob("*.json")):
            processes.kill_marked(str(path))
            with contextlib.suppress(InvalidInput):
                self._learn(load_job(path))
        for path in (folder / JOBS).iterdir():
            with contextlib.suppress(OSError):
                path.unlink()
        remove_temporaries(folder)

    def _learn(self, job: Job) -> None:
        # Only a process that grew alone can have been killed by its cell together with the parent
        # that would have counted it.
        if job.ranks != 1:
            return
        for row in blame.suspects(notes.read_notes(job.notes, 1)).values():
            if row in self.remaining:
                self.crashes.add((row, self.remaining[row]), 1, _unknown(None))


def _check_file_size_limit() -> None:
    problem = file_size_problem()
    if problem:
        raise OutputFailed(problem)


def _raise_failure(end: supervision.LaunchEnd) -> None:
    """Raise what a rank reported: bad input, output that cannot be written, or another end."""
    if end.failure is None:
        return
    kinds = {"output": OutputFailed, "input": InvalidInput}
    raise kinds.get(end.failure["kind"], WorkerFailed)(end.failure["message"])


def _unknown(code: int | None) -> str:
    return f"{blame.UNKNOWN}{'' if code is None else f', {blame.code_words(code)}'}"


_NO_MPI_TYPE = re.compile(r"srun: (?:error|fatal):[^\n]*(?:\bmpi/|\bMPI\b|PMIx)")
"""Words of srun when it lacks what an MPI asks for."""


def _sentence(job: Job, end: supervision.LaunchEnd, culprits: Mapping[int, str]) -> str:
    """Description of a launch that left rows without records."""
    if end.timed_out:
        rows = (
            f"Row {end.timed_out[0]}" if len(end.timed_out) == 1 else f"Rows {some(end.timed_out)}"
        )
        return f"{rows} exceeded the time limit, and the job was ended with it."
    if end.stalled:
        return f"Nothing happened for {end.stalled:.0f} s, so the job was ended."
    for rank, how in culprits.items():
        row = blame.suspects(end.notes).get(rank)
        where = "" if row is None else f" while growing row {row}"
        return f"Process {rank} of {job.ranks} ended{where}: {how}."
    if end.code == 0:
        return "The launcher reported success, but records are missing."
    if _NO_MPI_TYPE.search(end.text or ""):
        return (
            f"srun cannot start ranks with {commands.mpi_type()}, as this Python's MPI needs: "
            "'srun --mpi=list' shows what it can. Choose --launcher mpiexec, or have that plugin "
            "installed."
        )
    return f"The launcher failed: {_unknown(end.code)}."


def _tail(job: Job, end: supervision.LaunchEnd, culprits: Mapping[int, str]) -> str:
    """The lines of the log that tell most, and its path."""
    rank = next(iter(culprits), None)
    if rank is None:
        path, text = job.launcher_log, end.text
    else:
        path, text = job.log(rank), blame.log_of_job(job, rank)
    lines = [line.strip() for line in text.split("\n") if line.strip(" =\t")]
    crash = [i for i, line in enumerate(lines) if line.startswith(blame.FATAL)]
    # A crash tells the most first, everything else last.
    lines = lines[crash[0] :][:TAIL_LINES] if crash else lines[-TAIL_LINES:]
    said = " | ".join(lines)[-TAIL_LENGTH:]
    return f"The log {path} says: {said}" if said else f"The log is {path}."


def _remove_job(job: Job) -> None:
    for path in job.path.parent.glob(f"{job.name}.*"):
        with contextlib.suppress(OSError):
            path.unlink()
