"""Preparation of mtypes: options of growth reach the records that the kernels read."""

import numpy as np
import pytest

from helpers.growth_inputs import mtype
from region_grower_flow import engine
from region_grower_flow.engine import GrowthSite
from region_grower_flow.engine.beyond_neurots import beyond_neurots
from region_grower_flow.engine.kernels.state import RULES
from region_grower_flow.engine.levers import KEY
from region_grower_flow.engine.mtype import with_levers
from region_grower_flow.errors import DropCell
from region_grower_flow.options import Growth
from region_grower_flow.options.kinds import Number, Whole


class More(Growth):
    """Growth with two more options; the kernels have a field for one, which no barcode fills."""

    num_seg = Whole[int]("A field of RULES", default=0)
    elsewhere = Number[float]("No field of RULES", default=0.0)


def test_options_of_growth_that_rules_have_a_field_for_reach_the_kernels():
    inputs = mtype({"basal_dendrite": {}, "axon": {}})
    usual, made = engine.prepare(*inputs), engine.prepare(*inputs, growth=More(num_seg=7))
    assert made.unsupported is None
    assert made.rules["num_seg"].tolist() == [7, 7]
    others = [name for name in RULES.names if name != "num_seg"]
    np.testing.assert_array_equal(made.rules[others], usual.rules[others])
    assert usual.rules["num_seg"].tolist() == [0, 0]


def test_other_levers_leave_the_options_of_growth():
    params, distributions = mtype({"basal_dendrite": {}})
    params[KEY] = {"soma": "drawn"}
    made = engine.prepare(params, distributions, growth=More(num_seg=7))
    assert with_levers(made, params).rules["num_seg"].tolist() == [7]


def test_neurots_does_not_grow_by_an_option_of_the_kernels():
    inputs = mtype({"basal_dendrite": {}})
    known, unknown = Growth(min_hard_scale=0.3), More(num_seg=7, elsewhere=1.0)
    assert beyond_neurots(inputs[0], known) == beyond_neurots(inputs[0], More(elsewhere=1.0)) == []
    prepared, where = engine.prepare(*inputs, growth=unknown), GrowthSite(np.zeros(3), np.eye(3))
    rng = np.random.default_rng(0)
    with pytest.raises(DropCell, match=r"only the compiled engine knows the option num_seg$"):
        engine.grow(prepared, where, rng, "neurots")
    prepared.unsupported = "a word is odd"
    with pytest.raises(DropCell, match=r"knows the option num_seg, but a word is odd$"):
        engine.grow(prepared, where, rng)
