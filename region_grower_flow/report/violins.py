"""Distributions of features side by side: reference to the left, synthesized to the right.

Values are drawn as they are: a true 0 is a 0, nothing is normalized, every panel has its own axis
with its unit, and the number of cells stands below each half.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POPULATIONS = ("reference", "synthesized")
FEWEST_FOR_SHAPE = 8
"""Values: fewer are drawn as points alone, a smooth shape would tell of what nobody knows."""
MOST_POINTS = 150
"""Values that are drawn as points on top of a shape."""
COLUMNS = 7
PANEL = (1.6, 1.72)
"""Inches, with the labels."""
_PADS = (0.42, 0.32, 0.1, 0.42)
"""Inches to the left, below, to the right and above the axes of a panel."""
_HEAD, _HEADING = 0.55, 0.22
"""Inches above all panels, and above a row with a heading."""
_HALF = 0.36
_TOLERANCE = 1e-9

ByPopulation: TypeAlias = Mapping[str, Sequence[float]]
"""Values of a feature by population, see :data:`POPULATIONS`."""


@style.styled
def plot_violins(panels: Iterable[tuple[str | None, str, ByPopulation]], title: str) -> Figure:
    """A figure with a panel per feature.

    Args:
        panels: [(heading or None, label, {population: values})]: a heading (the neurite type)
            starts a new row; values may hold NaN, which are left out.
        title: of the figure.

    Returns:
        matplotlib Figure.
    """
    rows = _rows(panels)
    columns = min(COLUMNS, max((len(row) for _, row in rows), default=1))
    width = max(PANEL[0] * columns, 5.2)
    height = PANEL[1] * max(len(rows), 1) + _HEAD + _HEADING * sum(bool(h) for h, _ in rows)
    figure = style.new_figure(width, height, layout=None)
    _put(figure, 0.1, 0.12, style.shorten(title, 60), fontsize=12, weight="bold")
    for place, population in ((2.2, "reference"), (1.1, "synthesized")):
        color = style.POPULATION_COLORS[population]
        _put(
            figure, width - place, 0.14, f"\N{BLACK SQUARE} {population}", color=color, fontsize=8.5
        )
    if not rows:
        style.say(figure.add_axes((0, 0, 1, 0.8)), "no feature has a value")
        return figure
    top = _HEAD
    for heading, row in rows:
        if heading:
            _put(figure, 0.1, top, heading, weight="bold", fontsize=9.5)
            top += _HEADING
        for place, (label, values) in enumerate(row):
            _panel(_axes(figure, place * PANEL[0], top), label, values)
        top += PANEL[1]
    return figure


def _put(figure: Figure, left: float, top: float, words: str, **font: Any) -> None:
    """Words at a place in inches from the upper left corner."""
    width, height = figure.get_size_inches()
    figure.text(left / width, 1 - top / height, words, va="top", **font)


def _axes(figure: Figure, left: float, top: float) -> Axes:
    """Axes of a panel whose upper left corner is there (inches)."""
    width, height = figure.get_size_inches()
    size = PANEL[0] - _PADS[0] - _PADS[2], PANEL[1] - _PADS[1] - _PADS[3]
    bottom = height - top - PANEL[1] + _PADS[1]
    return figure.add_axes(
        ((left + _PADS[0]) / width, bottom / height, size[0] / width, size[1] / height)
    )


def _rows(
    panels: Iterable[tuple[str | None, str, ByPopulation]],
) -> list[tuple[str | None, list[tuple[str, ByPopulation]]]]:
    """[(heading or None, [(label, values)])], at most COLUMNS panels each."""
    rows: list[tuple[str | None, list[tuple[str, ByPopulation]]]] = []
    for heading, label, values in panels:
        if heading or not rows or len(rows[-1][1]) == COLUMNS:
            rows.append((heading, []))
        rows[-1][1].append((label, values))
    return rows


def _panel(axes: Axes, label: str, values: ByPopulation) -> None:
    counts = []
    for side, population in zip((-1, 1), POPULATIONS, strict=True):
        found = finite(values.get(population, ()))
        counts.append(len(found))
        draw_half(axes, found, side, style.POPULATION_COLORS[population])
    axes.set_title(label, fontsize=7.5, weight="normal", loc="left", x=-0.2)
    axes.set_xlim(-0.5, 0.5)
    axes.set_xticks([-0.22, 0.22], [f"n={count}" for count in counts])
    axes.tick_params(axis="x", length=0, labelsize=7)
    for tick, population in zip(axes.get_xticklabels(), POPULATIONS, strict=True):
        tick.set_color(style.POPULATION_COLORS[population])
    axes.tick_params(axis="y", labelsize=7)
    axes.margins(y=0.08)
    axes.locator_params(axis="y", nbins=4)
    axes.ticklabel_format(axis="y", useOffset=False)
    style.bare(axes)
    if not sum(counts):
        axes.set_yticks([])
        axes.text(0, 0.5, "no value", ha="center", color=style.MUTED, fontsize=7)


def draw_half(axes: Axes, values: np.ndarray, side: int, color: str) -> None:
    """One population of a panel, left (-1) or right (1) of its middle."""
    if len(values) == 0:
        return
    shape = density(values) if len(values) >= FEWEST_FOR_SHAPE else None
    if shape is not None:
        heights, widths = shape
        axes.fill_betweenx(heights, 0, side * _HALF * widths, color=color, alpha=0.35, lw=0)
        axes.plot(side * _HALF * widths, heights, color=color, lw=0.9)
    if shape is None or len(values) <= MOST_POINTS:
        across = side * (0.06 + 0.24 * spread(len(values)))
        axes.plot(across, values, ".", color=color, ms=2.6, alpha=0.75, mew=0)
    low, middle, high = np.percentile(values, [25, 50, 75])
    axes.plot([side * 0.02, side * _HALF], [middle, middle], color=color, lw=1.8)
    for quartile in (low, high):
        axes.plot([side * 0.02, side * 0.18], [quartile, quartile], color=color, lw=0.8)


def spread(count: int) -> np.ndarray:
    """Numbers between 0 and 1 that keep points apart, the same each time (golden ratio)."""
    return (np.arange(count) * 0.6180339887498949) % 1.0


def finite(values: Iterable[float]) -> np.ndarray:
    """The values that are numbers, in order of size."""
    values = np.asarray(list(values), dtype=np.float64)
    return np.sort(values[np.isfinite(values)])


def density(values: np.ndarray, points: int = 96) -> tuple[np.ndarray, np.ndarray] | None:
    """A smooth density that does not leave the range of the values, which are in order of size.

    Returns:
        (heights, widths): values, and the density there, 1 at its greatest; None when all values
        are the same.
    """
    spread = values[-1] - values[0]
    if spread <= _TOLERANCE * max(abs(values[0]), abs(values[-1]), 1.0):
        return None
    heights = np.linspace(values[0], values[-1], points)
    # Scott's rule; the import of scipy.stats alone would take longer than the page of a small run.
    bandwidth = values.std(ddof=1) * len(values) ** -0.2
    widths = np.exp(-0.5 * ((heights[:, None] - values) / bandwidth) ** 2).sum(axis=1)
    return heights, widths / widths.max()
