"""Lengths and ways to the root of NeuroM's sections, each section measured once.

NeuroM measures all sections between a section and the root anew, for each section. Here lengths are
added in the same order, so that sums are equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NO_PARENT = -1


@dataclass(frozen=True)
class Ways:
    """The sections of a tree, in NeuroM's order: a section comes before those below it.

    Attributes:
        parents: place of the section that each goes on from, NO_PARENT for the root.
        points: NeuroM's (n, 4) of each, with radii.
        lengths: of each (um).
        paths: from the end of each to the root (um).
        leaves: places of those that end in a tip.
    """

    parents: list[int]
    points: list[Any]
    lengths: list[Any]
    paths: list[Any]
    leaves: list[int]

    @classmethod
    def of(cls, tree: Any) -> Ways:
        """Measure a NeuroM neurite."""
        from neurom import iter_sections
        from neurom.morphmath import section_length

        sections = list(iter_sections(tree))
        place = {section.id: i for i, section in enumerate(sections)}
        above = [section.parent for section in sections]
        parents = [NO_PARENT if parent is None else place[parent.id] for parent in above]
        points = [section.points for section in sections]
        lengths = [section_length(each) for each in points]
        paths = [_sum_upstream(i, parents, lengths) for i in range(len(sections))]
        inner = set(parents)
        leaves = [i for i in range(len(sections)) if i not in inner]
        return cls(parents, points, lengths, paths, leaves)


def _sum_upstream(section: int, parents: Sequence[int], lengths: Sequence[Any]) -> Any:
    """The way (um) from a section's end to the root, added from the section on."""
    total: Any = 0
    place = section
    while place != NO_PARENT:
        total = total + lengths[place]
        place = parents[place]
    return total
