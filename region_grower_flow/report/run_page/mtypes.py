"""An mtype on the page: reconstructions above grown cells, features, length along depth."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.calibration.dataset import ReferenceCell
from region_grower_flow.calibration.growth_moments import NAMES, growth_table
from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology
from region_grower_flow.report import style
from region_grower_flow.report.by_mtype import neurite_types
from region_grower_flow.report.drawing import THINNEST, round_length
from region_grower_flow.report.placed import PlacedCell, common_layers, readable
from region_grower_flow.report.profiles import layer_name
from region_grower_flow.report.run_page.charts import depth_profile, violin_panel
from region_grower_flow.report.run_page.section import DPI, length_words, webp
from region_grower_flow.report.run_page.thin import thinned
from region_grower_flow.report.style import NEURITE_COLORS, OTHER_NEURITE
from region_grower_flow.report.units import UnitResult
from region_grower_flow.validation import depths
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.populations import read_references
from region_grower_flow.validation.results import REFERENCE, SYNTHESIZED
from region_grower_flow.validation.statistics import named_seed

if TYPE_CHECKING:
    from markupsafe import Markup

    from region_grower_flow.report.units import ReportUnit

SHOWN = {
    "sections": "sections",
    "total length": "length (µm)",
    "maximum path distance": "reach (µm)",
    "mean diameter": "diameter (µm)",
}
"""Features on the page and their titles; all are in the validation and PlotMorphometrics."""
IN_ROW = 6
"""Greatest number of cells in a row."""
LOWEST = 0.26
"""Greatest height over width of the rows beside the verdict."""
MOST_BESIDE = 9
"""Greatest number of mtypes of which a reconstruction and a grown cell stand beside the verdict."""
UNCALIBRATED = "Without calibration, and without layers"
"""Title of the row of cells as NeuroTS's own parameters grow them."""
MOST_MEASURED = 60
"""Greatest number of reconstructions of an mtype that are compared."""
MOST_LOOKED_AT = 12
"""Greatest number of reconstructions of an mtype that the verdict looks at."""

Span: TypeAlias = tuple[float, float, float, float]
"""(left, bottom, right, top) of a cell with its gaps (um)."""


@dataclass
class Row:
    """A picture without words of cells side by side.

    Attributes:
        title: of the row.
        data: bytes of a WebP file.
        size: (width, height) in pixels.
        bar: (percent of the width, words) of a bar of length.
        middles: percent of the width, of each cell.
    """

    title: str
    data: bytes
    size: tuple[int, int]
    bar: tuple[float, str]
    middles: tuple[float, ...] = ()


@dataclass
class MtypePart:
    """Contents of the page on an mtype.

    Attributes:
        mtype: its name.
        rows: [Row], of one scale.
        charts: of a few features, [(neurite type in words, [SVG element])].
        profile: text of an SVG element, or None.
        notes: sentences on cells that cannot be read.
        lost: those of them on grown cells.
        references, cells: some [FlatMorphology] and all [PlacedCell] of the unit, read: they are
            looked at together with those of other mtypes.
    """

    mtype: str
    rows: list[Row] = field(default_factory=list)
    charts: list[tuple[str, list[Markup]]] = field(default_factory=list)
    profile: Markup | None = None
    notes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    references: list[FlatMorphology] = field(default_factory=list)
    cells: list[PlacedCell] = field(default_factory=list)


def mtype_part(unit: ReportUnit) -> UnitResult:
    """The MtypePart of a ReportUnit, as the UnitResult that processes hand back.

    ``unit.extra``: ``drawn``: whether the page has room for pictures of this mtype;
    ``uncalibrated``: (parameters, distributions) before the calibration of growth, or None.
    """
    references, notes = references_of(unit.references[:MOST_MEASURED])
    placed, lost = readable(unit.cells)
    part = MtypePart(unit.mtype, notes=notes + lost, lost=lost, cells=placed)
    part.references = [cell.morphology for cell in references[:MOST_LOOKED_AT]]
    if unit.extra.get("drawn", True):
        _draw(part, unit, references, placed)
    return UnitResult(unit.mtype, {"parts": [part]}, notes=part.notes)


def _draw(
    part: MtypePart,
    unit: ReportUnit,
    references: Sequence[ValidationCell],
    placed: Sequence[PlacedCell],
) -> None:
    count = unit.settings.pictured
    rows = [("Reconstructions", [c.morphology for c in references[:count]])]
    if unit.extra.get("uncalibrated"):
        parameters, distributions = unit.extra["uncalibrated"]
        rows.append((UNCALIBRATED, grown_before(parameters, distributions, count)))
    rows.append(("Grown", [cell.morphology for cell in placed[:count]]))
    part.rows = draw_rows([row for row in rows if row[1]])
    if placed:
        kinds = neurite_types(references, placed)
        beside = [cell.morphology for cell in references]
        cells = [cell.morphology for cell in placed]
        part.charts = feature_charts(beside, cells, kinds)
        seed = named_seed(unit.settings.seed, unit.mtype)
        part.profile = profile_chart(beside, placed, kinds, seed)


