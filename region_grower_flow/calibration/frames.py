"""The frame of a reconstruction: is its soma at the origin, and is the pia along +y?

NeuroTS measures directions against +y, and so do the distributions. Reconstructions that come
straight from an image have their soma anywhere and the pia in any direction. What shows the
direction of the pia is the apical dendrite: its axis is that of
morph_tool.transform.align_morphology (method ``whole``: the principal axis, about the soma, of the
points of the tree). Three things differ: pieces of the tree count by their length, so that the
spacing of points does not matter; the sense of the axis comes from the tree as seen from the soma,
not from the origin; and a tree that points exactly down is turned too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from region_grower_flow.errors import InvalidInput

MAX_OFFSET = 10.0
"""Distance (um) of a soma from the origin, about its own radius, from which it is reported."""
MAX_TILT = 45.0
"""Angle (degrees) between the apical axis and +y from which it is reported."""
FEWEST_FOR_DIRECTIONS, LONG, MIN_ALIGNED = 6, 1.9, 0.66
"""Cells of which the directions tell something, the elongation from which a cell has one, and the
alignment below which they are told to lie anyhow."""
AXES = "xyz"
UP = np.array([0.0, 1.0, 0.0])
_DOWN_TOLERANCE = 1e-12
_NEARLY_DOWN = 1e-8
"""Cosine, above -1, up to which a rotation is made of a half-turn and a small one: the formula for
others divides by it."""


class Frame(NamedTuple):
    """Position and direction of a cell.

    Attributes:
        offset: distance (um) of the soma's center from the origin.
        tilt: angle (degrees) between its apical axis and +y, None without an apical dendrite.
    """

    offset: float
    tilt: float | None


def frame_of(center: np.ndarray, axis: np.ndarray | None) -> Frame:
    """The Frame of a cell.

    Args:
        center: (3,) the soma's center (um).
        axis: (3,) unit vector of its apical dendrite, or None.
    """
    tilt = None if axis is None else float(np.degrees(np.arccos(np.clip(axis @ UP, -1.0, 1.0))))
    return Frame(float(np.linalg.norm(center)), tilt)


def apical_axis(sections: Sequence[np.ndarray], center: np.ndarray) -> np.ndarray | None:
    """The direction in which an apical tree points from the soma.

    Args:
        sections: list of (n, 3) arrays, the points (um) of the sections of the tree.
        center: (3,) the soma's center (um).

    Returns:
        (3,) unit vector; None where the tree has no length.
    """
    lengths, middles, moments = _segments(sections, center)
    if not lengths.sum() or not moments.any():
        return None
    axis = np.linalg.eigh(moments)[1][:, -1]
    return axis if lengths @ (middles @ axis) >= 0 else -axis


def _segments(
    sections: Sequence[np.ndarray], center: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lengths (n,), middles (n, 3) from the center, and (3, 3) moments of all segments."""
    starts = np.concatenate([points[:-1] for points in sections]).astype(float) - center
    ends = np.concatenate([points[1:] for points in sections]).astype(float) - center
    lengths = np.linalg.norm(ends - starts, axis=1)
    middles = (starts + ends) / 2
    return lengths, middles, (middles * lengths[:, np.newaxis]).T @ middles


