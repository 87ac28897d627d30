"""The order of trees in files against MorphIO's option for NEURON's order."""

import morphio
import numpy as np
from hypothesis import given, settings

from helpers.factories import random_morphology
from helpers.odd_morphologies import assert_same, morphologies
from region_grower_flow.cell.order import nrn_ordered
from region_grower_flow.morphology import FlatMorphology


@settings(deadline=None, derandomize=True, max_examples=30)
@given(morphologies())
def test_the_order_of_neuron_is_that_of_morphio(morphology):
    morphio.set_maximum_warnings(0)
    ordered, new = nrn_ordered(morphology)
    expected = FlatMorphology.from_morphio(
        morphio.mut.Morphology(morphology.to_morphio(), options=morphio.Option.nrn_order)
    )
    assert_same(ordered, expected)
    for old in range(morphology.n_sections):
        np.testing.assert_array_equal(ordered.section(new[old]), morphology.section(old))


def test_order_of_many_roots_is_stable():
    trees = tuple((kind, 1) for kind in np.random.default_rng(1).integers(2, 5, size=60))
    morphology = random_morphology(seed=3, trees=trees)
    ordered, new = nrn_ordered(morphology)
    assert (np.diff(ordered.types) >= 0).all()
    for kind in (2, 3, 4):
        assert (np.diff(new[morphology.types == kind]) > 0).all()
