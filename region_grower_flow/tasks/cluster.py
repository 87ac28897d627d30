"""Chunks and the merge as jobs of Slurm, and one piece of a run made by itself.

A run with the launcher ``sbatch`` writes a file of its pieces (the ranges of cells, and the merge)
and submits a job for each that runs ``region-grower-flow make-piece FILE NUMBER``. Other systems
can call the same command: nothing of it knows Slurm.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import region_grower_flow
from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.io.atomic import PathLike, make_folder, remove_own, write_json_atomic
from region_grower_flow.record.fingerprint import read_checked, with_check
from region_grower_flow.runtime import commands
from region_grower_flow.runtime.job_array import JobArray
from region_grower_flow.runtime.slurm import JobOptions
from region_grower_flow.tasks.base import FlowTask

PIECES_VERSION = 2

CHUNK, MERGE = "SynthesizeChunk", "SynthesizeMorphologies"


class InJobs(FlowTask):
    """Base of stages of the cells in an atlas that a job of Slurm can make."""

    is_alone = False
    """True in the process of a job: the run, which waits for it, holds the outputs."""

    def held_places(self) -> Sequence[PathLike]:
        """The places that the run holds; none in a job."""
        return [] if self.is_alone else super().held_places()

    def before_jobs(self) -> None:
        """Preparation of a run, before jobs are submitted."""

    def make_and_record(self) -> None:
        """Make the outputs, or have them made by a job."""
        if self.is_alone or self.launcher != commands.SBATCH:
            super().make_and_record()
        else:
            self.wait_for_job()

    def wait_for_job(self) -> None:
        """Wait until a job has made the outputs; an interrupt cancels all jobs of the run."""
        from region_grower_flow.record.run_lock import hold
        from region_grower_flow.runtime.processes import die_with_forking_parent, signals_raise

        die_with_forking_parent()
        hold(self.held_places())
        if self.is_recorded():
            if self.is_current():  # by a job, since Luigi has looked
                return
            remove_own(self.manifest_path)  # its outputs are not as they were written
        path = write_pieces(self)
        array = job_array(self, path)
        if not array.queue():
            self.before_jobs()
        with signals_raise():
            try:
                array.wait(
                    self.label, lambda name: piece_is_recorded(self, array.names.index(name))
                )
            except KeyboardInterrupt:
                array.cancel()
                raise
        self.show("made by a job of Slurm", 100)


def jobs_folder(task: FlowTask) -> Path:
    """The folder of what jobs need and leave, in the work folder."""
    return task.work_path(layout.JOBS).absolute()


def pieces_of(task: FlowTask) -> list[tuple[str, int | None, int | None]]:
    """[(task, first, last)] of the pieces of a run; the merge is the last one."""
    return [*((CHUNK, first, last) for first, last in task.ranges()), (MERGE, None, None)]


def piece(task: FlowTask, number: int) -> InJobs:
    """The stage of a piece of the run that ``task`` is part of."""
    name, first, last = pieces_of(task)[number]
    kind = getattr(region_grower_flow, name)
    return task.clone(kind) if first is None else task.clone(kind, first=first, last=last)


def piece_is_recorded(task: FlowTask, number: int) -> bool:
    """True if a piece of the run has been made from today's inputs."""
    return piece(task, number).is_recorded()


def write_pieces(task: FlowTask) -> Path:
    """Write the file of a run's pieces, which ``make-piece`` reads, and return its path."""
    path = jobs_folder(task) / layout.PIECES
    make_folder(path.parent)
    content = {
        "version": PIECES_VERSION,
        "folder": os.getcwd(),
        "options": {n: v for n, v in task.to_str_params().items() if n not in ("first", "last")},
        "pieces": pieces_of(task),
    }
    write_json_atomic(path, with_check(content))
    return path


def plan(task: FlowTask, run_task: Callable[[FlowTask], int], say: Callable[[str], object]) -> int:
    """Make what the pieces of a run need, and write the file of the pieces.

    Args:
        task: the SynthesizeMorphologies.
        run_task: runs a stage and what it needs; gives an exit code.
        say: prints a sentence.

    Returns:
        the exit code.
    """
    check = task.check()
    problems = [] if check.complete() else check.problems()
    if problems:
        raise InvalidInputs(problems)
    stages = task.cell_stages()
    check.cover(stages)
    for stage in stages.values():
        code = run_task(stage)
        if code != 0:
            return code
    path = write_pieces(task)
    last, named = len(pieces_of(task)) - 1, shlex.quote(str(path))
    say(
        f"Pieces 0 to {last} are in {path}. In jobs of your own: region-grower-flow make-piece "
        f"{named} N, for N from 0 to {last - 1} in any order, then for {last}, the merge."
    )
    return 0


