"""All trees of a cell (mirrors neurots.NeuronGrower.next and TreeGrower's construction)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.engine.kernels.assembly import Assembled, assemble, nothing
from region_grower_flow.engine.kernels.barcode import load_barcode, min_bif
from region_grower_flow.engine.kernels.jit import entry, kernel, uncounted
from region_grower_flow.engine.kernels.owners import draw_owners, next_owned
from region_grower_flow.engine.kernels.section import log_point, new_section
from region_grower_flow.engine.kernels.state import DONE, NEEDS_SPACE, NO_SECTION, TRUNK, Forest
from region_grower_flow.engine.kernels.step import advance, unit
from region_grower_flow.engine.kernels.tree import next_point

if TYPE_CHECKING:
    from region_grower_flow.engine.kernels.acceptance import SpaceConstraints


@kernel
def grow_all(
    forest: Forest,
    barcodes: np.ndarray,
    first_bars: np.ndarray,
    space: SpaceConstraints | None,
    rng: np.random.Generator,
) -> int:
    """Let the trees grow in turn, one round each, until all have ended.

    Args:
        forest: Forest with the trees' records filled in, its progress at 0; or one that an
            earlier call has left with NEEDS_SPACE, with a longer copy of its log.
        barcodes: BARCODE_BAR records, the bars of all measured barcodes.
        first_bars: (D + 1,) int64, barcode ``d`` is ``barcodes[first_bars[d]:first_bars[d + 1]]``.
        space: acceptance.SpaceConstraints, or None without constraints (compiled apart).
        rng: the cell's generator.

    Returns:
        A status.
    """
    progress = forest.progress[0]
    n_trees = forest.trees.shape[0]
    if progress.n_sections == 0:
        for t in range(n_trees):
            start_tree(t, forest, barcodes, first_bars, rng)
    while progress.n_ended < n_trees:
        while progress.next_tree < n_trees:
            tree = forest.trees[progress.next_tree]
            if tree.n_active > 0:
                room = forest.log.shape[0] - progress.n_points
                # Where all sections may bifurcate, or only those that have a bifurcation ahead.
                if room < most_points(tree.n_active, tree.n_active) and (
                    room < most_points(tree.n_active, bifurcating(tree, forest))
                ):
                    return NEEDS_SPACE
                status = next_point(tree, forest, space, rng)
                if status != DONE:
                    return status
            elif tree.end == -1:
                tree.end = progress.n_ended
                progress.n_ended += 1
            progress.next_tree += 1
        progress.next_tree = 0
    return DONE


def _grow_forest(
    forest: Forest,
    barcodes: np.ndarray,
    first_bars: np.ndarray,
    space: SpaceConstraints | None,
    rng: np.random.Generator,
) -> tuple[int, Assembled]:
    """Grow all trees, then put their points into the order of reading: one call from Python.

    Args: as :func:`grow_all`.

    Returns:
        (status, what ``assembly.assemble`` returns: empty arrays unless the status is DONE).
    """
    forest, barcodes, first_bars = uncounted((forest, barcodes, first_bars))
    space, rng = uncounted((space, rng))
    status = grow_all(forest, barcodes, first_bars, space, rng)
    if status != DONE:
        return status, nothing()
    return status, assemble(forest)


grow_forest = entry("core")(_grow_forest)
"""The growth without constraints: ``space`` is None."""

grow_forest_in_space = entry("space")(_grow_forest)
"""The same under constraints: ``space`` is an acceptance.SpaceConstraints."""


@kernel
def start_tree(
    t: int, forest: Forest, barcodes: np.ndarray, first_bars: np.ndarray, rng: np.random.Generator
) -> None:
    """The barcode of a tree and its first section with two points (TreeGrower.__init__).

    Nothing but owners of bars is drawn: the tree's barcode and first step have been drawn between
    the trunks, where NeuroTS draws them.
    """
    tree = forest.trees[t]
    tree.n_active = 0
    tree.found_last_bif = 0
    tree.apical_section = NO_SECTION
    tree.end = -1
    tree.n_ordered = 0
    index = new_section(t, tree, forest)
    section = forest.sections[index]
    section.major = 1
    section.ref = 0.0
    section.pathlength = 0.0
    section.bif = np.inf
    section.term = 0.0
    x, y, z = unit(tree.direction[0], tree.direction[1], tree.direction[2])
    section.direction[0], section.direction[1], section.direction[2] = x, y, z
    section.aim[0], section.aim[1], section.aim[2] = x, y, z
    for j in range(3):
        section.last[j] = tree.start[j]
        section.begin[j] = tree.start[j]
    if forest.rules[tree.rules].method != TRUNK:
        d = tree.barcode
        barcode = barcodes[first_bars[d] : first_bars[d + 1]]
        load_barcode(tree, forest.bars, barcode, forest.order)
        rules = forest.rules[tree.rules]
        if rules.owned == 1:
            draw_owners(tree, forest.bars, rules, rng)
            section.bend = forest.bars[tree.first_bar].bend
            section.bif_id, section.bif = next_owned(forest.bars, tree.first_bar)
        else:
            section.bif_id, section.bif = min_bif(tree, forest.bars, 0.0, np.inf)
        section.term_id = forest.bars[tree.last_bar - 1].by_term
        if rules.owned == 1:
            section.term_id = tree.first_bar
        section.term = forest.bars[section.term_id].term
    log_point(index, forest)
    first = tree.first_direction
    advance(section, (first[0], first[1], first[2]), tree.first_length)
    log_point(index, forest)


@kernel
def most_points(n_active: int, n_bifurcating: int) -> int:
    """An upper bound of the points that one round adds to a tree.

    Each active section makes a step and some may bifurcate; then all others step, and two children
    get two points each.
    """
    return n_active + n_bifurcating * (n_active + n_bifurcating + 4)


@kernel
def bifurcating(tree: np.record, forest: Forest) -> int:
    """How many of a tree's active sections may bifurcate in this round."""
    if forest.rules[tree.rules].method == TRUNK:
        return tree.n_active
    count = 0
    for i in range(tree.first_active, tree.first_active + tree.n_active):
        if not np.isinf(forest.sections[forest.active[i]].bif):
            count += 1
    return count
