"""Choice of the launcher: the one that is asked for, or the best that works here."""

import contextlib
import logging
import multiprocessing
import threading

from region_grower_flow.errors import FlowError, InvalidInput
from region_grower_flow.runtime import commands, slurm
from region_grower_flow.runtime.trial import launcher_works, mpi_works

L = logging.getLogger(__name__)

AUTO = "auto"

_trials: list[threading.Thread] = []
"""The trial of MPI that runs in the background, if one does."""


def begin_trial() -> None:
    """Begin the trial of MPI, which takes about a second, in the background.

    Not in Luigi's task processes: the chunks' processes would not hear of the answer.
    """
    if not _trials and multiprocessing.parent_process() is None:
        _trials.append(threading.Thread(target=_try, daemon=True))
        _trials[0].start()


def _try() -> None:
    with contextlib.suppress(FlowError, OSError):  # said when the answer is needed
        mpi_works()


def choose_launcher(launcher: str, workers: int) -> tuple[str, int]:
    """The launcher and the number of workers to use.

    Args:
        launcher: "mpiexec", "srun", "inprocess", a template, or "auto": mpiexec where MPI works,
            else inprocess with one line saying so.
        workers: how many workers are wanted; 0 for no MPI.

    Returns:
        (launcher, workers), inprocess with one worker.
    """
    if workers == 0 or launcher == commands.INPROCESS:
        return commands.INPROCESS, 1
    if launcher != AUTO:
        return launcher, workers
    for trial in _trials:
        trial.join()
    works, sentence = mpi_works()
    if works:
        return commands.MPIEXEC, workers
    L.warning("Growing in this process, on one core: %s", sentence)
    return commands.INPROCESS, 1


def check_launcher(launcher: str) -> None:
    """See that a launcher is there and starts one MPI job.

    mpiexec and templates are tried with two ranks. A template that does not answer in time may
    wait in a queue, and is trusted.

    Raises:
        InvalidInput: it is unknown or missing, fails, or starts single processes.
    """
    if launcher in (AUTO, commands.INPROCESS):
        return
    if launcher == commands.SBATCH:
        slurm.check_commands()
        return
    if launcher != commands.MPIEXEC:
        commands.launch_command(launcher, 2, commands.worker_command("job.json", 2))
    if launcher == commands.SRUN:
        return  # would wait in Slurm's queue; its ranks count themselves when they start
    works, sentence = launcher_works(launcher)
    if works or (works is None and launcher != commands.MPIEXEC):
        return
    hint = f"{commands.INSTALL_MPI}, or give --launcher inprocess"
    if launcher != commands.MPIEXEC:
        hint = "repair the template, or give --launcher mpiexec or inprocess"
    raise InvalidInput(sentence, "option launcher", hint)
