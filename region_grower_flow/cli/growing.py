"""The commands of region-grower, which take every option of their tasks, and validate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from region_grower_flow.cli.commands import SYNTHESIS, enter, main
from region_grower_flow.cli.options import (
    DISTRIBUTION_FLAGS,
    PARAMETER_FLAGS,
    TaskCommand,
    task_class,
)
from region_grower_flow.cli.running import ending, log_versions, run_command
from region_grower_flow.options import Model, Reference, Space, Vacuum, Validation, Work
from region_grower_flow.options.group import where_optional

GIVEN_MODEL = ("tmd_parameters", "tmd_distributions")
"""Options of a model that is given, which calibrations do not have."""


RECONSTRUCTIONS = """

    MORPHOLOGIES_DIR is the folder that contains the cells.

    DAT_FILE is the table with the mtype of each cell: .dat, neuronDB .xml, .csv or .tsv.

    \b
    Example:
      region-grower-flow {name} dend/ mtypes.dat
"""


def calibration(task: str, output: tuple[str, str], **settings: Any) -> click.Command:
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
    def command(**values: Any) -> None:
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
def synthesize_morphologies(
    with_mpi: bool,
    dask_config: str | None,
    show_pip_freeze: bool,
    scheduler_url: str | None,
    **values: Any,
) -> None:
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
@click.option("--limit", type=click.IntRange(min=1), help="Of FLOW, the try with so many cells")
@scheduler_option
def validate(flow: str | None, limit: int | None, scheduler_url: str | None, **values: Any) -> None:
    """Validate the cells of a synthesis, which is made or completed first.

    Give a configuration, FLOW (flow.cfg), or the options of synthesize-morphologies; or
    --validation-of vacuum for some cells of each mtype grown without an atlas. The exit code is
    not 0 when verdicts are not as --fail-on wants them.

    With --limit (or --cells-mtypes) the try of FLOW with these cells is validated.

    \b
    Examples:
      region-grower-flow validate flow.cfg
      region-grower-flow validate flow.cfg --limit 50
    """
    values["cells_limit"] = limit or values["cells_limit"]
    if flow is not None:
        values = _of_flow(flow, values)
    values["validation_dir"] = values["validation_dir"] or "validation"
    output = "validation_dir"
    if values["validation_of"] != "vacuum" and values["out_cells"]:
        output = "out_cells"  # so that the work folder is that of the synthesis
    run_command(task_class("ValidateSynthesis"), values, output, scheduler_url)


def _of_flow(flow: str, values: dict[str, Any]) -> dict[str, Any]:
    """The options of a configuration, and those that the command is given in their place.

    The validation is beside the cells, unless it has a place, where the page of the run finds it.
    """
    from region_grower_flow.start.flow_file import read_flow
    from region_grower_flow.start.tries import of_try

    given = {n: v for n, v in values.items() if v not in (None, (), "", False)}
    with ending():
        found = {"work_dir": "work", **read_flow(enter(flow))}
        found = of_try(found, given.get("cells_limit"), given.get("cells_mtypes", ()))
    found = {n: v for n, v in found.items() if n in values}
    beside = Path(found.get("out_cells", "out/nodes.h5")).with_name("validation")
    return {**values, "validation_dir": str(beside), **found, **given}
