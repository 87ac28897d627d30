"""The layers of an atlas: their order, their median thicknesses, and the regions that have them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.atlas.volumes import (
    hinted_layers,
    load_volume,
    usable_heights,
    volume_path,
)
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.layout import layer_hint

if TYPE_CHECKING:
    from voxcell import RegionMap, VoxelData


Layer = int | str
"""A layer as a region structure names it: an int where it is a whole number."""

LEAST_THICKNESS = 1.0
"""Median thickness (um) of a layer from which a region has it."""
_LAYER_WORDS = re.compile(r"layer|stratum|lamina", re.IGNORECASE)


def layer_names(atlas_dir: PathLike) -> list[Layer]:
    """The layers that an atlas has hints of, as ints where they are whole numbers."""
    names = (int(n) if n.isdigit() else n for n in hinted_layers(atlas_dir))
    return sorted(names, key=lambda n: (str(type(n)), n))


def entry_of(acronym: str, region_map: RegionMap, layers: Sequence[Layer]) -> str:
    """The region that an entry of the region structure is for: that around a layer.

    Args:
        acronym: of a region of the hierarchy, which may be a layer of another one.
        region_map: voxcell.RegionMap.
        layers: names of the layers.

    Returns:
        An acronym: the parent's where the region is a layer, by its acronym or its name.
    """
    found = region_map.find(acronym, "acronym")
    if not found:
        return acronym
    number = next(iter(found))
    chain = region_map.get(number, "acronym", with_ascendants=True)
    if len(chain) < 2 or not region_map.is_leaf_id(number):
        return acronym
    parent = chain[1]
    name = region_map.get(number, "name")
    rest = acronym.removeprefix(parent).lower().strip(" ;:,-_/.")
    rest = re.sub(r"^(layer|l)(?=\d)", "", rest)
    named = [str(layer).lower() for layer in layers]
    is_layer = acronym.startswith(parent) and (
        rest in named or rest.removeprefix("l") in named or re.fullmatch(r"\d[\d/]*[a-z]?", rest)
    )
    return parent if is_layer or _LAYER_WORDS.search(name) else acronym


def entries_at(acronyms: np.ndarray, region_map: RegionMap, layers: Sequence[Layer]) -> np.ndarray:
    """(N,) object array: the entries that regions at cells belong to, None where there are none."""
    names = {a: entry_of(a, region_map, layers) for a in set(acronyms.tolist()) if a is not None}
    return np.array([names.get(a) for a in acronyms.tolist()], dtype=object)


def median_layers(
    atlas_dir: PathLike,
    volume: VoxelData,
    region_map: RegionMap,
    entries: Iterable[str],
    layers: Sequence[Layer],
    tell: Callable[[str], object] = lambda sentence: None,
) -> dict[str, dict[Layer, float]]:
    """{entry: {layer: median thickness (um)}}, layers from the top down.

    Layers that a region does not have (no value, or no thickness, in most of its voxels) are left
    out.

    Args:
        atlas_dir: folder of the atlas.
        volume: voxcell.VoxelData of region ids.
        region_map: voxcell.RegionMap.
        entries: acronyms.
        layers: names of the layers.
        tell: called with a sentence on a layer that a region has in a part of its voxels only.
    """
    masks = {
        entry: np.isin(volume.raw, list(region_map.find(entry, "acronym", with_descendants=True)))
        for entry in entries
    }
    found: dict[str, list[tuple[float, Layer, float]]] = {entry: [] for entry in entries}
    for layer in layers:
        bounds = load_volume(atlas_dir, layer_hint(layer)).raw
        for entry, mask in masks.items():
            inside = usable_heights(bounds[mask])
            finite = np.isfinite(inside).all(axis=-1)
            if len(finite) == 0 or finite.mean() < 0.5:
                if finite.any():
                    share = f"{finite.mean():.0%} of {entry}"
                    tell(f"{layer_hint(layer)} has values in {share} only: layer {layer} left out")
                continue
            height, thickness = _middle(inside[finite])
            if thickness <= -LEAST_THICKNESS:
                problem = f"its bounds are in the wrong order in {entry}"
                where, hint = volume_path(atlas_dir, layer_hint(layer)), "write the lower one first"
                raise InvalidInput(problem, where, hint)
            if thickness >= LEAST_THICKNESS:
                found[entry].append((height, layer, thickness))
    there = {layer for rows in found.values() for _, layer, _ in rows}
    absent = [layer for layer in layers if layer not in there]
    if absent and there:
        names = ", ".join(map(str, absent))
        word = "layer" if len(absent) == 1 else "layers"
        tell(f"no region of the cells has the {word} {names}: left out")
    return {
        entry: {layer: round(thickness, 1) for _, layer, thickness in sorted(rows, reverse=True)}
        for entry, rows in found.items()
    }


def _middle(bounds: np.ndarray) -> tuple[float, float]:
    """(median height, median thickness) (um) of a layer, of its (N, 2) bounds from below."""
    thickness = float(np.median(bounds[:, 1] - bounds[:, 0]))
    return float(np.median(bounds.mean(axis=-1))), thickness


def main_entry(entries: Iterable[str | None]) -> str:
    """The entry that most cells are in."""
    return Counter(e for e in entries if e is not None).most_common(1)[0][0]


def sorted_layers(structure_entry: Iterable[Layer]) -> str:
    """The layers of an entry in words: 1..6, or their names."""
    names = list(structure_entry)
    numbers = [name for name in names if isinstance(name, int)]
    if len(names) > 2 and names == list(range(numbers[0], numbers[-1] + 1) if numbers else ()):
        return f"{names[0]}..{names[-1]}"
    return ", ".join(map(str, names))
