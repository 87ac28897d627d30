"""Copies of reconstructions with their soma at the origin and their apical dendrite along +y.

A cell is moved as a whole: soma and all neurites. Cells whose direction of the pia is known are
turned by it. The others are turned only where the mtype grows apical dendrites (most of its cells
have one), since a tree that was labelled so in an interneuron points anywhere; else they are only
moved, as nothing in them shows where the pia is. Turning leaves the rotation about y open, and
growth does not depend on it.

Slices shrink when they dry, most along their depth (z): copies can be stretched back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow.calibration.dataset import Dataset, ReferenceCell, unknown_mtypes
from region_grower_flow.calibration.frames import (
    UP,
    longest_axis,
    parse_direction,
    rotation_between,
)
from region_grower_flow.calibration.populations import APICAL, Population
from region_grower_flow.errors import InvalidInput, InvalidInputs, some
from region_grower_flow.io.atomic import PathLike, atomic_write, make_own_folder, remove_own
from region_grower_flow.io.morphologies import open_morphology, without_warnings
from region_grower_flow.layout import AS_GIVEN, ORIENT
from region_grower_flow.morphology import APICAL_DENDRITE

DOWN = -1.0
"""Sense of apical dendrites that point away from the pia; that of the others is 1."""


@dataclass(frozen=True)
class Corrections:
    """How cells are moved and turned, and what is known of them that is not in their files.

    Attributes:
        frame: ``"center"``: somas are put at the origin; ``"center_and_orient"``: and the pia, or
            the apical dendrites, along +y; ``"as_given"``: cells stay where they are.
        inverted: mtypes whose apical dendrites point away from the pia: along -y.
        pia: direction of the pia in all files (see ``frames.parse_direction``); what the table says
            of a cell goes before it. None: not known.
        shrinkage_z: by which factor slices were thicker than they are in the files, along z.
    """

    frame: str
    inverted: Collection[str] = ()
    pia: str | None = None
    shrinkage_z: float = 1.0


@dataclass
class Preparation:
    """Record of a preparation of a dataset.

    Attributes:
        paths: the files that were written.
        moved: {name: distance (um) that the cell was moved}.
        turned: {name: angle (degrees) that it was turned}.
        upside_down: the names of the cells whose apical dendrites were put along -y.
        by_pia: the names of the cells that were turned by a given direction of the pia.
        stretched: the factor along z.
        centered: whether somas were put at the origin.
        mtypes: {mtype: (cells, cells that were turned)}.
    """

    paths: list[Path] = field(default_factory=list)
    moved: dict[str, float] = field(default_factory=dict)
    turned: dict[str, float] = field(default_factory=dict)
    upside_down: list[str] = field(default_factory=list)
    by_pia: list[str] = field(default_factory=list)
    stretched: float = 1.0
    centered: bool = True
    mtypes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The cells as JSON-able values."""
        return {
            "moved": self.moved,
            "turned": self.turned,
            "upside_down": self.upside_down,
            "by_pia": self.by_pia,
            "shrinkage_z": self.stretched,
        }

    def sentences(self) -> Iterator[str]:
        """Sentences about the preparation, one per line."""
        if self.stretched != 1.0:
            yield (
                f"{len(self.paths)} reconstructions are stretched {self.stretched:g} times along "
                "z about their somas (shrinkage_z), and so is all that is learned from them."
            )
        if not self.centered:
            return
        yield f"{len(self.paths)} reconstructions have their somas at the origin."
        if self.by_pia:
            count = len(self.by_pia)
            yield f"{count} of them are turned by the given direction of the pia."
        for mtype, (cells, turned) in self.mtypes.items():
            if turned:
                yield f"{mtype}: {turned} of {cells} cells are turned so that the pia is along +y."
            else:
                yield f"{mtype}: its {cells} cells are not turned, only moved."
        if self.upside_down:
            yield f"Their apical dendrites point down: {some(self.upside_down)}."


def prepared_path(path: PathLike, source: PathLike, target: PathLike) -> Path:
    """Path of a cell's copy: at the place below ``target`` that it has below ``source``."""
    return Path(target) / os.path.relpath(os.path.abspath(path), os.path.abspath(source))


def relocate(dataset: Dataset, target: PathLike) -> Dataset:
    """The dataset with the copies in place of the originals, as far as there are copies."""

    def moved(cell: ReferenceCell) -> ReferenceCell:
        copy = prepared_path(cell.path, dataset.folder, target)
        return cell._replace(path=str(copy)) if copy.is_file() else cell

    mtypes = {mtype: [moved(cell) for cell in cells] for mtype, cells in dataset.mtypes.items()}
    return replace(dataset, mtypes=mtypes)


