"""Variants of one reconstruction: cells that were made from another one by jitter and scaling.

Archives hold such clones beside their originals, often without saying so. They add no independent
data, and must not stand on both sides of a validation. A clone keeps the tree of its original
(which section branches off which) and, nearly, the directions and lengths of its sections, as a
whole turned or not; independent cells have another tree. In 323 rat cells of which 45 pairs are
said to be variants, all pairs of variants have the same tree and chords that are alike by 0.80 or
more, and no other pair has even the same tree.
"""

from __future__ import annotations

import filecmp
import functools
import os
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from region_grower_flow.calibration.mending import open_as_used
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike

ALIKE, ALIKE_IF_SMALL = 0.75, 0.99
"""Likeness of chords from which two cells with the same tree are variants: the second for cells of
fewer than SMALL sections, whose chords may resemble each other by chance."""
SMALL = 16
MAX_RATIO = 1.3
"""Most that one of them may be longer than the other (clones of published sets: 1.13)."""

_Shape: TypeAlias = tuple[tuple[tuple[int, ...], tuple[int, ...]], np.ndarray, float]
"""(parents and types of the sections, their chords, total length (um))."""


def find_variants(cells: Mapping[str, str]) -> list[list[str]]:
    """The groups of cells that are variants of one reconstruction.

    Args:
        cells: {name: file}; files that cannot be read are in no group.

    Returns:
        [[name, ...]] of the groups of two and more, in the order of the cells.
    """
    found = {name: _shape(path) for name, path in cells.items()}
    shapes = {name: shape for name, shape in found.items() if shape is not None}
    groups: list[list[str]] = []
    for name, shape in shapes.items():
        mine = [group for group in groups if any(_alike(shape, shapes[other]) for other in group)]
        groups = [group for group in groups if group not in mine]
        groups.append([*(other for group in mine for other in group), name])
    order = list(cells)
    groups = [sorted(group, key=order.index) for group in groups if len(group) > 1]
    return sorted(groups, key=lambda group: order.index(group[0]))


def copies(cells: Mapping[str, str]) -> list[list[str]]:
    """The groups of cells whose files are the same, byte by byte.

    Args:
        cells: {name: file}; files that cannot be read are in no group.

    Returns:
        [[name, ...]] of the groups of two and more, in the order of the cells.
    """
    groups: list[list[str]] = []
    sizes: dict[str, int] = {}
    for name, path in cells.items():
        try:
            sizes[name] = os.stat(path).st_size
            mine = next((group for group in groups if _same(group[0], name, cells, sizes)), None)
        except OSError:
            continue
        if mine is None:
            groups.append([name])
        else:
            mine.append(name)
    return [group for group in groups if len(group) > 1]


def _same(first: str, second: str, cells: Mapping[str, str], sizes: Mapping[str, int]) -> bool:
    return sizes[first] == sizes[second] and filecmp.cmp(cells[first], cells[second], shallow=False)


def _alike(first: _Shape, second: _Shape) -> bool:
    (tree, chords, length), (other_tree, other_chords, other_length) = first, second
    if tree != other_tree or not 1 / MAX_RATIO <= length / other_length <= MAX_RATIO:
        return False
    return likeness(chords, other_chords) >= (ALIKE if len(chords) >= SMALL else ALIKE_IF_SMALL)


def likeness(chords: np.ndarray, others: np.ndarray) -> float:
    """Likeness of two sets of chords, however one is turned or mirrored: 0 to 1.

    Args:
        chords, others: (N, 3) um, from the start to the end of each section, in the same order.
    """
    sizes = np.linalg.norm(chords) * np.linalg.norm(others)
    if sizes == 0.0:
        return 0.0
    # The best rotation of one onto the other (Kabsch) reaches the sum of the singular values.
    return float(np.linalg.svd(chords.T @ others, compute_uv=False).sum() / sizes)


def _shape(path: PathLike) -> _Shape | None:
    """(tree, chords, total length) of a cell, None when it cannot be read."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return _read_shape(str(path), status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=4096)
def _read_shape(path: str, _mtime: int, _size: int) -> _Shape | None:
    try:
        sections = list(open_as_used(path).iter())
    except InvalidInput:
        return None
    if not sections:
        return None
    places = {section.id: place for place, section in enumerate(sections)}
    parents = [-1 if s.is_root else places[s.parent.id] for s in sections]
    tree = tuple(parents), tuple(int(section.type) for section in sections)
    chords = np.array([section.points[-1] - section.points[0] for section in sections], dtype=float)
    length = sum(np.linalg.norm(np.diff(s.points, axis=0), axis=1).sum() for s in sections)
    return (tree, chords, float(length)) if length > 0 and np.isfinite(length) else None
