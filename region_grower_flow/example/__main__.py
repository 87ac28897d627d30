"""Make the example dataset: ``python -m region_grower_flow.example FOLDER``."""

import sys

import click

from region_grower_flow.errors import FlowError
from region_grower_flow.example.create import DEFAULT_CELLS, create_example
from region_grower_flow.example.paths import ATLASES, BOTH


@click.command()
@click.argument("folder")
@click.option("--seed", default=0, show_default=True, help="Seed of everything that is drawn.")
@click.option(
    "--atlas",
    type=click.Choice([*ATLASES, BOTH]),
    default=BOTH,
    show_default=True,
    help="Which atlases, with their cells, to make.",
)
@click.option("--cells", default=DEFAULT_CELLS, show_default=True, help="Positions per atlas.")
def main(folder: str, seed: int, atlas: str, cells: int) -> None:
    """Make reference cells, atlases, positions and axons in FOLDER (a few seconds, 5 MB)."""
    try:
        paths = create_example(folder, seed=seed, atlas=atlas, n_cells=cells)
    except FlowError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    click.echo(f"The example is in {paths.folder}.")


if __name__ == "__main__":
    main()
