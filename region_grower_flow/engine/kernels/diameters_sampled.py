"""Kernels of diameter_synthesis's sampled models: generic, astrocyte and neurite_based.

Each section's diameters are drawn from five fitted laws. Draws are made in the order of
diameter_synthesis.build_diameters; section diameters are rounded to float32 where it stores them.
"""

import numpy as np

from region_grower_flow.engine.kernels.diameters import segment_lengths
from region_grower_flow.engine.kernels.jit import entry, kernel

TRUNK, TERMINAL, TAPER, SIBLING, POWER = range(5)
"""Rows of the laws: trunk and terminal diameter (um), taper, sibling ratio, power relation."""

FORM, SHAPE, LOC, SCALE, LOW, HIGH, VALUE = range(7)
"""Columns of the laws: the form, its parameters, the bounds, the value of a constant."""

CONSTANT, EXPON_REV, EXPONNORM, GAMMA = range(4)
"""Forms of a law (diameter_synthesis's names)."""

MAX_TRUNCATE_TRIES = 100
"""A law is drawn from again so many times when a value is out of bounds."""

MAX_BIFURCATION_TRIES = 1_000_000
"""Draws of a reduction at one bifurcation: diameter_synthesis would go on for ever."""

TRUNK_FRACTION_DECREASE = 0.1
TRIES_BEFORE_DECREASE = 5
"""A trunk whose tips stay too thick gets thinner by a tenth every so many tries."""

MIN_TRUNK, DEFAULT_TRUNK = 0.01, 1.0
"""A trunk drawn thinner than this (um) gets the default diameter (um)."""

DONE, WRONG_TIPS, NOT_TRUNCATED, NOT_REDUCED = range(4)
"""Status of a tree: done, tips too thick, a law or a bifurcation that gives no valid value."""


@kernel
def draw(rng, law):
    """A value of a law within its bounds, NaN when there is none.

    Mirrors diameter_synthesis.distribution_fitting.sample_distribution.
    """
    if law[FORM] == CONSTANT:
        return law[VALUE]
    value = _draw_once(rng, law)
    if law[LOW] == law[HIGH]:
        return law[LOW]
    tries = 0
    while value > law[HIGH] or value < law[LOW]:
        value = _draw_once(rng, law)
        tries += 1
        if tries >= MAX_TRUNCATE_TRIES:
            return np.nan
    return value


@kernel
def _draw_once(rng, law):
    if law[FORM] == EXPON_REV:
        return -(law[LOC] + law[SCALE] * rng.standard_exponential())
    if law[FORM] == EXPONNORM:
        tail = rng.standard_exponential() * law[SHAPE]
        return law[LOC] + law[SCALE] * (tail + rng.standard_normal())
    return law[LOC] + law[SCALE] * rng.standard_gamma(law[SHAPE])


@kernel
def _reduction(power, sibling_ratio):
    """Mirrors diameter_synthesis.morph_functions.diameter_power_relation_factor."""
    if sibling_ratio > 0:
        return np.power((1.0 + np.power(sibling_ratio, -1.5)) / power, 2.0 / 3.0)
    return 1.0


@kernel
def _bifurcation(rng, laws, at_major, max_reduction):
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
        reduction = _reduction(power, sibling_ratio)
        if not reduction > max_reduction:
            return reduction, sibling_ratio
    return np.inf, np.nan


@kernel
def _daughters(rng, diameter, terminal, n_children, major, laws, rule):
    """The first diameters of the children of a section that ends with ``diameter``.

    ``major``: which child goes on to an apical point, -1 when none does. Mirrors
    diameter_synthesis.build_diameters._sample_daughter_diameters. NaN or inf in the first:
    nothing valid could be drawn.
    """
    threshold_mode, max_reduction = rule[0], rule[1]
    asymmetric = major >= 0
    reduction, ratio = _bifurcation(rng, laws, asymmetric and threshold_mode, max_reduction)
    least = min(diameter, terminal)
    daughters = np.empty(n_children)
    if not np.isfinite(reduction):
        daughters[0] = reduction
        return daughters
    thickest = reduction * diameter
    daughters[:] = max(ratio * thickest, least)
    daughters[max(major, 0)] = max(thickest, least)
    if not asymmetric:
        rng.shuffle(daughters)
    return daughters


@kernel
def _fill_section(section, lengths, start, taper, least, most):
    """Mirrors diameter_synthesis.build_diameters._diametrize_section."""
    for i in range(len(section)):
        value = start + taper * np.float64(lengths[i])
        section[i] = np.float32(min(max(value, least), most))


