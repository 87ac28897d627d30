"""Checks of what a synthesis reads, function by function (all together: tests/flow/test_bad_*)."""

from region_grower_flow.checks.synthesis import _of_mtypes


def test_losses_are_foreseen_with_the_parameters_of_each_cells_region():
    given = {"A": {"PC": 1, "BC": 2}, "B": {"PC": 3}}
    wanted = [("A", "A1", "BC"), ("B", "B1", "PC"), ("B", "B1", "SBC")]
    assert _of_mtypes(given, wanted) == {"BC": 2, "PC": 3, "SBC": {}}
