"""Small faults of reconstructions: mended when a cell is read, and told."""

import shutil

import morphio
import numpy as np
import pytest

from helpers.odd_morphologies import assert_same
from helpers.reference_cells import make_cell, write_cell
from helpers.sentences import saying, says
from region_grower_flow.calibration import mending, morphologies
from region_grower_flow.calibration.choices import SKIP, CalibrationSettings
from region_grower_flow.calibration.dataset import Dataset, ReferenceCell
from region_grower_flow.calibration.diagnosis import diagnose
from region_grower_flow.calibration.distributions import extract_distributions
from region_grower_flow.calibration.mending import mend, open_as_used, soma_radius
from region_grower_flow.calibration.morphologies import examine_cell
from region_grower_flow.calibration.path_distances import measure_trees
from region_grower_flow.calibration.places import line_of, unread_trees
from region_grower_flow.calibration.populations import gather_populations
from region_grower_flow.errors import InvalidInputs
from region_grower_flow.io.morphologies import open_morphology
from region_grower_flow.morphology import FlatMorphology

POINT = ["1 1 0 0 0 6 -1"]
BASAL, APICAL = "basal_dendrite", "apical_dendrite"


def tree(rows, start, kind=3, parent=1, branches=None, step=(0, 8, 2)):
    """Add a tree that bifurcates twice; ``branches`` are the types of its first two branches."""
    rows = list(rows)

    def line(kind, start, count, parent, turn):
        point = np.array(start, float)
        for i in range(count):
            point = point + np.array(step) + [turn * 3, 0, 0.3 * i]
            rows.append(f"{len(rows) + 1} {kind} {point[0]} {point[1]} {point[2]} 0.5 {parent}")
            parent = len(rows)
        return point, parent

    rows.append(f"{len(rows) + 1} {kind} {start[0]} {start[1]} {start[2]} 0.5 {parent}")
    end, parent = line(kind, start, 3, len(rows), 0.1)
    for turn, branch in zip((1, -1), branches or (kind, kind), strict=True):
        middle, here = line(branch, end, 3, parent, turn)
        for side in (0.5, -0.5):
            line(branch, middle, 3, here, turn + side)
    return rows


def cell(soma=POINT, **more):
    rows = tree(soma, (7, 0, 0))
    rows = tree(rows, (0, 1, 7), **more)
    return "\n".join(tree(rows, (-5, -5, 0), step=(0, -8, 2))) + "\n"


def written(tmp_path, text, name="a.swc"):
    path = tmp_path / name
    path.write_text(text)
    return path


def examine(path):
    return examine_cell(ReferenceCell(path.stem, str(path)), "PC")


def texts(examined):
    return [note.text for note in examined.notes]


def population(tmp_path, cells, **settings):
    """The Population of an mtype of cells {name: swc text}."""
    found = [ReferenceCell(n, str(written(tmp_path, t, f"{n}.swc"))) for n, t in cells.items()]
    dataset = Dataset(tmp_path, tmp_path / "t.dat", ".swc", {"PC": found})
    return gather_populations(dataset, CalibrationSettings(**settings))["PC"]


@pytest.mark.parametrize("extension", ["h5", "swc", "asc"])
def test_a_sound_cell_is_used_as_its_file_is(tmp_path, extension):
    made = make_cell(np.random.default_rng(0), apicals=1, axons=1)
    path = write_cell(made, tmp_path, "a", extension)
    used = FlatMorphology.from_morphio(open_as_used(path))
    assert_same(used, FlatMorphology.from_morphio(morphio.Morphology(path)))
    assert examine(path).notes == []


@pytest.mark.parametrize(
    ("soma", "radius", "mended"),
    [
        (["1 1 0 0 0 6 -1", "2 1 0 0 0 6 1"], 6.0, True),
        (["1 1 0 0 0 6 -1", "2 1 0 0 0 6 2"[:-1] + "1", "3 1 0 0 0 6 2"], 6.0, True),
        (["1 1 0 0 0 6 -1", "2 1 0 0 0 6 1", "3 1 0 0 0 6 1"], 6.0, True),
        (["1 1 0 0 0 6 -1", "2 1 0 0.1 0 0 1"], 6.0, True),
        (["1 1 0 0 0 6 -1", "2 1 0 6 0 0 1"], 6.0, True),
        (["1 1 0 0 0 6 -1", "2 1 0 -6 0 6 1", "3 1 0 6 0 6 1"], 6.0, False),
        (["1 1 0 -6 0 3 -1", "2 1 0 0 0 6 1", "3 1 0 6 0 3 2"], 5.5, False),
        (POINT, 6.0, False),
    ],
)
def test_somas(tmp_path, soma, radius, mended):
    import neurom

    path = written(tmp_path, cell(soma))
    examined = examine(path)
    assert examined.problem is None
    assert [("enclose little" in t, "(line 1)" in t) for t in texts(examined)] == (
        [(True, True)] * mended
    )
    used = neurom.load_morphology(open_as_used(path))
    assert neurom.get("soma_radius", used) == pytest.approx(radius, abs=0.3)
    assert soma_radius(mend(open_morphology(path)).morphology) == pytest.approx(used.soma.radius)


