"""Cells under test: parts of them, and what NeuroM and TMD make of them."""

import numpy as np

from helpers.factories import random_morphology
from helpers.made_cells import make_cells
from region_grower_flow.morphology import APICAL_DENDRITE, AXON, BASAL_DENDRITE
from region_grower_flow.validation.cells import ValidationCell, of_type


def test_trees_of_one_type_are_those_of_the_cell():
    trees = ((AXON, 5), (BASAL_DENDRITE, 7), (APICAL_DENDRITE, 3), (BASAL_DENDRITE, 5))
    whole = random_morphology(3, trees)
    part = of_type(whole, "basal_dendrite")
    kept = np.flatnonzero(whole.types == BASAL_DENDRITE)
    assert (part.types == BASAL_DENDRITE).all()
    assert part.n_sections == len(kept)
    for new, old in enumerate(kept):
        np.testing.assert_array_equal(part.section(new), whole.section(old))
        parent = whole.parents[old]
        assert part.parents[new] == (-1 if parent < 0 else np.flatnonzero(kept == parent)[0])
    np.testing.assert_array_equal(part.soma_points, whole.soma_points)


def test_cell_of_one_type_is_not_copied():
    cell = make_cells(1, 0)[0]
    assert of_type(cell.morphology, "basal_dendrite") is cell.morphology
    assert of_type(cell.morphology, "axon").n_sections == 0


def test_neurom_and_tmd_have_the_trees_of_the_type():
    trees = ((AXON, 5), (BASAL_DENDRITE, 7), (BASAL_DENDRITE, 3))
    cell = ValidationCell("cell", random_morphology(0, trees))
    assert len(cell.neurom("basal_dendrite").neurites) == 2
    neuron = cell.tmd("basal_dendrite")
    assert (len(neuron.basal_dendrite), len(neuron.axon)) == (2, 0)


def test_scaled_cell_has_nothing_measured():
    cell = make_cells(1, 0)[0]
    cell.once("x", lambda: 1)
    copy = cell.scaled(2.0)
    assert copy.measured == {}
    np.testing.assert_allclose(copy.morphology.points, 2 * cell.morphology.points)
    np.testing.assert_allclose(copy.morphology.diameters, 2 * cell.morphology.diameters)
    assert cell.once("x", lambda: 2) == 1
