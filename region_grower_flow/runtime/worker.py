"""The worker: grows the blocks of a job, as one MPI rank or alone in this process.

``python -m mpi4py -m region_grower_flow.runtime.worker JOB.json --expected-ranks N`` (by
``run_module``) under a launcher. Rank 0 hands out blocks and tells the progress; the other ranks
grow cells and write each finished block themselves, so that nothing finished is lost with the job.
Run as ``-m mpi4py``, an error of one rank ends them all (a plain Python process would wait for the
others for ever).

This is the only module that imports mpi4py.
"""

import argparse
import contextlib
import faulthandler
import gc
import json
import logging
import os
import signal
import socket
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import layout
from region_grower_flow.errors import FlowError, InvalidInput, OutputFailed
from region_grower_flow.io.atomic import open_own, write_json_atomic, writing
from region_grower_flow.io.files import expect
from region_grower_flow.io.logs import PlainFormatter
from region_grower_flow.record.blocks import block_name, write_block
from region_grower_flow.runtime import notes as states
from region_grower_flow.runtime.blame import log_header
from region_grower_flow.runtime.commands import mpi_type
from region_grower_flow.runtime.job import Job, load_job
from region_grower_flow.runtime.notes import RankNotes
from region_grower_flow.runtime.processes import die_with_parent
from region_grower_flow.runtime.timeout import CellTimeout, time_limit, timeout_reason
from region_grower_flow.runtime.watching import LauncherWatch, ProgressReports, count_cells

if TYPE_CHECKING:
    from region_grower_flow.cell.synthesis import Synthesizer

L = logging.getLogger(__name__)

EXIT_INPUT, EXIT_OUTPUT, EXIT_FAILED, EXIT_RANKS, EXIT_ALONE = 65, 74, 70, 78, 75
"""Exit codes (sysexits.h): bad input, output cannot be written, other, wrong ranks, no launcher."""

READY, ORDER = 1, 2
"""Tags of messages: a rank is ready (with the block it has finished), rank 0's order."""

STOP, NOTHING = -1, -1
"""The order to stop; what a rank has finished before its first block."""

POLL_SECONDS = 0.002
"""Seconds between two looks for messages: MPI's own waiting keeps a core busy."""

MPICH_MEMORY = "/dev/shm/mpich_shm_"
"""Prefix of the names of MPICH's shared memory."""


class BlockGrower:
    """Grows blocks and writes their records.

    Args:
        job: the Job.
        notes: the open RankNotes of this rank.
        synthesizer: makes the cells.
        after_cell: called after each cell.
    """

    def __init__(
        self,
        job: Job,
        notes: RankNotes,
        synthesizer: "Synthesizer",
        after_cell: Callable[[], object] | None = None,
    ) -> None:
        self._job, self._notes, self._synthesizer = job, notes, synthesizer
        self._after_cell = after_cell

    def grow(self, index: int) -> None:
        """Grow block ``index`` of the job and write its records; raises OutputFailed."""
        block = self._job.blocks[index]
        records = []
        for row in block.rows:
            self._notes.begin(row)
            record = self._record(row, block.reason)
            self._notes.end(record["status"] == layout.DROPPED)
            records.append(record)
            if self._after_cell:
                self._after_cell()
        name = block_name(self._job.name, index, block.rows[0])
        write_block(self._job.blocks_folder, name, records)

    def _record(self, row: int, reason: str | None) -> dict[str, Any]:
        if reason is not None:
            return self._synthesizer.drop(row, reason)
        try:
            with time_limit(self._job.execution.cell_timeout):
                return self._synthesizer.synthesize(row)
        except CellTimeout:
            L.warning("Row %d exceeded its time limit", row)
            return self._synthesizer.drop(row, timeout_reason(self._job.execution.cell_timeout))


