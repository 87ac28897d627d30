"""The commands."""

import errno
import os
import sys
from pathlib import Path

import click

from region_grower_flow import __version__
from region_grower_flow.cli.options import (
    DISTRIBUTION_FLAGS,
    PARAMETER_FLAGS,
    TaskCommand,
    task_class,
)
from region_grower_flow.cli.running import (
    FAILED,
    INVALID,
    exit_code,
    log_versions,
    run_command,
    set_up_logging,
)
from region_grower_flow.errors import FlowError, InvalidInput, printable
from region_grower_flow.options import (
    Execution,
    Growth,
    Model,
    Outputs,
    Reference,
    Space,
    Vacuum,
    Validation,
    Work,
)
from region_grower_flow.options.group import where_optional
from region_grower_flow.runtime.processes import end_of_output, open_streams

SYNTHESIS = (Space, Reference, Model, Growth, Outputs, Execution, Work)
"""The groups of a synthesis, in the order of its help."""

GIVEN_MODEL = ("tmd_parameters", "tmd_distributions")
"""Options of a model that is given, which calibrations do not have."""


UNWRITABLE = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT)
"""Errors of a standard output that takes no more."""
KINDS = {
    "Your own data": ("init", "run", "validate", "report", "status", "clean", "migrate"),
    "As in region-grower": (
        "generate-distributions",
        "generate-parameters",
        "synthesize-morphologies",
    ),
    "Cells that are there": ("plot", "reproduce"),
    "Machines and clusters": ("doctor", "plan-pieces", "make-piece"),
}
"""{heading: commands} of the help, those of a first day first."""


class Commands(click.Group):
    """Commands that help lists by what they are for."""

    def main(self, *arguments, **keywords):
        """As click's; a standard stream that takes no more is a sentence."""
        try:
            return super().main(*arguments, **keywords)
        except OSError as error:
            if error.errno not in UNWRITABLE or error.filename is not None:
                raise
            end_of_output(error)
            sys.exit(FAILED)
        except UnicodeDecodeError as error:
            if error.encoding == "utf-8":
                raise
            # Luigi reads luigi.cfg in the encoding of the locale, when it is imported.
            hint = "set LC_ALL=C.UTF-8 or PYTHONUTF8=1"
            problem = f"is no text in the encoding of the locale ({error.encoding})"
            click.echo(str(InvalidInput(problem, "luigi.cfg", hint)), err=True)
            sys.exit(INVALID)

    def format_commands(self, ctx, formatter):
        """The commands, by kind."""
        for heading, names in KINDS.items():
            rows = [(name, self.commands[name].get_short_help_str(60)) for name in names]
            with formatter.section(heading):
                formatter.write_dl(rows)


@click.group(cls=Commands)
@click.version_option(__version__)
def main():
    """Grow neurons into a brain atlas.

    \b
    Example:
      region-grower-flow init --cells nodes.h5 --atlas atlas/ --morphologies dend/
      region-grower-flow run flow.cfg --limit 50
    """
    open_streams()


RECONSTRUCTIONS = """

    MORPHOLOGIES_DIR is the folder that contains the cells.

    DAT_FILE is the table with the mtype of each cell: .dat, neuronDB .xml, .csv or .tsv.

    \b
    Example:
      region-grower-flow {name} dend/ mtypes.dat
"""


def calibration(task, output, **settings):
    """A command that makes a file of a folder of reconstructions and their table.

    Args:
        task: the name of the task.
        output: (option that names the file, its default).
        **settings: of the command.
    """

    option, default = output

    @main.command(
        cls=TaskCommand,
        arguments=("morphologies_dir", "dat_file"),
        defaults={option: default},
        **settings,
    )
    def command(**values):
        name = task
        if task == "BuildParameters" and values["growth_calibration"] not in (None, "none"):
            name = "CalibrateGrowth"
        # Of a folder of reconstructions, whatever cells a configuration here names.
        values.update(input_cells=None, cells_limit=None, cells_mtypes=())
        run_command(task_class(name), {**values, option: values[option] or default}, option)

    return command


generate_parameters = calibration(
    "BuildParameters",
    ("generated_parameters", "tmd_parameters.json"),
    name="generate-parameters",
    groups=(Reference, Model, Work),
    flags=PARAMETER_FLAGS,
    without=(*GIVEN_MODEL, "extracted_distributions", "processes", "min_basal_trees"),
    others=(Space.region_structure,),
    help="Generate the JSON file of the TMD parameters of each mtype."
    + RECONSTRUCTIONS.format(name="generate-parameters"),
    short_help="Generate the TMD parameter file",
)

