"""Checks of an atlas, made before any work; all problems are said at once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.atlas.load import load_atlas_table, outside_of_layers, outside_problems
from region_grower_flow.atlas.plausible import (
    FEW,
    acronyms_at,
    crowded_note,
    ids_at,
    no_region_note,
    unknown_id_note,
    voxel_size_note,
)
from region_grower_flow.atlas.regions import RegionMapper, load_region_map
from region_grower_flow.atlas.serving import unserved_problem
from region_grower_flow.atlas.structure import (
    Entry,
    Structure,
    has_layers,
    load_region_structure,
    needs_territories,
)
from region_grower_flow.atlas.volumes import (
    Geometry,
    geometry_differences,
    hinted_layers,
    load_volume,
    other_volumes,
    per_voxel,
    read_geometry,
    volume_path,
)
from region_grower_flow.errors import InvalidInput, Problems, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.schemas import did_you_mean, violation
from region_grower_flow.layout import (
    BRAIN_REGIONS,
    DEFAULT_REGION,
    ORIENTATION,
    PRINCIPAL_AXIS,
    TERRITORIES,
    layer_hint,
)
from region_grower_flow.space.layers import DEPTH_DECIMALS

if TYPE_CHECKING:
    from region_grower_flow.io.cells import Cells
    from region_grower_flow.io.table import CellTable
    from region_grower_flow.io.voxcell import RegionMap, VoxelData

L = logging.getLogger(__name__)

MOST_ALIKE = 2
"""Volumes with the same problem, up to which each is reported by itself."""
_PAYLOADS = {ORIENTATION: (4,), BRAIN_REGIONS: (), PRINCIPAL_AXIS: (), TERRITORIES: ()}
_HINT_PAYLOAD = (2,)
"""Numbers per voxel: a quaternion, an id, a height; the bottom and top of a layer."""


def check_atlas(
    atlas_dir: PathLike,
    region_structure_path: PathLike,
    cells: Cells | None = None,
    allow_no_layers: bool = True,
) -> list[InvalidInput]:
    """Everything that is wrong with an atlas for these cells.

    Args:
        atlas_dir: the folder of the atlas.
        region_structure_path: the region structure.
        cells: with ``positions`` and ``properties`` as for :func:`load_atlas_table`; without cells
            all regions of the structure are checked.
        allow_no_layers: cells that no entry of the structure serves are a warning, no problem.

    A cell where a volume that it needs has no value (NaN) is dropped when it is made, as
    region-grower does; a warning in the log says how many. Where these are all cells, the atlas or
    the cells are wrong: a problem.

    Returns:
        list of InvalidInput, empty when all is well.
    """
    problems = Problems()
    structure = problems.attempt(load_region_structure, region_structure_path)
    if not Path(atlas_dir).is_dir():
        return [*problems, InvalidInput("the folder of the atlas does not exist", where=atlas_dir)]
    if not any(Path(atlas_dir).glob("*.nrrd")):
        hint = f"An atlas is a folder with {BRAIN_REGIONS}.nrrd, hierarchy.json and others"
        hint = other_volumes(atlas_dir) or hint
        return [*problems, InvalidInput("there are no volumes (nrrd) in it", atlas_dir, hint)]
    region_map = problems.attempt(load_region_map, atlas_dir)
    known = structure is not None and region_map is not None
    mapper = RegionMapper(structure, region_map) if known else None
    problems += _Survey(atlas_dir, region_structure_path, structure, cells, mapper).problems()
    if cells is None or mapper is None or problems:
        return problems
    problems += _problems_of_values(atlas_dir, region_structure_path, cells)
    volume = load_volume(atlas_dir, BRAIN_REGIONS)
    _warn_of_regions(cells, volume, region_map, volume_path(atlas_dir, BRAIN_REGIONS))
    unserved = unserved_problem(
        cells.properties["region"],
        structure,
        mapper,
        region_map.as_dataframe()["acronym"],
        region_structure_path,
        acronyms_at(volume, region_map, cells.positions),
    )
    if unserved is not None and allow_no_layers:
        L.warning("%s", unserved)
    elif unserved is not None:
        problems.append(unserved)
    return problems


def _problems_of_values(
    atlas_dir: PathLike, region_structure_path: PathLike, cells: Cells
) -> list[InvalidInput]:
    """Problems of the volumes' values at the cells; what only some cells have is a warning."""
    problems = Problems()

    def report(note: str, count: int, where: PathLike) -> None:
        if count == len(cells) >= FEW:  # an atlas or cells that cannot be meant
            problems.append(InvalidInput(note, where))
        else:
            L.warning("%s", note)

    look_up = partial(load_atlas_table, on_note=partial(report, where=atlas_dir))
    table = problems.attempt(look_up, atlas_dir, region_structure_path, cells)
    if table is None:
        return problems
    for count, problem in nan_problems(table, atlas_dir):
        if count == len(table):
            problems.append(problem)
        else:
            L.warning("%s Those of these cells whose growth needs it will be dropped.", problem)
    if below := outside_of_layers(table):
        report(below[1], below[0], region_structure_path)
    return problems


