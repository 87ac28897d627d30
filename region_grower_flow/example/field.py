"""A hippocampal field: a third, small atlas whose layers have names, from SLM at the top to SO.

It shows how regions outside of cortex are given, no more: the thicknesses are of the order of CA1,
rounded and without a source, and its two mtypes borrow the example's cortical reconstructions
(``substitutions_field.yaml``). Its top is the hippocampal fissure; pyramidal somata lie in SP,
their apical dendrites reach into SLM; O-LM cells lie in SO.
"""

import json

import numpy as np

from region_grower_flow.example import atlases, positions
from region_grower_flow.example.celltypes import CELL_TYPES
from region_grower_flow.example.overrides import apical_slope

REGION, REGION_ID = "CA1", 1
LAYERS = ("SLM", "SR", "SP", "SO")
THICKNESSES = (140.0, 300.0, 60.0, 180.0)
"""Thicknesses (um) in whole voxels, so that somata lie in their layers."""
HEIGHT = sum(THICKNESSES)
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


def space():
    """The :class:`~region_grower_flow.example.atlases.Space`: a straight column."""
    across, tall = round(WIDTH / VOXEL), int(np.ceil((HEIGHT + 2 * MARGIN) / VOXEL))
    grid = atlases.Grid(
        (across, tall, across),
        np.full(3, VOXEL),
        np.array([-WIDTH / 2, -MARGIN, -WIDTH / 2]),
    )
    heights = HEIGHT - np.concatenate([[0.0], np.cumsum(THICKNESSES)])
    return atlases.Space(
        grid,
        height=grid.centers()[..., 1],
        boundaries=np.broadcast_to(heights, (*grid.shape, len(heights))),
        area=np.zeros(grid.shape, dtype=np.int64),
        angle=np.zeros(grid.shape),
    )


def hierarchy():
    """The content of ``hierarchy.json``: the field and its layers."""
    layers = [
        {
            "id": atlases.layer_id(0, number),
            "acronym": f"{REGION};{layer}",
            "name": f"{REGION}, {layer}",
            "children": [],
        }
        for number, layer in enumerate(LAYERS, start=1)
    ]
    return {"id": REGION_ID, "acronym": REGION, "name": "field CA1", "children": layers}


def structure():
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


def overrides(references):
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


def cell_table(place, rng):
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


def write_field(paths, references, rng):
    """Write the atlas, its cells, and what calibration needs to know of their mtypes.

    Args:
        paths: the ExamplePaths.
        references: {cell type: [(soma depth in um, FlatMorphology)]}.
        rng: :class:`numpy.random.Generator` of the positions.
    """
    import yaml

    place = space()
    atlases.write_atlas(place, paths.atlas_field, LAYERS, hierarchy())
    positions.write_nodes(cell_table(place, rng), paths.nodes_field)
    borrowed = {lender: [mtype] for mtype, lender in LENDERS.items()}
    for path, content in (
        (paths.region_structure_field, structure()),
        (paths.substitutions_field, borrowed),
    ):
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    text = json.dumps(overrides(references), indent=1)
    paths.overrides_field.write_text(text + "\n", encoding="utf-8")
