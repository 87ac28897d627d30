"""Trees of single reconstructions for growth levers, as bars that know their origin.

A bar of a tree is a branch: from a bifurcation (or the soma) along the sections with the furthest
tips to its own tip. Besides the path distances of its ends it carries the angles of the bifurcation
where it begins, the bar that it leaves there, its direction, and its diameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow.calibration.frames import longest_axis
from region_grower_flow.calibration.mending import open_as_used, soma_center, soma_radius
from region_grower_flow.morphology import APICAL_DENDRITE, NEURITE_TYPES, FlatMorphology

DECIMALS = 4
"""Decimals of lengths (um), angles (radians) and directions in the file."""

WINDOW = 20.0
"""Length of path (um) over which the bending of sections is measured."""
PRIOR_WINDOWS = 4.0
"""Windows' worth of belief that a section bends like its branch, that one like its cell, and a cell
like its type."""
BENDS = 0.3, 3.0
"""Least and greatest factor by which a section may bend less or more than those of its type."""

DIAMETER_TOLERANCE = 0.03
"""Points whose diameters differ less (relatively) from the line between others are left out."""


@dataclass(frozen=True)
class MeasuredCell:
    """A reconstruction and its soma.

    Attributes:
        name: its name.
        morphology: the FlatMorphology.
        center: (3,) the soma's center (um).
        radius: the soma's radius (um).
    """

    name: str
    morphology: FlatMorphology
    center: np.ndarray
    radius: float


def read_cells(paths: Iterable[str]) -> list[MeasuredCell]:
    """The MeasuredCells of some files, their somas as NeuroM sees them.

    Args:
        paths: the files, h5, swc or asc.

    Returns:
        List of MeasuredCell.
    """
    cells = []
    for path in paths:
        used = open_as_used(path)
        morphology = FlatMorphology.from_morphio(used)
        cells.append(
            MeasuredCell(Path(path).stem, morphology, soma_center(used), soma_radius(used))
        )
    return cells


def turned_down(cell: MeasuredCell) -> MeasuredCell:
    """A cell of an inverted mtype: where its longest apical dendrite points up, all is turned.

    Growth with measured trunks points as the cells do that it learns from, and an inverted mtype
    may borrow the reconstructions of an upright one. The cell is turned by half about z, the depth
    of its slice.

    Args:
        cell: MeasuredCell.
    """
    morphology = cell.morphology
    axis = longest_axis(_trees_of(morphology, APICAL_DENDRITE), cell.center)
    if axis is None or axis[1] <= 0.0:
        return cell
    points = morphology.points.copy()
    points[:, :2] *= -1.0
    center = cell.center * (-1.0, -1.0, 1.0)
    return replace(cell, morphology=replace(morphology, points=points), center=center)


def _trees_of(morphology: FlatMorphology, section_type: int) -> list[list[np.ndarray]]:
    """Lists of the (n, 3) points of the sections of each tree of a type."""
    trees: dict[int, list[np.ndarray]] = {}
    for i, parent in enumerate(morphology.parents):
        if morphology.types[i] == section_type:
            tree = trees.get(parent, [])
            tree.append(morphology.points[morphology.offsets[i] : morphology.offsets[i + 1]])
            trees[i] = tree
    return [tree for i, tree in trees.items() if morphology.parents[i] < 0]


def measure(cells: Sequence[MeasuredCell], thresholds: Mapping[str, int]) -> dict[str, Any]:
    """Content of ``distributions["measured"]`` of an mtype.

    Args:
        cells: MeasuredCells.
        thresholds: {neurite type: only trees with more terminations than this}; other types are
            left out.

    Returns:
        JSON-able: ``cells`` (name and soma radius), and for each type a list of trees (see
        :func:`measure_trees`), each with the place of its ``cell``.
    """
    found = {"cells": [{"name": c.name, "soma_radius": _round(c.radius)} for c in cells]}
    for kind, threshold in thresholds.items():
        found[kind] = [
            {"cell": i, **tree}
            for i, cell in enumerate(cells)
            for tree in measure_trees(cell.morphology, NEURITE_TYPES[kind], cell.center)
            if len(tree["bars"]) > threshold
        ]
        set_bends(found[kind])
    return found


def set_bends(trees: Sequence[dict[str, Any]]) -> None:
    """Replace what trees know about the bending of their sections by factors, in place.

    Sections are short and few windows fit into one: each leans on its bar, a bar on its cell, a
    cell on its type. Cells differ: they were stained, cut and traced one by one.

    Args:
        trees: of one type, as :func:`measure_trees` returns them.
    """
    total, count = np.sum([each for tree in trees for pair in tree["bends"] for each in pair], 0)
    if not total > 0.0:
        for tree in trees:
            tree["bends"] = [[1.0, 1.0] for _ in tree["bends"]]
        return
    usual = total / count
    of_cells: dict[Any, np.ndarray] = {}
    for tree in trees:
        sums = of_cells.setdefault(tree.get("cell"), np.zeros(2))
        sums += np.sum([each for pair in tree["bends"] for each in pair], 0)
    for tree in trees:
        bent, windows = of_cells[tree.get("cell")]
        of_cell = (bent + PRIOR_WINDOWS * usual) / (windows + PRIOR_WINDOWS)
        tree["bends"] = _bend_factors(tree, usual, of_cell)


def _bend_factors(tree: Mapping[str, Any], usual: float, of_cell: float) -> list[list[float]]:
    own, ahead = np.array(tree["bends"], dtype=float).transpose(1, 0, 2)
    owners = np.array([row[5] for row in tree["bars"]])
    of_bars = own.copy()
    np.add.at(of_bars, owners[1:], ahead[1:])
    bars = (of_bars[:, 0] + PRIOR_WINDOWS * of_cell) / (of_bars[:, 1] + PRIOR_WINDOWS)
    found = []
    for (bent, windows), mean in ((own.T, bars), (ahead.T, bars[owners])):
        bending = (bent + PRIOR_WINDOWS * mean) / (windows + PRIOR_WINDOWS)
        found.append(np.clip(np.sqrt(bending / usual), *BENDS))
    return [[_round(one), _round(other)] for one, other in zip(*found, strict=True)]


def measure_trees(
    morphology: FlatMorphology, section_type: int, center: np.ndarray
) -> list[dict[str, Any]]:
    """The trees of one type of a cell.

    Args:
        morphology: FlatMorphology.
        section_type: MorphIO's number of the type.
        center: (3,) the soma's center (um).

    Returns:
        A dict per tree, bars in order of start: ``direction``, unit vector from the center to the
        tree; ``bars``, [end, start, three angles, place of the bar that it leaves], path distances
        from the tree's first point (um), angles (radians) from the parent to the child that goes
        on, to the child that begins, and between the two; ``headings``, unit vectors from the
        bars' starts to their ends; ``ways``, for each bar the unit vector of its first section
        and of the section that goes on along the bar that it leaves (that of the first bar stands
        for nothing); ``bends``, the same for [bending summed over windows, windows], see
        :func:`set_bends`; ``diameters``, for each bar points [path distance, diameter];
        ``joined``: most sections begin with their parent's last diameter (a convention of files).
    """
    sections = _Sections(morphology)
    roots = np.flatnonzero((morphology.parents < 0) & (morphology.types == section_type))
    return [_tree(sections, int(root), np.asarray(center, dtype=float)) for root in roots]


class _Sections:
    """The sections of a morphology: children, chords, path distances."""

    def __init__(self, morphology: FlatMorphology) -> None:
        self.points = morphology.points.astype(float)
        self.diameters = morphology.diameters.astype(float)
        self.offsets, self.parents = morphology.offsets, morphology.parents
        self.begin, self.end = self.offsets[:-1], self.offsets[1:] - 1
        self.children: list[list[int]] = [[] for _ in self.parents]
        steps = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        self.distances = np.concatenate([[0.0], np.cumsum(steps)])
        # The jump from the end of a section to the next one is no length.
        self.start = np.zeros(len(self.parents))
        self.reach = np.zeros(len(self.parents))
        self.depth = np.zeros(len(self.parents), dtype=int)
        for i, parent in enumerate(self.parents):
            if parent >= 0:
                self.children[parent].append(i)
                self.start[i] = self.reach[parent]
                self.depth[i] = self.depth[parent] + 1
            length = self.distances[self.end[i]] - self.distances[self.begin[i]]
            self.reach[i] = self.start[i] + length
        self.chords = self.points[self.end] - self.points[self.begin]

    def is_joined(self, index: int) -> bool:
        """True if a section begins with its parent's last diameter, and has others."""
        parent, first = self.parents[index], self.begin[index]
        longer = self.end[index] > first
        return bool(longer and self.diameters[first] == self.diameters[self.end[parent]])

    def way(self, index: int) -> list[float]:
        """The unit vector from a section's first point to its last."""
        return _unit(self.chords[index], self.chords[index])

    def bending(self, index: int) -> list[float]:
        """[sum of 1 - chord / path over windows of a section, number of windows]."""
        window = slice(self.begin[index], self.end[index] + 1)
        along = self.distances[window] - self.distances[window.start]
        places = np.arange(0.0, along[-1] + 1e-9, WINDOW)
        way = np.stack([np.interp(places, along, p) for p in self.points[window].T], axis=1)
        hops = np.linalg.norm(np.diff(way, axis=0), axis=1)
        return [float(np.sum(np.maximum(1.0 - hops / WINDOW, 0.0))), len(hops)]

    def profile(self, index: int) -> list[list[float]]:
        """[path distance, diameter] along a section, thinned out."""
        window = slice(self.begin[index], self.end[index] + 1)
        along = self.distances[window] - self.distances[window.start] + self.start[index]
        diameters = self.diameters[window].copy()
        if self.parents[index] >= 0 and self.is_joined(index):
            # The point is that of the parent; the section's own diameters begin with the next one.
            diameters[0] = diameters[1]
        kept = _corners(along, np.log(np.maximum(diameters, 1e-3)))
        return [[_round(along[k]), _round(diameters[k])] for k in kept]


