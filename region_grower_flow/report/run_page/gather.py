"""All that the page of a run shows, found and drawn from what the run has written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.calibration.dataset import ReferenceCell
from region_grower_flow.errors import FlowError
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.table import cell_seed
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.report.palette import looks
from region_grower_flow.report.placed import PlacedCell, common_layers, in_turn, readable
from region_grower_flow.report.profiles import layer_name
from region_grower_flow.report.run_page import science
from region_grower_flow.report.run_page.mtypes import (
    forget_references,
    mtype_part,
    side_by_side,
)
from region_grower_flow.report.run_page.outline import outlines
from region_grower_flow.report.run_page.page import RunReport
from region_grower_flow.report.run_page.scene import scene
from region_grower_flow.report.run_page.science import Shapes
from region_grower_flow.report.run_page.section import (
    MOST_CELLS,
    MOST_SOMATA,
    draw_section,
    fullest_slice,
    webp,
)
from region_grower_flow.report.run_page.where import (
    MOST_SOMATA as MOST_SHOWN,
)
from region_grower_flow.report.run_page.where import (
    VIEWS,
    plot_depths,
    plot_projection,
)
from region_grower_flow.report.templates import DASH
from region_grower_flow.report.units import ReportSettings, ReportUnit, gathered
from region_grower_flow.validation.space import place_of
from region_grower_flow.validation.statistics import named_seed

if TYPE_CHECKING:
    from region_grower_flow.io.table import CellTable
    from region_grower_flow.report.palette import Look
    from region_grower_flow.report.placed import SynthesizedCells
    from region_grower_flow.report.run_page.mtypes import MtypePart
    from region_grower_flow.report.run_page.science import Finding
    from region_grower_flow.report.run_page.section import Section
    from region_grower_flow.report.slices import LayerMap
    from region_grower_flow.report.units import UnitResult
    from region_grower_flow.validation.space import CellPlace

IN_SPACE = 60
"""Cells of the 3D view: some of each mtype, one at least where there are not more mtypes."""
LOOKED_AT = 12
"""Cells of an mtype that the verdict and its figures look at."""
MOST_DRAWN = 60
"""Mtypes with pictures of their own: with more a page would be too large to open."""
PRELOADED = (
    "PIL.Image",
    "matplotlib.backends.backend_agg",
    "matplotlib.collections",
    "region_grower_flow.calibration.growth_cells",
    "region_grower_flow.report.run_page.mtypes",
)
"""Modules that the server of processes imports once before it forks those that draw mtypes."""
_BOX_MARGIN = 60.0


@dataclass
class RunData:
    """Outputs of a run, for its page.

    Attributes:
        summary: of the synthesis.
        placed: SynthesizedCells.
        references: {mtype: [ReferenceCell]}; empty without reconstructions.
        parameters: the NeuroTS parameters of all mtypes (dict), or None.
        layers: LayerMap, or None where the atlas is not read.
        chunks: the tables of the chunks, see :func:`attempts_of`.
        seed: of the run.
        settings: ReportSettings: seed of the choice of cells, cells in pictures.
        validation: the verdicts (dicts) that decide, or None.
        how_to_validate: the command that validates these cells.
        uncalibrated: {mtype: (parameters, distributions)} before growth was calibrated; empty
            where it was not.
        share: a function of (function, units, meanwhile) that gives the results, maybe in
            processes; ``meanwhile`` is called without arguments while they work.
    """

    summary: Mapping[str, Any]
    placed: SynthesizedCells
    references: Mapping[str, Sequence[ReferenceCell]] = field(default_factory=dict)
    parameters: Mapping[str, Any] | None = None
    layers: LayerMap | None = None
    chunks: Sequence[PathLike] = ()
    seed: int = 0
    settings: ReportSettings = field(default_factory=lambda: ReportSettings(Path()))
    validation: Sequence[Mapping[str, Any]] | None = None
    how_to_validate: str = ""
    uncalibrated: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    share: Callable[..., Sequence[UnitResult]] | None = None

    def sources(self) -> dict[str, tuple[Any, ...]]:
        """{mtype: the files of its reconstructions}."""
        return {m: tuple(cell.path for cell in own) for m, own in self.references.items()}


def run_report(run: RunData, title: str, **more: Any) -> RunReport:
    """The RunReport of a run.

    Args:
        run: RunData.
        title: of the page.
        more: attributes of RunReport that are not found here (outputs, inputs, command line).
    """
    mtypes = [mtype for mtype in run.summary["mtypes"] if mtype in run.placed.mtypes]
    warnings, shown = [*more.pop("warnings", ())], looks(mtypes)
    drawn: dict[str, Any] = {}
    if len(mtypes) > MOST_DRAWN:
        warnings.append(f"{MOST_DRAWN} of {len(mtypes)} mtypes are drawn.")

    def whole() -> None:
        drawn["section"] = section_of(run, shown)
        drawn["scene"] = scene_of(run, shown)
        drawn["where"] = where_of(run, shown)

    try:
        parts = mtypes_parts(run, mtypes, whole)
    finally:
        forget_references()
    warnings += [sentence for part in parts for sentence in part.lost]
    cells = {part.mtype: part.cells for part in parts}
    references = {part.mtype: part.references for part in parts}
    return RunReport(
        title=title,
        summary=run.summary,
        looks=shown,
        findings=findings(run, cells, references),
        verdicts=sorted(run.validation or (), key=lambda verdict: verdict["verdict"] != "fail"),
        beside=side_by_side(references, upright_of(cells), run.sources()),
        mtypes=parts[:MOST_DRAWN],
        warnings=warnings,
        **drawn,
        **more,
    )


def findings(
    run: RunData, cells: Mapping[str, Sequence[PlacedCell]], references: Shapes
) -> list[Finding]:
    """The verdict: [Finding].

    Args:
        run: RunData.
        cells: {mtype: [PlacedCell]} that can be read.
        references: {mtype: [FlatMorphology]}.
    """
    table = run.placed.table
    rows = np.concatenate([np.empty(0, dtype=np.int64), *run.placed.rows().values()])
    chosen = np.sort(_rng(run, "layers").permutation(rows)[:4000])
    some = [cell for own in cells.values() for cell in own]
    upright = upright_of(cells)
    placed = list(_with_places(some, table, run.parameters))
    return [
        finding
        for finding in (
            science.made(run.summary),
            science.in_layers(table, rows),
            science.in_named_layers(table, chosen),
            science.directions(table, chosen, run.layers.voxel if run.layers else 0.0),
            science.pointing(references, upright),
            science.targets(placed),
            science.limits(placed),
            science.validated(
                _counts(run.validation), tuple(_failed(run.validation)), run.how_to_validate
            ),
        )
        if finding is not None
    ]


def upright_of(cells: Mapping[str, Sequence[PlacedCell]]) -> dict[str, list[FlatMorphology]]:
    """{mtype: [FlatMorphology]} of {mtype: [PlacedCell]}."""
    return {mtype: [cell.morphology for cell in own] for mtype, own in cells.items()}


def _with_places(
    cells: Iterable[PlacedCell], table: CellTable, parameters: Mapping[str, Any] | None
) -> Iterator[tuple[PlacedCell, CellPlace]]:
    if parameters is None:
        return
    for cell in cells:
        try:
            yield cell, place_of(table.cells([cell.row])[0], parameters)
        except (FlowError, KeyError):  # parameters of other mtypes: nothing to hold it against
            continue


def _failed(verdicts: Iterable[Mapping[str, Any]] | None) -> Iterator[str]:
    """Words on the tests that fail: ``L5_PC apical dendrite, pia angle``."""
    for verdict in verdicts or ():
        if verdict["verdict"] == "fail":
            kind = (verdict.get("neurite_type") or "").replace("_", " ")
            whose = " ".join(filter(None, (verdict.get("mtype"), kind)))
            yield f"{whose}, {verdict['test']}" if whose else verdict["test"]


def _counts(verdicts: Iterable[Mapping[str, Any]] | None) -> dict[str, int] | None:
    if verdicts is None:
        return None
    return Counter(verdict["verdict"] for verdict in verdicts)


def section_of(run: RunData, shown: Mapping[str, Look]) -> Section | None:
    """The Section at the top; None when no cell was made."""
    placed = run.placed
    positions = placed.positions()
    if not len(positions):
        return None
    view = fullest_slice(positions, placed.pia())
    inside = placed.within(view.holds, 0, run.settings.seed)
    somata = [(m, cell.position) for m, own in inside.items() for cell in own]
    if len(somata) > MOST_SOMATA:
        rng = _rng(run, "section")
        somata = [somata[i] for i in sorted(rng.choice(len(somata), MOST_SOMATA, replace=False))]
    drawn, _ = readable(in_turn(inside, MOST_CELLS, run.settings.seed))
    return draw_section(drawn, somata, view, run.layers, shown)


def _rng(run: RunData, purpose: str) -> np.random.Generator:
    return np.random.default_rng(named_seed(run.settings.seed, "page", purpose))


def scene_of(run: RunData, shown: Mapping[str, Look]) -> dict[str, Any] | None:
    """Input of the 3D viewer; None when no cell can be read."""
    most = max(IN_SPACE, len(shown))
    known = {mtype: run.placed.sample(mtype, most, run.settings.seed) for mtype in shown}
    chosen, _ = readable(in_turn(known, most, run.settings.seed))
    if not chosen:
        return None
    chosen.sort(key=lambda cell: (list(shown).index(cell.mtype), cell.depth or 0.0))
    table, attempts = run.placed.table, attempts_of(run.chunks, {cell.name for cell in chosen})
    told = [(cell, _told(cell, table, attempts, run, shown)) for cell in chosen]
    pia = run.placed.pia()
    view = fullest_slice(run.placed.positions(), pia)
    frame = view.frame.copy()
    if view.downwards:
        frame[1] = -frame[1]
    frame[2] = np.cross(frame[0], frame[1])
    found = []
    if run.layers is not None:
        ends = np.concatenate(
            [
                cell.morphology.points @ cell.orientation.T + cell.position
                for cell in chosen
                if len(cell.morphology.points)
            ]
            or [np.array([cell.position for cell in chosen])]
        )
        along = ends @ frame.T
        low, high = along.min(axis=0) - _BOX_MARGIN, along.max(axis=0) + _BOX_MARGIN
        found = outlines(run.layers, frame, low, high)
    viewed = scene(told, [(layer_name(name), lines) for name, lines in found])
    names = [mtype for mtype in shown if any(cell.mtype == mtype for cell in chosen)]
    rounded = [[round(float(x), 6) for x in axis] for axis in frame]
    if viewed is None:
        return None
    return {**viewed, "mtypes": names, "across": rounded[0], "up": rounded[1], "normal": rounded[2]}


def _told(
    cell: PlacedCell,
    table: CellTable,
    attempts: Mapping[str, Any],
    run: RunData,
    shown: Mapping[str, Look],
) -> dict[str, Any]:
    row = cell.row
    depth = DASH if cell.depth is None else f"{cell.depth:.0f} µm"
    facts = [
        ("id", int(table.ids[row])),
        ("mtype", cell.mtype),
        ("region", str(table.regions[row])),
        ("depth", depth),
        ("layer", _layer_of(cell)),
        ("position", ", ".join(f"{x:.1f}" for x in cell.position) + " µm"),
        ("seed", int(cell_seed(run.seed, table.numbers[row]))),
        ("attempts", attempts.get(cell.name, DASH)),
        ("file", cell.path.name),
    ]
    return {
        "mtype": cell.mtype,
        "color": shown[cell.mtype].color,
        "short": f"id {int(table.ids[row])}" + (f", {depth}" if cell.depth is not None else ""),
        "facts": [(name, str(value)) for name, value in facts if value is not None],
    }


def _layer_of(cell: PlacedCell) -> str | None:
    for name, top, bottom in cell.layers:
        if cell.depth is not None and top <= cell.depth <= bottom:
            return layer_name(name)
    return None


def where_of(run: RunData, shown: Mapping[str, Look]) -> list[tuple[bytes, str]]:
    """[(bytes, caption)]: somata from three sides, and along depth."""
    table, rows = run.placed.table, run.placed.rows()
    rows = {mtype: rows[mtype] for mtype in shown if len(rows.get(mtype, ()))}
    total = sum(map(len, rows.values()))
    if not total:
        return []
    words = ""
    if total > MOST_SHOWN:
        rng = _rng(run, "somata")
        share = MOST_SHOWN / total
        rows = {m: r[np.sort(rng.permutation(len(r))[: max(int(len(r) * share), 1)])]
                for m, r in rows.items()}  # fmt: skip
        words = f" {sum(map(len, rows.values())):,} of {total:,}, drawn by chance."
    somata = {mtype: table.positions[own] for mtype, own in rows.items()}
    pia = run.placed.pia()
    on = ", on the regions with layers" if run.layers is not None else ""
    found = [
        (
            webp(plot_projection(somata, shown, view, pia, run.layers)),
            f"Somata, seen along {axis}{on}.{words}",
        )
        for view, axis in zip(VIEWS, "zxy", strict=True)
    ]
    cells = [cell for m in shown for cell in run.placed.sample(m, LOOKED_AT, run.settings.seed)]
    layers = common_layers(cells)
    depths = plot_depths({m: table.depths[own] for m, own in rows.items()}, shown, layers)
    if depths is not None:
        between = " Layers: medians at the cells that were looked at." if layers else ""
        found.append((webp(depths), f"Somata along depth.{words}{between}"))
    return found


def mtypes_parts(
    run: RunData, mtypes: Sequence[str], meanwhile: Callable[[], None]
) -> list[MtypePart]:
    """[MtypePart] of some mtypes; ``meanwhile`` is called while other processes draw."""
    units = [
        ReportUnit(
            mtype=mtype,
            references=tuple(run.references.get(mtype, ())),
            cells=tuple(run.placed.sample(mtype, LOOKED_AT, run.settings.seed)),
            in_atlas=True,
            settings=run.settings,
            extra={
                "uncalibrated": run.uncalibrated.get(mtype),
                "drawn": place < MOST_DRAWN,
            },
        )
        for place, mtype in enumerate(mtypes)
    ]
    share = run.share or _in_turn_here
    return gathered(share(mtype_part, units, meanwhile), "parts")


def _in_turn_here(
    function: Callable[[ReportUnit], UnitResult],
    units: Sequence[ReportUnit],
    meanwhile: Callable[[], None],
) -> list[UnitResult]:
    meanwhile()
    return [function(unit) for unit in units]


def attempts_of(chunks: Iterable[PathLike], names: Iterable[str]) -> dict[str, Any]:
    """{name: attempts} of some cells, from the tables of the chunks (JSON lines).

    Lines of other cells are not parsed: a run may have millions.
    """
    found, wanted = {}, set(names)
    for chunk in chunks:
        with open(chunk, encoding="utf-8") as file:
            for line in file:
                name = line.partition('"name":"')[2].partition('"')[0]
                if name in wanted:
                    found[name] = json.loads(line).get("attempts")
    return found
