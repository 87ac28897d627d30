"""Cells side by side, upright, each at its depth in the layers that it grew in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.report import style
from region_grower_flow.report.drawing import (
    Morphologies,
    neurite_legend,
    scale_bar_below,
    settle,
)
from region_grower_flow.report.profiles import Layers, layer_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST_SLOT = 90.0
"""Least width (um) of the place of a cell."""
GAP = 0.12
"""Gap to each side of a cell, as a share of its width."""
WIDEST, HIGHEST = 13.0, 5.2
"""Greatest width and height (inches) of a row of cells."""
LARGEST_SCALE = 0.02
"""Greatest scale (inches per um): small cells are not blown up."""
LETTER = 0.058
"""Width (inches) of a letter of a label."""
MOST_IN_ROW = 14
_TEXT = 7.5

Slot: TypeAlias = tuple[float, float]
"""Extent (um) of the place of a cell to the left and to the right of its soma."""


@dataclass(frozen=True)
class UprightCell:
    """A cell to draw.

    Attributes:
        label: what stands below it.
        morphology: FlatMorphology (um), its soma near the origin, the pia along +y.
        depth: of its soma below the top of its region (um); 0 in vacuum.
        layers: [(name, top, bottom)] of the layers at the cell (um of depth), from the top down.
    """

    label: str
    morphology: FlatMorphology
    depth: float = 0.0
    layers: Layers = ()


@style.styled
def plot_lineup(
    cells: Sequence[UprightCell],
    title: str | None = None,
    in_atlas: bool = True,
    most_in_row: int = MOST_IN_ROW,
) -> Figure:
    """A figure of cells, in rows.

    Args:
        cells: [UprightCell].
        title: of the figure.
        in_atlas: draw depths and layers.
        most_in_row: cells.

    Returns:
        matplotlib Figure.
    """
    rows = [cells[i : i + most_in_row] for i in range(0, len(cells), most_in_row)]
    if not rows:
        figure = style.new_figure(5, 1.6)
        style.say(figure.add_subplot(), "no cell was made")
        return figure
    heights = [_reach(row, in_atlas) for row in rows]
    slots, scale = _fitted(rows, max(bottom - top for top, bottom in heights))
    across = max(sum(right - left for left, right in row) for row in slots)
    sizes = [max((bottom - top) * scale, 0.8) for top, bottom in heights]
    width = max(across * scale + 1.0, 3.6)
    figure = style.new_figure(width, sum(sizes) + 0.42 * len(rows) + (0.7 if title else 0.4))
    if title:
        figure.suptitle(style.shorten(title, int(width * 11)), x=0.01, ha="left", weight="bold")
    panels = figure.subplots(len(rows), 1, height_ratios=sizes, squeeze=False)[:, 0]
    kinds: set[int] = set()
    drawn = []
    for axes, row, row_slots, reach in zip(panels, rows, slots, heights, strict=True):
        shown = _draw_row(axes, row, row_slots, (across, *reach), in_atlas)
        kinds.update(shown.kinds())
        drawn.append((axes, shown))
    neurite_legend(figure, sorted(kinds), loc="outside lower right", ncols=4)
    settle(figure)
    # All rows have one scale.
    scale_bar_below(figure, panels[0], across / 7)
    for axes, shown in drawn:
        shown.draw(axes)
    return figure


def _fitted(rows: Sequence[Sequence[UprightCell]], height: float) -> tuple[list[list[Slot]], float]:
    """(slots of all cells, inches per um) so that neither cells nor labels overlap.

    Labels have a size in inches: each turn widens slots for them at the scale of the turn before.
    """
    scale = min(HIGHEST / height, LARGEST_SCALE)
    for _ in range(4):
        slots = [[_slot(cell, scale) for cell in row] for row in rows]
        across = max(sum(right - left for left, right in row) for row in slots)
        scale = min(WIDEST / across, HIGHEST / height, LARGEST_SCALE)
    return slots, scale


def _slot(cell: UprightCell, scale: float) -> Slot:
    """Extent (um) of the cell's place to the left and to the right of its soma."""
    across = cell.morphology.points[:, 0]
    left = float(across.min()) if len(across) else 0.0
    right = float(across.max()) if len(across) else 0.0
    gap = GAP * (right - left)
    middle = (left + right) / 2
    label = LETTER * (len(cell.label) + 2) / scale
    half = max((right - left) / 2 + gap, LEAST_SLOT / 2)
    # The label stands below the soma, which need not be in the middle.
    half = max(half, label / 2 + abs(middle))
    return middle - half, middle + half


