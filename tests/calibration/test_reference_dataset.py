import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.reference_cells import INTERNEURON, PYRAMIDAL, write_dat, write_dataset
from helpers.sentences import says
from region_grower_flow.calibration.dataset import read_dataset
from region_grower_flow.calibration.tables import parse_table
from region_grower_flow.errors import InvalidInput, InvalidInputs


@pytest.fixture
def folder(tmp_path):
    """A folder with three empty morphology files."""
    cells = tmp_path / "cells"
    cells.mkdir()
    for name in ("a", "b", "c"):
        (cells / f"{name}.h5").touch()
    return cells


def read(folder, lines, extension=".h5"):
    return read_dataset(folder, write_dat(folder.parent, lines), extension)


def check_dataset(folder, table, extension=".h5"):
    try:
        read_dataset(folder, table, extension)
    except InvalidInputs as errors:
        return errors.problems
    return []


def problems(folder, lines, extension=".h5"):
    found = check_dataset(folder, write_dat(folder.parent, lines), extension)
    assert all(isinstance(problem, InvalidInput) for problem in found)
    return [str(problem) for problem in found]


def names(dataset):
    return {mtype: [cell.name for cell in cells] for mtype, cells in dataset.mtypes.items()}


@pytest.mark.parametrize("extension", ["h5", "swc", "asc"])
def test_dataset_of_each_extension(tmp_path, extension):
    cells, dat_file = write_dataset(tmp_path, extension)
    dataset = read_dataset(cells, dat_file, extension)
    assert dataset == read_dataset(cells, dat_file, f".{extension.upper()}")
    assert list(dataset.mtypes) == [PYRAMIDAL, INTERNEURON]
    assert dataset.n_cells == 12
    assert dataset.mtypes[INTERNEURON][1].path == str(cells / f"in_1.{extension}")


def test_header_is_optional(folder):
    rows = ["a 5 L5_PC:A", "b 1 L1_IN", "c 5 L5_PC:A"]
    expected = {"L5_PC:A": ["a", "c"], "L1_IN": ["b"]}
    for header in ([], ["morphology layer mtype"], ["0 1 2"], ["# made by hand", "", "x y z"]):
        assert names(read(folder, header + rows)) == expected


def test_a_first_line_with_a_known_name_is_no_header(folder):
    assert names(read(folder, ["a five PC", "b 5 PC"])) == {"PC": ["a", "b"]}


@pytest.mark.parametrize("layers", ["L1 L2 L3", "V 5.0 VI", "1 L2 3", "5 unknown 5"])
def test_layers_are_any_words(folder, layers):
    lines = [f"{n} {layer} PC" for n, layer in zip("abc", layers.split(), strict=True)]
    assert names(read(folder, lines)) == {"PC": ["a", "b", "c"]}
    assert names(read(folder, ["name region mtype", *lines])) == {"PC": ["a", "b", "c"]}
    # A misspelt first name is no header.
    (problem,) = problems(folder, ["aa L1 PC", "b L2 PC"])
    assert "line 1: there is no" in problem


def test_rows_that_say_the_same_twice_are_one_cell(folder):
    lines = ["a 1 IN cNAC combo1", "a 1 IN bNAC combo2", "a L1 IN x", "c 1 IN cNAC combo1"]
    dataset = read(folder, lines)
    assert names(dataset) == {"IN": ["a", "c"]}
    (note,) = dataset.notes["IN"]
    assert says(note, "2 rows | once counted | a (line 2), a (line 3)")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("d.swc", "d.swc"),
        ("d.SWC", "d"),
        ("d.CNG.swc", "d"),
        ("sub/d.CNG.swc", "d"),
        ("d.CNG.swc", "d.swc"),
        ("d.asc", "d.asc"),
    ],
)
def test_names_that_are_nearly_those_of_files(folder, file, name):
    (folder / "sub").mkdir()
    (folder / file).touch()
    dataset = read(folder, [f"{name} L1 IN"], "swc")
    assert dataset.mtypes["IN"][0].path == str(folder / file)


