"""The cell table from an atlas: one vectorized look-up of all cells, one volume at a time.

Mirrors ``region_grower.synthesize_morphologies.SynthesizeMorphologies.assign_atlas_data`` and
``region_grower.atlas_helper.AtlasHelper``. Those compute depths and thicknesses of whole volumes
and then look the cells up; here the cells are looked up first. Element by element it is the same
arithmetic on the same type, so the numbers are the same (but differences of unsigned volumes do not
wrap around below 0).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.atlas.plausible import Note, depth_notes, gap_notes, height_note, unit_hint
from region_grower_flow.atlas.regions import RegionMapper, load_region_map
from region_grower_flow.atlas.structure import (
    Layer,
    Structure,
    layers_of,
    load_region_structure,
    needs_territories,
    nested_meta,
    region_meta,
    used_layers,
)
from region_grower_flow.atlas.volumes import (
    Geometry,
    load_volume,
    read_geometry,
    rotations_at,
    usable_heights,
)
from region_grower_flow.errors import InvalidInput, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.table import CellTable
from region_grower_flow.layout import (
    BRAIN_REGIONS,
    CELL_TABLE_VERSION,
    ORIENTATION,
    PRINCIPAL_AXIS,
    TERRITORIES,
    layer_hint,
)
from region_grower_flow.space.layers import DEPTH_DECIMALS

if TYPE_CHECKING:
    import pandas as pd

    from region_grower_flow.io.cells import Cells

AxonTable: TypeAlias = tuple[np.ndarray, np.ndarray]
"""(names, scales) of all cells, see ``io.axons.load_axon_table``."""
Columns: TypeAlias = dict[str, Any]
"""Columns of the cell table by name."""

MIN_DEPTH, MAX_DEPTH = 25, 5000
"""Depths of somata are clipped to these (um; region-grower's defaults)."""
MOST_COMPARED = 10_000
"""Cells at which heights are compared with directions."""
_OUTSIDE_TERRITORIES = -1


@dataclass(frozen=True)
class _Cells:
    """The input cells with their synthesis regions."""

    positions: np.ndarray
    properties: pd.DataFrame
    regions: np.ndarray
    synthesis_regions: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    def served_by(self, names: Iterable[str]) -> np.ndarray:
        """Row numbers of the cells whose synthesis region is one of ``names``."""
        return np.flatnonzero(np.isin(self.synthesis_regions, list(names)))


def load_atlas_table(
    atlas_dir: PathLike,
    region_structure_path: PathLike,
    cells: Cells,
    min_depth: float = MIN_DEPTH,
    max_depth: float = MAX_DEPTH,
    axon_table: AxonTable | None = None,
    ids: np.ndarray | None = None,
    on_note: Callable[[str, int], None] | None = None,
) -> CellTable:
    """Look all cells up in the atlas.

    Args:
        atlas_dir: a folder with ``hierarchy.json`` and the volumes as ``.nrrd`` files.
        region_structure_path: YAML file, see ``schemas/region_structure.json``.
        cells: the cells; look-ups are done in the type of their positions in the file, as
            region-grower does. Their properties have ``region``, ``mtype`` and perhaps ``mclass``.
        min_depth: smallest depth of a soma (um).
        max_depth: largest depth of a soma (um).
        axon_table: (names, scales) of all cells as ``io.axons.load_axon_table`` returns them;
            cells without a name are left out.
        ids: (N,) their rows among all cells, increasing; None where these are all.
        on_note: called with sentences on depths and layers that cannot be meant, and with the
            number of cells for which that is so (0: not counted).

    Returns:
        CellTable: the rows in the order of the cells.

    Raises:
        InvalidInput: a file is absent or broken, or a cell is outside the atlas.
    """
    structure = load_region_structure(region_structure_path)
    mapper = RegionMapper(structure, load_region_map(atlas_dir))
    placed = _with_regions(cells, mapper)
    geometry, _ = read_geometry(atlas_dir, BRAIN_REGIONS)
    for problem in outside_problems(placed.positions, geometry, atlas_dir):
        raise problem
    nothing = np.full(len(placed), None, dtype=object), np.full(len(placed), np.nan)
    names, scales = nothing if axon_table is None else axon_table
    table = CellTable(
        positions=placed.positions.astype(np.float64),
        regions=placed.regions,
        synthesis_regions=placed.synthesis_regions,
        axon_names=names,
        axon_scales=np.asarray(scales, dtype=np.float64),
        meta=_meta(placed, structure, mapper, geometry),
        **_identity(placed, ids),
        **_looked_up(placed, structure, mapper, atlas_dir, (min_depth, max_depth), on_note),
    )
    if axon_table is not None:
        table = table.rows(np.array([name is not None for name in names], dtype=bool))
    return table


def outside_of_layers(table: CellTable) -> tuple[int, str] | None:
    """(number, sentence) of cells that lie below the layers of their regions; None without any.

    They are dropped when they are grown, so that this is known before.
    """
    rows = np.flatnonzero(table.layer_counts > 0)
    if not len(rows):
        return None
    bottoms = table.layer_depths[rows, table.layer_counts[rows]]
    below = np.round(table.depths[rows], DEPTH_DECIMALS) > np.round(bottoms, DEPTH_DECIMALS)
    if not below.any():
        return None
    ids = some(table.ids[rows[below]].tolist())
    return int(below.sum()), (
        f"{below.sum():,} of {len(table):,} cells lie below the layers of their regions and will "
        f"be dropped (ids {ids}): does the region structure lack layers?"
    )


def _looked_up(
    cells: _Cells,
    structure: Structure,
    mapper: RegionMapper,
    atlas_dir: PathLike,
    depth_limits: tuple[float, float],
    on_note: Callable[[str, int], None] | None,
) -> Columns:
    """The columns that come from the volumes.

    The checks ask, with ``on_note``, and the loading asks again, without: the volumes, which take
    seconds, are read once for both.
    """
    key = _question(cells, structure, atlas_dir) if len(cells) <= MOST_REMEMBERED else None
    columns = _latest.pop(key, None) if key is not None and on_note is None else None
    _latest.clear()
    if columns is None:
        columns, notes = _looked_up_anew(cells, structure, mapper, atlas_dir)
        if on_note is not None:
            for note in notes:
                on_note(*note)
            if key is not None:
                _latest[key] = columns
    return {**columns, "depths": np.clip(columns["depths"], *depth_limits)}


_latest: dict[tuple[object, ...], Columns] = {}
"""{question: columns} of the last look-up of the checks, until the loading has asked for it."""

MOST_REMEMBERED = 200_000
"""Cells of a look-up that is remembered: some 200 bytes each."""


def _question(cells: _Cells, structure: Structure, atlas_dir: PathLike) -> tuple[object, ...]:
    """All that the columns follow from; of the atlas the stamps of its files."""
    from region_grower_flow.io.files import stamp_of

    files = sorted(path for path in Path(atlas_dir).iterdir() if path.is_file())
    stamps = tuple((path.name, *(stamp_of(path) or ())) for path in files)
    words = "\0".join(map(str, [*cells.regions, *cells.synthesis_regions]))
    content = hashlib.sha256(cells.positions.tobytes() + words.encode())
    content.update(f"{cells.positions.dtype}{structure}".encode())
    return str(Path(atlas_dir).resolve()), stamps, content.hexdigest()


def _looked_up_anew(
    cells: _Cells, structure: Structure, mapper: RegionMapper, atlas_dir: PathLike
) -> tuple[Columns, list[Note]]:
    """({column: values}, [(sentence, cells)] on what cannot be meant) from the volumes."""
    from region_grower_flow.io.voxcell import VoxcellError

    try:
        orientations = _orientations(cells, atlas_dir)
        depths, notes = _depths(cells, structure, atlas_dir, orientations[:, :, 1])
        columns = {
            **depths,
            "orientations": orientations,
            "glomerulus_ids": _glomeruli(cells, structure, mapper, atlas_dir),
        }
    except (VoxcellError, IndexError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        problem = f"the volumes do not fit together or have the wrong shape ({error})"
        raise InvalidInput(problem, where=atlas_dir) from error
    return columns, notes


def _identity(cells: _Cells, ids: np.ndarray | None) -> Columns:
    ids = np.asarray(np.arange(len(cells)) if ids is None else ids).astype(np.int64)
    properties = cells.properties
    return {
        "ids": ids,
        "numbers": ids.copy(),
        "mtypes": _words(properties["mtype"]),
        "mclass": _words(properties["mclass"]) if "mclass" in properties else None,
    }


def outside_problems(
    positions: np.ndarray, geometry: Geometry, where: object
) -> list[InvalidInput]:
    """Positions outside an atlas of this geometry, as a list of InvalidInput."""
    outside = np.flatnonzero(geometry.outside(positions))
    if not len(outside):
        return []
    text = f"{len(outside):,} of {len(positions):,} cells are outside the atlas"
    hint = unit_hint(positions, geometry)
    return [InvalidInput(f"{text} (ids {some(outside)})", where, hint)]


def _with_regions(cells: Cells, mapper: RegionMapper) -> _Cells:
    regions = _words(cells.properties["region"])
    names = {region: mapper[region] for region in set(regions.tolist())}
    synthesis_regions = np.array([names[region] for region in regions], dtype=object)
    return _Cells(np.asarray(cells.positions), cells.properties, regions, synthesis_regions)


def _depths(
    cells: _Cells, structure: Structure, atlas_dir: PathLike, ups: np.ndarray
) -> tuple[Columns, list[Note]]:
    """Depths (um) of the cells and of the layer boundaries above and below them, and notes."""
    layers = layers_of(structure)
    rows = {region: cells.served_by([region]) for region in layers}
    rows = {region: found for region, found in rows.items() if len(found)}
    most = max((len(layers[region]) for region in rows), default=0)
    columns = {
        "depths": np.full(len(cells), np.nan),
        "layer_counts": np.zeros(len(cells), dtype=np.int64),
        "layer_depths": np.full((len(cells), most + 1), np.nan),
    }
    if not rows:
        return columns, []
    positions = {region: cells.positions[found] for region, found in rows.items()}
    names = used_layers(structure, rows)
    thicknesses, tops, bounds = _hints(positions, layers, atlas_dir, names)
    axis = load_volume(atlas_dir, PRINCIPAL_AXIS)
    placed = np.concatenate(list(rows.values()))
    compared = placed[:: -(-len(placed) // MOST_COMPARED)]
    note = height_note(axis, ups[compared], cells.positions[compared])
    notes = [(note[0], len(placed) if note[1] == len(compared) else 0)] if note else []
    for region, found in rows.items():
        count = len(layers[region])
        depths = tops[region] - usable_heights(axis.lookup(positions[region]))
        own = {layer: thicknesses[region, layer] for layer in layers[region]}
        model = structure[region].get("thicknesses") or {}
        some_bounds = {layer: bounds[region, layer] for layer in layers[region]}
        wrong = list(depth_notes(region, np.asarray(depths), own, model))
        notes += wrong or gap_notes(region, some_bounds, len(found))
        columns["depths"][found] = depths
        columns["layer_counts"][found] = count
        columns["layer_depths"][found, 0] = 0.0
        # The sum is done in the type of the volumes, as the reference does.
        boundaries = np.cumsum([thicknesses[region, layer] for layer in layers[region]], axis=0)
        columns["layer_depths"][found, 1 : count + 1] = boundaries.T
    return columns, notes


def _hints(
    positions: Mapping[str, np.ndarray],
    layers: Mapping[str, Sequence[Layer]],
    atlas_dir: PathLike,
    names: Iterable[Layer],
) -> tuple[
    dict[tuple[str, Layer], np.ndarray], dict[str, np.ndarray], dict[tuple[str, Layer], np.ndarray]
]:
    """Thicknesses by (region, layer), heights of the tops by region, bounds at some of the cells.

    Each volume is read once.

    Args:
        positions: {region: (N, 3) positions of its cells}.
        layers: {region: its layers from the top down}.
        atlas_dir: the folder of the volumes.
        names: the layers to read.
    """
    thicknesses, tops, some_bounds = {}, {}, {}
    for layer in names:
        volume = load_volume(atlas_dir, layer_hint(layer))
        for region, inside in positions.items():
            if layer in layers[region]:
                bounds = usable_heights(volume.lookup(inside))
                some_bounds[region, layer] = bounds[:: -(-len(bounds) // MOST_COMPARED)].copy()
                with np.errstate(invalid="ignore"):  # infinite heights: cells without a depth
                    thicknesses[region, layer] = bounds[..., 1] - bounds[..., 0]
                if layer == layers[region][0]:
                    tops[region] = bounds[..., 1]
    return thicknesses, tops, some_bounds


def _orientations(cells: _Cells, atlas_dir: PathLike) -> np.ndarray:
    if len(cells) == 0:
        return np.empty((0, 3, 3))
    return rotations_at(load_volume(atlas_dir, ORIENTATION), cells.positions)


def _glomeruli(
    cells: _Cells, structure: Structure, mapper: RegionMapper, atlas_dir: PathLike
) -> np.ndarray | None:
    asking = {region for region, entry in structure.items() if needs_territories(entry)}
    regions = [r for r in set(cells.regions.tolist()) if asking & set(mapper.entries_of(r))]
    rows = np.flatnonzero(np.isin(cells.regions, regions))
    if not len(rows):
        return None
    ids = np.full(len(cells), _OUTSIDE_TERRITORIES, dtype=np.int64)
    volume = load_volume(atlas_dir, TERRITORIES)
    signed = volume.with_data(volume.raw.astype(np.int64, copy=False))
    ids[rows] = signed.lookup(cells.positions[rows], outer_value=_OUTSIDE_TERRITORIES)
    return ids


def _meta(
    cells: _Cells, structure: Structure, mapper: RegionMapper, geometry: Geometry
) -> dict[str, Any]:
    regions = dict.fromkeys(cells.regions.tolist())
    return {
        "version": CELL_TABLE_VERSION,
        "regions": region_meta(structure),
        "nested": nested_meta(structure, mapper, regions),
        "layers": layers_of(structure),
        "atlas": {
            "voxel_dimensions": list(geometry.voxel_dimensions),
            "offset": list(geometry.offset),
            "shape": list(geometry.shape),
        },
    }


def _words(column: Any) -> np.ndarray:
    """A column as an object array of str, with None where the value is missing."""
    import pandas as pd

    values = np.asarray(column, dtype=object)
    missing = pd.isna(values)
    words = [None if gone else str(value) for value, gone in zip(values, missing, strict=True)]
    return np.array(words, dtype=object)
