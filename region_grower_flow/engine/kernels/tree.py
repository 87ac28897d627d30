"""A round of one tree (mirrors neurots.generate.tree.TreeGrower.next_point)."""

from region_grower_flow.engine.kernels.children import bifurcate
from region_grower_flow.engine.kernels.criteria import refresh_criterion
from region_grower_flow.engine.kernels.jit import kernel
from region_grower_flow.engine.kernels.section import grow_section
from region_grower_flow.engine.kernels.state import (
    BIFURCATE,
    CONTINUE,
    DONE,
    NO_BAR,
    TRUNK,
)


@kernel
def next_point(tree, forest, log, progress, rng):
    """Let each active section of the tree make a step, bifurcate or end.

    Returns:
        A status; the state of the tree is spoilt unless it is DONE.
    """
    n_sections = order_by_bif(tree, forest)
    for i in range(n_sections):
        index = forest.order[i]
        status, state = extend(index, tree, forest, log, progress, rng)
        if status != DONE:
            return status
        if state == CONTINUE:
            continue
        section = forest.sections[index]
        section.rank = progress.n_appended
        progress.n_appended += 1
        if state == BIFURCATE:
            grow_others(index, tree, forest, log, progress, rng)
            deactivate(index, tree, forest)
            status = bifurcate(index, tree, forest, log, progress, rng)
            if status != DONE:
                return status
        else:
            terminate(section, forest)
            deactivate(index, tree, forest)
    return DONE


@kernel
def terminate(section, forest):
    """Use up the section's termination (mirrors TMDAlgo.terminate)."""
    if section.term_id != NO_BAR:
        forest.bars[section.term_id].has_term = 0


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
def extend(index, tree, forest, log, progress, rng):
    """Let a section make a step by its stop criterion (mirrors TMDAlgo.extend).

    ``major_termination_length`` stands in for the termination of a major section while it is
    looked at, as in NeuroTS.

    Returns:
        (status, state).
    """
    section = forest.sections[index]
    rules = forest.rules[tree.rules]
    if rules.method == TRUNK:
        return DONE, grow_section(index, tree, forest, log, progress, rng)
    own_term = section.term
    shortened = section.major == 1 and rules.has_major_termination == 1
    if shortened:
        section.term = rules.major_termination_length
    status = refresh_criterion(section, tree, forest.bars)
    state = CONTINUE
    if status == DONE:
        state = grow_section(index, tree, forest, log, progress, rng)
    if shortened:
        section.term = own_term
    return status, state


@kernel
def grow_others(index, tree, forest, log, progress, rng):
    """Let the tree's other sections make a step while one bifurcates, whatever state it gives."""
    for i in range(tree.n_active):
        other = forest.active[tree.first_active + i]
        if other != index:
            grow_section(other, tree, forest, log, progress, rng)


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
