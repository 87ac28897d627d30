import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.choice import chosen_rows, in_turn


def test_each_mtype_comes_once_before_any_comes_twice():
    names = np.array(["a", "a", "a", "b", "b", "c"])
    assert names[in_turn(names)][:3].tolist() == ["a", "b", "c"]


@given(st.lists(st.sampled_from("abcd"), min_size=1), st.integers(1, 60), st.integers(1, 60))
def test_fewer_are_part_of_more(names, one, other):
    fewer, more = (chosen_rows(names, n, (), "x").tolist() for n in sorted((one, other)))
    assert set(fewer) <= set(more)
    assert more == sorted(more)
    assert len(more) == min(max(one, other), len(names))


def test_only_cells_of_some_mtypes():
    assert chosen_rows(["a", "b", "a"], None, ("a",), "x").tolist() == [0, 2]
    with pytest.raises(InvalidInput, match="no cell is of the mtype 'L5_PC'"):
        chosen_rows(["a"], 3, ("L5_PC",), "x")
