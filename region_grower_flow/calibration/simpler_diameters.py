"""The diameter model ``simpler`` of diameter-synthesis, fitted quickly to cells of any size.

diameter-synthesis measures all sections between a section and the root anew, for each section: 8 s
of CPU for a cell of 20,000 sections. The lengths here are those of NeuroM, each measured once and
added in the same order, so that the models are equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

FIT_ORDERS = {"basal_dendrite": 1, "apical_dendrite": 2, "axon": 1}
"""Orders of the polynomials."""


def fit_simpler(cells: Iterable[Any], neurite_types: Sequence[str]) -> dict[str, list[float]]:
    """{neurite type: coefficients} of the diameters of sections over their way to the farthest tip.

    Mirrors diameter_synthesis.simpler_diametrizer.build_simpler_model.

    Args:
        cells: NeuroM morphologies.
        neurite_types: those to fit; one without any tree has no coefficients.
    """
    from neurom import NeuriteType
    from numpy.polynomial import Polynomial

    found: dict[str, list[float]] = {}
    for name in neurite_types:
        all_lengths: list[float] = []
        all_diameters: list[float] = []
        for cell in cells:
            trees = [tree for tree in cell.neurites if tree.type == getattr(NeuriteType, name)]
            rows = [row for tree in trees for row in _sections_of(tree)]
            if rows:
                lengths = np.array([length for length, _ in rows])
                all_lengths += (lengths / lengths.max()).tolist()
                all_diameters += np.array([diameter for _, diameter in rows]).tolist()
        found[name] = []
        if all_diameters:
            fit = Polynomial.fit(all_lengths, all_diameters, FIT_ORDERS[name])
            found[name] = fit.convert().coef.tolist()
    return found


def _sections_of(tree: Any) -> list[tuple[Any, Any]]:
    """(way to the farthest tip from the section's start (um), mean diameter (um)) of each section.

    Args:
        tree: a NeuroM neurite.
    """
    from neurom import iter_sections
    from neurom.morphmath import section_length

    sections = list(iter_sections(tree))
    place = {section.id: i for i, section in enumerate(sections)}
    points = [section.points for section in sections]
    own = [section_length(each) for each in points]
    parents = [None if s.parent is None else place[s.parent.id] for s in sections]
    paths = [_sum_upstream(i, parents, own) for i in range(len(sections))]
    tips = list(paths)
    for i in range(len(sections) - 1, 0, -1):  # a section comes before those below it
        parent = parents[i]
        assert parent is not None, "a tree has one root"
        tips[parent] = max(tips[parent], tips[i])
    return [
        (tip - path + length, 2 * np.mean(each[:, 3]))
        for tip, path, length, each in zip(tips, paths, own, points, strict=True)
    ]


def _sum_upstream(section: int, parents: Sequence[int | None], lengths: Sequence[Any]) -> Any:
    """The way (um) from a section's end to the root, added from the section on."""
    total: Any = 0
    place: int | None = section
    while place is not None:
        total = total + lengths[place]
        place = parents[place]
    return total
