"""Oddities between an atlas and its cells, though each can be read: ids, units, gaps.

Each function returns sentences (or problems); none of them changes what is grown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.atlas.volumes import HasGeometry
from region_grower_flow.errors import counted, some
from region_grower_flow.io.nrrd_volumes import PLAUSIBLE_VOXELS
from region_grower_flow.layout import layer_hint

if TYPE_CHECKING:
    from region_grower_flow.io.voxcell import RegionMap, VoxelData

Note: TypeAlias = tuple[str, int]
"""A sentence on what cannot be meant, and for how many cells it is so (0: not counted)."""

_EXACT_FLOAT32 = 1 << 24
"""Whole numbers up to here are exact in float32: ids of the Allen Institute are larger."""
FEW = 5
"""Number of cells up to which all may well lie in one voxel."""
FAR_ABOVE = 50
"""Distance (um) above the first layer from which a soma is not there by rounding."""
TOO_STEEP = 3.0
"""Rise (um per um) of heights in um that the bending of the cortex does not explain."""
UNLIKELY = 10
"""Ratio of two thicknesses of one layer that only a difference of units explains."""
THICKEST = 5000.0
"""Thickness (um) that no layer has."""
_UNITS = {"nm": 1e3, "mm": 1e-3, "m": 1e-6}
"""Factors by which a length in um is multiplied in other units."""


def ids_at(volume: VoxelData, positions: np.ndarray) -> np.ndarray:
    """(N,) region ids at positions inside the atlas.

    Args:
        volume: voxcell.VoxelData of region ids.
        positions: (N, 3) um.
    """
    return volume.lookup(np.asarray(positions).reshape(-1, 3))


def acronyms_at(volume: VoxelData, region_map: RegionMap, positions: np.ndarray) -> np.ndarray:
    """(N,) object array: the acronym of the atlas's region at each position, None for none.

    Args:
        volume: voxcell.VoxelData of region ids.
        region_map: voxcell.RegionMap.
        positions: (N, 3) um, inside the atlas.
    """
    ids = ids_at(volume, positions)
    known = region_map.as_dataframe()["acronym"].to_dict()
    names = {i: known.get(int(i)) if i == i else None for i in set(ids.tolist())}
    return np.array([names.get(i) if i == i else None for i in ids.tolist()], dtype=object)


def unknown_id_note(
    counts: Mapping[Any, int], region_map: RegionMap, of: str = "voxels with cells"
) -> str | None:
    """A sentence on ids that the hierarchy does not have, None when it has all of them.

    0 is no region. Ids kept as float32 are rounded beyond 16,777,216, and one hemisphere's may be
    negative; both look like regions that do not exist.

    Args:
        counts: {region id: how many have it}, of voxels or at cells.
        region_map: voxcell.RegionMap.
        of: what was counted, for the sentence.
    """
    known = set(region_map.as_dataframe().index.tolist())
    unknown = {i: n for i, n in counts.items() if i not in known and i != 0}
    if not unknown:
        return None
    total, all_of_them = sum(unknown.values()), sum(counts.values())
    named = some([f"{i:.0f} ({n:,})" for i, n in Counter(unknown).most_common()], 4)
    text = f"{total:,} of {all_of_them:,} {of} have ids that the hierarchy lacks: {named}"
    if any(-i in known for i in unknown):
        return f"{text}; negative ids are those of one hemisphere: make them positive."
    if any(isinstance(i, float) and abs(i) > _EXACT_FLOAT32 for i in unknown):
        return f"{text}; the volume holds floats, and float32 rounds large ids: write it as uint32."
    return f"{text}."


def no_region_note(counts: Mapping[Any, int]) -> str | None:
    """A sentence on cells where the atlas has no region, None without any.

    Args:
        counts: {region id: number of cells}.
    """
    total, none = sum(counts.values()), counts.get(0, 0)
    if not none:
        return None
    return (
        f"{none:,} of {total:,} cells lie where the atlas has no region (id 0): are they of this "
        "atlas, and their positions in um?"
    )


def crowded_note(positions: np.ndarray, geometry: HasGeometry) -> str | None:
    """A sentence on cells that all lie within one voxel, None otherwise.

    Positions in mm are all at the corner of an atlas that begins at 0.
    """
    spans = np.ptp(positions, axis=0) if len(positions) >= FEW else np.inf
    if not np.all(spans < np.abs(geometry.voxel_dimensions)):
        return None
    return f"all {len(positions):,} cells lie within one voxel: are their positions in um?"


def depth_notes(
    region: str,
    depths: np.ndarray,
    thicknesses: Mapping[Any, np.ndarray],
    model: Mapping[Any, float],
) -> Iterator[Note]:
    """(sentence, cells) on depths and layers at the cells of a region that cannot be meant.

    Args:
        region: its name.
        depths: (N,) um, of the somata below the top of the first layer, as the volumes have them.
        thicknesses: {layer: (N,) um}, upper bound minus lower bound, at the cells.
        model: {layer: um}, thicknesses of the region structure.
    """
    above = int((depths < -FAR_ABOVE).sum())
    if above:
        yield (
            f"{region}: {above:,} of {len(depths):,} cells lie more than {FAR_ABOVE} um above its "
            "first layer, and would be grown at its top: does [PH]y grow towards the pia, in um?",
            above,
        )
    for layer, values in thicknesses.items():
        values = values[np.isfinite(values)]
        turned = int((values < 0).sum())
        if turned:
            cells = counted(turned, "cell")
            problem = f"{region}: the bounds of layer {layer} are in the wrong order at {cells}"
            yield f"{problem}: write the lower one first ({layer_hint(layer)})", turned
            continue
        middle, wanted = (float(np.median(values)) if len(values) else 0.0), model.get(layer)
        if middle > 0 and wanted and not 1 / UNLIKELY < middle / float(wanted) < UNLIKELY:
            yield (
                f"{region}: layer {layer} is {middle:.3g} um thick at the cells, and {wanted:g} um "
                "in the region structure: are both in um?",
                0,
            )
            continue
        thick = values > (UNLIKELY * float(wanted) if wanted else THICKEST)
        if thick.any():
            yield (
                f"{region}: layer {layer} is up to {values.max():.3g} um thick at {thick.sum():,} "
                f"of {len(depths):,} cells, and {middle:.3g} um in the middle: does "
                f"{layer_hint(layer)} hold other numbers than heights there?",
                int(thick.sum()),
            )


def gap_notes(region: str, bounds: Mapping[Any, np.ndarray], cells: int) -> Iterator[Note]:
    """(sentence, cells) on layers that do not adjoin at the cells of a region.

    Depths are sums of thicknesses: where a layer is left out, all below it are too high. All cells
    are counted where a layer is above the one that should be above it, at each of them; else none.

    Args:
        region: its name.
        bounds: {layer: (N, 2) um, heights of its bottom and top at some of the cells}, from the top
            down.
        cells: number of all cells of the region.
    """
    layers = list(bounds)
    for upper, lower in pairwise(layers):
        gaps = bounds[upper][:, 0] - bounds[lower][:, 1]
        gaps = gaps[np.isfinite(gaps)]
        apart = int((np.abs(gaps) > FAR_ABOVE).sum())
        if apart <= len(gaps) / 2:
            continue
        middle = float(np.median(gaps))
        how = f"{middle:.0f} um lie between" if middle > 0 else f"{-middle:.0f} um are in both"
        exchanged = bounds[lower][:, 1] > bounds[upper][:, 1] + FAR_ABOVE
        yield (
            f"{region}: {how} the layers {upper} and {lower} at the cells: does the region "
            "structure have all layers, in the order of the atlas?",
            cells if exchanged.all() else 0,
        )


def height_note(heights: VoxelData, ups: np.ndarray, positions: np.ndarray) -> Note | None:
    """(sentence, positions) on heights not in um, or falling along the orientation; None: fine.

    Heights in um rise by one per um towards the pia, a little more or less where the cortex bends.

    Args:
        heights: voxcell.VoxelData, [PH]y.
        ups: (N, 3) unit vectors towards the pia at the positions.
        positions: (N, 3) um, inside the volume.
    """
    size = np.asarray(heights.voxel_dimensions, dtype=float)
    places = heights.positions_to_indices(np.asarray(positions), strict=False)
    last = np.array(heights.shape) - 1
    slopes = np.empty((len(places), 3))
    for axis in range(3):
        before, after = places.copy(), places.copy()
        before[:, axis] = np.maximum(before[:, axis] - 1, 0)
        after[:, axis] = np.minimum(after[:, axis] + 1, last[axis])
        way = (after[:, axis] - before[:, axis]) * size[axis]
        with np.errstate(invalid="ignore"):  # infinite heights
            risen = heights.raw[tuple(after.T)] - heights.raw[tuple(before.T)].astype(float)
        slopes[:, axis] = risen / np.where(way == 0, np.nan, way)
    slopes[:, last == 0] = 0.0  # a volume of one voxel along this axis
    slopes[~np.isfinite(slopes)] = np.nan
    along = (slopes * ups).sum(axis=1)
    known = np.isfinite(along)
    if known.sum() < FEW:
        return None
    slopes_found = np.linalg.norm(slopes[known], axis=1)
    steep = float(np.median(slopes_found))
    if steep and not 1 / TOO_STEEP < steep < TOO_STEEP:
        usual = (slopes_found > 1 / TOO_STEEP) & (slopes_found < TOO_STEEP)
        voxel = float(np.abs(size).mean())
        unit = "voxels" if 1 / TOO_STEEP < steep * voxel < TOO_STEEP else "another unit"
        return (
            f"[PH]y rises by {steep:.2g} per um at the cells, not by about 1: is it in {unit}? It "
            "is read as um.",
            int((~usual).sum()),
        )
    falls = int((along[known] < 0).sum())
    if falls > known.sum() / 2:
        return (
            f"[PH]y falls along the atlas's directions at {falls:,} of {known.sum():,} cells: does "
            "the y axis of its orientation point to the pia?",
            falls,
        )
    return None


def unit_hint(positions: np.ndarray, geometry: HasGeometry) -> str:
    """A question on the unit of the cells that are outside of an atlas, '' for none.

    Args:
        positions: (N, 3) of all cells.
        geometry: of the atlas, with ``voxel_dimensions``, ``offset`` and ``shape``.
    """
    positions = np.asarray(positions, dtype=float).reshape(-1, 3)
    positions = positions[np.isfinite(positions).all(axis=1)]
    if not len(positions):
        return ""
    size = np.array(geometry.voxel_dimensions, dtype=float)
    corners = np.array([geometry.offset, geometry.offset + size * geometry.shape], dtype=float)
    lower, upper = corners.min(axis=0), corners.max(axis=0)

    def inside(points: np.ndarray) -> float:
        return ((points >= lower) & (points <= upper)).all(axis=1).mean()

    if inside(positions) > 0.5:
        return ""
    if voxel_size_note(geometry):  # which is told
        return "is the header of the atlas in um?"
    for unit, factor in _UNITS.items():
        if inside(positions / factor) > 0.9:
            return f"are their positions in {unit}? They are read as um"
    if inside(positions * np.abs(size) + lower) > 0.9:
        return "are their positions in voxels? They are read as um"
    if inside(positions + np.array(geometry.offset, dtype=float)) > 0.9:
        return "is the origin of their positions the corner of the atlas? Add its offset"
    spans = f"cells {_span(positions.min(0), positions.max(0))}, atlas {_span(lower, upper)} um"
    return f"are they of this atlas? ({spans})"


def voxel_size_note(geometry: HasGeometry) -> str | None:
    """A sentence on voxels of an unlikely size, None when it is likely."""
    sizes = np.abs(geometry.voxel_dimensions)
    low, high = PLAUSIBLE_VOXELS
    if (sizes >= low).all() and (sizes <= high).all():
        return None
    unit = "mm" if (sizes < low).any() else "nm"
    text = ", ".join(f"{size:g}" for size in sizes)
    return f"The voxels of the atlas are {text} um large: is its header in {unit}?"


def _span(lower: np.ndarray, upper: np.ndarray) -> str:
    pairs = zip("xyz", lower, upper, strict=True)
    return ", ".join(f"{axis} {low:.5g} to {high:.5g}" for axis, low, high in pairs)
