"""The command lines and the environment of launchers."""

import functools
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from region_grower_flow.errors import InvalidInput, nearest
from region_grower_flow.io.atomic import PathLike

MPIEXEC, SRUN, INPROCESS = LAUNCHERS = ("mpiexec", "srun", "inprocess")

SBATCH = "sbatch"
"""The launcher that makes a job of Slurm of each chunk: see ``job_array``."""

WORKER_MODULE = "region_grower_flow.runtime.worker"

INSTALL_MPI = "install the package with its extra 'mpi'"
"""Advice where mpi4py is not installed, the only library that the package can do without."""

MPI_PREFIXES = ("PMI_", "PMIX_", "OMPI_", "PRTE_", "PALS_", "HYDI_", "MPI_LOCAL")
"""Environment variables that an outer MPI job leaves behind: an inner one trips over them."""

KEPT = ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM")
"""Variables with such names that a user sets, in containers mostly."""

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""Variables that are set to 1 in ranks, which already share the cores."""

VERSION_SECONDS = 20
"""Seconds for ``mpiexec --version`` to answer."""


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module as a program, see ``run_module.py``."""
    return [sys.executable, str(Path(__file__).with_name("run_module.py")), module, *arguments]


def worker_command(job_path: PathLike | None, ranks: int, module: str = WORKER_MODULE) -> list[str]:
    """The command of one rank; ``job_path`` None checks the launcher only."""
    what = ["--check"] if job_path is None else [str(job_path)]
    worker = module_command("mpi4py", "-m", module, *what)
    return [*worker, "--expected-ranks", str(ranks)]


def launch_command(
    launcher: str | Sequence[str],
    ranks: int,
    command: list[str],
    srun_options: Iterable[str] | None = None,
) -> list[str]:
    """The command line that starts ``command`` on so many ranks.

    Args:
        launcher: "mpiexec", "srun", or a template: a string or list of words of which ``{n}``
            becomes the number of ranks and the word ``{command}`` the worker's command, such as
            ``mpirun -n {n} --bind-to none {command}``.
        ranks: how many.
        command: the worker's, a list of words.
        srun_options: further options of srun; None for the ``--mpi`` of this Python's MPI.

    Raises:
        InvalidInput: the launcher is unknown, missing, or the template has no ``{command}``.
    """
    if launcher == MPIEXEC:
        mpiexec = find_mpiexec()
        return [mpiexec, *mpiexec_options(vendor(mpiexec)), "-n", str(ranks), *command]
    if launcher == SRUN:
        further = [mpi_type()] if srun_options is None else srun_options
        return [_find_srun(), *_srun_options(ranks, further), *command]
    return _from_template(launcher, ranks, command)


def find_mpiexec() -> str:
    """The mpiexec beside this Python, which belongs to its mpi4py, or else the first in PATH.

    Raises:
        InvalidInput: there is none.
    """
    beside = Path(sys.executable).parent / "mpiexec"
    if os.access(beside, os.X_OK):
        return str(beside)
    found = shutil.which("mpiexec")
    if found is None:
        raise InvalidInput(
            f"there is no mpiexec in {beside.parent} nor in the PATH",
            where="launcher",
            hint=f"{INSTALL_MPI}, or choose the launcher 'inprocess'",
        )
    return found


def mpi_type() -> str:
    """The option of srun for the MPI beside this Python: MPICH asks by PMI-2, Open MPI by PMIx."""
    try:
        is_open = vendor(find_mpiexec()) == "openmpi"
    except InvalidInput:  # mpi4py may use an MPI of the cluster that has no mpiexec
        return "--mpi=pmi2"
    return "--mpi=pmix" if is_open else "--mpi=pmi2"


@functools.cache
def vendor(mpiexec: str) -> str:
    """Whose mpiexec it is: "openmpi", or "mpich" (Hydra, Intel MPI and all others)."""
    try:
        done = subprocess.run(
            [mpiexec, "--version"],
            env=clean_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = f"{mpiexec} --version does not answer ({error})"
        raise InvalidInput(problem, "launcher", "repair it or choose another launcher") from error
    text = (done.stdout + done.stderr).decode(errors="replace").lower()
    is_open = any(word in text for word in ("open mpi", "openrte", "open-mpi", "prte"))
    return "openmpi" if is_open else "mpich"


def mpiexec_options(made_by: str) -> list[str]:
    """The options that make an mpiexec behave as MPICH's does without any."""
    if made_by != "openmpi":
        return []
    # Open MPI binds two jobs to the same cores and refuses more ranks than cores; rank 0 is idle.
    options = ["--bind-to", "none", "--oversubscribe"]
    return ["--allow-run-as-root", *options] if os.geteuid() == 0 else options


def _find_srun() -> str:
    found = shutil.which("srun")
    if found is None:
        raise InvalidInput(
            "there is no srun in the PATH",
            where="launcher",
            hint="load Slurm's module, or choose the launcher 'mpiexec' or 'inprocess'",
        )
    return found


def _srun_options(ranks: int, further: Iterable[str]) -> list[str]:
    # Without --kill-on-bad-exit the other ranks wait for a dead one for ever.
    options = [f"--ntasks={ranks}", "--kill-on-bad-exit=1", "--unbuffered", "--input=none"]
    if "SLURM_JOB_ID" in os.environ:
        # Within an allocation rank 0, which idles, may share a core with a worker. Outside of one
        # --overcommit would ask for a single core.
        options.append("--overcommit")
    return [*options, *further]


def _from_template(template: str | Sequence[str], ranks: int, command: list[str]) -> list[str]:
    words = shlex.split(template) if isinstance(template, str) else [str(w) for w in template]
    if "{command}" not in words:
        hint = nearest(template, LAUNCHERS) if len(words) == 1 else ""
        raise InvalidInput(
            f"{shlex.join(words)!r} is neither one of {', '.join(LAUNCHERS)} nor a template with "
            "the word {command}",
            where="launcher",
            hint=hint or "an example of a template: mpirun -n {n} {command}",
        )
    if shutil.which(words[0]) is None:
        raise InvalidInput(f"the program {words[0]!r} is not in the PATH", where="launcher")
    filled = []
    for word in words:
        filled += command if word == "{command}" else [word.replace("{n}", str(ranks))]
    return filled


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy of an environment without the traces of an outer MPI job."""
    return {k: v for k, v in environment.items() if k in KEPT or not k.startswith(MPI_PREFIXES)}


def rank_environment(
    environment: Mapping[str, str], launcher: str | Sequence[str]
) -> dict[str, str]:
    """The environment of a launcher and its ranks."""
    clean = clean_environment(environment)
    clean.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    clean["PYTHONUNBUFFERED"] = "1"
    if launcher != SRUN and clean.get("SLURM_STEP_ID"):
        # Within a step Hydra (MPICH) and PRRTE (Open MPI) would start their proxies by srun, and
        # wait for the cores that the step itself holds.
        clean.setdefault("HYDRA_LAUNCHER", "fork")
        clean |= {"PRTE_MCA_plm": "^slurm", "PRTE_MCA_ras": "^slurm"}
    return clean
