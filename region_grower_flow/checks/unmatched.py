"""Mtypes of the cells that have no reconstructions: one problem, with the lines that help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from region_grower_flow.calibration.relatives import (
    MtypeName,
    as_substitutions,
    nearest_mtypes,
    substitution_lines,
)
from region_grower_flow.errors import InvalidInput, counted, nearest, table

if TYPE_CHECKING:
    from region_grower_flow.calibration.dataset import Dataset

NOTHING = "-"
MOST_ROWS = 40


def unmatched_problem(mtypes: Iterable[object], dataset: Dataset) -> InvalidInput | None:
    """The problem of mtypes without reconstructions, or None.

    Args:
        mtypes: (N,) the mtypes of the cells.
        dataset: the Dataset that is calibrated.
    """
    counts = Counter(map(str, mtypes))
    cells = {mtype: len(found) for mtype, found in dataset.mtypes.items() if found}
    lost = {mtype: n for mtype, n in counts.most_common() if mtype not in dataset.mtypes}
    if not lost:
        return None
    near = nearest_mtypes(lost, cells)
    lines = substitution_lines(as_substitutions(near))
    details = unmatched_table(lost, near, cells)
    if lines:
        details += ["Lines for the file of the option substitutions:", *lines]
    total = sum(lost.values())
    problem = (
        f"{len(lost)} of the {len(counts)} mtypes of the cells are not in it "
        f"({total:,} of {counted(sum(counts.values()), 'cell')})"
    )
    if len(lost) == 1:
        (name,) = lost
        problem = f"the mtype {name!r} of {counted(total, 'cell')} is not in it"
        details = [] if not lines else details
    hint = nearest(next(iter(lost)), dataset.mtypes, 1) if not lines else None
    hint = hint or "add reconstructions, give substitutions, or leave these cells out"
    return InvalidInput(problem, dataset.dat_file, hint, details)


def unmatched_table(
    lost: Mapping[str, int], near: Mapping[str, str | None], cells: Mapping[str, int]
) -> list[str]:
    """Lines: mtype, cells, the nearest with reconstructions, how many, and their layers.

    Args:
        lost: {mtype: cells}.
        near: {mtype: the nearest, or None}.
        cells: {mtype: reconstructions}.
    """
    rows: list[list[object]] = [["mtype", "cells", "nearest", "reconstructions", "layers"]]
    for mtype, count in list(lost.items())[:MOST_ROWS]:
        donor = near[mtype]
        layers = ", ".join(map(str, MtypeName.of(donor).layers)) if donor else NOTHING
        rows.append(
            [mtype, f"{count:,}", donor or NOTHING, cells.get(donor or "", NOTHING), layers]
        )
    more = len(lost) - MOST_ROWS
    return table(rows) + ([f"and {more} more"] if more > 0 else [])
