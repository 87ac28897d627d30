"""The table from input ids to output ids."""

import csv

from region_grower_flow.io.id_map import write_id_map


def test_the_table_of_ids(tmp_path):
    path = tmp_path / "ids.csv"
    reason = 'an axon, "x", is missing\nin the folder'
    write_id_map(path, [None, "a", None, "b"], ["no", None, reason, None])
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["output_id"] for row in rows] == ["", "0", "", "1"]
    assert [row["input_id"] for row in rows] == ["0", "1", "2", "3"]
    assert [row["morphology"] for row in rows] == ["", "a", "", "b"]
    assert [row["status"] for row in rows] == ["dropped", "made", "dropped", "made"]
    assert [row["reason"] for row in rows] == ["no", "", reason, ""]
