"""Meshes of boundaries: reading, rays, nearest points, folders."""

import copy
import os

import numpy as np
import pytest
import trimesh

from region_grower_flow.errors import InvalidInput
from region_grower_flow.space import meshes


@pytest.fixture
def box_path(tmp_path):
    path = tmp_path / "box.obj"
    trimesh.creation.box(bounds=[[-10, -20, -30], [40, 50, 60]]).export(path)
    return path


@pytest.fixture
def balls(tmp_path):
    folder = tmp_path / "balls"
    folder.mkdir()
    for i in range(4):
        ball = trimesh.creation.icosphere(subdivisions=2, radius=10.0 + i)
        ball.apply_translation([50 * i, 0, 0])
        ball.export(folder / f"ball{i}.stl")
    return folder


def test_a_file_is_read_once_until_it_changes(box_path):
    first = meshes.load_mesh(box_path)
    assert meshes.load_mesh(str(box_path)) is first
    trimesh.creation.box(extents=(1, 1, 1)).export(box_path)
    os.utime(box_path, (1, 1))
    second = meshes.load_mesh(box_path)
    assert second is not first
    assert second.surface.bounds[1].tolist() == [0.5, 0.5, 0.5]


def test_missing_file_names_its_neighbors(box_path):
    with pytest.raises(InvalidInput, match=r"bax\.obj: the mesh cannot be read.*'box\.obj'"):
        meshes.load_mesh(box_path.with_name("bax.obj"))


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"The folder .*absent does not exist"):
        meshes.load_mesh(tmp_path / "absent" / "mesh.obj")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.obj", b"hello\n"),
        ("empty.obj", b""),
        ("points.obj", b"v 0 0 0\nv 1 1 1\n"),
        ("unknown.xyzzy", b"v 0 0 0\n"),
        ("broken.stl", b"\x00\x01garbage"),
        ("nan.obj", b"v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"),
    ],
)
def test_what_is_no_mesh_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=f"{name}: the mesh "):
        meshes.load_mesh(path)


def test_rays_do_as_trimeshs_own_tracer_does(box_path):
    mesh = meshes.load_mesh(box_path)
    surface = trimesh.load_mesh(box_path)
    tracer = trimesh.ray.ray_triangle.RayMeshIntersector(surface)
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(100):
        origin, direction = rng.uniform(-60, 60, 3), rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        expected = tracer.intersects_location([origin], [direction])[0]
        found = mesh.first_hit(origin, direction)
        assert (found is None) == (len(expected) == 0)
        if found is not None:
            assert found.tolist() == expected[0].tolist()
            hits += 1
    assert hits > 20


def test_a_point_is_inside_as_trimesh_says(box_path):
    mesh = meshes.load_mesh(box_path)
    points = np.random.default_rng(1).uniform(-60, 60, (100, 3))
    inside = [mesh.contains(point) for point in points]
    assert inside == mesh.surface.contains(points).tolist()
    assert any(inside)
    assert not all(inside)
    assert mesh.is_closed


def test_an_open_mesh_contains_nothing_where_rays_leave_freely(tmp_path):
    path = tmp_path / "roof.obj"
    corners = [[0, 0, 0], [10, 5, 0], [10, 5, 10], [0, 0, 10], [20, 0, 0], [20, 0, 10]]
    faces = [[0, 1, 2], [0, 2, 3], [1, 4, 5], [1, 5, 2]]
    trimesh.Trimesh(corners, faces).export(path)
    mesh = meshes.load_mesh(path)
    assert not mesh.is_closed
    assert not mesh.contains(np.array([10.0, 1.0, 5.0]))


def test_undecided_containment_is_the_same_each_time(tmp_path):
    box = trimesh.creation.box(extents=(10, 10, 10))
    path = tmp_path / "holed.obj"
    trimesh.Trimesh(box.vertices, box.faces[:-1]).export(path)
    mesh = meshes.load_mesh(path)
    points = np.random.default_rng(2).uniform(-6, 6, (300, 3))
    first = [mesh.contains(point) for point in points]
    assert first == [mesh.contains(point) for point in points]
    assert any(first)


def test_nearest_point(box_path):
    mesh = meshes.load_mesh(box_path)
    point, distance = mesh.closest_point(np.array([50.0, 0.0, 0.0]))
    assert point.tolist() == pytest.approx([40, 0, 0])
    assert distance == pytest.approx(10)


def test_copies_share_the_mesh(box_path):
    mesh = meshes.load_mesh(box_path)
    assert copy.deepcopy({"mesh": mesh})["mesh"] is mesh


def test_folder_chooses_as_a_search_of_all_meshes_does(balls):
    folder = meshes.load_folder(balls)
    rng = np.random.default_rng(3)
    for point in rng.uniform([-50, -80, -80], [220, 80, 80], (60, 3)):
        distances = [mesh.closest_point(point)[1] for mesh in folder.meshes]
        assert folder.closest(point) is folder.meshes[int(np.argmin(distances))]
        axis = rng.normal(size=3)
        lines = [np.linalg.norm(np.cross(point - m.center_of_mass, axis)) for m in folder.meshes]
        assert folder.closest_to_axis(point, axis) is folder.meshes[int(np.argmin(lines))]


def test_folder_finds_the_mesh_around_a_point(balls):
    folder = meshes.load_folder(balls)
    assert folder.around(np.array([101.0, 2.0, 1.0])).name == "ball2"
    assert folder.around(np.array([25.0, 0.0, 0.0])) is None


def test_folder_is_read_by_name_without_hidden_files_and_materials(balls):
    (balls / ".DS_Store").write_bytes(b"x")
    (balls / "ball0.mtl").write_text("newmtl a\n")
    assert [path.name for path in meshes.mesh_paths(balls)] == [f"ball{i}.stl" for i in range(4)]
    assert [mesh.name for mesh in meshes.load_folder(balls).meshes] == [
        f"ball{i}" for i in range(4)
    ]


def test_folder_without_meshes_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="the folder has no meshes"):
        meshes.load_folder(tmp_path)


def test_glomeruli_have_three_digits(tmp_path):
    assert meshes.glomerulus_mesh_path(tmp_path, 7).name == "glomeruli_007.obj"
    assert meshes.glomerulus_mesh_path(tmp_path, 1234).name == "glomeruli_1234.obj"
