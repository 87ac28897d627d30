"""The picture at the top: a slice of the atlas, its layers, and cells at their places.

It holds no words, so that it can be shown at any width; words are placed over it by the page.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from region_grower_flow.placement.planes import Plane
from region_grower_flow.placement.planes import Slice as Slab
from region_grower_flow.report import style
from region_grower_flow.report.drawing import round_length
from region_grower_flow.report.placed import PlacedCell
from region_grower_flow.report.profiles import layer_name
from region_grower_flow.report.run_page.thin import kept_points
from region_grower_flow.report.slices import (
    MARGIN,
    Extent,
    LayersSeen,
    SliceView,
    aligned_slice,
    choose_slices,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from region_grower_flow.report.palette import Look
    from region_grower_flow.report.slices import LayerMap

THICKNESSES = (120.0, 250.0, 500.0, 1000.0)
"""Thicknesses (um) that a slice may have: the thinnest that holds enough cells is taken."""
ENOUGH = 40
"""Number of cells that are enough in a slice."""
MOST_CELLS = 44
"""Greatest number of cells whose neurites are drawn: more would hide each other."""
MOST_SOMATA = 4000
PIXELS = 2000
"""Pixels of the longer side of the picture."""
TALLEST = 0.8
"""Least width over height of the picture: a higher slice gets room at its sides."""
NEARLY_ALONG = 0.94
"""Cosine of the angle with an axis of the atlas up to which a slice lies along the axes."""
ONE_DIRECTION = 0.5
"""Length of the mean of the directions to the pia, from which on it says where the pia is."""
PHONE, LABEL_HEIGHT, LABEL_WIDTH = 350, 13, 30
"""Pixels: width of the picture on a phone, and room of a layer's name."""
DPI = 200
QUALITY, METHOD = 82, 2
"""Method of WebP: 4 takes twice as long for files that are 5% smaller."""
SAMPLES = 500
Lines: TypeAlias = tuple[list[np.ndarray], list[float]]
"""Sections of a cell in a plane, see :func:`_lines`."""
Named: TypeAlias = tuple[str, float, float]
"""A name, percent from the left, percent from the top."""

_THIN = 0.7
"""Distance (um) by which drawn neurites may differ from the file."""


@dataclass
class Section:
    """A picture without words, and the words that belong on it.

    Attributes:
        data: bytes of a WebP file.
        size: (width, height) in pixels.
        layers: [(name, percent from the left, percent from the top)], no two on each other.
        leaders: [(left, top, left, top)] in percent: lines from names to layers that are too thin
            for them.
        bar: (percent of the width, words) of a bar of length.
        words: what is seen.
        mtypes: those with a soma in it.
    """

    data: bytes
    size: tuple[int, int]
    layers: list[Named] = field(default_factory=list)
    leaders: list[tuple[float, float, float, float]] = field(default_factory=list)
    bar: tuple[float, str] = (0.0, "")
    words: str = ""
    mtypes: tuple[str, ...] = ()


def fullest_slice(positions: np.ndarray, pia: np.ndarray) -> SliceView:
    """A SliceView through the place with the most somata, as thin as holds enough of them.

    It lies along two axes of the atlas where the pia is along one of them; else it stands on the
    layers, with the pia above.

    Args:
        positions: (N, 3) um, N > 0.
        pia: (3,) mean direction towards the pia; shorter than 1 where directions differ.
    """
    positions = np.asarray(positions, dtype=np.float64)
    pia, length = np.asarray(pia, dtype=np.float64), np.linalg.norm(pia)
    if np.abs(pia).max() >= NEARLY_ALONG * length or length < ONE_DIRECTION:
        (view,) = choose_slices(positions, 1, THICKNESSES[0], None, pia)
        axis = int(np.argmax(np.abs(view.frame[2])))
        middle, thickness = _fullest(positions[:, axis])
        return aligned_slice(axis, middle, thickness, pia)
    up = pia / length
    normal = _flattest(positions, up)
    middle, thickness = _fullest(positions @ normal)
    inside = positions[np.abs(positions @ normal - middle) <= thickness / 2]
    origin = inside.mean(axis=0)
    origin += (middle - origin @ normal) * normal
    sides = [Plane(origin + side * thickness / 2 * normal, normal) for side in (-1, 1)]
    words = ", ".join(f"{value:,.0f}" for value in origin)
    return SliceView(
        Slab(*sides),
        origin,
        np.array([np.cross(up, normal), up, normal]),
        f"{thickness:g} µm around ({words}) µm, the pia above",
        ("along the layers (µm)", "towards the pia (µm)"),
    )


