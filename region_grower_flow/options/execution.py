"""The options of how the work is done: no result depends on them."""

from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Number, Text, Whole

CELL_SECONDS = 3600.0
"""Time limit of one cell, unless an option says otherwise: some 10,000 times what a large cell
takes."""


class Execution(Group):
    """Workers, their launcher, and how cells are shared out."""

    TITLE = "Workers"

    nb_processes = Whole["int | None"](
        "Number of MPI workers (as many as there are cores; 0: no MPI)",
        optional=True,
        least=0,
        identity=False,
    )
    launcher = Text[str](
        "What starts the workers: mpiexec, srun, inprocess, a command with {n} and {command}, auto "
        "(in this process where that takes a second or two, else mpiexec where MPI works), or "
        "sbatch (each chunk is a job of Slurm)",
        default="auto",
        identity=False,
    )
    block_size = Whole["int | None"](
        "Most cells that a worker takes at a time (by default 50, and fewer towards the end)",
        optional=True,
        least=1,
        identity=False,
    )
    cell_timeout = Number[float](
        "Seconds after which a cell is given up", default=CELL_SECONDS, least=0.1, identity=False
    )
    chunksize = Whole[int](
        "Cells per chunk: a chunk is one task, one launch of MPI, which costs some seconds; give "
        "hundreds of workers more",
        default=50_000,
        least=1,
        identity=False,
    )
    slurm_partition = Text["str | None"](
        "Partition of the jobs (launcher sbatch; Slurm's own default)",
        optional=True,
        identity=False,
    )
    slurm_account = Text["str | None"](
        "Account of the jobs (launcher sbatch)", optional=True, identity=False
    )
    slurm_time = Text["str | None"](
        "Time limit of a job, as sbatch takes it (launcher sbatch); a job that exceeds it is "
        "submitted again and goes on",
        optional=True,
        identity=False,
    )
    slurm_nodes = Whole[int]("Nodes of a job (launcher sbatch)", default=1, least=1, identity=False)
    slurm_tasks = Whole[int](
        "Workers of a job, a core each (launcher sbatch)", default=1, least=1, identity=False
    )
    slurm_jobs = Whole["int | None"](
        "Jobs that run at the same time at most (launcher sbatch)",
        optional=True,
        least=1,
        identity=False,
    )
    slurm_options = Text["str | None"](
        "Further options of sbatch, such as '--mem=0 --qos=long' (launcher sbatch)",
        optional=True,
        identity=False,
    )
