"""The frames of reconstructions: detected, and mended in copies."""

import json
from dataclasses import replace
from pathlib import Path

import luigi
import morphio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from morphio.mut import Morphology
from scipy.spatial.transform import Rotation

from helpers.reference_cells import INTERNEURON, PYRAMIDAL, write_dataset
from region_grower_flow import (
    ExtractDistributions,
    PlotMorphometrics,
    PrepareReconstructions,
    ValidateSynthesis,
)
from region_grower_flow.calibration.choices import CalibrationSettings
from region_grower_flow.calibration.dataset import ReferenceCell, read_dataset
from region_grower_flow.calibration.distributions import extract_distributions
from region_grower_flow.calibration.frames import (
    apical_axis,
    describe_directions,
    elongation,
    longest_axis,
    parse_direction,
    rotation_between,
)
from region_grower_flow.calibration.morphologies import examine_cell
from region_grower_flow.calibration.populations import gather_populations
from region_grower_flow.calibration.preparation import (
    Corrections,
    correction_problems,
    prepare,
    relocate,
)
from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.tasks.reconstructions import prepared_dataset

UP = np.array([0.0, 1.0, 0.0])
UNIT_VECTORS = (
    st.tuples(*[st.floats(-1, 1)] * 3)
    .map(np.array)
    .filter(lambda v: np.linalg.norm(v) > 0.1)
    .map(lambda v: v / np.linalg.norm(v))
)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(UNIT_VECTORS, UNIT_VECTORS)
def test_rotations(start, end):
    turn = rotation_between(start, end)
    assert np.allclose(turn @ start, end, atol=1e-6)
    assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-6)
    assert np.linalg.det(turn) == pytest.approx(1.0)
    half = rotation_between(start, -start)
    assert np.allclose(half @ start, -start, atol=1e-6)
    assert np.linalg.det(half) == pytest.approx(1.0)


@pytest.mark.parametrize("small", [2e-6, 8e-6, 3e-5, 1e-4, 1e-3])
def test_rotations_of_nearly_opposite_vectors(small):
    """The rotation was none: its determinant was 1.000005, up to 1.00004."""
    start = np.array([1.0, 0.0, small])
    start /= np.linalg.norm(start)
    turn = rotation_between(start, np.array([-1.0, 0.0, 0.0]))
    assert np.allclose(turn @ start, [-1.0, 0.0, 0.0], atol=1e-6)
    assert np.linalg.det(turn) == pytest.approx(1.0, abs=1e-7)


def test_an_apical_dendrite_that_points_down_is_turned_within_the_slice():
    turn = rotation_between(-UP, UP)
    assert np.allclose(turn @ [0, 0, 1], [0, 0, 1])


def test_the_axis_does_not_depend_on_the_spacing_of_points_nor_on_the_place():
    line = np.array([[0, 10, 0], [0, 110, 0]], dtype=np.float32)
    oblique = np.array([[0, 60, 0], [40, 60, 0]], dtype=np.float32)
    dense = np.linspace(oblique[0], oblique[1], 1000)
    center = np.zeros(3)
    axis = apical_axis([line, oblique], center)
    assert np.degrees(np.arccos(axis @ UP)) < 12
    assert np.allclose(apical_axis([line, dense], center), axis, atol=0.02)
    shift = np.array([0.0, -5000.0, 300.0])
    assert np.allclose(apical_axis([line + shift, oblique + shift], shift), axis)
    assert np.allclose(apical_axis([-line, -oblique], center), -axis)


def test_the_longest_apical_tree_decides():
    up = np.array([[0, 0, 0], [0, 100, 0]], dtype=np.float32)
    assert np.allclose(longest_axis([[-up], [2 * up]], np.zeros(3)), UP)
    assert np.allclose(longest_axis([[-2 * up], [up]], np.zeros(3)), -UP)
    assert longest_axis([], np.zeros(3)) is None
    assert apical_axis([0 * up], np.zeros(3)) is None


