"""Cells in a slice of the atlas, at their places, with the boundaries of its layers.

A slice is what lies between two planes. It is projected on the plane in their middle; layers are
those at that plane.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.io.atomic import PathLike
from region_grower_flow.placement.planes import Plane
from region_grower_flow.placement.planes import Slice as Slab
from region_grower_flow.report import style
from region_grower_flow.report.drawing import Morphologies, neurite_legend, scale_bar
from region_grower_flow.report.placed import PlacedCell
from region_grower_flow.report.profiles import layer_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from voxcell import VoxelData

    from region_grower_flow.atlas.structure import Structure

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

Vector: TypeAlias = Sequence[float] | np.ndarray
"""Three coordinates in the atlas."""
Extent: TypeAlias = tuple[float, float, float, float]
"""(left, bottom, right, top) of a picture (um)."""
Shadow: TypeAlias = tuple[np.ndarray, list[tuple[float, float]]]
"""The outline of regions, see :meth:`LayerMap.shadow`."""


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

    slab: Slab
    origin: np.ndarray
    frame: np.ndarray
    title: str
    labels: tuple[str, str]
    downwards: bool = False

    def holds(self, positions: np.ndarray) -> np.ndarray:
        """(N,) bool: which positions (um) lie in it."""
        return self.slab.holds(np.asarray(positions, dtype=np.float64).reshape(-1, 3))

    def project(self, position: np.ndarray) -> np.ndarray:
        """(2,) um, where a position of the atlas is drawn."""
        return self.frame[:2] @ (np.asarray(position, dtype=np.float64) - self.origin)

    def points(self, across: np.ndarray, up: np.ndarray) -> np.ndarray:
        """(M, N, 3) positions in the atlas of (N,) coordinates across and (M,) up."""
        grid = np.stack(np.meshgrid(across, up), axis=-1)
        return self.origin + grid @ self.frame[:2]


def aligned_slice(axis: int, center: float, thickness: float, pia: Vector = UP) -> SliceView:
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


def planes_slice(slab: Slab, number: int, pia: Vector = UP) -> SliceView:
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


def choose_slices(
    positions: np.ndarray, count: int, thickness: float, axis: int | None = None, pia: Vector = UP
) -> list[SliceView]:
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


@dataclass(frozen=True)
class LayerMap:
    """Layers and synthesis regions at points of the atlas.

    Attributes:
        regions: volume of region ids.
        ids: {synthesis region with layers: ids of its regions, None for all}.
        layers: {synthesis region: its layers from the top down}.
        heights: volume of the heights (um) along the principal axis; None without layers.
        hints: {layer: volume of its bottom and top (um)}.
    """

    regions: VoxelData
    ids: Mapping[str, list[int] | None]
    layers: Mapping[str, list[Any]]
    heights: VoxelData | None
    hints: Mapping[Any, VoxelData]

    @classmethod
    def load(cls, atlas_dir: PathLike, structure: Structure) -> LayerMap:
        """The layers of an atlas's folder, of the regions of a region structure.

        Raises:
            InvalidInput: the hierarchy or a volume is absent or broken.
        """
        from region_grower_flow.atlas.regions import load_region_map
        from region_grower_flow.atlas.structure import has_layers, used_layers
        from region_grower_flow.atlas.volumes import load_volume
        from region_grower_flow.layout import (
            BRAIN_REGIONS,
            DEFAULT_REGION,
            PRINCIPAL_AXIS,
            layer_hint,
        )

        hierarchy = load_region_map(atlas_dir)
        layers = {r: list(entry["layers"]) for r, entry in structure.items() if has_layers(entry)}
        ids = {
            region: None
            if region == DEFAULT_REGION
            else sorted(hierarchy.find(region, attr="acronym", with_descendants=True))
            for region in layers
        }
        return cls(
            regions=load_volume(atlas_dir, BRAIN_REGIONS),
            ids=ids,
            layers=layers,
            heights=load_volume(atlas_dir, PRINCIPAL_AXIS) if layers else None,
            hints={
                layer: load_volume(atlas_dir, layer_hint(layer))
                for layer in (used_layers(structure, layers) if layers else ())
            },
        )

    @property
    def voxel(self) -> float:
        """Length (um) of a voxel's longest side."""
        return float(np.abs(self.regions.voxel_dimensions).max())

    def shadow(self, axis: int) -> Shadow:
        """The outline of the regions, seen along an axis of the atlas.

        Args:
            axis: 0, 1 or 2.

        Returns:
            ((M, N) bool, [(first, last) um of each of the two other axes]): whether any voxel of
            the column lies in a region.
        """
        raw = self.regions.raw
        inside = np.zeros(raw.shape, dtype=bool)
        for ids in self.ids.values():
            inside |= (raw != 0) if ids is None else np.isin(raw, ids)
        sizes = self.regions.voxel_dimensions
        first = self.regions.offset
        ends = [(float(first[i]), float(first[i] + sizes[i] * raw.shape[i])) for i in range(3)]
        return inside.any(axis=axis), [ends[i] for i in range(3) if i != axis]

    def lookup(self, points: np.ndarray) -> tuple[list[Any], np.ndarray]:
        """(names, numbers): names of layers, and (N,) their index, -1 where there is none.

        Args:
            points: (N, 3) um.
        """
        names: list[Any] = []
        numbers = np.full(len(points), -1)
        if self.heights is None:
            return names, numbers
        found = self.regions.lookup(points, outer_value=0)
        heights = self.heights.lookup(points, outer_value=np.nan)
        for region, layers in self.layers.items():
            ids = self.ids[region]
            inside = (found != 0) if ids is None else np.isin(found, ids)
            inside &= numbers < 0
            for layer in layers:
                if layer not in names:
                    names.append(layer)
                bounds = self.hints[layer].lookup(points, outer_value=np.nan)
                here = inside & (heights >= bounds[..., 0]) & (heights < bounds[..., 1])
                numbers[here] = names.index(layer)
        return names, numbers


