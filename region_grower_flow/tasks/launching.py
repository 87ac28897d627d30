"""Launching of cells: the starter of the ranks, found out while the checks run, and time limits."""

import contextlib
import multiprocessing
import threading

from region_grower_flow.errors import FlowError
from region_grower_flow.tasks.base import processes

_trials = []


class GrowsCells:
    """A stage that grows cells, each with a time limit (mixed into a FlowTask)."""

    def unfit_for_today(self, facts):
        """Cells may have been given up at a time limit that is higher today."""
        limit = facts.get("given_up_at")
        if limit is None or self.cell_timeout <= limit:
            return None
        return "cells were given up at a time limit that is higher today"


def expect_launch(options):
    """Begin the trial of MPI, which takes about a second, in the background.

    Not in Luigi's task processes: the chunks' processes would not hear of the answer.
    """
    from region_grower_flow.runtime import choice

    in_question = options.launcher == choice.AUTO and options.nb_processes != 0
    if in_question and not _trials and multiprocessing.parent_process() is None:
        _trials.append(threading.Thread(target=_try, daemon=True))
        _trials[0].start()


def launcher_and_workers(options):
    """The launcher and the number of workers for a chunk, see ``runtime.choice``."""
    from region_grower_flow.runtime.choice import choose_launcher

    for trial in _trials:
        trial.join()
    wanted = 0 if options.nb_processes == 0 else processes(options.nb_processes)
    return choose_launcher(options.launcher, wanted)


def _try():
    from region_grower_flow.runtime.launcher import mpi_works

    with contextlib.suppress(FlowError, OSError):  # said when the answer is needed
        mpi_works()
