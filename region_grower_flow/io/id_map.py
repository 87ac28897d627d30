"""The table from the cells of the input to those of the output."""

import csv
import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from region_grower_flow.io.atomic import PathLike, atomic_write
from region_grower_flow.io.cell_files import packed_texts
from region_grower_flow.layout import DROPPED, MADE

ID_MAP_COLUMNS = ("input_id", "output_id", "morphology", "status", "reason")

_BATCH = 20_000
"""Rows that are Python objects at a time."""

_MADE_ROW = f"%d,%d,%s,{MADE},\n"
_QUOTED = '",\r\n'


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
        made = 0
        for cells, names, why in _batches(packed_texts(morphologies), reasons, chosen):
            if all(names) and not any(mark in "".join(names) for mark in _QUOTED):
                rows = zip(cells, itertools.count(made), names)
                file.write("".join(map(_MADE_ROW.__mod__, rows)))
            else:
                writer.writerows(_id_rows(cells, made, names, why))
            made += sum(map(bool, names))


def _batches(
    names: np.ndarray, reasons: Iterable[str | None], chosen: np.ndarray | None
) -> Iterator[tuple[list[int], list[str], list[str | None]]]:
    """(cells, names, reasons) of the cells that were asked for, in batches."""
    asked = np.full(len(names), chosen is None)
    if chosen is not None:
        asked[chosen] = True
    later = iter(reasons)
    for start in range(0, len(names), _BATCH):
        own = list(itertools.islice(later, _BATCH))
        places = np.flatnonzero(asked[start : start + _BATCH])
        cells = places + start
        texts = [name.decode() for name in names[cells].tolist()]
        yield cells.tolist(), texts, [own[place] for place in places.tolist()]


def _id_rows(
    cells: list[int], made: int, names: list[str], reasons: list[str | None]
) -> Iterator[tuple[object, ...]]:
    """Rows of the table; ``made`` counts the cells that were made before."""
    for cell, name, reason in zip(cells, names, reasons, strict=True):
        if name:
            yield cell, made, name, MADE, None
            made += 1
        else:
            yield cell, None, None, DROPPED, reason