@style.styled
def plot_slice(
    cells: Iterable[PlacedCell], where: SliceView, layers: LayerMap | None, title: str
) -> tuple[Figure, list[str]]:
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
    shown = Morphologies()
    for cell in inside:
        turned = where.frame @ cell.orientation
        shown.add(cell.morphology, where.project(cell.position), turned)
    extent = _around(shown)
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
    scale_bar(axes, corner="right")
    shown.draw(axes)
    return figure, [cell.name for cell in inside]


def _around(shown: Morphologies) -> Extent:
    left, bottom, right, top = shown.bounds or (0.0, 0.0, 0.0, 0.0)
    return left - MARGIN, bottom - MARGIN, right + MARGIN, top + MARGIN


def _frame(extent: Extent) -> tuple[Figure, Axes]:
    left, bottom, right, top = extent
    scale = LARGEST / max(right - left, top - bottom)
    figure = style.new_figure(max((right - left) * scale, 3.2) + 1.0, (top - bottom) * scale + 1.3)
    axes = figure.add_subplot()
    axes.set_aspect("equal")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


@dataclass(frozen=True)
class LayersSeen:
    """Layers at points of a plane, in rows and columns.

    Attributes:
        across, up: (N,) and (M,) um, of the columns and of the rows.
        names: of the layers.
        numbers: (M, N) index of a layer, -1 where there is none.
    """

    across: np.ndarray
    up: np.ndarray
    names: list[Any]
    numbers: np.ndarray

    @classmethod
    def on(cls, layers: LayerMap, where: SliceView, extent: Extent, samples: int) -> LayersSeen:
        """The layers in a picture of a slice, at so many points along its longer side."""
        left, bottom, right, top = extent
        step = max(right - left, top - bottom) / samples
        across = np.arange(left + step / 2, right, step)
        up = np.arange(bottom + step / 2, top, step)
        names, numbers = layers.lookup(where.points(across, up).reshape(-1, 3))
        return cls(across, up, names, numbers.reshape(len(up), len(across)))

    @property
    def step(self) -> float:
        """Distance (um) of neighbouring points."""
        return float(self.across[1] - self.across[0])

    def draw(
        self, axes: Axes, extent: Extent, width: float, fewest: float, equal: bool = True
    ) -> Iterator[tuple[Any, np.ndarray]]:
        """Draw bands of layers, and their outlines.

        Args:
            axes: to draw into.
            extent: of the axes.
            width: of the outlines, in points.
            fewest: points that a layer has at least to be outlined and named.
            equal: whether the axes have equal aspect.

        Yields:
            (name, (M, N) bool where it is) of the layers that have outlines.
        """
        from matplotlib.colors import ListedColormap

        if not self.names or (self.numbers < 0).all():
            return
        left, bottom, right, top = extent
        fills = style.LAYER_FILLS
        axes.imshow(
            np.ma.masked_less(self.numbers, 0) % len(fills), cmap=ListedColormap(fills), vmin=0,
            vmax=len(fills) - 1, extent=(left, right, bottom, top), origin="lower",
            interpolation="nearest", zorder=0, aspect="equal" if equal else "auto",
        )  # fmt: skip
        for number, name in enumerate(self.names):
            mask = self.numbers == number
            if mask.sum() > fewest:
                axes.contour(
                    self.across, self.up, mask.astype(float), levels=[0.5], colors="#9fb2c4",
                    linewidths=width, zorder=1,
                )  # fmt: skip
                yield name, mask


def _draw_layers(axes: Axes, layers: LayerMap, where: SliceView, extent: Extent) -> None:
    seen = LayersSeen.on(layers, where, extent, MOST_SAMPLES)
    for name, mask in seen.draw(axes, extent, width=0.7, fewest=30):
        _name_layer(axes, name, mask, seen.across, seen.up)


def _name_layer(
    axes: Axes, name: object, mask: np.ndarray, across: np.ndarray, up: np.ndarray
) -> None:
    """Write the layer's name at its left end, in the middle of its height there."""
    columns = np.flatnonzero(mask.any(axis=0))
    column = columns[min(len(columns) - 1, max(3, len(columns) // 60))]
    rows = np.flatnonzero(mask[:, column])
    axes.text(
        across[column], up[int(np.median(rows))], style.shorten(layer_name(name), 14), fontsize=7.5,
        color=style.MUTED, va="center", zorder=2,
    )  # fmt: skip
