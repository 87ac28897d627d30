"""How rows are cut into blocks."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from region_grower_flow.runtime.plans import BLOCK_CELLS, LAST_CELLS, cut_blocks


def even(rows):
    return dict.fromkeys(rows, 1.0)


def test_blocks_hold_every_row_once():
    rows = list(range(100, 1100))
    blocks = cut_blocks(rows, even(rows), workers=3)
    assert sorted(row for block in blocks for row in block.rows) == rows
    assert max(len(block.rows) for block in blocks) <= BLOCK_CELLS


def test_blocks_get_smaller_towards_the_end():
    sizes = [len(block.rows) for block in cut_blocks(range(1000), even(range(1000)), workers=4)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == BLOCK_CELLS
    assert max(sizes[-8:]) <= LAST_CELLS
    # The worker that begins the last large block ends before the others have run out of work.
    for place, size in enumerate(sizes[:-8]):
        assert size <= max(LAST_CELLS, math.ceil(sum(sizes[place:]) / 8))


@pytest.mark.parametrize("cells", [16, 64, 100, 400])
def test_each_worker_gets_several_blocks(cells):
    assert len(cut_blocks(range(cells), even(range(cells)), workers=4)) >= 12


def test_fewer_cells_than_workers():
    assert len(cut_blocks(range(3), even(range(3)), workers=16)) == 3
    assert cut_blocks([], {}, workers=2) == []


def test_block_cells_is_a_limit():
    blocks = cut_blocks(range(100), even(range(100)), 1, block_cells=7)
    assert max(len(block.rows) for block in blocks) == 7


def test_dear_cells_come_first_and_in_small_blocks():
    rows = range(200)
    costs = {row: 100.0 if row == 150 else 1.0 for row in rows}
    blocks = cut_blocks(rows, costs, workers=2)
    assert 150 in blocks[0].rows
    assert len(blocks[0].rows) < 15


@pytest.mark.parametrize("odd", [math.nan, math.inf, 0.0, -3.0])
def test_odd_costs_do_no_harm(odd):
    costs = {row: odd if row % 2 else 2.0 for row in range(40)}
    blocks = cut_blocks(range(40), costs, workers=2)
    assert sorted(row for block in blocks for row in block.rows) == list(range(40))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    costs=st.lists(st.floats(min_value=1e-3, max_value=1e6), min_size=1, max_size=300),
    workers=st.integers(1, 40),
    limit=st.none() | st.integers(1, 60),
)
def test_any_costs_are_cut(costs, workers, limit):
    blocks = cut_blocks(range(len(costs)), dict(enumerate(costs)), workers, limit)
    rows = [row for block in blocks for row in block.rows]
    assert sorted(rows) == list(range(len(costs)))
    assert max(len(block.rows) for block in blocks) <= (limit or BLOCK_CELLS)
