"""Cells in a slice of the atlas, at their places, with the boundaries of its layers.

A slice is what lies between two planes. It is projected on the plane in their middle; layers are
those at that plane.
"""

from dataclasses import dataclass

import numpy as np

from region_grower_flow.placement.planes import Plane
from region_grower_flow.placement.planes import Slice as Slab
from region_grower_flow.report import style
from region_grower_flow.report.drawing import Morphologies, neurite_legend, scale_bar
from region_grower_flow.report.profiles import layer_name

AXES = ("x", "y", "z")
MOST_SAMPLES = 420
"""Points of the plane along its longer side, at which layers are looked up."""
LARGEST = 8.0
"""Inches of the longer side of a picture."""
UP = (0.0, 1.0, 0.0)
"""Towards the pia, where nothing else is known."""
NEARLY_PARALLEL = 0.9
"""Cosine of the angle of a normal with the pia's direction: such a slice is seen from above."""
MARGIN = 60.0
"""Margin (um) around the cells that are shown."""


@dataclass(frozen=True)
class SliceView:
    """A slice, and how it is looked at.

    Attributes:
        slab: what it holds, a :class:`region_grower_flow.placement.planes.Slice`.
        origin: (3,) um, a point of the middle plane, drawn at (0, 0).
        frame: (3, 3) unit vectors: across the picture, up, and along the normal.
        title: where it is, in words.
        labels: of the directions across and up.
        downwards: the second coordinate grows downwards in the picture (the pia is on its
            lower side).
    """

    slab: object
    origin: np.ndarray
    frame: np.ndarray
    title: str
    labels: tuple
    downwards: bool = False

    def holds(self, positions):
        """(N,) bool: which positions (um) lie in it."""
        return self.slab.holds(np.asarray(positions, dtype=np.float64).reshape(-1, 3))

    def project(self, position):
        """(2,) um, where a position of the atlas is drawn."""
        return self.frame[:2] @ (np.asarray(position, dtype=np.float64) - self.origin)

    def points(self, across, up):
        """(M, N, 3) positions in the atlas of (N,) coordinates across and (M,) up."""
        grid = np.stack(np.meshgrid(across, up), axis=-1)
        return self.origin + grid @ self.frame[:2]


def aligned_slice(axis, center, thickness, pia=UP):
    """The SliceView across an axis of the atlas, drawn in the atlas's coordinates.

    Args:
        axis: 0, 1 or 2.
        center: um along it.
        thickness: um.
        pia: (3,) direction towards the pia: the axis that is nearest to it is upright.
    """
    normal, origin = np.eye(3)[axis], np.zeros(3)
    origin[axis] = center
    low, high = center - thickness / 2, center + thickness / 2
    across, up = sorted((other for other in range(3) if other != axis), key=lambda i: abs(pia[i]))
    return SliceView(
        Slab(Plane(low * normal, normal), Plane(high * normal, normal)),
        origin,
        np.array([np.eye(3)[across], np.eye(3)[up], normal]),
        f"{AXES[axis]} from {low:,.0f} to {high:,.0f} µm",
        (f"{AXES[across]} (µm)", f"{AXES[up]} (µm)"),
        downwards=bool(pia[up] < 0),
    )


def planes_slice(slab, number, pia=UP):
    """The SliceView of a pair of planes; up is as near to the pia as the plane allows."""
    normal = slab.left.normal + slab.right.normal
    normal = normal / np.linalg.norm(normal)
    up = np.asarray(pia, dtype=np.float64)
    if abs(normal @ up) > NEARLY_PARALLEL * np.linalg.norm(up):
        up = np.eye(3)[int(np.argmin(np.abs(normal)))]
    up = up - (up @ normal) * normal
    up /= np.linalg.norm(up)
    origin = (slab.left.point + slab.right.point) / 2
    words = ", ".join(f"{value:,.0f}" for value in origin)
    return SliceView(
        slab,
        origin,
        np.array([np.cross(up, normal), up, normal]),
        f"slice {number}, around ({words}) µm",
        ("along the slice (µm)", "up (µm)"),
    )


