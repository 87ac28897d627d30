import h5py
import numpy as np
import pytest

from helpers.reference_cells import make_cell, write_cell
from helpers.sentences import says
from region_grower_flow.calibration.dataset import ReferenceCell
from region_grower_flow.calibration.morphologies import examine_cell


def examine(path):
    return examine_cell(ReferenceCell(path.stem, str(path)), "PC")


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("extension", ["h5", "swc", "asc"])
def test_trees_and_tips(tmp_path, rng, extension):
    cell = make_cell(rng, basals=3, apicals=2, axons=1, depth=2)
    examined = examine(write_cell(cell, tmp_path, "a", extension))
    assert examined.problem is None
    assert examined.trees == {"axon": 1, "basal_dendrite": 3, "apical_dendrite": 2}
    assert examined.tips == {"axon": 4, "basal_dendrite": 4, "apical_dendrite": 4}
    assert examined.as_dict()["mtype"] == "PC"


def test_tips_are_counted_as_tmd_counts_bars(tmp_path, rng):
    import tmd

    for depth in range(4):
        path = write_cell(make_cell(rng, depth=depth), tmp_path, f"d{depth}")
        tree = tmd.io.load_neuron_from_morphio(str(path)).basal_dendrite[0]
        bars = tmd.methods.get_ph_angles(tree, feature="path_distances")
        assert examine(path).tips["basal_dendrite"] == len(bars) == 2**depth


def test_no_dendrites(tmp_path, rng):
    axon = examine(write_cell(make_cell(rng, basals=0, axons=1), tmp_path, "axon"))
    assert axon.problem == "it has no dendrites (its trees are: 1 axon)"
    soma = examine(write_cell(make_cell(rng, basals=0), tmp_path, "soma"))
    assert "no dendrites (it has no trees at all)" in soma.problem


def test_diameters_of_zero(tmp_path, rng):
    all_zero = make_cell(rng, diameter=0.0)
    examined = examine(write_cell(all_zero, tmp_path, "zero"))
    assert says(examined.problem, "270 of the 270 points | dendrites | diameter of zero")
    one_zero = make_cell(rng)
    diameters = one_zero.root_sections[0].diameters
    diameters[1] = 0
    one_zero.root_sections[0].diameters = diameters
    examined = examine(write_cell(one_zero, tmp_path, "one"))
    assert examined.problem is None
    (note,) = examined.notes
    assert says(note.text, "1 points | dendrites | diameter of zero")


def edit_points(path, edit):
    with h5py.File(path, "r+") as file:
        points = file["points"][:]
        edit(points)
        file["points"][:] = points


def test_points_that_are_no_numbers(tmp_path, rng):
    path = write_cell(make_cell(rng), tmp_path, "nan")
    edit_points(path, lambda points: points.__setitem__((20, 1), np.nan))
    assert "not finite" in examine(path).problem


def test_negative_diameters_and_no_length(tmp_path, rng):
    path = write_cell(make_cell(rng), tmp_path, "negative")
    edit_points(path, lambda points: points.__setitem__((20, 3), -1))
    assert "negative" in examine(path).problem
    path = write_cell(make_cell(rng), tmp_path, "point")
    edit_points(path, lambda points: points.__setitem__((slice(8, None), slice(0, 3)), 1))
    assert examine(path).problem == "its dendrites have no length"


@pytest.mark.parametrize(("away", "refused"), [(1e5, False), (1e7, True)])
def test_far_from_the_origin_points_are_rounded(tmp_path, rng, away, refused):
    """Lengths and barcodes were those of points 1 um apart."""
    path = write_cell(make_cell(rng), tmp_path, "far", "swc")
    lines = [line.split() for line in path.read_text().splitlines() if line[:1] not in ("#", "")]
    for line in lines:
        line[2] = str(float(line[2]) + away)
    path.write_text("".join(" ".join(line) + "\n" for line in lines))
    problem = examine(path).problem
    assert says(problem, "coordinates reach 1e+07 um | 1 um apart") == refused, problem


def test_no_soma(tmp_path):
    path = tmp_path / "no_soma.swc"
    path.write_text("1 3 0 0 0 1 -1\n2 3 0 5 0 1 1\n3 3 0 9 0 1 2\n")
    assert "no soma" in examine(path).problem


@pytest.mark.parametrize("extension", ["h5", "swc", "asc"])
def test_somas_without_size(tmp_path, rng, extension):
    """MorphIO writes a contour as swc points with the radius 0: the soma would be lost silently."""
    cell = make_cell(rng)
    cell.write(str(tmp_path / f"contour.{extension}"))
    examined = examine(tmp_path / f"contour.{extension}")
    lost = extension == "swc"
    assert examined.problem == ("its soma has no size" if lost else None)
    assert ("use the h5 or asc file" in (examined.hint or "")) == lost
    point = "1 1 0 0 0 {} -1\n2 3 0 5 0 1 1\n3 3 0 9 0 1 2\n"
    for radius, problem in ((0.0, "its soma has no size"), (4.0, None)):
        (tmp_path / "point.swc").write_text(point.format(radius))
        assert examine(tmp_path / "point.swc").problem == problem


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.h5", b"no HDF5"), ("a.swc", b"1 1 0 0\n"), ("a.asc", b"((CellBody) ("), ("b.h5", b"")],
)
def test_broken_files(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    problem = examine(path).problem
    assert problem.startswith("not a readable morphology: ")
    assert "\n" not in problem
    assert "\x1b" not in problem


def test_damaged_tables_do_not_reach_morphio(tmp_path, rng):
    """MorphIO ends the process when it reads some of them."""
    path = write_cell(make_cell(rng), tmp_path, "damaged")
    with h5py.File(path, "r+") as file:
        file["structure"][3, 0] = 10**6
    assert "its sections lie outside of its" in examine(path).problem


def test_absent_file(tmp_path):
    assert examine(tmp_path / "none.h5").problem == "there is no such file"


@pytest.mark.parametrize(
    ("name", "expected", "hint"),
    [
        ("Ctgf_245170_539748835_pia.swc", "Section type changed without", "the same type"),
        ("L6b_zero_diameters_BC-2010-01-13-F-L6B-dendax.h5", "7079 of the 8778 points", None),
        ("cp_Img_X_10072.9_Y_19017.6_Z_1795.52.v3dpbd_stps.swc", "line 3: Unsupported", "1 soma"),
        ("mpy_C4.swc", "7288 of the 7288 points", None),
        ("neuror_with-apical-attribute.h5", "h5v2 is no longer supported", "version 1"),
    ],
)
def test_known_bad_files(shared, name, expected, hint):
    path = shared / "realdata" / "known_bad" / name
    if not path.is_file():
        pytest.skip("the known bad files are absent")
    examined = examine(path)
    assert expected in examined.problem
    assert examined.hint is None if hint is None else hint in examined.hint
