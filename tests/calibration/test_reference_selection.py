"""Which cells of which mtypes are calibrated."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.reference_cells import INTERNEURON, PYRAMIDAL, write_dataset
from helpers.sentences import says
from region_grower_flow import ExtractDistributions
from region_grower_flow.calibration.dataset import Dataset, ReferenceCell, split_dataset
from region_grower_flow.calibration.populations import gather_populations
from region_grower_flow.calibration.report import CalibrationReport
from region_grower_flow.calibration.selection import Selection, restrict, select, substitute
from region_grower_flow.errors import InvalidInput, InvalidInputs


def make_dataset(**counts):
    return Dataset(
        Path("cells"),
        Path("neurondb.dat"),
        ".h5",
        {
            mtype: [ReferenceCell(f"{mtype}_{i}", f"cells/{mtype}_{i}.h5") for i in range(count)]
            for mtype, count in counts.items()
        },
    )


def names(dataset):
    return {mtype: [cell.name for cell in cells] for mtype, cells in dataset.mtypes.items()}


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 5), st.lists(st.integers(1, 12), min_size=1, max_size=4), st.randoms())
def test_halves(seed, counts, shuffler):
    dataset = make_dataset(**{f"M{i}": count for i, count in enumerate(counts)})
    fit = names(split_dataset(dataset, "fit", seed))
    test = names(split_dataset(dataset, "test", seed)) if max(counts) > 1 else {}
    for mtype, cells in names(dataset).items():
        assert sorted(fit[mtype] + test.get(mtype, [])) == sorted(cells)
        assert 0 <= len(fit[mtype]) - len(test.get(mtype, [])) <= 1
        assert fit[mtype] == [name for name in cells if name in fit[mtype]]  # the table's order
    # Neither the order of the table nor other mtypes change who is in which half.
    mixed = {mtype: shuffler.sample(cells, len(cells)) for mtype, cells in dataset.mtypes.items()}
    other = split_dataset(replace(dataset, mtypes=mixed), "fit", seed)
    assert {m: sorted(cells) for m, cells in names(other).items()} == {
        m: sorted(cells) for m, cells in fit.items()
    }
    alone = split_dataset(replace(dataset, mtypes={"M0": dataset.mtypes["M0"]}), "fit", seed)
    assert names(alone) == {"M0": fit["M0"]}


def test_another_seed_gives_other_halves():
    dataset = make_dataset(A=20)
    halves = {tuple(names(split_dataset(dataset, "fit", seed))["A"]) for seed in range(5)}
    assert len(halves) == 5


def test_halves_are_drawn_not_alternated_in_the_tables_order():
    dataset = make_dataset(A=20)
    assert names(split_dataset(dataset, "fit", 0))["A"] != names(dataset)["A"][::2]


def test_an_mtype_of_one_cell_has_no_test_half():
    dataset = make_dataset(A=1, B=4)
    assert list(split_dataset(dataset, "test").mtypes) == ["B"]
    assert list(split_dataset(dataset, "fit").mtypes) == ["A", "B"]
    assert split_dataset(dataset) is dataset
    with pytest.raises(InvalidInput, match="no mtype has a cell in the half 'test'"):
        split_dataset(make_dataset(A=1), "test")
    with pytest.raises(InvalidInput, match="unknown part of the reference 'half'"):
        split_dataset(dataset, "half")


def test_the_half_is_noted():
    half = split_dataset(make_dataset(A=5), "test", 3)
    assert half.notes == {"A": ["2 of its 5 cells are in the half 'test' (validation_seed 3)"]}


def test_borrowing():
    dataset = substitute(make_dataset(A=2, B=1, C=1), {"A": ["X", "C"], "B": "X"})
    assert names(dataset) == {
        "A": ["A_0", "A_1"],
        "B": ["B_0"],
        "C": ["C_0", "A_0", "A_1"],
        "X": ["A_0", "A_1", "B_0"],
    }
    assert dataset.notes == {
        "X": ["borrows the 2 cells of A", "borrows the one cell of B"],
        "C": ["borrows the 2 cells of A, in addition to its own 1"],
    }


def test_only_own_cells_are_lent():
    dataset = substitute(make_dataset(A=1, B=1), {"A": ["B"], "B": ["C"]})
    assert names(dataset)["C"] == ["B_0"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"L5_Y": ["L5_Y"]}, "an mtype cannot borrow its own cells"),
        ({"L5_Y": []}, "{mtype that has cells: | found []"),
        ({"L5_Y": [4]}, "found [4]"),
        ({"L5_Y": None}, "found None"),
        ({"L5_Y": ["A", "A"]}, "A is there twice"),
        (["L5_Y"], "found list"),
    ],
)
def test_bad_rules(rules, expected):
    with pytest.raises(InvalidInputs) as error:
        substitute(make_dataset(L5_Y=2), rules)
    assert says(error.value, expected)


def test_all_problems_of_rules_at_once():
    with pytest.raises(InvalidInputs) as error:
        substitute(make_dataset(A=1, B=1, C=1), {"B": ["B"], "C": [], "A": [1]})
    assert len(error.value.problems) == 3


def test_rules_that_match_nothing_are_told(caplog):
    """As synthesis-workflow passes over them: one file serves several datasets."""
    dataset = substitute(make_dataset(L5_Y=2), {"L5_X": ["L4_X"], "L5_Y": ["L4_Y"]})
    assert list(dataset.mtypes) == ["L5_Y", "L4_Y"]
    assert says(caplog.text.lower(), "rules | l5_x | did you mean 'l5_y'?")


def test_restriction():
    dataset = make_dataset(A=1, B=2, C=1)
    assert list(restrict(dataset, ("C", "A")).mtypes) == ["A", "C"]
    assert restrict(dataset, ()) is dataset
    with pytest.raises(InvalidInputs) as error:
        restrict(make_dataset(L5_TPC=1), ("L5_TCP", "zz"))
    first, second = map(str, error.value.problems)
    assert says(first, "'L5_TCP' | 1 of neurondb.dat | Did you mean 'L5_TPC'?")
    assert "'zz'" in second


def test_an_mtype_that_only_borrows_can_be_asked_for():
    selected = select(make_dataset(A=2, B=1), Selection(("X",), {"A": ["X"]}))
    assert names(selected) == {"X": ["A_0", "A_1"]}


def test_a_borrowed_cell_is_in_the_half_of_its_owner():
    dataset = make_dataset(A=7, B=5, C=1)
    rules = {"A": ["X", "B"], "C": ["X"]}
    fit = names(select(dataset, Selection((), rules, "fit", 1)))
    test = names(select(dataset, Selection((), rules, "test", 1)))
    own = names(split_dataset(dataset, "fit", 1))
    assert fit["X"] == own["A"] + own["C"]
    assert set(fit["X"]).isdisjoint(test["X"] + test["B"])
    assert set(fit["B"]).isdisjoint(test["B"] + test["X"])
    assert list(names(select(dataset, Selection(("C", "A"), rules, "test")))) == ["A"]
    with pytest.raises(InvalidInput, match="no mtype has a cell in the half 'test'"):
        select(dataset, Selection(("C",), rules, "test"))


def test_an_mtype_without_a_cell_in_a_half_is_noted():
    selected = select(make_dataset(A=1, B=2), Selection((), None, "test"))
    assert list(selected.mtypes) == ["B"]
    assert selected.notes["A"] == ["0 of its 1 cells are in the half 'test' (validation_seed 0)"]


def test_the_report_says_who_borrows_and_who_has_no_cell_left(dataset):
    lent = substitute(dataset, {PYRAMIDAL: ["L4_PC"]})
    lent = replace(lent, notes={**lent.notes, "L9_X": ["2 of its cells not used"]})
    populations = gather_populations(lent)
    report = CalibrationReport.of_populations("distributions", populations)
    sentences = list(report.sentences())
    assert "distributions of 3 mtypes from 18 cells." in sentences
    assert "L4_PC: borrows the 6 cells of L5_PC:A." in sentences
    assert "No cell is left of L9_X." in sentences
    assert "L9_X: 2 of its cells not used." in sentences
    assert populations["L4_PC"].paths == populations[PYRAMIDAL].paths


def test_variants_of_one_reconstruction_stay_together():
    cells = [
        ReferenceCell(f"c{i}", f"c{i}.h5", group="" if i < 4 else f"parent {i % 2}")
        for i in range(8)
    ]
    dataset = replace(make_dataset(), mtypes={"A": cells})
    for seed in range(8):
        fit = names(split_dataset(dataset, "fit", seed))["A"]
        test = names(split_dataset(dataset, "test", seed))["A"]
        assert sorted(fit + test) == [f"c{i}" for i in range(8)]
        assert len(fit) in (4, 5)
        for variants in ({"c4", "c6"}, {"c5", "c7"}):
            assert variants <= set(fit) or variants <= set(test)
    alike = replace(make_dataset(), mtypes={"A": [c._replace(group="p") for c in cells]})
    assert len(split_dataset(alike, "fit").mtypes["A"]) == 8
    with pytest.raises(InvalidInput, match="no mtype has a cell in the half 'test'"):
        split_dataset(alike, "test")


def test_only_calibrated_mtypes_are_fingerprinted(tmp_path):
    source, table = write_dataset(tmp_path)
    (tmp_path / "rules.yaml").write_text(f"{PYRAMIDAL}: [L4_PC]\n")

    def files(**options):
        task = ExtractDistributions(
            morphologies_dir=str(source), dat_file=str(table), work_dir=str(tmp_path), **options
        )
        return task, set(task.external_files())

    pyramids = {f"reconstruction pc_{i}" for i in range(6)}
    task, found = files(mtypes="L4_PC", substitutions=str(tmp_path / "rules.yaml"))
    assert found == {"dat_file", "substitutions", *pyramids}
    assert files(mtypes=f" {INTERNEURON} ,")[1] == {
        "dat_file",
        *(f"reconstruction in_{i}" for i in range(6)),
    }
    before = task.recipe()
    (source / "in_0.h5").write_bytes(b"")
    assert task.recipe() == before
    (tmp_path / "rules.yaml").write_text(f"{PYRAMIDAL}: [L4_PC, L5_X]\n")
    assert task.recipe() != before
    halves = [files(reference_part=part)[1] - {"dat_file"} for part in ("fit", "test")]
    assert halves[0].isdisjoint(halves[1])
    assert len(halves[0] | halves[1]) == 12


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"mtypes": "L5_PC"}, "option mtypes: | 'L5_PC' | the 2 of"),
        ({"substitutions": "absent.yaml"}, "absent.yaml"),
        ({"reference_part": "half"}, "option reference_part: 'half' is not valid"),
        ({"validation_seed": -1}, "option validation_seed: -1 is not valid"),
        ({"mtypes": PYRAMIDAL, "morphologies_ext": "swc"}, "is .h5 the extension?"),
    ],
)
def test_bad_choices_are_said_by_the_check(tmp_path, monkeypatch, options, expected):
    source, table = write_dataset(tmp_path)
    (tmp_path / "rules.yaml").write_text("L5_PC: [L4_PC]\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput) as error:
        ExtractDistributions(
            morphologies_dir=str(source), dat_file=str(table), work_dir="work", **options
        ).check().run()
    assert says(error.value, expected)
    assert not (tmp_path / "work").exists()
