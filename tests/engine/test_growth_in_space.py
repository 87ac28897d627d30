"""Compiled growth under directions and boundaries against NeuroTS with the same generator."""

import numpy as np
import pytest
import trimesh
from voxcell import OrientationField

from helpers.growth_inputs import ORIENTATIONS, assert_same_cells, mtype, site
from helpers.oracle import needs_oracle
from region_grower_flow import engine
from region_grower_flow.engine.model import BarcodeScaling
from region_grower_flow.io.nrrd_volumes import unpack_volume
from region_grower_flow.io.table import Cell
from region_grower_flow.space import constraints

pytestmark = needs_oracle

VOXEL, SHAPE = np.array([40.0, 40.0, 40.0]), (8, 8, 8)
BOTH = ["basal_dendrite", "apical_dendrite"]

ALONG = {"neurite_types": BOTH, "params": {"direction": [0, 1, 0], "power": 2.0}}
ACROSS = {
    "neurite_types": ["basal_dendrite"],
    "processes": ["secondary", "major"],
    "params": {"direction": [1, 0, 0], "mode": "perpendicular", "layers": [2]},
    "params_section": {"max_tries": 7, "randomness_increase": 1.5},
}
ONLY_MAJOR = {**ALONG, "processes": ["major"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space")
    rng = np.random.default_rng(1)
    quaternions = rng.normal(size=(*SHAPE, 4))
    quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
    field = OrientationField(quaternions.astype(np.float32), VOXEL, offset=-4 * VOXEL)
    field.save_nrrd(str(folder / "orientation.nrrd"))
    unpack_volume(folder / "orientation.nrrd", folder / "unpacked.nrrd")
    trimesh.creation.box(extents=(90.0, 80.0, 100.0)).export(folder / "box.obj")
    trimesh.creation.icosphere(subdivisions=2, radius=30.0).export(folder / "ball.obj")
    return folder


def boundary(folder, mode, mesh="box.obj", **changes):
    entry = {
        "path": str(folder / mesh),
        "mesh_type": "spatial",
        "mode": mode,
        "neurite_types": BOTH,
        "params_section": {"d_min": 2.0, "d_max": 25.0, "power": 1.2},
    }
    return {**entry, **changes}


def assert_same_in_space(folder, directions, boundaries, types, seeds=range(3), mapped=False):
    region = constraints.RegionSpace.prepare(
        directions,
        boundaries,
        {
            "voxel_dimensions": VOXEL,
            "offset": -4 * VOXEL,
            "shape": SHAPE,
            "orientation_path": folder / ("unpacked.nrrd" if mapped else "orientation.nrrd"),
            "mapped": mapped,
        },
    )
    where = site(4)
    cell = Cell(
        position=np.array([1.0, -2.0, 3.0]),
        orientation=where.orientation,
        depth=100.0,
        layer_depths=[0.0, 90.0, 130.0, 400.0],
        mtype="L2_PC",
    )
    found = constraints.constraints_for_cell(region, cell)
    scaling = dict.fromkeys(types, BarcodeScaling("target", path_distance=40.0))
    where = engine.GrowthSite(cell.position, where.orientation, scaling, found)
    assert found
    assert assert_same_cells(mtype(types, n_bars=5), where, seeds) > 0


GRADIENT = {"apical_dendrite": {"growth_method": "tmd_gradient"}, "basal_dendrite": {}}
ANGLES = {
    "apical_dendrite": {
        "growth_method": "tmd_apical",
        "orientation": ORIENTATIONS["normal_pia"],
    },
    "basal_dendrite": {"orientation": ORIENTATIONS["pia"]},
}


@pytest.mark.parametrize(
    "directions",
    [
        [ACROSS, ALONG],
        *(pytest.param([each], marks=pytest.mark.slow) for each in (ALONG, ONLY_MAJOR)),
    ],
)
def test_directions(folder, directions):
    assert_same_in_space(folder, directions, [], GRADIENT)


def test_orientations_that_processes_share(folder):
    assert_same_in_space(folder, [ALONG], [], GRADIENT, mapped=True)


@pytest.mark.parametrize("mode", ["repulsive", "attractive"])
def test_boundaries(folder, mode):
    assert_same_in_space(folder, [], [boundary(folder, mode)], GRADIENT)


@pytest.mark.slow
def test_directions_with_boundaries(folder):
    boundaries = [boundary(folder, "repulsive"), boundary(folder, "attractive", "ball.obj")]
    assert_same_in_space(folder, [ALONG], boundaries, ANGLES)


def test_trunks_keep_away_from_boundaries(folder):
    trunks = {"d_min": 2.0, "d_max": 60.0, "power": 1.0}
    boundaries = [boundary(folder, "repulsive", params_trunk=trunks, params_section=None)]
    assert_same_in_space(folder, [], boundaries, ANGLES, range(5))


def test_what_acts_on_no_section_changes_no_draw(folder):
    assert_same_in_space(folder, [{**ALONG, "neurite_types": ["axon"]}], [], ANGLES)


def test_constraints_without_randomness_are_left_to_neurots(folder):
    class Odd:
        entry = {"params_section": {"randomness_increase": 0.0}}  # noqa: RUF012

        def as_neurots(self):
            return self.entry

    where = engine.GrowthSite(np.zeros(3), np.eye(3), {}, (Odd(),))
    prepared = engine.prepare(*mtype({"basal_dendrite": {}}))
    cell = engine.grow(prepared, where, np.random.default_rng(3))
    assert cell.engine == "neurots"
    assert "randomness" in cell.fallback