def test_a_cell_without_a_soma_gets_one_where_its_dendrites_begin(tmp_path):
    import neurom

    rows = tree(tree([], (7, 0, 0), parent=-1), (0, 1, 7), parent=-1)
    rows = tree(rows, (-5, -5, 0), parent=-1, step=(0, -8, 2))
    path = written(tmp_path, "\n".join(rows) + "\n")
    assert not len(open_morphology(path).soma.points)
    examined = examine(path)
    assert examined.problem is None
    (told,) = texts(examined)
    assert says(told, "no soma | 6.88 um | dendrites begin")
    used = neurom.load_morphology(open_as_used(path))
    assert neurom.get("soma_radius", used) == pytest.approx(6.88, abs=0.01)
    np.testing.assert_allclose(used.soma.center, [2 / 3, -4 / 3, 7 / 3], atol=1e-4)


def test_a_cell_without_a_soma_whose_dendrites_are_apart_is_refused(tmp_path):
    rows = tree(tree([], (0, 0, 0), parent=-1), (100, 0, 0), parent=-1)
    examined = examine(written(tmp_path, "\n".join(rows) + "\n"))
    assert says(examined.problem, "no soma | dendrites do not begin")


def test_a_contour_of_two_points(tmp_path):
    made = make_cell(np.random.default_rng(0))
    path = write_cell(made, tmp_path, "a", "asc")
    lines = path.read_text().splitlines()
    points = [i for i, line in enumerate(lines) if line.strip().startswith("(")][2:10]
    path.write_text("\n".join(line for i, line in enumerate(lines) if i not in points[2:]) + "\n")
    assert len(open_morphology(path).soma.points) == 2
    assert says(examine(path).problem, "soma | no size | contour of 2 points")


def test_trees_that_begin_at_the_center(tmp_path):
    rows = tree(tree(POINT, (7, 0, 0)), (0, 0, 0))
    start = next(place for place, row in enumerate(rows) if row.split()[2:5] == ["0"] * 3 and place)
    path = written(tmp_path, "\n".join(rows) + "\n")
    (text,) = texts(examine(path))
    assert says(text, "1 of its basal dendrites | soma's center | moved")
    root = open_as_used(path).root_sections[1]
    toward = np.array(rows[start + 1].split()[2:5], float)
    length = np.linalg.norm(toward)
    assert root.points[0] == pytest.approx(min(6, length / 2) / length * toward, abs=1e-6)
    assert root.points[1] == pytest.approx(toward)


def test_trees_that_begin_at_one_point_inside_the_soma(tmp_path):
    """A contour's center is not where the tracer thought that it was."""
    made = make_cell(np.random.default_rng(1))
    made.soma.points = made.soma.points + np.float32([2, 0, 0])
    for root in made.root_sections:
        root.points = np.concatenate([np.zeros((1, 3), np.float32), root.points[1:]])
    path = write_cell(made, tmp_path, "a", "asc")
    (text,) = texts(examine(path))
    assert says(text, "3 of its basal dendrites | soma's center | moved")
    starts = np.array([root.points[0] for root in open_as_used(path).root_sections])
    assert len(np.unique(starts.round(2), axis=0)) == 3


def test_a_trunk_straight_above_the_soma(tmp_path):
    """Its angle in the plane would be no number, and nothing could be extracted."""
    path = written(tmp_path, "\n".join(tree(tree(POINT, (7, 0, 0)), (0, 0, 7))) + "\n")
    (text,) = texts(examine(path))
    assert says(text, "1 of its basal dendrites | along z | soma's center")
    assert open_as_used(path).root_sections[1].points[0] == pytest.approx([0.01, 0, 7])


