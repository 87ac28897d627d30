"""Checks of what is installed on this machine: NeuroTS, and what starts the workers."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from region_grower_flow.errors import FlowError, InvalidInput, Problems

if TYPE_CHECKING:
    from region_grower_flow.options import Execution

LEAST_NEUROTS = (3, 6)
"""The first version whose extraction and generated parameters are those of today."""

MOST_A_CORE, MOST_ANYWAY = 8, 64
"""Workers for each core of this machine, and in all where it has few cores, beyond which a number
is taken for an error."""
OTHER_MACHINES = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "HYDRA_HOST_FILE")
"""Variables of an environment in which mpiexec starts workers on other machines, too."""


def check_neurots(engine: str = "compiled") -> list[InvalidInput]:
    """A NeuroTS that ignores the atlas must not grow anything, whatever installed it.

    Before 3.7.0 NeuroTS's growth and trunks ignore the atlas's orientation and boundaries; its
    extraction, which is all that a compiled growth needs of it, is the same in 3.6.0. Where the
    engine would pass single cells on to NeuroTS, :mod:`region_grower_flow.engine.reference` drops
    them.

    Args:
        engine: what grows cells, "compiled" or "neurots".
    """
    from region_grower_flow.engine.reference import is_sound
    from region_grower_flow.record.fingerprint import package_versions

    version = package_versions(["neurots"])["neurots"]
    if not is_sound(version, LEAST_NEUROTS):
        problem = f"version {version} cannot extract and generate what is needed"
        return [InvalidInput(problem, "NeuroTS", "install neurots>=3.7.0")]
    if engine == "neurots" and not is_sound(version):
        return [
            InvalidInput(
                f"version {version} ignores the atlas's orientation and boundaries in its growth",
                "option engine",
                "install neurots>=3.7.0 (Python 3.10 to 3.12), or use the compiled engine",
            )
        ]
    return []


def check_launcher(options: Execution, chunked: bool = True) -> list[InvalidInput]:
    """Problems of the launcher: it is there, and starts one MPI job, not many single processes.

    Args:
        options: ``nb_processes`` and ``launcher``, as attributes.
        chunked: whether the cells are grown in chunks, which can be jobs of Slurm.
    """
    from region_grower_flow.runtime.choice import check_launcher as check
    from region_grower_flow.runtime.commands import SBATCH

    if options.launcher == SBATCH and not chunked:
        problem = "only the cells of an atlas are grown in jobs of Slurm"
        return [InvalidInput(problem, "option launcher", "use another one, in a job of your own")]
    if options.nb_processes == 0 and options.launcher != SBATCH:
        return []
    problems = Problems(_too_many_workers(options))
    try:
        shlex.split(options.launcher)
    except ValueError as error:
        problem = f"{options.launcher!r} is no command line ({error})"
        return [InvalidInput(problem, "option launcher")]
    try:
        problems.attempt(check, options.launcher)
    except FlowError as error:
        problems.append(InvalidInput(str(error), "option launcher"))
    return problems


def _too_many_workers(options: Execution) -> list[InvalidInput]:
    """A number of workers that this machine alone cannot start: a digit too many, say."""
    from region_grower_flow.calibration.pool import available_cpus
    from region_grower_flow.runtime.choice import AUTO
    from region_grower_flow.runtime.commands import MPIEXEC

    elsewhere = options.launcher not in (AUTO, MPIEXEC) or any(map(os.environ.get, OTHER_MACHINES))
    cores = available_cpus()
    if elsewhere or (options.nb_processes or 0) <= max(MOST_A_CORE * cores, MOST_ANYWAY):
        return []
    problem = f"{options.nb_processes:,} workers are too many for the {cores} cores of this machine"
    hint = "leave it out for one a core, or give a launcher that starts them on others"
    return [InvalidInput(problem, "option nb_processes", hint)]
