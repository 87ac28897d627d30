"""Directions and boundaries against direct evaluations with trimesh and voxcell."""

import copy

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from voxcell import OrientationField

from helpers.sentences import says
from region_grower_flow.errors import DropCell, InvalidInput
from region_grower_flow.io.table import Cell
from region_grower_flow.space import constraints as space
from region_grower_flow.space.constraint_checks import check_constraints, constraint_notes
from region_grower_flow.space.meshes import load_mesh

OFFSET, VOXEL = np.array([-150.0, -120.0, -130.0]), np.array([25.0, 20.0, 50.0])
SHAPE = (12, 13, 6)
AXIS = [0.0, 1.0, 0.0]


def cell_at(position=(1.0, 2.0, 3.0), orientation=None, **others):
    values = {"depth": 120.0, "layer_depths": [0.0, 60.0, 130.0, 400.0], "mtype": "L5_PC"}
    orientation = np.eye(3) if orientation is None else orientation
    return Cell(np.array(position), orientation, **(values | others))


def region(directions=None, boundaries=None, path="absent.nrrd"):
    info = {"voxel_dimensions": VOXEL, "offset": OFFSET, "shape": SHAPE, "orientation_path": path}
    return space.RegionSpace.prepare(directions, boundaries, info)


def only(directions=None, boundaries=None, cell=None, path="absent.nrrd"):
    (found,) = space.constraints_for_cell(region(directions, boundaries, path), cell or cell_at())
    return found


def rays(seed, count, reach=130.0):
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return zip(directions, rng.uniform(-reach, reach, size=(count, 3)), strict=True)


@pytest.fixture(scope="module")
def orientations(tmp_path_factory):
    quaternions = np.random.default_rng(4).normal(size=(*SHAPE, 4))
    quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
    quaternions[1, 1, 1] = np.nan
    path = tmp_path_factory.mktemp("atlas") / "orientation.nrrd"
    field = OrientationField(quaternions.astype(np.float32), VOXEL, offset=OFFSET)
    field.save_nrrd(str(path))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("meshes")
    trimesh.creation.box(bounds=[[-50, -60, -70], [80, 90, 100]]).export(folder / "box.obj")
    trimesh.creation.box(bounds=[[2, 3, 1], [9, 9, 4]]).export(folder / "voxels.obj")
    trimesh.creation.torus(60.0, 25.0).export(folder / "torus.ply")
    trimesh.Trimesh([[0, 5, 0], [9, 5, 0], [0, 5, 9]], [[0, 1, 2]]).export(folder / "open.obj")
    (folder / "glomeruli").mkdir()
    for i in range(3):
        ball = trimesh.creation.icosphere(subdivisions=2, radius=20.0 + i)
        ball.apply_translation([70 * i - 70, 10 * i, 0])
        ball.export(folder / "glomeruli" / f"glomeruli_{i:03d}.obj")
    return folder


@pytest.mark.parametrize("mode", ["parallel", "perpendicular"])
def test_direction_is_that_of_the_field(orientations, mode):
    params = {"direction": [0.6, 0.8, 0.0], "mode": mode, "power": 1.7}
    found = only([{"params": params}], path=orientations)
    field = OrientationField.load_nrrd(str(orientations))
    for direction, point in rays(0, 100, 110.0):
        target = field.lookup(point)[0] @ np.array([0.6, 0.8, 0.0])
        share = np.arccos(np.clip(direction @ target, -1, 1)) / np.pi
        share = share if mode == "parallel" else abs(2 * share - 1)
        expected = (1 - share) ** 1.7
        assert found.section_probability(direction, point) == pytest.approx(expected, abs=1e-12)


def test_direction_leaves_growth_alone_outside_the_atlas_and_without_orientation(orientations):
    found = only([{"params": {"direction": AXIS}}], path=orientations)
    assert found.section_probability(np.array(AXIS), OFFSET - 1.0) == 1.0
    assert found.section_probability(np.array(AXIS), OFFSET + 1.5 * VOXEL) == 1.0
    assert found.section_probability(np.array(AXIS), OFFSET + 2.5 * VOXEL) != 1.0


