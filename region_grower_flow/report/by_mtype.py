"""The reports that are made mtype by mtype: each a function of a ReportUnit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.calibration.path_distances import ALL, DENDRITES, measure_tree
from region_grower_flow.morphology import NEURITE_TYPES
from region_grower_flow.report import path_fits, profiles, trunk_angles
from region_grower_flow.report.features import cell_rows, panels, score_rows, values_of
from region_grower_flow.report.lineup import MOST_IN_ROW, UprightCell, plot_lineup
from region_grower_flow.report.names import TableRow
from region_grower_flow.report.placed import PlacedCell, common_layers
from region_grower_flow.report.style import shorten
from region_grower_flow.report.units import UnitResult
from region_grower_flow.report.violins import finite, plot_violins
from region_grower_flow.validation import depths, trunks
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.results import REFERENCE, SYNTHESIZED
from region_grower_flow.validation.statistics import named_seed

if TYPE_CHECKING:
    from region_grower_flow.report.units import ReportUnit


def neurite_types(
    references: Iterable[ValidationCell | PlacedCell], cells: Iterable[ValidationCell | PlacedCell]
) -> list[str]:
    """The dendrites that either population has, and axons when both have."""
    sides = [
        {int(t) for cell in side for t in cell.morphology.types} for side in (references, cells)
    ]
    either, both = sides[0] | sides[1], sides[0] & sides[1]
    return [
        kind
        for kind, number in NEURITE_TYPES.items()
        if number in (both if kind == "axon" else either)
    ]


def _measured(
    unit: ReportUnit,
) -> tuple[list[ValidationCell], list[ValidationCell], list[PlacedCell], list[str], list[str]]:
    """(references, synthesized as ValidationCells, their SynthesizedCells, kinds, notes)."""
    references, placed, notes = unit.read()
    kinds = neurite_types(references, placed)
    cells = [cell.measurable() for cell in placed]
    return references, cells, placed, kinds, notes


def seed_of(unit: ReportUnit) -> int:
    """The seed of an mtype's resampling."""
    return named_seed(unit.settings.seed, unit.mtype)


def _title(unit: ReportUnit, references: Sized, cells: Sized) -> str:
    return f"{unit.mtype}: {len(references)} reference, {len(cells)} synthesized cells"


def morphometrics(unit: ReportUnit) -> UnitResult:
    """Violins of the features of an mtype, and the features of every cell."""
    references, cells, _, kinds, notes = _measured(unit)
    rows = cell_rows(unit.mtype, {REFERENCE: references, SYNTHESIZED: cells}, kinds)
    figure = plot_violins(panels(rows), _title(unit, references, cells))
    summary = list(_summaries(unit.mtype, rows))
    return UnitResult(unit.mtype, {"cells": rows, "summary": summary}, [unit.save(figure)], notes)


SUMMARY_COLUMNS = (
    "mtype", "neurite_type", "feature", "population", "n", "zeros", "minimum", "p25", "median",
    "p75", "maximum", "mean", "std",
)  # fmt: skip


def _summaries(mtype: str, rows: Iterable[TableRow]) -> Iterator[TableRow]:
    for kind, features in values_of(rows).items():
        for feature, populations in features.items():
            for population in (REFERENCE, SYNTHESIZED):
                values = finite(populations.get(population, ()))
                row = dict.fromkeys(SUMMARY_COLUMNS)
                row.update(mtype=mtype, neurite_type=kind, feature=feature, population=population)
                row.update(n=len(values), zeros=int((values == 0).sum()))
                if len(values):
                    names = ("minimum", "p25", "median", "p75", "maximum")
                    row.update(zip(names, np.percentile(values, [0, 25, 50, 75, 100]), strict=True))
                    row.update(
                        mean=values.mean(), std=values.std(ddof=1) if len(values) > 1 else None
                    )
                yield row


def scores(unit: ReportUnit) -> UnitResult:
    """The scores of an mtype's features."""
    references, cells, _, kinds, notes = _measured(unit)
    rows = cell_rows(unit.mtype, {REFERENCE: references, SYNTHESIZED: cells}, kinds)
    return UnitResult(
        unit.mtype, {"scores": score_rows(unit.mtype, rows, unit.settings.seed)}, notes=notes
    )