def _tree(sections: _Sections, root: int, center: np.ndarray) -> dict[str, Any]:
    """The bars of a tree and what is measured along them, as the distributions have it."""
    bars, tips, path = _bars_of(sections, root)
    place = {tips[root][1]: 0} | {tips[kid][1]: n + 1 for n, (_, kid, _) in enumerate(bars)}
    rows = [[_round(tips[root][0]), 0.0, 0.0, 0.0, 0.0, -1]]
    for i, kid, ahead in bars:
        angles = _angles(sections.chords[i], sections.chords[ahead], sections.chords[kid])
        ends = [_round(tips[kid][0]), _round(sections.reach[i])]
        rows.append([*ends, *angles, place[tips[ahead][1]]])
    first = sections.points[sections.begin[root]]
    starts = [root, *(kid for _, kid, _ in bars)]
    goes_on = [root, *(ahead for *_, ahead in bars)]
    below = [i for i in path if i != root]
    return {
        "direction": _unit(first - center, sections.chords[root]),
        "bars": rows,
        "headings": [
            _unit(
                sections.points[sections.end[tips[i][1]]] - sections.points[sections.begin[i]],
                sections.chords[i],
            )
            for i in starts
        ],
        "ways": [sections.way(i) + sections.way(j) for i, j in zip(starts, goes_on, strict=True)],
        "bends": [
            [sections.bending(i), sections.bending(j)] for i, j in zip(starts, goes_on, strict=True)
        ],
        "diameters": [_profile(sections, i, path) for i in starts],
        "joined": 2 * sum(map(sections.is_joined, below)) > len(below),
    }


