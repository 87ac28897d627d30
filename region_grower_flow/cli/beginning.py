"""The commands of a newcomer: a configuration from one's own data, and runs of it."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from region_grower_flow.cli.commands import agreed, enter, main, names
from region_grower_flow.cli.options import task_class
from region_grower_flow.cli.running import (
    FAILED,
    code_of,
    defaults_of,
    ending,
    run_task,
    set_up_logging,
)
from region_grower_flow.errors import counted
from region_grower_flow.options.outputs import writes_files

if TYPE_CHECKING:
    from region_grower_flow.tasks.base import FlowTask

FEW = 50
"""Cells of the try that is proposed."""


@main.command("init", short_help="Write a configuration from your own data")
@click.option("--cells", required=True, help="SONATA (.h5) or MVD3 file of the cells to grow")
@click.option("--atlas", required=True, help="Folder of the atlas")
@click.option("--morphologies", required=True, help="Folder of the reconstructions")
@click.option("--dat", "table", help="Table of the reconstructions (default: found, or made)")
@click.option("--region-structure", help="Region structure that there is already (YAML)")
@click.option(
    "--population",
    help="SONATA population of the cells, where their file has several; with its node group "
    "(cortex/1) where it has several",
)
@click.option("--out", default="flow.cfg", show_default=True, help="Configuration to write")
@click.option("--yes", is_flag=True, help="Take what is proposed, without a question")
def init(
    cells: str,
    atlas: str,
    morphologies: str,
    table: str | None,
    region_structure: str | None,
    population: str | None,
    out: str,
    yes: bool,
) -> None:
    """Look at your cells, atlas and reconstructions, and write a configuration for them.

    \b
    Example:
      region-grower-flow init --cells nodes.h5 --atlas atlas/ --morphologies dend/
      region-grower-flow run flow.cfg --limit 50
    """
    from region_grower_flow.start.begin import begin
    from region_grower_flow.start.survey import Sources
    from region_grower_flow.tasks.streams import wrapped

    set_up_logging("error")

    def place(path: str) -> Path:
        return Path(os.path.expanduser(path))

    sources = Sources(
        cells=place(cells),
        atlas=place(atlas),
        morphologies=place(morphologies),
        table=place(table) if table else None,
        structure=place(region_structure) if region_structure else None,
        population=population,
    )
    out = os.path.expanduser(out)
    with ending():
        with _looking():
            found = begin(sources, out)
        for line in found.lines:
            click.echo(wrapped(line, sys.stdout, indent=0 if line.startswith(" ") else 10))
        asked = not yes and sys.stdin is not None and sys.stdin.isatty()
        if asked and not agreed("Write these files?", default=True):
            click.echo("Nothing has been written.", err=True)
            sys.exit(FAILED)
        written = found.write()
    click.echo(f"Written:  {', '.join(path.name for path in written)} in {found.folder}")
    limit = f" --limit {FEW}" if found.count > FEW else ""
    click.echo(f"Try it:   region-grower-flow run {shlex.quote(os.path.relpath(out))}{limit}")


@contextlib.contextmanager
def _looking() -> Iterator[None]:
    """Say in a terminal that there is work; nothing of it stays."""
    shown = sys.stderr is not None and sys.stderr.isatty()
    if shown:
        click.echo("Looking at cells, atlas and reconstructions ...\r", err=True, nl=False)
    try:
        yield
    finally:
        if shown:
            click.echo(" " * 50 + "\r", err=True, nl=False)


@main.command("run", short_help="Grow the cells of a configuration, with a page at the end")
@click.argument("flow", default="flow.cfg")
@click.option("--limit", type=click.IntRange(min=1), help="Grow so many cells, of all mtypes")
@click.option("--mtypes", help="Grow cells of these mtypes only, separated by commas")
@click.option("--nb-processes", type=click.IntRange(min=0), help="MPI workers (0: none)")
@click.option("--no-page", is_flag=True, help="Make no page at the end")
@click.option("-v", "--verbose", is_flag=True, help="Show the logs of the stages")
def run(
    flow: str,
    limit: int | None,
    mtypes: str | None,
    nb_processes: int | None,
    no_page: bool,
    verbose: bool,
) -> None:
    """Grow the cells of FLOW (flow.cfg), and make a page on them.

    With --limit or --mtypes some of the cells are grown, for a try: their outputs are beside those
    of all cells, in folders of their own.

    \b
    Examples:
      region-grower-flow run flow.cfg --limit 50
      region-grower-flow run flow.cfg --mtypes L5_TPC:A,L6_IPC
      region-grower-flow run flow.cfg
    """
    set_up_logging("info" if verbose else "warning")

    def work() -> int:
        values, whole = _values(flow, limit, names(mtypes))
        if nb_processes is not None:
            values["nb_processes"] = nb_processes
        return _run(values, whole, no_page)

    sys.exit(code_of(work))


@main.command("migrate", short_help="Turn a configuration of synthesis-workflow into one of ours")
@click.argument("config")
@click.option("--out", default="flow.cfg", show_default=True, help="Configuration to write")
def migrate(config: str, out: str) -> None:
    """Write our configuration from CONFIG, a luigi.cfg of synthesis-workflow.

    What has no counterpart is listed, and stays in the file as comments.

    \b
    Example:
      region-grower-flow migrate luigi.cfg --out flow.cfg
    """
    from region_grower_flow.start.files import write_files
    from region_grower_flow.start.migrate import migrate as translate

    with ending():
        text, left, notes = translate(Path(os.path.expanduser(config)))
        path = Path(os.path.expanduser(out))
        write_files(path.parent, {path.name: text})
    for section, key, value, why in left:
        click.echo(f"No counterpart: [{section}] {key} = {value} ({why})")
    for note in notes:
        click.echo(f"Note: {note}")
    click.echo(f"Written: {out}; {counted(len(left), 'value')} without counterpart")


@main.command("report", short_help="Make the page of the cells of a configuration")
@click.argument("flow", default="flow.cfg")
@click.option("--limit", type=click.IntRange(min=1), help="Of the try with so many cells")
@click.option("--mtypes", help="Of the try with these mtypes, separated by commas")
def report(flow: str, limit: int | None, mtypes: str | None) -> None:
    """Make the page of the cells of FLOW (flow.cfg), which are grown first where they are not.

    \b
    Example:
      region-grower-flow report flow.cfg
    """
    set_up_logging("warning")

    def work() -> int:
        return run_task(_task("ReportSynthesis", _values(flow, limit, names(mtypes))[0]))

    sys.exit(code_of(work))


def _values(flow: str, limit: int | None, mtypes: list[str]) -> tuple[dict[str, Any], str]:
    """({option: value}, work folder of all cells) of a configuration, or of a try with some cells.

    Relative paths start from the folder of the configuration, which becomes the current one.
    """
    from region_grower_flow.start.flow_file import read_flow
    from region_grower_flow.start.tries import of_try

    path = enter(flow)
    values = read_flow(path)
    whole = values.setdefault("work_dir", "work")
    return of_try(values, limit, mtypes), whole


def _run(values: dict[str, Any], whole: str, no_page: bool) -> int:
    task = _task("SynthesizeMorphologies", {**values, **({"skip_page": True} if no_page else {})})
    task.page_follows = True
    code = run_task(task, before=lambda: _go_on(task, whole))
    if code or task.skip_page or not writes_files(task) or task.page_written() is not None:
        return code
    return run_task(_task("ReportSynthesis", values))


def _go_on(task: FlowTask, whole: str) -> None:
    """Begin a new work folder with what others hold, unless the inputs are refused."""
    from region_grower_flow.start.tries import go_on_from_others

    if all(example.complete() for example in task.example()) and task.check().finds_nothing_wrong():
        source = go_on_from_others(task.work_dir, whole)
        if source is not None:
            print(f"Going on from what {source} holds", flush=True)


def _task(name: str, values: Mapping[str, Any]) -> FlowTask:
    known, defaults = _parameters(name), defaults_of(task_class(name))
    return task_class(name)(**{**defaults, **{n: v for n, v in values.items() if n in known}})


def _parameters(task: str) -> set[str]:
    return {name for name, _ in task_class(task).get_params()}