def test_direction_acts_in_its_layers_along_the_axis_of_the_cell(orientations):
    turned = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])  # the pia is along x
    cell = cell_at(position=(0.0, 0.0, 0.0), orientation=turned)
    found = only([{"params": {"direction": AXIS, "layers": [2]}}], cell=cell, path=orientations)
    heading = np.array([0.0, 0.0, 1.0])
    for x, acts in ((-11.0, False), (-9.0, True), (0.0, True), (59.0, True), (61.0, False)):
        probability = found.section_probability(heading, np.array([x, 30.0, 40.0]))
        assert (probability < 1.0) == acts


def test_layers_without_layers_in_the_region_drop_the_cell():
    directions = [{"params": {"direction": AXIS, "layers": [1]}}]
    with pytest.raises(DropCell, match="layers"):
        space.constraints_for_cell(region(directions), cell_at(layer_depths=None))


def test_the_field_is_read_at_first_use_only():
    found = only([{"params": {"direction": AXIS}}], path="/absent/orientation.nrrd")
    with pytest.raises(InvalidInput, match=r"orientation.*does not exist"):
        found.section_probability(np.array(AXIS), np.zeros(3))


@pytest.mark.parametrize("mesh_type", ["voxel", "spatial"])
def test_repulsion_is_the_formula_of_the_reference(folder, mesh_type):
    name = "voxels.obj" if mesh_type == "voxel" else "torus.ply"
    params = {"d_min": 3, "d_max": 60, "power": 1.2}
    boundary = {"path": str(folder / name), "mesh_type": mesh_type, "params_section": params}
    found = only(boundaries=[boundary])
    mesh = trimesh.load_mesh(folder / name)
    acted = 0
    for direction, point in rays(1, 150):
        origin = (point - OFFSET) / VOXEL if mesh_type == "voxel" else point
        hits = mesh.ray.intersects_location([origin], [direction])[0]
        distance = np.inf
        if len(hits):
            hit = hits[0] * VOXEL + OFFSET if mesh_type == "voxel" else hits[0]
            distance = np.linalg.norm(hit - point)
        expected = min(max((distance - 3) / (60 - 3) ** 1.2, 0.0), 1.0)
        actual = found.section_probability(direction, point)
        assert actual == pytest.approx(expected, abs=1e-12)
        acted += actual < 1
    assert acted > 10


@pytest.mark.parametrize("mesh_type", ["voxel", "spatial"])
def test_attraction_is_the_formula_of_the_reference(folder, mesh_type):
    name = "voxels.obj" if mesh_type == "voxel" else "torus.ply"
    boundary = {"path": str(folder / name), "mesh_type": mesh_type, "mode": "attractive"}
    found = only(boundaries=[{**boundary, "params_trunk": {"d_min": 2, "power": 0.6}}])
    mesh = trimesh.load_mesh(folder / name)
    inside = acted = 0
    for direction, point in rays(2, 150):
        asked = (point - OFFSET) / VOXEL if mesh_type == "voxel" else point
        closest = trimesh.proximity.closest_point(mesh, [asked])[0][0]
        closest = closest * VOXEL + OFFSET if mesh_type == "voxel" else closest
        distance = np.linalg.norm(closest - point)
        expected = 1.0
        if mesh.contains([asked])[0]:
            inside += 1
        elif 2 < distance < 100:
            angle = np.arccos(direction @ (closest - point) / distance)
            expected, acted = (1 - angle / np.pi) ** 0.6, acted + 1
        actual = found.trunk_probability(direction.tolist(), point)
        assert actual == pytest.approx(expected, abs=1e-12)
    assert inside > 2
    assert acted > 20


def test_defaults_are_those_of_the_reference(folder):
    path = str(folder / "box.obj")
    repulsive = only(boundaries=[{"path": path, "params_section": {}}]).compiled()
    assert repulsive.section == (0, 100, 1.5)
    assert repulsive.grid is not None
    assert repulsive.kind == space.REPULSIVE
    attractive = {"path": path, "mode": "attractive", "params_trunk": {}}
    assert only(boundaries=[attractive]).compiled().trunk == (0, 100, 1.0)


@given(st.integers(0, 2**32 - 1), st.floats(0, 50), st.floats(1, 200), st.floats(0, 4))
@settings(deadline=None, derandomize=True, max_examples=25)
def test_probabilities_are_probabilities(folder, seed, d_min, width, power):
    params = {"d_min": d_min, "d_max": d_min + width, "power": power}
    for mode in space.BOUNDARY_MODES:
        boundary = {"path": str(folder / "box.obj"), "mode": mode, "params_section": params}
        found = only(boundaries=[{**boundary, "mesh_type": "spatial"}])
        for direction, point in rays(seed, 3):
            assert 0 <= found.section_probability(direction, point) <= 1


