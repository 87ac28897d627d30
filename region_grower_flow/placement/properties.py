"""What a place gives a cell beside its region: layer, hemisphere, orientation, classes."""

import numpy as np

from region_grower_flow.atlas.regions import RegionMapper
from region_grower_flow.atlas.structure import has_layers, load_region_structure
from region_grower_flow.atlas.volumes import load_volume
from region_grower_flow.errors import InvalidInput, InvalidInputs, some
from region_grower_flow.io.documents import read_text
from region_grower_flow.io.schemas import did_you_mean
from region_grower_flow.layout import ORIENTATION, PRINCIPAL_AXIS, layer_hint
from region_grower_flow.placement.voxels import load_values, named_volume

LEFT, RIGHT, UNDEFINED = "left", "right", "undefined"
_TAXONOMY = {"mClass": "morph_class", "sClass": "synapse_class"}
"""Columns of brainbuilder's table of mtypes, and the properties that they become."""


def layers_at(chosen, regions, voxels, structure_path, atlas_dir):
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
    structure = load_region_structure(structure_path)
    mapper = RegionMapper(structure, voxels.region_map)
    layers = np.empty(len(chosen), dtype=object)
    served = {acronym: mapper[acronym] for acronym in set(regions.tolist())}
    entries = np.array([served[acronym] for acronym in regions], dtype=object)
    for region in sorted(set(served.values())):
        entry = structure.get(region)
        if entry is None or not has_layers(entry):
            continue
        rows = np.flatnonzero(entries == region)
        if entry.get("region_queries"):
            layers[rows] = _layers_by_query(voxels, chosen[rows], entry)
        else:
            layers[rows] = _layers_by_hints(voxels, chosen[rows], entry, atlas_dir)
    return layers


def _layers_by_query(voxels, chosen, entry):
    ids = voxels.ids_at(chosen)
    layers = np.empty(len(chosen), dtype=object)
    for layer in entry["layers"]:
        query = entry["region_queries"].get(layer, entry["region_queries"].get(str(layer)))
        if query is not None:
            layers[np.isin(ids, list(voxels.ids(query)))] = str(layer)
    return layers


def _layers_by_hints(voxels, chosen, entry, atlas_dir):
    height = load_values(voxels, atlas_dir, PRINCIPAL_AXIS)[chosen]
    layers = np.empty(len(chosen), dtype=object)
    for layer in entry["layers"]:
        bounds = load_volume(atlas_dir, layer_hint(layer)).raw.reshape(-1, 2)[chosen]
        layers[(bounds[:, 0] <= height) & (height < bounds[:, 1])] = str(layer)
    return layers


def hemispheres_at(chosen, voxels, volume, atlas_dir):
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


def orientations_at(positions, atlas_dir):
    """((N, 3, 3) float64 rotations of the atlas, how many are identities for want of a value)."""
    rotations = np.array(load_volume(atlas_dir, ORIENTATION).lookup(positions), dtype=np.float64)
    missing = ~np.isfinite(rotations).all(axis=(1, 2))
    rotations[missing] = np.eye(3)
    return rotations, int(missing.sum())


def load_taxonomy(path):
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


def classes_of(mtypes, taxonomy, where):
    """{property: (N,) object} of the classes of mtypes.

    Raises:
        InvalidInput: mtypes that the table does not hold.
    """
    unknown = sorted(set(mtypes.tolist()) - next(iter(taxonomy.values())).keys())
    if unknown:
        raise InvalidInput(
            f"{len(unknown)} mtypes of the cells are not in it ({some(unknown)})", where
        )
    return {
        name: np.array([classes[mtype] for mtype in mtypes], dtype=object)
        for name, classes in taxonomy.items()
    }
