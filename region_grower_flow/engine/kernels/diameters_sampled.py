"""Kernels of diameter_synthesis's sampled models: generic, astrocyte and neurite_based.

Each section's diameters are drawn from five fitted laws (``diameter_laws``). Draws are made in the
order of diameter_synthesis.build_diameters; section diameters are rounded to float32 where it
stores them.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import config
from numba.np.random.generator_core import next_uint32

from region_grower_flow.engine.kernels.diameter_laws import (
    CONSTANT,
    FORM,
    HIGH,
    POWER,
    SIBLING,
    TAPER,
    TERMINAL,
    TRUNK,
    Laws,
    draw,
    law_of,
    scaled,
)
from region_grower_flow.engine.kernels.diameters import segment_lengths
from region_grower_flow.engine.kernels.geometry import tiny_morphology
from region_grower_flow.engine.kernels.jit import entry, inlined, kernel, uncounted

Rule: TypeAlias = tuple[bool, float, float, float, int]
"""(threshold mode, largest reduction, taper increase or 0, max tries, samples)."""

Forest: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""(offsets, starts, children, major, lengths), see :func:`forest_of`."""

MAX_BIFURCATION_TRIES = 1_000_000
"""Draws of a reduction at one bifurcation: diameter_synthesis would go on for ever."""

SURELY = 1.0 + 1e-9
"""Factor that no rounding of a power reaches."""

TRUNK_FRACTION_DECREASE = 0.1
TRIES_BEFORE_DECREASE = 5
"""A trunk whose tips stay too thick gets thinner by a tenth every so many tries."""

MIN_TRUNK, DEFAULT_TRUNK = 0.01, 1.0
"""A trunk drawn thinner than this (um) gets the default diameter (um)."""

UINT32_VALUES = 2**32
"""NumPy's shuffle masks the generator's 32-bit numbers, its other draws scale them."""

DONE, WRONG_TIPS, NOT_TRUNCATED, NOT_REDUCED = range(4)
"""Status of a tree: done, tips too thick, a law or a bifurcation that gives no valid value."""


@inlined
def _reduction(power: float, sibling_ratio: float) -> float:
    """Mirrors diameter_synthesis.morph_functions.diameter_power_relation_factor."""
    if sibling_ratio > 0:
        return np.power((1.0 + np.power(sibling_ratio, -1.5)) / power, 2.0 / 3.0)
    return 1.0


@inlined
def _surely_above_one(power: float, sibling_ratio: float) -> bool:
    """True if the reduction is above 1, seen without its two powers, dear as three draws each."""
    if not (sibling_ratio > 0 and power > 0):
        return False
    return 1.0 + 1.0 / (sibling_ratio * np.sqrt(sibling_ratio)) > power * SURELY


@inlined
def _bifurcation(
    rng: np.random.Generator, laws: Laws, at_major: bool, max_reduction: float
) -> tuple[float, float]:
    """(reduction of the thicker daughter, ratio of the others to it); NaN when there is none.

    ``at_major``: nothing is drawn, the major branch keeps its diameter.
    """
    if at_major:
        return 1.0, 0.0
    for _ in range(MAX_BIFURCATION_TRIES):
        sibling_ratio = draw(rng, laws[SIBLING])
        power = draw(rng, laws[POWER])
        if np.isnan(sibling_ratio) or np.isnan(power):
            return np.nan, np.nan
        if max_reduction == 1.0 and _surely_above_one(power, sibling_ratio):
            continue
        reduction = _reduction(power, sibling_ratio)
        if not reduction > max_reduction:
            return reduction, sibling_ratio
    return np.inf, np.nan


@inlined
def _draw_daughters(
    rng: np.random.Generator,
    diameter: float,
    terminal: float,
    major: int,
    laws: Laws,
    rule: Rule,
    daughters: np.ndarray,
) -> int:
    """Fill the first diameters of the children of a section that ends with ``diameter``.

    ``major``: which child goes on to an apical point, -1 when none does. Returns a status. Mirrors
    diameter_synthesis.build_diameters._sample_daughter_diameters.
    """
    threshold_mode, max_reduction = rule[0], rule[1]
    asymmetric = major >= 0
    reduction, ratio = _bifurcation(rng, laws, asymmetric and threshold_mode, max_reduction)
    if not np.isfinite(reduction):
        return NOT_TRUNCATED if np.isnan(reduction) else NOT_REDUCED
    least = min(diameter, terminal)
    thickest = reduction * diameter
    for c in range(len(daughters)):
        daughters[c] = max(ratio * thickest, least)
    daughters[max(major, 0)] = max(thickest, least)
    if not asymmetric:
        _shuffle(rng, daughters)
    return DONE


