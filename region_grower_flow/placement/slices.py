"""Some of the cells: of some mtypes, in a box, a hemisphere, between planes, so many of each.

All conditions hold together. Of the cells that are left every k-th is taken first, in their order;
then so many of each mtype (and slice) at random: those with the smallest of the numbers that
belong to the cells, so that a smaller choice is part of a larger one and no mtype's choice depends
on another's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from region_grower_flow.errors import InvalidInput, InvalidInputs, nearest, some
from region_grower_flow.io.cells import Cells
from region_grower_flow.placement.draws import cell_draws
from region_grower_flow.placement.planes import Slice
from region_grower_flow.placement.properties import LEFT, RIGHT

ORIGINAL_ID, SLICE = "original_id", "slice"
HEMISPHERE = "hemisphere"


@dataclass(frozen=True)
class SliceSettings:
    """Settings of a slice: the cells that are taken.

    Attributes:
        mtypes: names, None for all.
        n_cells: of each mtype and slice, 0 for all.
        seed: of the choice among them.
        every: 1 takes all, k every k-th.
        box: (6,) least x, y, z and greatest x, y, z (um), or None.
        hemisphere: "left", "right" or None.
        midplane: where the plane between them is on the third axis (um); None when a property of
            the cells says it.
        slices: list of :class:`~region_grower_flow.placement.planes.Slice`, or None.
    """

    mtypes: tuple[str, ...] | None = None
    n_cells: int = 0
    seed: int = 0
    every: int = 1
    box: tuple[float, ...] | None = None
    hemisphere: str | None = None
    midplane: float | None = None
    slices: list[Slice] | None = None


def original_ids(cells: Cells) -> np.ndarray:
    """(N,) int64: the row of each cell in the file that it was first taken from."""
    if ORIGINAL_ID not in cells.properties:
        return np.arange(len(cells), dtype=np.int64)
    ids = cells.properties[ORIGINAL_ID].to_numpy()
    if ids.dtype.kind not in "iu" or (len(ids) and ids.min() < 0):
        raise InvalidInput(f"the column {ORIGINAL_ID!r} does not hold whole numbers from 0")
    return ids.astype(np.int64)


def slice_cells(cells: Cells, settings: SliceSettings) -> Cells:
    """Take some of the cells.

    Args:
        cells: Cells.
        settings: SliceSettings.

    Returns:
        Cells in their order, with the columns ``original_id`` (the row in the file that was
        given; in a slice of a slice the row in the first file) and, with planes, ``slice``.

    Raises:
        InvalidInputs: unknown mtypes, no hemisphere to go by, or no cell left.
    """
    ids = original_ids(cells)
    keep = np.ones(len(cells), dtype=bool)
    problems = []
    mtypes = cells.properties["mtype"].to_numpy(dtype=object).astype(str)
    if settings.mtypes is not None:
        problems += _unknown_mtypes(settings.mtypes, mtypes)
        keep &= np.isin(mtypes, settings.mtypes)
    if settings.box is not None:
        low, high = np.reshape(settings.box, (2, 3))
        keep &= ((cells.positions >= low) & (cells.positions <= high)).all(axis=1)
    if settings.hemisphere is not None:
        try:
            keep &= _hemispheres(cells, settings.midplane) == settings.hemisphere
        except InvalidInput as error:
            problems.append(error)
    if problems:
        raise InvalidInputs(problems)
    numbers = slice_numbers(cells.positions, settings.slices)
    keep &= numbers >= 0
    rows = np.flatnonzero(keep)[:: settings.every]
    if settings.n_cells:
        draws = cell_draws(ids[rows], settings.seed, "slice")
        rows = rows[_fewest(draws, mtypes[rows], numbers[rows], settings.n_cells)]
    if not len(rows):
        raise InvalidInput(f"none of the {len(cells):,} cells is left", "slice")
    return _rows(cells, rows, ids, numbers if settings.slices is not None else None)


def slice_numbers(positions: np.ndarray, slices: Sequence[Slice] | None) -> np.ndarray:
    """(N,) int64: the first slice that holds each position, -1 for none (0 without slices)."""
    if slices is None:
        return np.zeros(len(positions), dtype=np.int64)
    numbers = np.full(len(positions), -1, dtype=np.int64)
    for number, part in reversed(list(enumerate(slices))):
        numbers[part.holds(positions)] = number
    return numbers


def slice_sentences(before: Cells, after: Cells) -> Iterator[str]:
    """Sentences about the cells that were taken."""
    yield f"{len(after):,} of {len(before):,} cells taken"
    if SLICE in after.properties:
        counts = np.unique(after.properties[SLICE], return_counts=True)[1]
        yield f"{len(counts)} slices with {counts.min():,} to {counts.max():,} cells"
    mtypes = after.properties["mtype"].astype(str)
    for mtype, count in zip(*np.unique(mtypes, return_counts=True), strict=True):
        yield f"{mtype}: {count:,} cells"


def _unknown_mtypes(wanted: Sequence[str], mtypes: np.ndarray) -> list[InvalidInput]:
    known = sorted(set(mtypes.tolist()))
    return [
        InvalidInput(
            f"no cell has the mtype {name!r}",
            "option slice_mtypes",
            nearest(name, known) or f"there are {some(known, 12)}",
        )
        for name in wanted
        if name not in known
    ]


def _hemispheres(cells: Cells, midplane: float | None) -> np.ndarray:
    if midplane is None:
        if HEMISPHERE not in cells.properties:
            raise InvalidInput(
                "the cells have no property 'hemisphere'",
                "option slice_hemisphere",
                "give atlas, whose middle counts then, or slice_midplane",
            )
        return cells.properties[HEMISPHERE].to_numpy(dtype=object)
    return np.where(cells.positions[:, 2] < midplane, LEFT, RIGHT)


def _fewest(draws: np.ndarray, mtypes: np.ndarray, numbers: np.ndarray, count: int) -> np.ndarray:
    """Rows of the ``count`` smallest draws of each mtype and slice, in rising order."""
    order = np.lexsort((draws, mtypes, numbers))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (mtypes[order][1:] != mtypes[order][:-1]) | (
        numbers[order][1:] != numbers[order][:-1]
    )
    starts = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    return np.sort(order[np.arange(len(order)) - starts < count])


def _rows(cells: Cells, rows: np.ndarray, ids: np.ndarray, numbers: np.ndarray | None) -> Cells:
    properties = cells.properties.iloc[rows].reset_index(drop=True)
    properties[ORIGINAL_ID] = ids[rows]
    if numbers is not None:
        properties[SLICE] = numbers[rows]
    orientations = None if cells.orientations is None else cells.orientations[rows]
    return Cells(cells.positions[rows], orientations, properties, cells.population)
