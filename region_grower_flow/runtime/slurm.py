"""Jobs of Slurm as seen from a login node: submitted as an array, asked after, cancelled.

Slurm needs no accounting for it: a job that is gone from the queue has ended, and how is told by
what it has left behind.
"""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from region_grower_flow.errors import InvalidInput, WorkerFailed
from region_grower_flow.io.atomic import PathLike, make_folder, write_text_atomic

ANSWER_SECONDS = 60
"""Seconds for a command of Slurm to answer: a busy controller takes its time."""

JOB_ID = re.compile(r"\d+")

NO_JOB = "Invalid job id specified"
"""Words of squeue and scancel about jobs that Slurm has forgotten."""


@dataclass(frozen=True)
class JobOptions:
    """Requests to Slurm for each job.

    Attributes:
        partition, account, time: as sbatch takes them; None for Slurm's own.
        nodes: nodes of a job.
        tasks: MPI processes of a job, one of which hands out the work.
        at_once: jobs of the array that run at the same time at most; None for no limit.
        extra: further options of sbatch, words such as ``--mem=0``.
    """

    partition: str | None = None
    account: str | None = None
    time: str | None = None
    nodes: int = 1
    tasks: int = 1
    at_once: int | None = None
    extra: Sequence[str] = ()

    def words(self) -> list[str]:
        """The options of sbatch."""
        named = {"partition": self.partition, "account": self.account, "time": self.time}
        words = [f"--{name}={value}" for name, value in named.items() if value]
        return [*words, f"--nodes={self.nodes}", f"--ntasks={self.tasks}", *self.extra]


def script(command: Sequence[str], indices: Sequence[int], options: JobOptions, log: str) -> str:
    """A batch script whose jobs run a command, each with its own number as the last word.

    Args:
        command: words; the number of the job in the array follows them.
        indices: the numbers of the jobs, of which Slurm allows some hundreds to thousands.
        options: the JobOptions.
        log: path of the jobs' output, with ``%a`` for the number.
    """
    limit = "" if options.at_once is None else f"%{options.at_once}"
    array = f"--array={ranges(indices)}{limit}"
    lines = ["#!/bin/bash"]
    for word in ("--job-name=region-grower-flow", array, f"--output={log}", *options.words()):
        lines.append(f"#SBATCH {_quoted(word)}")
    # A job that was killed with its node is not started by Slurm behind our back.
    lines += ["#SBATCH --no-requeue", "#SBATCH --open-mode=append"]
    return "\n".join([*lines, "", f'exec {shlex.join(command)} "$SLURM_ARRAY_TASK_ID"', ""])


def _quoted(word: str) -> str:
    if "\n" in word or '"' in word:
        raise InvalidInput(f"{word!r} cannot be an option of sbatch", "option slurm_options")
    return f'"{word}"' if re.search(r"[\s#']", word) else word


def ranges(indices: Iterable[int]) -> str:
    """Numbers as Slurm writes them: ``0-3,7``."""
    found: list[list[int]] = []
    for index in sorted(indices):
        if found and found[-1][1] == index - 1:
            found[-1][1] = index
        else:
            found.append([index, index])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def submit(path: PathLike, text: str) -> str:
    """Write a batch script, submit it, and return the number of its job array.

    Raises:
        InvalidInput: there is no sbatch.
        OutputFailed: the script cannot be written.
        WorkerFailed: Slurm refuses it.
    """
    path = Path(path)
    make_folder(path.parent)
    write_text_atomic(path, text)
    environment = clean_environment(os.environ)
    answer = _ask(["sbatch", "--parsable", str(path)], environment)
    found = JOB_ID.match(answer.strip())
    if found is None:
        raise WorkerFailed(f"sbatch answered {answer.strip()[:200]!r} instead of a job number.")
    return found[0]


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what an outer allocation would impose on a job of its own."""
    keep = ("SLURM_CONF",)
    prefixes = ("SLURM_", "SBATCH_", "SRUN_", "PMI_", "PMIX_")
    return {k: v for k, v in environment.items() if k in keep or not k.startswith(prefixes)}


def states(job: str) -> dict[int, str]:
    """{number in the array: state} of the jobs of an array that are still in the queue.

    Raises:
        WorkerFailed: Slurm does not answer (it is no sign that the jobs have ended).
    """
    words = ["squeue", "--noheader", "--array", f"--jobs={job}", "--format=%K %T"]
    try:
        answer = _ask(words, os.environ)
    except WorkerFailed as error:
        if NO_JOB in str(error):
            return {}
        raise
    found = {}
    for line in answer.splitlines():
        index, _, state = line.strip().partition(" ")
        if index.isdigit():
            found[int(index)] = state
    return found


def cancel(job: str) -> None:
    """Cancel all jobs of an array; those that have ended are no problem."""
    with contextlib.suppress(WorkerFailed, InvalidInput):
        _ask(["scancel", job], os.environ)


def check_commands() -> None:
    """See that Slurm's commands are here; raises InvalidInput."""
    for name in ("sbatch", "squeue", "scancel"):
        _find(name)


def _find(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise InvalidInput(
            f"there is no {name} in the PATH",
            where="option launcher",
            hint="load Slurm's module, or choose another launcher",
        )
    return program


def _ask(words: list[str], environment: Mapping[str, str]) -> str:
    program = _find(words[0])
    try:
        done = subprocess.run(
            [program, *words[1:]],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorkerFailed(f"{words[0]} does not answer ({error}).") from error
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-300:] or "no message"
        raise WorkerFailed(f"{words[0]} ended with {done.returncode}: {said}")
    return done.stdout
