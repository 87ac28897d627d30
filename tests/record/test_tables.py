"""Tables of results: of a damaged one the whole lines count, and no other."""

import json

import pytest

from region_grower_flow.record.tables import (
    DamagedTable,
    read_records,
    whole_records,
    write_records,
)

RECORDS = [
    {"row": row, "digest": f"d{row}", "status": "made", "name": f"n{row}", "files": {"h5": [5, 1]}}
    for row in range(3)
]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "chunks" / "table.jsonl"
    write_records(path, RECORDS)
    return path


def test_records_come_back(table):
    assert list(read_records(table)) == RECORDS
    assert whole_records(table) == (RECORDS, True)


def test_odd_numbers_come_back(table):
    odd = {**RECORDS[0], "debug": {"scale": float("inf"), "small": 1e-300, "large": 2**70}}
    write_records(table, [odd, RECORDS[1]])
    assert whole_records(table) == ([odd, RECORDS[1]], True)


def test_each_line_is_json(table):
    assert all(json.loads(line)["status"] == "made" for line in table.read_text().splitlines())


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace("n1", "n2"),
        lambda line: line.replace('"files"', '"filez"'),
        lambda line: json.dumps({**json.loads(line), "status": "dropped"}),
        lambda line: json.dumps({k: v for k, v in json.loads(line).items() if k != "check"}),
        lambda line: line[:20],
        lambda line: "\0" * len(line),
        lambda line: "[]",
        lambda line: "",
    ],
)
def test_a_damaged_line_costs_itself_only(table, change):
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], change(lines[1]), lines[2]]) + "\n")
    assert whole_records(table) == ([RECORDS[0], RECORDS[2]], False)
    with pytest.raises(DamagedTable, match=r"table.jsonl is damaged\. Run again"):
        list(read_records(table))


def test_every_truncation_is_known_or_whole(table):
    whole = table.read_bytes()
    for length in range(len(whole)):
        table.write_bytes(whole[:length])
        records, _ = whole_records(table)
        assert records == RECORDS[: len(records)]


def test_a_missing_table_or_a_folder_in_its_place_is_damaged(table):
    table.unlink()
    assert whole_records(table) == ([], False)
    table.mkdir()
    assert whole_records(table) == ([], False)
