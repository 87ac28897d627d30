"""The external files that each stage reads, by their role in fingerprints and messages.

Functions of a task's options. They read only what names further files (the table of
reconstructions, the region structure, the axon table), and raise InvalidInput where that fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from region_grower_flow import layout
from region_grower_flow.calibration.sources import load_document, read_layers, read_reconstructions
from region_grower_flow.cell.settings import ORIENTATION_ROLE, axon_role, boundary_role
from region_grower_flow.io import synthdb
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.files import stamp_of
from region_grower_flow.options.validation import VACUUM

if TYPE_CHECKING:
    from region_grower_flow.atlas.structure import Structure
    from region_grower_flow.calibration.dataset import Dataset
    from region_grower_flow.io.cells import Cells
    from region_grower_flow.options import Reference, Work
    from region_grower_flow.options.flows import (
        Calibration,
        ChosenAxons,
        InAtlas,
        Synthesis,
        WithoutAtlas,
    )

GIVEN = ("tmd_parameters", "tmd_distributions")
"""Options of what a growth goes by, where it is not made here."""


def calibration_files(options: Calibration) -> dict[str, PathLike]:
    """The reconstructions, their table and the configurations."""
    roles = ("diametrizer_config", "base_parameters", "overrides", "trunk_rules", "scaling_rules")
    files = {**reconstruction_files(options), **given_files(options, *roles)}
    structure = getattr(options, "region_structure", None)
    if options.scaling_rules and structure and Path(structure).exists():
        files["region_structure"] = structure
    return files


def given_files(options: Work, *roles: str) -> dict[str, PathLike]:
    """The files that options name, as far as they name any; each on its own where it is many."""
    files: dict[str, PathLike] = {}
    for role in roles:
        path = getattr(options, role)
        kind = role.removeprefix("tmd_")
        if path and kind in synthdb.PREFIXES and synthdb.is_spread(path):
            found = synthdb.model_files(path, kind)
            files |= {f"{role} {file.name}": file for file in found}
        elif path:
            files[role] = path
    return files


def reconstruction_files(options: Calibration) -> dict[str, PathLike]:
    """The reconstructions, their table, and the substitutions of mtypes."""
    files = given_files(options, "dat_file", "substitutions")
    for cells in reconstructions(options).mtypes.values():
        for name, path, *_ in cells:
            files[f"reconstruction {name}"] = path
    return files


def reconstructions(options: Calibration) -> Dataset:
    """The Dataset of the reconstructions that are calibrated: those of mtypes that cells need.

    Raises:
        InvalidInputs: see :func:`region_grower_flow.calibration.sources.read_reconstructions`.
    """
    dataset, needed = read_reconstructions(options), needed_mtypes(options)
    if needed is None:
        return dataset
    mtypes = {mtype: cells for mtype, cells in dataset.mtypes.items() if mtype in needed}
    notes = {mtype: notes for mtype, notes in dataset.notes.items() if mtype in needed}
    return replace(dataset, mtypes=mtypes, notes=notes)


def unneeded_mtypes(options: Calibration) -> list[str]:
    """The mtypes that have reconstructions which no cell needs: rules may name them."""
    if needed_mtypes(options) is None:
        return []
    return list(read_reconstructions(options).mtypes.keys() - reconstructions(options).mtypes)


def atlas_files(options: InAtlas) -> dict[str, PathLike]:
    """The cells, the region structure, the volumes that it needs, and the axon table."""
    structure = _structure(options)
    volumes, hints = [layout.BRAIN_REGIONS, layout.ORIENTATION], [layout.PRINCIPAL_AXIS]
    for entry in structure.values():
        hints.extend(layout.layer_hint(layer) for layer in entry.get("layers") or [])
        modes = [boundary.get("multimesh_mode") for boundary in entry.get("boundaries") or []]
        if "territories" in modes:
            volumes.append(layout.TERRITORIES)
    atlas = Path(options.atlas)
    files: dict[str, PathLike] = {
        "input_cells": options.input_cells,
        "region_structure": options.region_structure,
        layout.HIERARCHY: atlas / layout.HIERARCHY,
    }
    # Hints of regions that hold no cells may be absent; the checks know which are needed.
    volumes.extend(hint for hint in hints if (atlas / f"{hint}.nrrd").exists())
    for volume in dict.fromkeys(volumes):
        files[f"atlas volume {volume}"] = atlas / f"{volume}.nrrd"
    if table := grafted_axons(options):
        files["morph_axon"] = table
    return files


def mesh_files(options: InAtlas) -> dict[str, Path]:
    """The meshes of the boundaries, files or folders, that exist: unused ones need not."""
    from region_grower_flow.space.meshes import mesh_place

    base = Path(options.region_structure).parent
    names = [
        boundary["path"]
        for entry in _structure(options).values()
        for boundary in entry.get("boundaries") or []
    ]
    places = {name: mesh_place(base, name) for name in names}
    return {boundary_role(name): place for name, place in places.items() if place.exists()}


def donor_files(options: InAtlas) -> dict[str, Path]:
    """The axon morphologies that the axon table names and that exist."""
    table = grafted_axons(options)
    if not table or not options.base_morph_dir:
        return {}
    count = count_cells(options)
    names = _remembered(table, lambda: _axon_names(options, count), count)
    folder = Path(options.base_morph_dir)
    paths = {name: folder / f"{name}.h5" for name in names}
    return {axon_role(name): path for name, path in paths.items() if path.is_file()}


def synthesis_files(options: Synthesis) -> dict[str, PathLike]:
    """The files that the synthesis of cells reads beside the cell table."""
    return {**cell_files(options), **given_files(options, *GIVEN)}


def all_files(options: Synthesis) -> dict[str, PathLike]:
    """All that the stages of a synthesis read from outside."""
    files = {**atlas_files(options), **synthesis_files(options)}
    if not (options.tmd_parameters and options.tmd_distributions):
        files.update(calibration_files(options))
    return files


def vacuum_files(options: WithoutAtlas) -> dict[str, PathLike]:
    """The given parameters and distributions, or the reconstructions that they come from."""
    files = given_files(options, *GIVEN)
    if not (options.tmd_parameters and options.tmd_distributions):
        files.update(calibration_files(options))
    return files


def has_reconstructions(options: Reference) -> bool:
    """True where there are reconstructions, not only distributions."""
    return bool(options.morphologies_dir and options.dat_file)


def cell_files(options: InAtlas) -> dict[str, PathLike]:
    """The files that single cells read: donors, meshes, the orientations of directions."""
    files: dict[str, PathLike] = {**mesh_files(options), **donor_files(options)}
    if has_directions(options):
        files[ORIENTATION_ROLE] = Path(options.atlas) / f"{layout.ORIENTATION}.nrrd"
    return files


def has_directions(options: InAtlas) -> bool:
    """True where cells of some region grow along the atlas's orientations."""
    return any(entry.get("directions") for entry in _structure(options).values())