def _uint32_plain(rng: np.random.Generator) -> int:
    return rng.integers(0, UINT32_VALUES)


@inlined
def _uint32_compiled(rng: np.random.Generator) -> int:
    return np.int64(next_uint32(rng.bit_generator))


_uint32 = _uint32_plain if config.DISABLE_JIT else _uint32_compiled
"""The generator's next 32 bits; Numba's ``integers`` takes ten times as long for them."""


@inlined
def _shuffle(rng: np.random.Generator, values: np.ndarray) -> None:
    """Mirrors Generator.shuffle: same draws, and several times faster than Numba's."""
    for i in range(len(values) - 1, 0, -1):
        mask = 1
        while mask < i:
            mask = 2 * mask + 1
        j = _uint32(rng) & mask
        while j > i:
            j = _uint32(rng) & mask
        values[i], values[j] = values[j], values[i]


@kernel
def _section_diameter(
    start: float, taper: float, length: float, least: float, most: float
) -> np.float32:
    """The diameter (um, float32) at a path length (um) in a section.

    Mirrors diameter_synthesis.build_diameters._diametrize_section.
    """
    value = start + taper * np.float64(length)
    return np.float32(min(max(value, least), most))


@kernel
def _fill_tree(
    diameters: np.ndarray, tree: tuple[int, int], forest: Forest, courses: np.ndarray, trunk: float
) -> None:
    """Set the diameters of all points of a tree from the courses of its sections.

    ``courses``: (n, 3), first diameter, taper and least diameter of each section.
    """
    offsets, lengths = forest[0], forest[4]
    root, end = tree
    for i in range(root, end):
        start, taper, least = courses[i - root]
        for k in range(offsets[i], offsets[i + 1]):
            diameters[k] = _section_diameter(start, taper, lengths[k], least, trunk)


