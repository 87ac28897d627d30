"""An mtype on the page: reconstructions above grown cells, features, length along depth."""

from dataclasses import dataclass, field

import numpy as np

from region_grower_flow.report import style, violins
from region_grower_flow.report.by_mtype import neurite_types
from region_grower_flow.report.drawing import THINNEST, round_length
from region_grower_flow.report.features import cell_rows, feature_label, values_of
from region_grower_flow.report.placed import common_layers
from region_grower_flow.report.profiles import draw_layers
from region_grower_flow.report.run_page.section import webp
from region_grower_flow.report.run_page.thin import thinned
from region_grower_flow.report.style import NEURITE_COLORS, OTHER_NEURITE
from region_grower_flow.report.units import UnitResult
from region_grower_flow.validation import depths
from region_grower_flow.validation.results import REFERENCE, SYNTHESIZED
from region_grower_flow.validation.statistics import named_seed

SHOWN = ("total length", "sections", "maximum path distance", "mean diameter")
"""Features on the page, where there are some; all are in the validation and PlotMorphometrics."""
IN_ROW = 6
"""Cells of a row."""
MOST_BESIDE = 9
"""Mtypes of which a reconstruction and a grown cell stand beside the verdict."""
UNCALIBRATED = "Without calibration, and without layers"
"""Title of the row of cells as NeuroTS's own parameters grow them."""
WIDE = 3.0
"""Inches of a figure with words, which the page shows at 100 pixels to the inch."""
MOST_MEASURED = 60
"""Reconstructions that are compared."""


@dataclass
class Row:
    """A picture without words of cells side by side.

    Attributes:
        title: of the row.
        data: bytes of a WebP file.
        size: (width, height) in pixels.
        bar: (percent of the width, words) of a bar of length.
    """

    title: str
    data: bytes
    size: tuple
    bar: tuple


@dataclass
class MtypePart:
    """Contents of the page on an mtype.

    Attributes:
        mtype: its name.
        rows: [Row], of one scale.
        violins, profile: bytes of WebP files, or None.
        notes: sentences on cells that cannot be read, and on their length along depth.
    """

    mtype: str
    rows: list = field(default_factory=list)
    violins: bytes | None = None
    profile: bytes | None = None
    notes: list = field(default_factory=list)


def mtype_part(unit):
    """The MtypePart of a ReportUnit, as the UnitResult that processes hand back."""
    references, placed, notes = unit.read()
    part = MtypePart(unit.mtype, notes=notes)
    count = unit.settings.pictured
    rows = [("Reconstructions", [c.morphology for c in references[:count]])]
    if unit.extra.get("uncalibrated"):
        rows.append((UNCALIBRATED, grown_before(*unit.extra["uncalibrated"], count)))
    rows.append(("Grown", [cell.morphology for cell in placed[:count]]))
    part.rows = draw_rows([row for row in rows if row[1]])
    if placed:
        kinds = neurite_types(references, placed)
        cells = [cell.measurable() for cell in placed]
        beside = references[:MOST_MEASURED]
        measured = {REFERENCE: beside, SYNTHESIZED: cells}
        part.violins = _webp(plot_few_violins(cell_rows(unit.mtype, measured, kinds)))
        part.profile = _webp(plot_depth_profile(references, placed, kinds, unit))
    return UnitResult(unit.mtype, {"parts": [part]}, notes=notes)


def grown_before(parameters, distributions, count):
    """[FlatMorphology] of cells as they would have been without the calibration of growth.

    Args:
        parameters, distributions: of the mtype, before the calibration.
        count: cells, at most: some may not grow.
    """
    from region_grower_flow.calibration.growth_cells import Grower
    from region_grower_flow.calibration.growth_stage import default_distributions
    from region_grower_flow.calibration.growth_values import NONE

    return Grower(parameters, default_distributions(distributions), NONE).grow({}, count, 0)


def _webp(figure):
    return None if figure is None else webp(figure)


