"""Survey of one's own cells, atlas and reconstructions, made before anything is proposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.atlas.load import outside_problems
from region_grower_flow.atlas.plausible import (
    acronyms_at,
    crowded_note,
    height_note,
    ids_at,
    unknown_id_note,
)
from region_grower_flow.atlas.regions import load_region_map
from region_grower_flow.atlas.volumes import (
    geometry_differences,
    load_volume,
    per_voxel,
    read_geometry,
    rotations_at,
    volume_path,
)
from region_grower_flow.calibration.dataset import read_dataset
from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.cells import Cells, read_cells, unread_note
from region_grower_flow.layout import BRAIN_REGIONS, ORIENTATION, PRINCIPAL_AXIS, layer_hint
from region_grower_flow.start.layers import Layer, entries_at, layer_names
from region_grower_flow.start.tables import Found, find_table

if TYPE_CHECKING:
    from voxcell import RegionMap, VoxelData

    from region_grower_flow.calibration.dataset import Dataset


@dataclass(frozen=True)
class Sources:
    """Sources that a user names.

    Attributes:
        cells: file of the cells.
        atlas: folder of the atlas.
        morphologies: folder of the reconstructions.
        table: of the reconstructions; None: it is looked for, or made.
        structure: a region structure that there is already, or None.
        population: SONATA population of the cells, where their file holds several, with its node
            group (``cortex/1``) where it has several.
    """

    cells: Path
    atlas: Path
    morphologies: Path
    table: Path | None = None
    structure: Path | None = None
    population: str | None = None


@dataclass
class Survey:
    """Contents of the sources.

    Attributes:
        sources: Sources.
        cells: io.cells.Cells.
        region_map: voxcell.RegionMap of the atlas.
        volume: voxcell.VoxelData of its region ids.
        layers: names of the layers that it has hints of.
        at_cells: (N,) acronyms of the atlas at the cells, None where it has none.
        entries: (N,) the regions around the layers there.
        table: start.tables.Found.
        rows: calibration.dataset.Dataset of the table.
        notes: sentences on what is odd.
        regions_of_atlas: whether the cells have no regions and get those of the atlas.
    """

    sources: Sources
    cells: Cells
    region_map: RegionMap
    volume: VoxelData
    layers: list[Layer]
    at_cells: np.ndarray
    entries: np.ndarray
    table: Found
    rows: Dataset
    notes: list[str] = field(default_factory=list)
    regions_of_atlas: bool = False

    @property
    def mtypes(self) -> dict[str, int]:
        """{mtype of the cells: number of cells}, the most frequent first."""
        return dict(Counter(map(str, self.cells.properties["mtype"])).most_common())

    @property
    def regions(self) -> dict[str, int]:
        """{region of the cells: number of cells}, the most frequent first."""
        return dict(Counter(map(str, self.cells.properties["region"])).most_common())


def survey(sources: Sources, made_table: Callable[[str], Path]) -> Survey:
    """Read everything; all that is wrong is said at once.

    Args:
        sources: Sources.
        made_table: where a table of reconstructions goes that has to be made: a function of its
            text that writes it and returns the path.

    Raises:
        InvalidInputs: all problems.
    """
    _check_folders(sources)
    read = _read(sources)
    cells, volume, region_map = read.cells, read.volume, read.region_map
    at_cells = acronyms_at(volume, region_map, cells.positions)
    without_regions = "region" not in cells.properties
    if without_regions:
        cells = _with_regions(cells, at_cells, sources)
    notes = [*read.table.passed_over, *_notes(read, cells, sources)]
    path = read.table.path or made_table(read.table.text or "")
    return Survey(
        sources=sources,
        cells=cells,
        region_map=region_map,
        volume=volume,
        layers=read.layers,
        at_cells=at_cells,
        entries=entries_at(at_cells, region_map, read.layers),
        table=read.table,
        rows=read_dataset(sources.morphologies, path, read.table.extension),
        notes=notes,
        regions_of_atlas=without_regions,
    )


@dataclass(frozen=True)
class _Read:
    """The contents of the sources, each of which is there and sound by itself."""

    cells: Cells
    region_map: RegionMap
    layers: list[Layer]
    volume: VoxelData
    heights: VoxelData
    orientation: VoxelData
    table: Found


def _read(sources: Sources) -> _Read:
    problems = Problems()
    cells = problems.attempt(read_cells, sources.cells, ("mtype",), sources.population)
    if cells is not None and "region" in cells.properties:
        cells = problems.attempt(read_cells, sources.cells, population=sources.population)
    region_map = problems.attempt(load_region_map, sources.atlas)
    layers = layer_names(sources.atlas)
    if not layers and sources.structure is None:
        hint = "name one by --region-structure, or add volumes [PH]1.nrrd, ..."
        problems.append(InvalidInput("it has no layers ([PH] volumes)", sources.atlas, hint))
    problems.extend(_unlike_volumes(sources.atlas, layers))
    sound = not problems
    volume, heights, orientation = (
        problems.attempt(load_volume, sources.atlas, name) if sound else None
        for name in (BRAIN_REGIONS, PRINCIPAL_AXIS, ORIENTATION)
    )
    mtypes = set(map(str, cells.properties["mtype"])) if cells is not None else ()
    table = problems.attempt(find_table, sources.morphologies, mtypes, sources.table)
    if cells is not None:
        problems.extend(_odd_cells(cells, sources))
    if problems:
        raise InvalidInputs(problems)
    return _Read(cells, region_map, layers, volume, heights, orientation, table)


def _notes(read: _Read, cells: Cells, sources: Sources) -> Iterator[str]:
    """Sentences on what is odd about the cells in the atlas.

    Raises:
        InvalidInput: the orientation has no value at any cell.
    """
    ids = Counter(ids_at(read.volume, cells.positions).tolist())
    ups = rotations_at(read.orientation, cells.positions)[:, :, 1]
    lost = int(np.isnan(ups).any(axis=1).sum())
    if lost == len(cells):
        problem = f"has no value (NaN, or zeros) at any of the {len(cells):,} cells"
        raise InvalidInput(problem, volume_path(sources.atlas, ORIENTATION), "repair the volume")
    if lost:
        yield f"orientation has no value at {lost:,} of {len(cells):,} cells"
    heights = height_note(read.heights, ups, cells.positions)
    notes = (
        unread_note(cells, sources.cells),
        unknown_id_note(ids, read.region_map),
        crowded_note(cells.positions, read.volume),
        heights[0] if heights else None,
    )
    yield from filter(None, notes)


def _unlike_volumes(atlas: PathLike, layers: Sequence[Any]) -> Problems:
    """Problems of the headers of the volumes: absent, of another space, with other values."""
    problems, expected = Problems(), None
    payloads = {BRAIN_REGIONS: (), PRINCIPAL_AXIS: (), ORIENTATION: (4,)}
    for name in (*payloads, *map(layer_hint, layers)):
        found = problems.attempt(read_geometry, atlas, name)
        if found is None:
            continue
        geometry, payload = found
        expected = expected or geometry
        where, wanted = volume_path(atlas, name), payloads.get(name, (2,))
        if payload != wanted:
            problem = f"has {per_voxel(payload)}, expected {per_voxel(wanted)}"
            problems.append(InvalidInput(problem, where))
        for difference, reference in geometry_differences(geometry, expected):
            problem = f"has {difference}, {BRAIN_REGIONS!r} has {reference}"
            problems.append(InvalidInput(problem, where))
    return problems


def _odd_cells(cells: Cells, sources: Sources) -> Iterator[InvalidInput]:
    """Problems of the cells: none, without regions, or outside of the atlas."""
    if not len(cells):
        yield InvalidInput("there are no cells in it", sources.cells)
    regions = cells.properties.get("region", ())
    empty = sum(not str(region).strip() for region in regions)
    if empty:
        hint = "give them regions of the atlas, or leave these cells out"
        problem = f"the region of {empty:,} of {len(cells):,} cells is empty"
        yield InvalidInput(problem, sources.cells, hint)
    geometry = Problems().attempt(read_geometry, sources.atlas, BRAIN_REGIONS)
    if geometry is not None:
        yield from outside_problems(cells.positions, geometry[0], sources.atlas)


def _with_regions(cells: Cells, at_cells: np.ndarray, sources: Sources) -> Cells:
    """The cells with the regions of the atlas at their positions.

    Raises:
        InvalidInput: the atlas has none at some of them.
    """
    lost = [i for i, region in enumerate(at_cells) if region is None]
    if lost:
        problem = f"has no column 'region', and the atlas no region at {len(lost):,} of the cells"
        hint = f"give these regions, or leave them out (ids {some(lost)})"
        raise InvalidInput(problem, sources.cells, hint)
    return replace(cells, properties=cells.properties.assign(region=list(at_cells)))


def _check_folders(sources: Sources) -> None:
    """Refuse files for folders, and swapped folders: what else is wrong is not worth telling.

    Raises:
        InvalidInputs: no such folders, or paths that cannot be written down.
        InvalidInput: the volumes are in the folder of the reconstructions, and none in the other.
    """
    given = (sources.cells, sources.atlas, sources.morphologies, sources.table, sources.structure)
    unsaid = [path for path in given if path is not None and not _can_be_said(str(path))]
    if unsaid:
        problem = "no configuration holds this path (line ends, blanks at the ends, ${, no UTF-8)"
        raise InvalidInputs(
            [InvalidInput(problem, ascii(str(path)), "rename it") for path in unsaid]
        )
    atlas, cells = Path(sources.atlas), Path(sources.morphologies)
    words = {atlas: "the folder of the atlas", cells: "the folder of reconstructions"}
    problems = [
        InvalidInput(
            f"is a file, expected {what}" if path.exists() else f"{what} does not exist", path
        )
        for path, what in words.items()
        if not path.is_dir()
    ]
    if problems:
        others = Problems()
        others.attempt(read_cells, sources.cells, population=sources.population)
        raise InvalidInputs([*problems, *others])
    if atlas.is_dir() and not any(atlas.glob("*.nrrd")) and any(cells.glob("*.nrrd")):
        problem = f"there are no volumes (nrrd) of an atlas in it, but there are some in {cells}"
        hint = "give the atlas as --atlas, the reconstructions as --morphologies"
        raise InvalidInput(problem, atlas, hint)


def _can_be_said(path: str) -> bool:
    """True for a path that is the same when a configuration with it is read."""
    # Luigi puts variables of the environment in the place of ${...}, and knows no way to escape it.
    return path == path.strip() and path.isprintable() and "${" not in path
