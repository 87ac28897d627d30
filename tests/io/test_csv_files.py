"""Tables as CSV."""

import numpy as np

from region_grower_flow.io.csv_files import csv_text

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
