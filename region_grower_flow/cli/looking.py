"""Commands that look at cells that are there: pictures of them, and whether they come out again."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from region_grower_flow.cli.commands import main
from region_grower_flow.cli.running import FAILED, ending, set_up_logging

MOST = 60
"""Cells of a picture."""


@main.command("plot", short_help="Draw cells into a PNG, SVG or HTML file")
@click.argument("what", type=click.Path(exists=True))
@click.option("--out", default="cells.png", show_default=True, help=".png, .svg or .html (3D)")
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    default=6,
    show_default=True,
    help="Cells of a folder or population that are drawn",
)
def plot(what: str, out: str, limit: int) -> None:
    """Draw WHAT: a morphology, some of a folder of them, or of SONATA nodes.

    Cells stand side by side at one scale, as they lie in their files; an .html file shows them in
    3D and needs no network. Of nodes each mtype has its share, and in 3D cells lie at their places.

    \b
    Example:
      region-grower-flow plot out/nodes.h5 --out cells.html --limit 30
    """
    from region_grower_flow.report.show import drawn_from, plot_cells

    with ending():
        cells, total = drawn_from(Path(what), limit)
        written = plot_cells(cells, Path(out))
        words = "" if total == len(cells) else f" ({len(cells)} of {total:,} cells, see --limit)"
        click.echo(f"Written: {written}{words}")


@main.command("reproduce", short_help="Make a result again, and say whether it is the same")
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.option("--into", help="Folder for the new result (default: a new one beside FOLDER)")
def reproduce(folder: str, into: str | None) -> None:
    """Make the result in FOLDER again from what its summary records, and compare.

    Inputs that have changed, and other versions, are told first. FOLDER stays as it is. Exits with
    0 when all cells are the same, byte by byte.

    \b
    Example:
      region-grower-flow reproduce out/
    """
    from region_grower_flow.tasks.reproduction import reproduced

    set_up_logging("warning")
    with ending():
        same = True
        for sentence, good in reproduced(Path(folder), into):
            click.echo(sentence)
            same = same and good
    sys.exit(0 if same else FAILED)
