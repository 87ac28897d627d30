"""One reference cell: does it load, and what dendrites does it have?

Only MorphIO is needed here, so that all cells are examined before NeuroTS is imported and any
work begins. A cell is usable when its file loads, all its points are finite, it has a soma with a
size and at least one dendritic tree, and its dendrites have diameters.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field

import numpy as np

from region_grower_flow.calibration.frames import frame_of, longest_axis
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.morphologies import open_morphology
from region_grower_flow.morphology import APICAL_DENDRITE, NEURITE_TYPES

DENDRITES = ("basal_dendrite", "apical_dendrite")
MAX_ZERO_DIAMETERS = 0.1
"""Fraction of dendrite points without a diameter from which no diameter model can be fitted."""

NO_SIZE = "its soma has no size"
SIZE_HINT = (
    "A contour that was written as swc has no radii: use the h5 or asc file, or give the soma as "
    "one point with a radius"
)

_TYPE_NAMES = {number: name for name, number in NEURITE_TYPES.items()}


@dataclass
class ExaminedCell:
    """What is known of a reference cell before extraction.

    Attributes:
        name: its name in the dat file.
        mtype: the mtype that it stands for.
        path: its file.
        problem: why it cannot be used, or None; ``hint`` is what to do about it, or None.
        notes: what is odd about it, though it is used.
        trees: {neurite type: number of trees}; a tree has the type of its root section.
        tips: {neurite type: terminations of the tree that has most of them}; here a tree has the
            type of most of its points, as in TMD.
        use_axon: whether its axon can be used, as the table says.
        offset: distance (um) of its soma from the origin, None when it cannot be used.
        tilt: angle (degrees) between its apical dendrite and +y, None without one.
    """

    name: str
    mtype: str
    path: str
    problem: str | None = None
    hint: str | None = None
    notes: list = field(default_factory=list)
    trees: dict = field(default_factory=dict)
    tips: dict = field(default_factory=dict)
    use_axon: bool = True
    offset: float | None = None
    tilt: float | None = None

    def as_dict(self):
        """The cell as JSON-able values."""
        return asdict(self)


def examine_cell(cell, mtype):
    """Load a reference cell with MorphIO and see what it has.

    Args:
        cell: the ReferenceCell.
        mtype: its mtype.

    Returns:
        ExaminedCell; nothing is raised for a bad file, its ``problem`` says what is wrong.
    """
    examined = ExaminedCell(cell.name, mtype, cell.path, use_axon=cell.use_axon)
    try:
        outline = _Outline(open_morphology(cell.path))
    except InvalidInput as error:
        examined.problem, examined.hint = error.problem, error.hint
        return examined
    examined.trees, examined.tips = outline.trees(), outline.tips()
    examined.problem = _problem(outline)
    examined.hint = SIZE_HINT if examined.problem == NO_SIZE else None
    if examined.problem is None:
        examined.notes = _notes(outline)
        examined.offset, examined.tilt = outline.frame()
    return examined


def examine_dataset(dataset):
    """Examine all cells of a Dataset: {mtype: [ExaminedCell]}, in its order."""
    return {
        mtype: [examine_cell(cell, mtype) for cell in cells]
        for mtype, cells in dataset.mtypes.items()
    }


class _Outline:
    """A morphology as the few arrays that are looked at (each read from MorphIO once)."""

    def __init__(self, morphology):
        self.points, self.diameters = morphology.points, morphology.diameters
        self.soma_points = morphology.soma.points
        self.soma_size = _soma_size(morphology)
        self.center = morphology.soma.center.astype(float)
        self.types = np.asarray(morphology.section_types)
        self.offsets = np.asarray(morphology.section_offsets).astype(int)
        self.sizes = np.diff(self.offsets)
        self.children = morphology.connectivity
        self.roots = self.children.get(-1, [])
        kinds = np.repeat(self.types, self.sizes)
        self.in_dendrite = np.isin(kinds, [NEURITE_TYPES[name] for name in DENDRITES])

    def trees(self):
        counts = Counter(_TYPE_NAMES.get(int(self.types[root])) for root in self.roots)
        return {name: counts[name] for name in NEURITE_TYPES if counts[name]}

    def tips(self):
        tips = {}
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

    def frame(self):
        trees = [
            [self.points[self.offsets[i] : self.offsets[i + 1]] for i in self._below(root)]
            for root in self.roots
            if self.types[root] == APICAL_DENDRITE
        ]
        return frame_of(self.center, longest_axis(trees, self.center))

    def _below(self, root):
        sections, pending = [], [root]
        while pending:
            section = pending.pop()
            sections.append(section)
            pending.extend(self.children.get(section, []))
        return np.array(sections)

    def zero_diameters(self):
        return int((self.diameters[self.in_dendrite] == 0).sum())


def _soma_size(morphology):
    """The greatest extent (um) of a contour, the greatest diameter of another soma; 0 for none."""
    from morphio import SomaType

    points, diameters = morphology.soma.points, morphology.soma.diameters
    if not len(points):
        return 0.0
    if morphology.soma_type in (SomaType.SOMA_SIMPLE_CONTOUR, SomaType.SOMA_UNDEFINED):
        return float(np.ptp(points, axis=0).max())
    return float(diameters.max())


def _problem(outline):
    """The sentence that says why a loaded cell is of no use, or None."""
    if not (np.isfinite(outline.points).all() and np.isfinite(outline.diameters).all()):
        return "it has points or diameters that are not finite"
    if len(outline.soma_points) == 0:
        return "it has no soma, so its trunks have no directions"
    trees = outline.trees()
    if not any(name in trees for name in DENDRITES):
        return f"it has no dendrites ({_present(outline, trees)})"
    points = outline.points[outline.in_dendrite]
    if not np.ptp(points, axis=0).any():
        return "its dendrites have no length"
    if (outline.diameters[outline.in_dendrite] < 0).any():
        return "its dendrites have negative diameters"
    without = outline.zero_diameters()
    if without > MAX_ZERO_DIAMETERS * len(points):
        return (
            f"{without} of the {len(points)} points of its dendrites have a diameter of zero, "
            "so no diameters can be learned from it"
        )
    return None if outline.soma_size > 0 else NO_SIZE


def _notes(outline):
    notes = []
    without = outline.zero_diameters()
    if without:
        notes.append(f"{without} points of its dendrites have a diameter of zero")
    if "basal_dendrite" not in outline.trees():
        notes.append("it has no basal dendrite")
    return notes


def _present(outline, trees):
    if trees:
        return "its trees are: " + ", ".join(f"{n} {name}" for name, n in trees.items())
    kinds = sorted({int(outline.types[root]) for root in outline.roots})
    return f"its trees are of the types {kinds}" if kinds else "it has no trees at all"