def job_array(task: FlowTask, path: Path) -> JobArray:
    """The JobArray of a run; the merge's jobs have one process."""
    workers = {"nodes": task.slurm_nodes, "tasks": task.slurm_tasks}
    options = JobOptions(
        partition=task.slurm_partition,
        account=task.slurm_account,
        time=task.slurm_time,
        at_once=task.slurm_jobs,
        extra=shlex.split(task.slurm_options or ""),
        **workers,
    )
    pieces = pieces_of(task)
    names = [CHUNK if last is None else f"{CHUNK}_{first}-{last}" for _, first, last in pieces]
    names[-1] = MERGE
    if task.label == MERGE:
        options = replace(options, nodes=1, tasks=1)
    command = commands.module_command("region_grower_flow.cli", "make-piece", str(path))
    return JobArray(jobs_folder(task), command, names, options, task.show)


def load_piece(path: PathLike, number: int) -> InJobs:
    """The stage of a piece in a file of pieces; the process goes to the run's folder.

    Raises:
        InvalidInput: the file is no such file or not in the run's work folder, there is no such
            piece, or an option is not valid.
    """
    path = Path(path).absolute()
    content = read_checked(path)
    stages = {piece[0] for piece in (content or {}).get("pieces", [[None]])}
    if content is None or not stages <= {CHUNK, MERGE}:  # a checksum is no signature
        hint = "give the file that the run has written in its work folder, as it is"
        raise InvalidInput("not a file of pieces", path, hint)
    if content["version"] != PIECES_VERSION:
        problem = f"a file of pieces of version {content['version']!r}"
        raise InvalidInput(problem, path, "write it again")
    folder, options, pieces = content["folder"], content["options"], content["pieces"]
    if not 0 <= number < len(pieces):
        raise InvalidInput(f"there is no piece {number}, the last is {len(pieces) - 1}", path)
    name, first, last = pieces[number]
    if not Path(folder).is_dir():
        hint = "put it back, or write the pieces again where the run is now"
        raise InvalidInput(f"the folder of the run is gone ({folder})", path, hint)
    os.chdir(folder)
    kind = getattr(region_grower_flow, name)
    texts = {n: text for n, text in options.items() if n in kind.options}
    if last is not None:
        texts |= {"first": str(first), "last": str(last)}
    stage = kind.from_str_params(texts)
    own = jobs_folder(stage) / layout.PIECES
    if not (own.exists() and own.samefile(path)):  # else the run of the original would go on
        hint = "write the pieces again where the run is now (plan-pieces), or give that file"
        raise InvalidInput(f"a copy of the file of pieces of a run elsewhere ({own})", path, hint)
    stage.is_alone = True
    return stage


def make_piece(
    path: PathLike, number: int, launcher: str | None = None, workers: int | None = None
) -> str:
    """Make one piece of a run, without the lock of the whole run.

    Args:
        path: the file of pieces.
        number: of the piece.
        launcher, workers: of the cells of a range; by default srun in a job of Slurm with several
            tasks, else none.

    Returns:
        a sentence on what was made.

    Raises:
        InvalidInput: see :func:`load_piece`; or what it needs has not been made yet.
        FlowError: it cannot be made.
    """
    stage = load_piece(path, number)
    if stage.complete():
        return f"{stage.label} is up to date."
    lacking = [upper.label for upper in stage.requires().values() if not upper.complete()]
    if lacking:
        raise InvalidInput(
            f"{stage.label} needs what has not been made: {', '.join(lacking[:3])}",
            path,
            "run plan-pieces again, and all ranges before the merge",
        )
    default, tasks = own_launcher(os.environ)
    options = {"launcher": launcher or default, "nb_processes": workers or tasks}
    again = stage.clone(**options)
    again.is_alone = True
    again.make_and_record()
    return f"{stage.label}: {again.summary_of(again.facts())}"


def own_launcher(environment: Mapping[str, str]) -> tuple[str, int]:
    """(launcher, workers) for a process in this environment: srun where a job has several tasks."""
    tasks = environment.get("SLURM_NTASKS", "1")
    if "SLURM_JOB_ID" in environment and tasks.isdigit() and int(tasks) > 1:
        return commands.SRUN, int(tasks)
    return commands.INPROCESS, 0