def run_serial(
    job: Job,
    on_progress: Callable[[dict[str, Any]], object] | None = None,
    synthesizer: "Synthesizer | None" = None,
) -> None:
    """Grow all blocks of a job in this process, with the same files and notes as a rank.

    Args:
        job: a Job with ``ranks`` 1 whose notes file exists.
        on_progress: called with {"done", "dropped", "cells_per_second"} at most twice a second
            and at the end.
        synthesizer: an open one, to spare opening it again.

    Raises:
        OutputFailed: a file cannot be written.
    """
    with RankNotes(job.notes, 0) as notes:
        progress = ProgressReports(
            lambda: (notes.done, notes.dropped), on_progress or (lambda _: None)
        )
        notes.enter(states.LOADING)
        try:
            synthesizer = synthesizer or _open_synthesizer(job)
            synthesizer.warm_up()
            grower = BlockGrower(job, notes, synthesizer, progress.report)
            for index in range(len(job.blocks)):
                grower.grow(index)
        except Exception:
            notes.enter(states.FAILED)
            raise
        notes.enter(states.ENDED)
        progress.report(now=True)


def _open_synthesizer(job: Job) -> "Synthesizer":
    from region_grower_flow.cell.synthesis import open_synthesizer

    synthesizer = open_synthesizer(job.settings)
    expect(synthesizer.settings.sources, synthesizer.settings.source_folders)
    return synthesizer


# Under MPI.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one rank and return its exit code."""
    options = _parse(arguments)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    die_with_parent(signal.SIGKILL)
    # The launcher may have queued this job: only from now on is waiting a fault.
    _emit("started")
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if comm.size != options.expected_ranks:
        _unlink_shared_memory()
        _emit("failed", kind="ranks", message=_ranks_sentence(comm.size, options.expected_ranks))
        return EXIT_RANKS
    comm.Barrier()
    _unlink_shared_memory()
    if options.check:
        _emit("ranks", size=comm.size)
        return 0
    try:
        code = _run_rank(comm, load_job(options.job))
    except InvalidInput as error:
        _emit("failed", kind="input", message=str(error))
        return EXIT_INPUT
    if code == 0:
        _leave(MPI)
    return code


def _leave(MPI: Any) -> None:
    """End this process well, and at once: Python's own end takes 0.3 s, for which a run waits."""
    MPI.Finalize()
    logging.shutdown()
    os._exit(0)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="region_grower_flow.runtime.worker")
    parser.add_argument("job", nargs="?", type=Path, help="the job file")
    parser.add_argument("--expected-ranks", type=int, required=True)
    parser.add_argument("--check", action="store_true", help="only say how many ranks there are")
    options = parser.parse_args(arguments)
    if not options.check and options.job is None:
        parser.error("a job file is needed")
    return options


def _ranks_sentence(found: int, expected: int) -> str:
    if found == 1:
        return (
            f"The launcher started {expected} single processes instead of one job of {expected} "
            "ranks: it belongs to another MPI than mpi4py. Use the mpiexec that was installed with "
            f"mpi4py's MPI, or for srun the matching --mpi type, here {mpi_type()}."
        )
    return f"The launcher started {found} ranks where {expected} were expected."


def _unlink_shared_memory() -> None:
    """Take the names from MPICH's shared memory, which all ranks of the node have open by now.

    The memory then ends with the ranks, even when they are killed; else each killed job leaves
    some MB in /dev/shm, and a later job that happens upon the same name waits in it for ever.
    """
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        paths = {line.split(maxsplit=5)[-1].strip() for line in file if MPICH_MEMORY in line}
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _run_rank(comm: Any, job: Job) -> int:
    events = _redirect(job, comm.rank)
    try:
        with RankNotes(job.notes, comm.rank) as notes:
            try:
                if comm.rank == 0:
                    return _hand_out(comm, job, notes, events)
                return _work(comm, job, notes)
            except BaseException:
                notes.enter(states.FAILED)
                raise
    except FlowError as error:
        return _report(job, comm.rank, events, error)
    except Exception as error:
        _report(job, comm.rank, events, error)
        raise