def _together(problems: list[InvalidInput], atlas_dir: PathLike) -> list[InvalidInput]:
    """Problems, each once that many volumes have, with their names."""
    alike: dict[tuple[str, str | None], list[InvalidInput]] = {}
    for problem in problems:
        alike.setdefault((problem.problem, problem.hint), []).append(problem)
    found = []
    for (text, hint), same in alike.items():
        if len(same) <= MOST_ALIKE:
            found += same
            continue
        names = some([Path(str(problem.where)).name for problem in same], 3)
        found.append(InvalidInput(f"({len(same)} volumes: {names}) {text}", atlas_dir, hint))
    return found


def _warn_of_regions(
    cells: Cells, volume: VoxelData, region_map: RegionMap, where: PathLike
) -> None:
    """Warn of regions and places of cells that cannot be meant."""
    ids: Counter[Any] = Counter(ids_at(volume, cells.positions).tolist())
    for note in filter(None, (unknown_id_note(ids, region_map), no_region_note(ids))):
        L.warning("%s: %s", where, note)
    crowded = crowded_note(cells.positions, volume)
    if crowded:
        L.warning("%s", crowded)


def nan_problems(table: CellTable, atlas_dir: PathLike) -> list[tuple[int, InvalidInput]]:
    """Values of the atlas that cells of a table lack: [(cells, InvalidInput)].

    Only NaN that keeps cells from being grown: that of a layer below a cell does not, nor any in
    the region ``default``, which has no depths in the model.
    """
    layered = (table.layer_counts > 0) & (table.synthesis_regions != DEFAULT_REGION)
    columns = np.arange(table.layer_depths.shape[1])
    inside = columns[np.newaxis] <= table.layer_counts[:, np.newaxis]
    unknown = (np.isnan(table.layer_depths) & inside).any(axis=1) & ~_is_in_a_layer(table)
    places = {
        f"the volume {ORIENTATION!r}": np.isnan(table.orientations).any(axis=(1, 2)),
        f"the volume {PRINCIPAL_AXIS!r} or that of the top layer": (
            layered & np.isnan(table.depths)
        ),
        "the volume of a layer": layered & ~np.isnan(table.depths) & unknown,
    }
    found = []
    for place, wrong in places.items():
        count = int(wrong.sum())
        if count:
            text = f"{place} has no value (NaN) at {count:,} of {len(table):,} cells"
            zeros = " (quaternions of zeros are no rotation)" if ORIENTATION in place else ""
            problem = InvalidInput(
                f"{text} (ids {some(table.ids[wrong])})",
                where=atlas_dir,
                hint=f"Repair the volume{zeros} or leave these cells out",
            )
            found.append((count, problem))
    return found


