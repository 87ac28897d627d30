"""Small faults that files of reconstructions often have, mended when a cell is read.

What is learned from a cell must be true of the cell, and NeuroM, TMD and NeuroTS take these faults
in different ways (a radius of 0, an error without the cell's name, the axon's bars as a
dendrite's). So a cell is mended in one place, here, before any of them sees it, and every fault is
told as a Note:

* a soma whose points coincide, or nearly so, is the sphere of its largest point;
* a soma that is not there is the sphere that the dendrites begin on, where they begin around a
  place (of 423 real cells, the radius is 0.6 to 1.7 of that in their files in nine of ten);
* a tree has the type of its root: an axon that starts from a dendrite is left out of it, other
  branches count as the root's type;
* a tree of one point, or of no length, is passed over;
* a tree that begins at the soma's center (or inside the soma, at the very point where another one
  begins, too) begins where it leaves the soma, and one that begins
  exactly above the center (along z), so that it has no angle in the plane, a hair beside.

A cell without faults is used as its file is, bit by bit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.morphologies import open_morphology, without_warnings
from region_grower_flow.morphology import AXON, NEURITE_TYPES

if TYPE_CHECKING:
    import morphio

SMALL_SOMA = 0.6
"""Radius of a sphere of the soma's area, in radii of its largest point, below which the soma's
points lie so close together that the sphere of the largest is meant (a cone of one radius length
and the radii r and 0 has 0.59, a stack of real outlines 0.8 and more)."""
LARGEST_SOMA = 30.0
"""Median distance (um) of the dendrites' starts from their mean, in a cell without a soma, above
which they were cut off from each other and do not tell where the soma was."""
AT_CENTER = 0.1
"""Distance (um) from the soma's center within which a trunk's start has no direction."""
BESIDE = 0.01
"""Distance (um) from the z axis at which a trunk begins that would have begun on it."""

_DENDRITES = tuple(NEURITE_TYPES[name] for name in ("basal_dendrite", "apical_dendrite"))
_NAMES = {number: name.replace("_", " ") for name, number in NEURITE_TYPES.items()}


Point: TypeAlias = tuple[float, ...]
"""x, y, z (um)."""


class Note(NamedTuple):
    """Something odd about a cell that is used all the same.

    Attributes:
        text: of the cell: "3 of its 6 trees are of type 0 and are not used".
        kind: of several cells, behind "4 of 9 cells": "have trees of other types ...".
        point: (x, y, z) of the place in the file, or None.
        in_soma: whether it is a point of the soma.
    """

    text: str
    kind: str
    point: Point | None = None
    in_soma: bool = False


class Mended(NamedTuple):
    """A cell as it is used.

    Attributes:
        morphology: morphio.Morphology.
        notes: list of Note; empty: the morphology is that of the file.
    """

    morphology: morphio.Morphology
    notes: list[Note]


def open_as_used(path: PathLike) -> morphio.Morphology:
    """A cell as NeuroM, TMD and all else take it: its file, mended where that is needed.

    Raises:
        InvalidInput: the file is missing, or cannot be read.
    """
    return mend(open_morphology(path)).morphology


def mend(morphology: morphio.Morphology) -> Mended:
    """Mend a cell.

    Args:
        morphology: morphio.Morphology.

    Returns:
        Mended. A cell of which no tree would be left keeps its trees, for the examination to say
        what is wrong.
    """
    if not np.isfinite(morphology.points).all():
        return Mended(morphology, [])  # which the examination refuses
    soma = _sphere(morphology) or _between_trunks(morphology)
    center = soma[0] if soma else soma_center(morphology)
    radius = soma[1] if soma else soma_radius(morphology)
    shared = _shared_starts(morphology.root_sections, center, radius)
    plans = [_plan(root, center, shared) for root in morphology.root_sections]
    if all(plan.empty for plan in plans) or not (soma or any(plan.faults for plan in plans)):
        return Mended(morphology, [])
    from morphio import mut

    copy, notes = mut.Morphology(morphology, **without_warnings()), []
    if soma:
        notes.append(_mend_soma(copy, *soma))
    for plan, root in zip(plans, copy.root_sections, strict=True):
        plan.apply(copy, root, center, radius)
    notes += _tree_notes(plans)
    return Mended(copy.as_immutable(), notes)


def soma_center(morphology: morphio.Morphology) -> np.ndarray:
    """(3,) center (um) of a soma as NeuroM has it: a contour's mean, else its first point."""
    from morphio import SomaType

    points = morphology.soma.points.astype(float)
    if not len(points):
        return np.zeros(3)
    return (
        points.mean(axis=0) if morphology.soma_type == SomaType.SOMA_SIMPLE_CONTOUR else points[0]
    )


