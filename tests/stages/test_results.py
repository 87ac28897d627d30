"""The records of all cells as columns."""

import numpy as np
import pytest

from region_grower_flow import layout
from region_grower_flow.record.tables import write_records
from region_grower_flow.stages import results as cell_results
from region_grower_flow.stages.results import WITHOUT_AXON, CellResults

RECORDS = [
    {"cell": 0, "name": "b", "apical_points": [[1.5, 2, 3], [4, 5, 6]], "apical_NRN_sections": [7]},
    {"cell": 2, "name": "hashed/aé", "fallback": "odd", "files": {"h5": [3, 9], "swc": [4, 8]}},
    {"cell": 3, "status": layout.DROPPED, "reason": "too thin"},
    {"cell": 4, "name": "c", "apical_NRN_sections": [None, 1], "apical_points": []},
    {"cell": 5, "status": layout.DROPPED, "reason": "too thin"},
]
USUAL = {
    "digest": "", "status": layout.MADE, "reason": None, "attempts": 2, "apical_points": None,
    "apical_NRN_sections": None, "files": {"h5": [1, 2]}, "fallback": None,
}  # fmt: skip


@pytest.fixture(params=[1, 2, 100], ids=lambda size: f"{size} at a time")
def read(request, tmp_path, monkeypatch):
    monkeypatch.setattr(cell_results, "_RECORDS", request.param)
    records = [{**USUAL, "row": row, **record} for row, record in enumerate(RECORDS)]
    paths = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    write_records(paths[0], records[:3])
    write_records(paths[1], records[3:])
    return lambda **options: CellResults(paths, 6, **options)


def test_cells_are_where_the_input_has_them(read):
    found = read()
    assert found.names.tolist() == [b"b", b"", "hashed/aé".encode(), b"", b"c", b""]
    assert found.made.tolist() == [True, False, True, False, True, False]
    dropped = found.reasons[~found.made]
    assert [found.sentences[code] for code in dropped] == [WITHOUT_AXON, "too thin", "too thin"]
    assert (found.attempts, found.fallbacks) == (6, {"odd": 1})
    assert np.isnan(found.apical_points[1:]).all()


def test_sorted_by_name_for_the_tables(read):
    found = read()
    assert list(found.sections_by_name()) == [("b", [7]), ("c", [None, 1]), ("hashed/aé", None)]
    ((names, points),) = found.points_by_name()
    assert names.tolist() == [b"b", b"c", "hashed/aé".encode()]
    assert points[0].tolist() == [1.5, 2.0, 3.0]
    assert np.isnan(points[1:]).all()


def test_files_of_all_formats(read):
    files = {name: known[:2] for name, known in read().files().items()}
    assert files == {
        "b.h5": (1, 2), "c.h5": (1, 2), "hashed/aé.h5": (3, 9), "hashed/aé.swc": (4, 8),
    }  # fmt: skip


def test_folders_of_mtypes(read):
    assert list(read(folders=tuple("uvwxyz")).files()) == [
        "u/b.h5", "w/hashed/aé.h5", "w/hashed/aé.swc", "y/c.h5",
    ]  # fmt: skip


def test_no_cells_at_all():
    found = CellResults([], 0)
    assert (len(found.files()), list(found.points_by_name()), len(found)) == (0, [], 0)
