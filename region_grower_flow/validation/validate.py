"""The validation of a synthesis: every tier for every mtype, in processes.

The work is cut into units that know all they need (paths, rows, seeds), so that results depend
neither on the number of processes nor on the order in which the units end.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from region_grower_flow.calibration.dataset import ReferenceCell
from region_grower_flow.calibration.pool import share_out
from region_grower_flow.engine.parameters import (
    load_distributions,
    load_parameters,
    mtype_entries,
    mtype_entry,
)
from region_grower_flow.io.table import read_table
from region_grower_flow.morphology import NEURITE_TYPES
from region_grower_flow.validation import populations, structure, topology, words
from region_grower_flow.validation.controls import choose_other
from region_grower_flow.validation.mtype import CellPlaces, MtypeReference, MtypeResult, MtypeUnit
from region_grower_flow.validation.results import Results
from region_grower_flow.validation.space import place_of
from region_grower_flow.validation.statistics import named_seed
from region_grower_flow.validation.verdict import MIN_REFERENCE_CELLS

CELLS_PER_UNIT = 500
"""Cells whose files one unit of the structure tier reads."""

PRELOADED = ("neurom", "scipy.stats", "region_grower_flow.validation.mtype")
"""Modules that the server of worker processes imports once before it forks them."""

BARCODE = "persistence_diagram"

_STATISTICS = "statistics"
"""Key of an mtype's unit of statistics, among the numbers of those of its files."""


@dataclass(frozen=True)
class Part:
    """One synthesis and the reference that it is compared with.

    Attributes:
        name: ``full`` or ``holdout``.
        outputs: SynthesisOutputs.
        parameters, distributions: JSON files that the cells were grown from.
        references: {mtype: [ReferenceCell]}; None: the barcodes of ``distributions`` are the
            reference.
        fitted: {mtype: [ReferenceCell]} that the cells were grown from, where the reference are
            others (the hold-out).
        notes: {mtype: [sentence]} on the reference.
        atlas: folder of the atlas; None in vacuum.
        region_structure: YAML file of its regions; None in vacuum.
        region: whose parameters are used in vacuum.
        synthesize_axons: whether axons were grown, too.
        inverted: mtypes whose apical dendrites are known to point away from the pia.
    """

    name: str
    outputs: populations.SynthesisOutputs
    parameters: Path
    distributions: Path
    references: Mapping[str, Sequence[ReferenceCell]] | None = None
    fitted: Mapping[str, Sequence[ReferenceCell]] = field(default_factory=dict)
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    atlas: Path | None = None
    region_structure: Path | None = None
    region: str = "default"
    synthesize_axons: bool = False
    inverted: Sequence[str] = ()


@dataclass(frozen=True)
class ValidationPlan:
    """Plan of a validation.

    Attributes:
        parts: the Parts, in order.
        seed: of every sample, permutation and bootstrap.
        sample: synthesized cells per mtype that the statistics take (0: all).
        structure_sample: those whose files the structure tier reads (0: all).
        processes: how many share the work.
        options: for the results.
    """

    parts: Sequence[Part]
    seed: int = 0
    sample: int = 100
    structure_sample: int = 0
    processes: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StructureUnit:
    """Files of some cells of an mtype, to be read again."""

    folder: Path
    cells: Sequence[structure.WrittenCell]
    extensions: Sequence[str]
    container: Path | None = None

    def run(self) -> structure.Examined:
        """See :func:`structure.examine_cells`."""
        return structure.examine_cells(self.folder, self.cells, self.extensions, self.container)


Unit: TypeAlias = MtypeUnit | StructureUnit
Key: TypeAlias = tuple[str, str, int | str]
"""The part, the mtype, and the number of files' unit or :data:`_STATISTICS`."""


def validate(
    plan: ValidationPlan, on_progress: Callable[[int, int], None] | None = None
) -> Results:
    """Run all tiers.

    Args:
        plan: the ValidationPlan.
        on_progress: called with (units done, units), also before the first one.

    Returns:
        Results

    Raises:
        InvalidInput: a table is missing or not readable.
        WorkerFailed: a process died.
    """
    results = Results(options=dict(plan.options))
    advance = on_progress or (lambda done, total: None)
    opened = [_OpenPart(plan, part) for part in plan.parts]
    units = {key: unit for part in opened for key, unit in part.units().items()}
    found = _run(units, plan.processes, advance)
    for part in opened:
        part.collect(results, found)
    return results


