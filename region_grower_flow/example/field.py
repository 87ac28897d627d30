"""A hippocampal field: a third, small atlas whose layers have names, from SLM at the top to SO.

It shows how regions outside of cortex are given, no more: the thicknesses are of the order of CA1,
rounded and without a source, and its two mtypes borrow the example's cortical reconstructions
(``substitutions_field.yaml``). Its top is the hippocampal fissure; pyramidal somata lie in SP,
their apical dendrites reach into SLM; O-LM cells lie in SO.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.example import atlases, positions
from region_grower_flow.example.celltypes import CELL_TYPES
from region_grower_flow.example.overrides import References, apical_slope
from region_grower_flow.example.paths import ExamplePaths

if TYPE_CHECKING:
    import pandas as pd


REGION, REGION_ID = "CA1", 1
LAYERS = ("SLM", "SR", "SP", "SO")
THICKNESSES = (140.0, 300.0, 60.0, 180.0)
"""Thicknesses (um) in whole voxels, so that somata lie in their layers."""
VOXEL = 20.0
WIDTH = 400.0
MARGIN = 60.0
"""Thickness of the voxels above and below the layers (um)."""
CELLS = 16

LENDERS = {"SP_PC": "L3_TPC:A", "SO_OLM": "L5_MC"}
"""{mtype: the mtype of the example whose reconstructions it borrows}."""
PLACES = {"SP_PC": ("SP", 0.75), "SO_OLM": ("SO", 0.25)}
"""{mtype: (layer of its somata, share of the cells)}."""
TARGET = {"layer": "SLM", "fraction": 0.6}
HIGHEST = {"layer": "SLM", "fraction": 0.99}


def space() -> atlases.AtlasArrays:
    """The :class:`~region_grower_flow.example.atlases.AtlasArrays`: a straight column."""
    return atlases.straight(THICKNESSES, WIDTH, (MARGIN, MARGIN), VOXEL)


def hierarchy() -> dict[str, Any]:
    """The content of ``hierarchy.json``: the field and its layers."""
    layers = [
        atlases.region(atlases.layer_id(0, number), f"{REGION};{layer}", f"{REGION}, {layer}")
        for number, layer in enumerate(LAYERS, start=1)
    ]
    return atlases.region(REGION_ID, REGION, "field CA1", layers)


def structure() -> dict[str, Any]:
    """The region structure: layers by name, and a direction in one of them."""
    radial = {
        "neurite_types": ["apical_dendrite"],
        "params": {"direction": [0.0, 1.0, 0.0], "power": 0.5, "layers": ["SR"]},
    }
    return {
        REGION: {
            "layers": list(LAYERS),
            "thicknesses": dict(zip(LAYERS, THICKNESSES, strict=True)),
            "region_queries": {layer: f"{REGION};{layer}" for layer in LAYERS},
            "directions": [radial],
        }
    }


def overrides(references: References) -> dict[str, Any]:
    """Constraints by the names of layers, see :mod:`.overrides`."""
    lent = {cell_type.mtype: cells for cell_type, cells in references.items()}
    slope = apical_slope([cell for _, cell in lent[LENDERS["SP_PC"]]])
    target = {**TARGET, "slope": slope, "intercept": 0.0}
    apical = {"extent_to_target": target, "hard_limit_max": HIGHEST}
    basal = {"hard_limit_max": HIGHEST}
    return {
        "SP_PC": {"context_constraints": {"apical_dendrite": apical, "basal_dendrite": basal}},
        "SO_OLM": {"context_constraints": {"basal_dendrite": basal}},
    }


def cell_table(place: atlases.AtlasArrays, rng: np.random.Generator) -> pd.DataFrame:
    """The cells: a data frame of positions (um) and properties, mtype by mtype."""
    import pandas as pd

    types = {cell_type.mtype: cell_type for cell_type in CELL_TYPES}
    numbers, tables = place.region_ids() % 10, []
    for mtype, (layer, share) in PLACES.items():
        allowed = numbers == LAYERS.index(layer) + 1
        found = positions.scattered(place.grid, allowed, round(share * CELLS), rng)
        like = types[LENDERS[mtype]]
        values = {
            **dict(zip("xyz", found.astype(np.float32).T, strict=True)),
            "mtype": mtype,
            "region": f"{REGION};{layer}",
            "layer": layer,
            "etype": like.etype,
            "synapse_class": like.synapse_class,
            "morph_class": like.morph_class,
        }
        tables.append(pd.DataFrame(values))
    return pd.concat(tables, ignore_index=True)


def write_field(paths: ExamplePaths, references: References, rng: np.random.Generator) -> None:
    """Write the atlas, its cells, and what calibration needs to know of their mtypes.

    Args:
        paths: the ExamplePaths.
        references: {cell type: [(soma depth in um, FlatMorphology)]}.
        rng: :class:`numpy.random.Generator` of the positions.
    """
    import yaml

    atlas, nodes, structure_path, substitutions, overrides_path = map(
        _asked_for,
        (
            paths.atlas_field,
            paths.nodes_field,
            paths.region_structure_field,
            paths.substitutions_field,
            paths.overrides_field,
        ),
    )
    place = space()
    atlases.write_atlas(place, atlas, LAYERS, hierarchy())
    positions.write_nodes(cell_table(place, rng), nodes)
    borrowed = {lender: [mtype] for mtype, lender in LENDERS.items()}
    for path, content in ((structure_path, structure()), (substitutions, borrowed)):
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    text = json.dumps(overrides(references), indent=1)
    overrides_path.write_text(text + "\n", encoding="utf-8")


def _asked_for(path: Path | None) -> Path:
    if path is None:
        raise ValueError("the example has no field")
    return path