def _is_in_a_layer(table: CellTable) -> np.ndarray:
    """(N,) bool, cells that are not below all of the layers whose depths are known."""
    depths = np.round(table.depths, DEPTH_DECIMALS)[:, np.newaxis]
    return (depths <= np.round(table.layer_depths[:, 1:], DEPTH_DECIMALS)).any(axis=1)


@dataclass
class _Survey:
    """Looks at the headers of the volumes, and at what the structure expects of them."""

    atlas_dir: PathLike
    structure_path: PathLike
    structure: Structure | None
    cells: Cells | None
    mapper: RegionMapper | None

    def problems(self) -> list[InvalidInput]:
        geometries, problems = {}, []
        used = self._used_regions()
        problems += self._unknown_layers(used)
        for name in self._volumes(used):
            try:
                geometry, payload = read_geometry(self.atlas_dir, name)
            except InvalidInput as error:
                problems.append(error)
                continue
            geometries[name] = geometry
            expected = _PAYLOADS.get(name, _HINT_PAYLOAD)
            if payload != expected:
                problems.append(
                    InvalidInput(
                        f"the volume {name!r} has {per_voxel(payload)}, expected "
                        f"{per_voxel(expected)}",
                        where=self.atlas_dir,
                    )
                )
        problems += self._geometry_problems(geometries)
        note = voxel_size_note(geometries[BRAIN_REGIONS]) if BRAIN_REGIONS in geometries else None
        if note:
            L.warning("%s: %s", self.atlas_dir, note)
        if self.cells is not None and BRAIN_REGIONS in geometries:
            geometry = geometries[BRAIN_REGIONS]
            problems += outside_problems(self.cells.positions, geometry, self.atlas_dir)
        return _together(problems, self.atlas_dir)

    def _used_regions(self) -> dict[str, Entry]:
        """The entries of the structure that serve cells (all of them without cells)."""
        entries = self.structure or {}
        if self.cells is None or self.mapper is None:
            return dict(entries)
        regions = {str(region) for region in set(self.cells.properties["region"])}
        served = {self.mapper[region] for region in regions}
        return {region: entry for region, entry in entries.items() if region in served}

    def _unknown_layers(self, used: Structure) -> list[InvalidInput]:
        known = hinted_layers(self.atlas_dir)
        problems = []
        for region, entry in used.items():
            for layer in entry["layers"] if has_layers(entry) else []:
                if str(layer) not in known:
                    others = f"It has {some(known, 12)}" if known else "It has no layers"
                    hint = did_you_mean(layer, known) or others
                    text = f"the atlas has no layer {layer!r} (no volume {layer_hint(layer)}.nrrd)"
                    keys = (region, "layers")
                    problems.append(violation(self.structure_path, keys, text, hint))
        return problems

    def _volumes(self, used: Structure) -> list[str]:
        names = [BRAIN_REGIONS, ORIENTATION]
        for entry in used.values():
            if has_layers(entry):
                # Absent ones are reported as unknown layers of the structure.
                hints = [layer_hint(layer) for layer in entry["layers"]]
                there = [h for h in hints if (Path(self.atlas_dir) / f"{h}.nrrd").is_file()]
                names += [PRINCIPAL_AXIS, *there]
            if needs_territories(entry):
                names.append(TERRITORIES)
        return list(dict.fromkeys(names))

    def _geometry_problems(self, geometries: Mapping[str, Geometry]) -> list[InvalidInput]:
        if BRAIN_REGIONS not in geometries:
            return []
        expected = geometries[BRAIN_REGIONS]
        return [
            InvalidInput(
                f"the volume {name!r} has {difference}, {BRAIN_REGIONS!r} has {reference}",
                where=self.atlas_dir,
            )
            for name, geometry in geometries.items()
            for difference, reference in geometry_differences(geometry, expected)
        ]