generate_distributions = calibration(
    "ExtractDistributions",
    ("extracted_distributions", "tmd_distributions.json"),
    name="generate-distributions",
    groups=(Reference, Model, Work),
    flags=DISTRIBUTION_FLAGS,
    without=(
        *GIVEN_MODEL,
        "base_parameters",
        "generated_parameters",
        "overrides",
        "trunk_fits",
        "trunk_rules",
        "scaling_rules",
        "path_fit_trees",
    ),
    help="Create the JSON file of the TMD distributions of each mtype."
    + RECONSTRUCTIONS.format(name="generate-distributions"),
    short_help="Create the TMD distribution file",
)

scheduler_option = click.option(
    "--scheduler-url", help="URL of a central Luigi scheduler, to watch the run there"
)


@main.command(
    "synthesize-morphologies",
    cls=TaskCommand,
    groups=SYNTHESIS,
    short_help="Synthesize morphologies into an atlas",
)
@click.option("--with-mpi", is_flag=True, help="Accepted for region-grower's sake; see --launcher")
@click.option("--dask-config", help="Accepted for region-grower's sake; there is no Dask here")
@click.option("--show-pip-freeze", is_flag=True, help="Log the versions of all installed packages")
@scheduler_option
def synthesize_morphologies(with_mpi, dask_config, show_pip_freeze, scheduler_url, **values):
    """Synthesize one morphology per cell, with TMD parameters and distributions.

    Without --tmd-parameters or --tmd-distributions they are made from the reconstructions
    (--morphologies-dir and --dat-file).

    \b
    Example:
      region-grower-flow synthesize-morphologies --input-cells nodes.h5 --atlas atlas/
          --region-structure regions.yaml --tmd-parameters p.json
          --tmd-distributions d.json --out-cells out/nodes.h5
    """
    if with_mpi:
        click.echo(
            "--with-mpi is not needed: run the command itself without mpiexec; it starts "
            "--nb-processes MPI workers through --launcher.",
            err=True,
        )
    if dask_config is not None:
        click.echo(
            "--dask-config has no effect: there is no Dask; see --nb-processes, --launcher and "
            "--chunksize.",
            err=True,
        )
    if show_pip_freeze:
        log_versions()
    run_command(task_class("SynthesizeMorphologies"), values, "out_cells", scheduler_url)


@main.command(
    "validate",
    cls=TaskCommand,
    groups=(Validation, Vacuum, *SYNTHESIS),
    others=where_optional(SYNTHESIS),
    short_help="Compare synthesized cells with the reconstructions",
)
@click.argument("flow", required=False)
@scheduler_option
def validate(flow, scheduler_url, **values):
    """Validate the cells of a synthesis, which is made or completed first.

    Give a configuration, FLOW (flow.cfg), or the options of synthesize-morphologies; or
    --validation-of vacuum for some cells of each mtype grown without an atlas. The exit code is
    not 0 when verdicts are not as --fail-on wants them.

    \b
    Example:
      region-grower-flow validate flow.cfg
    """
    if flow is not None:
        values = _of_flow(flow, values)
    values["validation_dir"] = values["validation_dir"] or "validation"
    output = "validation_dir"
    if values["validation_of"] != "vacuum" and values["out_cells"]:
        output = "out_cells"  # so that the work folder is that of the synthesis
    run_command(task_class("ValidateSynthesis"), values, output, scheduler_url)


def _of_flow(flow, values):
    """The options of a configuration, and those that the command is given in their place.

    The validation is beside the cells, unless it has a place, where the page of the run finds it.
    """
    from region_grower_flow.start.flow_file import read_flow

    given = {n: v for n, v in values.items() if v not in (None, (), "", False)}
    try:
        found = {"work_dir": "work", **read_flow(enter(flow))}
    except FlowError as error:
        click.echo(printable(error), err=True)
        sys.exit(exit_code(error))
    found = {n: v for n, v in found.items() if n in values}
    beside = Path(found.get("out_cells", "out/nodes.h5")).with_name("validation")
    return {**values, "validation_dir": str(beside), **found, **given}


