import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.oracle import needs_oracle
from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.io.axons import (
    check_axon_table,
    check_na_ratio,
    load_axon_table,
    na_ratio_by_mtype,
)


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "axons.tsv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def messages(path, ids, folder=None):
    return [str(problem) for problem in check_axon_table(path, ids, folder)]


@pytest.mark.parametrize(
    "text",
    [
        "\tmorphology\tscale\n0\ta\t0.5\n1\tN/A\t1\n2\tb\tN/A\n",
        "morphology scale\n0 a 0.5\n1 N/A 1\n2 b N/A\n",
        "gid\tmorphology\tscale\n0\ta\t0.5\n1\tN/A\t1\n2\tb\tN/A\n",
        "gid scale morphology\n0 .5 a\n1 1 null\n2 nan b\n",
        '"" "morphology" "scale"\n0 "a" 5e-1\n\n1 NaN 1.0\n2 b\n',
        " morphology   scale\r\n2 b NA\r\n0 a 0.5\r\n1 None 1\r\n",
        "gid morphology scale comment\n0 a 0.5 x\n1 NA 1 y\n2 b NA z\n",
    ],
)
def test_layouts_of_the_table(table, text):
    names, scales = load_axon_table(table(text), range(3))
    assert names.tolist() == ["a", None, "b"]
    assert scales[:2].tolist() == [0.5, 1.0]
    assert np.isnan(scales[2])


def test_without_scales(table):
    names, scales = load_axon_table(table("morphology\n1 b\n0 a\n"), [0, 1])
    assert names.tolist() == ["a", "b"]
    assert np.isnan(scales).all()


def test_the_order_is_that_of_the_ids(table):
    names, _ = load_axon_table(table("morphology\n5 five\n7 seven\n"), np.array([7, 5]))
    assert names.tolist() == ["seven", "five"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("morphology scale\n0 a 1\n", "1 cells of the input have no row (ids 1)"),
        ("morphology\n0 a\n1 b\n7 c\n9 d\n", "2 ids are no cells of the input (ids 7, 9)"),
        ("morphology scale\n0 a 1\n1 b 1\n1 c 1\n", "1 ids are there more than once (ids 1)"),
        ("morphology scale\n0 a 1\n1 b big\n", "line 3: the scale 'big' is not a number"),
        ("morphology scale\n0 a 1\n1 b 1_0\n", "line 3: the scale '1_0' is not a number"),
        ("morphology scale\n0 a 1\n1_0 b 1\n", "line 3: '1_0' is not the id of a cell"),
        ("morphology scale\n0 a 1\n1 b 0\n", "line 3: the scale must be finite and more than 0"),
        ("morphology scale\n0 a 1\n1 b -2\n", "not -2"),
        ("morphology scale\n0 a 1\n1 b inf\n", "not inf"),
        ("morphology scale\n0 a 1\nx b 1\n", "line 3: 'x' is not the id of a cell"),
        ("morphology scale\n0 a 1\n1.5 b 1\n", "line 3: '1.5' is not the id"),
        ("morphology scale\n0 a 1\n1 b 1 2 3\n", "line 3: has 5 columns, expected at most 3"),
        ("name scale\n0 a 1\n1 b 1\n", "the first line must name the column 'morphology'"),
        ("morphology scale morphology\n0 a 1 b\n1 b 1 a\n", "'morphology' more than once"),
        ("", "the file is empty"),
    ],
)
def test_bad_tables(table, text, words):
    path = table(text)
    found = messages(path, [0, 1])
    assert any(words in message for message in found), found
    assert all("axons.tsv" in message for message in found)
    with pytest.raises(InvalidInput):
        load_axon_table(path, [0, 1])


def test_all_problems_at_once(table):
    path = table("morphology scale\n0 a x\n1 b 0\n9 ../c 1\n")
    found = messages(path, [0, 1, 2])
    assert len(found) == 5
    assert not any("ids 0" in message or "ids 1" in message for message in found)
    with pytest.raises(InvalidInputs) as caught:
        load_axon_table(path, [0, 1, 2])
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "x/../../a", "./a", "a\x00b"])
def test_names_that_leave_the_folder(table, tmp_path, name):
    found = messages(table(f"morphology\n0 ok\n1 {name}\n"), [0, 1], tmp_path)
    assert len(found) == 1
    assert "line 3" in found[0]


def test_names_may_be_in_sub_folders(table, tmp_path):
    assert messages(table("morphology\n0 sub/ok\n"), [0], tmp_path) == []


def test_a_missing_morphology_is_no_problem_but_a_missing_folder_is(table, tmp_path):
    path = table("morphology\n0 UNKNOWN\n")
    assert messages(path, [0], tmp_path) == []
    found = messages(path, [0], tmp_path / "absent")
    assert len(found) == 1
    assert "absent" in found[0]


def test_a_missing_table(tmp_path):
    found = messages(tmp_path / "absent.tsv", [0])
    assert len(found) == 1
    assert "does not exist" in found[0]


def test_ratio_of_cells_without_axon():
    names = ["a", None, None, "b", None]
    mtypes = ["A", "A", "B", "B", "C"]
    ratios = na_ratio_by_mtype(names, mtypes)
    assert list(ratios) == ["C", "A", "B"]
    assert ratios["C"] == (1, 1, 1.0)
    assert ratios["A"] == (1, 2, 0.5)
    assert na_ratio_by_mtype(["a"], ["A"]) == {}


def test_the_limit_may_be_reached_and_not_exceeded():
    names, mtypes = ["a", None, "b", None], ["A", "A", "B", "B"]
    assert check_na_ratio(names, mtypes, 0.5) == []
    problems = check_na_ratio(names, mtypes, 0.49, where="axons.tsv")
    assert len(problems) == 1
    assert "49 %" in str(problems[0])
    assert "A (1 of 2), B (1 of 2)" in str(problems[0])
    assert "axons.tsv" in str(problems[0])
    assert len(check_na_ratio(names, mtypes, 0)) == 1


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b-1", "N/A", "x.y"]),
            st.one_of(st.none(), st.floats(1e-3, 1e3)),
        ),
        min_size=1,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_a_written_table_is_read_back(tmp_path_factory, rows, random):
    lines = [f"{i}\t{name}\t{s or 'N/A'}" for i, (name, s) in enumerate(rows)]
    random.shuffle(lines)
    path = tmp_path_factory.mktemp("axons") / "axons.tsv"
    path.write_text("\n".join(["\tmorphology\tscale", *lines]) + "\n")
    names, scales = load_axon_table(path, range(len(rows)))
    assert names.tolist() == [None if name == "N/A" else name for name, _ in rows]
    expected = [np.nan if scale is None else scale for _, scale in rows]
    np.testing.assert_allclose(scales, expected, rtol=1e-15)


@needs_oracle
def test_scales_have_the_last_digit_that_pandas_gives_them(table):
    path = table("\tmorphology\tscale\n0\ta\t1.8072768069805372\n1\ta\t0.7\n")
    _, scales = load_axon_table(path, [0, 1])
    assert scales.tolist() == [1.8072768069805367, 0.7]