def test_a_trunk_that_is_all_at_the_center(tmp_path):
    rows = tree(POINT, (7, 0, 0))
    root = len(rows) + 1
    rows.append(f"{root} 3 0 0 0 0.5 1")
    for x in (4, -4):
        here = len(rows) + 1
        rows += [f"{here} 3 {x} 6 0 0.5 {root}", f"{here + 1} 3 {x} 16 0 0.5 {here}"]
    examined = examine(written(tmp_path, "\n".join(rows) + "\n"))
    assert says(examined.problem, "basal dendrites | branches | soma's center")
    assert examined.where.endswith(f"a.swc, line {root}")


@pytest.mark.parametrize("last", [[], ["{} 3 0 8 0 0.5 {}"]])
def test_trees_without_length_are_passed_over(tmp_path, last):
    rows = cell().splitlines()
    count = len(rows)
    rows.append(f"{count + 1} 3 0 8 0 0.5 1")
    rows += [line.format(count + 2, count + 1) for line in last]
    path = written(tmp_path, "\n".join(rows) + "\n")
    examined = examine(path)
    what = "no length" if last else "one point"
    (text,) = texts(examined)
    assert says(text, f"1 of its 4 trees | {what} | passed over | line {count + 1})")
    assert examined.trees == {BASAL: 3}


def test_dendrites_of_single_points_only(tmp_path):
    text = "1 1 0 0 0 6 -1\n2 3 0 8 0 0.5 1\n3 3 0 -8 0 0.5 1\n"
    examined = examine(written(tmp_path, text))
    assert examined.problem == "its dendrites have no length"
    assert examined.line == 2


def test_an_axon_that_starts_from_a_dendrite(tmp_path):
    path = written(tmp_path, cell(branches=(3, 2)))
    examined = examine(path)
    (text,) = texts(examined)
    assert says(text, "1 of its basal dendrites | axon | left out | line ")
    assert examined.trees == {BASAL: 3}
    counts = [len(list(root.iter())) for root in open_as_used(path).root_sections]
    # The trunk goes on with the branch that is left.
    assert counts == [7, 3, 7]
    carried = open_as_used(path).root_sections[1]
    assert len(carried.points) == 1 + 3 + 3
    assert len(carried.diameters) == len(carried.points)
    assert {int(section.type) for section in carried.iter()} == {3}


def test_branches_of_other_types_count_as_the_root(tmp_path):
    path = written(tmp_path, cell(kind=3, branches=(4, 4)))
    examined = examine(path)
    assert examined.trees == {BASAL: 3}
    assert examined.tips == {BASAL: 4}
    assert says(texts(examined)[0], "other types | count as basal dendrite")


def test_a_cell_whose_dendrites_all_carry_axons_is_calibrated(tmp_path):
    text = "\n".join(tree(POINT, (7, 0, 0), branches=(3, 2))) + "\n"
    found = population(tmp_path, {f"a{i}": f"# cell {i}\n{text}" for i in range(3)})
    assert found.neurite_types == [BASAL]
    assert says(found.notes[0], "3 of 3 cells | axon | left out | (a0, a1, a2; a0:")


@pytest.mark.parametrize("kind", [0, 5, 7])
def test_trees_of_other_types_are_told(tmp_path, kind):
    found = examine(written(tmp_path, cell(kind=kind)))
    assert texts(found) == [f"1 of its 3 trees are of type {kind} and are not used"]


def test_trees_of_an_asc_file_without_a_known_label(tmp_path):
    path = write_cell(make_cell(np.random.default_rng(0)), tmp_path, "a", "asc")
    text = path.read_text().replace("(Dendrite)", "(Glia)", 1)
    contour = '("a contour"\n(Color Red)\n(1 2 3 0)\n(2 2 3 0)\n)\n'
    marker = "(FilledCircle\n(Color Blue)\n(1 2 3 0) ; 1\n)\n"
    path.write_text(f"; a comment (1 2 3\n{contour}{marker}{text}")
    assert len(open_morphology(path).root_sections) == 2
    (line,) = unread_trees(path)
    (text,) = texts(examine(path))
    assert says(text, f"1 of its 3 trees | label | not used | line {line})")


@pytest.mark.parametrize(
    ("factor", "soma", "words"),
    [
        (1000, 6000, "soma | 6e+03 um | no neuron"),
        (1000, 6, "um | no neuron"),
        (0.001, 0.006, "soma | 0.006 um | no neuron"),
        (0.001, 6, "its dendrites reach"),
        (12, 72, None),
    ],
)
def test_units(tmp_path, factor, soma, words):
    rows = [row.split() for row in cell().splitlines()]
    for row in rows:
        row[2:5] = [str(float(value) * factor) for value in row[2:5]]
    rows[0][5] = str(soma)
    examined = examine(written(tmp_path, "\n".join(map(" ".join, rows)) + "\n"))
    if words is None:
        assert examined.problem is None
        assert says(texts(examined)[0], "too large | nanometres")
    else:
        assert says(examined.problem, words)
        assert "micrometres" in examined.hint.lower()


