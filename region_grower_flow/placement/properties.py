"""Properties of a cell from its place, beside its region: layer, hemisphere, axes, classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from region_grower_flow.atlas.regions import RegionMapper
from region_grower_flow.atlas.structure import has_layers, load_region_structure
from region_grower_flow.atlas.volumes import load_volume, rotations_at
from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.documents import read_text
from region_grower_flow.io.schemas import did_you_mean
from region_grower_flow.layout import ORIENTATION, PRINCIPAL_AXIS, layer_hint
from region_grower_flow.placement.densities import MTYPE
from region_grower_flow.placement.voxels import Voxels, geometry_problem, load_values, named_volume

LEFT, RIGHT, UNDEFINED = "left", "right", "undefined"
_BOUNDS = (2,)
"""Shape of a voxel of a placement hint: the bottom and the top of the layer."""
_TAXONOMY = {"mClass": "morph_class", "sClass": "synapse_class"}
"""Columns of brainbuilder's table of mtypes, and the properties that they become."""


def layers_at(
    chosen: np.ndarray,
    regions: np.ndarray,
    voxels: Voxels,
    structure_path: PathLike,
    atlas_dir: PathLike,
) -> np.ndarray:
    """(N,) object: the layer of each cell as text, None where its region has none.

    The entry of the region structure that serves the cell's region decides: by its
    ``region_queries`` (which regions of the atlas are which layer) when it has them, else by the
    placement hints: the layer whose bottom and top enclose the voxel's height.

    Args:
        chosen: (N,) the cells' voxels.
        regions: (N,) their acronyms.
        voxels: :class:`~region_grower_flow.placement.voxels.Voxels`.
        structure_path: the region structure.
        atlas_dir: folder of the atlas.

    Raises:
        InvalidInput: the structure is wrong, a query finds no region, a hint is absent.
    """
    layers = np.empty(len(chosen), dtype=object)
    for entry, acronyms in _layered(regions.tolist(), voxels, structure_path):
        rows = np.flatnonzero(np.isin(regions, acronyms))
        if entry.get("region_queries"):
            layers[rows] = _layers_by_query(voxels, chosen[rows], entry)
        else:
            layers[rows] = _layers_by_hints(voxels, chosen[rows], entry, atlas_dir)
    return layers


def layer_problems(
    acronyms: Iterable[str], voxels: Voxels, structure_path: PathLike, atlas_dir: PathLike
) -> list[InvalidInput]:
    """Inputs that :func:`layers_at` lacks for cells of some regions, as a list of InvalidInput.

    Raises:
        InvalidInputs: the structure is wrong.
    """
    problems = Problems()
    for entry, _ in _layered(acronyms, voxels, structure_path):
        queries = (entry.get("region_queries") or {}).values()
        for query in queries:
            problems.attempt(voxels.ids, query)
        if not queries:
            hints = [(layer_hint(layer), _BOUNDS) for layer in entry["layers"]]
            for name, payload in [(PRINCIPAL_AXIS, ()), *hints]:
                problem = problems.attempt(geometry_problem, voxels, atlas_dir, name, payload)
                problems += [problem] if problem else []
    return problems


def _layered(
    acronyms: Iterable[str], voxels: Voxels, structure_path: PathLike
) -> list[tuple[dict[str, Any], list[str]]]:
    """[(entry with layers, [those of the regions that it serves])] of the region structure."""
    structure = load_region_structure(structure_path)
    mapper = RegionMapper(structure, voxels.region_map)
    served: dict[str, list[str]] = {}
    for acronym in sorted(set(acronyms)):
        served.setdefault(mapper[acronym], []).append(acronym)
    return [
        (structure[name], own)
        for name, own in sorted(served.items())
        if name in structure and has_layers(structure[name])
    ]


def _layers_by_query(voxels: Voxels, chosen: np.ndarray, entry: Mapping[str, Any]) -> np.ndarray:
    ids = voxels.ids_at(chosen)
    layers = np.empty(len(chosen), dtype=object)
    for layer in entry["layers"]:
        query = entry["region_queries"].get(layer, entry["region_queries"].get(str(layer)))
        if query is not None:
            layers[np.isin(ids, list(voxels.ids(query)))] = str(layer)
    return layers


