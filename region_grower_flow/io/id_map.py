"""The table from the cells of the input to those of the output."""

import csv
from collections.abc import Iterable, Iterator

import numpy as np

from region_grower_flow.io.atomic import PathLike, atomic_write
from region_grower_flow.io.cell_files import packed_texts
from region_grower_flow.layout import DROPPED, MADE

ID_MAP_COLUMNS = ("input_id", "output_id", "morphology", "status", "reason")


def write_id_map(
    path: PathLike,
    morphologies: Iterable[str | None] | np.ndarray,
    reasons: Iterable[str | None],
    chosen: np.ndarray | None = None,
) -> None:
    """Write the table (CSV) from the cells of the input to those of the output.

    Columns: input_id, output_id (row in the output nodes, empty when dropped), morphology, status
    ("made" or "dropped"), reason.

    Args:
        path: the file to write (atomically).
        morphologies: as for :func:`region_grower_flow.io.cell_files.write_cells`.
        reasons: N sentences (an iterable), None or "" for a cell that was made.
        chosen: rows of the cells that were asked for, None for all; others are left out.

    Raises:
        OutputFailed: the file cannot be written.
    """
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ID_MAP_COLUMNS)
        writer.writerows(_id_rows(packed_texts(morphologies), reasons, chosen))


def _id_rows(
    names: np.ndarray, reasons: Iterable[str | None], chosen: np.ndarray | None
) -> Iterator[tuple[object, ...]]:
    made, asked = 0, None if chosen is None else set(chosen.tolist())
    for cell, (name, reason) in enumerate(zip(names, reasons, strict=True)):
        if asked is not None and cell not in asked:
            continue
        if name:
            yield cell, made, name.decode(), MADE, None
            made += 1
        else:
            yield cell, None, None, DROPPED, reason
