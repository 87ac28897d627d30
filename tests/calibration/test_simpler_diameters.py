"""The model ``simpler``: that of diameter-synthesis, to the last bit."""

import neurom
import pytest
from diameter_synthesis.build_models import build

from helpers.factories import random_morphology
from region_grower_flow.calibration import simpler_diameters
from region_grower_flow.calibration.simpler_diameters import FIT_ORDERS, fit_simpler


def cells(count):
    grown = [
        random_morphology(seed=seed, n_points=(3, 30), diameters="random") for seed in range(count)
    ]
    return [neurom.core.Morphology(each.to_morphio().as_immutable()) for each in grown]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_models_are_those_of_diameter_synthesis(count):
    some, names = cells(count), list(FIT_ORDERS)
    theirs = build(some, config={"models": ["simpler"], "neurite_types": names})
    assert fit_simpler(some, names) == theirs
    assert any(theirs.values())


def test_a_type_without_trees_has_no_coefficients():
    assert fit_simpler([], ["axon"]) == {"axon": []}


def test_each_section_is_measured_once(monkeypatch):
    measured = []
    length = neurom.morphmath.section_length

    def counting(points):
        measured.append(len(points))
        return length(points)

    monkeypatch.setattr(neurom.morphmath, "section_length", counting)
    (cell,) = cells(1)
    kinds = {name: getattr(neurom.NeuriteType, name) for name in FIT_ORDERS}
    count = sum(
        neurom.get("number_of_sections", cell, neurite_type=kind) for kind in kinds.values()
    )
    assert simpler_diameters.fit_simpler([cell], list(kinds))
    assert len(measured) == count
