"""Morphologies as lines: a collection per neurite type, diameters to scale, a bar of length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from region_grower_flow.morphology import SOMA, FlatMorphology
from region_grower_flow.report.style import INK, NEURITE_COLORS, NEURITE_WORDS, OTHER_NEURITE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

THINNEST = 0.4
"""Width (points) of the thinnest lines: thinner ones vanish."""
POINTS_PER_INCH = 72.0
DRAWING_ORDER = (2, 3, 4)
"""Axon below, apical dendrite on top."""


class Morphologies:
    """Morphologies that are drawn together, with lines as wide as their diameters."""

    def __init__(self) -> None:
        self._lines: dict[int | None, list[np.ndarray]] = {}
        self._widths: dict[int | None, list[float]] = {}
        self._somata: list[tuple[np.ndarray, float]] = []
        self._low, self._high = np.full(2, np.inf), np.full(2, -np.inf)

    def add(
        self,
        morphology: FlatMorphology,
        at: Sequence[float] | np.ndarray = (0.0, 0.0),
        rotation: np.ndarray | None = None,
        plane: tuple[int, int] = (0, 1),
    ) -> None:
        """Add a FlatMorphology.

        Args:
            morphology: lengths in um, its soma anywhere.
            at: where its origin is drawn (um).
            rotation: (3, 3) that its points are turned with first, None for none.
            plane: the two coordinates that are drawn, across and up.
        """
        points = self._flat(morphology.points, at, rotation, plane)
        soma = self._flat(morphology.soma_points, at, rotation, plane)
        for section in range(morphology.n_sections):
            window = slice(morphology.offsets[section], morphology.offsets[section + 1])
            number = int(morphology.types[section])
            kind = number if number in NEURITE_COLORS else None
            self._lines.setdefault(kind, []).append(points[window])
            width = float(morphology.diameters[window].mean())
            self._widths.setdefault(kind, []).append(width)
        if morphology.soma_radius:
            self._somata.append((soma.mean(axis=0), morphology.soma_radius))
        everything = np.concatenate([points, soma]) if len(soma) else points
        if len(everything):
            self._low = np.minimum(self._low, everything.min(axis=0))
            self._high = np.maximum(self._high, everything.max(axis=0))

    @staticmethod
    def _flat(
        points: np.ndarray,
        at: Sequence[float] | np.ndarray,
        rotation: np.ndarray | None,
        plane: tuple[int, int],
    ) -> np.ndarray:
        points = np.asarray(points, dtype=np.float64)
        if rotation is not None:
            points = points @ np.asarray(rotation).T
        return points[:, list(plane)] + np.asarray(at, dtype=np.float64)

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """(left, bottom, right, top) of all that was added (um); None when nothing was."""
        if np.isinf(self._low[0]):
            return None
        (left, bottom), (right, top) = self._low, self._high
        return left, bottom, right, top

    def draw(self, axes: Axes, scale: float | None = None, zorder: float = 3) -> None:
        """Put the lines into axes whose limits have been set.

        Args:
            axes: with equal aspect; both of its directions are lengths in um.
            scale: points (1/72 inch) per um; found from the figure when None.
            zorder: of the lines.
        """
        from matplotlib.collections import LineCollection, PatchCollection
        from matplotlib.patches import Circle

        scale = points_per_um(axes) if scale is None else scale
        for kind in [None, *DRAWING_ORDER]:
            if kind in self._lines:
                widths = np.maximum(np.array(self._widths[kind]) * scale, THINNEST)
                lines = LineCollection(
                    self._lines[kind],
                    linewidths=widths,
                    colors=OTHER_NEURITE if kind is None else NEURITE_COLORS[kind],
                    capstyle="round",
                    joinstyle="round",
                    zorder=zorder,
                )
                axes.add_collection(lines, autolim=False)
        least = 1.1 / scale if scale else 0.0
        circles = [Circle(tuple(center), max(radius, least)) for center, radius in self._somata]
        somata = PatchCollection(
            circles, facecolor=NEURITE_COLORS[SOMA], edgecolor="none", zorder=zorder + 1
        )
        axes.add_collection(somata, autolim=False)

    def kinds(self) -> list[int]:
        """The neurite types that were added."""
        return [kind for kind in DRAWING_ORDER if kind in self._lines]


def settle(figure: Figure) -> None:
    """Lay a figure out, once for all: lines that are added later do not change its layout.

    The layout of three rows of cells takes as long as all their lines.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine(None)


def points_per_um(axes: Axes) -> float:
    """Points (1/72 inch) per um in axes whose limits are set, with equal aspect."""
    figure = cast("Figure", axes.get_figure())
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()  # settles the layout
    box = axes.get_window_extent()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    pixels = min(box.width / abs(right - left), box.height / abs(top - bottom))
    return pixels * POINTS_PER_INCH / figure.dpi


def scale_bar(axes: Axes, length: float | None = None, corner: str = "left") -> float:
    """A bar of a round length in a lower corner of axes in um.

    Returns:
        The length (um).
    """
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    length = length or round_length(abs(right - left) / 7)
    height = abs(top - bottom)
    start = left + 0.02 * (right - left)
    if corner == "right":
        start = right - 0.02 * (right - left) - length
    base = min(bottom, top) + 0.015 * height
    if bottom > top:  # depth grows downwards
        base = bottom - 0.015 * height
    axes.plot(
        [start, start + length], [base, base], color=INK, lw=2.2, solid_capstyle="butt", zorder=9
    )
    axes.annotate(
        f"{length:g} µm", (start + length / 2, base), xytext=(0, 4), textcoords="offset points",
        ha="center", va="bottom", fontsize=8, zorder=9,
    )  # fmt: skip
    return length


def scale_bar_below(figure: Figure, axes: Axes, wanted: float) -> None:
    """A bar of a round length in the lower left corner of a settled figure, below all axes.

    Args:
        figure: the Figure, with room below its axes.
        axes: in um, with equal aspect; others have the same scale.
        wanted: the greatest length (um).
    """
    from matplotlib.lines import Line2D

    length, (width, height) = round_length(wanted), figure.get_size_inches() * POINTS_PER_INCH
    start, end = 8.0, 8.0 + length * points_per_um(axes)
    base = [9.0 / height] * 2
    bar = Line2D([start / width, end / width], base, color=INK, lw=2.2, solid_capstyle="butt")
    figure.add_artist(bar)
    figure.text((end + 4.0) / width, base[0], f"{length:g} µm", va="center", fontsize=8)


def round_length(wanted: float) -> float:
    """The greatest of 1, 2, 5 times a power of ten that is not above ``wanted`` (> 0)."""
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(max(factor * power for factor in (1, 2, 5) if factor * power <= wanted * 1.0001))


def neurite_legend(figure_or_axes: Figure | Axes, kinds: Iterable[int], **options: Any) -> Legend:
    """A legend of neurite types."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=NEURITE_COLORS[kind], lw=2.4, label=NEURITE_WORDS[kind])
        for kind in kinds
    ]
    return figure_or_axes.legend(handles=handles, **options)