def density_profiles(unit: ReportUnit) -> UnitResult:
    """Length along depth; in an atlas each synthesized cell has a reference cell at its depth."""
    references, _, placed, kinds, notes = _measured(unit)
    layers = common_layers(placed) if unit.in_atlas else ()
    if unit.in_atlas:
        without = [cell for cell in placed if cell.depth is None]
        placed = [cell for cell in placed if cell.depth is not None]
        if without:
            notes.append(f"{len(without)} cells lie in regions without layers: they have no depth")
    below_top = [d for cell in placed if (d := cell.depth) is not None] if unit.in_atlas else None
    rows = []
    for kind in kinds:
        beside, grown = ([cell.morphology for cell in side] for side in (references, placed))
        pair = depths.compared(beside, grown, kind, seed_of(unit), below_top)
        about = {"mtype": unit.mtype, "neurite_type": kind}
        rows += [{**about, **row} for row in depths.depth_rows(*pair)]
        distance = depths.wasserstein(*pair)
        if distance is not None:
            notes.append(f"{kind}: reference and synthesized length are {distance:.1f} um apart")
    if not references:
        rows = [{**row, REFERENCE: None} for row in rows]
    layer_rows = [
        {"mtype": unit.mtype, "layer": str(name), "top_um": top, "bottom_um": bottom}
        for name, top, bottom in layers
    ]
    title = _title(unit, references, placed)
    figure = profiles.plot_profiles(rows, title, layers, unit.in_atlas)
    tables = {"profiles": rows, "layers": layer_rows}
    return UnitResult(unit.mtype, tables, [unit.save(figure)], notes)


def path_distances(unit: ReportUnit) -> UnitResult:
    """The fits of an mtype with its data, and the synthesized cells.

    ``unit.extra``: ``fits`` {neurite type: dict} of the stage FitPathDistances, ``slopes``
    {neurite type: slope in the parameters}, ``trees``: which trees of a cell count.
    """
    _, placed, notes = unit.read()
    found = {}
    for kind in DENDRITES:
        fit = unit.extra["fits"].get(kind)
        if fit is not None:
            measured = [
                measure_tree(tree)
                for cell in placed
                for tree in _trees(cell, kind, unit.extra["trees"])
            ]
            slope = unit.extra["slopes"].get(kind)
            found[kind] = {**fit, "synthesized": measured, "slope_in_parameters": slope}
    trees, lines = path_fits.fit_rows(unit.mtype, found)
    figure = path_fits.plot_path_fits(found, unit.mtype)
    return UnitResult(unit.mtype, {"trees": trees, "fits": lines}, [unit.save(figure)], notes)


def _trees(cell: PlacedCell, kind: str, which: str) -> list[Any]:
    own = getattr(cell.measurable().tmd(), kind)
    return own if which == ALL else own[:1]


def trunk_angle_report(unit: ReportUnit) -> UnitResult:
    """Angles of trunks, with the validation's tests. ``unit.extra``: ``parameters`` or None."""
    references, cells, _, kinds, notes = _measured(unit)
    parameters = unit.extra.get("parameters")
    shown = trunk_angles.trunk_panels(references, cells, kinds, parameters, seed_of(unit))
    comparison = Comparison(kinds, seed_of(unit), unit.mtype, parameters=parameters)
    verdicts = trunks.compare(references, cells, comparison)
    figure = trunk_angles.plot_trunk_angles(shown, _title(unit, references, cells))
    tables = {
        "angles": trunk_angles.angle_rows(unit.mtype, shown),
        "summary": trunk_angles.summary_rows(unit.mtype, shown, verdicts),
    }
    return UnitResult(unit.mtype, tables, [unit.save(figure)], notes)


PICTURE_COLUMNS = ("mtype", "cell", "population", "figure", "trees", "sections", "length_um",
                   "height_um", "width_um")  # fmt: skip


def pictures(unit: ReportUnit) -> UnitResult:
    """Pictures of cells side by side; in vacuum reference cells stand below the synthesized."""
    references, placed, notes = unit.read()
    chosen = placed[: unit.settings.pictured]
    if unit.in_atlas:
        chosen = sorted(chosen, key=lambda cell: cell.depth or 0.0)
    beside = [] if unit.in_atlas else references[: unit.settings.pictured]
    shown = [cell.upright() for cell in chosen]
    shown += [UprightCell(f"ref. {shorten(cell.name, 14)}", cell.morphology) for cell in beside]
    title = _title(unit, beside, chosen) if beside else f"{unit.mtype}: {len(chosen)} cells"
    figure = plot_lineup(
        shown, title, unit.in_atlas, most_in_row=min(max(len(chosen), 1), MOST_IN_ROW)
    )
    path = unit.save(figure)
    rows = [_picture_row(unit.mtype, cell, SYNTHESIZED, path) for cell in chosen]
    rows += [_picture_row(unit.mtype, cell, REFERENCE, path) for cell in beside]
    return UnitResult(unit.mtype, {"pictures": rows}, [path], notes)


def _picture_row(
    mtype: str, cell: ValidationCell | PlacedCell, population: str, path: Path
) -> TableRow:
    morphology = cell.morphology
    points = morphology.points
    span = np.ptp(points, axis=0) if len(points) else np.zeros(3)
    return {
        "mtype": mtype,
        "cell": cell.name,
        "population": population,
        "figure": path.name,
        "trees": int((morphology.parents < 0).sum()),
        "sections": morphology.n_sections,
        "length_um": float(morphology.steps.sum()),
        "height_um": float(span[1]),
        "width_um": float(span[0]),
    }
