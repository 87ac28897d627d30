"""A round of one tree (mirrors neurots.generate.tree.TreeGrower.next_point)."""

from region_grower_flow.engine.kernels.children import bifurcate
from region_grower_flow.engine.kernels.criteria import is_stale, refresh_criterion
from region_grower_flow.engine.kernels.jit import inlined, kernel
from region_grower_flow.engine.kernels.section import grow_section
from region_grower_flow.engine.kernels.state import (
    BIFURCATE,
    CONTINUE,
    DONE,
    NO_BAR,
    TRUNK,
)


@kernel
def next_point(tree, forest, rng):
    """Let each active section of the tree make a step, bifurcate or end.

    Returns:
        A status; the state of the tree is spoilt unless it is DONE.
    """
    sections, bars, order, log = forest.sections, forest.bars, forest.order, forest.log
    steps, progress, rules = forest.steps, forest.progress[0], forest.rules[tree.rules]
    for i in range(order_by_bif(tree, forest)):
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
        state = grow_section(section, rules, steps, point, rng)
        point.section = index
        section.term = own_term
        if state != CONTINUE:
            status = end_section(index, state, tree, forest, rng)
            if status != DONE:
                return status
    return DONE


@kernel
def end_section(index, state, tree, forest, rng):
    """Append a section to the morphology, and let it bifurcate or end."""
    progress, section = forest.progress[0], forest.sections[index]
    section.rank = progress.n_appended
    progress.n_appended += 1
    if state == BIFURCATE:
        grow_others(index, tree, forest, rng)
        deactivate(index, tree, forest)
        return bifurcate(index, tree, forest, rng)
    if section.term_id != NO_BAR:
        forest.bars[section.term_id].has_term = 0
    deactivate(index, tree, forest)
    return DONE


@inlined
def shorten(section, rules):
    """Let ``major_termination_length`` stand in for a major section's termination.

    Mirrors TreeGrower.next_point, which puts the own one, returned here, back after the step.
    """
    own_term = section.term
    if rules.has_major_termination == 1 and section.major == 1:
        section.term = rules.major_termination_length
    return own_term


@kernel
def order_by_bif(tree, forest):
    """Put the active sections into ``forest.order``, by next bifurcation; returns their number.

    Mirrors TreeGrower.order_per_bif; trunks keep their order. Few sections, nearly in order: a
    stable insertion sort.
    """
    by_bif = forest.rules[tree.rules].method != TRUNK
    for i in range(tree.n_active):
        index = forest.active[tree.first_active + i]
        bif = forest.sections[index].bif
        j = i
        while by_bif and j > 0 and forest.sections[forest.order[j - 1]].bif > bif:
            forest.order[j] = forest.order[j - 1]
            j -= 1
        forest.order[j] = index
    return tree.n_active


@kernel
def grow_others(index, tree, forest, rng):
    """Let the tree's other sections make a step while one bifurcates, whatever state it gives."""
    progress, rules = forest.progress[0], forest.rules[tree.rules]
    for i in range(tree.n_active):
        other = forest.active[tree.first_active + i]
        if other != index:
            point = forest.log[progress.n_points]
            progress.n_points += 1
            grow_section(forest.sections[other], rules, forest.steps, point, rng)
            point.section = other


@kernel
def deactivate(index, tree, forest):
    """Take a section out of the tree's active ones, which keep their order."""
    first, last = tree.first_active, tree.first_active + tree.n_active
    i = first
    while forest.active[i] != index:
        i += 1
    while i + 1 < last:
        forest.active[i] = forest.active[i + 1]
        i += 1
    tree.n_active -= 1
