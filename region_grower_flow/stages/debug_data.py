"""Debug data of all cells: what the reference pickles, as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.io.atomic import PathLike
from region_grower_flow.record.tables import read_records

if TYPE_CHECKING:
    from region_grower_flow.io.table import CellTable


OWN = ("cell", "mtype", "region", "name", "status", "reason", "attempts")
POINTS = ("apical_points", "apical_sections", "apical_NRN_sections")


def write_debug_data(
    path: Path,
    chunks: Iterable[Path],
    cell_table: PathLike,
    seed: int,
    orientation: PathLike | None,
) -> Path:
    """Write one line per cell: its record, and what the atlas says of it; returns the path.

    The columns have the reference's names. Numbers that are not known (NaN) are null; directions
    and boundaries are values, not texts of JSON.

    Args:
        path: of the file.
        chunks: the chunks' tables of results.
        cell_table: the cells' rows.
        seed: of the run.
        orientation: path of the volume of orientations.
    """
    from region_grower_flow.io.atomic import atomic_write
    from region_grower_flow.io.table import read_table

    table = read_table(cell_table)
    with atomic_write(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for chunk in chunks:
            for record in read_records(chunk):
                row = int(np.searchsorted(table.ids, record["cell"]))
                line = {name: record[name] for name in OWN}
                line |= row_of(table, row, seed, orientation)
                line |= {name: record[name] for name in POINTS}
                line["debug_infos"] = record.get("debug")
                file.write(json.dumps(line) + "\n")
    return path


def row_of(table: CellTable, row: int, seed: int, orientation: PathLike | None) -> dict[str, Any]:
    """{column: value} of a cell, under the reference's names.

    Args:
        table: io.table.CellTable.
        row: of the cell.
        seed: of the run.
        orientation: path of the volume of orientations.
    """
    from region_grower_flow.io.table import cell_seed

    meta = table.meta_of(table.synthesis_regions[row], table.regions[row])
    in_space = bool(meta.get("directions") or meta.get("boundaries"))
    count = int(table.layer_counts[row])
    return {
        **dict(zip("xyz", _known(table.positions[row]), strict=True)),
        "seed": int(cell_seed(seed, int(table.numbers[row]))),
        "synthesis_region": table.synthesis_regions[row],
        "current_depth": _known(table.depths[row]),
        "layer_depths": _known(table.layer_depths[row, : count + 1]) if count else None,
        "orientation": _known(table.orientations[row]),
        "directions": meta.get("directions"),
        "boundaries": meta.get("boundaries"),
        "atlas_info": _atlas_info(table, orientation) if in_space else None,
        "glomerulus_id": None if table.glomerulus_ids is None else int(table.glomerulus_ids[row]),
        "axon_name": table.axon_names[row],
        "axon_scale": _known(table.axon_scales[row]),
    }


def _atlas_info(table: CellTable, orientation: PathLike | None) -> dict[str, Any]:
    info = {n: table.meta["atlas"][n] for n in ("voxel_dimensions", "offset", "shape")}
    return {**info, "direction_nrrd_path": str(orientation)}


def _known(values: Any) -> Any:
    """Numbers as JSON has them: null for what is not finite."""
    if np.ndim(values):
        return [_known(value) for value in values]
    return float(values) if np.isfinite(values) else None
