"""Tiny atlases and cells for tests: a column of layers, made with voxcell in a few milliseconds."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import yaml

THICKNESSES = {1: 300.0, 2: 400.0, 3: 500.0}
VOXEL = 100.0
REGION = "COL"


@dataclass
class TinyAtlas:
    """A folder with an atlas and its region structure; `top` is the height of the pia (um)."""

    folder: Path
    structure: Path
    top: float

    def volume(self, name):
        return self.folder / f"{name}.nrrd"


def make_atlas(
    folder,
    thicknesses=None,
    structure=None,
    quaternion=(1.0, 0.0, 0.0, 0.0),
    offset=(0.0, 0.0, 0.0),
):
    """Write a column atlas: y points to the pia, 4 x (sum of thicknesses / 100) x 4 voxels.

    Args:
        folder: where; made when absent.
        thicknesses: {layer: um} from the top down, multiples of 100 um.
        structure: the region structure (dict); by default one region `COL` with these layers.
        quaternion: (w, x, y, z), the same in all voxels.
        offset: corner of the atlas (um).

    Returns:
        TinyAtlas. Regions: `COL` (id 1) with `COL;L<layer>` (ids 2, 3, ...), beside it `other`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    thicknesses = thicknesses or THICKNESSES
    height = sum(thicknesses.values())
    shape = (4, round(height / VOXEL), 4)
    heights = np.broadcast_to(
        ((np.arange(shape[1]) + 0.5) * VOXEL + offset[1])[None, :, None], shape
    ).astype(np.float32)
    regions = np.zeros(shape, dtype=np.uint32)
    top = height + offset[1]
    for i, (layer, thickness) in enumerate(thicknesses.items()):
        bottom = top - thickness
        regions[(heights > bottom) & (heights < top)] = i + 2
        bounds = np.empty((*shape, 2), dtype=np.float32)
        bounds[...] = bottom, top
        save_volume(folder / f"[PH]{layer}.nrrd", bounds, offset)
        top = bottom
    save_volume(folder / "[PH]y.nrrd", heights, offset)
    save_volume(folder / "brain_regions.nrrd", regions, offset)
    orientation = np.empty((*shape, 4), dtype=np.float32)
    orientation[...] = quaternion
    save_volume(folder / "orientation.nrrd", orientation, offset)
    write_hierarchy(folder, thicknesses)
    path = folder / "region_structure.yaml"
    write_structure(path, structure or column_structure(thicknesses))
    return TinyAtlas(folder, path, height + offset[1])


def column_structure(thicknesses=None):
    thicknesses = thicknesses or THICKNESSES
    return {REGION: {"layers": list(thicknesses), "thicknesses": dict(thicknesses)}}


def write_structure(path, structure):
    path.write_text(yaml.safe_dump(structure, sort_keys=False), encoding="utf-8")


def write_hierarchy(folder, layers):
    children = [
        {"id": i + 2, "acronym": f"{REGION};L{layer}", "name": f"layer {layer}", "children": []}
        for i, layer in enumerate(layers)
    ]
    root = {
        "id": 997,
        "acronym": "root",
        "name": "root",
        "children": [
            {"id": 1, "acronym": REGION, "name": "column", "children": children},
            {"id": 100, "acronym": "other", "name": "other", "children": []},
        ],
    }
    (folder / "hierarchy.json").write_text(json.dumps(root), encoding="utf-8")


def save_volume(path, raw, offset=(0.0, 0.0, 0.0), voxel=VOXEL):
    from voxcell import VoxelData

    VoxelData(np.asarray(raw), (voxel,) * 3, np.asarray(offset)).save_nrrd(str(path))


def load_raw(path):
    from voxcell import VoxelData

    return VoxelData.load_nrrd(path).raw


def make_cells(positions, regions=f"{REGION};L2", mtypes="PC", **properties):
    """Cells as `io.cells.read_cells` gives them: `positions` and a data frame of `properties`."""
    positions = np.asarray(positions).reshape(-1, 3)
    columns = {"region": regions, "mtype": mtypes, **properties}
    return SimpleNamespace(
        positions=positions, properties=pd.DataFrame(columns, index=range(len(positions)))
    )
