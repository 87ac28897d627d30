"""Places of the cells: somata seen from three sides, and along depth."""

import numpy as np

from region_grower_flow.report import style
from region_grower_flow.report.profiles import draw_layers
from region_grower_flow.report.slices import AXES

MOST_SOMATA = 6000
"""Drawn; of more, so many by chance."""
SIDE = 3.1
"""Inches of a figure, which the page shows at 100 pixels to the inch."""
VIEWS = ((0, 1), (2, 1), (0, 2))
"""Coordinates across and up."""


@style.styled
def plot_projection(somata, looks, view, pia=None):
    """Somata along one axis of the atlas.

    Args:
        somata: {mtype: (N, 3) um}.
        looks: {mtype: Look}.
        view: (across, up), numbers of axes.
        pia: (3,) direction towards the pia: an axis that points away from it is turned around.

    Returns:
        matplotlib Figure.
    """
    across, up = view
    figure = style.new_figure(SIDE, SIDE)
    axes = figure.add_subplot()
    count = sum(len(points) for points in somata.values())
    for mtype, points in somata.items():
        if len(points):
            axes.scatter(
                points[:, across], points[:, up], s=_dot(count), c=looks[mtype].color,
                marker=looks[mtype].mark, linewidths=0.3, edgecolors="white", rasterized=True,
            )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    if pia is not None and pia[up] < -0.5:
        axes.invert_yaxis()
    axes.set_xlabel(f"{AXES[across]} (µm)")
    axes.set_ylabel(f"{AXES[up]} (µm)")
    axes.locator_params(nbins=4)
    axes.tick_params(labelsize=8.5)
    style.bare(axes)
    return figure


def _dot(count):
    return 22 if count <= 100 else 12 if count <= 1000 else 5


@style.styled
def plot_depths(depths, looks, layers=()):
    """Depths of somata, a column per mtype: a mark for each, and the shape of many.

    Args:
        depths: {mtype: (N,) um}.
        looks: {mtype: Look}.
        layers: [(name, top, bottom)] um of depth, drawn behind.

    Returns:
        matplotlib Figure; None when no cell has a depth.
    """
    from region_grower_flow.report.violins import FEWEST_FOR_SHAPE, density

    depths = {m: np.sort(d[np.isfinite(d)]) for m, d in depths.items()}
    depths = {mtype: found for mtype, found in depths.items() if len(found)}
    if not depths:
        return None
    figure = style.new_figure(max(SIDE, 0.42 * len(depths) + 1.2), SIDE + 0.6)
    axes = figure.add_subplot()
    every = np.concatenate(list(depths.values()))
    bottom = max(every.max(), layers[-1][2] if layers else 0.0)
    axes.set_ylim(bottom * 1.02, min(0.0, every.min()))
    axes.set_xlim(-0.6, len(depths) - 0.4)
    draw_layers(axes, layers)
    for place, (mtype, found) in enumerate(depths.items()):
        shape = density(found) if len(found) >= FEWEST_FOR_SHAPE else None
        if shape is not None:
            heights, widths = shape
            axes.fill_betweenx(
                heights, place - 0.4 * widths, place + 0.4 * widths, color=looks[mtype].color,
                alpha=0.3, lw=0,
            )  # fmt: skip
        shown = found[:: max(len(found) // 150, 1)]
        spread = ((np.arange(len(shown)) * 0.618) % 1 - 0.5) * 0.36
        axes.scatter(
            place + spread, shown, s=9, c=looks[mtype].color, marker=looks[mtype].mark, lw=0
        )
    axes.set_xticks(range(len(depths)), [style.shorten(m, 16) for m in depths], rotation=90)
    axes.tick_params(axis="x", length=0, labelsize=8.5)
    axes.set_ylabel("depth of the soma (µm)")
    style.bare(axes)
    return figure
