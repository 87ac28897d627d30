"""Owners of bars, drawn before a tree grows: the lever ``owner_exponent``.

In NeuroTS the sections of a tree race for the next bifurcation, and one that is ahead takes the
next ones, too. Here each bar gets the bar that it branches off beforehand: one that begins before
it, does not end before it, and the likelier the further its last bifurcation is behind.
"""

import numpy as np

from region_grower_flow.engine.kernels.jit import kernel
from region_grower_flow.engine.kernels.state import NO_BAR

LEAST_DISTANCE = 1e-3
"""A bifurcation is at least this far (um) behind, so that all weights are finite."""


@kernel
def can_own(bars: np.ndarray, owner: int, bar: int) -> bool:
    """True if a bar can branch off another one of its tree, bars in order of bifurcation."""
    return owner < bar and bars[owner].term >= bars[bar].term


@kernel
def weight_of(bars: np.ndarray, owner: int, bar: int, exponent: float) -> float:
    """The probability that a bar branches off another one, up to a factor."""
    return max(bars[bar].bif - bars[owner].latest, LEAST_DISTANCE) ** exponent


@kernel
def draw_owners(
    tree: np.record, bars: np.ndarray, rules: np.record, rng: np.random.Generator
) -> None:
    """Set the owners of a tree's bars.

    A bar keeps the owner that it had in the reconstruction with the probability
    ``owner_fidelity``. Where none can own it (a tree scaled to nothing), the first one does.

    Args:
        tree: TREE record, its bars loaded.
        bars: BAR records of all trees; ``owner`` is a place in the barcode before, an index after.
        rules: RULES record.
        rng: the cell's generator.
    """
    first = tree.first_bar
    bars[first].owner = NO_BAR
    bars[first].latest = bars[first].bif
    for i in range(first + 1, tree.last_bar):
        former = first + bars[i].owner
        owner = former
        kept = rules.owner_fidelity > 0.0 and rng.random() < rules.owner_fidelity
        if not (kept and owner >= first and can_own(bars, owner, i)):
            owner = drawn_owner(first, i, bars, rules.owner_exponent, rng)
        bars[i].kept = 1 if owner == former else 0
        bars[i].owner = owner
        bars[owner].latest = bars[i].bif
        bars[i].latest = bars[i].bif
    link_owned(tree, bars)


@kernel
def link_owned(tree: np.record, bars: np.ndarray) -> None:
    """Chain the bars that branch off each bar, in order of bifurcation."""
    first = tree.first_bar
    for i in range(first, tree.last_bar):
        bars[i].next_owned = NO_BAR
    for i in range(tree.last_bar - 1, first, -1):
        owner = bars[i].owner
        bars[i].next_alike = bars[owner].next_owned
        bars[owner].next_owned = i


@kernel
def drawn_owner(
    first: int, bar: int, bars: np.ndarray, exponent: float, rng: np.random.Generator
) -> int:
    """One of the bars that can own a bar."""
    total = 0.0
    for j in range(first, bar):
        if can_own(bars, j, bar):
            total += weight_of(bars, j, bar, exponent)
    rest = rng.random() * total
    owner = first
    for j in range(first, bar):
        if can_own(bars, j, bar):
            owner = j
            rest -= weight_of(bars, j, bar, exponent)
            if rest <= 0.0:
                break
    return owner


@kernel
def next_owned(bars: np.ndarray, bar: int) -> tuple[int, float]:
    """The first unused bifurcation of the bars that branch off a bar, as ``min_bif`` gives it."""
    found = bars[bar].next_owned
    while found != NO_BAR and bars[found].has_bif == 0:
        found = bars[found].next_alike
    bars[bar].next_owned = found  # what has been used stays so
    if found == NO_BAR:
        return NO_BAR, np.inf
    return found, bars[found].bif


@kernel
def owned_criteria(
    parent: np.record, first: np.record, second: np.record, bars: np.ndarray
) -> None:
    """Give two children their stop criteria where bars have owners.

    Args: as :func:`region_grower_flow.engine.kernels.criteria.children_criteria`, with the same
    roles: the first child goes on along the parent's bar.
    """
    parent.ref = parent.pathlength
    first.born = second.born = parent.bif_id
    first.term_id, first.term, first.ref = parent.term_id, parent.term, parent.ref
    first.bif_id, first.bif = next_owned(bars, parent.term_id)
    second.term_id, second.term = parent.bif_id, bars[parent.bif_id].term
    second.ref = parent.ref
    second.bif_id, second.bif = next_owned(bars, parent.bif_id)
