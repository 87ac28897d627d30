import json

import h5py
import numpy as np
import pytest

from region_grower_flow.errors import InvalidInput, OutputFailed
from region_grower_flow.io.table import CellTable, cell_seed, read_table, write_table

BOUNDARY = {"path": "/meshes/pia.obj", "mode": "repulsive"}


def words(*values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def make_table(**changes):
    columns = {
        "ids": np.array([0, 2, 5]),
        "numbers": np.array([4294967295, 1, 4]),
        "positions": np.array([[0.1, 2.0, -3.0], [1 / 3, 0.0, 1e-9], [7.0, 8.0, 9.0]]),
        "orientations": np.stack([np.eye(3), 2 * np.eye(3), np.full((3, 3), np.nan)]),
        "depths": np.array([120.5, 25.0, np.nan]),
        "layer_depths": np.array([[0, 100.0, 200.0], [0, 50.0, np.nan], [np.nan, np.nan, np.nan]]),
        "layer_counts": np.array([2, 1, 0]),
        "regions": words("A;1", "A;1", "B"),
        "synthesis_regions": words("A", "A", "default"),
        "mtypes": words("L5_TPC:A", "L1_ÄÖ", "L5_TPC:A"),
        "axon_names": words("axon one", None, "axon one"),
        "axon_scales": np.array([0.5, np.nan, np.nan]),
        "meta": {
            "version": 1,
            "regions": {
                "A": {"cortical_depths": [100, 250.5], "directions": None, "boundaries": [BOUNDARY]}
            },
            "atlas": {"shape": [1, 2, 3]},
        },
        **changes,
    }
    return CellTable(**columns)


def assert_same(one, other):
    assert one.meta == other.meta
    assert list(one.columns()) == list(other.columns())
    for name, array in one.columns().items():
        again = other.columns()[name]
        if array.dtype == object:
            assert array.tolist() == again.tolist(), name
        else:
            np.testing.assert_array_equal(array, again, err_msg=name)


def test_a_table_comes_back_as_it_was(tmp_path):
    table = make_table(mclass=words("m1", None, "m2"), glomerulus_ids=np.array([-1, 3, 0]))
    write_table(tmp_path / "cells.h5", table)
    again = read_table(tmp_path / "cells.h5")
    assert_same(table, again)
    assert again.numbers.dtype == np.int64
    assert again.positions.dtype == np.float64
    assert [file.name for file in tmp_path.iterdir()] == ["cells.h5"]


def test_optional_columns_stay_absent(tmp_path):
    write_table(tmp_path / "cells.h5", make_table())
    again = read_table(tmp_path / "cells.h5")
    assert again.mclass is None
    assert again.glomerulus_ids is None


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (1, 3), (2, 9), (1, 1), (None, 2)])
def test_a_slice_is_the_slice_of_the_whole(tmp_path, start, stop):
    table = make_table(mclass=words("m1", None, "m2"))
    write_table(tmp_path / "cells.h5", table)
    assert_same(read_table(tmp_path / "cells.h5", start, stop), table.rows(slice(start, stop)))


def test_an_empty_table(tmp_path):
    write_table(tmp_path / "cells.h5", make_table().rows(slice(0, 0)))
    again = read_table(tmp_path / "cells.h5")
    assert len(again) == 0
    assert again.orientations.shape == (0, 3, 3)


def test_the_same_table_gives_the_same_bytes(tmp_path):
    write_table(tmp_path / "a.h5", make_table())
    write_table(tmp_path / "b.h5", make_table())
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_layers_of_a_row():
    table = make_table()
    assert table.layers_of(0) == [0.0, 100.0, 200.0]
    assert table.layers_of(1) == [0.0, 50.0]
    assert table.layers_of(2) is None


def test_a_cell_is_its_row():
    table = make_table(mclass=words("m1", None, "m2"), glomerulus_ids=np.array([-1, 3, 0]))
    first, last = (table.rows(slice(1, 3)).cell(row, first=1) for row in (1, 2))
    assert (first.row, first.id, first.number) == (1, 2, 1)
    assert (first.region, first.synthesis_region, first.mtype) == ("A;1", "A", "L1_ÄÖ")
    assert (first.axon_name, first.mclass, first.glomerulus_id) == (None, None, 3)
    assert first.region_meta["cortical_depths"] == [100, 250.5]
    assert first.position.tolist() == [1 / 3, 0.0, 1e-9]
    assert first.y_direction.tolist() == [0.0, 2.0, 0.0]
    assert (first.depth, first.layer_depths) == (25.0, [0.0, 50.0])
    assert (last.axon_name, last.mclass, last.layer_depths) == ("axon one", "m2", None)
    assert np.isnan([first.axon_scale, last.depth]).all()
    (again,) = table.cells([2])
    assert (again.row, again.packed, again.words) == (2, last.packed, last.words)


@pytest.mark.parametrize(
    ("seed", "number", "expected"), [(0, 7, 7), (2**32 - 2, 3, 1), (-1, 0, 2**32 - 1)]
)
def test_seeds_wrap_around(seed, number, expected):
    assert cell_seed(seed, number) == expected
    assert cell_seed(seed, np.array([number])).tolist() == [expected]


def content(table, row):
    """All that tells a row apart."""
    cell = table.cell(row)
    return cell.packed, cell.words, json.dumps(cell.region_meta, sort_keys=True)


def test_rows_are_told_apart():
    table = make_table()
    assert len({content(table, row) for row in range(3)}) == 3
    packed, words, meta = content(table, 0)
    assert np.array([0.1, 2.0, -3.0]).tobytes() in packed
    assert packed.endswith(np.array([0.0, 100.0, 200.0]).tobytes())
    assert json.loads(meta)["boundaries"] == [BOUNDARY]
    assert "mtypes" in table.content_names
    assert len(words) in (4, 5)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("depths", 120.49999999999999),
        ("numbers", 7),
        ("mtypes", "other"),
        ("axon_scales", 0.6),
        ("ids", 1),
    ],
)
def test_content_changes_with_every_column(column, value):
    table, changed = make_table(), make_table()
    getattr(changed, column)[0] = value
    assert content(table, 0) != content(changed, 0)
    assert content(table, 1) == content(changed, 1)


def test_content_does_not_depend_on_the_other_rows():
    table = make_table()
    assert content(table.rows(slice(1, 2)), 0) == content(table, 1)


def test_an_unreadable_table_is_named(tmp_path):
    path = tmp_path / "cells.h5"
    with pytest.raises(InvalidInput, match=r"cells\.h5"):
        read_table(path)
    path.write_bytes(b"not HDF5")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_table(path)


def test_a_table_of_another_version_is_refused(tmp_path):

    path = tmp_path / "cells.h5"
    write_table(path, make_table())
    with h5py.File(path, "a") as file:
        file.attrs["version"] = 99
    with pytest.raises(InvalidInput, match="version 99"):
        read_table(path)


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(OutputFailed, match="absent"):
        write_table(tmp_path / "absent" / "cells.h5", make_table())
    table = make_table(numbers=words("x", "y", "z"))
    with pytest.raises(ValueError, match="invalid literal"):
        write_table(tmp_path / "cells.h5", table)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["a column of words without its library", "codes of no word"])
def test_damaged_words_are_told(tmp_path, damage):
    path = tmp_path / "cells.h5"
    write_table(path, make_table())
    with h5py.File(path, "r+") as file:
        if damage == "codes of no word":
            file["mtypes/codes"][0] = 99
        else:
            del file["mtypes"]
            file["mtypes"] = np.arange(3)
    with pytest.raises(InvalidInput, match="the cell table cannot be read"):
        read_table(path)