def references_of(cells: Iterable[ReferenceCell]) -> tuple[list[ValidationCell], list[str]]:
    """The result of :func:`populations.read_references`, of which each file is read once.

    Mtypes may borrow the reconstructions of others.
    """
    found, lost = [], []
    for cell in cells:
        read, problems = _reference(cell)
        found += read
        lost += problems
    return found, lost


@functools.lru_cache(maxsize=2000)
def _reference(cell: ReferenceCell) -> tuple[list[ValidationCell], list[str]]:
    return read_references([cell], None)


def forget_references() -> None:
    """Forget the files that :func:`references_of` has read: they may be others at the next page."""
    _reference.cache_clear()


def grown_before(
    parameters: dict[str, Any], distributions: dict[str, Any], count: int
) -> list[FlatMorphology]:
    """[FlatMorphology] of cells as they would have been without the calibration of growth.

    Args:
        parameters, distributions: of the mtype, before the calibration.
        count: cells, at most: some may not grow.
    """
    from region_grower_flow.calibration.growth_cells import Grower
    from region_grower_flow.calibration.growth_stage import default_distributions
    from region_grower_flow.calibration.growth_values import NONE

    return Grower(parameters, default_distributions(distributions), NONE).grow({}, count, 0)


def side_by_side(
    references: Mapping[str, Sequence[FlatMorphology]],
    cells: Mapping[str, Sequence[FlatMorphology]],
    sources: Mapping[str, object] | None = None,
) -> tuple[list[str], list[Row]]:
    """Rows of a reconstruction and a grown cell of each mtype, which has both, in columns.

    Of each side it is the cell of median length.

    Args:
        references, cells: {mtype: [upright FlatMorphology]}.
        sources: {mtype: what its reconstructions come from}: of mtypes that share them, the one
            with the most cells is shown.

    Returns:
        ([mtype], [Row])
    """
    both = [mtype for mtype, own in cells.items() if own and references.get(mtype)]
    first: dict[object, str] = {}
    for mtype in sorted(both, key=lambda mtype: -len(cells[mtype])):
        first.setdefault((sources or {}).get(mtype, mtype), mtype)
    chosen = list(first.values())[:MOST_BESIDE]
    both = [mtype for mtype in both if mtype in chosen]
    rows = [
        (title, [_typical(side[mtype]) for mtype in both])
        for title, side in (("Reconstructions", references), ("Grown", cells))
    ]
    return (both, draw_rows(rows, most=MOST_BESIDE, columns=True)) if both else ([], [])


