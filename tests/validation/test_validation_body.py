"""Somata, thinnest branches, and cells that stand upside down."""

import dataclasses

import numpy as np
import pytest

from helpers.made_cells import by_test, make_cells
from region_grower_flow.validation import body
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.results import deciding, plain_verdict
from region_grower_flow.validation.verdict import FAIL, NO_POWER, NOT_TESTABLE, PASS

BASAL, APICAL = "basal_dendrite", "apical_dendrite"


def changed(cell, **arrays):
    return ValidationCell(cell.name, dataclasses.replace(cell.morphology, **arrays))


def with_soma(cells, rng, mean=7.0):
    return [
        changed(c, soma_points=c.morphology.soma_points * np.float32(rng.normal(mean, 0.5) / 5))
        for c in cells
    ]


def compare(reference, grown, kinds=(BASAL,), **more):
    return by_test(body.compare(reference, grown, Comparison(kinds, 0, "PC", **more)))


def test_smaller_somata_fail():
    rng = np.random.default_rng(0)
    reference, same = with_soma(make_cells(20, 0), rng), with_soma(make_cells(40, 1), rng)
    assert compare(reference, same)[body.SOMA].verdict in (PASS, NO_POWER)
    small = compare(reference, with_soma(same, rng, 5.5))[body.SOMA]
    assert small.verdict == FAIL
    assert deciding([plain_verdict(small)])


def test_nominal_somata_count_to_the_resolution():
    reference = make_cells(20, 0)
    grown = [cell.scaled(1.01) for cell in make_cells(30, 1)]
    assert compare(reference, grown)[body.SOMA].verdict == PASS


def test_branches_thinner_than_any_reconstruction():
    reference = make_cells(12, 0)
    same = compare(reference, make_cells(60, 1))[body.THINNEST]
    assert same.verdict == PASS
    thin = [
        changed(c, diameters=np.minimum(c.morphology.diameters, np.float32(0.1)))
        for c in make_cells(60, 1)
    ]
    found = compare(reference, thin)[body.THINNEST]
    assert found.verdict == FAIL
    assert found.detail.startswith("60 of 60 synthesized cells have thinner branches")
    assert body.thinnest(thin[0], APICAL) != body.thinnest(thin[0], APICAL)  # it has none


@pytest.mark.parametrize(("n_reference", "n_synthesized"), [(8, 100), (20, 20)])
def test_the_chance_of_thinner_cells_is_that_of_random_order(n_reference, n_synthesized):
    rng = np.random.default_rng(0)
    total, found = n_reference + n_synthesized, []
    for _ in range(3000):
        first = np.min(rng.permutation(total)[:n_reference])  # the thinnest of the reference
        found.append(first)
    for count in (1, 5, 20):
        expected = body.chance_of_thinner(count, n_reference, n_synthesized)
        assert np.mean(np.array(found) >= count) == pytest.approx(expected, abs=0.03)


def upside_down(cells):
    turn = np.float32([1, -1, 1])
    return [changed(c, points=c.morphology.points * turn) for c in cells]


def test_cells_that_are_upside_down_never_pass():
    reference, same = make_cells(12, 0, apicals=1), make_cells(20, 1, apicals=1)
    kinds = (BASAL, APICAL)
    found = compare(reference, same, kinds)
    up = [cell for cell in [*reference, *same] if body.apical_tilt(cell) < 90]
    if len(up) < 32:  # made cells have apical trees in all directions
        reference, same = (
            [c if body.apical_tilt(c) < 90 else upside_down([c])[0] for c in cells]
            for cells in (reference, same)
        )
        found = compare(reference, same, kinds)
    assert found[body.UPRIGHT].verdict == PASS
    assert found[body.DIRECTION].verdict in (PASS, NO_POWER)
    down = compare(reference, upside_down(same), kinds)
    assert down[body.UPRIGHT].verdict == down[body.DIRECTION].verdict == FAIL
    # Reconstructions that are upside down, too, are no excuse ...
    both = compare(upside_down(reference), upside_down(same), kinds)
    assert both[body.UPRIGHT].verdict == FAIL
    assert "the cells are upside down" in both[body.UPRIGHT].detail
    # ... but for a mtype that is known to be inverted.
    known = compare(upside_down(reference), upside_down(same), kinds, inverted=True)
    assert known[body.UPRIGHT].verdict == PASS


def test_few_cells_are_not_testable():
    found = compare(make_cells(5, 0), make_cells(20, 1))
    assert {found[body.SOMA].verdict, found[body.THINNEST].verdict} == {NOT_TESTABLE}
