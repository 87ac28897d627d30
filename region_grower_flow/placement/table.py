"""Placed cells as a file of cells, and the table of what was expected and placed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow.errors import InvalidInput, Problems
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.cells import Cells
from region_grower_flow.io.csv_files import csv_text
from region_grower_flow.placement.densities import MTYPE
from region_grower_flow.placement.place import PlacedCells, Plan
from region_grower_flow.placement.properties import (
    classes_of,
    hemispheres_at,
    layer_problems,
    layers_at,
    load_taxonomy,
    orientations_at,
    taxonomy_problems,
)
from region_grower_flow.placement.voxels import Voxels, geometry_problem, named_volume

REPORT_COLUMNS = ("mtype", "region", "expected", "placed")
LAYER, HEMISPHERE = "layer", "hemisphere"


@dataclass(frozen=True)
class PropertySettings:
    """Settings of the properties that placed cells get beside their traits and region.

    Attributes:
        region_structure: YAML file from which layers are found, or None.
        taxonomy: table of mtypes and their classes, or None.
        hemispheres: name or path of the volume of hemispheres, or None.
        atlas_orientations: the atlas's orientations instead of identities.
        population: name of the SONATA population.
    """

    region_structure: str | None = None
    taxonomy: str | None = None
    hemispheres: str | None = None
    atlas_orientations: bool = False
    population: str = "default"


def cells_of(
    placed: PlacedCells, voxels: Voxels, atlas_dir: PathLike, settings: PropertySettings
) -> Cells:
    """Placed cells with all their properties.

    Args:
        placed: PlacedCells.
        voxels: :class:`~region_grower_flow.placement.voxels.Voxels` of the atlas.
        atlas_dir: folder of the atlas.
        settings: PropertySettings.

    Returns:
        Cells; a text that a cell lacks is "".

    Raises:
        InvalidInput: a file that the settings name is wrong; :func:`property_problems` finds most
            of it before.
    """
    import pandas as pd

    # brainbuilder's name for the acronym at the voxel.
    columns = {**placed.traits, "region": placed.regions, "subregion": placed.regions}
    found = {}
    if settings.region_structure:
        layers = layers_at(
            placed.voxels, placed.regions, voxels, settings.region_structure, atlas_dir
        )
        found[LAYER] = _filled(columns.get(LAYER), layers)
    if settings.hemispheres:
        found[HEMISPHERE] = hemispheres_at(placed.voxels, voxels, settings.hemispheres, atlas_dir)
    if settings.taxonomy:
        found.update(classes_of(placed.traits[MTYPE], load_taxonomy(settings.taxonomy)))
    orientations = None
    if settings.atlas_orientations:
        orientations, missing = orientations_at(placed.positions, atlas_dir)
        if missing:
            placed.notes.append(f"{missing:,} cells have no orientation in the atlas: identity")
    columns = {name: _texts(values) for name, values in {**columns, **found}.items()}
    frame = pd.DataFrame({name: columns[name] for name in sorted(columns)})
    return Cells(placed.positions, orientations, frame, settings.population)


def property_problems(
    plan: Plan, atlas_dir: PathLike, settings: PropertySettings
) -> list[InvalidInput]:
    """Inputs that the properties of a plan's cells lack, as a list of InvalidInput.

    Args:
        plan: the Plan of the placement.
        atlas_dir: folder of the atlas.
        settings: PropertySettings.
    """
    problems, voxels = Problems(), plan.voxels
    if settings.region_structure:
        ids = {i for _, places, _ in plan.groups for i in np.unique(voxels.ids_at(places)).tolist()}
        regions = [voxels.acronyms[i] for i in ids]
        given = settings.region_structure
        problems += problems.attempt(layer_problems, regions, voxels, given, atlas_dir) or []
    if settings.hemispheres:
        volume = named_volume(settings.hemispheres, atlas_dir)
        problem = problems.attempt(geometry_problem, voxels, *volume)
        problems += [problem] if problem else []
    if settings.taxonomy:
        taxonomy = problems.attempt(load_taxonomy, settings.taxonomy)
        traits: dict[str, set[str]] = {}
        for group, *_ in plan.groups:
            for name, values in group.traits.items():
                traits.setdefault(name, set()).update(values)
        problems += taxonomy_problems(taxonomy, traits, settings.taxonomy) if taxonomy else []
    return problems


def report_text(rows: Sequence[dict[str, Any]]) -> str:
    """The report as CSV."""
    return csv_text(REPORT_COLUMNS, rows)


def placement_sentences(placed: PlacedCells) -> Iterator[str]:
    """Sentences about the cells that were placed."""
    expected: dict[str, float] = {}
    mtypes: dict[str, int] = {}
    for row in placed.report:
        name = row["mtype"]
        expected[name] = expected.get(name, 0.0) + row["expected"]
        mtypes[name] = mtypes.get(name, 0) + row["placed"]
    total = sum(expected.values())
    yield (
        f"{len(placed):,} cells of {len(mtypes)} mtypes in "
        f"{len(set(placed.regions.tolist()))} regions placed, {total:,.1f} expected"
    )
    yield from placed.notes
    none = sorted(name for name, count in mtypes.items() if count == 0)
    if none:
        yield f"no cell of {len(none)} mtypes: fewer than one is expected ({', '.join(none)})"
    for name, count in mtypes.items():
        yield f"{name}: {count:,} cells ({expected[name]:,.1f} expected)"


def _filled(given: np.ndarray | None, found: np.ndarray) -> np.ndarray:
    """The given values, and the found ones where none is given."""
    if given is None:
        return found
    return np.where(_absent(given), found, given)


def _texts(values: np.ndarray) -> np.ndarray:
    return np.where(_absent(values), "", values)


def _absent(values: np.ndarray) -> np.ndarray:
    return np.equal(values, None)  # type: ignore[call-overload]


def write_mask(path: PathLike, plan: Plan) -> Path:
    """Write the voxels that may hold cells as an NRRD file; returns its path."""
    import numpy as np

    from region_grower_flow.io.atomic import atomic_write, make_folder

    volume, path = plan.voxels.volume, Path(path)
    allowed = volume.raw != 0 if plan.allowed is None else plan.allowed
    make_folder(path.parent)
    with atomic_write(path) as temporary:
        volume.with_data(allowed.astype(np.uint8)).save_nrrd(str(temporary))
    return path
