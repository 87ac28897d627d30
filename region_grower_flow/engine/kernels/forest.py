"""All trees of a cell (mirrors neurots.NeuronGrower.next and TreeGrower's construction)."""

import numpy as np

from region_grower_flow.engine.kernels.barcode import load_barcode, min_bif
from region_grower_flow.engine.kernels.jit import entry, kernel
from region_grower_flow.engine.kernels.section import (
    NOTHING_RANDOM,
    log_point,
    new_section,
)
from region_grower_flow.engine.kernels.state import (
    DONE,
    NEEDS_SPACE,
    NO_SECTION,
    TRUNK,
)
from region_grower_flow.engine.kernels.step import advance, propose
from region_grower_flow.engine.kernels.tree import next_point


@entry
def start_forest(forest, bars, first_bars, log, progress, rng):
    """Give every tree its bar code and its first section with two points.

    Nothing is drawn: the trees' ``diagram`` and ``first_length`` have been drawn between the
    trunks, where NeuroTS draws them.

    Args:
        forest: Forest with the trees' records filled in.
        bars: (n, 6) float64, the bars of all persistence diagrams.
        first_bars: (D + 1,) int64, diagram ``d`` is ``bars[first_bars[d]:first_bars[d + 1]]``.
        log: LOGGED records with room for two points a tree.
        progress: (1,) PROGRESS.
        rng: the cell's generator (not used).
    """
    state = progress[0]
    for t in range(forest.trees.shape[0]):
        tree = forest.trees[t]
        if forest.rules[tree.rules].method != TRUNK:
            d = tree.diagram
            load_barcode(tree, forest.bars, bars[first_bars[d] : first_bars[d + 1]])
        start_tree(t, tree, forest, log, state, rng)


@kernel
def start_tree(t, tree, forest, log, progress, rng):
    """The root section of a tree, up to its first step (mirrors TreeGrower.__init__)."""
    tree.n_active = 0
    tree.found_last_bif = 0
    tree.apical_section = NO_SECTION
    tree.end = -1
    index = new_section(t, tree, forest, progress)
    section = forest.sections[index]
    section.parent = NO_SECTION
    section.major = 1
    section.ref = 0.0
    section.pathlength = 0.0
    x, y, z = tree.direction[0], tree.direction[1], tree.direction[2]
    length = np.sqrt(x * x + y * y + z * z)
    for j in range(3):
        section.direction[j] = tree.direction[j] / length
        section.last[j] = tree.start[j]
    section.bif = np.inf
    section.term = 0.0
    rules = forest.rules[tree.rules]
    if rules.method != TRUNK:
        section.bif_id, section.bif = min_bif(tree, forest.bars, 0.0, np.inf)
        section.term_id = forest.bars[tree.last_bar - 1].by_term
        section.term = forest.bars[section.term_id].term
    log_point(index, section, log, progress)
    advance(section, propose(section, rules, NOTHING_RANDOM, rng), tree.first_length)
    log_point(index, section, log, progress)


@entry
def grow_forest(forest, log, progress, rng):
    """Let the trees grow in turn, one round each, until all have ended.

    Args:
        forest: Forest that start_forest has begun.
        log: LOGGED records.
        progress: (1,) PROGRESS.
        rng: the cell's generator.

    Returns:
        A status. After NEEDS_SPACE the call is repeated with a longer copy of ``log``.
    """
    state = progress[0]
    n_trees = forest.trees.shape[0]
    while state.n_ended < n_trees:
        while state.next_tree < n_trees:
            tree = forest.trees[state.next_tree]
            if tree.n_active > 0:
                if state.n_points + most_points(tree) > log.shape[0]:
                    return NEEDS_SPACE
                status = next_point(tree, forest, log, state, rng)
                if status != DONE:
                    return status
            elif tree.end == -1:
                tree.end = state.n_ended
                state.n_ended += 1
            state.next_tree += 1
        state.next_tree = 0
    return DONE


@kernel
def most_points(tree):
    """An upper bound of the points that one round adds to a tree.

    Each active section makes a step and may bifurcate; then all others step, and two children get
    two points each.
    """
    return tree.n_active * (2 * tree.n_active + 5)