def choose_slices(positions, count, thickness, axis=None, pia=UP):
    """Slices through the places where the cells are.

    Args:
        positions: (N, 3) um, of the cells' somata.
        count: number of slices, evenly spaced between the 5th and 95th percentile.
        thickness: um.
        axis: 0, 1, 2, or None: of the two that are farther from the pia's direction the one along
            which the cells spread less.
        pia: (3,) direction towards the pia.

    Returns:
        [SliceView]
    """
    positions = np.asarray(positions, dtype=np.float64).reshape(-1, 3)
    if not len(positions):
        return []
    if axis is None:
        level = np.argsort(np.abs(pia), kind="stable")[:2]
        axis = int(min(sorted(level), key=lambda i: np.ptp(positions[:, i])))
    low, high = np.percentile(positions[:, axis], [5, 95])
    centers = low + (high - low) * (np.arange(count) + 0.5) / count
    return [aligned_slice(axis, float(center), float(thickness), pia) for center in centers]


class LayerMap:
    """Layers and synthesis regions at points of the atlas.

    Args:
        atlas_dir: folder of the atlas.
        structure: the region structure (dict), for its regions and their layers.
    """

    def __init__(self, atlas_dir, structure):
        from region_grower_flow.atlas.regions import load_region_map
        from region_grower_flow.atlas.structure import has_layers, used_layers
        from region_grower_flow.atlas.volumes import load_volume
        from region_grower_flow.layout import (
            BRAIN_REGIONS,
            DEFAULT_REGION,
            PRINCIPAL_AXIS,
            layer_hint,
        )

        self._regions = load_volume(atlas_dir, BRAIN_REGIONS)
        hierarchy = load_region_map(atlas_dir)
        self._ids, self._layers = {}, {}
        for region, entry in structure.items():
            if has_layers(entry):
                self._layers[region] = list(entry["layers"])
                found = (
                    None
                    if region == DEFAULT_REGION
                    else sorted(hierarchy.find(region, attr="acronym", with_descendants=True))
                )
                self._ids[region] = found
        self._axis = load_volume(atlas_dir, PRINCIPAL_AXIS) if self._layers else None
        self._hints = {
            layer: load_volume(atlas_dir, layer_hint(layer))
            for layer in (used_layers(structure, self._layers) if self._layers else ())
        }

    @property
    def voxel(self):
        """Length (um) of a voxel's longest side."""
        return float(np.abs(self._regions.voxel_dimensions).max())

    def shadow(self, axis):
        """The outline of the regions, seen along an axis of the atlas.

        Args:
            axis: 0, 1 or 2.

        Returns:
            ((M, N) bool, [(first, last) um of each of the two other axes]): whether any voxel of
            the column lies in a region.
        """
        raw = self._regions.raw
        inside = np.zeros(raw.shape, dtype=bool)
        for ids in self._ids.values():
            inside |= (raw != 0) if ids is None else np.isin(raw, ids)
        sizes = self._regions.voxel_dimensions
        first = self._regions.offset
        ends = [(float(first[i]), float(first[i] + sizes[i] * raw.shape[i])) for i in range(3)]
        return inside.any(axis=axis), [ends[i] for i in range(3) if i != axis]

    def lookup(self, points):
        """(names, numbers): names of layers, and (N,) their index, -1 where there is none.

        Args:
            points: (N, 3) um.
        """
        names, numbers = [], np.full(len(points), -1)
        if not self._layers:
            return names, numbers
        found = self._regions.lookup(points, outer_value=0)
        heights = self._axis.lookup(points, outer_value=np.nan)
        for region, layers in self._layers.items():
            ids = self._ids[region]
            inside = (found != 0) if ids is None else np.isin(found, ids)
            inside &= numbers < 0
            for layer in layers:
                if layer not in names:
                    names.append(layer)
                bounds = self._hints[layer].lookup(points, outer_value=np.nan)
                here = inside & (heights >= bounds[..., 0]) & (heights < bounds[..., 1])
                numbers[here] = names.index(layer)
        return names, numbers