def move(source, target, transform):
    """Copies of the morphologies of a folder, moved by ``transform(points, index)``."""
    target.mkdir()
    for index, path in enumerate(sorted(source.iterdir())):
        cell = Morphology(str(path))
        cell.soma.points = transform(cell.soma.points.astype(float), index)
        for section in cell.iter():
            section.points = transform(section.points.astype(float), index)
        cell.write(str(target / path.name))


def prepared(dataset, target, frame="center_and_orient", inverted=()):
    done = prepare(dataset, gather_populations(dataset), target, Corrections(frame, inverted))
    return relocate(dataset, target), done


def numbers(value, angles=True):
    """All numbers of distributions, in order; without those angles that depend on x and z."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "orientation_deviation" and not angles:
                continue  # NeuroTS's is between trunks in the order of their azimuths
            if key == "persistence_diagram" and not angles:
                inner = [[bar[:2] for bar in tree] for tree in inner]
            yield from numbers(inner, angles)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner, angles)
    elif isinstance(value, int | float):
        yield float(value)


def assert_alike(dataset, other, angles=True):
    one, two = (
        np.array(list(numbers(extract_distributions(d)[0], angles))) for d in (dataset, other)
    )
    assert len(one) == len(two) > 100
    assert np.allclose(one, two, rtol=1e-3, atol=2e-3, equal_nan=True)


@pytest.mark.parametrize(
    "extension", ["h5", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("swc", "asc"))]
)
def test_distributions_of_moved_and_tilted_cells_are_those_of_upright_cells(tmp_path, extension):
    source, table = write_dataset(tmp_path / "given", extension)
    upright, _ = prepared(read_dataset(source, table, extension), tmp_path / "upright")
    rng = np.random.default_rng(8)
    axes = rng.normal(size=(12, 3)) * [1, 0, 1]
    tilts = Rotation.from_rotvec(axes / np.linalg.norm(axes, axis=1)[:, None] * 2.0)
    shifts = rng.uniform(-5000, 5000, (12, 3))
    # Cells without an apical dendrite are not turned: nothing could tell their direction.
    names = sorted(path.name for path in source.iterdir())
    turns = [
        tilts[i] if name.startswith("pc") else Rotation.identity() for i, name in enumerate(names)
    ]
    move(tmp_path / "upright", tmp_path / "raw", lambda p, i: turns[i].apply(p) + shifts[i])
    raw = read_dataset(tmp_path / "raw", table, extension)
    mended, done = prepared(raw, tmp_path / "mended")
    assert_alike(upright, mended)
    assert len(done.paths) == 12
    assert sorted(done.turned) == [f"pc_{i}" for i in range(6)]
    assert min(done.turned.values()) == pytest.approx(np.degrees(2.0), abs=0.5)
    with pytest.raises(AssertionError):
        assert_alike(upright, raw)


def test_distributions_of_cells_in_any_frame(tmp_path):
    """The rotation about the apical axis stays open: some angles of NeuroTS depend on it."""
    source, table = write_dataset(tmp_path / "given")
    dataset = read_dataset(source, table)
    pyramids = replace(dataset, mtypes={PYRAMIDAL: dataset.mtypes[PYRAMIDAL]})
    upright, _ = prepared(pyramids, tmp_path / "upright")
    turns = Rotation.random(12, random_state=2)
    move(source, tmp_path / "raw", lambda p, i: turns[i].apply(p + 700.0))
    raw = read_dataset(tmp_path / "raw", table)
    raw = replace(raw, mtypes={PYRAMIDAL: raw.mtypes[PYRAMIDAL]})
    mended, _ = prepared(raw, tmp_path / "mended")
    assert_alike(upright, mended, angles=False)


@pytest.mark.parametrize("frame", ["center", "center_and_orient"])
def test_frames_of_copies(tmp_path, frame):
    source, table = write_dataset(tmp_path / "given")
    turn = Rotation.from_euler("x", 70, degrees=True)
    move(source, tmp_path / "raw", lambda p, i: turn.apply(p) + [100, 20, 0])
    dataset = read_dataset(tmp_path / "raw", table)
    copies, done = prepared(dataset, tmp_path / "copies", frame)
    population = gather_populations(dataset)[PYRAMIDAL]
    assert population.notes == [
        "6 of 6 cells have their soma more than 10 um from the origin "
        f"({max(population.cells, key=lambda c: c.offset).name}: 102 um), as in image coordinates "
        "(see morphology_frame)",
        f"6 of 6 apical dendrites are turned more than 45 degrees from +y ("
        f"{max(population.cells, key=lambda c: c.tilt).name}: "
        f"{max(c.tilt for c in population.cells):.0f} degrees): the pia is not along +y "
        "(see morphology_frame), or they are inverted cells (see inverted_mtypes)",
    ]
    for cell in gather_populations(copies)[PYRAMIDAL].cells:
        assert cell.offset < 1e-3
        assert (cell.tilt < 0.1) == (frame == "center_and_orient")
    assert bool(done.turned) == (frame == "center_and_orient")
    assert all(distance == pytest.approx(102, abs=1) for distance in done.moved.values())


def test_inverted_mtypes_point_down(tmp_path):
    dataset = read_dataset(*write_dataset(tmp_path / "given"))
    copies, done = prepared(dataset, tmp_path / "copies", inverted=(PYRAMIDAL,))
    for cell in copies.mtypes[PYRAMIDAL]:
        assert examine_cell(cell, PYRAMIDAL).tilt > 179.9
    assert len(done.upside_down) == 6
    assert "Their apical dendrites point down: pc_0, " in list(done.sentences())[-1]


def test_apical_dendrites_of_a_minority_turn_no_cell(tmp_path):
    dataset = read_dataset(*write_dataset(tmp_path / "given"))
    odd = dataset.mtypes[PYRAMIDAL][:1]
    dataset = replace(dataset, mtypes={INTERNEURON: dataset.mtypes[INTERNEURON] + odd})
    _, done = prepared(dataset, tmp_path / "copies")
    assert done.turned == {}
    assert f"{INTERNEURON}: its 7 cells are not turned, only moved." in done.sentences()


def test_a_copy_does_not_stand_for_a_cell_that_broke(tmp_path):
    dataset = read_dataset(*write_dataset(tmp_path / "given"))
    target = tmp_path / "copies"
    prepared(dataset, target)
    (dataset.folder / "pc_0.h5").write_bytes(b"no HDF5")
    (target / "other.h5").touch()
    populations = gather_populations(dataset, CalibrationSettings(on_bad_morphology="skip"))
    done = prepare(dataset, populations, target, Corrections("center"))
    assert len(done.paths) == 11
    assert sorted(set(target.iterdir()) - set(done.paths)) == [target / "other.h5"]
    paths = [cell.path for cell in relocate(dataset, target).mtypes[PYRAMIDAL]]
    assert paths[0] == str(dataset.folder / "pc_0.h5")
    assert paths[1] == str(target / "pc_1.h5")


def test_copies_are_never_put_among_the_originals(tmp_path):
    dataset = read_dataset(*write_dataset(tmp_path / "given"))
    before = {path: path.read_bytes() for path in dataset.folder.iterdir()}
    for target in (dataset.folder, dataset.folder / "work"):
        with pytest.raises(InvalidInputs, match="would lie among the reconstructions"):
            prepared(dataset, target)
    with pytest.raises(InvalidInputs, match="the mtype 'L5_PC' is not among the 2"):
        prepared(dataset, tmp_path / "copies", inverted=("L5_PC",))
    assert {path: path.read_bytes() for path in dataset.folder.iterdir()} == before


def run_task(task):
    assert luigi.build([task], local_scheduler=True, log_level="ERROR")


def options(tmp_path, source, table, **more):
    return {
        "morphologies_dir": str(source),
        "dat_file": str(table),
        "work_dir": str(tmp_path / "work"),
        "processes": 1,
        "hide_progress_bar": True,
        **more,
    }


@pytest.mark.slow
def test_the_stage(tmp_path):
    source, table = write_dataset(tmp_path / "given")
    move(source, tmp_path / "raw", lambda p, i: p[:, [1, 0, 2]] * [-1, 1, 1] + [0, 0, 900])
    given = options(tmp_path, tmp_path / "raw", table)
    as_given = ExtractDistributions(**given)
    assert [task.task_family for task in as_given.deps()] == ["CheckInputs"]
    run_task(as_given)
    assert not (tmp_path / "work" / "prepared_reconstructions").exists()
    task = ExtractDistributions(**given, morphology_frame="center_and_orient")
    assert not task.complete()
    run_task(task)
    assert task.complete()
    copies = read_dataset(tmp_path / "work" / "prepared_reconstructions", table)
    assert max(examine_cell(c, "").offset for c in copies.mtypes[PYRAMIDAL]) < 1e-3
    made = json.loads(task.path.read_text())
    expected = extract_distributions(copies)[0]
    assert json.dumps(made) == json.dumps(expected)
    # A copy that is lost or changed is made again, and so is what was made from it.
    (stage,) = task.requires().values()
    assert isinstance(stage, PrepareReconstructions)
    assert stage.complete()
    (copies.folder / "pc_0.h5").unlink()
    assert not stage.complete()


def test_the_check_says_what_forbids_the_stage(tmp_path):
    source, table = write_dataset(tmp_path / "given")
    given = options(source, source, table, morphology_frame="center", inverted_mtypes="L5_PX")
    task = ExtractDistributions(**given)
    with pytest.raises(InvalidInputs) as error:
        task.check().run()
    assert len(error.value.problems) == 2


def test_both_halves_share_the_copies(tmp_path):
    source, table = write_dataset(tmp_path / "given")
    given = options(tmp_path, source, table, morphology_frame="center")
    stages = [
        stage
        for part in ("fit", "test")
        for stage in ExtractDistributions(**given, reference_part=part).requires().values()
    ]
    assert stages[0].recipe() == stages[1].recipe()


def test_raw_swc_of_an_image(shared, tmp_path):
    source = shared / "realdata" / "known_bad" / "mpy_C4.swc"
    lines = [line.split() for line in source.read_text().splitlines() if line[:1] != "#"]
    for words in lines:  # it has no diameters, for which it is refused
        words[5] = "5.0" if words[1] == "1" else "0.5"
    path = tmp_path / "raw" / "mpy_C4.swc"
    path.parent.mkdir()
    path.write_text("\n".join(" ".join(words) for words in lines) + "\n")
    cell = examine_cell(ReferenceCell("mpy_C4", str(path)), "PY")
    assert cell.problem is None
    assert cell.offset == pytest.approx(245, abs=1)
    (tmp_path / "x.dat").write_text("mpy_C4 4 PY\n")
    copies, _ = prepared(read_dataset(path.parent, tmp_path / "x.dat", "swc"), tmp_path / "copies")
    copy = morphio.Morphology(copies.mtypes["PY"][0].path)
    raw = morphio.Morphology(str(path))
    assert np.allclose(copy.soma.center, 0, atol=1e-3)
    assert np.allclose(copy.points, raw.points - raw.soma.center, atol=1e-3)
    assert np.array_equal(copy.diameters, raw.diameters)


@pytest.mark.parametrize("frame", ["as_given", "center"])
def test_what_compares_with_reconstructions_waits_for_the_copies(tmp_path, frame):
    source, table = write_dataset(tmp_path / "given")
    given = options(tmp_path, source, table, morphology_frame=frame)
    given.pop("processes")
    report = PlotMorphometrics(**given, report_of="vacuum")
    validation = ValidateSynthesis(**given, validation_of="vacuum")
    expected = [PrepareReconstructions(**given).task_id] if frame == "center" else []
    for tasks in (report.requires(), validation.requires()):
        stages = [
            task.task_id for task in tasks.values() if isinstance(task, PrepareReconstructions)
        ]
        assert stages == expected
    if expected:
        run_task(PrepareReconstructions(**given))
    folder = "prepared_reconstructions" if expected else "cells"
    cells = [cell for found in prepared_dataset(report).mtypes.values() for cell in found]
    assert {Path(cell.path).parent.name for cell in cells} == {folder}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("-y", [0, -1, 0]), ("+z", [0, 0, 1]), ("x", [1, 0, 0]), ("0, 3;0", [0, 1, 0])],
)
def test_directions(text, expected):
    assert parse_direction(text).tolist() == expected


@pytest.mark.parametrize(
    "text", ["", "w", "yy", "+-y", "0 0 0", "1 2", "nan 0 1", "a b c", "-", "+"]
)
def test_what_is_no_direction(text):
    with pytest.raises(InvalidInput, match="is no direction"):
        parse_direction(text)


def first_points(cell):
    return np.array([root.points[0] for root in Morphology(str(cell.path)).root_sections])


def test_cells_are_turned_by_a_given_direction_of_the_pia(dataset, tmp_path):
    """Interneurons, too, in which nothing shows it; the table goes before the option."""
    cells = dataset.mtypes[INTERNEURON]
    own = cells[0]._replace(pia="x")
    mtypes = {**dataset.mtypes, INTERNEURON: [own, *cells[1:]]}
    told = replace(dataset, mtypes=mtypes)
    populations = gather_populations(told)
    corrections = Corrections("center_and_orient", pia="0 0 1")
    done = prepare(told, populations, tmp_path, corrections)
    assert len(done.by_pia) == 12
    for before, after, up in zip(
        mtypes[INTERNEURON], relocate(told, tmp_path).mtypes[INTERNEURON], (0, 2, 2), strict=False
    ):
        # Heights above the soma are now along y.
        assert first_points(after)[:, 1] == pytest.approx(first_points(before)[:, up], abs=1e-3)
    assert "12 of them are turned by the given direction of the pia." in done.sentences()


def test_slices_are_stretched_along_z_about_the_soma(dataset, tmp_path):
    populations = gather_populations(dataset)
    corrections = Corrections("as_given", shrinkage_z=2.0)
    done = prepare(dataset, populations, tmp_path, corrections)
    before = dataset.mtypes[PYRAMIDAL][0]
    after = relocate(dataset, tmp_path).mtypes[PYRAMIDAL][0]
    center = Morphology(before.path).soma.center
    expected = (first_points(before) - center) * [1, 1, 2] + center
    assert first_points(after) == pytest.approx(expected, abs=1e-4)
    assert done.moved[before.name] == 0
    (sentence,) = done.sentences()
    assert "stretched 2 times along z" in sentence


def test_bad_corrections():
    problems = correction_problems(Corrections("center", pia="up"))
    assert [str(problem).split(":")[0] for problem in problems] == ["option pia_direction"] * 2
    assert correction_problems(Corrections("center_and_orient", pia="-y")) == []
    assert correction_problems(Corrections("as_given")) == []


def bipolar(angle, rng):
    """The points of two dendrites, along a direction in the plane of the slice."""
    along = np.array([np.cos(angle), np.sin(angle), 0.0])
    heights = np.linspace(10, 200, 20)[:, None] * along
    return [side * heights + rng.normal(scale=20, size=(20, 3)) for side in (1, -1)]


def test_long_cells_that_lie_anyhow_are_told():
    rng = np.random.default_rng(0)

    def sentences(angles):
        found = {str(a): elongation(bipolar(a, rng), np.zeros(3)) for a in angles}
        return list(describe_directions(found))

    assert sentences(np.pi / 2 + rng.normal(scale=0.3, size=10)) == []
    (sentence,) = sentences(np.linspace(0, np.pi, 10))
    assert "lie in different directions" in sentence
    assert sentences(np.linspace(0, np.pi, 4)) == []  # too few to tell
    star = {str(i): elongation([100 * rng.normal(size=(50, 3))], np.zeros(3)) for i in range(9)}
    assert list(describe_directions(star)) == []
    assert elongation([np.array([[0, 0, 0], [0, 9, 0]])], np.zeros(3)) is None
