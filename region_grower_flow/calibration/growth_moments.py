"""Morphometrics of a whole population at once: what a fit of growth compares.

They are those of :mod:`region_grower_flow.validation.morphometrics` (NeuroM's definitions), some
more, and a hundred times faster: the sections of all cells are measured together, since a fit
grows and measures some hundred cells in a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from region_grower_flow.morphology import FlatMorphology

COARSE, FINE = 20.0, 5.0
"""Lengths of path (um) between the points of a section, for its tortuosity at a coarse scale and
for its bending at a fine one."""

MOST_POINTS = 1_000_000
"""Points of cells that are measured together: some 0.5 GB."""

NAMES = (
    "trees",
    "sections",
    "tips",
    "total length",
    "area",
    "mean path distance",
    "maximum path distance",
    "mean radial distance",
    "maximum radial distance",
    "mean branch order",
    "maximum branch order",
    "mean partition asymmetry",
    "mean remote angle",
    "mean tortuosity",
    "mean tortuosity at 20 um",
    "mean bending over 5 um",
    "extent along x",
    "extent along y",
    "extent along z",
    "mean diameter",
    "maximum diameter",
)
"""Columns of :func:`growth_table`. Means are over tips (distances), sections (orders, tortuosity),
bifurcations or, weighted by length, segments (diameter); lengths in um, angles in rad."""

_OF_NONE = ("trees", "sections", "tips", "total length", "area")


def growth_table(morphologies: Sequence[FlatMorphology], kind: int) -> np.ndarray:
    """The features of the trees of one type, a row per cell.

    Args:
        morphologies: [FlatMorphology].
        kind: MorphIO's number of the neurite type.

    Returns:
        (cells, len(NAMES)) float64; NaN where a cell has nothing to measure.
    """
    parts = [_table_of(some, kind) for some in _batches(morphologies)]
    return np.concatenate(parts) if parts else np.empty((0, len(NAMES)))


def _batches(morphologies: Sequence[FlatMorphology]) -> Iterator[list[FlatMorphology]]:
    """Morphologies that are measured together: sixty cells of 20,000 sections took 23 GB."""
    batch: list[FlatMorphology] = []
    points = 0
    for morphology in morphologies:
        if batch and points + len(morphology.points) > MOST_POINTS:
            yield batch
            batch, points = [], 0
        batch.append(morphology)
        points += len(morphology.points)
    if batch:
        yield batch


def _table_of(morphologies: Sequence[FlatMorphology], kind: int) -> np.ndarray:
    table = np.full((len(morphologies), len(NAMES)), np.nan)
    columns = dict(zip(NAMES, table.T, strict=True))
    for name in _OF_NONE:
        columns[name][:] = 0.0
    pool = _Pool.of(morphologies, kind)
    if len(pool.cell):
        _measure_sections(pool, columns)
        _measure_tips(pool, columns)
        _measure_forks(pool, columns)
        _measure_points(pool, columns)
    return table


@dataclass
class _Pool:
    """The sections of one type of many cells: arrays over sections and over points.

    Attributes:
        count: of cells.
        points, diameters: (N, 3) and (N,) of all sections, one after the other.
        steps: (N,) the way from the point before (um), 0 at the first point of a section.
        along: (N,) cumulated path (um); it does not grow from a section to the next.
        first, last: (S,) the places of the first and the last point of each section.
        cell, parent: (S,) its cell, and the section it goes on from (-1: none).
        levels: [places of sections], those of one distance from the root together.
    """

    count: int
    points: np.ndarray
    diameters: np.ndarray
    steps: np.ndarray
    along: np.ndarray
    first: np.ndarray
    last: np.ndarray
    cell: np.ndarray
    parent: np.ndarray
    levels: list[np.ndarray]

    @classmethod
    def of(cls, morphologies: Sequence[FlatMorphology], kind: int) -> _Pool:
        """Gather the sections."""
        points, diameters, sizes, cells, parents = [], [], [], [], []
        before = 0
        for place, morphology in enumerate(morphologies):
            kept = np.asarray(morphology.types) == kind
            lengths = np.diff(morphology.offsets)
            inside = slice(None) if kept.all() else np.repeat(kept, lengths)
            points.append(morphology.points[inside])
            diameters.append(morphology.diameters[inside])
            sizes.append(lengths[kept])
            cells.append(np.full(kept.sum(), place))
            numbers = np.cumsum(kept) - 1 + before
            old = np.asarray(morphology.parents)[kept]
            stays = (old >= 0) & kept[old]
            parents.append(np.where(stays, numbers[old], -1))
            before += int(kept.sum())
        points = np.concatenate(points or [np.empty((0, 3))]).astype(float)
        diameters = np.concatenate(diameters or [np.empty(0)]).astype(float)
        sizes = np.concatenate(sizes or [np.empty(0, int)])
        last = np.cumsum(sizes) - 1
        first = last - sizes + 1
        steps = np.zeros(len(points))
        if len(points):
            steps[1:] = _norms(np.diff(points, axis=0))
            steps[first[sizes > 0]] = 0.0
        cell = np.concatenate(cells or [np.empty(0, int)])
        parent = np.concatenate(parents or [np.empty(0, int)])
        levels = _levels(parent)
        arrays = points, diameters, steps, np.cumsum(steps)
        return cls(len(morphologies), *arrays, first, last, cell, parent, levels)

    @property
    def lengths(self) -> np.ndarray:
        """(S,) the length of each section (um)."""
        return self.along[self.last] - self.along[self.first]

    def per_cell(self, places: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
        """(cells,) the sum of the values of some sections, or their number."""
        return np.bincount(self.cell[places], values, minlength=self.count)

    def mean(self, places: np.ndarray, values: np.ndarray) -> np.ndarray:
        """(cells,) the mean of the finite values of some sections."""
        finite = np.isfinite(values)
        counts = self.per_cell(places[finite])
        sums = self.per_cell(places[finite], values[finite])
        return np.divide(sums, counts, out=np.full(self.count, np.nan), where=counts > 0)

    def sums(self, runs: tuple[np.ndarray, np.ndarray], values: np.ndarray) -> np.ndarray:
        """(cells,) the sum of the values (n,) of each cell, as :func:`_runs` finds them."""
        found = np.zeros(self.count)
        cells, first = runs
        found[cells] = np.add.reduceat(values, first)
        return found

    def greatest(self, runs: tuple[np.ndarray, np.ndarray], values: np.ndarray) -> np.ndarray:
        """(cells, ...) the greatest of the values (n, ...) of each cell; NaN without any."""
        found = np.full((self.count, *values.shape[1:]), np.nan)
        cells, first = runs
        found[cells] = np.maximum.reduceat(values, first, axis=0)
        return found


def _runs(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(cells that have values, place of the first of each), of the cell (n,) of each value.

    The values of a cell lie together, as sections and points do; there is at least one.
    """
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    return cells[first], first


