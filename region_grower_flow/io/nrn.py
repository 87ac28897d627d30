"""NEURON's numbers of the apical sections, computed without NEURON.

region-grower starts a NEURON process per cell, which imports the text file and looks for the
first section of ``icell.apical`` that ends at the apical point. Which sections NEURON makes of a
file depends on the format; its rules are in Import3d (``read_nlcda3.hoc``, ``read_swc.hoc`` and
``Import3d_GUI.chk_valid``), and are mirrored here on the arrays.

These numbers are the ``i`` of ``apic[i]``, not SONATA's section ids.
"""

from collections.abc import Iterable

import numpy as np

from region_grower_flow.io.morphology_text import DECIMALS, swc_rows
from region_grower_flow.morphology import APICAL_DENDRITE, SOMA, FlatMorphology

ABSOLUTE, RELATIVE = 1e-8, 1e-5
"""Distance (um, and as a ratio) within which a section must end to be that of the apical point
(``morph_tool.nrnhines.point_to_section_end``)."""


def apical_nrn_sections(
    morphology: FlatMorphology, apical_points: Iterable[np.ndarray | None], text_format: str = "asc"
) -> list[int | None]:
    """The index in NEURON's ``apic`` of the section that ends at each apical point.

    Mirrors region-grower's ``--out-apical-nrn-sections``.

    Args:
        morphology: FlatMorphology in the order of the file (see ``morphologies.nrn_ordered``).
        apical_points: list of (3,) coordinates (um) or None.
        text_format: "asc" or "swc", the file that NEURON would import.

    Returns:
        list of int, None where no section ends at the point (or the point is None).
    """
    ends = _asc_ends(morphology) if text_format == "asc" else _swc_ends(morphology)
    found: list[int | None] = []
    for point in apical_points:
        if point is None:
            found.append(None)
            continue
        distance = np.abs(np.asarray(point, dtype=float) - ends)
        near = np.flatnonzero((distance <= ABSOLUTE + RELATIVE * np.abs(ends)).all(axis=1))
        found.append(int(near[0]) if len(near) else None)
    return found


def _as_read(points: np.ndarray) -> np.ndarray:
    """Coordinates as they stand in the text file."""
    return np.round(points.astype(float), DECIMALS)


def _asc_ends(morphology: FlatMorphology) -> np.ndarray:
    """Last points of NEURON's apical sections of an ASC file: one section each, with children or
    not, except for those without length, which it removes.
    """
    offsets, parents = morphology.offsets, morphology.parents
    if not morphology.n_sections:
        return np.empty((0, 3))
    points = _as_read(morphology.points)
    first, last = points[offsets[:-1]], points[offsets[1:] - 1]
    is_root = parents < 0
    # A child that does not start where its parent ends gets that point in front.
    extra = ~is_root & (first != last[parents]).any(axis=1)
    counts = np.diff(offsets) + extra
    removed = (counts <= 1) | ((counts == 2) & ~extra & (first == last).all(axis=1))
    if len(morphology.soma_points) in (0, 2):
        # Roots without a soma have no parent: NEURON keeps them as they are.
        removed &= ~is_root
    tree_types = morphology.types[_roots(parents)]
    return last[(tree_types == APICAL_DENDRITE) & ~removed]


def _roots(parents: np.ndarray) -> np.ndarray:
    """The root section of each section (sections are depth first)."""
    return np.maximum.accumulate(np.where(parents < 0, np.arange(len(parents)), -1))


def _swc_ends(morphology: FlatMorphology) -> np.ndarray:
    """Last points of NEURON's apical sections of an SWC file.

    A section ends at a row that has not exactly one child, in the next row and of the same type:
    sections with a single child become one with it.
    """
    rows = swc_rows(morphology)
    n = len(rows.types)
    points, parents = _as_read(rows.points), rows.parents
    inner = parents >= 0
    children = np.bincount(parents[inner], minlength=n)
    follows = inner & (parents == np.arange(n) - 1)
    follows[1:] &= rows.types[1:] == rows.types[:-1]
    is_end = np.ones(n, dtype=bool)
    is_end[:-1] = ~(follows[1:] & (children[:-1] == 1))
    last = np.flatnonzero(is_end)
    first = np.concatenate([[0], last[:-1] + 1]) if len(last) else last
    start = parents[first]
    at_soma = (start >= 0) & (rows.types[start] == SOMA)
    # A section begins with its parent's last point, at the soma only when it has one row.
    counts = last - first + 1
    wired = at_soma & (counts > 1)
    begin = np.where(wired | (start < 0), first, start)
    size = counts + ((start >= 0) & ~wired)
    removed = (start >= 0) & (size == 2) & (points[begin] == points[last]).all(axis=1)
    return points[last[(rows.types[first] == APICAL_DENDRITE) & ~removed]]
