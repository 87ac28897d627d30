"""Checks of the cells, the atlas, the region structure and the axons to graft."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.checks import inputs
from region_grower_flow.checks.work_folder import check_mesh_folder
from region_grower_flow.errors import InvalidInput, Problems, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.layout import BRAIN_REGIONS

if TYPE_CHECKING:
    from region_grower_flow.atlas.structure import Structure
    from region_grower_flow.io.cells import Cells
    from region_grower_flow.options.flows import InAtlas

L = logging.getLogger(__name__)

MOST_DAMAGED = 20
"""Damaged axon morphologies that are named."""


def check_space(options: InAtlas) -> Problems:
    """Problems of the cells, the atlas, the region structure and the axon table."""
    from region_grower_flow.atlas.check import check_atlas
    from region_grower_flow.io.cells import unread_note

    problems = Problems()
    if options.min_depth > options.max_depth:
        problem = f"min_depth ({options.min_depth}) is greater than max_depth ({options.max_depth})"
        problems.append(InvalidInput(problem, "option min_depth"))
    cells = problems.attempt(inputs.cells_in_atlas, options)
    if cells is not None and (note := unread_note(cells, options.input_cells)):
        L.warning("%s", note)
    place, allow = options.region_structure, options.allow_no_layers
    problems.extend(check_atlas(options.atlas, place, cells, allow_no_layers=allow))
    problems.extend(_check_region_map(options))
    problems.extend(_check_constraints(options, cells))
    for place in (Problems().attempt(inputs.mesh_files, options) or {}).values():
        if place.is_dir():
            problems.extend(check_mesh_folder(options.work_dir, place))
    table = inputs.grafted_axons(options)
    if table and cells is not None:
        problems.extend(_check_axons(options, table, cells))
    return problems


def _check_region_map(options: InAtlas) -> list[InvalidInput]:
    """Regions that the option region_map names and that the cells or the atlas do not have."""
    from region_grower_flow.atlas.regions import load_region_map
    from region_grower_flow.atlas.serving import parse_region_map, region_map_problems

    elsewhere = Problems()  # what is wrong with these files is known
    region_map = elsewhere.attempt(parse_region_map, options.region_map)
    if not region_map:
        return []
    found = elsewhere.attempt(inputs.cells, options)
    hierarchy = elsewhere.attempt(load_region_map, options.atlas)
    if found is None or hierarchy is None:
        return []
    known = hierarchy.as_dataframe()["acronym"]
    return region_map_problems(region_map, found.properties["region"], known)


def _check_constraints(options: InAtlas, cells: Cells | None) -> list[InvalidInput]:
    """Problems of the directions and boundaries that cells may have (their meshes are read)."""
    from region_grower_flow.atlas.volumes import read_geometry
    from region_grower_flow.space.constraint_checks import check_constraints, constraint_notes
    from region_grower_flow.space.fields import VoxelGrid
    from region_grower_flow.space.mesh_notes import mesh_notes

    path = options.region_structure
    problems, folder = Problems(), Path(path).parent
    geometry = Problems().attempt(read_geometry, options.atlas, BRAIN_REGIONS)
    for region, entry in _entries_of_cells(options, cells).items():
        where = f"{path}, {region}"
        found = check_constraints(entry, region, path)
        for note in [] if found else constraint_notes(entry, where, folder):
            L.warning("%s", note)
        if geometry is not None and not found:
            size, offset = geometry[0].voxel_dimensions, geometry[0].offset
            grid = VoxelGrid(np.array(size, dtype=float), np.array(offset, dtype=float))
            for note in mesh_notes(entry, where, folder, grid, geometry[0].shape):
                L.warning("%s", note)
        problems.extend(found)
    return problems


def _entries_of_cells(options: InAtlas, cells: Cells | None) -> Structure:
    """The entries of the region structure that hold cells, all of them when that is not known.

    Entries that no cell uses are not looked at, as in region-grower.
    """
    from region_grower_flow.atlas.regions import RegionMapper, load_region_map
    from region_grower_flow.atlas.structure import load_region_structure

    elsewhere = Problems()  # what is wrong with these files is known
    structure = elsewhere.attempt(load_region_structure, options.region_structure) or {}
    region_map = elsewhere.attempt(load_region_map, options.atlas)
    if region_map is None or cells is None:
        return structure
    regions = set(map(str, cells.properties["region"]))
    used = RegionMapper(structure, region_map).holding(regions)
    return {region: entry for region, entry in structure.items() if region in used}


def _check_axons(options: InAtlas, table: PathLike, cells: Cells) -> list[InvalidInput]:
    from region_grower_flow.io import axons

    if inputs.is_try(options):
        cells = inputs.cells(options)  # the table is of all
    ids = range(len(cells))
    base_morph_dir = getattr(options, "base_morph_dir", None)
    problems = axons.check_axon_table(table, ids, base_morph_dir)
    if problems:
        return problems
    names, _ = axons.load_axon_table(table, ids)
    mtypes = cells.properties["mtype"]
    problems = axons.check_na_ratio(names, mtypes, options.max_drop_ratio, where=table)
    if base_morph_dir:
        problems += _check_donors(Path(base_morph_dir), [name for name in names if name])
    return problems


def _check_donors(folder: Path, names: Sequence[str]) -> list[InvalidInput]:
    """Axon morphologies that are damaged, or absent for all cells.

    region-grower drops a cell whose axon is absent: so while others have theirs it is a line in
    the log.
    """
    from region_grower_flow.io.morphologies import read_morphology

    problems, absent = Problems(), []
    for name in dict.fromkeys(names):
        path = folder / f"{name}.h5"
        if not path.exists():
            absent.append(name)
        elif len(problems) < MOST_DAMAGED:
            problems.attempt(read_morphology, path)
    count = sum(map(set(absent).__contains__, names))
    if not count:
        return problems
    sentence = f"{count:,} of {len(names):,} cells have axons that are absent ({some(absent)})"
    if count == len(names):
        hint = "complete the folder, or check that it is the one that the table is made for"
        problems.append(InvalidInput(sentence, folder, hint))
    else:
        L.warning("%s: %s: these cells will be dropped.", folder, sentence)
    return problems
