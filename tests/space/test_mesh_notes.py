import numpy as np
import pytest
import trimesh

from region_grower_flow.space.fields import VoxelGrid
from region_grower_flow.space.mesh_notes import mesh_notes

GRID = VoxelGrid(np.array([100.0, 100.0, -100.0]), np.array([0.0, 0.0, 400.0]))
SHAPE = (4, 12, 4)
PIA = np.array([[0.0, 1150.0, 0.0], [400.0, 1250.0, 400.0]])


def notes(folder, bounds, kind="spatial", name="pia.obj", path=None):
    trimesh.creation.box(bounds=bounds).export(folder / name)
    boundary = {"path": path or name, "mesh_type": kind, "params_section": {"d_max": 50}}
    return mesh_notes({"boundaries": [boundary]}, "R", folder, GRID, SHAPE)


def test_a_mesh_that_can_act_is_not_told(tmp_path):
    assert notes(tmp_path, PIA) == []
    assert notes(tmp_path, [[0, 11.5, 0], [4, 12.5, 4]], "voxel") == []
    assert notes(tmp_path, [[-40, -40, -40], [440, 1240, 440]]) == []


@pytest.mark.parametrize(
    ("bounds", "kind"),
    [
        (PIA * 1000, "spatial"),
        (PIA + [1e5, 0, 0], "spatial"),
        (PIA, "voxel"),
        ([[-9e5] * 3, [9e5] * 3], "spatial"),  # around everything, at a distance
    ],
)
def test_a_mesh_that_never_acts_is_told(tmp_path, bounds, kind):
    (found,) = notes(tmp_path, bounds, kind)
    assert "pia.obj is nowhere within 50 um of the atlas" in found
    assert "so it never acts: is it in nm, mm or" in found


@pytest.mark.parametrize("bounds", [PIA / 1000, [[0, 11.5, 0], [4, 12.5, 4]]])
def test_a_mesh_in_mm_or_in_voxels_is_told(tmp_path, bounds):
    (found,) = notes(tmp_path, bounds)
    assert "is it in mm or in voxels?" in found


def test_meshes_of_a_folder_are_counted(tmp_path):
    (tmp_path / "all").mkdir()
    trimesh.creation.box(bounds=PIA).export(tmp_path / "all" / "good.obj")
    (found,) = notes(tmp_path, PIA * 1000, name="all/far.obj", path="all")
    assert "1 of the 2 meshes in" in found
    assert "(far.obj) is nowhere within" in found