def _typical(cells: Sequence[FlatMorphology]) -> FlatMorphology:
    """The cell whose total length is the median of those of all."""
    return sorted(cells, key=lambda cell: float(cell.steps.sum()))[len(cells) // 2]


def draw_rows(
    rows: Iterable[tuple[str, Sequence[FlatMorphology]]],
    pixels: int = 1120,
    most: int = IN_ROW,
    columns: bool = False,
) -> list[Row]:
    """Rows of cells, all of one scale.

    Args:
        rows: [(title, [upright FlatMorphology])].
        pixels: width of the pictures.
        most: cells of a row.
        columns: whether cells of one place stand below each other; rows are of one length then.

    Returns:
        [Row]
    """
    rows = [(title, cells[:most]) for title, cells in rows]
    spans = [[_span(cell) for cell in cells] for _, cells in rows]
    if columns:
        spans = [_aligned([_widest(own) for own in zip(*spans, strict=True)])] * len(spans)
    width = max((sum(r - le for le, _, r, _ in row) for row in spans), default=0.0)
    if not width:
        return []
    # Interneurons would else be drawn larger than life.
    width = max(width, 600.0)
    if columns:  # a few tall cells would fill the window
        width = max(width, (spans[0][0][3] - spans[0][0][1]) / LOWEST)
    return [
        _draw_row(title, cells, row, width, pixels)
        for (title, cells), row in zip(rows, spans, strict=True)
    ]


def _widest(spans: Sequence[Span]) -> Span:
    """The span that holds some."""
    left, bottom, right, top = np.array(spans).T
    return left.min(), bottom.min(), right.max(), top.max()


def _aligned(spans: Sequence[Span]) -> list[Span]:
    """Spans of one height."""
    bottom, top = min(s[1] for s in spans), max(s[3] for s in spans)
    return [(left, bottom, right, top) for left, _, right, _ in spans]


def _span(cell: FlatMorphology) -> Span:
    """(left, bottom, right, top) of a cell with its gaps (um)."""
    points = np.concatenate([cell.points, cell.soma_points])
    if not len(points):
        return -45.0, -20.0, 45.0, 20.0
    (left, bottom), (right, top) = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    gap = max(0.06 * (right - left), 8.0)
    return float(left - gap), float(bottom - 10), float(right + gap), float(top + 10)


@style.styled
def _draw_row(
    title: str, cells: Sequence[FlatMorphology], spans: Sequence[Span], width: float, pixels: int
) -> Row:
    from matplotlib.collections import LineCollection, PatchCollection
    from matplotlib.patches import Circle
    from matplotlib.transforms import Affine2D

    bottom, top = min(s[1] for s in spans), max(s[3] for s in spans)
    scale = pixels / width
    height = max(round((top - bottom) * scale), 40)
    figure = style.new_figure(pixels / DPI, height / DPI, layout=None)
    figure.set_dpi(DPI)
    spare = (width - sum(s[2] - s[0] for s in spans)) / (len(spans) + 1)
    start = spare
    lines, widths, colors, somata, middles = [], [], [], [], []
    for cell, (left, _, right, _) in zip(cells, spans, strict=True):
        points, offsets = thinned(cell.points[:, :2], cell.offsets, 0.5 / scale)
        places = (points + (start - left, -bottom)) * scale
        lines += [places[a:b] for a, b in itertools.pairwise(offsets)]
        widths += [cell.diameters[a:b].mean() for a, b in itertools.pairwise(cell.offsets)]
        colors += [NEURITE_COLORS.get(int(kind), OTHER_NEURITE) for kind in cell.types]
        if len(cell.soma_points):
            center = cell.soma_points[:, :2].mean(axis=0) + (start - left, -bottom)
            somata.append(Circle(center * scale, max(cell.soma_radius, 3.0) * scale))
        middles.append(100 * (start + (right - left) / 2) / width)
        start += right - left + spare
    # On the figure itself: axes take longer than what is drawn in them.
    drawn = [
        LineCollection(
            lines, colors=colors, capstyle="round",
            linewidths=np.maximum(np.array(widths) * scale * 72 / DPI, THINNEST),
        ),
        PatchCollection(somata, color=style.INK, linewidths=0),
    ]  # fmt: skip
    for artist in drawn:
        artist.set_transform(Affine2D())
        figure.add_artist(artist)
    length = round_length(width / 6)
    bar = 100 * length / width, length_words(length)
    return Row(title, webp(figure), (pixels, height), bar, tuple(middles))


def feature_charts(
    references: Sequence[FlatMorphology], cells: Sequence[FlatMorphology], kinds: Iterable[str]
) -> list[tuple[str, list[Markup]]]:
    """Charts of a few features: [(neurite type in words, [SVG element])].

    Args:
        references, cells: [FlatMorphology].
        kinds: names of neurite types.
    """
    found = []
    for kind in kinds:
        tables = [growth_table(side, NEURITE_TYPES[kind]) for side in (references, cells)]
        mine = []
        for feature, words in SHOWN.items():
            values = [table[:, NAMES.index(feature)] for table in tables]
            if any(np.isfinite(side).any() for side in values):
                sides = dict(zip((REFERENCE, SYNTHESIZED), values, strict=True))
                mine.append(violin_panel(words, sides))
        if mine:
            found.append((_short(kind), mine))
    return found


def _short(kind: str) -> str:
    return kind.removesuffix("_dendrite").replace("_", " ")


def profile_chart(
    references: Sequence[FlatMorphology],
    placed: Sequence[PlacedCell],
    kinds: Iterable[str],
    seed: int,
) -> Markup | None:
    """Length along depth as SVG; each grown cell has a reconstruction at its depth. None without.

    Args:
        references: [FlatMorphology].
        placed: [PlacedCell].
        kinds: names of neurite types; axons are left out.
        seed: of the choice of the reconstructions.
    """
    known = [(cell.morphology, cell.depth) for cell in placed if cell.depth is not None]
    kinds = [kind for kind in kinds if kind != "axon"]
    if not known or not kinds:
        return None
    cells, below = [cell for cell, _ in known], [depth for _, depth in known]
    found = [depths.depth_rows(*depths.compared(references, cells, k, seed, below)) for k in kinds]
    edges = [row[name] for rows in found for row in rows for name in ("from_um", "to_um")]
    if not edges:
        return None
    low, high = min(edges), max(edges)
    layers = common_layers(cell for cell in placed if cell.depth is not None)
    if layers:
        low, high = min(low, layers[0][1]), max(high, min(layers[-1][2], high + 150))
    shown = zip(kinds, found, strict=True)
    panels = [(_short(kind), rows, bool(references)) for kind, rows in shown if rows]
    named = [(layer_name(name), top, bottom) for name, top, bottom in layers]
    return depth_profile(panels, named, (low, high))