def _run(
    units: Mapping[Key, Unit], processes: int, advance: Callable[[int, int], None]
) -> dict[Key, Any]:
    """{key: what the unit returns}, in the order of the units."""
    # Statistics take longest: so that no process is left alone with them at the end.
    order = sorted(units, key=lambda key: key[2] != _STATISTICS)
    found = share_out(_run_unit, [units[key] for key in order], processes, advance, PRELOADED)
    results = dict(zip(order, found, strict=True))
    return {key: results[key] for key in units}


def _run_unit(unit: Unit) -> MtypeResult | structure.Examined:
    with warnings.catch_warnings():
        # SciPy says that it takes the asymptotic p-value where the exact one overflows.
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful")
        return unit.run()


class _OpenPart:
    """A Part whose tables have been read.

    Args:
        plan: the ValidationPlan.
        part: the Part.
    """

    def __init__(self, plan: ValidationPlan, part: Part) -> None:
        self._plan, self._part = plan, part
        self.synthesized = populations.read_synthesized(part.outputs)
        self.mtypes = list(self.synthesized.mtypes)
        self._table = read_table(part.outputs.cell_table)
        self._parameters = load_parameters(part.parameters, part.synthesize_axons, validate=False)
        self._distributions = load_distributions(part.distributions, validate=False)

    def units(self) -> dict[Key, Unit]:
        """{key: unit} of all the work."""
        units: dict[Key, Unit] = {}
        for mtype in self.mtypes:
            for place, cells in enumerate(self._read_again(mtype)):
                units[self._part.name, mtype, place] = cells
            units[self._part.name, mtype, _STATISTICS] = self._statistics(mtype)
        return units

    def _seed(self, mtype: str) -> int:
        """The seed of an mtype's unit: of the run, the part and the name."""
        return named_seed(self._plan.seed, self._part.name, mtype)

    def _read_again(self, mtype: str) -> Iterator[StructureUnit]:
        """The StructureUnits of an mtype."""
        population, outputs = self.synthesized.mtypes[mtype], self._part.outputs
        rng = np.random.default_rng([self._seed(mtype), 1])
        chosen = populations.sample(len(population.names), self._plan.structure_sample, rng)
        cells = self.synthesized.written([population.names[i] for i in chosen])
        for first in range(0, len(cells), CELLS_PER_UNIT):
            some_cells = tuple(cells[first : first + CELLS_PER_UNIT])
            yield StructureUnit(
                Path(outputs.morphologies), some_cells, outputs.extensions, outputs.container
            )

    def _statistics(self, mtype: str) -> MtypeUnit:
        population = self.synthesized.mtypes[mtype]
        rng = np.random.default_rng(self._seed(mtype))
        known = [i for i, row in enumerate(population.rows) if row >= 0]
        chosen = [known[i] for i in populations.sample(len(known), self._plan.sample, rng)]
        rows = [population.rows[i] for i in chosen]
        parameters, distributions = self._entry(mtype)
        return MtypeUnit(
            part=self._part.name,
            mtype=mtype,
            seed=self._seed(mtype),
            synthesized=replace(self.synthesized, mtypes={}, digests={}, stray=[]),
            names=tuple(population.names[i] for i in chosen),
            population=population,
            neurite_types=tuple(parameters["grow_types"]),
            reference=self._reference(mtype, distributions),
            space=self._space(rows),
            parameters=self._laws(mtype, rows),
            inverted=mtype in self._part.inverted,
        )

    def _entry(self, mtype: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """(parameters, distributions) of an mtype: in an atlas those of its first cell's region."""
        row = self._first_rows.get(mtype)
        region = self._part.region
        names = (region, region)
        if row is not None:
            names = (self._table.synthesis_regions[row], self._table.regions[row])
        return mtype_entries(self._parameters, self._distributions, *names, mtype)

    def _laws(self, mtype: str, rows: Sequence[int]) -> dict[str, Any] | None:
        """The parameters whose laws the trunks of some rows follow.

        None where the rows lie in regions whose laws are not the same.
        """
        table = self._table
        places = sorted({(table.synthesis_regions[row], table.regions[row]) for row in rows})
        entries = [mtype_entry(self._parameters, *place, mtype) for place in places]
        if not entries:
            return self._entry(mtype)[0]
        laws = [_orientations(entry) for entry in entries]
        return entries[0] if all(law == laws[0] for law in laws) else None

    @functools.cached_property
    def _first_rows(self) -> dict[str, int]:
        """{mtype: its first row in the cell table}."""
        names, rows = np.unique(self._table.mtypes.astype(str), return_index=True)
        return dict(zip(names.tolist(), rows.tolist(), strict=True))

    def _space(self, rows: Sequence[int]) -> CellPlaces:
        if self._part.atlas is None:
            return CellPlaces()
        places = tuple(place_of(cell, self._parameters) for cell in self._table.cells(rows))
        return CellPlaces(places, self._part.atlas, self._part.region_structure)

    def _reference(self, mtype: str, distributions: Mapping[str, Any]) -> MtypeReference:
        other = self._other(mtype)
        if self._part.references is None:
            others = _barcodes(self._entry(other)[1])["barcodes"] if other else {}
            codes = _barcodes(distributions)
            return MtypeReference(**codes, other_mtype=other, other_barcodes=others)
        known = self._part.references
        return MtypeReference(
            tuple(known.get(mtype, ())),
            other=tuple(known.get(other, ())) if other else (),
            other_mtype=other,
            fitted=tuple(self._part.fitted.get(mtype, ())),
        )

    def _other(self, mtype: str) -> str | None:
        """The mtype whose reference serves this one's control, None without any.

        One that has the same neurite types, where there is one: each of them needs a control.
        """
        sizes = self._sizes
        if mtype not in sizes:
            return None
        alike = {name: size for name, (kinds, size) in sizes.items() if sizes[mtype][0] <= kinds}
        every = {name: size for name, (_, size) in sizes.items()}
        return choose_other(mtype, alike) or choose_other(mtype, every)

    @functools.cached_property
    def _sizes(self) -> dict[str, tuple[frozenset[str], float]]:
        """{mtype: (neurite types, median total length (um) of its barcodes)} of the testable."""
        sizes = {}
        for mtype in self.synthesized.mtypes:
            found = _barcodes(self._entry(mtype)[1])
            counts = found["cells_of_barcodes"].values()
            if self._part.references is not None:
                counts = [len(self._part.references.get(mtype, ()))]
            if any(count is not None and count < MIN_REFERENCE_CELLS for count in counts):
                continue
            lengths = [
                np.abs(bars[:, 0] - bars[:, 1]).sum()
                for of_type in found["barcodes"].values()
                for bars in of_type
            ]
            if lengths:
                sizes[mtype] = frozenset(found["barcodes"]), float(np.median(lengths))
        return sizes

    def collect(self, results: Results, found: Mapping[Key, Any]) -> None:
        """Put what the units have found into the Results."""
        part = self._part.name
        results.populations[part] = {}
        for mtype in self.mtypes:
            statistics = found[part, mtype, _STATISTICS]
            notes = [*self._part.notes.get(mtype, ()), *statistics.notes]
            results.populations[part][mtype] = self._summary(mtype, statistics, notes)
            examined = [
                value
                for (of_part, name, place), value in found.items()
                if (of_part, name) == (part, mtype) and place != _STATISTICS
            ]
            results.add(part, structure.count_verdicts(mtype, self.synthesized))
            outputs, recorded = self._part.outputs, bool(self.synthesized.digests)
            formats = len(outputs.extensions) + bool(outputs.container)
            results.add(part, structure.cell_verdicts(mtype, examined, formats, recorded))
            results.add(part, statistics.verdicts)
            for name, rows in statistics.tables.items():
                results.extend(name, rows)
            summary = results.populations[part][mtype]
            summary["sentence"] = words.sentence(results.of(part, mtype), summary)
        results.add(part, [structure.stray_verdict(self.synthesized)])

    def _summary(self, mtype: str, statistics: MtypeResult, notes: list[str]) -> dict[str, Any]:
        population = self.synthesized.mtypes[mtype]
        return {
            "n_reference": statistics.n_reference,
            "n_synthesized": statistics.n_synthesized,
            "asked": population.asked,
            "dropped": sum(population.dropped.values()),
            "reasons": population.dropped,
            "reference": "barcodes" if self._part.references is None else "cells",
            "neurite_types": statistics.neurite_types,
            "notes": notes,
        }


def _orientations(parameters: Mapping[str, Any]) -> list[Any]:
    """Directions of the trunks of each neurite type."""
    return [(parameters.get(kind) or {}).get("orientation") for kind in NEURITE_TYPES]


def _barcodes(distributions: Mapping[str, Any]) -> dict[str, Any]:
    """The barcodes of an mtype's distributions as a reference, and their filtrations."""
    kinds = [kind for kind in NEURITE_TYPES if (distributions.get(kind) or {}).get(BARCODE)]
    barcodes = {
        kind: [np.array(bars, dtype=float)[:, :2] for bars in distributions[kind][BARCODE]]
        for kind in kinds
    }
    filtrations = {
        kind: distributions[kind].get("filtration_metric", topology.FILTRATION) for kind in kinds
    }
    cells = {kind: topology.cells_of_barcodes(distributions[kind]) for kind in kinds}
    return {"barcodes": barcodes, "filtrations": filtrations, "cells_of_barcodes": cells}
