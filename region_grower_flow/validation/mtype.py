"""The tests of one mtype: its synthesized cells against its reference."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow.calibration.dataset import ReferenceCell
from region_grower_flow.calibration.morphologies import DENDRITES
from region_grower_flow.validation import (
    body,
    classifier,
    controls,
    depths,
    morphometrics,
    populations,
    space,
    topology,
    trunks,
)
from region_grower_flow.validation.cells import ValidationCell, count_with
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.results import (
    CELLS_TABLE,
    DEPTHS_TABLE,
    LAYERS_TABLE,
    PROFILES_TABLE,
    REFERENCE,
    SYNTHESIZED,
)
from region_grower_flow.validation.verdict import MIN_REFERENCE_CELLS, Verdict
from region_grower_flow.validation.written import MtypeCells, Synthesized

TIERS: tuple[Any, ...] = (morphometrics, topology, classifier, trunks, body)
"""Modules of the tiers that compare populations of cells."""


@dataclass(frozen=True)
class MtypeReference:
    """Reference that an mtype is compared with.

    Attributes:
        cells: the ReferenceCells of its reconstructions; None: there are only ``barcodes``.
        fitted: the ReferenceCells that the cells were grown from, where ``cells`` are others.
        barcodes: {neurite type: [bars]} of its distributions.
        filtrations: {neurite type: filtration of TMD} of the barcodes.
        cells_of_barcodes: {neurite type: number of cells that they come from, or None}.
        other: the ReferenceCells of another mtype, for the control.
        other_mtype: its name.
        other_barcodes: {neurite type: [bars]} of it.
    """

    cells: Sequence[ReferenceCell] | None = None
    barcodes: Mapping[str, topology.Trees] = field(default_factory=dict)
    filtrations: Mapping[str, str] = field(default_factory=dict)
    cells_of_barcodes: Mapping[str, int | None] = field(default_factory=dict)
    other: Sequence[ReferenceCell] = ()
    other_mtype: str | None = None
    other_barcodes: Mapping[str, topology.Trees] = field(default_factory=dict)
    fitted: Sequence[ReferenceCell] = ()


@dataclass(frozen=True)
class CellPlaces:
    """Places of the cells of a unit.

    Attributes:
        places: the CellPlace of each; None in vacuum.
        atlas, region_structure: paths; None in vacuum.
    """

    places: Sequence[space.CellPlace] | None = None
    atlas: Path | None = None
    region_structure: Path | None = None


@dataclass(frozen=True)
class MtypeUnit:
    """Inputs of the tests of one mtype, the unit of work of a process.

    Attributes:
        part: name of the comparison.
        mtype: its name.
        seed: of this unit's samples, permutations and bootstraps.
        synthesized: the Synthesized without its cells: folder, extensions.
        names: of the sampled cells.
        population: the MtypeCells of all of them.
        neurite_types: that parameters grow.
        reference: MtypeReference.
        space: CellPlaces.
        parameters: NeuroTS's of the mtype, whose laws the trunks should follow; None: no one law.
        inverted: whether its apical dendrites are known to point away from the pia.
    """

    part: str
    mtype: str
    seed: int
    synthesized: Synthesized
    names: Sequence[str]
    population: MtypeCells
    neurite_types: Sequence[str]
    reference: MtypeReference
    space: CellPlaces
    parameters: Mapping[str, Any] | None = None
    inverted: bool = False

    def run(self) -> MtypeResult:
        """See :func:`validate_mtype`."""
        return validate_mtype(self)


@dataclass
class MtypeResult:
    """Results of the tests of one mtype.

    Attributes:
        n_reference, n_synthesized: cells compared (n_reference: None for barcodes).
        neurite_types: that were compared.
        verdicts: [Verdict].
        tables: {name: [dict]}.
        notes: sentences.
    """

    n_reference: int | None
    n_synthesized: int
    neurite_types: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def validate_mtype(unit: MtypeUnit) -> MtypeResult:
    """Run the space tier, and all tiers of statistics, on one mtype: an MtypeResult."""
    places = unit.space.places
    orientations = None if places is None else [place.orientation for place in places]
    cells, lost = populations.read_sample(unit.synthesized, unit.names, orientations)
    if places is not None:
        read = {cell.name for cell in cells}
        places = [p for p, name in zip(places, unit.names, strict=True) if name in read]
    if unit.reference.cells is None:
        reference = None
    else:
        reference, unusable = populations.read_references(unit.reference.cells, unit.mtype)
        lost += unusable
    result = MtypeResult(None if reference is None else len(reference), len(cells), notes=lost)
    if unit.parameters is None and reference is None:
        result.notes.append("its cells lie in regions with other laws of trunks each")
    result.verdicts += _space_verdicts(unit, cells, places)
    kinds = compared_types(unit.neurite_types, reference or [], cells)
    result.neurite_types = kinds
    result.verdicts += statistics(unit, reference, cells, kinds)
    result.tables = _tables(unit, reference, cells, kinds, places)
    return result


def compared_types(
    grown: Sequence[str], reference: Sequence[ValidationCell], cells: Sequence[ValidationCell]
) -> list[str]:
    """The neurite types to compare.

    Those that are grown, as far as either population has them, and dendrites that are not grown
    though enough reference cells have them. (A few cells of many mtypes have trees that somebody
    took for apical dendrites: these could not be tested.)

    Args:
        grown: neurite types that parameters grow.
        reference, cells: [ValidationCell].
    """
    left_out = [kind for kind in DENDRITES if kind not in grown]
    return [
        *(kind for kind in grown if count_with([*reference, *cells], kind)),
        *(kind for kind in left_out if count_with(reference, kind) >= MIN_REFERENCE_CELLS),
    ]


def _space_verdicts(
    unit: MtypeUnit, cells: Sequence[ValidationCell], places: Sequence[space.CellPlace] | None
) -> list[Verdict]:
    verdicts = [space.soma_verdict(unit.mtype, cells)]
    if places is not None:
        verdicts.append(space.position_verdict(unit.mtype, unit.population))
        verdicts += space.limit_verdicts(unit.mtype, cells, places)
    return verdicts


def statistics(
    unit: MtypeUnit,
    reference: Sequence[ValidationCell] | None,
    cells: Sequence[ValidationCell],
    kinds: Sequence[str],
) -> list[Verdict]:
    """The Verdicts of the tiers that compare populations.

    Args:
        unit: MtypeUnit.
        reference: [ValidationCell], or None where barcodes are the reference.
        cells: [ValidationCell], synthesized.
        kinds: neurite types.
    """
    if reference is None:
        return _of_barcodes(unit, cells, kinds)
    fitted, _ = populations.read_references(unit.reference.fitted, unit.mtype)
    comparison = Comparison(
        kinds,
        unit.seed,
        unit.mtype,
        fitted=fitted,
        parameters=unit.parameters,
        inverted=unit.inverted,
    )
    verdicts = [verdict for tier in TIERS for verdict in tier.compare(reference, cells, comparison)]
    other, _ = populations.read_references(unit.reference.other, unit.reference.other_mtype)
    found = controls.run(reference, cells, other, comparison)
    return [*controls.apply(verdicts, found), *found]


def _of_barcodes(
    unit: MtypeUnit, cells: Sequence[ValidationCell], kinds: Sequence[str]
) -> list[Verdict]:
    """The Verdicts on topology against barcodes, and on trunks against their laws."""
    reference, verdicts, trees = unit.reference, [], {}
    for kind in [kind for kind in kinds if kind in reference.barcodes]:
        counts = reference.cells_of_barcodes.get(kind), len(cells)
        few = topology.untestable(counts, kind, unit.mtype)
        verdicts += few
        if not few:
            metric = reference.filtrations[kind]
            trees[kind] = [b for cell in cells for b in topology.barcodes(cell, kind, metric)]
    codes = {kind: reference.barcodes[kind] for kind in trees}
    other = {kind: bars for kind, bars in reference.other_barcodes.items() if kind in trees}
    comparison = Comparison(kinds, unit.seed, unit.mtype, parameters=_laws_of_enough_cells(unit))
    verdicts += topology.compare_trees(codes, trees, comparison)
    of_trunks = trunks.compare(None, cells, comparison)
    verdicts += [_counted(verdict, reference) for verdict in of_trunks]
    verdicts += body.upright([], cells, unit.mtype, unit.inverted)
    found = controls.run_trees(codes, trees, other, comparison)
    found += controls.run_trunks(None, cells, comparison)
    return [*controls.apply(verdicts, found), *found]


def _laws_of_enough_cells(unit: MtypeUnit) -> dict[str, Any]:
    """The parameters of the neurite types whose laws do not come from too few cells."""
    known = unit.reference.cells_of_barcodes
    few = {kind for kind, count in known.items() if (count or np.inf) < MIN_REFERENCE_CELLS}
    return {kind: entry for kind, entry in (unit.parameters or {}).items() if kind not in few}


def _counted(verdict: Verdict, reference: MtypeReference) -> Verdict:
    """A Verdict on trunks with the number of cells behind their law, None where it is unknown."""
    known = reference.cells_of_barcodes
    return replace(verdict, n_reference=known.get(verdict.neurite_type or ""))


def _tables(
    unit: MtypeUnit,
    reference: Sequence[ValidationCell] | None,
    cells: Sequence[ValidationCell],
    kinds: Sequence[str],
    places: Sequence[space.CellPlace] | None,
) -> dict[str, list[dict[str, Any]]]:
    about = {"part": unit.part, "mtype": unit.mtype}
    found = morphometrics.rows({REFERENCE: reference or [], SYNTHESIZED: cells}, kinds)
    tables = {CELLS_TABLE: [{**about, **row} for row in found]}
    inside = None if places is None else _fraction_inside(unit, cells, places)
    for kind in kinds:
        profiles = _profiles(unit, reference or [], cells, kind, places)
        line = {**about, "neurite_type": kind}
        tables.setdefault(PROFILES_TABLE, []).append(
            {
                **line,
                "n_reference": len(reference or []),
                "n_synthesized": len(cells),
                "wasserstein_um": depths.wasserstein(*profiles),
                "inside": inside,
            }
        )
        for name, rows in (
            (DEPTHS_TABLE, depths.depth_rows(*profiles)),
            (LAYERS_TABLE, depths.layer_rows(*profiles)),
        ):
            tables.setdefault(name, []).extend({**line, **row} for row in rows)
    return tables


def _profiles(
    unit: MtypeUnit,
    reference: Sequence[ValidationCell],
    cells: Sequence[ValidationCell],
    kind: str,
    places: Sequence[space.CellPlace] | None,
) -> tuple[depths.Profile, depths.Profile]:
    """The Profiles of the reference and of the synthesized cells."""
    real, grown = ([cell.morphology for cell in side] for side in (reference, cells))
    if places is None:
        return depths.compared(real, grown, kind, unit.seed)
    layers = [place.layers for place in places]
    # Regions without layers have no depths: there profiles are below the soma.
    below_top = np.nan_to_num([place.layers.depth for place in places]).tolist()
    return depths.compared(real, grown, kind, unit.seed, below_top, layers)


def _fraction_inside(
    unit: MtypeUnit, cells: Sequence[ValidationCell], places: Sequence[space.CellPlace]
) -> float | None:
    lookup = _region_lookup(unit.space.atlas, unit.space.region_structure)
    fractions = [
        lookup.inside(place.region, cell.morphology.points @ place.orientation.T + place.position)
        for cell, place in zip(cells, places, strict=True)
        if len(cell.morphology.points)
    ]
    return float(np.mean(fractions)) if fractions else None


@functools.lru_cache(maxsize=1)
def _region_lookup(atlas: Path, region_structure: Path) -> space.RegionLookup:
    return space.RegionLookup(atlas, region_structure)
