"""TMD's trees with a quick path distance."""

import numpy as np
from tmd.io.io import load_population
from tmd.Tree.methods import get_point_path_distances

from helpers.reference_cells import make_cell, write_cell
from region_grower_flow.calibration.trees import load_trees, path_distances


def test_path_distances_are_tmds_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(3)
    paths = [
        str(write_cell(make_cell(rng, apicals=1, axons=1, depth=5), tmp_path, f"c{i}"))
        for i in range(3)
    ]
    trees = load_trees(paths)
    plain = load_population(paths, use_morphio=True)
    assert len(trees.neurites) == len(plain.neurites) == 15
    for quick, tree in zip(trees.neurites, plain.neurites, strict=True):
        expected = get_point_path_distances(tree)
        assert expected.max() > 50
        assert np.array_equal(path_distances(tree), expected)
        assert quick.get_point_path_distances.func is path_distances
        assert np.array_equal(quick.get_point_path_distances(), expected)