def _norms(vectors: np.ndarray) -> np.ndarray:
    """(n,) the lengths of vectors (n, 3); np.linalg.norm takes twice as long."""
    return np.sqrt(np.einsum("ij,ij->i", vectors, vectors))


def _levels(parent: np.ndarray) -> list[np.ndarray]:
    levels, here = [], np.flatnonzero(parent < 0)
    order = np.argsort(parent, kind="stable")
    ordered = parent[order]
    while len(here):
        levels.append(here)
        low, high = np.searchsorted(ordered, here), np.searchsorted(ordered, here, side="right")
        spans = [order[a:b] for a, b in zip(low, high, strict=True) if b > a]
        here = np.concatenate(spans) if spans else np.empty(0, int)
    return levels


def _measure_sections(pool: _Pool, columns: Mapping[str, np.ndarray]) -> None:
    places = np.arange(len(pool.cell))
    lengths = pool.lengths
    columns["trees"][:] = pool.per_cell(pool.levels[0])
    columns["sections"][:] = pool.per_cell(places)
    columns["total length"][:] = pool.per_cell(places, lengths)
    orders = np.zeros(len(places))
    for depth, level in enumerate(pool.levels):
        orders[level] = depth
    columns["mean branch order"][:] = pool.mean(places, orders)
    columns["maximum branch order"][:] = pool.greatest(_runs(pool.cell), orders)
    chords = _norms(pool.points[pool.last] - pool.points[pool.first])
    with np.errstate(divide="ignore", invalid="ignore"):
        columns["mean tortuosity"][:] = pool.mean(places, lengths / chords)
        way, owner = _points_along(pool, lengths, COARSE)
        coarse = _hops(way, owner, len(places))[0]
        ends = np.cumsum(np.bincount(owner, minlength=len(places))) - 1
        coarse += _norms(pool.points[pool.last] - way[ends])
        long = np.flatnonzero(lengths >= 2 * COARSE)
        columns["mean tortuosity at 20 um"][:] = pool.mean(long, (coarse / chords)[long])
        fine, counts = _hops(*_points_along(pool, lengths, FINE), len(places))
        bent = pool.per_cell(places, counts - fine / FINE)
        columns["mean bending over 5 um"][:] = bent / pool.per_cell(places, counts)


