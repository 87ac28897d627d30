"""Morphologies as SWC and Neurolucida ASC text, made in memory.

The same text as MorphIO writes (nine decimals), except for SWC's soma (see ``io.soma``) and for
unifurcations, which SWC cannot hold: MorphIO refuses them, here the two sections become one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from region_grower_flow.errors import DropCell
from region_grower_flow.io.morphology_h5 import check_sections
from region_grower_flow.io.soma import soma_contour, soma_sphere
from region_grower_flow.morphology import (
    APICAL_DENDRITE,
    AXON,
    BASAL_DENDRITE,
    SOMA,
    FlatMorphology,
)

DECIMALS = 9
"""Decimals of coordinates and diameters (um) in both formats."""

_SWC_HEADER = (
    "# Created by region-grower-flow\n"
    "# index     type         X            Y            Z       radius       parent\n"
)
_SAME_DIAMETER = 1e-6
"""Distance (um) below which MorphIO does not write a child's first point again."""
_SWC_ROW = "%d%12d %12.9f %12.9f %12.9f %12.9f%12d\n"
_ASC_ROW = "(%.9f %.9f %.9f %.9f)\n"
_ASC_END = "; Created by region-grower-flow\n"
_ASC_HEADS = {
    AXON: "( (Color Cyan)\n  (Axon)\n",
    BASAL_DENDRITE: "( (Color Red)\n  (Dendrite)\n",
    APICAL_DENDRITE: "( (Color Red)\n  (Apical)\n",
}


@dataclass
class SwcRows:
    """The rows of an SWC file, the soma's first.

    Attributes:
        types: (R,) int.
        points: (R, 3) float32 (um).
        radii: (R,) float32 (um).
        parents: (R,) int, the index of the parent row, -1 for none.
    """

    types: np.ndarray
    points: np.ndarray
    radii: np.ndarray
    parents: np.ndarray


def encode_swc(morphology: FlatMorphology) -> bytes:
    """The SWC file of a FlatMorphology (bytes); the soma is one point of the true surface.

    Raises:
        DropCell: see :func:`~region_grower_flow.io.morphology_h5.check_sections`.
    """
    check_sections(morphology)
    rows = swc_rows(morphology)
    columns = (
        range(1, len(rows.types) + 1),
        rows.types.tolist(),
        *(rows.points[:, axis].tolist() for axis in range(3)),
        rows.radii.tolist(),
        # Rows are numbered from 1; "no parent" is -1.
        np.where(rows.parents < 0, -1, rows.parents + 1).tolist(),
    )
    values = tuple(chain.from_iterable(zip(*columns, strict=True)))
    return (_SWC_HEADER + (_SWC_ROW * len(rows.types)) % values).encode("ascii")


def swc_rows(morphology: FlatMorphology) -> SwcRows:
    """The :class:`SwcRows` of a FlatMorphology.

    The first point of a section that repeats its parent's last point is not written (as in
    MorphIO, when the diameter is the same too).
    """
    n_soma = 1 if len(morphology.soma_points) else 0
    kept = np.ones(len(morphology.points), dtype=bool)
    kept[morphology.offsets[:-1][_repeats_parent(morphology)]] = False
    places = np.cumsum(kept) + (n_soma - 1)
    # The parent of a row is the row before it, except for the first row of a section.
    parents = places - 1
    first_kept = _first_kept(kept, morphology.offsets)
    last_rows = _last_rows(morphology, places, first_kept)
    for section, first in enumerate(first_kept):
        if first >= 0:
            parent = morphology.parents[section]
            parents[first] = last_rows[parent] if parent >= 0 else n_soma - 1
    rows = SwcRows(
        types=np.repeat(morphology.types, np.diff(morphology.offsets))[kept],
        points=morphology.points[kept],
        radii=morphology.diameters[kept] / np.float32(2),
        parents=parents[kept],
    )
    return _with_soma(rows, morphology) if n_soma else rows


def _with_soma(rows: SwcRows, morphology: FlatMorphology) -> SwcRows:
    center, diameter = soma_sphere(morphology.soma_points, morphology.soma_diameters)
    return SwcRows(
        types=np.concatenate([[SOMA], rows.types]),
        points=np.concatenate([center[np.newaxis], rows.points]),
        radii=np.concatenate([np.array([diameter / 2], dtype=np.float32), rows.radii]),
        parents=np.concatenate([[-1], rows.parents]),
    )