def soma_radius(morphology: morphio.Morphology) -> float:
    """Radius (um) of a soma; 0 for none, and for one that encloses nothing.

    Mirrors neurom.core.soma, by which NeuroTS learns it: the mean distance of a contour from its
    center, or the radius of the sphere that has the area of the cylinders (without their ends).
    """
    from morphio import SomaType

    points = morphology.soma.points.astype(float)
    radii = morphology.soma.diameters.astype(float) / 2
    kind = morphology.soma_type
    if kind == SomaType.SOMA_SINGLE_POINT:
        return float(radii[0])
    if kind == SomaType.SOMA_SIMPLE_CONTOUR:
        return float(np.linalg.norm(points - points.mean(axis=0), axis=1).mean())
    if kind == SomaType.SOMA_NEUROMORPHO_THREE_POINT_CYLINDERS:
        return float(np.sqrt(radii[0] * np.linalg.norm(points[2] - points[1]) / 2))
    if kind == SomaType.SOMA_CYLINDERS:
        slants = np.hypot(np.linalg.norm(np.diff(points, axis=0), axis=1), np.diff(radii))
        return float(np.sqrt(((radii[1:] + radii[:-1]) * slants).sum() / 4))
    return 0.0


def _sphere(morphology: morphio.Morphology) -> tuple[np.ndarray, float] | None:
    """(center, radius) of the sphere that the points of a soma stand for; None: for no sphere."""
    from morphio import SomaType

    three = morphology.soma_type == SomaType.SOMA_NEUROMORPHO_THREE_POINT_CYLINDERS
    if not three and morphology.soma_type != SomaType.SOMA_CYLINDERS:
        return None
    diameters = morphology.soma.diameters
    largest = int(np.argmax(diameters))
    radius = float(diameters[largest]) / 2
    # NeuroM refuses three points of different radii.
    odd = three and not np.allclose(diameters, diameters[0])
    small = soma_radius(morphology) <= SMALL_SOMA * radius
    if not np.isfinite(diameters).all() or radius == 0.0 or not (odd or small):
        return None
    return morphology.soma.points[largest].astype(float), radius


def _between_trunks(morphology: morphio.Morphology) -> tuple[np.ndarray, float] | None:
    """(center, radius) of the sphere that dendrites begin on, in a cell without a soma; or None."""
    if len(morphology.soma.points):
        return None
    roots = [root for root in morphology.root_sections if int(root.type) in _DENDRITES]
    starts = np.array([root.points[0] for root in roots if len(root.points)], dtype=float)
    if len(starts) < 2:
        return None
    center = starts.mean(axis=0)
    radius = float(np.median(np.linalg.norm(starts - center, axis=1)))
    return (center, radius) if AT_CENTER < radius <= LARGEST_SOMA else None


def _mend_soma(copy: morphio.mut.Morphology, center: np.ndarray, radius: float) -> Note:
    from morphio import SomaType

    count = len(copy.soma.points)
    copy.soma.points, copy.soma.diameters = [center], [2 * radius]
    copy.soma.type = SomaType.SOMA_SINGLE_POINT
    if not count:
        return Note(
            f"it has no soma: one of {radius:.3g} um is put where its dendrites begin",
            "have no soma: one is put where their dendrites begin, as large as they leave room for",
        )
    return Note(
        f"the {count} points of its soma enclose little: it is a sphere of {radius:.3g} um",
        "have a soma whose points coincide, or nearly so: it is used as a sphere",
        tuple(center),
        True,
    )


class _Plan(NamedTuple):
    """Faults of a tree.

    Attributes:
        kind: its type.
        empty: it has no length.
        central: it begins at the soma's center.
        above: it begins exactly above or below the center, along z.
        axons: places of the sections (in depth-first order) at which axons leave a dendrite.
        others: how many of its sections are of another type than the root, but for those axons.
        point: its first point.
        points: its number of points.
    """

    kind: int
    empty: bool
    central: bool
    above: bool
    axons: tuple[int, ...]
    others: int
    point: Point | None
    points: int

    @property
    def faults(self) -> bool:
        """True if anything is to be mended."""
        return self.empty or self.central or self.above or bool(self.axons) or self.others > 0

    def apply(
        self, copy: morphio.mut.Morphology, root: Any, center: np.ndarray, radius: float
    ) -> None:
        """Mend the tree of this root in a mutable copy of the cell."""
        if self.empty:
            copy.delete_section(root, True)
            return
        if self.axons or self.others:
            sections = list(root.iter())
            for place in self.axons:
                _cut(copy, sections[place])
            for section in root.iter():
                section.type = root.type
        if self.central:
            root.points = _from_surface(root.points, center, radius)
        if (self.above or self.central) and _is_above(root.points[0], center):
            root.points = [root.points[0] + [BESIDE, 0, 0], *root.points[1:]]


def _shared_starts(roots: Iterable[Any], center: np.ndarray, radius: float) -> set[Point]:
    """The points inside the soma at which several trees begin: the tracer's idea of its center."""
    starts = [tuple(root.points[0].tolist()) for root in roots if len(root.points)]
    return {
        start
        for start in set(starts)
        if starts.count(start) > 1 and np.linalg.norm(np.array(start) - center) < radius
    }


