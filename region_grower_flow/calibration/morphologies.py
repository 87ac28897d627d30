"""One reference cell: does it load, and what dendrites does it have?

Only MorphIO is needed here, so that all cells are examined before NeuroTS is imported and any
work begins. A cell is usable when its file loads, all its points are finite, it has a soma with a
size and at least one dendritic tree, its dendrites have directions and diameters, and it has the
size of a neuron. Small faults are mended (:mod:`mending`), and told as notes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.calibration.dataset import Dataset, ReferenceCell
from region_grower_flow.calibration.frames import Frame, elongation, frame_of, longest_axis
from region_grower_flow.calibration.mending import AT_CENTER, Note, mend, soma_center, soma_radius
from region_grower_flow.calibration.places import line_of, unread_trees
from region_grower_flow.errors import InvalidInput, some
from region_grower_flow.io.morphologies import open_morphology
from region_grower_flow.morphology import APICAL_DENDRITE, NEURITE_TYPES

if TYPE_CHECKING:
    import morphio

FLAT = "without depth along z"
"""Part of the note on a cell whose angles and lengths are those of its projection."""
FLAT_DEPTH = 0.01
"""Depth (um) along z up to which a cell is FLAT."""

DENDRITES = ("basal_dendrite", "apical_dendrite")
MAX_ZERO_DIAMETERS = 0.1
"""Fraction of dendrite points without a diameter from which no diameter model can be fitted."""

NO_SIZE = "its soma has no size"
SIZE_HINT = (
    "A contour that was written as swc has no radii: use the h5 or asc file, or give the soma as "
    "one point with a radius"
)

UNITS_HINT = "Micrometres are expected: are the units of the file nanometres, or millimetres?"
USUAL_RADII, POSSIBLE_RADII = (1.0, 50.0), (0.05, 500.0)
"""Radii of somas (um): of nearly all neurons, and of any (rat and mouse cortex: 4 to 16)."""
USUAL_REACH, POSSIBLE_REACH = (15.0, 4000.0), (1.0, 50000.0)
"""Distances (um) from the soma to the dendrites' farthest point: likewise (80 to 2300)."""
MAX_STEP = 0.1
"""Distance (um) of neighbouring numbers of single precision, from which points are lost to them
(coordinates above 1 m)."""
MAX_GAP = 50.0
"""Distance (um) between the soma's surface and a tree from which it is told (rat and mouse have up
to 16)."""

Fault: TypeAlias = tuple[str, str | None, tuple[float, ...] | None]
"""(sentence, hint, point in the file) of what is wrong with a cell."""

_TYPE_NAMES = {number: name for name, number in NEURITE_TYPES.items()}


