"""Small charts of the page as SVG: sharp at any zoom, with words that are words.

matplotlib would take a minute of a processor for the charts of forty mtypes, and its pictures a
megabyte. What is hard, the densities and the ticks, is the package's own and matplotlib's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

import numpy as np
from markupsafe import Markup

from region_grower_flow.errors import printable
from region_grower_flow.report import style, violins
from region_grower_flow.report.names import TableRow
from region_grower_flow.report.profiles import Layers
from region_grower_flow.validation.results import REFERENCE, SYNTHESIZED

PANEL = (100, 124)
"""Pixels of a panel of violins."""
LEFT, TOP, BOTTOM = 38, 20, 16
"""Pixels beside the axes of a panel: for ticks, the title and the numbers of cells."""
PROFILE = (96, 300)
"""Pixels of the axes of a profile."""
SHAPE_POINTS = 33
"""Points of the outline of a violin."""
FONT = 11
"""Size (pixels) of letters: nothing is smaller."""
_SAID = {REFERENCE: "reconstructions", SYNTHESIZED: "grown"}


def violin_panel(title: str, populations: Mapping[str, Iterable[float]]) -> Markup:
    """A feature of two populations: reconstructions to the left, grown cells to the right.

    Args:
        title: of the panel.
        populations: {"reference" or "synthesized": values}; NaN are left out.

    Returns:
        An ``svg`` element (Markup).
    """
    width, height = PANEL
    found = {side: violins.finite(populations.get(side, ())) for side in _SAID}
    every = np.concatenate(list(found.values()))
    low, high, ticks = _scale(every)
    axis = _Axis(low, high, height - BOTTOM, TOP)
    middle, half = (LEFT + width) / 2, (width - LEFT) / 2 - 3
    parts = [_words(2, 12, title), *_ticks_left(ticks, axis)]
    parts.append(_path([(LEFT, axis.start), (LEFT, axis.end)], stroke="#6b7680"))
    told = []
    for sign, side in ((-1, REFERENCE), (1, SYNTHESIZED)):
        values, color = found[side], style.POPULATION_COLORS[side]
        parts += _half(values, axis, middle, sign * half, color)
        parts.append(
            _words(middle + sign * half / 2, height - 3, f"n={len(values)}", "middle", color)
        )
        if len(values):
            told.append(f"{_SAID[side]} {_number(np.median(values))} (n={len(values)})")
    label = f"{title}: medians {', '.join(told)}" if told else f"{title}: no value"
    return _svg(width, height, parts, label)


def _half(
    values: np.ndarray, axis: _Axis, middle: float, reach: float, color: str
) -> Iterator[str]:
    """Shape, points and quartiles of a population, on one side of the middle."""
    if not len(values):
        return
    many = len(values) >= violins.FEWEST_FOR_SHAPE
    shape = violins.density(values, SHAPE_POINTS) if many else None
    if shape is not None:
        line = [(middle + reach * w, axis(h)) for h, w in zip(*shape, strict=True)]
        around = [(middle, axis(values[0])), *line, (middle, axis(values[-1]))]
        yield _path(around, fill=color, opacity="0.3")
        yield _path(line, stroke=color)
    if len(values) <= violins.MOST_POINTS:
        across = middle + reach * (0.12 + 0.6 * ((np.arange(len(values)) * 0.618034) % 1.0))
        dots = "".join(f"M{x:.1f} {axis(v):.1f}h0" for x, v in zip(across, values, strict=True))
        yield f'<path d="{dots}" stroke="{color}" class="dots"/>'
    low, median, high = np.percentile(values, [25, 50, 75])
    for value, share, width in ((low, 0.5, 1), (high, 0.5, 1), (median, 1.0, 2.4)):
        ends = [(middle + np.sign(reach), axis(value)), (middle + share * reach, axis(value))]
        yield _path(ends, stroke=color, stroke_width=f"{width:g}")


def depth_profile(
    panels: Sequence[tuple[str, Sequence[TableRow], bool]],
    layers: Layers,
    span: tuple[float, float],
) -> Markup:
    """Length along depth, a panel per neurite type.

    Args:
        panels: [(title, [row of :func:`region_grower_flow.validation.depths.depth_rows`], whether
            there are reconstructions)].
        layers: [(name, top, bottom)] um of depth, drawn behind.
        span: (least, greatest) depth (um).

    Returns:
        An ``svg`` element (Markup).
    """
    wide, high = PROFILE
    left, top, gap = 52, 22, 14
    right = 8 + 8 * max((len(name) for name, *_ in layers), default=0)
    width, height = left + len(panels) * (wide + gap) - gap + right, top + high + 40
    axis = _Axis(*span, top, top + high)
    parts = [
        *_ticks_left(_ticks(*span, 8), axis, left),
        _words(12, top + high / 2, "depth (µm)", "middle", turned=True),
        _words(2, height - 4, "length per depth (µm/µm)"),
    ]
    for place, (title, rows, both) in enumerate(panels):
        start = left + place * (wide + gap)
        parts += _bands(layers, axis, start, wide)
        parts.append(_words(start, top - 8, title))
        parts += _steps(rows, both, axis, start, wide)
    for name, above, below in layers:
        middle = axis((max(above, span[0]) + min(below, span[1])) / 2)
        if min(below, span[1]) > max(above, span[0]):
            parts.append(_words(width - right + 4, middle + 4, name, color="#55616b"))
    return _svg(width, height, parts, "Length along depth: reconstructions filled, grown as a line")


def _bands(layers: Layers, axis: _Axis, start: float, wide: float) -> Iterator[str]:
    low, high = sorted((axis.low, axis.high))
    for place, (_, above, below) in enumerate(layers):
        above, below = max(above, low), min(below, high)
        if below > above:
            fill = style.LAYER_FILLS[place % len(style.LAYER_FILLS)]
            yield (
                f'<rect x="{start}" y="{axis(above):.1f}" width="{wide}" '
                f'height="{axis(below) - axis(above):.1f}" fill="{fill}"/>'
            )


def _steps(
    rows: Sequence[TableRow], both: bool, axis: _Axis, start: float, wide: float
) -> Iterator[str]:
    """The stairs of a panel and its axis across."""
    edges = [row["from_um"] for row in rows] + [row["to_um"] for row in rows[-1:]]
    columns = {
        side: np.array([row[side] for row in rows]) / np.diff(edges)
        for side in ((REFERENCE, SYNTHESIZED) if both else (SYNTHESIZED,))
        if rows
    }
    most = max((values.max() for values in columns.values()), default=0.0)
    across = _Axis(0.0, 1.05 * most or 1.0, start, start + wide)
    for side, values in columns.items():
        stairs = [(across(0.0), axis(edges[0]))]
        for value, above, below in zip(values, edges[:-1], edges[1:], strict=True):
            stairs += [(across(value), axis(above)), (across(value), axis(below))]
        stairs.append((across(0.0), axis(edges[-1])))
        color = style.POPULATION_COLORS[side]
        if side == REFERENCE:
            yield _path(stairs, fill=color, opacity="0.45")
        else:
            yield _path(stairs, stroke=color, stroke_width="1.6")
    bottom = max(axis.start, axis.end)
    yield _path([(start, min(axis.start, axis.end)), (start, bottom), (start + wide, bottom)],
                stroke="#6b7680")  # fmt: skip
    for tick in _ticks(0.0, across.high, 2):
        yield _words(across(tick), bottom + 14, _number(tick), "middle")


class _Axis:
    """Places (pixels) of values between two."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = low, high, start, end
        self._scale = (end - start) / ((high - low) or 1.0)

    def __call__(self, value: float) -> float:
        return self.start + (float(value) - self.low) * self._scale


