"""The space tier: do the cells stay where the atlas lets them grow?

Limits and layers are those of the cell table, along the cell's own axis towards the pia, as
synthesis uses them. Cells are upright here: the soma at the origin, the pia along +y.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.errors import DropCell, some
from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology
from region_grower_flow.space import scaling
from region_grower_flow.space.layers import LayerContext
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.verdict import FAIL, PASS, Verdict, exact

if TYPE_CHECKING:
    from region_grower_flow.io.table import Cell
    from region_grower_flow.validation.written import MtypeCells

TIER = "space"

LIMITS, SOMA, POSITION = "hard limits", "soma at the origin", "position as asked"

LIMIT_TOLERANCE = 1.0
"""Distance (um) by which a top may miss its limit."""
WITHIN_LIMITS = 0.999
"""Fraction of the cells that have to keep their limits."""
EXTENT_DECIMALS = 3
"""An extent (um) that rounds to 0 is not scaled, see ``limits.output_scaling``."""
SOMA_TOLERANCE = 1.0
"""Distance (um) from the origin that a soma's center may have, also where the soma is smaller."""


@dataclass(frozen=True)
class CellPlace:
    """Place of a cell.

    Attributes:
        position: (3,) um, of the soma in the atlas.
        orientation: (3, 3), the rotation that synthesis has applied.
        layers: LayerContext.
        params: NeuroTS parameters of its mtype.
        region: the synthesis region, an entry of the region structure or "default".
    """

    position: np.ndarray
    orientation: np.ndarray
    layers: LayerContext
    params: Mapping[str, Any]
    region: str


def place_of(cell: Cell, parameters: Mapping[str, Any]) -> CellPlace:
    """The CellPlace of a Cell of the cell table, with the parameters of all mtypes."""
    from region_grower_flow.engine.parameters import mtype_entry
    from region_grower_flow.io.layer_names import with_layer_numbers

    params = mtype_entry(parameters, cell.synthesis_region, cell.region, cell.mtype)
    return CellPlace(
        position=cell.position,
        orientation=cell.orientation,
        layers=LayerContext.of(cell),
        params=with_layer_numbers(params, cell.layer_names),
        region=cell.synthesis_region,
    )