def _layers_by_hints(
    voxels: Voxels, chosen: np.ndarray, entry: Mapping[str, Any], atlas_dir: PathLike
) -> np.ndarray:
    height = load_values(voxels, atlas_dir, PRINCIPAL_AXIS)[chosen]
    layers = np.empty(len(chosen), dtype=object)
    for layer in entry["layers"]:
        bounds = load_volume(atlas_dir, layer_hint(layer)).raw.reshape(-1, 2)[chosen]
        layers[(bounds[:, 0] <= height) & (height < bounds[:, 1])] = str(layer)
    return layers


def hemispheres_at(
    chosen: np.ndarray, voxels: Voxels, volume: str, atlas_dir: PathLike
) -> np.ndarray:
    """(N,) object: ``left``, ``right`` or ``undefined`` from a volume of 1, 2 and 0.

    The codes are those of voxcell's ``values_to_hemisphere``.

    Raises:
        InvalidInput: the volume is absent, of another space, or holds other values.
    """
    folder, name = named_volume(volume, atlas_dir)
    values = load_values(voxels, folder, name)[chosen]
    words = np.array([UNDEFINED, LEFT, RIGHT], dtype=object)
    wrong = ~np.isin(values, (0, 1, 2))
    if wrong.any():
        found = some(np.unique(values[wrong]).tolist())
        raise InvalidInput(f"holds {found}, expected 0, 1 (left) and 2 (right)", folder / name)
    return words[values.astype(np.int64)]


def orientations_at(positions: np.ndarray, atlas_dir: PathLike) -> tuple[np.ndarray, int]:
    """((N, 3, 3) float64 rotations of the atlas, how many are identities for want of a value)."""
    rotations = np.array(
        rotations_at(load_volume(atlas_dir, ORIENTATION), positions), dtype=np.float64
    )
    missing = ~np.isfinite(rotations).all(axis=(1, 2))
    rotations[missing] = np.eye(3)
    return rotations, int(missing.sum())


def load_taxonomy(path: PathLike) -> dict[str, dict[str, str]]:
    """Read brainbuilder's table of mtypes: {property: {mtype: class}}.

    Columns ``mtype``, ``mClass`` and ``sClass``, separated by white space, in any order.

    Raises:
        InvalidInputs: all that is wrong in it.
    """
    lines = [line.split() for line in read_text(path).splitlines() if line.strip()]
    header, problems = lines[0], []
    for column in ("mtype", *_TAXONOMY):
        if column not in header:
            hint = did_you_mean(column, header)
            problems.append(InvalidInput(f"the column {column!r} is missing", path, hint))
    for number, words in enumerate(lines[1:], start=2):
        if len(words) != len(header):
            text = f"has {len(words)} columns, the first line has {len(header)}"
            problems.append(InvalidInput(text, f"{path}, line {number}"))
    if problems:
        raise InvalidInputs(problems)
    rows = [dict(zip(header, words, strict=True)) for words in lines[1:]]
    return {name: {row["mtype"]: row[column] for row in rows} for column, name in _TAXONOMY.items()}


def taxonomy_problems(
    taxonomy: Mapping[str, Mapping[str, str]], traits: Mapping[str, Iterable[str]], where: object
) -> list[InvalidInput]:
    """Gaps and repetitions in a table of mtypes, as a list of InvalidInput.

    Args:
        taxonomy: what :func:`load_taxonomy` returns.
        traits: {property: its values} of the cells.
        where: the file, for messages.
    """
    problems = []
    unknown = sorted(set(traits[MTYPE]) - next(iter(taxonomy.values())).keys())
    if unknown:
        problem = f"{len(unknown)} mtypes of the cells are not in it ({some(unknown)})"
        problems.append(InvalidInput(problem, where))
    for name in sorted(taxonomy.keys() & traits.keys()):
        problem = f"gives {name!r}, which the densities give too"
        problems.append(InvalidInput(problem, where, "leave one of them out"))
    return problems


def classes_of(
    mtypes: Iterable[str], taxonomy: Mapping[str, Mapping[str, str]]
) -> dict[str, np.ndarray]:
    """{property: (N,) object} of the classes of mtypes, which the taxonomy holds."""
    return {
        name: np.array([classes[mtype] for mtype in mtypes], dtype=object)
        for name, classes in taxonomy.items()
    }