def test_a_cell_that_is_flat(tmp_path):
    rows = [line.split() for line in cell().splitlines()]
    flat = "\n".join(" ".join([*row[:4], "0", *row[5:]]) for row in rows) + "\n"
    assert any(
        "flat, without depth along z" in text for text in texts(examine(written(tmp_path, flat)))
    )
    assert not any("flat" in text for text in texts(examine(written(tmp_path, cell(), "b.swc"))))


def test_trees_far_from_the_soma(tmp_path):
    rows = tree(tree(POINT, (7, 0, 0)), (0, 300, 0), parent=-1)
    (text,) = texts(examine(written(tmp_path, "\n".join(rows) + "\n")))
    assert says(text, "1 tree | 50 um from the soma | 294 um")


def test_bad_cells_are_named_with_their_line_and_skipped(tmp_path):
    bad = "1 1 0 0 0 0 -1\n2 3 0 5 0 1 1\n3 3 0 9 0 1 2\n"
    cells = {"a": cell(), "bad": bad}
    with pytest.raises(InvalidInputs, match=saying("bad.swc, line 1: | mtype PC | soma | no size")):
        population(tmp_path, cells)
    found = population(tmp_path, cells, on_bad_morphology=SKIP)
    assert [c.name for c in found.cells] == ["a"]
    assert found.as_dict()["lost"] == [{"name": "bad", "reason": "its soma has no size (line 1)"}]


def test_what_is_mended_can_be_extracted(tmp_path):
    """All faults at once, in cells of one mtype; another mtype is extracted beside it."""
    one_point = cell() + f"{len(cell().splitlines()) + 1} 3 0 8 0 0.5 1\n"
    texts_of = {
        "twice": cell(["1 1 0 0 0 6 -1", "2 1 0 0 0 6 1"]),
        "center": "\n".join(tree(tree(POINT, (7, 0, 0)), (0, 0, 0))) + "\n",
        "axon": cell(branches=(3, 2)),
        "point": one_point,
    }
    cells = [ReferenceCell(n, str(written(tmp_path, t, f"{n}.swc"))) for n, t in texts_of.items()]
    dataset = Dataset(tmp_path, tmp_path / "t.dat", ".swc", {"PC": cells})
    found, report = extract_distributions(dataset, processes=1)
    entry = found["default"]["PC"]
    assert entry["soma"]["size"]["norm"] == {"mean": 6.0, "std": 0.0}
    assert entry[BASAL]["num_trees"]["data"] == {"bins": [2, 3], "weights": [1, 3]}
    assert sorted(len(code) for code in entry[BASAL]["persistence_diagram"]) == [4] * 10
    words = "\n".join(report.sentences())
    assert all(f"PC: {name}: " in words for name in texts_of)


def test_cells_of_a_format_that_only_our_reader_knows(tmp_path, monkeypatch):
    """NeuroM, TMD and NeuroTS are handed cells, not the paths of their files."""

    def learned(extension):
        cells = [ReferenceCell(name, str(tmp_path / f"{name}.{extension}")) for name in "ab"]
        dataset = Dataset(tmp_path, tmp_path / "t.dat", f".{extension}", {"PC": cells})
        populations = gather_populations(dataset)
        found = extract_distributions(dataset, processes=1)[0]["default"]
        trees = measure_trees(populations["PC"].paths)
        return {
            "distributions": found["PC"],
            "diagnosis": diagnose(populations, found),
            "trees": {name: values.tolist() for name, values in trees.items()},
        }

    for seed, name in enumerate("ab"):
        write_cell(make_cell(np.random.default_rng(seed)), tmp_path, name)
    expected = learned("h5")
    for name in "ab":
        (tmp_path / f"{name}.h5").rename(tmp_path / f"{name}.own")

    def opened(path):
        return open_morphology(shutil.copy(path, tmp_path / "copy.h5"))

    for module in (mending, morphologies):
        monkeypatch.setattr(module, "open_morphology", opened)
    assert repr(learned("own")) == repr(expected)


def test_lines(tmp_path):
    path = written(tmp_path, "# 1 3 7.0 0 0\n1 1 0 0 0 6 -1\n 2 3 7.0 -1e-3 0 1 1\n")
    assert line_of(path, (7.0, -0.001, 0.0)) == 3
    assert line_of(path, (8.0, 0.0, 0.0)) is None
    assert line_of(path, None) is None
