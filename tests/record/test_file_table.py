"""Very many files as columns: the same answers as a dict, and names that lead outside found."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from region_grower_flow.io.atomic import is_plain
from region_grower_flow.record import file_table
from region_grower_flow.record.file_table import FileTable, inside, packed, parents, scan

PROPERTY = settings(deadline=None, derandomize=True, max_examples=60)
NAMES = st.text(st.sampled_from("ab/.é\x1b"), min_size=1, max_size=6)
FILES = st.dictionaries(NAMES, st.tuples(st.integers(0, 2**40), st.integers(0, 2**32 - 1)))


@PROPERTY
@given(FILES, FILES)
def test_a_table_is_the_dict_that_it_is_made_of(files, others):
    table, other = FileTable.of(files), FileTable.of(others)
    assert {name: known[:2] for name, known in table.items()} == files
    assert list(table) == sorted(files)
    assert {n: known[:2] for n, known in table.updated(other).items()} == {**files, **others}
    wanted = list({**files, **others, "longer than all others": None})
    places = table.find(packed(wanted))
    assert [list(table)[place] if place >= 0 else None for place in places] == [
        name if name in files else None for name in wanted
    ]
    assert "longer than all others" not in table


@PROPERTY
@given(st.lists(NAMES, unique=True))
def test_plain_names_lie_inside(names):
    assert inside("anywhere", packed(names)).tolist() == [is_plain(name) for name in names]
    assert parents(packed(names)) == sorted({name.rpartition("/")[0] for name in names})


def test_names_that_are_no_text_do_not(tmp_path):
    assert inside(tmp_path, np.array([b"a", b"\xff", b"b"])).tolist() == [True, False, True]


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_scan_in_batches(tmp_path, monkeypatch, batch):
    monkeypatch.setattr(file_table, "BATCH", batch)
    (tmp_path / "below").mkdir()
    for name in ("below/one", "below/two", "three", "foreign with a name longer than the others"):
        (tmp_path / name).write_text(name)
    names = ["below/absent", "below/one", "below/two", "three"]
    stamps = scan(tmp_path, packed(names))
    assert stamps[:, 0].tolist() == [-1, 9, 9, 5]
    assert stamps[1, 3] == os.stat(tmp_path / "below/one").st_ino
