"""Kernels on the trees of a flat morphology: order of sections, scaling, extents.

Sections are in MorphIO's reading order, so a section and its descendants are neighbors:
``ends[i]`` is one past the last descendant of section ``i``. Points are float32 as in MorphIO;
where the mirrored code computes in float64 and stores float32, so do these kernels.
"""

import numpy as np

from region_grower_flow.engine.kernels.jit import entry, kernel

MIN_SECTION_SCALE = 0.01
"""Lower bound of a section's scaling factor (neuroc's)."""


@kernel
def subtree_ends(parents: np.ndarray) -> np.ndarray:
    """(M,) int64, one past the last descendant of each section."""
    count = len(parents)
    ends = np.arange(1, count + 1)
    for i in range(count - 1, -1, -1):
        parent = parents[i]
        if parent >= 0 and ends[i] > ends[parent]:
            ends[parent] = ends[i]
    return ends


@kernel
def root_sections(parents: np.ndarray) -> np.ndarray:
    """The sections without parent, int64."""
    count = 0
    for i in range(len(parents)):
        count += parents[i] < 0
    roots = np.empty(count, np.int64)
    count = 0
    for i in range(len(parents)):
        if parents[i] < 0:
            roots[count] = i
            count += 1
    return roots


@kernel
def children_first(ends: np.ndarray) -> np.ndarray:
    """(M,) int64, the sections in post-order: the children of a section, then the section."""
    count = len(ends)
    order = np.empty(count, np.int64)
    stack = np.empty(count, np.int64)
    depth, done = 0, 0
    for i in range(count):
        while depth > 0 and ends[stack[depth - 1]] <= i:
            depth -= 1
            order[done] = stack[depth]
            done += 1
        stack[depth] = i
        depth += 1
    while depth > 0:
        depth -= 1
        order[done] = stack[depth]
        done += 1
    return order


@kernel
def shift_points(points: np.ndarray, first: int, last: int, shift: np.ndarray) -> None:
    """Move ``points[first:last]`` by ``shift`` (mirrors morph_tool.transform.translate)."""
    for i in range(first, last):
        for k in range(3):
            points[i, k] = np.float32(np.float64(points[i, k]) + shift[k])


@kernel
def scale_section(
    points: np.ndarray, first: int, last: int, factor: float, shift: np.ndarray
) -> None:
    """Scale ``points[first:last]`` from its first point; ``shift`` gets what its end moves by.

    Mirrors neuroc.scale.scale_section of one section: segments are float32 differences, summed
    and scaled in float64.
    """
    for k in range(3):
        start = np.float64(points[first, k])
        before, total = points[first, k], np.float64(0.0)
        end, new = start, start
        for i in range(first, last):
            here = points[i, k]
            total += np.float64(here - before)
            before, end = here, np.float64(here)
            new = start + total * factor
            points[i, k] = np.float32(new)
        shift[k] = new - end


@kernel
def scale_trees(
    points: np.ndarray,
    offsets: np.ndarray,
    ends: np.ndarray,
    first: int,
    last: int,
    factors: np.ndarray,
) -> None:
    """Scale the sections ``first`` to ``last`` by their factors, descendants first.

    Mirrors neuroc.scale.scale_section(recursive=True): a scaled section moves its descendants,
    which have been scaled already, with its end.
    """
    shift = np.empty(3)
    for i in range(last - 1, first - 1, -1):
        factor = max(factors[i], MIN_SECTION_SCALE)
        scale_section(points, offsets[i], offsets[i + 1], factor, shift)
        shift_points(points, offsets[i + 1], offsets[ends[i]], shift)