@dataclass
class ExaminedCell:
    """Findings about a reference cell before extraction.

    Attributes:
        name: its name in the dat file.
        mtype: the mtype that it stands for.
        path: its file.
        problem: why it cannot be used, or None; ``hint`` is what to do about it, or None.
        line: the line of its file where the problem is, or None.
        notes: list of Note: what is odd about it, though it is used.
        trees: {neurite type: number of trees}; a tree has the type of its root section.
        tips: {neurite type: terminations of the tree that has most of them}; here a tree has the
            type of most of its points, as in TMD.
        use_axon: whether its axon can be used, as the table says.
        offset: distance (um) of its soma from the origin, None when it cannot be used.
        tilt: angle (degrees) between its apical dendrite and +y, None without one.
        long: its longest direction and how much longer it is so, see ``frames.elongation``.
        thinnest: {neurite type: its least diameter (um) above 0}, by the types of sections.
    """

    name: str
    mtype: str
    path: str
    problem: str | None = None
    hint: str | None = None
    line: int | None = None
    notes: list[Note] = field(default_factory=list)
    trees: dict[str, int] = field(default_factory=dict)
    tips: dict[str, int] = field(default_factory=dict)
    use_axon: bool = True
    offset: float | None = None
    tilt: float | None = None
    long: tuple[list[float], float] | None = None
    thinnest: dict[str, float] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Its file, with the line of the problem where there is one."""
        return self.path if self.line is None else f"{self.path}, line {self.line}"

    @property
    def reason(self) -> str | None:
        """The problem, with the line of the file where there is one."""
        return self.problem if self.line is None else f"{self.problem} (line {self.line})"

    def as_dict(self) -> dict[str, Any]:
        """The cell as JSON-able values."""
        return asdict(self) | {"notes": [note.text for note in self.notes]}


def examine_cell(cell: ReferenceCell, mtype: str) -> ExaminedCell:
    """Load a reference cell with MorphIO and see what it has.

    Args:
        cell: the ReferenceCell.
        mtype: its mtype.

    Returns:
        ExaminedCell; nothing is raised for a bad file, its ``problem`` says what is wrong.
    """
    examined = ExaminedCell(cell.name, mtype, cell.path, use_axon=cell.use_axon)
    try:
        mended = mend(open_morphology(cell.path))
    except InvalidInput as error:
        examined.problem, examined.hint = error.problem, error.hint
        return examined
    outline = _Outline(mended.morphology)
    examined.trees, examined.tips = outline.trees(), outline.tips()
    fault = _fault(outline, mended.notes)
    if fault is not None:
        examined.problem, examined.hint, point = fault
        examined.line = line_of(cell.path, point, in_soma="soma has" in fault[0])
        return examined
    notes = [_placed(note, cell.path) for note in mended.notes]
    examined.notes = [*notes, *_notes(outline, cell.path)]
    examined.offset, examined.tilt = outline.frame()
    examined.long = outline.elongation()
    examined.thinnest = outline.thinnest()
    return examined


def _placed(note: Note, path: str) -> Note:
    """The note with the line of its file, where the format has lines."""
    line = line_of(path, note.point, note.in_soma)
    return note if line is None else note._replace(text=f"{note.text} (line {line})")


def examine_dataset(dataset: Dataset) -> dict[str, list[ExaminedCell]]:
    """Examine all cells of a Dataset: {mtype: [ExaminedCell]}, in its order."""
    return {
        mtype: [examine_cell(cell, mtype) for cell in cells]
        for mtype, cells in dataset.mtypes.items()
    }


class _Outline:
    """A morphology as the few arrays that are looked at (each read from MorphIO once)."""

    def __init__(self, morphology: morphio.Morphology) -> None:
        self.points, self.diameters = morphology.points, morphology.diameters
        self.soma_points = morphology.soma.points
        self.soma_is_finite = (
            np.isfinite(morphology.soma.points).all()
            and np.isfinite(morphology.soma.diameters).all()
        )
        self.soma_radius, self.soma_center = soma_radius(morphology), soma_center(morphology)
        # Nothing is measured from it in a cell without a soma, which has a fault.
        self.center: Any = None
        if len(self.soma_points):
            self.center = morphology.soma.center.astype(float)
        self.types = np.asarray(morphology.section_types)
        self.offsets = np.asarray(morphology.section_offsets).astype(int)
        self.sizes = np.diff(self.offsets)
        self.children = morphology.connectivity
        self.roots = self.children.get(-1, [])
        self.in_section = np.isin(self.types, [NEURITE_TYPES[name] for name in DENDRITES])
        self.in_dendrite = np.repeat(self.in_section, self.sizes)

    def trees(self) -> dict[str, int]:
        counts = Counter(_TYPE_NAMES.get(int(self.types[root])) for root in self.roots)
        return {name: counts[name] for name in NEURITE_TYPES if counts[name]}

    def tips(self) -> dict[str, int]:
        tips: dict[str, int] = {}
        for root in self.roots:
            sections = self._below(root)
            # TMD keeps the first point of a tree, then each section without its first point.
            sizes = self.sizes[sections] - 1
            sizes[0] += 1
            kind = int(np.median(np.repeat(self.types[sections], sizes)))
            if kind in _TYPE_NAMES:
                name = _TYPE_NAMES[kind]
                count = sum(not self.children.get(section) for section in sections)
                tips[name] = max(tips.get(name, 0), count)
        return {name: tips[name] for name in NEURITE_TYPES if name in tips}

    def frame(self) -> Frame:
        trees = [
            [self.points[self.offsets[i] : self.offsets[i + 1]] for i in self._below(root)]
            for root in self.roots
            if self.types[root] == APICAL_DENDRITE
        ]
        return frame_of(self.center, longest_axis(trees, self.center))

    def elongation(self) -> tuple[list[float], float] | None:
        """See :func:`region_grower_flow.calibration.frames.elongation`."""
        bounds = zip(self.offsets[:-1], self.offsets[1:], self.in_section, strict=True)
        found = elongation([self.points[a:b] for a, b, kept in bounds if kept], self.center)
        return None if found is None else (found[0].tolist(), found[1])

    def dendrites(self) -> list[int]:
        """The root sections of its dendrites."""
        return [root for root in self.roots if _TYPE_NAMES.get(int(self.types[root])) in DENDRITES]

    def have_length(self) -> bool:
        """True if any section of a dendrite has a length."""
        sections = zip(self.offsets[:-1], self.offsets[1:], self.in_section, strict=True)
        return any(np.ptp(self.points[a:b], axis=0).any() for a, b, kept in sections if kept)

    def gap(self, root: int) -> float:
        """Distance (um) of a tree's first point from the soma's surface."""
        start = self.points[self.offsets[root]].astype(float)
        return float(np.linalg.norm(start - self.soma_center)) - self.soma_radius

    def is_flat(self) -> bool:
        """True if all its dendrites lie in a plane across z."""
        depths = self.points[self.in_dendrite][:, 2]
        return len(depths) > 0 and float(np.ptp(depths)) <= FLAT_DEPTH

    def sizes_in_um(
        self, radii: tuple[float, float], reaches: tuple[float, float]
    ) -> Iterator[tuple[str, float, tuple[float, float]]]:
        """(words, value (um), limits) of what shows the unit of a file."""
        points = self.points[self.in_dendrite].astype(float)
        reach = float(np.linalg.norm(points - self.soma_center, axis=1).max())
        yield "its soma has a radius of", self.soma_radius, radii
        yield "its dendrites reach", reach, reaches

    def thinnest(self) -> dict[str, float]:
        kinds = np.repeat(self.types, self.sizes)
        found = {
            name: self.diameters[(kinds == kind) & (self.diameters > 0)]
            for name, kind in NEURITE_TYPES.items()
        }
        return {name: float(values.min()) for name, values in found.items() if len(values)}

    def _below(self, root: int) -> np.ndarray:
        sections, pending = [], [root]
        while pending:
            section = pending.pop()
            sections.append(section)
            pending.extend(self.children.get(section, []))
        return np.array(sections)

    def zero_diameters(self) -> int:
        return int((self.diameters[self.in_dendrite] == 0).sum())


def _fault(outline: _Outline, mended: Iterable[Note]) -> Fault | None:
    """Fault of a loaded cell: (sentence, hint or None, point or None); None when it has none."""
    finite = np.isfinite(outline.points).all(axis=1) & np.isfinite(outline.diameters)
    if not (finite.all() and outline.soma_is_finite):
        return "it has points or diameters that are not finite", None, None
    if len(outline.soma_points) == 0:
        return "it has no soma, and its dendrites do not begin around one", None, None
    trees = outline.trees()
    if not any(name in trees for name in DENDRITES):
        passed = next((note for note in mended if "passed over" in note.text), None)
        words = f"; {passed.text}" if passed else ""
        return f"it has no dendrites ({_present(outline, trees)}{words})", None, None
    if not outline.have_length():
        return "its dendrites have no length", None, tuple(outline.points[outline.in_dendrite][0])
    return _fault_of_diameters(outline) or _fault_of_soma(outline) or _fault_of_place(outline)


def _fault_of_place(outline: _Outline) -> Fault | None:
    farthest = np.abs(outline.points).max()
    step = float(np.spacing(np.float32(farthest)))
    if step <= MAX_STEP:
        return None
    words = f"its coordinates reach {farthest:.3g} um, where MorphIO's are {step:.3g} um apart"
    return words, "Move its soma to the origin in the file", None


def _fault_of_diameters(outline: _Outline) -> Fault | None:
    diameters = outline.diameters[outline.in_dendrite]
    if (diameters < 0).any():
        place = outline.points[outline.in_dendrite][int(np.argmax(diameters < 0))]
        return "its dendrites have negative diameters", None, tuple(place)
    without = outline.zero_diameters()
    if without > MAX_ZERO_DIAMETERS * len(diameters):
        return (
            f"{without} of the {len(diameters)} points of its dendrites have a diameter of zero, "
            "so no diameters can be learned from it",
            None,
            None,
        )
    return None


def _fault_of_soma(outline: _Outline) -> Fault | None:
    if outline.soma_radius <= 0:
        count = len(outline.soma_points)
        flat = count == 2 and np.ptp(outline.soma_points, axis=0).any()
        words = f"{NO_SIZE}: a contour of 2 points encloses nothing" if flat else NO_SIZE
        return words, SIZE_HINT, tuple(outline.soma_points[0])
    for what, value, (least, most) in outline.sizes_in_um(POSSIBLE_RADII, POSSIBLE_REACH):
        if not least <= value <= most:
            return f"{what} {value:.3g} um, which no neuron has", UNITS_HINT, None
    for root in outline.dendrites():
        start = outline.points[outline.offsets[root]]
        if np.linalg.norm(start - outline.soma_center) <= AT_CENTER:
            kind = _TYPE_NAMES[int(outline.types[root])].replace("_", " ")
            words = f"one of its {kind}s branches at the soma's center, so it has no direction"
            return words, "Let it begin at the soma's surface", tuple(start)
    return None


def _notes(outline: _Outline, path: str) -> Iterator[Note]:
    """Notes on a cell that is used."""
    if outline.is_flat():
        yield Note(f"it is flat, {FLAT}", f"are flat, {FLAT}, as grown ones are not")
    without = outline.zero_diameters()
    if without:
        yield Note(
            f"{without} points of its dendrites have a diameter of zero",
            "have dendrites with diameters of zero",
        )
    trees = outline.trees()
    if "basal_dendrite" not in trees:
        yield Note("it has no basal dendrite", "have no basal dendrite")
    yield from _unused_trees(outline, path)
    for what, value, (least, most) in outline.sizes_in_um(USUAL_RADII, USUAL_REACH):
        if not least <= value <= most:
            size = "large" if value > most else "small"
            unit = "nanometres, or voxels" if value > most else "millimetres, or voxels"
            yield Note(
                f"{what} {value:.3g} um, too {size} for most neurons (is the file in {unit}?)",
                f"are unusually {size} (are their files in {unit}?)",
            )
    far = [root for root in outline.dendrites() if outline.gap(root) > MAX_GAP]
    if far:
        gap = max(outline.gap(root) for root in far)
        words = "1 tree begins" if len(far) == 1 else f"{len(far)} trees begin"
        yield Note(
            f"{words} more than {MAX_GAP:g} um from the soma (up to {gap:.0f} um)",
            f"have trees that begin more than {MAX_GAP:g} um from the soma, as if cut off from it",
        )


def _unused_trees(outline: _Outline, path: str) -> Iterator[Note]:
    """Notes on trees that are neither axon nor dendrite."""
    kinds = Counter(int(outline.types[root]) for root in outline.roots)
    others = sorted(kind for kind in kinds if kind not in _TYPE_NAMES)
    unread = unread_trees(path)
    count = sum(kinds[kind] for kind in others) + len(unread)
    if not count:
        return
    what = f"of type {some(others)}" if others else "without a label of axon or dendrite"
    total = len(outline.roots) + len(unread)
    place = f" (line {some(unread, 3)})" if unread else ""
    yield Note(
        f"{count} of its {total} trees are {what} and are not used{place}",
        "have trees of other types than axon and dendrite (types 0, 5, ...), which are not used",
    )


def _present(outline: _Outline, trees: Mapping[str, int]) -> str:
    if trees:
        return "its trees are: " + ", ".join(f"{n} {name}" for name, n in trees.items())
    kinds = sorted({int(outline.types[root]) for root in outline.roots})
    return f"its trees are of the types {kinds}" if kinds else "it has no trees at all"
