"""Stop criteria by the barcode (mirrors neurots.generate.algorithms.tmdgrower.TMDAlgo)."""

import numpy as np

from region_grower_flow.engine.kernels.barcode import curated_bif, min_bif, min_term, term_between
from region_grower_flow.engine.kernels.jit import inlined, kernel
from region_grower_flow.engine.kernels.state import DONE, NO_BAR


@inlined
def is_stale(section: np.record, bars: np.ndarray) -> bool:
    """True if the section's bifurcation or termination is none or has been used by another."""
    if section.term_id == NO_BAR or bars[section.term_id].has_term == 0:
        return True
    if np.isinf(section.bif):
        return False
    return section.bif_id == NO_BAR or bars[section.bif_id].has_bif == 0


@kernel
def refresh_criterion(section: np.record, tree: np.record, bars: np.ndarray) -> int:
    """Replace a bifurcation or termination that another section has used (TMDAlgo.extend).

    Returns:
        A status; the criterion is unchanged unless it is DONE.
    """
    target, ref = section.term, section.ref
    bif_id, bif = section.bif_id, section.bif
    term_id, term = section.term_id, section.term
    if not np.isinf(bif) and (bif_id == NO_BAR or bars[bif_id].has_bif == 0):
        bif_id, bif = min_bif(tree, bars, ref, target)
        status, bif_id, bif = curated_bif(tree, bars, (ref, term), bif_id, bif, term)
        if status != DONE:
            return status
    if term_id == NO_BAR or bars[term_id].has_term == 0:
        above = ref if np.isinf(bif) else bif
        term_id, term = min_term(tree, bars, above, target)
        status, bif_id, bif = curated_bif(tree, bars, (ref, term), bif_id, bif, term)
        if status != DONE:
            return status
    section.bif_id, section.bif = bif_id, bif
    section.term_id, section.term = term_id, term
    return DONE


@kernel
def children_criteria(
    parent: np.record, first: np.record, second: np.record, tree: np.record, bars: np.ndarray
) -> int:
    """Give two children their stop criteria (mirrors TMDAlgo.get_stop_criteria).

    The first child goes on along the parent's bar, the second along the bar that begins here.

    Args:
        parent: SECTION record that bifurcates (its reference becomes its path length).
        first, second: SECTION records of the children.
        tree: TREE record.
        bars: BAR records.

    Returns:
        A status.
    """
    parent.ref = parent.pathlength
    limits = (parent.ref, parent.term)
    bif_id, bif = min_bif(tree, bars, parent.ref, parent.term)
    status, first.bif_id, first.bif = curated_bif(tree, bars, limits, bif_id, bif, parent.term)
    if status != DONE:
        return status
    first.term_id, first.term, first.ref = parent.term_id, parent.term, parent.ref
    term_id, term = term_between(bars, parent.bif_id, parent.bif, parent.term)
    status, second.bif_id, second.bif = curated_bif(tree, bars, limits, bif_id, bif, term)
    second.term_id, second.term, second.ref = term_id, term, parent.ref
    return status


@kernel
def expected_maximum_length(section: np.record) -> float:
    """The length (um) that a section can reach (mirrors TMDStop.expected_maximum_length)."""
    if np.isinf(section.bif):
        return abs(section.ref - section.term)
    return abs(section.ref - max(section.bif, section.term))