@entry("core")
def place_cell(
    points: np.ndarray,
    soma_points: np.ndarray,
    offsets: np.ndarray,
    parents: np.ndarray,
    shift: np.ndarray,
    direction: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Move a cell and its soma by ``shift``; its trees, and how far they reach along ``direction``.

    Mirrors morph_tool.transform.translate, and the extent in region_grower.modify.output_scaling.

    Returns:
        ends (M,): see :func:`subtree_ends`; roots (R,), the root sections; extents (R,), how far
        (um) each tree reaches from its first point.
    """
    shift_points(points, 0, len(points), shift)
    shift_points(soma_points, 0, len(soma_points), shift)
    ends, roots = subtree_ends(parents), root_sections(parents)
    extents = np.empty(len(roots))
    for r in range(len(roots)):
        first, last = offsets[roots[r]], offsets[ends[roots[r]]]
        top = start = _along(points[first], direction)
        for i in range(first + 1, last):
            top = max(top, _along(points[i], direction))
        extents[r] = top - start
    return ends, roots, extents


@entry("core")
def scale_all_trees(
    points: np.ndarray,
    offsets: np.ndarray,
    ends: np.ndarray,
    roots: np.ndarray,
    factors: np.ndarray,
) -> None:
    """Scale each tree by its own factor; a tree whose factor is NaN stays as it is."""
    section_factors = np.empty(len(ends))
    for r in range(len(roots)):
        if np.isnan(factors[r]):
            continue
        first, last = roots[r], ends[roots[r]]
        section_factors[first:last] = factors[r]
        scale_trees(points, offsets, ends, first, last, section_factors)


@entry("core")
def set_by_type(
    diameters: np.ndarray, offsets: np.ndarray, types: np.ndarray, wanted: np.ndarray
) -> None:
    """Give the points of each section the diameter of its type: ``wanted[type]``, NaN for none.

    Types beyond the end of ``wanted`` keep their diameters.
    """
    for i in range(len(types)):
        value = wanted[types[i]] if 0 <= types[i] < len(wanted) else np.float32(np.nan)
        if not np.isnan(value):
            for k in range(offsets[i], offsets[i + 1]):
                diameters[k] = value


@kernel
def order_by_root_type(types: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sections with their trees in the order of their roots' types (stable).

    Returns:
        (old, new): the section that comes to each place, and the place of each section.
    """
    count = len(types)
    new, old = np.empty(count, np.int64), np.empty(count, np.int64)
    roots = root_sections(parents)
    for r in range(1, len(roots)):  # few trees, mostly in order: a stable insertion sort
        root, place = roots[r], r
        while place > 0 and types[roots[place - 1]] > types[root]:
            roots[place] = roots[place - 1]
            place -= 1
        roots[place] = root
    done = 0
    for root in roots:
        i = root
        while i == root or (i < count and parents[i] >= 0):
            old[done], new[i] = i, done
            done += 1
            i += 1
    return old, new


@entry("core")
def fill_h5_tables(
    points: np.ndarray,
    diameters: np.ndarray,
    offsets: np.ndarray,
    types: np.ndarray,
    parents: np.ndarray,
    first: int,
    table: np.ndarray,
    structure: np.ndarray,
) -> bool:
    """Fill the tables of MorphIO's HDF5 layout, trees in the order of their roots' types.

    Args:
        points, diameters, offsets, types, parents: of the morphology.
        first: rows of the table of points that the soma takes, which are filled.
        table: (first + N, 4) float32, x, y, z and diameter (um) of each point.
        structure: (M + 1, 3) int32, the first point, type and parent of each section; row 0 is
            the soma's, which is filled.

    Returns:
        True if MorphIO surely reads it: two points a section, all numbers finite.
    """
    old, new = order_by_root_type(types, parents)
    filled, sound = first, True
    for s in range(len(types)):
        before = old[s]
        structure[s + 1, 0] = filled
        structure[s + 1, 1] = types[before]
        structure[s + 1, 2] = 0 if parents[before] < 0 else new[parents[before]] + 1
        sound = sound and offsets[before + 1] - offsets[before] > 1
        for i in range(offsets[before], offsets[before + 1]):
            total = np.float32(0.0)
            for k in range(3):
                table[filled, k] = points[i, k]
                total += points[i, k] * np.float32(0.0)
            table[filled, 3] = diameters[i]
            total += diameters[i] * np.float32(0.0)
            sound = sound and total == 0.0  # NaN from any number that is not finite
            filled += 1
    return sound


@kernel
def _along(point: np.ndarray, direction: np.ndarray) -> float:
    return (
        np.float64(point[0]) * direction[0]
        + np.float64(point[1]) * direction[1]
        + np.float64(point[2]) * direction[2]
    )


def tiny_morphology() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(points, diameters, offsets, types, parents) of a fork, for warming up."""
    points = np.array(
        [[0, 0, 0], [0, 5, 0], [0, 5, 0], [2, 9, 1], [3, 9, 4], [0, 5, 0], [-2, 9, 1], [-4, 9, 0]],
        dtype=np.float32,
    )
    return (
        points,
        np.ones(len(points), dtype=np.float32),
        np.array([0, 2, 5, 8]),
        np.full(3, 3, dtype=np.int32),
        np.array([-1, 0, 0]),
    )


def tiny_children() -> tuple[np.ndarray, np.ndarray]:
    """The child lists of ``tiny_morphology``: where each begins, and the children."""
    return np.array([0, 2, 2, 2]), np.array([1, 2])


def warm_up() -> None:
    """Call every kernel that Python calls, with the types that it passes."""
    points, diameters, offsets, types, parents = tiny_morphology()
    ends, roots, _ = place_cell(points, points[:1], offsets, parents, np.ones(3), np.ones(3))
    set_by_type(diameters, offsets, types, np.ones(5, np.float32))
    table, structure = np.empty((len(points), 4), np.float32), np.empty((4, 3), np.int32)
    fill_h5_tables(points, diameters, offsets, types, parents, 0, table, structure)
    scale_all_trees(points, offsets, ends, roots, np.ones(1))
