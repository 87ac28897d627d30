"""Compiled directions and boundaries against those of ``space.constraints``, and the draws."""

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit, typeof
from voxcell import OrientationField

from helpers.inner_kernels import from_python
from region_grower_flow.engine.kernels import constraints as kernels
from region_grower_flow.engine.kernels import constraints_table as tables
from region_grower_flow.engine.kernels import mesh as mesh_kernels
from region_grower_flow.engine.kernels import mesh_tree
from region_grower_flow.io.table import Cell
from region_grower_flow.space import constraints as space
from region_grower_flow.space import meshes

pytestmark = pytest.mark.slow


accepts = from_python(kernels.accepts)
section_probability = from_python(kernels.section_probability)
trunk_probability = from_python(kernels.trunk_probability)
closest_point = from_python(mesh_kernels.closest_point)
contains = from_python(mesh_kernels.contains)
count_hits = from_python(mesh_kernels.count_hits)
first_hit = from_python(mesh_kernels.first_hit)

OFFSET, VOXEL = np.array([-150.0, -120.0, -130.0]), np.array([25.0, 20.0, 50.0])
SHAPE = (12, 13, 6)


def save(mesh, path):
    mesh.export(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("meshes")
    save(trimesh.creation.box(bounds=[[-50, -60, -70], [80, 90, 100]]), folder / "box.obj")
    save(trimesh.creation.icosphere(subdivisions=3, radius=60.0), folder / "ball.stl")
    save(trimesh.creation.box(bounds=[[2, 3, 1], [9, 9, 4]]), folder / "voxels.obj")
    save(trimesh.creation.torus(60.0, 25.0), folder / "torus.ply")
    plane = trimesh.Trimesh(
        [[-90, 40, -90], [90, 40, -90], [90, 45, 90], [-90, 40, 90]], [[0, 1, 2], [0, 2, 3]]
    )
    save(plane, folder / "plane.obj")
    (folder / "glomeruli").mkdir()
    for i in range(3):
        ball = trimesh.creation.icosphere(subdivisions=2, radius=30.0 + i)
        ball.apply_translation([70 * i - 70, 10 * i, -20 * i])
        save(ball, folder / "glomeruli" / f"glomeruli_{i:03d}.obj")
    return folder


@pytest.fixture(scope="module", params=["int8", "float32", "float64"])
def orientation_path(request, tmp_path_factory):
    rng = np.random.default_rng(4)
    quaternions = rng.normal(size=(*SHAPE, 4))
    quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
    quaternions[0, 0, 0] = 0.0
    if request.param == "int8":
        quaternions = np.round(quaternions * 127)
    else:
        quaternions[1, 1, 1] = np.nan
    path = tmp_path_factory.mktemp("atlas") / "orientation.nrrd"
    OrientationField(quaternions.astype(request.param), VOXEL, offset=OFFSET).save_nrrd(str(path))
    return path


def region(directions, boundaries, path="absent.nrrd"):
    info = {"voxel_dimensions": VOXEL, "offset": OFFSET, "shape": SHAPE, "orientation_path": path}
    return space.RegionSpace.prepare(directions, boundaries, info)


def a_cell(rng, glomerulus_id=1):
    return Cell(
        position=rng.uniform(-60, 60, 3),
        orientation=np.linalg.qr(rng.normal(size=(3, 3)))[0],
        depth=120.0,
        layer_depths=[0.0, 60.0, 130.0, 400.0],
        mtype="L5_PC",
        glomerulus_id=glomerulus_id,
    )


def rays(rng, count, reach=130.0):
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions, rng.uniform(-reach, reach, size=(count, 3))


def assert_agree(constraints, directions, points):
    """Each constraint alone, and all together, in compiled code and in Python."""
    table = tables.compile_constraints(constraints)
    everything = np.arange(len(constraints))
    acted = 0
    for direction, point in zip(directions, points, strict=True):
        expected = [item.section_probability(direction, point) for item in constraints]
        for index, probability in enumerate(expected):
            alone = section_probability(table, np.array([index]), direction, point)
            assert alone == pytest.approx(probability, rel=1e-9, abs=1e-12)
            assert (alone == 1.0) == (probability == 1.0)
            acted += probability < 1.0
        together = section_probability(table, everything, direction, point)
        assert together == pytest.approx(min(expected), rel=1e-9, abs=1e-12)
    return acted


def test_kinds_and_ray_directions_are_those_of_the_python_side():
    assert tables.PARALLEL == space.PARALLEL
    assert tables.PERPENDICULAR == space.PERPENDICULAR
    assert tables.REPULSIVE == space.REPULSIVE
    assert tables.ATTRACTIVE == space.ATTRACTIVE
    assert mesh_kernels.PARITY_DIRECTION == meshes.PARITY_DIRECTION
    assert mesh_kernels.SECOND_PARITY_DIRECTION == meshes.SECOND_PARITY_DIRECTION


@pytest.mark.parametrize("mode", ["repulsive", "attractive"])
@pytest.mark.parametrize("mesh_type", ["voxel", "spatial"])
@pytest.mark.parametrize("name", ["box.obj", "ball.stl", "voxels.obj", "torus.ply", "plane.obj"])
def test_boundaries_agree(folder, name, mesh_type, mode):
    rng = np.random.default_rng(1)
    params = {"d_min": 3, "d_max": 90, "power": 1.2 if mode == "repulsive" else 0.7}
    boundary = {"path": str(folder / name), "mesh_type": mesh_type, "mode": mode}
    found = space.constraints_for_cell(
        region([], [{**boundary, "params_section": params}]), a_cell(rng)
    )
    acted = assert_agree(found, *rays(rng, 150))
    if (name == "voxels.obj") == (mesh_type == "voxel"):
        assert acted > 10


@pytest.mark.parametrize("multimesh_mode", space.MULTIMESH_MODES)
def test_meshes_of_a_folder_agree(folder, multimesh_mode):
    rng = np.random.default_rng(2)
    boundary = {"path": str(folder / "glomeruli"), "multimesh_mode": multimesh_mode}
    boundary |= {"mesh_type": "spatial", "params_section": {"d_max": 60}}
    other = {"path": str(folder / "box.obj"), "mesh_type": "spatial", "params_section": {}}
    found = space.constraints_for_cell(region([], [other, boundary]), a_cell(rng))
    assert assert_agree(found, *rays(rng, 60)) > 10


def test_directions_agree(orientation_path):
    rng = np.random.default_rng(3)
    sections = {"neurite_types": ["axon"]}
    directions = [
        {**sections, "params": {"direction": [0, 1, 0], "mode": "perpendicular", "power": 0.5}},
        {**sections, "params": {"direction": [0.6, 0.8, 0.0]}},
        {**sections, "params": {"direction": [0, 0, 1.0], "power": 3, "layers": [1, 3]}},
        {**sections, "params": {"direction": [0, 0, 2.0]}},
    ]
    found = space.constraints_for_cell(region(directions, [], orientation_path), a_cell(rng))
    headings, points = rays(rng, 400, 160.0)
    corner = OFFSET + VOXEL * SHAPE
    points[:4] = [OFFSET, corner, np.nextafter(corner, -np.inf), OFFSET - 1e-9]
    points[4] = OFFSET + 1.5 * VOXEL  # a NaN quaternion
    assert assert_agree(found, headings, points) > 400


def test_without_active_constraints_the_probability_is_one(folder):
    table = tables.compile_constraints(())
    nothing = np.zeros(0, dtype=np.int64)
    assert section_probability(table, nothing, (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)) == 1.0
    assert trunk_probability(table, (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)) == 1.0


def test_trunks_are_kept_by_boundaries_that_have_trunk_parameters(folder):
    rng = np.random.default_rng(5)
    ball = {"path": str(folder / "ball.stl"), "mesh_type": "spatial"}
    boundaries = [
        {**ball, "params_trunk": {"d_max": 200}},
        {**ball, "params_section": {"d_max": 1000}},
        {**ball, "mode": "attractive", "params_trunk": {"power": 2}},
    ]
    found = space.constraints_for_cell(region([], boundaries), a_cell(rng))
    table = tables.compile_constraints(found)
    for direction, point in zip(*rays(rng, 200), strict=True):
        expected = min(found[i].trunk_probability(direction, point) for i in (0, 2))
        actual = trunk_probability(table, direction, point)
        assert actual == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_every_table_has_the_same_types(folder, orientation_path):
    rng = np.random.default_rng(6)
    direction = {"neurite_types": ["axon"], "params": {"direction": [0, 1, 0], "layers": [1]}}
    ball = {"path": str(folder / "ball.stl"), "params_section": {}}
    box = {"path": str(folder / "box.obj"), "params_trunk": {"d_min": 1}, "mesh_type": "spatial"}
    expected = typeof(tables.compile_constraints(()))
    for directions, boundaries in (
        ([direction], []),
        ([], [ball]),
        ([], [ball, box]),
        ([direction, direction], [box, ball, ball]),
    ):
        found = space.constraints_for_cell(
            region(directions, boundaries, orientation_path), a_cell(rng)
        )
        assert typeof(tables.compile_constraints(found)) == expected


def test_meshes_are_prepared_once(folder):
    rng = np.random.default_rng(7)
    boundaries = [{"path": str(folder / "ball.stl"), "params_section": {}}]
    of_region = region([], boundaries)
    first, second = (
        tables.compile_constraints(space.constraints_for_cell(of_region, a_cell(rng)))
        for _ in range(2)
    )
    assert first.tree.triangles is second.tree.triangles


def test_section_rules_filter_by_type_and_process_and_take_the_largest_tries(folder):
    ball = {"path": str(folder / "ball.stl"), "neurite_types": ["axon", "apical_dendrite"]}
    boundaries = [
        {**ball, "params_section": {"max_tries": 7, "randomness_increase": 3.0}},
        {**ball, "params_section": {"max_tries": 70}, "processes": ["major"]},
        {**ball, "params_trunk": {}},
        {"path": ball["path"], "params_section": {}},
    ]
    rng = np.random.default_rng(8)
    found = space.constraints_for_cell(region([], boundaries), a_cell(rng))
    major = tables.section_rules(found, "axon", "major")
    assert (major.active.tolist(), major.max_tries, major.randomness_increase) == ([0, 1], 70, 3.0)
    secondary = tables.section_rules(found, "axon", "secondary")
    assert (secondary.active.tolist(), secondary.max_tries) == ([0], 7)
    assert tables.section_rules(found, "basal_dendrite", "major").active.tolist() == []


@njit
def draw_all(rng, probabilities):
    out = np.empty(len(probabilities), dtype=np.int64)
    for i, probability in enumerate(probabilities):
        out[i] = kernels.bernoulli(rng, probability)
    return out


@given(
    seed=st.integers(0, 2**32 - 1),
    probabilities=st.lists(
        st.one_of(
            st.floats(0.0, 1.0),
            st.sampled_from([0.0, 1.0, 0.5, np.nextafter(0.5, 1), 1e-300, 1 - 2**-53, 5e-324]),
        ),
        min_size=1,
        max_size=40,
    ),
)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_bernoulli_draws_as_numpy_does(seed, probabilities):
    ours, numpys = np.random.default_rng(seed), np.random.default_rng(seed)
    expected = [numpys.binomial(1, probability) for probability in probabilities]
    assert draw_all(ours, np.array(probabilities)).tolist() == expected
    assert ours.bit_generator.state == numpys.bit_generator.state


def test_bernoulli_draws_as_numpy_does_for_many_states():
    ours, numpys = np.random.default_rng(11), np.random.default_rng(11)
    probabilities = np.random.default_rng(12).random(20_000)
    expected = [numpys.binomial(1, probability) for probability in probabilities]
    assert draw_all(ours, probabilities).tolist() == expected
    assert ours.bit_generator.state == numpys.bit_generator.state


@pytest.mark.parametrize("probability", [np.nan, -0.1, 1.1, np.inf])
def test_what_numpy_refuses_is_invalid_and_draws_nothing(probability):
    rng = np.random.default_rng(13)
    before = rng.bit_generator.state
    with pytest.raises(ValueError, match="p"):
        np.random.default_rng(0).binomial(1, probability)
    assert accepts(rng, probability) == kernels.INVALID
    assert rng.bit_generator.state == before


def test_certain_and_impossible_proposals_draw_nothing():
    rng = np.random.default_rng(14)
    before = rng.bit_generator.state
    assert accepts(rng, 1.0) == 1
    assert accepts(rng, 0.0) == 0
    assert rng.bit_generator.state == before
    assert accepts(rng, 0.3) in (0, 1)
    assert rng.bit_generator.state != before


def tree_and_mesh(path):
    mesh = meshes.load_mesh(path)
    return mesh_tree.build_tree(mesh.triangles, mesh.normals), mesh


@pytest.mark.parametrize("name", ["box.obj", "ball.stl", "torus.ply", "plane.obj"])
def test_first_hits_are_trimeshs_to_the_last_bits(folder, name):
    """NumPy adds products in another order where there is AVX-512: by two last bits, no more."""
    tree, mesh = tree_and_mesh(folder / name)
    several, missed = 0, 0
    for direction, point in zip(*rays(np.random.default_rng(15), 400), strict=True):
        expected = mesh.first_hit(point, direction)
        found, location = first_hit(tree, 0, tuple(point), tuple(direction))
        assert found == (expected is not None)
        missed += not found
        if found:
            np.testing.assert_allclose(location, expected, rtol=0, atol=1e-13)
            nearest_first = count_hits(tree, 0, tuple(point), tuple(direction))
            several += nearest_first > 1
    assert missed > 20
    assert several > 20 or name == "plane.obj"


def test_hits_on_edges_and_along_axes_agree(folder):
    tree, mesh = tree_and_mesh(folder / "box.obj")
    axes = np.vstack([np.eye(3), -np.eye(3), np.ones((1, 3)) / np.sqrt(3)])
    for point in np.array(
        [[0, 0, 0], [80, 0, 0], [-50, -60, -70], [15, 15, 15], [80.0000005, 1, 2]]
    ):
        for axis in axes:
            expected = mesh.first_hit(point, axis)
            found, location = first_hit(tree, 0, tuple(point), tuple(axis))
            assert found == (expected is not None)
            if found:
                np.testing.assert_allclose(location, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", ["box.obj", "ball.stl", "torus.ply", "plane.obj"])
def test_nearest_points_and_containment_agree(folder, name):
    tree, mesh = tree_and_mesh(folder / name)
    _, points = rays(np.random.default_rng(16), 300, 100.0)
    inside = 0
    for point in points:
        closest, distance = closest_point(tree, 0, tuple(point))
        expected, expected_distance = mesh.closest_point(point)
        np.testing.assert_allclose(closest, expected, atol=1e-9)
        assert distance == pytest.approx(expected_distance, abs=1e-9)
        assert contains(tree, 0, tuple(point)) == mesh.contains(point)
        assert mesh.contains(point) == mesh.surface.contains([point])[0]
        inside += mesh.contains(point)
    assert inside > 10 or name == "plane.obj"


def test_every_one_of_many_hits_counts():
    slopes = [[[0, i, 0], [9, i + 1, 0], [0, i, 9]] for i in range(40)]
    tree = mesh_tree.build_tree(np.array(slopes, dtype=float), np.tile([[0.0, 1, 0]], (40, 1)))
    hits = count_hits(tree, 0, (1.0, -5.0, 1.0), (0.0, 1.0, 0.0))
    assert hits == 40


def test_joined_trees_answer_as_each_alone(folder):
    single = [tree_and_mesh(folder / name)[0] for name in ("box.obj", "torus.ply", "plane.obj")]
    joined, roots = mesh_tree.join_trees(single)
    for direction, point in zip(*rays(np.random.default_rng(17), 50), strict=True):
        for tree, root in zip(single, roots, strict=True):
            ray = tuple(point), tuple(direction)
            assert first_hit(joined, root, *ray) == first_hit(tree, 0, *ray)
            assert closest_point(joined, root, ray[0]) == closest_point(tree, 0, ray[0])


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
@settings(deadline=None, derandomize=True, max_examples=30)
def test_a_tree_holds_every_triangle_once_inside_its_boxes(count, seed):
    triangles = np.random.default_rng(seed).integers(-3, 4, size=(count, 3, 3)).astype(float)
    normals = np.arange(count * 3.0).reshape(count, 3)
    tree = mesh_tree.build_tree(triangles, normals)
    leaves = tree.count > 0
    held = np.concatenate(
        [np.arange(f, f + c) for f, c in zip(tree.first[leaves], tree.count[leaves], strict=True)]
    )
    assert sorted(held) == list(range(count))
    assert sorted(map(tuple, tree.normals)) == sorted(map(tuple, normals))
    for node in np.flatnonzero(leaves):
        of_leaf = tree.triangles[tree.first[node] : tree.first[node] + tree.count[node]]
        assert (of_leaf >= tree.lower[node]).all()
        assert (of_leaf <= tree.upper[node]).all()
    np.testing.assert_array_equal(tree.lower[0], triangles.min(axis=(0, 1)))
    np.testing.assert_array_equal(tree.upper[0], triangles.max(axis=(0, 1)))
