"""A round of one tree (mirrors neurots.generate.tree.TreeGrower.next_point)."""

from __future__ import annotations

import numpy as np

from region_grower_flow.engine.kernels.acceptance import (
    SpaceConstraints,
    grow_in_space,
    is_free,
    slot_of,
)
from region_grower_flow.engine.kernels.children import bifurcate
from region_grower_flow.engine.kernels.criteria import is_stale, refresh_criterion
from region_grower_flow.engine.kernels.jit import inlined, kernel
from region_grower_flow.engine.kernels.section import grow_section, write_point
from region_grower_flow.engine.kernels.state import (
    BIFURCATE,
    CONTINUE,
    DONE,
    NO_BAR,
    TRUNK,
    Forest,
)

MOST_STEPS = 8
"""Steps that the sections of a tree with owners make at most while others bifurcate, in one round.

NeuroTS lets all sections of a tree make a step at each bifurcation, without a look at their ends.
Where hundreds bifurcate in a round, each outgrows its bar by as many steps, and more are ready in
the next round: trees of 5,000 sections had four times the length of the reconstructions. Trees of
300 sections have three bifurcations in a round.
"""


@kernel
def next_point(
    tree: np.record, forest: Forest, space: SpaceConstraints | None, rng: np.random.Generator
) -> int:
    """Let each active section of the tree make a step, bifurcate or end.

    Args:
        tree: TREE record.
        forest: Forest.
        space: acceptance.SpaceConstraints, or None without constraints (compiled apart).
        rng: the cell's generator.

    Returns:
        A status; the state of the tree is spoilt unless it is DONE.
    """
    sections, bars, order, log = forest.sections, forest.bars, forest.order, forest.log
    steps, progress, rules = forest.steps, forest.progress[0], forest.rules[tree.rules]
    first, tree.n_bifurcated = tree.first_active, 0
    for i in range(first, first + order_by_bif(tree, forest)):
        index = order[i]
        section = sections[index]
        # Records and numbers only are passed on at every step: see jit.inlined.
        own_term = shorten(section, rules)
        if rules.method != TRUNK and is_stale(section, bars):
            status = refresh_criterion(section, tree, bars)
            if status != DONE:
                return status
        point = log[progress.n_points]
        progress.n_points += 1
        point.section = index
        if space is None or is_free(space, slot_of(tree.rules, section.major)):
            state = grow_section(section, rules, steps, point, rng)
        else:
            status, state = grow_in_space(section, tree.rules, forest, space, rng)
            write_point(section, point)
            if status != DONE:
                return status
        if is_shortened(section, rules):
            section.term = own_term
        if state != CONTINUE:
            status = end_section(index, state, tree, forest, space, rng)
            if status != DONE:
                return status
    return DONE


@kernel
def end_section(
    index: int,
    state: int,
    tree: np.record,
    forest: Forest,
    space: SpaceConstraints | None,
    rng: np.random.Generator,
) -> int:
    """Append a section to the morphology, and let it bifurcate or end."""
    progress, section = forest.progress[0], forest.sections[index]
    section.rank = progress.n_appended
    progress.n_appended += 1
    if state == BIFURCATE:
        bifurcated = tree.n_bifurcated + 1
        tree.n_bifurcated = bifurcated
        if bifurcated <= MOST_STEPS or forest.rules[tree.rules].owned == 0:
            status = grow_others(index, tree, forest, space, rng)
            if status != DONE:
                return status
        deactivate(index, tree, forest)
        return bifurcate(index, tree, forest, space, rng)
    if section.term_id != NO_BAR:
        forest.bars[section.term_id].has_term = 0
    deactivate(index, tree, forest)
    return DONE


@inlined
def shorten(section: np.record, rules: np.record) -> float:
    """Let ``major_termination_length`` stand in for a major section's termination.

    Mirrors TreeGrower.next_point, which puts the own one, returned here, back after the step.
    """
    own_term = section.term
    if is_shortened(section, rules):
        section.term = rules.major_termination_length
    return own_term


@inlined
def is_shortened(section: np.record, rules: np.record) -> bool:
    """True if ``major_termination_length`` rules the section."""
    return rules.has_major_termination == 1 and section.major == 1


@kernel
def order_by_bif(tree: np.record, forest: Forest) -> int:
    """Put the active sections into ``forest.order``, by next bifurcation; returns their number.

    Mirrors TreeGrower.order_per_bif, a stable sort of the active sections; trunks keep their order.
    What the last round has left is nearly in order, the sections that are new come after it: an
    insertion sort moves little, where thousands of sections would be sorted anew in each round.
    """
    order, sections, first = forest.order, forest.sections, tree.first_active
    by_bif = forest.rules[tree.rules].method != TRUNK
    count = 0
    for i in range(tree.n_ordered):
        index = order[first + i]
        if sections[index].rank < 0:
            order[first + count] = index
            count += 1
    for i in range(count, tree.n_active):
        order[first + i] = forest.active[first + i]
    for i in range(first + 1, first + tree.n_active):
        index, j = order[i], i
        bif = sections[index].bif
        while by_bif and j > first:
            other = order[j - 1]
            # Of equal bifurcations, that of the section that was created first.
            if not (sections[other].bif > bif or (sections[other].bif == bif and other > index)):
                break
            order[j] = other
            j -= 1
        order[j] = index
    tree.n_ordered = tree.n_active
    return tree.n_active


@kernel
def grow_others(
    index: int,
    tree: np.record,
    forest: Forest,
    space: SpaceConstraints | None,
    rng: np.random.Generator,
) -> int:
    """Let the tree's other sections make a step while one bifurcates, whatever state it gives."""
    progress, rules = forest.progress[0], forest.rules[tree.rules]
    for i in range(tree.n_active):
        other = forest.active[tree.first_active + i]
        if other == index:
            continue
        section, point = forest.sections[other], forest.log[progress.n_points]
        progress.n_points += 1
        point.section = other
        if space is None or is_free(space, slot_of(tree.rules, section.major)):
            grow_section(section, rules, forest.steps, point, rng)
        else:
            status, _ = grow_in_space(section, tree.rules, forest, space, rng)
            write_point(section, point)
            if status != DONE:
                return status
    return DONE


@kernel
def deactivate(index: int, tree: np.record, forest: Forest) -> None:
    """Take a section out of the tree's active ones, which keep their order."""
    first, last = tree.first_active, tree.first_active + tree.n_active
    i = first
    while forest.active[i] != index:
        i += 1
    while i + 1 < last:
        forest.active[i] = forest.active[i + 1]
        i += 1
    tree.n_active -= 1
