"""The table from input ids to output ids."""

import csv

import numpy as np
import pytest

from region_grower_flow.io import id_map
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


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("chosen", [None, [0, 1, 4], []])
def test_batches_do_not_matter(tmp_path, monkeypatch, size, chosen):
    monkeypatch.setattr(id_map, "_BATCH", size)
    names, reasons = ["a", "b", None, "c,d", 'e"é', "f"], [None, None, "no", None, None, None]
    asked = range(6) if chosen is None else chosen
    names = [name if cell in asked else None for cell, name in enumerate(names)]
    id_map.write_id_map(
        tmp_path / "ids.csv", names, reasons, None if chosen is None else np.array(chosen, int)
    )
    with open(tmp_path / "ids.csv", encoding="utf-8", newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    made = [cell for cell in asked if names[cell]]
    assert rows == [
        (str(cell), str(made.index(cell)), names[cell], "made", "")
        if names[cell]
        else (str(cell), "", "", "dropped", reasons[cell])
        for cell in asked
    ]
