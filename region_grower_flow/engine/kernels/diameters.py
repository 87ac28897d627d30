"""Kernels of NeuroTS's diameter methods M2 to M5 and of diameter_synthesis's ``simpler``.

Diameters and points are float32 as in MorphIO; the mirrored code computes most values in float64
and rounds when it stores them in a section, and so do these kernels. A tree is the sections from
``root`` to ``ends[root]``.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from region_grower_flow.engine.kernels.geometry import tiny_children, tiny_morphology
from region_grower_flow.engine.kernels.jit import entry, kernel

Sections: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""(offsets, parents, starts, children) of a morphology: the children of section ``i`` are
``children[starts[i]:starts[i + 1]]``."""

Taper: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float, float]
"""(trunk, trunk_taper, taper, term, Rall_ratio, siblings_ratio) of M4 and M5."""

MIN_DIAMETER = 0.07
"""NeuroTS's lower bound (um) where a model has none of its own."""

PAIRWISE_BLOCK = 128
"""NumPy adds up to so many numbers in one go, more by halves."""


@kernel
def pairwise_sum(values: np.ndarray) -> np.float32:
    """float32 sum of a float32 array, rounded as NumPy's own (it adds by halves)."""
    count = len(values)
    if count < 8:
        total = np.float32(0.0)
        for i in range(count):
            total += values[i]
        return total
    if count > PAIRWISE_BLOCK:
        half = count // 2
        half -= half % 8
        return pairwise_sum(values[:half]) + pairwise_sum(values[half:])
    part = values[:8].copy()
    whole = count - count % 8
    for i in range(8, whole):
        part[i % 8] += values[i]
    total = ((part[0] + part[1]) + (part[2] + part[3])) + (
        (part[4] + part[5]) + (part[6] + part[7])
    )
    for i in range(whole, count):
        total += values[i]
    return total


@kernel
def segment_lengths(points: np.ndarray, first: int, last: int) -> np.ndarray:
    """(n - 1,) float32, the lengths of the segments of ``points[first:last]`` (um)."""
    lengths = np.empty(max(last - first - 1, 0), np.float32)
    for i in range(first + 1, last):
        x, y, z = (
            points[i, 0] - points[i - 1, 0],
            points[i, 1] - points[i - 1, 1],
            points[i, 2] - points[i - 1, 2],
        )
        lengths[i - first - 1] = np.sqrt(x * x + y * y + z * z)
    return lengths


@entry("diameters")
def constant_per_section(
    diameters: np.ndarray, offsets: np.ndarray, types: np.ndarray, kind: int
) -> None:
    """M2 (mirrors neurots.generate.diametrizer.diametrize_constant_per_section)."""
    for i in range(len(types)):
        if types[i] == kind:
            first, last = offsets[i], offsets[i + 1]
            mean = pairwise_sum(diameters[first:last]) / np.float32(last - first)
            diameters[first:last] = np.float32(mean)


@entry("diameters")
def smooth_sections(
    diameters: np.ndarray,
    points: np.ndarray,
    offsets: np.ndarray,
    types: np.ndarray,
    parents: np.ndarray,
    kind: int,
) -> None:
    """M3 (mirrors neurots.generate.diametrizer.diametrize_smoothing)."""
    for i in range(len(types)):
        if types[i] != kind:
            continue
        first, last = offsets[i], offsets[i + 1]
        lengths = segment_lengths(points, first, last)
        section = diameters[first:last]
        taper = _mean_taper(section, lengths)
        start, bounds = np.float64(section[0]), (MIN_DIAMETER, np.float64(section.max()))
        _taper_from_root(section, lengths, parents[i] < 0, start, taper, bounds)


@kernel
def _mean_taper(section: np.ndarray, lengths: np.ndarray) -> float:
    """The mean excess (um) of a section's diameters over that of its thinnest point."""
    area = np.float64(0.0)
    for i in range(len(lengths)):
        area += np.float64(section[i] + section[i + 1]) / 2.0 * np.float64(lengths[i])
    total = pairwise_sum(lengths)
    thinnest = section.min() * total
    return (area - np.float64(thinnest)) / np.float64(total)


@kernel
def _taper_from_root(
    section: np.ndarray,
    lengths: np.ndarray,
    is_root: bool,
    start: float,
    taper: float,
    bounds: tuple[float, float],
) -> None:
    """Fill a section's diameters from its first one on, thinner by ``taper`` (um) in all.

    The diameters of a section that has a parent lag by a point: its first point repeats the
    parent's last. Mirrors neurots.generate.diametrizer.taper_section_diam_from_root.
    """
    least, most = bounds
    total = np.float64(0.0)
    for i in range(len(lengths)):
        total += np.float64(lengths[i])
    rate = taper / total
    diameter = start
    section[0] = np.float32(diameter)
    for i in range(1, len(section)):
        step = i if is_root else i - 1
        length = np.float64(lengths[step - 1]) if step > 0 else 0.0
        diameter = _clip(diameter - rate * length, least, most)
        section[i] = np.float32(diameter)