@kernel
def _diametrize_tree(rng, diameters, lengths, tree, forest, major_child, laws, rule, trunk):
    """One try at a tree; returns a status.

    Mirrors diameter_synthesis.build_diameters._diametrize_tree: sections in order of their
    distance in bifurcations from the root.
    """
    offsets, starts, children = forest
    root, end = tree
    queue = np.empty(end - root, np.int64)
    queue[0] = root
    count, status = 1, DONE
    for done in range(end - root):
        i = queue[done]
        first, last = offsets[i], offsets[i + 1]
        start = trunk if i == root else np.float64(diameters[first])
        taper = draw(rng, laws[TAPER])
        terminal = draw(rng, laws[TERMINAL])
        if np.isnan(taper) or np.isnan(terminal):
            return NOT_TRUNCATED
        terminal = min(start, terminal)
        _fill_section(diameters[first:last], lengths[first:last], start, taper, terminal, trunk)
        ending = np.float64(diameters[last - 1])
        n_children = starts[i + 1] - starts[i]
        if n_children > 0:
            daughters = _daughters(rng, ending, terminal, n_children, major_child[i], laws, rule)
            if not np.isfinite(daughters[0]):
                return NOT_TRUNCATED if np.isnan(daughters[0]) else NOT_REDUCED
            for c in range(n_children):
                child = children[starts[i] + c]
                diameters[offsets[child]] = np.float32(daughters[c])
                queue[count] = child
                count += 1
        elif ending > laws[TERMINAL, HIGH]:
            status = WRONG_TIPS
    return status


@kernel
def _diametrize_neurite(rng, diameters, lengths, tree, forest, major_child, laws, rule):
    """Try a tree until its tips are thin enough; returns a status.

    Mirrors the loop of diameter_synthesis.build_diameters._diametrize_neuron.
    """
    taper_increase, max_tries = rule[2], rule[3]
    laws = laws.copy()
    fraction, step, tries = 1.0, 1, 0
    while True:
        if taper_increase > 0:
            laws[TAPER, SCALE] *= taper_increase
            trunk = np.float64(diameters[forest[0][tree[0]]])
        else:
            trunk = fraction * draw(rng, laws[TRUNK])
            if np.isnan(trunk):
                return NOT_TRUNCATED
            if trunk < MIN_TRUNK:
                trunk = DEFAULT_TRUNK
        status = _diametrize_tree(
            rng, diameters, lengths, tree, forest, major_child, laws, rule, trunk
        )
        if status != WRONG_TIPS:
            return status
        if tries > TRIES_BEFORE_DECREASE * step:
            fraction -= TRUNK_FRACTION_DECREASE
            step += 1
        if tries > max_tries:
            return DONE
        tries += 1


@entry
def diametrize_sampled(rng, diameters, lengths, trees, forest, major_child, laws, rule, n_samples):
    """Diametrize the trees of one type, ``n_samples`` times, and average; returns a status.

    Averages are of the whole morphology, as in diameter_synthesis.build_diameters.build.

    Args:
        rng: the generator.
        diameters: (N,) float32 of the morphology, changed in place.
        lengths: (N,) float32, the path length (um) of each point in its section.
        trees: (T, 2) int64, the first and one past the last section of each tree.
        forest: (offsets, starts, children) of the morphology.
        major_child: (M,) int64, see :func:`major_children`.
        laws: (5, 7) float64, the laws of this type.
        rule: (threshold mode, largest reduction, taper increase or 0, max tries).
        n_samples: at least 1.
    """
    total = np.zeros_like(diameters)
    for sample in range(n_samples):
        for t in range(len(trees)):
            tree = (trees[t, 0], trees[t, 1])
            status = _diametrize_neurite(
                rng, diameters, lengths, tree, forest, major_child, laws, rule
            )
            if status != DONE:
                return status
        for i in range(len(diameters)):
            total[i] = diameters[i] if sample == 0 else total[i] + diameters[i]
    if n_samples > 1:
        for i in range(len(diameters)):
            diameters[i] = total[i] / np.float32(n_samples)
    return DONE


@entry
def path_lengths(points, offsets):
    """(N,) float32, the path length (um) of each point from the first of its section.

    Mirrors diameter_synthesis.morph_functions.lengths_from_origin.
    """
    lengths = np.zeros(len(points), np.float32)
    for i in range(len(offsets) - 1):
        steps = segment_lengths(points, offsets[i], offsets[i + 1])
        for k in range(len(steps)):
            lengths[offsets[i] + k + 1] = lengths[offsets[i] + k] + steps[k]
    return lengths


@entry
def major_children(parents, starts, children, apical_sections):
    """(M,) int64, which child of each section leads to an apical section; -1 when none does."""
    on_major = np.zeros(len(parents), np.bool_)
    for apical in apical_sections:
        section = apical
        while section >= 0:
            on_major[section] = True
            section = parents[section]
    major = np.full(len(parents), -1)
    for i in range(len(parents)):
        for c in range(starts[i + 1] - 1, starts[i] - 1, -1):
            if on_major[children[c]]:
                major[i] = c - starts[i]
    return major