def _plan(root: Any, center: np.ndarray, shared: Collection[Point]) -> _Plan:
    sections = list(root.iter())
    kind, axons, others = int(root.type), [], 0
    types = [int(section.type) for section in sections]
    if any(other != kind for other in types):
        inside = set()
        for place, (section, other) in enumerate(zip(sections, types, strict=True)):
            parent = None if section.is_root else section.parent.id
            if parent in inside:
                inside.add(section.id)
            elif other == AXON and kind != AXON:
                inside.add(section.id)
                axons.append(place)
            else:
                others += other != kind
    points = root.points
    first = tuple(points[0].tolist()) if len(points) else None
    origin = np.array(first) if first in shared else center
    away = np.linalg.norm(points - origin, axis=1) > AT_CENTER
    empty = not any(np.ptp(section.points, axis=0).any() for section in sections)
    # A trunk that ends at the center, too, has no direction: the examination refuses it.
    central = bool(len(away) and not away[0] and away.any())
    count = sum(len(section.points) for section in sections)
    above = bool(len(away) and away[0]) and _is_above(points[0], center)
    return _Plan(
        kind, empty, central and not empty, above and not empty, tuple(axons), others, first, count
    )


def _is_above(point: np.ndarray, center: np.ndarray) -> bool:
    return bool((np.abs(point - center)[:2] < 1e-6).all())


def _cut(copy: morphio.mut.Morphology, section: Any) -> None:
    """Delete a section and all below it; a parent left with one child goes on with that one."""
    parent = section.parent
    copy.delete_section(section, True)
    if len(parent.children) == 1:
        child = parent.children[0]
        parent.points = np.concatenate([parent.points, child.points[1:]])
        parent.diameters = np.concatenate([parent.diameters, child.diameters[1:]])
        copy.delete_section(child, False)


def _from_surface(points: np.ndarray, center: np.ndarray, radius: float) -> np.ndarray:
    """A trunk's points, with the first ones, at the center, moved to where it leaves the soma."""
    points = points.astype(float)
    distances = np.linalg.norm(points - center, axis=1)
    # The trunk leaves the place where it was begun, which may be beside the center.
    left = np.linalg.norm(points - points[0], axis=1) > AT_CENTER
    outside = int(np.argmax(left & (distances > AT_CENTER)))
    direction = (points[outside] - center) / distances[outside]
    start = center + direction * min(radius, distances[outside] / 2)
    points[:outside] = start
    return points.astype(np.float32)


def _tree_notes(plans: Sequence[_Plan]) -> Iterator[Note]:
    """The notes on the trees of a cell, one of each sort."""
    total = len(plans)
    empty = [plan for plan in plans if plan.empty]
    if empty:
        what = "one point" if all(plan.points == 1 for plan in empty) else "no length"
        yield Note(
            _of(empty, total, f"has {what} and is passed over", f"have {what} and are passed over"),
            "have trees of one point or of no length, which are passed over",
            empty[0].point,
        )
    central = [plan for plan in plans if plan.central]
    if central:
        yield Note(
            f"{_of(central, total, 'begins', 'begin', central[0].kind)} at the soma's center: "
            "moved to the surface of the soma",
            "have trees that begin at the soma's center: moved to its surface",
            central[0].point,
        )
    above = [plan for plan in plans if plan.above]
    if above:
        yield Note(
            f"{_of(above, total, 'begins', 'begin', above[0].kind)} exactly along z from the "
            f"soma's center: moved by {BESIDE:g} um",
            f"have trees that begin exactly along z from the soma: moved by {BESIDE:g} um",
            above[0].point,
        )
    carrying = [plan for plan in plans if plan.axons and not plan.empty]
    if carrying:
        carry = _of(carrying, total, "carries an axon", "carry axons", carrying[0].kind)
        yield Note(
            f"{carry}, which is left out",
            "have dendrites that carry an axon, which is left out of them",
            carrying[0].point,
        )
    mixed = [plan for plan in plans if plan.others and not plan.empty]
    if mixed:
        kind = _NAMES.get(mixed[0].kind, f"type {mixed[0].kind}")
        yield Note(
            f"{_of(mixed, total, 'has', 'have')} branches of other types, which count as {kind}",
            "have trees with branches of several types, which count as that of the root",
            mixed[0].point,
        )


def _of(
    plans: Sequence[_Plan], total: int, of_one: str, of_several: str, kind: int | None = None
) -> str:
    """How many trees of a cell do something: ``2 of its 6 trees begin``."""
    trees = f"{_NAMES[kind]}s" if kind in _NAMES else f"{total} trees"
    return f"{len(plans)} of its {trees} {of_one if len(plans) == 1 else of_several}"
