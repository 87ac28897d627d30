"""Length along depth: where in its layers, or around its soma, a mtype has its neurites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.report import style
from region_grower_flow.report.names import TableRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("mtype", "neurite_type", "from_um", "to_um", "reference", "synthesized")
LAYER_COLUMNS = ("mtype", "layer", "top_um", "bottom_um")
_SIZE = (2.9, 4.6)

Layers: TypeAlias = Sequence[tuple[Any, float, float]]
"""(name, top, bottom) of layers, um of depth, from the top down."""


@style.styled
def plot_profiles(
    rows: Sequence[TableRow], title: str, layers: Layers = (), in_atlas: bool = True
) -> Figure:
    """A figure with a panel per neurite type.

    Args:
        rows: of one mtype, keys COLUMNS: bins of depth (um below the top of the region; in vacuum
            below the soma), and the mean length (um per cell) in each bin.
        title: of the figure.
        layers: [(name, top, bottom)] of the layers at the cells (um of depth), drawn behind.
        in_atlas: what depth means.

    Returns:
        matplotlib Figure.
    """
    kinds = list(dict.fromkeys(row["neurite_type"] for row in rows))
    figure = style.new_figure(max(_SIZE[0] * max(len(kinds), 1) + 0.6, 4.2), _SIZE[1])
    figure.suptitle(style.shorten(title, 44), x=0.01, ha="left", weight="bold")
    if not kinds:
        style.say(figure.add_subplot(), "no cell has neurites")
        return figure
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    low = min(row["from_um"] for row in rows)
    high = max(row["to_um"] for row in rows)
    if layers:
        low, high = min(low, layers[0][1]), max(high, min(layers[-1][2], high + 150))
    panels[0].set_ylim(high, low)
    for axes, kind in zip(panels, kinds, strict=True):
        mine = [row for row in rows if row["neurite_type"] == kind]
        _panel(axes, mine, layers, names=axes is panels[-1])
        axes.set_title(kind.replace("_", " "), weight="normal")
    panels[0].set_ylabel(
        "depth below the top of the region (µm)" if in_atlas else "depth below the soma (µm)"
    )
    panels[0].legend(loc="lower right")
    if not in_atlas:
        for axes in panels:
            axes.axhline(0, color=style.MUTED, lw=0.8, ls=":")
    return figure


def _panel(axes: Axes, rows: Sequence[TableRow], layers: Layers, names: bool) -> None:
    edges = np.array([row["from_um"] for row in rows] + [rows[-1]["to_um"]])
    widths = np.diff(edges)
    draw_layers(axes, layers, names)
    for population in ("reference", "synthesized"):
        values = [row[population] for row in rows]
        if any(value is not None for value in values):
            lengths = np.array([np.nan if value is None else value for value in values])
            color = style.POPULATION_COLORS[population]
            fill = population == "reference"
            axes.stairs(
                lengths / widths, edges, orientation="horizontal", color=color, fill=fill,
                alpha=0.45 if fill else 1.0, lw=0 if fill else 1.5, label=population,
            )  # fmt: skip
    axes.set_xlim(left=0)
    axes.set_xlabel("length per cell (µm / µm of depth)")
    style.bare(axes)


def draw_layers(axes: Axes, layers: Layers, names: bool = True) -> None:
    """Bands of layers, alternating, in axes whose limits have been set.

    Names stand to the right of the axes, in the middle of what is seen of a layer.
    """
    high, low = axes.get_ylim()
    for i, (name, top, bottom) in enumerate(layers):
        axes.axhspan(top, bottom, color=style.LAYER_FILLS[i % 2], lw=0, zorder=0)
        if i:
            axes.axhline(top, color="white", lw=1, zorder=0.5)
        middle = (max(top, low) + min(bottom, high)) / 2
        if names and top < high:
            axes.annotate(
                style.shorten(layer_name(name), 14), (1, middle), xytext=(4, 0),
                xycoords=axes.get_yaxis_transform(), textcoords="offset points", color=style.MUTED,
                fontsize=8, va="center", annotation_clip=True,
            )  # fmt: skip


def layer_name(name: object) -> str:
    """A layer for people: numbers get an L in front."""
    return f"L{name}" if str(name).isdigit() else str(name)