def elongation(
    sections: Sequence[np.ndarray], center: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """The direction in which a cell is longest, and how much longer than across it.

    Args:
        sections: list of (n, 3) arrays, the points (um) of its dendrites.
        center: (3,) the soma's center (um).

    Returns:
        ((3,) unit vector of either sense, ratio of the spreads along it and along the next axis);
        None where the dendrites lie on a line or have no length.
    """
    squares, axes = np.linalg.eigh(_segments(sections, center)[2])
    if not np.isfinite(squares).all() or squares[1] <= 1e-12 * squares[2]:
        return None
    return axes[:, -1], float(np.sqrt(squares[2] / squares[1]))


def describe_directions(elongations: Mapping[str, tuple[Any, float] | None]) -> Iterator[str]:
    """A sentence on an mtype without apical dendrites whose cells lie in all directions, or none.

    In sets of reconstructions that stand upright, long cells of an mtype lie in one direction: the
    mean of their axes' outer products has an eigenvalue of 0.69 to 0.99; turned at random in the
    plane of the slice, of 0.53 to 0.62.

    Args:
        elongations: {name of the cell: what :func:`elongation` returns}.
    """
    known = [found for found in elongations.values() if found is not None]
    if len(known) < FEWEST_FOR_DIRECTIONS or np.median([r for _, r in known]) < LONG:
        return
    axes = np.array([axis for axis, _ in known])
    if np.linalg.eigvalsh(axes.T @ axes / len(axes))[-1] < MIN_ALIGNED:
        yield (
            f"its {len(known)} cells are long, but lie in different directions: if the pia is not "
            "along +y in their files, they will grow into stars (see pia_direction)"
        )


def longest_axis(trees: Sequence[Sequence[np.ndarray]], center: np.ndarray) -> np.ndarray | None:
    """The direction of the longest of some trees, None without trees.

    A cell with two apical dendrites (L6_BPC) has them up and down: the longer one decides.

    Args:
        trees: lists of the (n, 3) points of sections.
        center: (3,) the soma's center (um).
    """
    if not trees:
        return None
    return apical_axis(max(trees, key=_length), center)


def _length(tree: Iterable[np.ndarray]) -> float:
    return sum(np.linalg.norm(np.diff(points, axis=0), axis=1).sum() for points in tree)


def rotation_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The smallest rotation that turns a unit vector onto another: (3, 3) matrix.

    Opposite vectors are turned about z, the depth of a slice in most reconstructions (about x,
    where these vectors are along z).
    """
    cosine = float(start @ end)
    if cosine < -1.0 + _DOWN_TOLERANCE:
        axis = np.array([0.0, 0.0, 1.0]) if abs(start[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
        axis -= (axis @ start) * start
        axis /= np.linalg.norm(axis)
        return 2.0 * np.outer(axis, axis) - np.eye(3)
    if cosine < -1.0 + _NEARLY_DOWN:
        return rotation_between(-start, end) @ rotation_between(start, -start)
    x, y, z = np.cross(start, end)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + cross + cross @ cross / (1.0 + cosine)


def parse_direction(text: object) -> np.ndarray:
    """A direction from ``+y``, ``-z``, ... or from three numbers: (3,) unit vector.

    Raises:
        InvalidInput: it is neither.
    """
    words = str(text).strip().lower().replace(",", " ").replace(";", " ").split()
    if len(words) == 1 and re.fullmatch("[+-]?[xyz]", words[0]):
        axis = np.eye(3)[AXES.index(words[0][-1])]
        return -axis if words[0].startswith("-") else axis
    try:
        vector = np.array([float(word) for word in words])
    except ValueError:
        vector = np.zeros(0)
    if len(vector) != 3 or not np.isfinite(vector).all() or not vector.any():
        raise InvalidInput(
            f"{str(text)!r} is no direction", hint="Give an axis (-y) or three numbers (0 -1 0)"
        )
    return vector / np.linalg.norm(vector)


def describe_frames(frames: Mapping[str, Frame], inverted: bool = False) -> Iterator[str]:
    """Sentences (without full stop) on the cells of an mtype that are not in the expected frame.

    Args:
        frames: {name of the cell: Frame}.
        inverted: whether they are known to be inverted cells.
    """
    away = {name: frame.offset for name, frame in frames.items() if frame.offset > MAX_OFFSET}
    if away:
        name = max(away, key=away.__getitem__)
        yield (
            f"{len(away)} of {len(frames)} cells have their soma more than {MAX_OFFSET:g} um from "
            f"the origin ({name}: {away[name]:.0f} um), as in image coordinates (see "
            "morphology_frame)"
        )
    tilts = {name: frame.tilt for name, frame in frames.items() if frame.tilt is not None}
    tilts = {} if inverted else tilts
    tilted = {name: tilt for name, tilt in tilts.items() if tilt > MAX_TILT}
    if tilted:
        name = max(tilted, key=tilted.__getitem__)
        yield (
            f"{len(tilted)} of {len(tilts)} apical dendrites are turned more than {MAX_TILT:g} "
            f"degrees from +y ({name}: {tilted[name]:.0f} degrees): the pia is not along +y (see "
            "morphology_frame), or they are inverted cells (see inverted_mtypes)"
        )