@style.styled
def plot_slice(cells, where, layers, title):
    """A figure of the cells of a slice.

    Args:
        cells: [:class:`~region_grower_flow.report.placed.PlacedCell`]; those in the slice are
            drawn.
        where: SliceView.
        layers: LayerMap, or None.
        title: of the figure.

    Returns:
        (matplotlib Figure, names of the cells drawn)
    """
    inside = [cell for cell in cells if where.holds(cell.position)[0]]
    if not inside:
        figure = style.new_figure(6, 1.8)
        figure.suptitle(style.shorten(title, 60), x=0.01, ha="left", weight="bold")
        style.say(figure.add_subplot(), f"no cell lies in the slice: {where.title}")
        return figure, []
    shown = Morphologies(None)
    for cell in inside:
        turned = where.frame @ cell.orientation
        shown.add(cell.morphology, where.project(cell.position), turned)
    extent = _around(shown.bounds)
    figure, axes = _frame(extent)
    if where.downwards:
        axes.invert_yaxis()
    figure.suptitle(style.shorten(title, 80), x=0.01, ha="left", weight="bold")
    words = f"{where.title}, {len(inside)} cells"
    axes.set_title(words, weight="normal", color=style.MUTED, fontsize=8.5)
    if layers is not None:
        _draw_layers(axes, layers, where, extent)
    axes.set_xlabel(where.labels[0])
    axes.set_ylabel(where.labels[1])
    neurite_legend(figure, shown.kinds(), loc="outside lower right", ncols=3)
    shown.axes = axes
    scale_bar(axes, corner="right")
    shown.draw()
    return figure, [cell.name for cell in inside]


def _around(bounds):
    left, bottom, right, top = bounds
    return left - MARGIN, bottom - MARGIN, right + MARGIN, top + MARGIN


def _frame(extent):
    left, bottom, right, top = extent
    scale = LARGEST / max(right - left, top - bottom)
    figure = style.new_figure(max((right - left) * scale, 3.2) + 1.0, (top - bottom) * scale + 1.3)
    axes = figure.add_subplot()
    axes.set_aspect("equal")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _draw_layers(axes, layers, where, extent):
    from matplotlib.colors import ListedColormap

    left, bottom, right, top = extent
    step = max(right - left, top - bottom) / MOST_SAMPLES
    across = np.arange(left + step / 2, right, step)
    up = np.arange(bottom + step / 2, top, step)
    points = where.points(across, up)
    names, numbers = layers.lookup(points.reshape(-1, 3))
    numbers = numbers.reshape(len(up), len(across))
    if not names or (numbers < 0).all():
        return
    bands = np.ma.masked_less(numbers, 0) % len(style.LAYER_FILLS)
    axes.imshow(
        bands, cmap=ListedColormap(style.LAYER_FILLS), vmin=0, vmax=len(style.LAYER_FILLS) - 1,
        extent=(left, right, bottom, top), origin="lower", interpolation="nearest", zorder=0,
        aspect="equal",
    )  # fmt: skip
    for number, name in enumerate(names):
        mask = numbers == number
        if mask.sum() > 30:
            axes.contour(across, up, mask.astype(float), levels=[0.5], colors="#9fb2c4",
                         linewidths=0.7, zorder=1)  # fmt: skip
            _name_layer(axes, name, mask, across, up)


def _name_layer(axes, name, mask, across, up):
    """Write the layer's name at its left end, in the middle of its height there."""
    columns = np.flatnonzero(mask.any(axis=0))
    column = columns[min(len(columns) - 1, max(3, len(columns) // 60))]
    rows = np.flatnonzero(mask[:, column])
    axes.text(
        across[column], up[int(np.median(rows))], style.shorten(layer_name(name), 14), fontsize=7.5,
        color=style.MUTED, va="center", zorder=2,
    )  # fmt: skip
