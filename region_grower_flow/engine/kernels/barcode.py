"""The barcode of a tree and its rules (mirrors neurots.generate.algorithms.barcode.Barcode).

The bars of a tree are ``bars[tree.first_bar:tree.last_bar]``, in order of bifurcation; the
functions return indices into ``bars``, or NO_BAR with the value that NeuroTS gives then.
"""

import numpy as np

from region_grower_flow.engine.kernels.jit import kernel
from region_grower_flow.engine.kernels.state import BROKEN_PIPELINE, DONE, NO_BAR


@kernel
def round4(value: float) -> float:
    """Round to four decimals as NumPy does (mirrors neurots.basic.round_num)."""
    return np.rint(value * 10000.0) / 10000.0


@kernel
def load_barcode(tree: np.record, bars: np.ndarray, barcode: np.ndarray, order: np.ndarray) -> None:
    """Fill the tree's bars from a measured barcode, scaled (mirrors Barcode.__init__).

    The barcode is sorted already; scaling and rounding make values equal at most, so that the
    insertion sorts move hardly anything. Among equal bifurcations the place in the file decides,
    among equal terminations the order of bifurcation.

    Args:
        tree: TREE record with ``first_bar`` and ``ratio`` (1 for none).
        bars: BAR records of all trees.
        barcode: BARCODE_BAR records.
        order: int64, room for the bars of the tree.
    """
    first, ratio = tree.first_bar, tree.ratio
    for i in range(barcode.shape[0]):
        bif = barcode[i].bif * ratio
        j = i
        while j > 0 and comes_after(barcode[order[j - 1]], ratio, bif, barcode[i].place):
            order[j] = order[j - 1]
            j -= 1
        order[j] = i
    for i in range(barcode.shape[0]):
        source, bar = barcode[order[i]], bars[first + i]
        bar.bif = round4(source.bif * ratio)
        bar.term = round4(source.term * ratio)
        for j in range(4):
            bar.angles[j] = source.angles[j]
        bar.owner = source.owner
        bar.bend, bar.bend_ahead = source.bend, source.bend_ahead
        for j in range(3):
            bar.heading[j] = source.heading[j]
            bar.way[j] = source.way[j]
            bar.ahead[j] = source.ahead[j]
        bar.has_bif = 1
        bar.has_term = 1
    bars[first].has_bif = 0  # the bifurcation at the soma is none
    tree.persistence_length = bars[first].term
    sort_by_term(tree, bars, barcode)


@kernel
def comes_after(bar: np.record, ratio: float, bif: float, place: int) -> bool:
    """True if a bar of a barcode comes after the one with this scaled bifurcation and place."""
    other = bar.bif * ratio
    return other > bif or (other == bif and bar.place > place)


@kernel
def sort_by_term(tree: np.record, bars: np.ndarray, barcode: np.ndarray) -> None:
    """Order the tree's bars by termination, equal ones by bifurcation."""
    first = tree.first_bar
    for i in range(barcode.shape[0]):
        new = first + barcode[i].by_term
        j = first + i
        while j > first and ends_after(bars, bars[j - 1].by_term, new):
            bars[j].by_term = bars[j - 1].by_term
            j -= 1
        bars[j].by_term = new


@kernel
def ends_after(bars: np.ndarray, one: int, other: int) -> bool:
    """True if bar ``one`` comes after ``other`` in order of termination."""
    difference = bars[one].term - bars[other].term
    return difference > 0.0 or (difference == 0.0 and one > other)


@kernel
def min_bif(tree: np.record, bars: np.ndarray, above: float, below: float) -> tuple[int, float]:
    """The first unused bifurcation with above <= bif <= below (mirrors Barcode.min_bif)."""
    if np.isinf(above):
        above = 0.0
    for i in range(tree.first_bar, tree.last_bar):
        if bars[i].has_bif == 1 and below >= bars[i].bif >= above:
            return i, bars[i].bif
    return NO_BAR, np.inf


@kernel
def min_term(tree: np.record, bars: np.ndarray, above: float, below: float) -> tuple[int, float]:
    """The smallest unused termination with above <= term <= below (mirrors Barcode.min_term)."""
    if np.isinf(above):
        above = 0.0
    for i in range(tree.first_bar, tree.last_bar):
        bar = bars[i].by_term
        if bars[bar].has_term == 1 and below >= bars[bar].term >= above:
            return bar, bars[bar].term
    return NO_BAR, 0.0


@kernel
def term_of(bars: np.ndarray, bar: int) -> float:
    """The unused termination of a bar or -inf (mirrors Barcode.get_term)."""
    if bar == NO_BAR or bars[bar].has_term == 0:
        return -np.inf
    return bars[bar].term


@kernel
def term_between(bars: np.ndarray, bar: int, above: float, below: float) -> tuple[int, float]:
    """The bar's termination if unused and in range (mirrors Barcode.get_term_between)."""
    if bar != NO_BAR and bars[bar].has_term == 1 and above <= bars[bar].term <= below:
        return bar, bars[bar].term
    return NO_BAR, -np.inf


@kernel
def compatible_bif(
    tree: np.record, bars: np.ndarray, low: float, below_bif: float, below_term: float
) -> tuple[int, float]:
    """The first unused bifurcation in [low, below_bif] whose bar ends in [low, below_term].

    Mirrors Barcode.select_compatible_bif (both lower bounds are the parent's reference there).
    """
    for i in range(tree.first_bar, tree.last_bar):
        fits = bars[i].has_bif == 1 and low <= bars[i].bif <= below_bif
        if fits and low <= term_of(bars, i) <= below_term:
            return i, bars[i].bif
    return NO_BAR, np.inf


@kernel
def curated_bif(
    tree: np.record,
    bars: np.ndarray,
    parent: tuple[float, float],
    bif_id: int,
    bif: float,
    term: float,
) -> tuple[int, int, float]:
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