def grafted_axons(options: InAtlas) -> str | None:
    """The table of the axons that are grafted; None where none are."""
    return None if options.synthesize_axons else options.morph_axon


def axon_table(
    options: InAtlas, count: int, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """(names, scales) of the axon table for ``count`` cells, None without grafting.

    Args:
        options: of a synthesis.
        count: number of all cells.
        rows: of those that are chosen, None for all.
    """
    table = grafted_axons(options)
    if not table:
        return None
    from region_grower_flow.io.axons import load_axon_table

    names, scales = load_axon_table(table, range(count))
    if rows is None:
        return names, scales
    return names[rows], scales[rows] if np.ndim(scales) else scales


def cells_in_atlas(options: InAtlas) -> Cells:
    """The cells that are to be grown, their regions by the names of the atlas.

    Raises:
        InvalidInput: the cells cannot be read, or the option region_map is wrong.
    """
    from region_grower_flow.atlas.serving import map_regions, parse_region_map

    found, rows = cells(options), rows_to_grow(options)
    if rows is not None:
        found = found.some(rows)
    region_map = parse_region_map(options.region_map)
    if not region_map:
        return found
    regions = map_regions(found.properties["region"], region_map)
    return replace(found, properties=found.properties.assign(region=regions))


def cells(options: InAtlas | ChosenAxons) -> Cells:
    """The input cells."""
    from region_grower_flow.io.cells import read_cells

    return read_cells(options.input_cells, population=options.population)


def is_try(options: Work) -> bool:
    """True when only some of the cells are to be grown."""
    limit, mtypes = _choice(options)
    return limit is not None or bool(mtypes)


def _choice(options: Work) -> tuple[int | None, tuple[str, ...]]:
    """(limit, mtypes) of a try; (None, ()) of options that know none."""
    return getattr(options, "cells_limit", None), tuple(
        getattr(options, "cells_mtypes", None) or ()
    )


def rows_to_grow(options: InAtlas) -> np.ndarray | None:
    """(M,) rows of the cells that are to be grown, None for all; raises InvalidInput."""
    if not is_try(options):
        return None
    from region_grower_flow.io.cells import read_cells
    from region_grower_flow.io.choice import chosen_rows

    path, population, (limit, mtypes) = options.input_cells, options.population, _choice(options)

    def load() -> np.ndarray:
        names = read_cells(path, ("mtype",), population).properties["mtype"].astype(str)
        return chosen_rows(names.to_numpy(), limit, mtypes, path)

    return _remembered(path, load, "rows", population, limit, mtypes)


def count_cells(options: InAtlas) -> int:
    """The number of input cells, without reading them; counted once for the same file."""
    from region_grower_flow.io.ranges import count_cells as count

    path, population = options.input_cells, options.population
    return _remembered(path, lambda: count(path, population), "count", population)


def needed_mtypes(options: Work) -> list[str] | None:
    """The mtypes of the cells that are to be grown, sorted; None where all mtypes are.

    So it is without cells in an atlas, also of reports and validations of vacuum, while the cells
    are still to be placed, and where their file holds none.
    """
    path = getattr(options, "input_cells", None)
    shown = (getattr(options, name, None) for name in ("report_of", "validation_of"))
    if not path or VACUUM in shown or not Path(path).exists():
        return None
    from region_grower_flow.io.cells import read_cells

    placed = cast("InAtlas", options)

    def load() -> list[str] | None:
        names = read_cells(path, ("mtype",), placed.population).properties["mtype"].astype(str)
        rows = rows_to_grow(placed)
        return sorted(set(names if rows is None else names.iloc[rows])) or None

    return _remembered(path, load, "mtypes", placed.population, *_choice(placed))


def layers(options: Synthesis) -> Any:
    """The layers that the parameters' region has, see sources.read_layers."""
    path = options.region_structure
    return _remembered(path, lambda: read_layers(options), "layers", options.region)


def document(path: PathLike | None) -> Any:
    """The content of a JSON or YAML file, None without a path."""
    return _remembered(path, lambda: load_document(path), "document") if path else None


def _structure(options: InAtlas) -> Structure:
    from region_grower_flow.atlas.structure import load_region_structure

    path = options.region_structure
    return _remembered(path, lambda: load_region_structure(path))


def _axon_names(options: InAtlas, count: int) -> list[str]:
    names, _ = axon_table(options, count) or ((), ())
    return sorted({name for name in names if name is not None})


_memory: dict[tuple[str, ...], tuple[tuple[object, ...], Any]] = {}

T = TypeVar("T")


def _remembered(path: PathLike, load: Callable[[], T], *key: object) -> T:
    """The result of ``load`` for a file, once per process and state of the file.

    Fingerprints are asked for many times in a run, for each chunk anew. ``key`` begins with a word
    where a file is read in several ways.
    """
    mark = stamp_of(path)
    if mark is None:
        return load()  # says what is wrong
    place = str(path), *(part for part in key[:1] if isinstance(part, str))
    state = (*mark, *key)
    if _memory.get(place, (None,))[0] != state:
        _memory[place] = state, load()
    return _memory[place][1]