@kernel
def _clip(value: float, least: float, most: float) -> float:
    if value >= most:
        return most
    if value <= least:
        return least
    return value


@kernel
def _taper_from_tips(
    section: np.ndarray, lengths: np.ndarray, taper: float, least: float, most: float
) -> None:
    """Fill a section's diameters from its last one back, thicker by ``taper`` (um) in all.

    Mirrors neurots.generate.diametrizer.taper_section_diam_from_tips.
    """
    rate = taper / np.float64(pairwise_sum(lengths))
    diameter = np.float64(section[-1])
    for i in range(len(section) - 2, -1, -1):
        diameter = _clip(diameter + rate * np.float64(lengths[i]), least, most)
        section[i] = np.float32(diameter)


@kernel
def _choice(rng: np.random.Generator, data: np.ndarray) -> float:
    """One of the data (mirrors Generator.choice)."""
    return data[rng.integers(0, len(data))]


@kernel
def _continue_parents(
    diameters: np.ndarray, offsets: np.ndarray, parents: np.ndarray, root: int, end: int
) -> None:
    """Give the first point of each section the diameter of the parent's last."""
    for i in range(root + 1, end):
        diameters[offsets[i]] = diameters[offsets[parents[i] + 1] - 1]


@entry("diameters")
def diametrize_from_root(
    rng: np.random.Generator,
    diameters: np.ndarray,
    points: np.ndarray,
    tree: tuple[int, int],
    forest: Sections,
    model: Taper,
) -> None:
    """M4 on one tree (mirrors neurots.generate.diametrizer.diametrize_from_root).

    Args:
        rng: the generator.
        diameters, points: of the morphology.
        tree: (root, end), its sections.
        forest: (offsets, parents, starts, children) of the morphology.
        model: (trunk, trunk_taper, taper, term, Rall_ratio, siblings_ratio); arrays, then floats.
    """
    offsets, parents, starts, children = forest
    root, end = tree
    trunk, trunk_taper, taper_data, term, rall_ratio, siblings_ratio = model
    trunk_diameter = _choice(rng, trunk)
    bounds = (term.min(), trunk_diameter)
    queue = np.empty(end - root, np.int64)
    queue[0] = root
    count = 1
    for done in range(end - root):
        if done >= count:
            break
        i = queue[done]
        first, last = offsets[i], offsets[i + 1]
        is_root = parents[i] < 0
        taper = _choice(rng, trunk_taper if is_root else taper_data)
        start = trunk_diameter if is_root else np.float64(diameters[first])
        lengths = segment_lengths(points, first, last)
        _taper_from_root(diameters[first:last], lengths, is_root, start, taper, bounds)
        n_children = starts[i + 1] - starts[i]
        if n_children > 1:
            siblings = np.power(siblings_ratio, rall_ratio)
            reduction = np.power(1.0 + (n_children - 1) * siblings, 1.0 / rall_ratio)
            thickest = np.float64(diameters[last - 1]) / reduction
            for c in range(n_children):
                child = children[starts[i] + c]
                value = thickest if c == 0 else thickest * siblings_ratio
                diameters[offsets[child]] = np.float32(value)
                queue[count] = child
                count += 1
    _continue_parents(diameters, offsets, parents, root, end)


@entry("diameters")
def diametrize_from_tips(
    rng: np.random.Generator,
    diameters: np.ndarray,
    points: np.ndarray,
    tree: tuple[int, int],
    forest: Sections,
    model: Taper,
) -> None:
    """M5 on one tree (mirrors neurots.generate.diametrizer.diametrize_from_tips).

    Arguments as of :func:`diametrize_from_root`; the ratio of siblings is not used.
    """
    offsets, parents, starts, children = forest
    root, end = tree
    trunk, trunk_taper, taper_data, term, rall_ratio, _ = model
    trunk_diameter = _choice(rng, trunk)
    least = term.min()
    queue = np.empty(end - root, np.int64)
    count = 0
    for i in range(root, end):
        if starts[i + 1] == starts[i]:
            diameters[offsets[i + 1] - 1] = np.float32(_choice(rng, term))
            queue[count] = i
            count += 1
    finished = np.zeros(end - root, np.int64)
    for done in range(end - root):
        i = queue[done]
        first, last = offsets[i], offsets[i + 1]
        parent = parents[i]
        taper = _choice(rng, trunk_taper if parent < 0 else taper_data)
        lengths = segment_lengths(points, first, last)
        _taper_from_tips(diameters[first:last], lengths, taper, least, trunk_diameter)
        if parent < 0:
            continue
        finished[parent - root] += 1
        if finished[parent - root] == starts[parent + 1] - starts[parent]:
            siblings = children[starts[parent] : starts[parent + 1]]
            merged = _merged(diameters, offsets, siblings, trunk_diameter, rall_ratio)
            diameters[offsets[parent + 1] - 1] = np.float32(merged)
            queue[count] = parent
            count += 1
    _continue_parents(diameters, offsets, parents, root, end)


