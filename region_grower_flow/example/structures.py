"""The region structures of the example, and the mesh of its pia.

``region_structure.yaml`` serves both atlases (one synthesis region, the cortex);
``region_structure_regions.yaml`` keeps the two areas of the curved atlas apart;
``region_structure_boundaries.yaml`` adds, for the column, a pia that repels dendrites and a
direction that turns apical dendrites to it.
"""

from __future__ import annotations

import itertools
from typing import Any

from region_grower_flow.example.atlases import AREAS, COLUMN_WIDTH, CORTEX
from region_grower_flow.example.targets import COLUMN_HEIGHT, LAYERS, THICKNESSES

PIA_MESH = "boundaries/pia.obj"
PIA_GAP, PIA_THICKNESS = 10.0, 40.0
"""The mesh begins this far (um) above the pia, and is this thick."""
PIA_MARGIN = 600.0
"""Distance (um) by which the pia reaches beyond the column on each side."""


def plain_structure() -> dict[str, Any]:
    """One synthesis region for the whole cortex."""
    return {CORTEX: _region()}


def regions_structure() -> dict[str, Any]:
    """One synthesis region per area."""
    return {area: _region() for area in AREAS}


def boundaries_structure() -> dict[str, Any]:
    """The column with a repulsive pia and a direction for apical dendrites."""
    region = _region()
    region["boundaries"] = [
        {
            "path": PIA_MESH,
            "mesh_type": "spatial",
            "mode": "repulsive",
            "neurite_types": ["apical_dendrite", "basal_dendrite"],
            "params_section": {"d_min": 5.0, "d_max": 60.0, "power": 1.5},
        }
    ]
    region["directions"] = [
        {
            "neurite_types": ["apical_dendrite"],
            "params": {"direction": [0.0, 1.0, 0.0], "mode": "parallel", "power": 1.0},
        }
    ]
    return {CORTEX: region}


def _region() -> dict[str, Any]:
    return {
        "layers": list(LAYERS),
        "names": {layer: f"layer {layer}" for layer in LAYERS},
        "region_queries": {layer: f"@.*;L{layer}$" for layer in LAYERS},
        "thicknesses": dict(zip(LAYERS, THICKNESSES, strict=True)),
    }


def pia_mesh() -> str:
    """A closed box above the pia of the column, as the text of an OBJ file."""
    half = COLUMN_WIDTH / 2 + PIA_MARGIN
    low, high = COLUMN_HEIGHT + PIA_GAP, COLUMN_HEIGHT + PIA_GAP + PIA_THICKNESS
    corners = itertools.product((-half, half), (low, high), (-half, half))
    # Corner number: 4 x + 2 y + z; each face counter-clockwise when seen from outside.
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    lines = ["# The pia of the example column: a box above it (um)", "o pia"]
    lines += [f"v {x:g} {y:g} {z:g}" for x, y, z in corners]
    for a, b, c, d in faces:
        lines += [f"f {a + 1} {b + 1} {c + 1}", f"f {a + 1} {c + 1} {d + 1}"]
    return "\n".join(lines) + "\n"