def _repeats_parent(morphology: FlatMorphology) -> np.ndarray:
    """(M,) bool: sections whose first point is the parent's last with the same diameter."""
    first = morphology.offsets[:-1]
    has_parent = morphology.parents >= 0
    last = np.where(has_parent, morphology.offsets[morphology.parents + 1] - 1, 0)
    if not len(first):
        return has_parent
    same = (morphology.points[first] == morphology.points[last]).all(axis=1)
    change = np.abs(morphology.diameters[first] - morphology.diameters[last])
    return has_parent & same & (change < _SAME_DIAMETER)


def _first_kept(kept: np.ndarray, offsets: np.ndarray) -> list[int]:
    """The index of the first written point of each section, -1 when it has none."""
    before = np.concatenate([[0], np.cumsum(kept)])
    written = before[offsets[1:]] > before[offsets[:-1]]
    places = np.flatnonzero(kept)
    rank = np.minimum(before[offsets[:-1]], max(len(places) - 1, 0))
    return np.where(written, places[rank] if len(places) else -1, -1).tolist()


def _last_rows(
    morphology: FlatMorphology, places: np.ndarray, first_kept: Sequence[int]
) -> list[int]:
    """The row that the children of each section continue."""
    rows: list[int] = []
    for section, first in enumerate(first_kept):
        parent = morphology.parents[section]
        if first < 0 and parent >= 0:
            rows.append(rows[parent])
        else:
            rows.append(int(places[morphology.offsets[section + 1] - 1]))
    return rows


def encode_asc(morphology: FlatMorphology) -> bytes:
    """The Neurolucida ASC file of a FlatMorphology (bytes).

    Raises:
        DropCell: a section has no points, or a type that ASC does not know.
    """
    check_sections(morphology)
    unknown = set(morphology.types[morphology.parents < 0].tolist()) - set(_ASC_HEADS)
    if unknown:
        raise DropCell(f"an asc file holds no sections of type {min(unknown)}")
    lines = _asc_points(morphology.points, morphology.diameters)
    children: list[list[int]] = [[] for _ in range(morphology.n_sections)]
    roots: list[int] = []
    for section, parent in enumerate(morphology.parents.tolist()):
        (children[parent] if parent >= 0 else roots).append(section)
    offsets = morphology.offsets.tolist()
    pieces = [_asc_soma(morphology)]
    for root in roots:
        pieces.append(_ASC_HEADS[int(morphology.types[root])])
        pieces.extend(_asc_tree(root, children, lines, offsets))
        pieces.append(")\n\n")
    pieces.append(_ASC_END)
    return "".join(pieces).encode("ascii")


def _asc_points(points: np.ndarray, diameters: np.ndarray) -> list[str]:
    values = np.column_stack([points, diameters]).astype(np.float32).ravel().tolist()
    return ((_ASC_ROW * len(points)) % tuple(values)).splitlines(keepends=True)


def _asc_soma(morphology: FlatMorphology) -> str:
    if not len(morphology.soma_points):
        return ""
    lines = _asc_points(*soma_contour(morphology.soma_points, morphology.soma_diameters))
    body = "".join(f"  {line}" for line in lines)
    return f'("CellBody"\n  (Color Red)\n  (CellBody)\n{body})\n\n'


def _asc_tree(
    root: int, children: Sequence[Sequence[int]], lines: Sequence[str], offsets: Sequence[int]
) -> Iterator[str]:
    """The text of a tree: each section's points, then its children between "(", "|" and ")"."""
    pending: list[tuple[int | str, int]] = [(root, 1)]
    while pending:
        item, depth = pending.pop()
        indent = "  " * depth
        if isinstance(item, str):
            yield f"{indent}{item}\n"
            continue
        yield indent + indent.join(lines[offsets[item] : offsets[item + 1]])
        if children[item]:
            pending.append((")", depth))
            for position, child in enumerate(reversed(children[item])):
                if position:
                    pending.append(("|", depth))
                pending.append((child, depth + 1))
            pending.append(("(", depth))