def test_filters_by_mtype_and_mclass(orientations, folder):
    directions = [
        {"params": {"direction": AXIS}, "mtypes": ["L5_PC"]},
        {"params": {"direction": AXIS}, "mtypes": ["L1_DAC"]},
    ]
    box = {"path": str(folder / "box.obj"), "params_section": {}}
    boundaries = [{**box, "mclass": ["PYR"]}, {**box, "mclass": ["INT"]}, box]
    found = space.constraints_for_cell(region(directions, boundaries), cell_at(mclass="PYR"))
    assert [item.entry for item in found] == [directions[0], boundaries[0], boundaries[2]]
    found = space.constraints_for_cell(region(directions, boundaries), cell_at())
    assert [item.entry for item in found] == [directions[0], boundaries[2]]


def test_neurots_gets_the_entry_and_the_probabilities_that_apply(folder):
    box = {"path": str(folder / "box.obj"), "neurite_types": ["axon"], "processes": None}
    section = only(boundaries=[{**box, "params_section": {"max_tries": 3}}]).as_neurots()
    assert section["params_section"] == {"max_tries": 3}
    assert section["neurite_types"] == ["axon"]
    assert "processes" not in section
    assert "trunk_prob" not in section
    trunk = only(boundaries=[{**box, "params_trunk": {}}]).as_neurots()
    assert "section_prob" not in trunk
    assert 0 <= trunk["trunk_prob"]([0.0, 1.0, 0.0], np.zeros(3)) <= 1
    direction = only([{"params": {"direction": AXIS}}]).as_neurots()
    assert set(direction) == {"params", "section_prob"}


def test_neurots_may_copy_its_context_without_copying_meshes(folder):
    found = only(boundaries=[{"path": str(folder / "box.obj"), "params_section": {}}])
    copied = copy.deepcopy({"constraints": [found.as_neurots()]})
    assert copied["constraints"][0]["section_prob"].__self__ is found


def test_sections_need_a_neurite_type_and_a_process(folder):
    box = {"path": str(folder / "box.obj"), "params_section": {}}
    assert not only(boundaries=[box]).acts_on("axon", "major")
    typed = only(boundaries=[{**box, "neurite_types": ["axon"]}])
    assert typed.acts_on("axon", "secondary")
    assert not typed.acts_on("basal_dendrite", "major")
    major = only(boundaries=[{**box, "neurite_types": ["axon"], "processes": ["major"]}])
    assert major.acts_on("axon", "major")
    assert not major.acts_on("axon", "secondary")
    trunk = {"path": box["path"], "params_trunk": {}, "neurite_types": ["axon"]}
    assert not only(boundaries=[trunk]).acts_on("axon", "major")


@pytest.mark.parametrize(
    ("mode", "position", "chosen", "named"),
    [
        ("closest", (60.0, 0.0, 0.0), 2, True),
        ("closest_y", (5.0, -90.0, 0.0), 1, True),
        ("inside", (-70.0, 1.0, 2.0), 0, False),
        ("territories", (0.0, 0.0, 0.0), 2, False),
    ],
)
def test_one_mesh_of_a_folder_is_chosen(folder, mode, position, chosen, named):
    boundary = {"path": str(folder / "glomeruli"), "multimesh_mode": mode, "params_section": {}}
    cell = cell_at(position, glomerulus_id=2)
    found = only(boundaries=[{**boundary, "mesh_type": "spatial"}], cell=cell)
    name = f"glomeruli_{chosen:03d}"
    assert found.compiled().mesh.name == name
    assert found.mesh_name == (name if named else None)


def test_voxel_meshes_are_chosen_in_voxels(tmp_path):
    for i, x in enumerate((2.0, 10.0)):
        ball = trimesh.creation.icosphere(subdivisions=1, radius=1.0)
        ball.apply_translation([x, 6, 3])
        ball.export(tmp_path / f"ball{i}.obj")
    cell = cell_at(OFFSET + VOXEL * [9.5, 6, 3])
    found = only(boundaries=[{"path": str(tmp_path), "params_section": {}}], cell=cell)
    assert found.mesh_name == "ball1"