def side_by_side(references, cells):
    """Rows of a reconstruction and a grown cell of each mtype, which has both.

    Args:
        references, cells: {mtype: [upright FlatMorphology]}.
    """
    both = [mtype for mtype, own in cells.items() if own and references.get(mtype)][:MOST_BESIDE]
    rows = [
        (title, [side[mtype][len(side[mtype]) // 2] for mtype in both])
        for title, side in (("Reconstructions", references), ("Grown", cells))
    ]
    return (both, draw_rows(rows, most=MOST_BESIDE)) if both else ([], [])


def draw_rows(rows, pixels=1120, most=IN_ROW):
    """Rows of cells, all of one scale.

    Args:
        rows: [(title, [upright FlatMorphology])].
        pixels: width of the pictures.
        most: cells of a row.

    Returns:
        [Row]
    """
    rows = [(title, cells[:most]) for title, cells in rows]
    spans = [[_span(cell) for cell in cells] for _, cells in rows]
    width = max((sum(r - le for le, _, r, _ in row) for row in spans), default=0.0)
    if not width:
        return []
    # The narrowest shown: interneurons would else be drawn larger than life.
    width = max(width, 600.0)
    return [
        _draw_row(title, cells, row, width, pixels)
        for (title, cells), row in zip(rows, spans, strict=True)
    ]


def _span(cell):
    """(left, bottom, right, top) of a cell with its gaps (um)."""
    points = np.concatenate([cell.points, cell.soma_points])
    if not len(points):
        return -45.0, -20.0, 45.0, 20.0
    (left, bottom), (right, top) = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    gap = max(0.06 * (right - left), 8.0)
    return float(left - gap), float(bottom - 10), float(right + gap), float(top + 10)


@style.styled
def _draw_row(title, cells, spans, width, pixels):
    from matplotlib.collections import LineCollection

    bottom, top = min(s[1] for s in spans), max(s[3] for s in spans)
    height = max(round(pixels * (top - bottom) / width), 40)
    figure = style.new_figure(pixels / 200, height / 200, layout=None)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(bottom, top)
    points_per_um = pixels / 200 * 72 / width
    spare = (width - sum(s[2] - s[0] for s in spans)) / (len(spans) + 1)
    start = spare
    for cell, (left, _, right, _) in zip(cells, spans, strict=True):
        points, offsets = thinned(cell.points[:, :2], cell.offsets, 0.5 * width / pixels)
        for kind in np.unique(cell.types):
            mine = np.flatnonzero(cell.types == kind)
            lines = [points[offsets[i] : offsets[i + 1]] + (start - left, 0) for i in mine]
            widths = [cell.diameters[cell.offsets[i] : cell.offsets[i + 1]].mean() for i in mine]
            axes.add_collection(
                LineCollection(
                    lines, colors=NEURITE_COLORS.get(int(kind), OTHER_NEURITE), capstyle="round",
                    linewidths=np.maximum(np.array(widths) * points_per_um, THINNEST),
                ),
                autolim=False,
            )  # fmt: skip
        _draw_soma(axes, cell, start - left)
        start += right - left + spare
    length = round_length(width / 6)
    return Row(title, webp(figure), (pixels, height), (100 * length / width, f"{length:g} µm"))


def _draw_soma(axes, cell, across):
    from matplotlib.patches import Circle

    from region_grower_flow.report.drawing import soma_radius

    if len(cell.soma_points):
        center = cell.soma_points[:, :2].mean(axis=0) + (across, 0)
        axes.add_patch(Circle(center, max(soma_radius(cell), 3.0), color=style.INK, lw=0))


@style.styled
def plot_few_violins(rows):
    """Violins of a few features per neurite type; None when no cell has a value."""
    panels = [
        (kind, feature, populations)
        for kind, features in values_of(rows).items()
        if kind
        for feature, populations in features.items()
        if feature in SHOWN and any(len(v) for v in populations.values())
    ]
    if not panels:
        return None
    count = -(-len(panels) // 2)
    height = 1.55 * count
    figure = style.new_figure(WIDE, height, layout=None)
    grid = figure.subplots(count, 2, squeeze=False).ravel()
    # By hand: to find the room of labels takes longer than to draw them.
    figure.subplots_adjust(
        left=0.13, right=0.99, bottom=0.1 / height, top=1 - 0.3 / height, wspace=0.35, hspace=0.4
    )
    for axes, (kind, feature, populations) in zip(grid, panels, strict=False):
        for side, population in zip((-1, 1), violins.POPULATIONS, strict=True):
            values = violins.finite(populations.get(population, ()))
            violins.draw_half(axes, values, side, style.POPULATION_COLORS[population])
        axes.set_xlim(-0.5, 0.5)
        axes.set_xticks([])
        words = feature_label(feature).replace("max. path distance", "reach")
        if len({kind for kind, *_ in panels}) > 1:
            words = f"{kind.removesuffix('_dendrite').replace('_', ' ')} {words}"
        words = words.replace("total length", "length").replace("mean diameter", "diameter")
        axes.set_title(style.shorten(words, 24), fontsize=8.5, weight="normal", x=-0.25)
        axes.locator_params(axis="y", nbins=4)
        axes.tick_params(axis="y", labelsize=8.0)
        axes.margins(y=0.08)
        axes.ticklabel_format(axis="y", useOffset=False)
        style.bare(axes)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    return figure


@style.styled
def plot_depth_profile(references, placed, kinds, unit):
    """Length along depth, a panel per dendrite; each grown cell has a reference at its depth."""
    placed = [cell for cell in placed if cell.depth is not None]
    kinds = [kind for kind in kinds if kind != "axon"]
    if not placed or not kinds:
        return None
    layers, seed = common_layers(placed), named_seed(unit.settings.seed, unit.mtype)
    figure = style.new_figure(WIDE, 3.4, layout=None)
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    sides = [[cell.morphology for cell in side] for side in (references, placed)]
    below = [cell.depth for cell in placed]
    found = [depths.depth_rows(*depths.compared(*sides, kind, seed, below)) for kind in kinds]
    edges = [row[name] for rows in found for row in rows for name in ("from_um", "to_um")]
    if not edges:
        return None
    low, high = min(edges), max(edges)
    if layers:
        low, high = min(low, layers[0][1]), max(high, min(layers[-1][2], high + 150))
    panels[0].set_ylim(high, low)
    for axes, kind, rows in zip(panels, kinds, found, strict=True):
        draw_layers(axes, layers, names=axes is panels[-1])
        steps = [row["from_um"] for row in rows] + [row["to_um"] for row in rows[-1:]]
        for population in (REFERENCE, SYNTHESIZED) if rows else ():
            if population == REFERENCE and not references:
                continue
            values = np.array([row[population] for row in rows]) / np.diff(steps)
            fill = population == REFERENCE
            axes.stairs(
                values, steps, orientation="horizontal", fill=fill, alpha=0.45 if fill else 1.0,
                lw=0 if fill else 1.5, color=style.POPULATION_COLORS[population],
            )  # fmt: skip
        axes.set_xlim(left=0)
        axes.set_title(kind.removesuffix("_dendrite").replace("_", " "), weight="normal")
        axes.locator_params(axis="x", nbins=3)
        style.bare(axes)
    panels[0].set_ylabel("depth (µm)")
    figure.supxlabel("length per cell (µm / µm of depth)", fontsize=8.5)
    figure.subplots_adjust(left=0.21, right=0.93, bottom=0.16, top=0.92, wspace=0.12)
    return figure
