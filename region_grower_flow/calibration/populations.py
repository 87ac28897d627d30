"""The usable reference cells of each mtype, and which neurites they let one grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from region_grower_flow.calibration.choices import FAIL, SKIP, CalibrationSettings
from region_grower_flow.calibration.dataset import Dataset, unknown_mtypes
from region_grower_flow.calibration.frames import Frame, describe_directions, describe_frames
from region_grower_flow.calibration.morphologies import DENDRITES, ExaminedCell, examine_dataset
from region_grower_flow.calibration.variants import copies
from region_grower_flow.errors import InvalidInput, InvalidInputs, counted, some
from region_grower_flow.morphology import NEURITE_TYPES

BASAL, APICAL = DENDRITES
AXON = "axon"
LEGACY_NAMES = {"basal": BASAL, "apical": APICAL}
MAX_NOTES = 2
"""Cells with the same note up to which each is told by itself."""
DEFAULT_THRESHOLD = 2
"""NeuroTS keeps the barcodes of trees with more terminations than this."""


@dataclass
class Population:
    """The reference cells of an mtype.

    Attributes:
        mtype: its name.
        cells: the ExaminedCells that are used.
        lost: the ExaminedCells that are not, each with its problem.
        neurite_types: the neurite types to grow, in NeuroTS's order (basal, apical, axon).
        thresholds: {neurite type: trees with more terminations than this give a barcode}.
        notes: what was done differently than for other mtypes, as sentences.
    """

    mtype: str
    cells: list[ExaminedCell]
    lost: list[ExaminedCell]
    neurite_types: list[str] = field(default_factory=list)
    thresholds: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """The files of the cells that are used, in the order of the dat file."""
        return [cell.path for cell in self.cells]

    @property
    def frames(self) -> dict[str, Frame]:
        """{name: Frame} of the cells; apical dendrites count where the mtype grows them."""
        grown = APICAL in self.neurite_types
        return {
            cell.name: Frame(cell.offset or 0.0, cell.tilt if grown else None)
            for cell in self.cells
        }

    def usable(self, neurite_type: str) -> list[ExaminedCell]:
        """The cells whose trees of this type count: not the axons that the table rules out."""
        return [cell for cell in self.cells if neurite_type != AXON or cell.use_axon]

    def with_tree(self, neurite_type: str) -> int:
        """Number of cells that have a tree of this type that counts."""
        return sum(neurite_type in cell.trees for cell in self.usable(neurite_type))

    def as_dict(self) -> dict[str, Any]:
        """Content of the report about the mtype, JSON-able."""
        return {
            "cells": len(self.cells),
            "neurite_types": list(self.neurite_types),
            "cells_with": {name: self.with_tree(name) for name in self.neurite_types},
            "trees": {
                name: sum(cell.trees.get(name, 0) for cell in self.usable(name))
                for name in self.neurite_types
            },
            "lost": [{"name": cell.name, "reason": cell.reason} for cell in self.lost],
            "notes": list(self.notes),
        }


def gather_populations(
    dataset: Dataset, settings: CalibrationSettings | None = None
) -> dict[str, Population]:
    """Examine the cells of a dataset and decide what each mtype grows.

    An mtype grows basal dendrites when any of its cells has one, and apical dendrites when more
    than half of its cells have one: the same rule for all mtypes, whatever their names.

    Args:
        dataset: the Dataset.
        settings: CalibrationSettings, of which ``on_bad_morphology`` and ``neurite_types`` count:
            None for the rule above; a list of the types to consider (axons are grown only when
            ``"axon"`` is in it and more than half of the cells have one that the table allows to
            use); or a dictionary {mtype: list of types}, exactly what to grow, the other mtypes by
            the rule.

    Returns:
        {mtype: Population}, in the order of the dataset. Some have no cells: with ``"skip"``, and
        those of whose cells the table or the choice of a half leaves none.

    Raises:
        InvalidInputs: cells that cannot be used, neurite types that no cell has.
    """
    settings = settings or CalibrationSettings()
    chosen = _chosen_types(settings.neurite_types, dataset)
    populations, problems = {}, []
    for mtype, cells in examine_dataset(dataset).items():
        usable = [cell for cell in cells if cell.problem is None]
        lost = [cell for cell in cells if cell.problem is not None]
        populations[mtype] = population = Population(mtype, usable, lost)
        population.notes += dataset.notes.get(mtype, ())
        population.notes += [
            f"{some(names)} have the same file, which counts {len(names)} times"
            for names in copies({cell.name: cell.path for cell in usable})
        ]
        if settings.on_bad_morphology == FAIL:
            problems += [_bad_cell(cell) for cell in lost]
        if usable:
            unfit = _decide(population, *chosen(mtype), settings)
            if unfit and settings.on_bad_morphology == SKIP:
                _leave_out(population, unfit[0].problem)
            else:
                problems += unfit
    for mtype, notes in dataset.notes.items():
        if mtype not in populations:
            populations[mtype] = Population(mtype, [], [], notes=list(notes))
    if problems:
        raise InvalidInputs(problems)
    if not any(population.cells for population in populations.values()):
        raise InvalidInput(
            "no morphology can be used", dataset.dat_file, _first_reason(populations)
        )
    return populations


def _leave_out(population: Population, reason: str) -> None:
    """Count all cells of a population as lost, so that other mtypes go on without it."""
    for cell in population.cells:
        cell.problem = reason
    population.lost += population.cells
    population.cells, population.neurite_types = [], []


def _bad_cell(cell: ExaminedCell) -> InvalidInput:
    return InvalidInput(f"(mtype {cell.mtype}) {cell.problem}", cell.where, cell.hint)


def _first_reason(populations: Mapping[str, Population]) -> str | None:
    for cell in (cell for population in populations.values() for cell in population.lost):
        return f"The first, {cell.name}: {cell.problem}"
    return None


def _chosen_types(
    neurite_types: Any, dataset: Dataset
) -> Callable[[str], tuple[Sequence[str], bool]]:
    """A function mtype -> (types to consider, whether exactly these are wanted)."""
    if neurite_types is None:
        return lambda mtype: (DENDRITES, False)
    if not isinstance(neurite_types, dict):
        names = _known_types(neurite_types, "neurite types")
        return lambda mtype: (names, False)
    problems = unknown_mtypes(neurite_types, dataset, "neurite types")
    if problems:
        raise InvalidInputs(problems)
    exact = {
        mtype: _known_types(names, f"neurite types of {mtype}")
        for mtype, names in neurite_types.items()
    }
    return lambda mtype: (exact[mtype], True) if mtype in exact else (DENDRITES, False)


def _known_types(names: Any, where: str) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, list | tuple) or not names:
        raise InvalidInput(f"expected a list of neurite types, found {names!r}", where)
    names = [LEGACY_NAMES.get(name, name) for name in names]
    for name in names:
        if name not in NEURITE_TYPES:
            known = ", ".join(NEURITE_TYPES)
            raise InvalidInput(f"unknown neurite type {name!r}, expected one of {known}", where)
    return tuple(name for name in (BASAL, APICAL, AXON) if name in names)


def _decide(
    population: Population, candidates: Sequence[str], exact: bool, settings: CalibrationSettings
) -> list[InvalidInput]:
    """Set the neurite types and thresholds of a population; returns the problems."""
    population.neurite_types = [name for name in candidates if exact or _is_grown(population, name)]
    population.notes += _left_out(population, candidates)
    population.notes += _odd_cells(population)
    inverted = population.mtype in settings.inverted
    population.notes += describe_frames(population.frames, inverted)
    if APICAL not in population.neurite_types:
        population.notes += describe_directions({c.name: c.long for c in population.cells})
    if not population.neurite_types:
        wanted = ", ".join(candidates)
        return [InvalidInput(f"not enough cells have {wanted}", f"mtype {population.mtype}")]
    problems = []
    for name in population.neurite_types:
        problems += _set_threshold(population, name, settings.bar_threshold)
    return problems


def _odd_cells(population: Population) -> Iterator[str]:
    """The notes on the cells: of each, or one for all where more than a few have the same."""
    alike: dict[str, list[tuple[str, str]]] = {}
    for cell in population.cells:
        for note in cell.notes:
            alike.setdefault(note.kind, []).append((cell.name, note.text))
    for kind, notes in alike.items():
        if len(notes) <= MAX_NOTES:
            yield from (f"{name}: {text}" for name, text in notes)
        else:
            count, total = len(notes), len(population.cells)
            named = some([name for name, _ in notes])
            yield f"{count} of {total} cells {kind} ({named}; {notes[0][0]}: {notes[0][1]})"


def _is_grown(population: Population, name: str) -> bool:
    count = population.with_tree(name)
    return count > 0 if name == BASAL else count > len(population.usable(name)) / 2


def _left_out(population: Population, candidates: Sequence[str]) -> Iterator[str]:
    """Notes on neurites that some cells have and that are not grown, and on unused axons."""
    grown, total = population.neurite_types, len(population.cells)
    if APICAL not in grown and population.with_tree(APICAL):
        yield (
            f"{population.with_tree(APICAL)} of {total} cells have an apical dendrite; "
            "as these are not most of them, none is grown"
        )
    unused = total - len(population.usable(AXON))
    if AXON in candidates and unused:
        yield f"the axons of {unused} of {total} cells are not used, as the table says (use_axon)"
    if AXON in candidates and AXON not in grown:
        yield (
            f"{population.with_tree(AXON)} of {total - unused} cells have an axon; "
            "as these are not most of them, none is grown"
        )


def _set_threshold(
    population: Population, name: str, threshold: int | None = None
) -> list[InvalidInput]:
    """The highest threshold, up to the given one (NeuroTS's own: None), that leaves a barcode.

    An apical dendrite of one bar has no apical point, without which NeuroTS cannot grow it.
    """
    wanted = DEFAULT_THRESHOLD if threshold is None else threshold
    if name == APICAL:
        wanted = max(wanted, 1)
    tips = max((cell.tips.get(name, 0) for cell in population.usable(name)), default=0)
    if not population.with_tree(name) or not tips:
        return [
            InvalidInput(
                f"none of its cells has a tree of type {name}", f"mtype {population.mtype}"
            )
        ]
    population.thresholds[name] = min(wanted, tips - 1)
    if tips <= wanted:
        population.notes.append(
            f"no {name} has more than {counted(tips, 'termination')}: barcodes of trees with "
            f"{tips} are used (NeuroTS alone wants more than {DEFAULT_THRESHOLD})"
        )
    return []