def _scale(values: np.ndarray) -> tuple[float, float, list[float]]:
    """(least, greatest, ticks) of an axis of some values."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin, _ticks(low - margin, high + margin, 4)


def _ticks(low: float, high: float, count: int) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    places = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    inside = 1e-9 * (high - low)
    return [place for place in places if low - inside <= place <= high + inside]


def _ticks_left(ticks: Iterable[float], axis: _Axis, left: float = LEFT) -> Iterator[str]:
    for tick in ticks:
        yield _path([(left - 4, axis(tick)), (left, axis(tick))], stroke="#6b7680")
        yield _words(left - 6, axis(tick) + 4, _number(tick), "end")


def _number(value: float) -> str:
    """A few digits, with a true minus sign."""
    value = float(value)
    words = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return words.replace("-", "\N{MINUS SIGN}")


def _words(
    x: float,
    y: float,
    words: object,
    anchor: str = "start",
    color: str = style.INK,
    turned: bool = False,
) -> str:
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    text = escape(printable(str(words), kept=""))
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}"{turn}>{text}</text>'
    )


def _path(
    points: Iterable[tuple[float, float]], fill: str = "none", stroke: str = "none", **more: str
) -> str:
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    others = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return f'<path d="{d}" fill="{fill}" stroke="{stroke}"{others}/>'


def _svg(width: float, height: float, parts: Iterable[str], label: str) -> Markup:
    label = escape(printable(label, kept=""))
    return Markup(
        f'<svg class="chart" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="{label}" font-size="{FONT}">'
        f"<title>{label}</title>{''.join(parts)}</svg>"
    )