def _bars_of(
    sections: _Sections, root: int
) -> tuple[list[tuple[int, int, int]], dict[int, tuple[float, int]], dict[int, int | None]]:
    """The bifurcations of a tree from the soma on, each the start of a bar.

    Returns:
        [(section that branches, child that begins the bar, child that goes on)], {section:
        (reach of the tip of its bar, section of that tip)}, {section: the child that goes on its
        bar, None at a tip}.
    """
    tips: dict[int, tuple[float, int]] = {}
    path: dict[int, int | None] = {}
    bars = []
    for i in reversed(_depth_first(sections, root)):
        kids = sorted(sections.children[i], key=lambda kid: -tips[kid][0])
        if not kids:
            tips[i] = (sections.reach[i], i)
        for kid in kids[1:]:
            bars.append((i, kid, kids[0]))
        if kids:
            tips[i] = tips[kids[0]]
        path[i] = kids[0] if kids else None
    bars.sort(key=lambda bar: (sections.reach[bar[0]], sections.depth[bar[0]]))
    return bars, tips, path


def _depth_first(sections: _Sections, root: int) -> list[int]:
    order, pending = [], [root]
    while pending:
        i = pending.pop()
        order.append(i)
        pending.extend(sections.children[i])
    return order


def _profile(sections: _Sections, index: int, path: Mapping[int, int | None]) -> list[list[float]]:
    found = []
    place: int | None = index
    while place is not None:
        found += sections.profile(place)
        place = path[place]
    return found


def _angles(parent: np.ndarray, ahead: np.ndarray, kid: np.ndarray) -> list[float]:
    return [_round(_angle(parent, ahead)), _round(_angle(parent, kid)), _round(_angle(ahead, kid))]


def _angle(one: np.ndarray, other: np.ndarray) -> float:
    """The angle (radians) of two vectors, 0 where one of them has no length."""
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    if lengths == 0.0:
        return 0.0
    return float(np.arccos(np.clip(one.dot(other) / lengths, -1.0, 1.0)))


def _unit(vector: np.ndarray, otherwise: np.ndarray) -> list[float]:
    for each in (vector, otherwise):
        length = np.linalg.norm(each)
        if length > 0.0:
            return [_round(x) for x in each / length]
    return [0.0, 1.0, 0.0]


def _corners(along: np.ndarray, values: np.ndarray) -> list[int]:
    """Indices of the points that a polyline needs to stay within the tolerance of all."""
    kept, pending = [0, len(along) - 1], [(0, len(along) - 1)]
    while pending:
        low, high = pending.pop()
        if high - low < 2 or along[high] <= along[low]:
            continue
        share = (along[low + 1 : high] - along[low]) / (along[high] - along[low])
        line = values[low] + share * (values[high] - values[low])
        error = np.abs(values[low + 1 : high] - line)
        worst = int(np.argmax(error))
        if error[worst] > DIAMETER_TOLERANCE:
            middle = low + 1 + worst
            kept.append(middle)
            pending += [(low, middle), (middle, high)]
    return sorted(set(kept))


def _round(value: float) -> float:
    return round(float(value), DECIMALS)
