"""Names of report files, and tables."""

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.report_factory import HOSTILE
from region_grower_flow.report.names import file_stem, report_file, write_table


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.text(max_size=200))
def test_any_mtype_gives_a_name_in_the_folder(tmp_path_factory, name):
    folder = tmp_path_factory.getbasetemp()
    path = report_file(folder, name, "png")
    assert path.parent == folder
    assert path.name.isascii()
    assert len(path.name) <= 100
    assert not path.name.startswith((".", "-"))


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.text(max_size=8), st.text(max_size=8))
def test_different_mtypes_have_different_names(first, second):
    assert (file_stem(first) == file_stem(second)) == (first == second)


def test_usual_mtypes_stay_readable():
    assert file_stem("L23_PC-2.b") == "L23_PC-2.b"
    assert file_stem("L5_TPC:A").startswith("L5_TPC_A-")
    assert file_stem("NUL") != "NUL"
    assert file_stem("") == "unnamed-00000000"


def test_tables_hold_what_they_are_given(tmp_path):
    rows = [
        {"mtype": HOSTILE, "value": 0.1 + 0.2, "other": None},
        {"mtype": "A,B\nC", "value": float("nan"), "other": 3},
    ]
    path = write_table(tmp_path / "new" / "t.csv", ("mtype", "value", "other", "absent"), rows)
    with open(path, encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert read[0] == {"mtype": HOSTILE, "value": repr(0.1 + 0.2), "other": "", "absent": ""}
    assert read[1] == {"mtype": "A,B\nC", "value": "", "other": "3", "absent": ""}


def test_an_empty_table_has_its_head(tmp_path):
    path = write_table(tmp_path / "t.csv", ("a", "b"), [])
    assert path.read_text() == "a,b\n"


def test_a_table_that_cannot_be_written_is_a_sentence(tmp_path):
    from region_grower_flow.errors import OutputFailed

    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFailed, match="cannot be written"):
        write_table(tmp_path / "file" / "t.csv", ("a",), [])