@main.command(
    "plan-pieces",
    cls=TaskCommand,
    groups=SYNTHESIS,
    short_help="Cut a synthesis into pieces for jobs of any scheduler",
)
def plan_pieces(**values):
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
def make_piece(pieces, number, launcher, nb_processes):
    """Make piece NUMBER of the file PIECES that plan-pieces, or a run, has written.

    It goes on from what an earlier job has finished. The run itself may wait meanwhile: only the
    piece is locked.

    \b
    Example:
      region-grower-flow make-piece out/nodes_work/jobs/pieces.json 3
    """
    from region_grower_flow.tasks import cluster

    set_up_logging("info")
    try:
        click.echo(cluster.make_piece(pieces, number, launcher, nb_processes))
    except FlowError as error:
        click.echo(str(error), err=True)
        sys.exit(exit_code(error))


@main.command("doctor", short_help="Tell what is wrong with this machine, and how to mend it")
@click.option("--work-dir", default=".", help="The folder to look at (default: this one)")
def doctor(work_dir):
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


def run_options(command):
    """The options of commands that look at a run that was: which one."""
    for option in (
        click.argument("flow", required=False),
        click.option("--task", help="The task to look at (default: SynthesizeMorphologies)"),
        click.option("--config", help="Luigi's configuration of the run (default: ./luigi.cfg)"),
        click.option(
            "--work-dir", help="Folder of the intermediates of a run of this command line"
        ),
    ):
        command = option(command)
    return command


def enter(flow):
    """The configuration that is named, in the folder that it is in: paths in it start from there.

    Args:
        flow: its path, or a folder with a flow.cfg.
    """
    path = Path(os.path.expanduser(flow))
    if path.is_dir():
        path = path / "flow.cfg"
    if path.parent != Path(".") and path.parent.is_dir():
        click.echo(f"In {path.parent}:")
        os.chdir(path.parent)
        path = Path(path.name)
    return path


def _which_run(flow, work_dir, config):
    """(work folder, configuration) of a run: FLOW is one of both, by default the flow.cfg here."""
    if flow is None:
        given = work_dir or config or os.environ.get("LUIGI_CONFIG_PATH")
        if given or Path("luigi.cfg").is_file() or not Path("flow.cfg").is_file():
            return work_dir, config
        flow = "flow.cfg"
    if Path(flow).is_dir() and not Path(flow, "flow.cfg").is_file():
        return flow, config
    from region_grower_flow.tasks.roots import Flow

    return work_dir, Flow(enter(flow))


@main.command("status", short_help="Tell what is there, what is stale and why")
@run_options
def status(flow, work_dir, config, task):
    """Tell for each stage and chunk whether it is fresh, stale (and why), partial or missing.

    FLOW is a configuration or a work folder (default: luigi.cfg or flow.cfg here).

    Tells what a run would do, too. Runs and writes nothing.

    \b
    Example:
      region-grower-flow status flow.cfg
    """
    task_class("SynthesizeMorphologies")  # ends here when Luigi cannot read its configuration
    from region_grower_flow.tasks.status import report

    try:
        for line in report(*_which_run(flow, work_dir, config), task):
            click.echo(line)
    except FlowError as error:
        click.echo(str(error), err=True)
        sys.exit(INVALID)


@main.command("clean", short_help="Remove intermediates, after showing which")
@run_options
@click.option("--stale", is_flag=True, help="Remove what no run needs any more (the default)")
@click.option("--all", "all_", is_flag=True, help="Remove all that the package made there")
@click.option("--yes", is_flag=True, help="Do not ask")
def clean(flow, work_dir, config, task, stale, all_, yes):
    """Remove intermediates, after showing which; outputs and files of others stay.

    FLOW is a configuration or a work folder (default: luigi.cfg or flow.cfg here).

    --stale (the default) removes what no stage refers to that is up to date and what no run would
    take over. After --all a run makes everything again, and needs --overwrite for the outputs.

    \b
    Example:
      region-grower-flow clean flow.cfg --stale
    """
    task_class("SynthesizeMorphologies")  # as above
    from region_grower_flow.tasks.cleaning import removing

    if stale and all_:
        raise click.UsageError("--stale and --all exclude each other")
    try:
        with removing(*_which_run(flow, work_dir, config), task, all_) as removal:
            if not removal.files:
                click.echo(f"Nothing to remove in {removal.folder}.")
                return
            click.echo(f"To be removed from {removal.folder}:")
            for line in removal.lines():
                click.echo(line)
            if not yes and not _agreed():
                click.echo("Nothing has been removed.", err=True)
                sys.exit(FAILED)
            removal.remove()
            click.echo(f"{len(removal.files)} files removed.")
    except FlowError as error:
        click.echo(str(error), err=True)
        sys.exit(exit_code(error))


def _agreed():
    try:
        return click.confirm("Remove them?")
    except click.Abort:  # nobody is there to answer
        return False
