"""Tables as CSV."""

import numpy as np
import pytest

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.csv_files import csv_rows, csv_text, read_csv

HEAD = "mtype,score\n"


def test_mappings_and_sequences_give_the_same_rows():
    rows = [{"score": 0.5, "mtype": "A", "other": 1}, {"mtype": "B"}]
    assert csv_text(["mtype", "score"], rows) == f"{HEAD}A,0.5\nB,\n"
    assert csv_text(["mtype", "score"], [("A", 0.5), ("B", None)]) == f"{HEAD}A,0.5\nB,\n"


def test_what_is_no_number_is_empty():
    values = [None, np.nan, np.float64("inf"), np.float32("nan")]
    assert csv_text(["mtype", "score"], (("A", v) for v in values)) == HEAD + 4 * "A,\n"


def test_odd_names_are_quoted():
    assert csv_text(["mtype", "score"], [('a,"b\nc', 1)]) == f'{HEAD}"a,""b\nc",1\n'


def test_what_is_written_is_read(tmp_path):
    rows = [{"mtype": 'a,"b\nc', "score": "1"}, {"mtype": "L5_TPC:A", "score": ""}]
    path = tmp_path / "table.csv"
    path.write_text(csv_text(["mtype", "score"], rows))
    assert list(read_csv(path, ["score"])) == rows
    with pytest.raises(InvalidInput, match=r"table\.csv: the table lacks layer"):
        list(read_csv(path, ["score", "layer"]))


def test_a_row_may_lack_values_and_have_too_many(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1\n\n1,2,3\n")
    assert list(read_csv(path)) == [{"a": "1", "b": ""}, {"a": "1", "b": "2"}]
    path.write_text("")
    assert list(read_csv(path)) == []


@pytest.mark.parametrize("text", [b'a,b\n1,"2"3\n', b'a,b\n1,"2\n', b"a,b\n1,\xff\n"])
def test_what_is_no_table_is_told(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_bytes(text)
    with pytest.raises(InvalidInput, match=r"table\.csv, line \d: the table cannot be read"):
        list(read_csv(path))


def test_rows_have_the_numbers_of_their_lines():
    lines = ["a; b\n", '"1\n', '2"; 3\n']
    found = list(csv_rows(lines, "table", ";", spaces=False))
    assert found == [(1, ["a", "b"]), (3, ["1\n2", "3"])]
