"""The table that is made of folders and names of reconstructions."""

import csv
import io

from region_grower_flow.start.tables import find_table


def test_a_table_that_is_made_holds_paths_below_the_folder(tmp_path):
    for name in ("L5_TPC/a.swc", "L5_TPC/b, left.swc", "L1_HAC/c.swc"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("1 1 0 0 0 1 -1\n2 3 0 1 0 1 1\n3 3 0 2 0 1 2\n")
    found = find_table(tmp_path, ["L5_TPC", "L1_HAC"])
    rows = list(csv.reader(io.StringIO(found.text)))
    assert sorted(rows[1:]) == [
        ["L1_HAC/c.swc", "L1_HAC"],
        ["L5_TPC/a.swc", "L5_TPC"],
        ["L5_TPC/b, left.swc", "L5_TPC"],
    ]