def test_a_name_that_two_files_may_mean(folder):
    for file in ("d.SWC", "d.CNG.swc"):
        (folder / file).touch()
    assert "there are 2 files of the name 'd'" in problems(folder, ["d 1 IN"], "swc")[0]


def test_any_white_space_comments_blank_lines_and_more_columns(folder):
    lines = [
        "\ufeffname\tlayer\tmtype",
        "",
        "  a\t\t5   PC  ",
        "# b is next",
        "b 5 PC extra\r",
        "\t",
    ]
    assert names(read(folder, lines)) == {"PC": ["a", "b"]}


def test_copies_in_a_work_folder_among_the_reconstructions_are_none(folder):
    for place in ("sub", "work/manifests", "work/prepared_reconstructions"):
        (folder / place).mkdir(parents=True)
    for place in ("sub", "work/prepared_reconstructions"):
        (folder / place / "d.h5").touch()
    assert names(read(folder, ["d 5 PC"])) == {"PC": ["d"]}


def test_names_in_sub_folders(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "d.h5").touch()
    assert names(read(folder, ["sub/d 5 PC"])) == {"PC": ["sub/d"]}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("b 5", "line 2: | 2 of 3 columns"),
        ("a 5 IN", "line 2: | 'a' (IN) | line 1 (PC)"),
        ("bb 5 PC", "line 2: there is no"),
        ("../cells/b 5 PC", "line 2: | '../cells/../cells/b'"),
        ("../b 5 PC", "line 2: | '../b' | out of the folder"),
        ("/b 5 PC", "line 2: | '/b' | out of the folder"),
        (". 5 PC", "line 2: | '.' | out of the folder"),
    ],
)
def test_bad_lines(folder, line, expected):
    if "../cells/b" in line:
        assert problems(folder, ["a 5 PC", line]) == []  # it comes back into the folder
        return
    (problem,) = problems(folder, ["a 5 PC", line])
    assert says(problem, expected)
    assert "neurondb.dat" in problem


def test_what_is_no_table_is_one_sentence(folder):
    (problem,) = problems(folder, ["mtypes:", *(f"name: c{i}" for i in range(40)), "a 5 PC"])
    assert says(problem, "41 of 42 lines | 3 columns | first 1 | morphology's name")
    table = folder.parent / "rules.yaml"
    table.write_text("PC:\n" + "  - a\n" * 40)
    (problem,) = map(str, check_dataset(folder, table))
    assert says(problem, "table | YAML | CSV, TSV or neuronDB XML")


def test_all_problems_are_reported_together(folder):
    lines = ["a 5 PC", "b", "a 5 IN", "c 5", "missing 5 PC"]
    found = problems(folder, lines)
    assert len(found) == 4
    with pytest.raises(InvalidInput) as error:
        read(folder, lines)
    assert str(error.value).splitlines() == found


def test_absent_morphologies_get_help(folder):
    (folder / "pyramid.asc").touch()
    (folder / "pyramid_2.h5").touch()
    (folder / "Cell.v2.h5").touch()
    other, close, longer = problems(folder, ["pyramid 5 PC", "pyramid_3 5 PC", "cell 5 PC"])
    assert "Did you mean 'Cell.v2'?" in longer
    assert "There is pyramid.asc; is .asc the extension?" in other
    assert "Did you mean 'pyramid_2'" in close


def test_a_name_that_is_too_long_for_a_file_is_absent(folder):
    (problem,) = problems(folder, [f"{'a' * 300} 5 PC", "b 5 PC"])
    assert "there is no" in problem
    table = folder.parent / "t.csv"
    table.write_text(f"path,mtype\n{'a' * 300}.h5,PC\n")
    (problem,) = map(str, check_dataset(folder, table))
    assert "there is no" in problem