def prepare(
    dataset: Dataset,
    populations: Mapping[str, Population],
    target: PathLike,
    corrections: Corrections,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Preparation:
    """Write copies of the cells that are used.

    Args:
        dataset: the Dataset.
        populations: its {mtype: Population}.
        target: the folder of the copies, which have the names and formats of the originals.
        corrections: how they are moved and turned.
        advance: called with the numbers of cells that are done, and of all.

    Returns:
        Preparation.

    Raises:
        InvalidInputs: unknown mtypes, or copies that would replace originals.
    """
    frame = corrections.frame
    problems = preparation_problems(dataset, target, corrections.inverted)
    if problems:
        raise InvalidInputs(problems)
    up = _senses(populations, frame, corrections.inverted)
    for path in up:
        below = prepared_path(path, dataset.folder, target).relative_to(target).parent
        make_own_folder(target, *below.parts)
    _remove_copies(dataset, target, kept=up)
    pia = _pia_directions(dataset, corrections.pia) if frame == ORIENT else {}
    done = Preparation(stretched=corrections.shrinkage_z, centered=frame != AS_GIVEN)
    for path, (name, sense) in up.items():
        copy = prepared_path(path, dataset.folder, target)
        distance, angle = _write(path, copy, sense, pia.get(path), done)
        done.paths.append(copy)
        done.moved[name] = distance
        if angle is not None:
            done.turned[name] = angle
            if path in pia:
                done.by_pia.append(name)
            elif sense == DOWN:
                done.upside_down.append(name)
        advance(len(done.paths), len(up))
    for mtype, population in populations.items():
        turned = sum(cell.name in done.turned for cell in population.cells)
        done.mtypes[mtype] = len(population.cells), turned
    return done


def _senses(
    populations: Mapping[str, Population], frame: str, inverted: Collection[str]
) -> dict[str, tuple[str, float | None]]:
    """{path: (name, 1 or -1: its apical dendrite goes up or down; None: it is not turned)}."""
    up: dict[str, tuple[str, float | None]] = {}
    for mtype, population in populations.items():
        turns = frame == ORIENT and APICAL in population.neurite_types
        sense = DOWN if mtype in inverted else 1.0
        for cell in population.cells:
            # A borrowed cell stands as in the mtype of its own, which comes first.
            known = up.setdefault(cell.path, (cell.name, sense if turns else None))
            if known[1] is None and turns:
                up[cell.path] = cell.name, sense
    return up


def _pia_directions(dataset: Dataset, common: str | None) -> dict[str, np.ndarray]:
    """{path: (3,) unit vector} of the cells whose direction of the pia is known."""
    given = {cell.path: cell.pia or common for cells in dataset.mtypes.values() for cell in cells}
    return {path: parse_direction(text) for path, text in given.items() if text}


def _remove_copies(dataset: Dataset, target: PathLike, kept: Collection[str]) -> None:
    """Remove earlier copies of cells that cannot be used any more: they would stand for them."""
    for cells in dataset.mtypes.values():
        for cell in cells:
            if cell.path not in kept:
                remove_own(prepared_path(cell.path, dataset.folder, target))


def preparation_problems(
    dataset: Dataset, target: PathLike, inverted: Collection[str] = ()
) -> list[InvalidInput]:
    """Obstacles to a preparation, as a list of InvalidInput."""
    problems = unknown_mtypes(inverted, dataset, "option inverted_mtypes")
    folder = os.path.realpath(dataset.folder)
    if os.path.commonpath([folder, os.path.realpath(target)]) == folder:
        problem = "the copies of the reconstructions would lie among the reconstructions"
        problems.append(InvalidInput(problem, target, "Choose another work_dir"))
    return problems


def correction_problems(corrections: Corrections) -> list[InvalidInput]:
    """Problems of what is told of the cells, as a list of InvalidInput."""
    problems = []
    if corrections.pia:
        try:
            parse_direction(corrections.pia)
        except InvalidInput as error:
            problems.append(InvalidInput(error.problem, "option pia_direction", error.hint))
        if corrections.frame != ORIENT:
            problem = f"it turns no cell where morphology_frame is {corrections.frame}"
            hint = f"Set morphology_frame to {ORIENT}"
            problems.append(InvalidInput(problem, "option pia_direction", hint))
    return problems


def _write(
    path: str, copy: Path, sense: float | None, pia: np.ndarray | None, done: Preparation
) -> tuple[float, float | None]:
    """Write the copy of a cell; (distance moved (um), angle turned (degrees) or None)."""
    from morphio import MorphioError, mut

    # As the file is: what is mended in it is mended, and told, when the copy is read.
    morphology = mut.Morphology(open_morphology(path), **without_warnings())
    center = morphology.soma.center.astype(float)
    axis = pia
    if pia is None and sense is not None:
        axis = _axis(morphology, center)
    sense = 1.0 if pia is not None or sense is None else sense
    turn = np.eye(3) if axis is None else rotation_between(axis, sense * UP)
    stretch = np.array([1.0, 1.0, done.stretched])
    target = np.zeros(3) if done.centered else center

    def place(points: np.ndarray) -> np.ndarray:
        return ((points.astype(float) - center) * stretch @ turn.T + target).astype(np.float32)

    morphology.soma.points = place(morphology.soma.points)
    for section in morphology.iter():
        section.points = place(section.points)
    with atomic_write(copy) as temporary:
        try:
            morphology.write(str(temporary))
        except MorphioError as error:
            problem = f"MorphIO cannot write a copy of it ({' '.join(str(error).split())})"
            raise InvalidInput(problem, path, "Convert it to h5") from error
    angle = None
    if axis is not None:
        angle = float(np.degrees(np.arccos(np.clip(sense * axis @ UP, -1.0, 1.0))))
    return float(np.linalg.norm(center - target)), angle


def _axis(morphology: Any, center: np.ndarray) -> np.ndarray | None:
    """The direction of its longest apical tree, None without."""
    trees = [
        [section.points for section in root.iter()]
        for root in morphology.root_sections
        if int(root.type) == APICAL_DENDRITE
    ]
    return longest_axis(trees, center)
