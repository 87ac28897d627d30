"""What a calibration grows of cells of any size."""

from dataclasses import replace

import numpy as np
import pytest

from region_grower_flow.calibration import growth_amount
from region_grower_flow.calibration.growth_amount import Amount, affordable, points_of_cell
from region_grower_flow.calibration.growth_moments import NAMES

WANTED = Amount(cells=60, folds=5, of_fit=12, of_fold=5)


def table(cable):
    found = np.zeros((3, len(NAMES)))
    found[:, NAMES.index("total length")] = cable
    return {3: found}


@pytest.mark.parametrize("points", [0.0, 5_000.0, 80_000.0])
def test_of_usual_cells_all_is_grown(points):
    assert affordable(WANTED, points) == WANTED


def test_of_large_cells_populations_are_smaller():
    assert affordable(WANTED, 200_000.0) == replace(WANTED, cells=25)
    assert affordable(WANTED, 900_000.0) == replace(WANTED, cells=growth_amount.FEWEST_GROWN)
    assert affordable(replace(WANTED, cells=3), 900_000.0) == replace(WANTED, cells=3)


def test_of_huge_cells_the_check_goes_first_and_then_the_fit():
    sizes = (1_500_000.0, 2_000_000.0, 3_000_000.0, 5_000_000.0, 1e8)
    found = [affordable(WANTED, size) for size in sizes]
    assert [each and each.folds for each in found] == [4, 2, 0, 0, None]
    assert [each and each.cells for each in found] == [8, 8, 8, 6, None]
    for size, each in zip(sizes, found, strict=True):
        assert each is None or each.points(size) <= growth_amount.TOTAL


def test_what_is_grown_has_a_bound_whatever_the_size():
    for size in np.geomspace(1e3, 1e8, 60):
        found = affordable(WANTED, size)
        assert found is None or found.points(size) <= growth_amount.TOTAL


def test_points_are_counted_by_steps_that_are_not_longer_than_usual():
    for mean, wanted in ((1.0, 30_000.0), (2.0, 30_000.0), (0.1, 300_000.0)):
        params = {"basal_dendrite": {"step_size": {"norm": {"mean": mean, "std": 0.0}}}}
        assert points_of_cell(table(30_000.0), params) == pytest.approx(wanted)
    assert points_of_cell(table(30_000.0), {}) == 30_000.0
