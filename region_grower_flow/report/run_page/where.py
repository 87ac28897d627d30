"""Places of the cells: somata seen from three sides, and along depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.report import style
from region_grower_flow.report.profiles import Layers, draw_layers
from region_grower_flow.report.slices import AXES, Shadow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from region_grower_flow.report.palette import Look
    from region_grower_flow.report.slices import LayerMap

MOST_SOMATA = 6000
"""Greatest number of somata that are drawn; of more, so many by chance."""
SIDE = 3.1
"""Width (inches) of a figure, which the page shows at 100 pixels to the inch."""
WIDEST = 11.5
"""Greatest width (inches) of all columns of depths."""
MOST_AROUND = 0.8
"""Share of the spread of the somata: of a larger region, so much is shown around them."""
VIEWS = ((0, 1), (2, 1), (0, 2))
"""Coordinates across and up of each view."""


@style.styled
def plot_projection(
    somata: Mapping[str, np.ndarray],
    looks: Mapping[str, Look],
    view: tuple[int, int],
    pia: np.ndarray | None = None,
    layers: LayerMap | None = None,
) -> Figure:
    """Somata along one axis of the atlas, on the regions that have layers.

    Args:
        somata: {mtype: (N, 3) um}.
        looks: {mtype: Look}.
        view: (across, up), numbers of axes.
        pia: (3,) direction towards the pia: an axis that points away from it is turned around.
        layers: LayerMap, for the regions' shadow; None without.

    Returns:
        matplotlib Figure.
    """
    across, up = view
    every = np.concatenate(list(somata.values()))[:, [across, up]]
    shadow = None if layers is None else _shadow(layers, across, up)
    low, high = _window(every, shadow)
    figure = style.new_figure(SIDE, _height(high - low))
    axes = figure.add_subplot()
    if shadow is not None:
        from matplotlib.colors import ListedColormap

        covered, ends = shadow
        axes.imshow(
            np.ma.masked_less(covered.astype(int), 1), cmap=ListedColormap([style.LAYER_FILLS[1]]),
            extent=(*ends[0], *ends[1]), origin="lower", interpolation="nearest", zorder=0,
        )  # fmt: skip
    for mtype, points in somata.items():
        if len(points):
            axes.scatter(
                points[:, across], points[:, up], s=_dot(len(every)), c=looks[mtype].color,
                marker=looks[mtype].mark, linewidths=0.3, edgecolors="white", rasterized=True,
            )  # fmt: skip
    axes.set_aspect("equal")
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    if pia is not None and pia[up] < -0.5:
        axes.invert_yaxis()
    axes.set_xlabel(f"{AXES[across]} (µm)")
    axes.set_ylabel(f"{AXES[up]} (µm)")
    axes.locator_params(nbins=4)
    axes.tick_params(labelsize=8.5)
    style.bare(axes)
    return figure


def _shadow(layers: LayerMap, across: int, up: int) -> Shadow | None:
    """((M, N) bool, [(first, last) um across, the same upwards]) of regions; None of none."""
    (axis,) = {0, 1, 2} - {across, up}
    covered, ends = layers.shadow(axis)
    covered, ends = (covered, ends[::-1]) if across > up else (covered.T, ends)
    return (covered, ends) if covered.any() else None


def _window(points: np.ndarray, shadow: Shadow | None) -> tuple[np.ndarray, np.ndarray]:
    """((2,), (2,)) um that are shown: the somata, and the regions not too far from them."""
    low, high = points.min(axis=0), points.max(axis=0)
    spread = max(float((high - low).max()), 100.0)
    if shadow is not None:
        covered, ends = shadow
        for place, (first, last) in enumerate(ends):
            spots = np.flatnonzero(covered.any(axis=place))
            step = (last - first) / covered.shape[1 - place]
            edges = sorted((first + step * spots[0], first + step * (spots[-1] + 1)))
            reach = MOST_AROUND * spread
            low[place] = min(low[place], max(edges[0], low[place] - reach))
            high[place] = max(high[place], min(edges[1], high[place] + reach))
    margin = 0.05 * np.maximum(high - low, 0.4 * spread)
    return low - margin, high + margin


def _height(window: np.ndarray) -> float:
    """Inches of a figure whose axes show a window (um) at one scale."""
    wide = SIDE - 0.75
    return float(np.clip(wide * window[1] / window[0], 1.2, SIDE)) + 0.55


def _dot(count: int) -> int:
    return 20 if count <= 100 else 8 if count <= 1000 else 4


@style.styled
def plot_depths(
    depths: Mapping[str, np.ndarray], looks: Mapping[str, Look], layers: Layers = ()
) -> Figure | None:
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
    figure = style.new_figure(max(SIDE, min(0.42 * len(depths), WIDEST) + 1.2), SIDE + 0.6)
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