@kernel
def _merged(
    diameters: np.ndarray,
    offsets: np.ndarray,
    siblings: np.ndarray,
    trunk_diameter: float,
    rall_ratio: float,
) -> float:
    """The parent's diameter at a bifurcation (mirrors neurots.generate.diametrizer.merger)."""
    total, thickest = np.float64(0.0), np.float64(0.0)
    for child in siblings:
        # The first point repeats the parent's.
        diameter = np.float64(diameters[offsets[child] + 1])
        total += np.power(diameter, rall_ratio)
        thickest = max(thickest, diameter)
    merged = np.power(total, 1.0 / rall_ratio)
    return merged if merged <= trunk_diameter else thickest


@entry("diameters")
def diametrize_simpler(
    diameters: np.ndarray,
    points: np.ndarray,
    tree: tuple[int, int],
    forest: Sections,
    coefficients: np.ndarray,
) -> None:
    """``simpler`` on one tree: a polynomial of the relative path length to the furthest tip.

    Mirrors diameter_synthesis.simpler_diametrizer.simpler_diametrizer.
    """
    offsets, parents, starts, children = forest
    root, end = tree
    count = end - root
    lengths, paths = np.empty(count, np.float32), np.empty(count)
    for i in range(root, end):
        lengths[i - root] = pairwise_sum(segment_lengths(points, offsets[i], offsets[i + 1]))
        path, section = np.float64(0.0), i
        while section >= 0:
            path += np.float64(lengths[section - root])
            section = parents[section]
        paths[i - root] = path
    tips = paths.copy()
    for i in range(count - 1, 0, -1):
        parent = parents[root + i] - root
        tips[parent] = max(tips[parent], tips[i])
    values = np.empty(count, np.float32)
    for i in range(count):
        reach = tips[i] - paths[i] + np.float64(lengths[i])
        values[i] = np.float32(_polynomial(coefficients, reach / tips[0]))
    for i in range(root, end):
        start = values[i - root]
        stop = _polynomial(coefficients, 0.0)
        if starts[i + 1] > starts[i]:
            thickest = values[children[starts[i]] - root]
            for c in range(starts[i] + 1, starts[i + 1]):
                thickest = max(thickest, values[children[c] - root])
            stop = 0.5 * np.float64(start + thickest)
        _fill_linear(diameters[offsets[i] : offsets[i + 1]], np.float64(start), stop)


@kernel
def _polynomial(coefficients: np.ndarray, x: float) -> float:
    """Horner's scheme, as numpy.polynomial."""
    value = coefficients[-1] + x * 0
    for i in range(2, len(coefficients) + 1):
        value = coefficients[-i] + value * x
    return value


@kernel
def _fill_linear(section: np.ndarray, start: float, stop: float) -> None:
    """Diameters in equal steps per point (mirrors numpy.linspace)."""
    count = len(section)
    step = 1.0 / max(count - 1, 1)
    for i in range(count):
        part = 1.0 if i == count - 1 and count > 1 else i * step
        section[i] = np.float32((stop - start) * part + start)


def warm_up() -> None:
    """Call every kernel that Python calls, with the types that it passes."""
    rng = np.random.default_rng(0)
    points, diameters, offsets, types, parents = tiny_morphology()
    constant_per_section(diameters, offsets, types, 3)
    smooth_sections(diameters, points, offsets, types, parents, 3)
    forest = (offsets, parents, *tiny_children())
    tree = (np.int64(0), np.int64(len(parents)))
    model = (*np.full((4, 1), 0.5), 1.5, 1.0)
    diametrize_from_root(rng, diameters, points, tree, forest, model)
    diametrize_from_tips(rng, diameters, points, tree, forest, model)
    diametrize_simpler(diameters, points, tree, forest, np.ones(2))