def test_a_folder_without_a_choice_keeps_the_mesh_before(folder):
    inside = {"path": str(folder / "glomeruli"), "multimesh_mode": "inside", "params_section": {}}
    box = {"path": str(folder / "box.obj"), "params_section": {}}
    far = cell_at((0.0, 500.0, 0.0))
    first, second, third = space.constraints_for_cell(region(None, [inside, box, inside]), far)
    assert first.compiled().section is None
    assert "section_prob" not in first.as_neurots()
    assert third.compiled().mesh is second.compiled().mesh is load_mesh(folder / "box.obj")


def test_glomeruli_that_are_absent_or_unknown_drop_the_cell(folder):
    boundary = {"path": str(folder / "glomeruli"), "multimesh_mode": "territories"}
    boundary["params_section"] = {}
    assert only(boundaries=[boundary], cell=cell_at(glomerulus_id=-1)).compiled().mesh is None
    for glomerulus, reason in ((7, "glomerulus 7 has no mesh"), (None, "not known")):
        with pytest.raises(DropCell, match=reason):
            only(boundaries=[boundary], cell=cell_at(glomerulus_id=glomerulus))


SOUND_DIRECTION = {"neurite_types": ["axon"], "params": {"direction": AXIS}}


def test_a_direction_without_length_is_a_problem():
    zero = SOUND_DIRECTION | {"params": {"direction": [0, 0, 0]}}
    (problem,) = check_constraints({"directions": [SOUND_DIRECTION, zero]}, "O0", "regions.yaml")
    assert says(problem, "regions.yaml: O0 -> directions -> 1 -> params | zero vector | [0, 1, 0]")
    assert check_constraints({"directions": None}, "O0", "regions.yaml") == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"path": "bux.obj"}, "bux.obj: the mesh cannot be read.*'box.obj'"),
        ({"path": "empty"}, "the folder .*empty has no meshes"),
        ({"path": "empty", "multimesh_mode": "territories"}, "has no glomeruli_000.obj"),
        ({"path": "mixed"}, "mixed/notes.txt: the mesh cannot be read"),
        ({"path": "flat", "multimesh_mode": "inside"}, "flat.obj is not closed"),
        ({"path": "flat", "multimesh_mode": "closest_y"}, "flat.obj is flat or broken"),
        ({"params_section": {"d_min": 5, "d_max": 5}}, r"params_section: 'd_max' \(5\) must be gr"),
        ({"params_trunk": {"d_max": -1, "d_min": -2}}, r"params_trunk: 'd_max' \(-1\) must be gr"),
    ],
)
def test_wrong_boundaries_get_one_sentence(tmp_path, change, sentence):
    trimesh.creation.box(extents=(1, 1, 1)).export(tmp_path / "box.obj")
    (tmp_path / "empty").mkdir()
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "notes.txt").write_text("no mesh")
    (tmp_path / "flat").mkdir()
    flat = trimesh.Trimesh([[0, 5, 0], [9, 5, 0], [0, 5, 9]], [[0, 1, 2]])
    flat.export(tmp_path / "flat" / "flat.obj")
    sound = {"path": "box.obj", "neurite_types": ["axon"], "params_section": {}}
    entry = {"boundaries": [sound, sound | change]}
    problems = check_constraints(entry, "O0", tmp_path / "regions.yaml")
    assert len(problems) == 1
    with pytest.raises(InvalidInput, match=sentence):
        raise problems[0]
    assert "regions.yaml: O0 -> boundaries -> 1 -> " in str(problems[0])


def test_entries_that_never_act_get_a_note(folder):
    entry = {
        "directions": [{"params": {"direction": [0, 2, 0]}}, SOUND_DIRECTION],
        "boundaries": [
            {"path": "box.obj", "params_section": {}},
            {"path": "box.obj", "params_trunk": {}, "multimesh_mode": "closest"},
            {"path": "open.obj", "mode": "attractive", "params_trunk": {}},
            {"path": "glomeruli"},
        ],
    }
    assert check_constraints(entry, "O0", folder / "regions.yaml") == []
    notes = constraint_notes(entry, "O0", folder)
    beginnings = ["directions/0: without 'neurite_types'", "directions/0: the direction has the"]
    beginnings += ["boundaries/0: without 'neurite_types'", "boundaries/1: 'multimesh_mode' has no"]
    beginnings += ["boundaries/2: the mesh ", "boundaries/3: without params_section or"]
    assert len(notes) == len(beginnings)
    for note, beginning in zip(notes, beginnings, strict=True):
        assert note.startswith(f"O0, {beginning}")
