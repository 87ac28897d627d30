"""Launching of cells: the starter of the ranks, found out while the checks run, and time limits."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from region_grower_flow.errors import FlowError
from region_grower_flow.tasks.base import Facts, FlowTask, processes

if TYPE_CHECKING:
    from region_grower_flow.options import Execution
    from region_grower_flow.options.flows import Synthesis

MANY_CELLS = 2000
"""Number of cells that surely take more than a second or two: the trial of MPI is needed."""


class GrowsCells(FlowTask):
    """Base of stages that grow cells, each with a time limit."""

    def unfit_for_today(self, facts: Facts) -> str | None:
        """Cells may have been given up at a time limit that is higher today."""
        limit = facts.get("given_up_at")
        if limit is None or self.cell_timeout <= limit:
            return None
        return "cells were given up at a time limit that is higher today"


def expect_launch(options: Synthesis) -> None:
    """Begin the trial of MPI in the background, where ``auto`` will surely ask for it.

    Args:
        options: of the launcher, the workers and the cells, as attributes.
    """
    from region_grower_flow.runtime import choice

    if options.launcher != choice.AUTO or options.nb_processes == 0:
        return
    if options.nb_processes is None and _count(options) <= MANY_CELLS:
        return
    choice.begin_trial()


def _count(options: Synthesis) -> int:
    """The number of cells to grow; more than MANY_CELLS where they cannot be counted."""
    from region_grower_flow.checks.inputs import count_cells

    with contextlib.suppress(FlowError, OSError, TypeError):
        return count_cells(options)
    return MANY_CELLS + 1


def wanted_workers(options: Execution) -> int:
    """Number of workers that are wanted, 0 for no MPI."""
    return 0 if options.nb_processes == 0 else processes(options.nb_processes)


def launcher_and_workers(options: Execution) -> tuple[str, int]:
    """The launcher and the number of workers for cells, see ``runtime.choice``."""
    from region_grower_flow.runtime.choice import choose_launcher

    return choose_launcher(options.launcher, wanted_workers(options))