def test_many_absent_morphologies_share_a_sentence(folder):
    rows = [f"x{i} 5 PC" for i in range(50)]
    found = problems(folder, ["a 5 PC", *rows])
    assert len(found) == 21
    assert "30 more morphologies are absent: x20, x21" in found[-1]
    first, others = problems(folder, rows)  # none at all: the folder is wrong
    assert "x0" in first
    assert "49 more morphologies are absent: x1, x2" in others
    assert "see morphologies_dir" in others


def test_a_folder_in_place_of_a_morphology(folder):
    (folder / "d.h5").mkdir()
    assert "is not a file that can be read" in problems(folder, ["d 5 PC"])[0]


@pytest.mark.parametrize("extension", ["txt", "", ".obj", "hdf5"])
def test_unknown_extension(folder, extension):
    assert "Use one of .h5, .swc, .asc" in problems(folder, ["a 5 PC"], extension)[0]


@pytest.mark.parametrize("lines", [[], ["name layer mtype"], ["", "# nothing"]])
def test_nothing_named(folder, lines):
    assert "no morphology is named" in problems(folder, lines)[0]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a 5 PC\nb 5 \xe9PC\n", "line 2: | UTF-8 | 0xe9"),
        ("a 5 PC".encode("utf-16"), "line 1: | UTF-8 | 0xff"),
        (b"a 5 PC\nb\0 5 PC\n", "line 2: | NUL byte"),
    ],
)
def test_wrong_encoding(folder, content, expected):
    dat_file = folder.parent / "neurondb.dat"
    dat_file.write_bytes(content)
    (problem,) = check_dataset(folder, dat_file)
    assert says(problem, expected)


def test_absent_files_and_folders(folder):
    dat_file = write_dat(folder.parent, ["a 5 PC"])
    assert "does not exist" in str(check_dataset(folder, folder / "none.dat")[0])
    assert "a file was expected" in str(check_dataset(folder, folder)[0])
    assert "does not exist" in str(check_dataset(folder / "none", dat_file)[0])
    assert "found a file" in str(check_dataset(dat_file, dat_file)[0])


WORDS = st.text(string.ascii_letters + string.digits + "_-:.", min_size=1, max_size=8)
SPACES = st.text(" \t", min_size=1, max_size=3)


@given(
    rows=st.lists(
        st.tuples(WORDS, st.integers(-9, 99), WORDS, SPACES),
        min_size=1,
        unique_by=lambda row: row[0],
    ),
    header=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_every_table_is_read_as_it_was_written(rows, header, end):
    lines = [f"{space}{name}{space}{layer}{space}{m}" for name, layer, m, space in rows]
    text = end.join((["name layer mtype"] if header else []) + lines)
    known = {name for name, *_ in rows}
    parsed, found = parse_table(text, "x.dat", known.__contains__)
    assert found == []
    assert [(row.name, row.mtype) for row in parsed] == [(name, m) for name, _, m, _ in rows]
    assert [row.line for row in parsed] == [header + i + 1 for i in range(len(rows))]


TABLE_TEXTS = st.one_of(
    st.text(),
    st.text(alphabet='name,mtype;path\t"\n\r<>/&![]5 #'),
    st.builds("name,mtype{}".format, st.text(alphabet=',;"\n\r ab')),
    st.builds("<neurondb><listing>{}</listing></neurondb>".format, st.text()),
    st.builds(
        "<neurondb><listing><morphology>{}</morphology></listing></neurondb>".format,
        st.text(alphabet="<name>/mtype&;ab\n"),
    ),
)


@given(text=TABLE_TEXTS, suffix=st.sampled_from(["dat", "csv", "tsv", "xml", "txt"]))
@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_makes_the_parser_fail(text, suffix):
    rows, found = parse_table(text, f"x.{suffix}")
    assert all(row.name and row.mtype for row in rows)
    assert rows or found
    for problem in map(str, found):
        assert problem.startswith((f"x.{suffix}, line ", f"x.{suffix}: no morphology is named"))
