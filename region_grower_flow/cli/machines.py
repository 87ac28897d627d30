"""The commands for clusters and machines: pieces of a synthesis for jobs, and the doctor."""

from __future__ import annotations

import sys
from typing import Any

import click

from region_grower_flow.cli.commands import SYNTHESIS, main
from region_grower_flow.cli.options import TaskCommand, task_class
from region_grower_flow.cli.running import FAILED, ending, run_command, set_up_logging


@main.command(
    "plan-pieces",
    cls=TaskCommand,
    groups=SYNTHESIS,
    short_help="Cut a synthesis into pieces for jobs of any scheduler",
)
def plan_pieces(**values: Any) -> None:
    """Check the inputs, look up the cells, and write the pieces of a synthesis.

    Each piece is then made by make-piece, in a job of its own, on any node that sees the folders;
    the merge, or synthesize-morphologies with the same options, comes last.

    \b
    Example:
      region-grower-flow plan-pieces --input-cells nodes.h5 --atlas atlas/ ...
    """
    from region_grower_flow.tasks.cluster import plan

    run_command(task_class("SynthesizeMorphologies"), values, "out_cells", run=plan)


@main.command("make-piece", short_help="Make one piece of a synthesis")
@click.argument("pieces", type=click.Path())
@click.argument("number", type=int)
@click.option("--launcher", help="What starts the workers of a range (srun in jobs of Slurm)")
@click.option("--nb-processes", type=click.IntRange(1), help="Number of MPI workers")
def make_piece(pieces: str, number: int, launcher: str | None, nb_processes: int | None) -> None:
    """Make piece NUMBER of the file PIECES that plan-pieces, or a run, has written.

    It goes on from what an earlier job has finished. The run itself may wait meanwhile: only the
    piece is locked.

    \b
    Example:
      region-grower-flow make-piece out/nodes_work/jobs/pieces.json 3
    """
    from region_grower_flow.tasks import cluster

    set_up_logging("info")
    with ending():
        click.echo(cluster.make_piece(pieces, number, launcher, nb_processes))


@main.command("doctor", short_help="Tell what is wrong with this machine, and how to mend it")
@click.option("--work-dir", default=".", help="The folder to look at (default: this one)")
def doctor(work_dir: str) -> None:
    """Look at versions, compiled kernels, MPI, Slurm and the file system of a folder.

    One sentence each, with what to do about it. The exit code is 1 when something is BAD.

    \b
    Example:
      region-grower-flow doctor --work-dir work
    """
    from region_grower_flow.checks.doctor import BAD, examine

    states = []
    for finding in examine(work_dir):
        click.echo(str(finding))
        states.append(finding.state)
    sys.exit(FAILED if BAD in states else 0)
