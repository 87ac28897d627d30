"""The options of cells grown without an atlas."""

from __future__ import annotations

from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Place, Whole
from region_grower_flow.options.outputs import Outputs
from region_grower_flow.options.work import Work

DEFAULT_CELLS = 20
"""Cells of each mtype, unless an option says otherwise."""


class Vacuum(Group):
    """Cells grown without an atlas."""

    TITLE = "Cells without an atlas"

    vacuum_cells = Whole[int](
        "Cells of each mtype that are grown without an atlas",
        default=DEFAULT_CELLS,
        least=1,
        most=1_000_000,
        shown=True,
    )
    vacuum_dir = Place["str | None"](
        "Folder of the cells grown without an atlas, by mtype, and of their index (in the work "
        "folder)"
    )
    max_failure_ratio = Outputs.max_failure_ratio


class VacuumCells(Work, Vacuum):
    """Cells grown without an atlas, and the work folder that they are in by default."""


def vacuum_place(options: VacuumCells) -> Path:
    """The folder of the cells that are grown without an atlas.

    Args:
        options: ``vacuum_dir`` and ``work_dir``, as attributes.
    """
    return Path(options.vacuum_dir or Path(options.work_dir, layout.VACUUM))
