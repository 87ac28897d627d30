"""The structure tier: each property, and what breaking it does to its verdict."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from helpers.factories import random_morphology
from region_grower_flow.cell.order import nrn_ordered
from region_grower_flow.io.containers import write_container
from region_grower_flow.io.morphologies import load_morphology, write_morphology
from region_grower_flow.morphology import BASAL_DENDRITE
from region_grower_flow.validation import structure
from region_grower_flow.validation.verdict import FAIL, NOT_TESTABLE, PASS
from region_grower_flow.validation.written import MtypeCells, Synthesized

EXTENSIONS = ("h5", "swc", "asc")
COUNTS = (structure.ROWS, structure.FILES, structure.DROPPED, structure.STRAY)


@pytest.fixture
def written(tmp_path):
    """Three sound cells in all formats: the Synthesized of one mtype."""
    names = ["a", "b", "c"]
    digests = {}
    for seed, name in enumerate(names):
        cell, _ = nrn_ordered(random_morphology(seed, diameters="random"))
        found = write_morphology(tmp_path, name, cell, EXTENSIONS)
        digests.update({f"{name}.{e}": tuple(known) for e, known in found.items()})
    cells = MtypeCells(5, names, [0, 1, 2], {"too thin": 2}, recorded=None)
    cells.recorded = cells.in_summary()
    return Synthesized(tmp_path, EXTENSIONS, {"PC": cells}, digests)


def verdicts(synthesized, known=True):
    """{test: Verdict} of the mtype's cells and numbers."""
    if not known:
        synthesized = replace(synthesized, digests={})
    cells = synthesized.written(synthesized.mtypes["PC"].names)
    examined = structure.examine_cells(synthesized.folder, cells, synthesized.extensions)
    recorded = bool(synthesized.digests)
    found = structure.cell_verdicts("PC", [examined], len(synthesized.extensions), recorded)
    found += structure.count_verdicts("PC", synthesized)
    found.append(structure.stray_verdict(synthesized))
    return {verdict.test: verdict for verdict in found}


def failed(synthesized, known=True):
    return {t for t, v in verdicts(synthesized, known).items() if v.verdict == FAIL}


def edit_h5(synthesized, name, change):
    with h5py.File(synthesized.folder / f"{name}.h5", "r+") as file:
        points, structure_table = file["points"][()], file["structure"][()]
        points, structure_table = change(points, structure_table)
        for key, value in (("points", points), ("structure", structure_table)):
            del file[key]
            file[key] = value


def set_last(value, column):
    def change(points, table):
        points[-1, column] = value
        return points, table

    return change


def test_sound_cells_pass_everything(written):
    found = verdicts(written)
    assert set(found) == {*structure.CELL_TESTS, *COUNTS}
    assert {v.verdict for v in found.values()} == {PASS}
    assert all(v.statistic == 1.0 and v.detail == "" for v in found.values())


@pytest.mark.parametrize("value", [0.0, -0.5, np.inf, np.nan])
def test_a_diameter_that_is_not_above_zero(written, value):
    edit_h5(written, "b", set_last(value, 3))
    verdict = verdicts(written, known=False)[structure.DIAMETERS]
    assert verdict.verdict == FAIL
    assert verdict.statistic == pytest.approx(2 / 3)
    assert "1 of 3 cells: b.h5: 1 of" in verdict.detail


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("column", [0, 2])
def test_a_point_that_is_not_finite(written, value, column):
    edit_h5(written, "a", set_last(value, column))
    assert structure.FINITE in failed(written, known=False)


def test_a_negative_radius_in_swc(written):
    path = written.folder / "c.swc"
    lines = path.read_text().splitlines()
    words = lines[-1].split()
    words[5] = "-1.0"
    path.write_text("\n".join([*lines[:-1], " ".join(words)]) + "\n")
    assert structure.DIAMETERS in failed(written, known=False)


def test_a_soma_without_area(written):
    """As NeuroTS's own SWC files have it: a chain of points of radius 0."""
    path = written.folder / "a.swc"
    lines = path.read_text().splitlines()
    soma = next(i for i, line in enumerate(lines) if line.split()[:2] == ["1", "1"])
    words = lines[soma].split()
    words[5] = "0.0"
    lines[soma] = " ".join(words)
    path.write_text("\n".join(lines) + "\n")
    assert structure.SOMA in failed(written, known=False)


def test_a_chain_of_points_is_a_chain_of_cylinders():
    cell = random_morphology(0)
    points = np.array([[0, -5, 0], [0, 0, 0], [0, 5, 0]], dtype=np.float32)
    chain = replace(cell, soma_points=points, soma_diameters=np.full(3, 10, np.float32))
    assert structure.soma_area(chain, "swc") == pytest.approx(np.pi * 10 * 10)
    chain = replace(chain, soma_diameters=np.zeros(3, np.float32))
    assert structure.soma_area(chain, "swc") == 0.0


def test_a_unifurcation(written):
    def split(points, table):
        """Cut the last section in two, one below the other."""
        first, kind, _ = table[-1]
        middle = first + 1
        points = np.insert(points, middle, points[middle], axis=0)
        below = [middle + 1, kind, len(table) - 1]
        return points, np.vstack([table, [below]])

    edit_h5(written, "b", split)
    assert structure.UNIFURCATIONS in failed(written, known=False)


def test_a_file_that_has_changed_is_noticed_though_it_is_sound(written):
    path = written.folder / "b.asc"
    path.write_text(path.read_text() + "; a comment\n")
    assert failed(written) == {structure.READ_BACK}
    assert "b.asc is not what was written" in verdicts(written)[structure.READ_BACK].detail