def _flattest(positions: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The unit vector at right angles to ``up`` along which positions spread the least."""
    across = np.cross(up, np.eye(3)[int(np.argmin(np.abs(up)))])
    across /= np.linalg.norm(across)
    plane = np.array([across, np.cross(up, across)])
    flat = (positions - positions.mean(axis=0)) @ plane.T
    normal = plane.T @ np.linalg.eigh(flat.T @ flat)[1][:, 0]
    return normal * np.sign(normal[np.argmax(np.abs(normal))])


def _fullest(along: np.ndarray) -> tuple[float, float]:
    """(middle, thickness) of the thinnest slice that holds enough cells."""
    along = np.sort(along)
    for thickness in THICKNESSES:
        last = np.searchsorted(along, along + thickness, side="right")
        counts = last - np.arange(len(along))
        best = int(np.argmax(counts))
        if counts[best] >= min(ENOUGH, len(along)):
            break
    return float(along[best] + along[last[best] - 1]) / 2, thickness


def draw_section(
    cells: Sequence[PlacedCell],
    somata: Sequence[tuple[str, np.ndarray]],
    view: SliceView,
    layers: LayerMap | None,
    looks: Mapping[str, Look],
) -> Section:
    """The Section of a slice.

    Args:
        cells: [PlacedCell] whose neurites are drawn, in the slice.
        somata: [(mtype, (3,) um)] of all somata in the slice.
        view: SliceView.
        layers: LayerMap, or None.
        looks: {mtype: Look}.
    """
    lines = [_lines(cell, view) for cell in cells]
    dots: dict[str, list[np.ndarray]] = {}
    for mtype, position in somata:
        dots.setdefault(mtype, []).append(view.project(position))
    extent = _extent(lines, dots)
    figure, axes, size = _canvas(extent, view.downwards)
    names = _draw_layers(axes, layers, view, extent) if layers is not None else []
    _draw_cells(axes, cells, lines, looks, extent, size)
    for mtype, places in dots.items():
        across, up = np.array(places).T
        axes.scatter(
            across, up, s=_dot(len(somata)), c=looks[mtype].color, marker=looks[mtype].mark,
            linewidths=0.5, edgecolors="white", zorder=5,
        )  # fmt: skip
    left, _, right, _ = extent
    length = round_length((right - left) / 6)
    named = [(layer_name(name), *_percent(place, extent, view)) for name, place in names]
    labels, leaders = apart(beside(named), size)
    return Section(
        data=webp(figure),
        size=size,
        layers=labels,
        leaders=leaders,
        bar=(100 * length / (right - left), length_words(length)),
        words=f"{view.title}: {len(somata):,} somata, {len(cells)} of them with their neurites.",
        mtypes=tuple(dots),
    )


def length_words(length: float) -> str:
    """A length (um) of a bar: ``200 µm``, ``1 mm``."""
    return f"{length:g} µm" if length < 1000 else f"{length / 1000:g} mm"


def _lines(cell: PlacedCell, view: SliceView) -> Lines:
    """[(K, 2) um] of a cell's sections in the slice's plane, and their widths."""
    morphology = cell.morphology
    kept = kept_points(morphology.points, morphology.offsets, _THIN)
    sums = np.concatenate([[0], np.cumsum(kept)])[morphology.offsets]
    turned = morphology.points[kept] @ (view.frame[:2] @ cell.orientation).T
    points = turned + view.project(cell.position)
    diameters = morphology.diameters[kept]
    pairs = list(itertools.pairwise(sums))
    return [points[a:b] for a, b in pairs], [float(diameters[a:b].mean()) for a, b in pairs]


def _extent(lines: Iterable[Lines], dots: Mapping[str, Sequence[np.ndarray]]) -> Extent:
    points = [line for own, _ in lines for line in own] + [np.array(p) for p in dots.values()]
    everything = np.concatenate(points) if points else np.zeros((1, 2))
    (left, bottom), (right, top) = everything.min(axis=0), everything.max(axis=0)
    width, height = right - left + 2 * MARGIN, top - bottom + 2 * MARGIN
    # A tall slice gets room at its sides, so that the picture is never a tower.
    wider = max(height * TALLEST - width, 0.0) / 2
    return left - MARGIN - wider, bottom - MARGIN, right + MARGIN + wider, top + MARGIN


@style.styled
def _canvas(extent: Extent, downwards: bool) -> tuple[Figure, Axes, tuple[int, int]]:
    left, bottom, right, top = extent
    scale = PIXELS / max(right - left, top - bottom)
    size = round((right - left) * scale), round((top - bottom) * scale)
    figure = style.new_figure(size[0] / DPI, size[1] / DPI, layout=None)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(left, right)
    axes.set_ylim((top, bottom) if downwards else (bottom, top))
    return figure, axes, size


def _draw_layers(
    axes: Axes, layers: LayerMap, view: SliceView, extent: Extent
) -> list[tuple[Any, tuple[float, float]]]:
    """Draw bands of layers; [(name, (across, up))], where their names belong."""
    seen = LayersSeen.on(layers, view, extent, SAMPLES)
    seen = replace(seen, numbers=smooth(seen.numbers, 0.5 * layers.voxel / seen.step))
    drawn = seen.draw(axes, extent, width=0.8, fewest=SAMPLES / 8, equal=False)
    return [(name, _label_place(mask, seen.across, seen.up)) for name, mask in drawn]


def smooth(numbers: np.ndarray, width: float) -> np.ndarray:
    """The layers of a picture without the stairs of their voxels.

    Args:
        numbers: (M, N) of layers, -1 for none.
        width: pixels of the Gaussian.
    """
    from scipy.ndimage import gaussian_filter

    if width < 1:
        return numbers
    kinds = np.unique(numbers)
    blurred = [gaussian_filter((numbers == k).astype(np.float32), width) for k in kinds]
    return kinds[np.argmax(blurred, axis=0)]


def _label_place(mask: np.ndarray, across: np.ndarray, up: np.ndarray) -> tuple[float, float]:
    """A place at the layer's left end, in the middle of its height there."""
    columns = np.flatnonzero(mask.sum(axis=0) > 2)
    columns = columns if len(columns) else np.flatnonzero(mask.any(axis=0))
    inside = columns[min(len(columns) - 1, SAMPLES // 60)]
    height = float(up[int(np.median(np.flatnonzero(mask[:, inside])))])
    return float(across[columns[0]]), height


def beside(named: Iterable[Named]) -> list[Named]:
    """Names left of their layers where there is room, else just inside."""
    wide = 100 * LABEL_WIDTH / PHONE
    return [(n, left - wide if left > wide + 1 else left + 1.5, top) for n, left, top in named]


def apart(
    named: Iterable[Named], size: tuple[int, int]
) -> tuple[list[Named], list[tuple[float, float, float, float]]]:
    """Names of layers moved up and down until none covers another.

    Args:
        named: [(name, percent from the left, percent from the top)].
        size: (width, height) of the picture.

    Returns:
        ([the same, moved], [(left, top, left, top)] of lines to where they belong)
    """
    # On the screen of a phone, where they take most of the picture.
    gap = 100 * LABEL_HEIGHT / (PHONE * size[1] / size[0])
    wide = 100 * LABEL_WIDTH / PHONE
    order = sorted(named, key=lambda entry: entry[2])
    lefts = np.array([left for _, left, _ in order])
    tops = np.array([top for *_, top in order], dtype=float)
    for place in range(len(tops)):  # down, below those above
        near = tops[:place][np.abs(lefts[:place] - lefts[place]) < wide]
        tops[place] = max([tops[place], gap / 2, *(near + gap)])
    for place in reversed(range(len(tops))):  # and up again, where they left the picture
        near = tops[place + 1 :][np.abs(lefts[place + 1 :] - lefts[place]) < wide]
        tops[place] = min([tops[place], 100 - gap / 2, *(near - gap)])
    moved = [(name, left, float(top)) for (name, left, _), top in zip(order, tops, strict=True)]
    leaders = [
        (left + wide, float(top), left + 1.6 * wide, true)
        for (_, left, true), top in zip(order, tops, strict=True)
        if abs(top - true) > gap / 3
    ]
    return moved, leaders


def _percent(place: tuple[float, float], extent: Extent, view: SliceView) -> tuple[float, float]:
    left, bottom, right, top = extent
    across = 100 * (place[0] - left) / (right - left)
    up = 100 * (place[1] - bottom) / (top - bottom)
    return across, up if view.downwards else 100 - up


def _draw_cells(
    axes: Axes,
    cells: Sequence[PlacedCell],
    lines: Sequence[Lines],
    looks: Mapping[str, Look],
    extent: Extent,
    size: tuple[int, int],
) -> None:
    from matplotlib.collections import LineCollection

    points_per_um = size[0] / DPI * 72 / (extent[2] - extent[0])
    for cell, (own, widths) in zip(cells, lines, strict=True):
        axes.add_collection(
            LineCollection(
                own, linewidths=np.maximum(np.array(widths) * points_per_um, 0.45),
                colors=looks[cell.mtype].color, capstyle="round", alpha=0.9, zorder=3,
            ),
            autolim=False,
        )  # fmt: skip


def _dot(count: int) -> int:
    return 46 if count <= 60 else 26 if count <= 400 else 10


@style.styled
def webp(figure: Figure) -> bytes:
    """The figure as bytes of a WebP file."""
    import io

    from PIL import Image

    figure.set_dpi(DPI)
    canvas = cast("FigureCanvasAgg", figure.canvas)
    canvas.draw()
    buffer = io.BytesIO()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    pixels.save(buffer, "webp", quality=QUALITY, method=METHOD)
    return buffer.getvalue()
