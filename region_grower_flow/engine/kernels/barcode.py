"""The bar code of a tree and its rules (mirrors neurots.generate.algorithms.barcode.Barcode).

The bars of a tree are ``bars[tree.first_bar:tree.last_bar]``, in order of bifurcation; the
functions return indices into ``bars``, or NO_BAR with the value that NeuroTS gives then.
"""

import numpy as np

from region_grower_flow.engine.kernels.jit import kernel
from region_grower_flow.engine.kernels.state import BROKEN_PIPELINE, DONE, NO_BAR


@kernel
def round4(value):
    """Round to four decimals as NumPy does (mirrors neurots.basic.round_num)."""
    return np.rint(value * 10000.0) / 10000.0


@kernel
def load_barcode(tree, bars, diagram):
    """Fill the tree's bars from a persistence diagram, scaled by ``tree.ratio``.

    Args:
        tree: TREE record.
        bars: BAR records of all trees.
        diagram: (n, 6) rows of termination, bifurcation and four angles.
    """
    n = diagram.shape[0]
    first = tree.first_bar
    starts = diagram[:, 1].copy()
    ends = diagram[:, 0].copy()
    if tree.scaled == 1:
        starts *= tree.ratio
        ends *= tree.ratio
    order = np.argsort(starts, kind="mergesort")
    terms = np.empty(n)
    for i in range(n):
        terms[i] = round4(ends[order[i]])
    by_term = np.argsort(terms, kind="mergesort")
    for i in range(n):
        bar = bars[first + i]
        bar.bif = round4(starts[order[i]])
        bar.term = terms[i]
        for j in range(4):
            bar.angles[j] = diagram[order[i], 2 + j]
        bar.has_bif = 1
        bar.has_term = 1
        bar.by_term = first + by_term[i]
    bars[first].has_bif = 0  # the bifurcation at the soma is none
    tree.persistence_length = bars[first].term


@kernel
def min_bif(tree, bars, above, below):
    """The first unused bifurcation with above <= bif <= below (mirrors Barcode.min_bif)."""
    if np.isinf(above):
        above = 0.0
    for i in range(tree.first_bar, tree.last_bar):
        if bars[i].has_bif == 1 and below >= bars[i].bif >= above:
            return i, bars[i].bif
    return NO_BAR, np.inf


@kernel
def min_term(tree, bars, above, below):
    """The smallest unused termination with above <= term <= below (mirrors Barcode.min_term)."""
    if np.isinf(above):
        above = 0.0
    for i in range(tree.first_bar, tree.last_bar):
        bar = bars[i].by_term
        if bars[bar].has_term == 1 and below >= bars[bar].term >= above:
            return bar, bars[bar].term
    return NO_BAR, 0.0


@kernel
def term_of(bars, bar):
    """The unused termination of a bar or -inf (mirrors Barcode.get_term)."""
    if bar == NO_BAR or bars[bar].has_term == 0:
        return -np.inf
    return bars[bar].term


@kernel
def term_between(bars, bar, above, below):
    """The bar's termination if unused and in range (mirrors Barcode.get_term_between)."""
    if bar != NO_BAR and bars[bar].has_term == 1 and above <= bars[bar].term <= below:
        return bar, bars[bar].term
    return NO_BAR, -np.inf


@kernel
def compatible_bif(tree, bars, low, below_bif, below_term):
    """The first unused bifurcation in [low, below_bif] whose bar ends in [low, below_term].

    Mirrors Barcode.select_compatible_bif (both lower bounds are the parent's reference there).
    """
    for i in range(tree.first_bar, tree.last_bar):
        fits = bars[i].has_bif == 1 and low <= bars[i].bif <= below_bif
        if fits and low <= term_of(bars, i) <= below_term:
            return i, bars[i].bif
    return NO_BAR, np.inf


@kernel
def curated_bif(tree, bars, parent, bif_id, bif, term):
    """The bifurcation that a child with this proposed stop criterion gets.

    A child's bar must end before its parent's does; otherwise another bifurcation is chosen.
    Mirrors Barcode.curate_stop_criterion.

    Args:
        tree: TREE record.
        bars: BAR records.
        parent: (ref, term) of the parent's criterion.
        bif_id, bif, term: the proposed criterion of the child.

    Returns:
        (status, bif_id, bif).
    """
    ref, parent_term = parent
    if term > parent_term or (not np.isinf(bif) and bif > parent_term):
        return BROKEN_PIPELINE, bif_id, bif
    if term_of(bars, bif_id) <= term:
        return DONE, bif_id, bif
    bif_id, bif = compatible_bif(tree, bars, ref, parent_term, term)
    return DONE, bif_id, bif