def tree_tops(morphology: FlatMorphology) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tops of the trees along +y.

    Returns:
        (types (R,), extents (R,), tops (R,)): the type of each tree, how far it reaches above its
        first point (what synthesis compares with the limits), and above the origin (um).
    """
    roots = np.flatnonzero(morphology.parents < 0)
    ends = np.append(roots[1:], morphology.n_sections)
    heights = morphology.points[:, 1].astype(float)
    firsts = morphology.offsets[roots]
    tops = np.array(
        [
            heights[first:last].max()
            for first, last in zip(firsts, morphology.offsets[ends], strict=True)
        ]
    )
    return morphology.types[roots], tops - heights[firsts], tops


def limit_misses(morphology: FlatMorphology, place: CellPlace) -> dict[str, tuple[float, float]]:
    """Distances (um) by which the trees of each neurite type miss their hard limits at most.

    Returns:
        {neurite type: (miss of the extents, miss of the tops above the soma)} for the types with
        limits: 0 where they are kept. A tree that does not grow towards the pia has no extent, and
        is not scaled.
    """
    types, extents, tops = tree_tops(morphology)
    misses = {}
    for kind, (least, most) in _limits(morphology, place).items():
        mine = types == NEURITE_TYPES[kind]
        if (least, most) != (None, None) and mine.any():
            pairs = zip(extents[mine], tops[mine], strict=True)
            found = [
                (_miss(extent, extent, least, most), _miss(top, extent, least, most))
                for extent, top in pairs
            ]
            misses[kind] = tuple(map(max, zip(*found, strict=True)))
    return misses


def _limits(
    morphology: FlatMorphology, place: CellPlace
) -> Mapping[str, tuple[float | None, float | None]]:
    try:
        return scaling.limits(place.params, place.layers, morphology)
    except DropCell:  # a layer without thickness: synthesis has dropped such cells
        return {}


def _miss(value: float, extent: float, least: float | None, most: float | None) -> float:
    """Distance by which ``value`` lies outside of the limits (um; None: no limit)."""
    if np.round(extent, EXTENT_DECIMALS) == 0.0:
        return 0.0
    below = least - value if least is not None else 0.0
    above = value - most if most is not None else 0.0
    return float(max(below, above, 0.0))


def limit_verdicts(
    mtype: str, cells: Sequence[ValidationCell], places: Sequence[CellPlace]
) -> list[Verdict]:
    """The Verdicts on the hard limits of trees, one for each neurite type that has some.

    Args:
        mtype: of the cells.
        cells: [ValidationCell], upright.
        places: the CellPlace of each.
    """
    misses: dict[str, list[tuple[str, float, float]]] = {}
    for cell, place in zip(cells, places, strict=True):
        for kind, miss in limit_misses(cell.morphology, place).items():
            misses.setdefault(kind, []).append((cell.name, *miss))
    return [_limit_verdict(mtype, kind, found) for kind, found in sorted(misses.items())]


def _limit_verdict(mtype: str, kind: str, found: Sequence[tuple[str, float, float]]) -> Verdict:
    names, extents, tops = zip(*found, strict=True)
    kept = np.array(extents) <= LIMIT_TOLERANCE
    beyond = [name for name, good in zip(names, kept, strict=True) if not good]
    detail = (
        f"{len(beyond)} of {len(names)} cells miss a limit by up to {max(extents):.1f} um "
        f"({some(beyond, 3)})"
        if beyond
        else ""
    )
    return Verdict(
        TIER,
        LIMITS,
        PASS if kept.mean() >= WITHIN_LIMITS else FAIL,
        mtype=mtype,
        neurite_type=kind,
        n_synthesized=len(names),
        statistic=float(kept.mean()),
        threshold=WITHIN_LIMITS,
        detail=detail,
        values={
            "greatest miss (um)": float(max(extents)),
            # The limits hold for the length of a tree along the axis, which starts at its trunk.
            "within, measured from the soma": float((np.array(tops) <= LIMIT_TOLERANCE).mean()),
        },
    )


def soma_verdict(mtype: str, cells: Sequence[ValidationCell]) -> Verdict:
    """The Verdict on somas: each lies at the origin, no farther from it than it is wide."""
    far = [cell.name for cell in cells if not _is_at_origin(cell.morphology)]
    return _all_cells(mtype, SOMA, len(cells), far, "have their soma elsewhere")


def _is_at_origin(morphology: FlatMorphology) -> bool:
    points = morphology.soma_points.astype(float)
    if not len(points):
        return False
    center = points.mean(axis=0)
    # Contours may lie on one side: of 4,440 cells that NeuroTS grew around the origin one had the
    # mean of its contour 1.1 times as far away as the contour reaches.
    width = 2 * np.linalg.norm(points - center, axis=1).max()
    if len(points) == 1:
        width = morphology.soma_diameters[0]
    return bool(np.linalg.norm(center) <= max(width, SOMA_TOLERANCE))


def position_verdict(mtype: str, population: MtypeCells) -> Verdict:
    """The Verdict on positions: every cell lies where it was asked for."""
    count = len(population.names)
    return _all_cells(mtype, POSITION, count, population.moved, "lie elsewhere than asked")


def _all_cells(mtype: str, test: str, total: int, bad: Sequence[str], words: str) -> Verdict:
    detail = f"{len(bad)} of {total} cells {words} ({some(bad, 3)})" if bad else ""
    return exact(TIER, test, mtype, (total, total - len(bad)), detail)


class RegionLookup:
    """Look-up of the points of the atlas that lie in a synthesis region.

    Args:
        atlas_dir: folder of the atlas.
        region_structure: the YAML file.
    """

    def __init__(self, atlas_dir: Path, region_structure: Path) -> None:
        self._atlas, self._structure = atlas_dir, region_structure
        self._loaded: tuple[Any, dict[str, list[int]]] | None = None

    def inside(self, region: str, points: np.ndarray) -> float:
        """The fraction of (N, 3) points (um) that lie in the region; in any for ``default``."""
        volume, ids = self._load()
        found = volume.lookup(points, outer_value=0)
        return float(np.isin(found, ids[region]).mean() if region in ids else (found != 0).mean())

    def _load(self) -> tuple[Any, dict[str, list[int]]]:
        if self._loaded is None:
            from region_grower_flow.atlas.regions import load_region_map
            from region_grower_flow.atlas.structure import load_region_structure
            from region_grower_flow.atlas.volumes import load_volume
            from region_grower_flow.layout import BRAIN_REGIONS, DEFAULT_REGION

            regions = load_region_map(self._atlas)
            ids = {
                region: sorted(regions.find(region, attr="acronym", with_descendants=True))
                for region in load_region_structure(self._structure)
                if region != DEFAULT_REGION
            }
            self._loaded = load_volume(self._atlas, BRAIN_REGIONS), ids
        return self._loaded
