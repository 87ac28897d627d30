"""The commands that look at a run that was, or remove what it has left."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from region_grower_flow.cli.commands import agreed, enter, main, names
from region_grower_flow.cli.options import task_class
from region_grower_flow.cli.running import FAILED, ending
from region_grower_flow.errors import InvalidInput

if TYPE_CHECKING:
    from region_grower_flow.tasks.roots import Flow


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of commands that look at a run that was: which one."""
    for option in (
        click.argument("flow", required=False),
        click.option("--task", help="The task to look at (default: SynthesizeMorphologies)"),
        click.option("--config", help="Luigi's configuration of the run (default: ./luigi.cfg)"),
        click.option(
            "--work-dir", help="Folder of the intermediates of a run of this command line"
        ),
        click.option("--mtypes", help="Of FLOW, the try with these mtypes, separated by commas"),
        click.option(
            "--limit", type=click.IntRange(min=1), help="Of FLOW, the try with so many cells"
        ),
    ):
        command = option(command)
    return command


def _which_run(
    flow: str | None,
    work_dir: str | None,
    config: str | None,
    limit: int | None,
    mtypes: str | None,
) -> tuple[str | None, str | Flow | None]:
    """(work folder, configuration) of a run: FLOW is one of both, by default the flow.cfg here.

    Raises:
        InvalidInput: a try is asked for, of what is no configuration of a flow.
    """
    from region_grower_flow.tasks.roots import Flow

    hint = "name a configuration, or the work folder of the try without these"
    no_try = InvalidInput("choose a try of a flow.cfg", "options --limit and --mtypes", hint)
    if flow is None:
        given = work_dir or config or os.environ.get("LUIGI_CONFIG_PATH")
        if given or Path("luigi.cfg").is_file() or not Path("flow.cfg").is_file():
            if limit or mtypes:
                raise no_try
            return work_dir, config
        flow = "flow.cfg"
    if Path(flow).is_dir() and not Path(flow, "flow.cfg").is_file():
        if limit or mtypes:
            raise no_try
        return flow, config
    return work_dir, Flow(enter(flow), limit, tuple(names(mtypes)))


@main.command("status", short_help="Tell what is there, what is stale and why")
@run_options
def status(task: str | None, **which: Any) -> None:
    """Tell for each stage and chunk whether it is fresh, stale (and why), partial or missing.

    FLOW is a configuration or a work folder (default: luigi.cfg or flow.cfg here).

    Tells what a run would do, too. Runs and writes nothing.

    \b
    Examples:
      region-grower-flow status flow.cfg
      region-grower-flow status flow.cfg --limit 50
    """
    task_class("SynthesizeMorphologies")  # ends here when Luigi cannot read its configuration
    from region_grower_flow.tasks.status import report

    with ending():
        for line in report(*_which_run(**which), task):
            click.echo(line)


@main.command("clean", short_help="Remove intermediates, after showing which")
@run_options
@click.option("--stale", is_flag=True, help="Remove what no run needs any more (the default)")
@click.option("--all", "all_", is_flag=True, help="Remove all that the package made there")
@click.option("--yes", is_flag=True, help="Do not ask")
def clean(task: str | None, stale: bool, all_: bool, yes: bool, **which: Any) -> None:
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
    with ending(), removing(*_which_run(**which), task, all_) as removal:
        if not removal.files:
            click.echo(f"Nothing to remove in {removal.folder}.")
            return
        click.echo(f"To be removed from {removal.folder}:")
        for line in removal.lines():
            click.echo(line)
        if not yes and not agreed("Remove them?"):
            click.echo("Nothing has been removed.", err=True)
            sys.exit(FAILED)
        removal.remove()
        click.echo(f"{len(removal.files)} files removed.")