def _reach(row: Sequence[UprightCell], in_atlas: bool) -> tuple[float, float]:
    """The least and greatest depth (um) that a row shows."""
    tops, bottoms = [], []
    for cell in row:
        up = cell.morphology.points[:, 1] if len(cell.morphology.points) else np.zeros(1)
        tops.append(cell.depth - float(up.max()))
        bottoms.append(cell.depth - float(up.min()))
        if in_atlas and cell.layers:
            tops.append(cell.layers[0][1])
            below = cell.layers[-1][2]
            bottoms.append(below if below < max(bottoms) + 400 else max(bottoms) + 100)
    pad = 0.02 * (max(bottoms) - min(tops))
    return min(tops) - pad, max(bottoms) + pad


def _draw_row(
    axes: Axes,
    row: Sequence[UprightCell],
    slots: Sequence[Slot],
    frame: tuple[float, float, float],
    in_atlas: bool,
) -> Morphologies:
    across, top, bottom = frame
    used = sum(right - left for left, right in slots)
    axes.set_aspect("equal", adjustable="box", anchor="W")
    axes.set_xlim(0, max(used, across / 3))
    axes.set_ylim(bottom, top)
    shown, start, ticks = Morphologies(), 0.0, []
    for cell, (left, right) in zip(row, slots, strict=True):
        center = start - left
        if in_atlas:
            _draw_layers(axes, cell.layers, start, right - left, names=cell is row[-1])
        shown.add(_downwards(cell.morphology), (center, cell.depth))
        ticks.append(center)
        start += right - left
    axes.set_xticks(ticks, [cell.label for cell in row], fontsize=_TEXT)
    axes.tick_params(axis="x", length=0)
    style.bare(axes, bottom=True, left=in_atlas)
    axes.spines["bottom"].set_visible(False)
    if in_atlas:
        axes.set_ylabel("depth (µm)")
    return shown


def _downwards(morphology: FlatMorphology) -> FlatMorphology:
    """The morphology in coordinates whose second is depth."""
    from dataclasses import replace

    flip = np.array([1.0, -1.0, 1.0], dtype=np.float32)
    return replace(
        morphology, points=morphology.points * flip, soma_points=morphology.soma_points * flip
    )


def _draw_layers(axes: Axes, layers: Layers, start: float, width: float, names: bool) -> None:
    from matplotlib.patches import Rectangle

    bottom, top = axes.get_ylim()
    for i, (name, upper, lower) in enumerate(layers):
        fill = style.LAYER_FILLS[i % len(style.LAYER_FILLS)]
        axes.add_patch(Rectangle((start, upper), width, lower - upper, color=fill, lw=0, zorder=0))
        axes.plot([start, start + width], [lower, lower], color="white", lw=0.8, zorder=0.5)
        middle = (max(upper, top) + min(lower, bottom)) / 2
        if names and upper < bottom and lower - upper > 0.03 * (bottom - top):
            axes.annotate(
                style.shorten(layer_name(name), 12), (start + width, middle), xytext=(4, 0),
                textcoords="offset points", va="center", fontsize=_TEXT, color=style.MUTED,
                annotation_clip=False,
            )  # fmt: skip
    if layers:
        axes.plot([start, start + width], [layers[0][1]] * 2, color=style.INK, lw=0.8, zorder=0.6)
