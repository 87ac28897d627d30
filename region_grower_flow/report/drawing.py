"""Morphologies as lines: a collection per neurite type, diameters to scale, a bar of length."""

import numpy as np

from region_grower_flow.morphology import SOMA
from region_grower_flow.report.style import INK, NEURITE_COLORS, NEURITE_WORDS, OTHER_NEURITE

THINNEST = 0.4
"""Points: thinner lines vanish."""
POINTS_PER_INCH = 72.0
DRAWING_ORDER = (2, 3, 4)
"""Axon below, apical dendrite on top."""


class Morphologies:
    """Morphologies that are drawn into one pair of axes, with lines as wide as their diameters.

    Args:
        axes: matplotlib Axes with equal aspect; both of its directions are lengths in um.
    """

    def __init__(self, axes):
        self.axes = axes
        self._lines, self._widths, self._somata = {}, {}, []
        self._bounds = [np.inf, np.inf, -np.inf, -np.inf]

    def add(self, morphology, at=(0.0, 0.0), rotation=None, plane=(0, 1)):
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
            kind = int(morphology.types[section])
            kind = kind if kind in NEURITE_COLORS else None
            self._lines.setdefault(kind, []).append(points[window])
            width = float(morphology.diameters[window].mean())
            self._widths.setdefault(kind, []).append(width)
        radius = soma_radius(morphology)
        if radius:
            self._somata.append((soma.mean(axis=0), radius))
        everything = np.concatenate([points, soma]) if len(soma) else points
        if len(everything):
            low, high = everything.min(axis=0), everything.max(axis=0)
            b = self._bounds
            self._bounds = [
                min(b[0], low[0]), min(b[1], low[1]), max(b[2], high[0]), max(b[3], high[1]),
            ]  # fmt: skip

    @staticmethod
    def _flat(points, at, rotation, plane):
        points = np.asarray(points, dtype=np.float64)
        if rotation is not None:
            points = points @ np.asarray(rotation).T
        return points[:, list(plane)] + np.asarray(at, dtype=np.float64)

    @property
    def bounds(self):
        """(left, bottom, right, top) of all that was added (um); None when nothing was."""
        return None if np.isinf(self._bounds[0]) else tuple(self._bounds)

    def fit(self, margin=0.04):
        """Let the axes show all that was added."""
        left, bottom, right, top = self.bounds or (-1.0, -1.0, 1.0, 1.0)
        pad = margin * max(right - left, top - bottom, 1.0)
        self.axes.set_xlim(left - pad, right + pad)
        self.axes.set_ylim(bottom - pad, top + pad)

    def draw(self, scale=None, zorder=3):
        """Put the lines into the axes, whose limits have been set.

        Args:
            scale: points (1/72 inch) per um; found from the figure when None.
            zorder: of the lines.
        """
        from matplotlib.collections import LineCollection, PatchCollection
        from matplotlib.patches import Circle

        scale = points_per_um(self.axes) if scale is None else scale
        for kind in [None, *DRAWING_ORDER]:
            if kind in self._lines:
                widths = np.maximum(np.array(self._widths[kind]) * scale, THINNEST)
                lines = LineCollection(
                    self._lines[kind],
                    linewidths=widths,
                    colors=NEURITE_COLORS.get(kind, OTHER_NEURITE),
                    capstyle="round",
                    joinstyle="round",
                    zorder=zorder,
                )
                self.axes.add_collection(lines, autolim=False)
        least = 1.1 / scale if scale else 0.0
        circles = [Circle(center, max(radius, least)) for center, radius in self._somata]
        somata = PatchCollection(
            circles, facecolor=NEURITE_COLORS[SOMA], edgecolor="none", zorder=zorder + 1
        )
        self.axes.add_collection(somata, autolim=False)

    def kinds(self):
        """The neurite types that were added."""
        return [kind for kind in DRAWING_ORDER if kind in self._lines]


def soma_radius(morphology):
    """The radius (um) to draw a soma with: the contour's mean distance from its center."""
    points = np.asarray(morphology.soma_points, dtype=np.float64)
    if len(points) == 0:
        return 0.0
    if len(points) == 1:
        return float(morphology.soma_diameters[0]) / 2
    return float(np.linalg.norm(points - points.mean(axis=0), axis=1).mean())


def settle(figure):
    """Lay a figure out, once for all: lines that are added later do not change its layout.

    The layout of three rows of cells takes as long as all their lines.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine(None)


def points_per_um(axes):
    """Points (1/72 inch) per um in axes whose limits are set, with equal aspect."""
    figure = axes.get_figure()
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()  # settles the layout
    box = axes.get_window_extent()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    pixels = min(box.width / abs(right - left), box.height / abs(top - bottom))
    return pixels * POINTS_PER_INCH / figure.dpi


def scale_bar(axes, length=None, corner="left"):
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


def round_length(wanted):
    """The greatest of 1, 2, 5 times a power of ten that is not above ``wanted`` (> 0)."""
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(max(factor * power for factor in (1, 2, 5) if factor * power <= wanted * 1.0001))


def neurite_legend(figure_or_axes, kinds, **options):
    """A legend of neurite types."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=NEURITE_COLORS[kind], lw=2.4, label=NEURITE_WORDS[kind])
        for kind in kinds
    ]
    return figure_or_axes.legend(handles=handles, **options)
