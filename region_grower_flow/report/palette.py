"""Colors and marks that keep mtypes apart, for readers who see fewer colors too."""

from collections.abc import Iterable
from typing import NamedTuple

COLORS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5a2d00", "#8700f0",
    "#001e87", "#1a1a1a",
)  # fmt: skip
"""Okabe and Ito's colors without yellow, and three that are as far from them for every reader."""

MARKS = "osD^vP"
"""Marks (of matplotlib): beyond the last color the next mark begins."""


class Look(NamedTuple):
    """Color (``#rrggbb``) of an mtype, and its mark of :data:`MARKS`."""

    color: str
    mark: str


def looks(mtypes: Iterable[str]) -> dict[str, Look]:
    """{mtype: Look}: neighbours in the order of the mtypes differ in color.

    Up to 60 mtypes have looks of their own.
    """
    found = {}
    for number, mtype in enumerate(mtypes):
        mark = MARKS[(number // len(COLORS)) % len(MARKS)]
        found[mtype] = Look(COLORS[number % len(COLORS)], mark)
    return found
