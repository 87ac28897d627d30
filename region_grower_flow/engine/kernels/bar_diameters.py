"""Diameters that bars bring along from the branches that they come from: the lever ``diameters``.

A section of a grown tree lies on one bar, at path distances at which the branch of the
reconstruction has diameters. It takes those of the one section there that holds its middle, so that
the steps at bifurcations stay between sections, wherever these begin and end now.
"""

from __future__ import annotations

import numpy as np

from region_grower_flow.engine.kernels.assembly import reading_order
from region_grower_flow.engine.kernels.jit import entry, kernel, uncounted
from region_grower_flow.engine.kernels.state import NO_SECTION, Forest


@entry("levers")
def diametrize_by_bars(
    forest: Forest,
    first_bars: np.ndarray,
    profiles: tuple[np.ndarray, np.ndarray, np.ndarray],
    rules: np.ndarray,
    morphology: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Set the diameters of the sections whose types have the lever.

    A section that branches off another bar than in the reconstruction, or that goes on where
    another one branches off now, begins no thicker than its parent ends.

    Args:
        forest: Forest that has grown with owners.
        first_bars: (D + 1,) int64, where the bars of each barcode begin.
        profiles: (points, first_points, joined): (P, 2) float64, path distances (um) and diameters
            (um) along bars; (B + 1,) int64, where those of each bar of all barcodes begin; (D,)
            int64, 1 where the sections of a barcode's tree begin with their parent's diameter.
        rules: (K, 2) float64: factor of the diameters of each neurite type (0: leave them), and the
            thinnest diameter (um).
        morphology: (points, offsets, parents, diameters) of the grown cell; the last is changed.
    """
    forest, morphology, profiles = uncounted((forest, morphology, profiles))
    table, first_points, joined = profiles
    points, offsets, parents, diameters = morphology
    n_sections = parents.shape[0]
    place = reading_order(forest.sections[:n_sections])
    at = np.empty(n_sections, np.int64)
    for s in range(n_sections):
        at[place[s]] = s
    ends = np.zeros(n_sections)
    for here in range(n_sections):
        section = forest.sections[at[here]]
        tree = forest.trees[section.tree]
        first, last = offsets[here], offsets[here + 1]
        parent = parents[here]
        start = 0.0 if parent == NO_SECTION else ends[parent]
        ends[here] = start + path_length(points, first, last)
        factor, thinnest = rules[tree.rules, 0], rules[tree.rules, 1]
        if factor <= 0.0:
            continue
        bar = first_bars[tree.barcode] + section.term_id - tree.first_bar
        low, high = part_around(
            table, first_points[bar], first_points[bar + 1], 0.5 * (start + ends[here]) / tree.ratio
        )
        most = np.inf
        if parent != NO_SECTION and not is_kept(section, forest, tree):
            most = diameters[offsets[parent + 1] - 1]
        window = diameters[first:last]
        fill_diameters(window, points[first:last], start, tree.ratio, table[low : high + 1])
        factor = factor if window[0] * factor <= most else most / window[0]
        for i in range(window.shape[0]):
            window[i] = max(window[i] * factor, thinnest)
        if parent != NO_SECTION and joined[tree.barcode] == 1:
            window[0] = diameters[offsets[parent + 1] - 1]


@kernel
def path_length(points: np.ndarray, first: int, last: int) -> float:
    """The length (um) of the polyline ``points[first:last]``."""
    length = 0.0
    for i in range(first + 1, last):
        length += distance(points, i)
    return length


@kernel
def distance(points: np.ndarray, i: int) -> float:
    """The distance (um) of a point from the one before."""
    x = float(points[i, 0]) - float(points[i - 1, 0])
    y = float(points[i, 1]) - float(points[i - 1, 1])
    z = float(points[i, 2]) - float(points[i - 1, 2])
    return np.sqrt(x * x + y * y + z * z)


@kernel
def part_around(table: np.ndarray, first: int, last: int, middle: float) -> tuple[int, int]:
    """The first and last point of the part of a profile, between two steps, that holds a place."""
    low = first
    for i in range(first + 1, last):
        if table[i, 0] == table[i - 1, 0]:
            if table[i, 0] > middle:
                return low, i - 1
            low = i
    return low, last - 1


@kernel
def is_kept(section: np.record, forest: Forest, tree: np.record) -> bool:
    """True if the bifurcation at which a section begins is one of the reconstruction.

    It is when the bar that begins there branches off the bar that it did there.
    """
    return forest.bars[section.born].kept == 1


@kernel
def fill_diameters(
    diameters: np.ndarray, points: np.ndarray, start: float, ratio: float, part: np.ndarray
) -> None:
    """The diameters of a part of a profile at the path distances of a section's points.

    Args:
        diameters: (n,) of the section, to be set.
        points: (n, 3) of the section.
        start: path distance (um) of its first point.
        ratio: factor by which the tree's bars were scaled.
        part: (k, 2) path distances (not scaled) and diameters, without steps.
    """
    along, j, last = start, 0, part.shape[0] - 1
    for i in range(points.shape[0]):
        if i > 0:
            along += distance(points, i)
        x = along / ratio
        while j < last - 1 and part[j + 1, 0] < x:
            j += 1
        if x <= part[0, 0] or last == 0:
            diameters[i] = part[0, 1]
        elif x >= part[last, 0]:
            diameters[i] = part[last, 1]
        else:
            share = (x - part[j, 0]) / (part[j + 1, 0] - part[j, 0])
            diameters[i] = part[j, 1] + share * (part[j + 1, 1] - part[j, 1])