def test_without_a_record_nothing_is_known_to_be_read_back(written):
    found = verdicts(written, known=False)
    for test in (structure.READ_BACK, structure.STRAY):
        assert found[test].verdict == NOT_TESTABLE
    assert found[structure.READABLE].verdict == PASS


def test_a_file_that_the_record_does_not_know(written):
    del written.digests["b.swc"]
    assert failed(written) == {structure.READ_BACK}
    assert "b.swc is not in the record" in verdicts(written)[structure.READ_BACK].detail


def test_one_format_is_compared_with_nothing(written):
    one = replace(written, extensions=("h5",))
    assert structure.FORMATS not in verdicts(one)


def test_formats_of_different_cells(written):
    other, _ = nrn_ordered(random_morphology(7, diameters="random"))
    write_morphology(written.folder, "a", other, ["swc"])
    assert failed(written, known=False) == {structure.FORMATS}


def test_formats_that_differ_in_one_point(written):
    edit_h5(written, "a", lambda points, table: (points + [[0, 0, 0.01, 0]], table))
    verdict = verdicts(written, known=False)[structure.FORMATS]
    assert verdict.verdict == FAIL
    assert "by 0.01 um" in verdict.detail


def test_a_missing_file(written):
    (written.folder / "c.asc").unlink()
    assert failed(written) == {structure.FILES, structure.READABLE, structure.READ_BACK}
    assert "c.asc" in verdicts(written)[structure.FILES].detail


def test_a_file_that_is_no_morphology(written):
    (written.folder / "c.h5").write_bytes(b"nothing")
    assert structure.READABLE in failed(written, known=False)


def test_a_deleted_row(written):
    cells = written.mtypes["PC"]
    cells.names.remove("b")
    assert structure.ROWS in failed(written)
    written.stray.append("b.h5")
    assert structure.STRAY in failed(written)


def test_rows_that_only_the_summary_agrees_with(written):
    cells = written.mtypes["PC"]
    cells.names.remove("b")
    cells.recorded = cells.in_summary()
    verdict = verdicts(written)[structure.ROWS]
    assert verdict.verdict == FAIL
    assert verdict.detail == "5 asked, 2 dropped, but 2 rows"


def test_two_rows_of_one_cell(written):
    written.mtypes["PC"].names[1] = "a"
    assert structure.ROWS in failed(written)


def test_a_summary_that_says_something_else(written):
    written.mtypes["PC"].recorded["dropped"] = 1
    assert structure.ROWS in failed(written)


def test_a_summary_that_says_nothing(written):
    written.mtypes["PC"].recorded = None
    assert failed(written) == {structure.ROWS}


def test_a_dropped_cell_without_a_reason(written):
    written.mtypes["PC"].dropped = {"too thin": 1, "": 1}
    assert failed(written) == {structure.DROPPED}


def test_a_cell_that_is_lost(written):
    cells = written.mtypes["PC"]
    cells.dropped, cells.lost = {"too thin": 1}, [3]
    assert {structure.DROPPED, structure.ROWS} <= failed(written)


def test_no_cell_at_all_is_no_failure(tmp_path):
    cells = MtypeCells(recorded={"asked": 0, "made": 0, "dropped": 0})
    found = verdicts(Synthesized(tmp_path, EXTENSIONS, {"PC": cells}))
    # Nor a pass: nothing has been looked at.
    words = {test: verdict.verdict for test, verdict in found.items()}
    assert words.pop(structure.DROPPED) == PASS
    assert set(words.values()) == {NOT_TESTABLE}


def test_unifurcations_are_counted():
    cell = random_morphology(0, trees=((BASAL_DENDRITE, 3),))
    assert structure.unifurcations(cell) == 0
    chain = replace(cell, parents=np.array([-1, 0, 1]))
    assert structure.unifurcations(chain) == 2


def test_parts_of_the_cells_add_up(written):
    edit_h5(written, "b", set_last(0.0, 3))
    cells = written.written(["a", "b", "c"])
    parts = [structure.examine_cells(written.folder, [cell], ["h5"]) for cell in cells]
    whole = structure.examine_cells(written.folder, cells, ["h5"])
    assert structure.cell_verdicts("PC", parts) == structure.cell_verdicts("PC", [whole])


def test_a_container_is_read_too(written, tmp_path):
    names = written.mtypes["PC"].names
    items = {name: load_morphology(written.folder / f"{name}.h5") for name in names}
    path = tmp_path / "all.h5"

    def found():
        cells = written.written(names)
        examined = structure.examine_cells(written.folder, cells, ("h5",), path)
        return {v.test for v in structure.cell_verdicts("PC", [examined]) if v.verdict == FAIL}

    write_container(path, items.items())
    assert found() == set()
    write_container(path, {**items, "a": items["b"]}.items())
    assert found() == {structure.FORMATS}
    del items["c"]
    write_container(path, items.items())
    assert found() == {structure.READABLE}


def test_the_area_is_that_of_neuron(written):
    """NEURON itself, where it is installed: the soma's area in SWC and ASC."""
    neuron = pytest.importorskip("neuron")
    neuron.h.load_file("import3d.hoc")
    readers = {"swc": neuron.h.Import3d_SWC_read, "asc": neuron.h.Import3d_Neurolucida3}
    for extension, reader in readers.items():
        path = written.folder / f"a.{extension}"
        read = reader()
        read.quiet = True
        read.input(str(path))
        for section in list(neuron.h.allsec()):
            neuron.h.delete_section(sec=section)
        neuron.h.Import3d_GUI(read, False).instantiate(None)
        soma = next(s for s in neuron.h.allsec() if "soma" in s.name())
        area = sum(segment.area() for segment in soma)
        mine = structure.soma_area(load_morphology(path), extension)
        assert area == pytest.approx(mine, rel=0.02)