def _redirect(job: Job, rank: int) -> int:
    """Send what the rank prints to its log and return the descriptor of the launcher's pipe."""
    events = os.dup(1)
    path = job.log(rank)
    with writing(path):
        log = open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        where = f"process {os.getpid()} on {socket.gethostname()}, {stamp}"
        os.write(log, f"{log_header(job.name, rank)}, {where}\n".encode())
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
    # A crash in compiled code leaves the Python lines that led to it in the log.
    faulthandler.enable()
    logging.raiseExceptions = False
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=job.log_level, handlers=[handler], force=True)
    return events


def _report(job: Job, rank: int, events: int, error: Exception) -> int:
    """Tell the launcher why this rank fails, in two ways since either may be cut; an exit code."""
    L.error("%s", error, exc_info=not isinstance(error, FlowError))
    kind, code = "error", EXIT_FAILED
    message = f"{type(error).__name__}: {error}"
    for known, name, value in (
        (OutputFailed, "output", EXIT_OUTPUT),
        (InvalidInput, "input", EXIT_INPUT),
        (FlowError, "failed", EXIT_FAILED),
    ):
        if isinstance(error, known):
            kind, code, message = name, value, str(error)
            break
    failure = {"kind": kind, "message": message, "rank": rank}
    with contextlib.suppress(OutputFailed):
        write_json_atomic(job.failure(rank), failure)
    if kind != "error":
        _emit("failed", events, **failure)
    return code


def _emit(event: str, descriptor: int = 1, **values: Any) -> None:
    """Write one event as a line: a single write, so that ranks do not mix their lines."""
    line = json.dumps({"event": event, **values}, ensure_ascii=True) + "\n"
    with contextlib.suppress(OSError):
        os.write(descriptor, line.encode())


def _hand_out(comm: Any, job: Job, notes: RankNotes, events: int) -> int:
    """Rank 0: give each ready rank the next block until all are finished; an exit code."""
    from mpi4py import MPI

    progress = ProgressReports(
        lambda: count_cells(job), lambda values: _emit("progress", events, **values)
    )
    watch = LauncherWatch(job)
    waiting: list[int] = []
    following = finished = 0
    status, message = MPI.Status(), array("q", [NOTHING])
    notes.enter(states.IDLE)
    while finished < len(job.blocks) or len(waiting) < comm.size - 1:
        while comm.Iprobe(MPI.ANY_SOURCE, READY, status):
            comm.Recv(message, status.source, READY)
            finished += message[0] != NOTHING
            if following < len(job.blocks):
                comm.Send(array("q", [following]), status.source, ORDER)
                following += 1
            else:
                waiting.append(status.source)
        progress.report()
        if not watch.launcher_is_alive():
            L.error("The process that started this job is gone")
            return EXIT_ALONE
        time.sleep(POLL_SECONDS)
    # All ranks stop together: one that stops early would wait for the others at full speed.
    for rank in waiting:
        comm.Send(array("q", [STOP]), rank, ORDER)
    progress.report(now=True)
    notes.enter(states.ENDED)
    return 0


def _work(comm: Any, job: Job, notes: RankNotes) -> int:
    """A worker rank: grow the blocks that rank 0 orders; an exit code."""
    notes.enter(states.LOADING)
    synthesizer = _open_synthesizer(job)
    synthesizer.warm_up()
    gc.freeze()  # all that is there stays to the end: no more looked through for garbage
    grower = BlockGrower(job, notes, synthesizer)
    notes.enter(states.IDLE)
    finished, order = NOTHING, array("q", [STOP])
    while True:
        comm.Send(array("q", [finished]), 0, READY)
        while not comm.Iprobe(0, ORDER):
            time.sleep(POLL_SECONDS)
        comm.Recv(order, 0, ORDER)
        if order[0] == STOP:
            notes.enter(states.ENDED)
            return 0
        finished = order[0]
        grower.grow(finished)


if __name__ == "__main__":
    sys.exit(main())