def _points_along(pool: _Pool, lengths: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """((n, 3) a point every ``step`` um along each section, (n,) its section)."""
    counts = np.floor(lengths / step).astype(int) + 1
    owner = np.repeat(np.arange(len(counts)), counts)
    turn = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    wanted = pool.along[pool.first][owner] + turn * step
    # Two sections share one value of ``along`` where they meet: points are found by their place.
    place = np.searchsorted(pool.along, wanted, side="right") - 1
    place = np.clip(place, pool.first[owner], np.maximum(pool.last[owner] - 1, pool.first[owner]))
    after = np.minimum(place + 1, pool.last[owner])
    gap = pool.along[after] - pool.along[place]
    share = np.divide(wanted - pool.along[place], gap, out=np.zeros_like(gap), where=gap > 0)
    share = np.clip(share, 0.0, 1.0)[:, None]
    return pool.points[place] * (1 - share) + pool.points[after] * share, owner


def _hops(way: np.ndarray, owner: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """((count,) the sum of the distances between points of one section, their number)."""
    inner = owner[1:] == owner[:-1]
    hops = _norms(np.diff(way, axis=0))[inner]
    of_section = owner[1:][inner]
    # Without any hop, NumPy counts in whole numbers.
    sums = np.bincount(of_section, hops, count).astype(float)
    return sums, np.bincount(of_section, minlength=count)


def _measure_tips(pool: _Pool, columns: Mapping[str, np.ndarray]) -> None:
    children = np.bincount(pool.parent[pool.parent >= 0], minlength=len(pool.cell))
    tips = np.flatnonzero(children == 0)
    columns["tips"][:] = pool.per_cell(tips)
    paths, roots = pool.lengths.copy(), np.arange(len(pool.cell))
    for level in pool.levels[1:]:
        paths[level] += paths[pool.parent[level]]
        roots[level] = roots[pool.parent[level]]
    radial = np.linalg.norm(
        pool.points[pool.last[tips]] - pool.points[pool.first[roots[tips]]], axis=1
    )
    for name, values in (("path", paths[tips]), ("radial", radial)):
        columns[f"mean {name} distance"][:] = pool.mean(tips, values)
        columns[f"maximum {name} distance"][:] = pool.greatest(_runs(pool.cell[tips]), values)


def _measure_forks(pool: _Pool, columns: Mapping[str, np.ndarray]) -> None:
    children = np.bincount(pool.parent[pool.parent >= 0], minlength=len(pool.cell))
    sizes = np.ones(len(pool.cell))
    for level in reversed(pool.levels[1:]):
        np.add.at(sizes, pool.parent[level], sizes[level])
    forks = np.flatnonzero(children == 2)
    if not len(forks):
        return
    order = np.argsort(pool.parent, kind="stable")
    begin = np.searchsorted(pool.parent[order], forks)
    first, second = order[begin], order[begin + 1]
    u, v = sizes[first], sizes[second]
    asymmetry = np.abs(u - v) / (u + v)
    columns["mean partition asymmetry"][:] = pool.mean(forks, asymmetry)
    start = pool.points[pool.last[forks]]
    a, b = pool.points[pool.last[first]] - start, pool.points[pool.last[second]] - start
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        angles = np.arccos(np.clip(np.sum(a * b, axis=1) / norms, -1.0, 1.0))
    columns["mean remote angle"][:] = pool.mean(forks, angles)


def _measure_points(pool: _Pool, columns: Mapping[str, np.ndarray]) -> None:
    owners = _runs(np.repeat(pool.cell, pool.last - pool.first + 1))
    extents = pool.greatest(owners, pool.points) + pool.greatest(owners, -pool.points)
    for name, values in zip("xyz", extents.T, strict=True):
        columns[f"extent along {name}"][:] = values
    # The segment that ends at each point; none ends at the first one of a section.
    thick, slants = pool.diameters.copy(), np.zeros(len(pool.points))
    thick[1:] += pool.diameters[:-1]
    thick *= 0.5
    slants[1:] = np.diff(pool.diameters) * 0.5
    thick[pool.first] = slants[pool.first] = 0.0
    slants = np.sqrt(slants * slants + pool.steps * pool.steps)
    columns["area"][:] = pool.sums(owners, np.pi * thick * slants)
    whole = pool.sums(owners, pool.steps)
    weighted = pool.sums(owners, thick * pool.steps)
    columns["mean diameter"][:] = np.divide(
        weighted, whole, out=np.full(pool.count, np.nan), where=whole > 0
    )
    columns["maximum diameter"][:] = pool.greatest(owners, thick)


def moments(table: np.ndarray) -> np.ndarray:
    """(F,) the mean of mean and median of each feature: robust, and it moves with few cells."""
    with np.errstate(all="ignore"):
        return 0.5 * (_finite(np.nanmean, table) + _finite(np.nanmedian, table))


def spreads(table: np.ndarray) -> np.ndarray:
    """(F,) the spread of each feature: mean of the robust and the plain standard deviation."""
    with np.errstate(all="ignore"):
        middle = _finite(np.nanmedian, table)
        robust = 1.4826 * _finite(np.nanmedian, np.abs(table - middle))
        plain = _finite(lambda t, axis: np.nanstd(t, axis=axis, ddof=min(1, len(t) - 1)), table)
    found = 0.5 * (robust + plain)
    return np.where(np.isfinite(found) & (found > 1e-9), found, 1.0)


def _finite(function: Callable[..., Any], table: np.ndarray) -> np.ndarray:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns without a number are NaN
        return function(table, axis=0)
