"""Lengths and ways to the root: NeuroM's, to the last bit."""

import neurom
import pytest

from helpers.factories import random_morphology
from region_grower_flow.calibration.ways import NO_PARENT, Ways


@pytest.mark.parametrize("seed", range(5))
def test_ways_are_those_of_neurom(seed):
    shape = random_morphology(seed=seed, n_points=(3, 30), diameters="random")
    cell = neurom.core.Morphology(shape.to_morphio().as_immutable())
    assert cell.neurites
    for tree in cell.neurites:
        ways = Ways.of(tree)
        assert ways.paths == neurom.get("section_path_distances", tree)
        assert ways.lengths == neurom.get("section_lengths", tree)
        tips = [ways.paths[leaf] for leaf in ways.leaves]
        assert tips == neurom.get("terminal_path_lengths", tree)
        assert ways.parents[0] == NO_PARENT
        assert all(0 <= parent < i for i, parent in enumerate(ways.parents) if i)