@kernel
def _draw_tree(
    rng: np.random.Generator,
    tree: tuple[int, int],
    forest: Forest,
    laws: Laws,
    rule: Rule,
    trunk: float,
    work: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> int:
    """One try at a tree: draws the course of each section's diameters; returns a status.

    Mirrors diameter_synthesis.build_diameters._diametrize_tree: sections in order of their
    distance in bifurcations from the root. Points are left for :func:`_fill_tree`, since most
    tries fail: only the last diameter of a section matters here. ``work`` is (courses, queue,
    daughters): what is filled, and space to work in.
    """
    courses, queue, daughters = work
    offsets, starts, children, major_child, lengths = forest
    root, end = tree
    courses[0, 0] = trunk
    queue[0] = root
    count, status = 1, DONE
    for done in range(end - root):
        i = queue[done]
        start = courses[i - root, 0]
        taper = draw(rng, laws[TAPER])
        terminal = draw(rng, laws[TERMINAL])
        if np.isnan(taper) or np.isnan(terminal):
            return NOT_TRUNCATED
        terminal = min(start, terminal)
        courses[i - root, 1], courses[i - root, 2] = taper, terminal
        length = lengths[offsets[i + 1] - 1]
        ending = np.float64(_section_diameter(start, taper, length, terminal, trunk))
        first, last = starts[i], starts[i + 1]
        if last > first:
            new = daughters[: last - first]
            failed = _draw_daughters(rng, ending, terminal, major_child[i], laws, rule, new)
            if failed:
                return failed
            for c in range(first, last):
                queue[count] = children[c]
                courses[children[c] - root, 0] = np.float64(np.float32(daughters[c - first]))
                count += 1
        elif ending > laws[TERMINAL][HIGH]:
            status = WRONG_TIPS
    return status


@kernel
def _diametrize_neurite(
    rng: np.random.Generator,
    diameters: np.ndarray,
    tree: tuple[int, int],
    forest: Forest,
    laws: Laws,
    rule: Rule,
) -> int:
    """Try a tree until its tips are thin enough; returns a status.

    Mirrors the loop of diameter_synthesis.build_diameters._diametrize_neuron.
    """
    taper_increase, max_tries = rule[2], rule[3]
    taper_law = laws[TAPER]
    count = tree[1] - tree[0]
    courses = np.empty((count, 3))
    work = (courses, np.empty(count, np.int64), np.empty(count))
    fraction, step, tries = 1.0, 1, 0
    trunk = np.float64(diameters[forest[0][tree[0]]])
    status = WRONG_TIPS
    while status == WRONG_TIPS and tries <= max_tries + 1:
        if taper_increase > 0:
            taper_law = scaled(taper_law, taper_increase)
        else:
            trunk = fraction * draw(rng, laws[TRUNK])
            if np.isnan(trunk):
                return NOT_TRUNCATED
            if trunk < MIN_TRUNK:
                trunk = DEFAULT_TRUNK
        tried = (laws[TRUNK], laws[TERMINAL], taper_law, laws[SIBLING], laws[POWER])
        status = _draw_tree(rng, tree, forest, tried, rule, trunk, work)
        if tries > TRIES_BEFORE_DECREASE * step:
            fraction -= TRUNK_FRACTION_DECREASE
            step += 1
        tries += 1
    if status == WRONG_TIPS:
        status = DONE
    if status == DONE:
        _fill_tree(diameters, tree, forest, courses, trunk)
    return status


@entry("diameters_sampled")
def diametrize_sampled(
    rng: np.random.Generator,
    diameters: np.ndarray,
    trees: np.ndarray,
    forest: Forest,
    laws: np.ndarray,
    rule: Rule,
) -> int:
    """Diametrize the trees of one type several times, and average; returns a status.

    Averages are of the whole morphology, as in diameter_synthesis.build_diameters.build.

    Args:
        rng: the generator.
        diameters: (N,) float32 of the morphology, changed in place.
        trees: (T, 2) int64, the first and one past the last section of each tree.
        forest: :func:`forest_of` the morphology.
        laws: (5, 7) float64, the laws of this type.
        rule: (threshold mode, largest reduction, taper increase or 0, max tries, samples).
    """
    rng, diameters, trees, forest = uncounted((rng, diameters, trees, forest))
    laws = (law_of(laws, 0), law_of(laws, 1), law_of(laws, 2), law_of(laws, 3), law_of(laws, 4))
    n_samples = rule[4]
    total = np.zeros_like(diameters)
    for sample in range(n_samples):
        for t in range(len(trees)):
            tree = (trees[t, 0], trees[t, 1])
            status = _diametrize_neurite(rng, diameters, tree, forest, laws, rule)
            if status != DONE:
                return status
        for i in range(len(diameters)):
            total[i] = diameters[i] if sample == 0 else total[i] + diameters[i]
    if n_samples > 1:
        for i in range(len(diameters)):
            diameters[i] = total[i] / np.float32(n_samples)
    return DONE


@entry("diameters_sampled")
def forest_of(
    points: np.ndarray, offsets: np.ndarray, parents: np.ndarray, apical_sections: np.ndarray
) -> Forest:
    """The sections of a morphology as :func:`diametrize_sampled` takes them.

    Returns:
        (offsets, starts, children, major, lengths): the children of section ``i`` are
        ``children[starts[i]:starts[i + 1]]``; see :func:`_major_children` and
        :func:`_path_lengths`.
    """
    count = len(parents)
    starts = np.zeros(count + 1, np.int64)
    for i in range(count):
        if parents[i] >= 0:
            starts[parents[i] + 1] += 1
    for i in range(count):
        starts[i + 1] += starts[i]
    filled = starts.copy()
    children = np.empty(starts[count], np.int64)
    for i in range(count):
        if parents[i] >= 0:
            children[filled[parents[i]]] = i
            filled[parents[i]] += 1
    major = _major_children(parents, starts, children, apical_sections)
    return offsets.copy(), starts, children, major, _path_lengths(points, offsets)


@kernel
def _path_lengths(points: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N,) float32, the path length (um) of each point from the first of its section.

    Mirrors diameter_synthesis.morph_functions.lengths_from_origin.
    """
    lengths = np.zeros(len(points), np.float32)
    for i in range(len(offsets) - 1):
        steps = segment_lengths(points, offsets[i], offsets[i + 1])
        for k in range(len(steps)):
            lengths[offsets[i] + k + 1] = lengths[offsets[i] + k] + steps[k]
    return lengths


@kernel
def _major_children(
    parents: np.ndarray, starts: np.ndarray, children: np.ndarray, apical_sections: np.ndarray
) -> np.ndarray:
    """(M,) int64, which child of each section leads to an apical section; -1 when none does."""
    on_major = np.zeros(len(parents), np.bool_)
    for apical in apical_sections:
        section = apical
        while section >= 0:
            on_major[section] = True
            section = parents[section]
    major = np.empty(len(parents), np.int64)
    for i in range(len(parents)):
        major[i] = -1
        for c in range(starts[i + 1] - 1, starts[i] - 1, -1):
            if on_major[children[c]]:
                major[i] = c - starts[i]
    return major


def warm_up() -> None:
    """Call every kernel that Python calls, with the types that it passes."""
    points, diameters, offsets, _, parents = tiny_morphology()
    forest = forest_of(points, offsets, parents, np.array([1]))
    laws = np.ones((5, 7))
    laws[:, FORM] = CONSTANT
    rng, trees = np.random.default_rng(0), np.array([[0, len(parents)]])
    diametrize_sampled(rng, diameters, trees, forest, laws, (True, 3.0, 0.0, 1.0, 2))
