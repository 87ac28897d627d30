"""Contents of the example, written into an empty folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.example import atlases, field, positions, structures
from region_grower_flow.example.celltypes import CELL_TYPES
from region_grower_flow.example.growth import grow_cell
from region_grower_flow.example.overrides import References, parameter_overrides
from region_grower_flow.example.paths import ExamplePaths
from region_grower_flow.example.targets import CellType, depth_of_layer, layer_of_depth
from region_grower_flow.io.morphologies import write_morphology
from region_grower_flow.morphology import FlatMorphology

if TYPE_CHECKING:
    import pandas as pd


CELLS_PER_MTYPE = 8
DONORS_PER_MTYPE = 2

# Independent random streams of one seed.
_REFERENCE, _DONOR, _POSITIONS, _AXONS = range(4)


def fill(paths: ExamplePaths, seed: int, n_cells: int) -> None:
    """Write all parts of the example.

    Args:
        paths: :class:`~region_grower_flow.example.paths.ExamplePaths`, the folder is empty.
        seed: of everything drawn.
        n_cells: positions per atlas.
    """
    references = _write_references(paths, seed)
    donors = _write_donors(paths, seed)
    overrides = json.dumps(parameter_overrides(references), indent=1)
    paths.overrides.write_text(overrides + "\n", encoding="utf-8")
    _write_structures(paths)
    _write_densities(paths)
    parts = (
        (paths.atlas, paths.nodes, paths.axons, atlases.column, positions.usable_in_column),
        (
            paths.atlas_curved,
            paths.nodes_curved,
            paths.axons_curved,
            atlases.curved,
            positions.usable_in_curved,
        ),
    )
    for stream, (atlas, nodes, axons, make_space, usable) in enumerate(parts):
        if atlas is None or nodes is None or axons is None:
            continue
        space = make_space()
        atlases.write_atlas(space, atlas)
        rng = np.random.default_rng([seed, _POSITIONS, stream])
        table = positions.cell_table(space, n_cells, rng, usable(space))
        positions.write_nodes(table, nodes)
        _write_axons(axons, table, donors, np.random.default_rng([seed, _AXONS, stream]))
    if paths.atlas_field is not None:
        field.write_field(paths, references, np.random.default_rng([seed, _POSITIONS, len(parts)]))


def _write_structures(paths: ExamplePaths) -> None:
    import yaml

    for path, structure in (
        (paths.region_structure, structures.plain_structure()),
        (paths.region_structure_regions, structures.regions_structure()),
        (paths.region_structure_boundaries, structures.boundaries_structure()),
    ):
        path.write_text(yaml.safe_dump(structure, sort_keys=False), encoding="utf-8")
    mesh = paths.folder / structures.PIA_MESH
    mesh.parent.mkdir()
    mesh.write_text(structures.pia_mesh(), encoding="utf-8")


def reference_cells(
    cell_type: CellType, seed: int, count: int = CELLS_PER_MTYPE, donors: bool = False
) -> list[tuple[str, float, FlatMorphology]]:
    """Grow the reference cells (or the axon donors) of an m-type.

    Soma depths are spread evenly over the middle 70 % of its layers.

    Returns:
        A list of (name, soma depth in um, FlatMorphology).
    """
    stream = _DONOR if donors else _REFERENCE
    top = depth_of_layer(cell_type.layers[0])[0]
    bottom = depth_of_layer(cell_type.layers[-1])[1]
    depths = top + (bottom - top) * (0.15 + 0.7 * (np.arange(count) + 0.5) / count)
    cells = []
    for index, depth in enumerate(depths):
        rng = np.random.default_rng([seed, stream, CELL_TYPES.index(cell_type), index])
        kind = "axon" if donors else "cell"
        name = f"{cell_type.mtype.replace(':', '-')}_{kind}{index + 1:02d}"
        cells.append((name, float(depth), grow_cell(cell_type, depth, rng, with_axon=donors)))
    return cells


def _write_references(paths: ExamplePaths, seed: int) -> References:
    """Write the reference cells and the dat file; returns {cell type: [(depth, cell)]}."""
    paths.morphologies.mkdir()
    lines = ["morphology layer mtype"]
    cells: References = {}
    for cell_type in CELL_TYPES:
        cells[cell_type] = []
        for name, depth, cell in reference_cells(cell_type, seed):
            write_morphology(paths.morphologies, name, cell, ["h5"])
            lines.append(f"{name} {cell_type.layers[0]} {cell_type.mtype}")
            cells[cell_type].append((depth, cell))
    paths.mtypes.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return cells


def _write_donors(paths: ExamplePaths, seed: int) -> dict[str, list[str]]:
    """Write the cells whose axons are grafted; returns {mtype: [name]}."""
    paths.donors.mkdir()
    names: dict[str, list[str]] = {}
    lines = ["name,mtype,layer,use_axon"]
    for cell_type in CELL_TYPES:
        names[cell_type.mtype] = []
        for name, depth, cell in reference_cells(cell_type, seed, DONORS_PER_MTYPE, donors=True):
            write_morphology(paths.donors, name, cell, ["h5"])
            names[cell_type.mtype].append(name)
            lines.append(f"{name},{cell_type.mtype},{layer_of_depth(depth)},true")
    paths.donor_table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return names


def _write_densities(paths: ExamplePaths) -> None:
    """Write the m-types' densities as a cell composition: an entry per m-type and layer."""
    import yaml

    entries = [
        {
            "density": round(cell_type.density),
            "region": f"@;L{layer}$",
            "traits": {
                "mtype": cell_type.mtype,
                "etype": cell_type.etype,
                "synapse_class": cell_type.synapse_class,
                "morph_class": cell_type.morph_class,
            },
        }
        for cell_type in CELL_TYPES
        for layer in cell_type.layers
    ]
    composition = {"version": "v2.0", "neurons": entries}
    paths.densities.write_text(yaml.safe_dump(composition, sort_keys=False), encoding="utf-8")


def _write_axons(
    path: Path, table: pd.DataFrame, donors: Mapping[str, Sequence[str]], rng: np.random.Generator
) -> None:
    """Write the axon table: for each cell (from 0 on) a donor of its m-type, and a scale."""
    lines = ["\tmorphology\tscale"]
    for index, mtype in enumerate(table["mtype"]):
        donor = donors[mtype][int(rng.integers(len(donors[mtype])))]
        lines.append(f"{index}\t{donor}\t{np.exp(rng.normal(0.0, 0.05)):.3f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
