"""Angles and azimuths for growth within NeuroTS: what changes, what stays, and the way back."""

import math

import numpy as np
import pytest
from neurots.validator import validate_neuron_distribs

from region_grower_flow.calibration import neurots_growth
from region_grower_flow.calibration.choices import CalibrationSettings
from region_grower_flow.calibration.distributions import extract_distributions

BASAL = "basal_dendrite"


@pytest.fixture(scope="module")
def both(dataset):
    """(as NeuroTS extracts them, for its growth): distributions of the first mtype."""
    found = [
        extract_distributions(dataset, CalibrationSettings(for_neurots=changed))[0]["default"]
        for changed in (False, True)
    ]
    return tuple(next(iter(each.values())) for each in found)


def angles(distributions):
    return np.array(
        [bar[2:] for code in distributions[BASAL]["persistence_diagram"] for bar in code]
    )


def ends(distributions):
    return [bar[:2] for code in distributions[BASAL]["persistence_diagram"] for bar in code]


def test_angles_are_wider_and_bars_the_same(both):
    plain, changed = both
    validate_neuron_distribs(changed)
    assert ends(changed) == ends(plain)
    expected = np.remainder(angles(plain) + math.pi, 2 * math.pi) - math.pi
    np.testing.assert_allclose(angles(changed), neurots_growth.WIDENING * expected, atol=1e-12)
    assert changed["soma"] == plain["soma"]


def test_azimuths_are_as_flat_as_the_cells(both, dataset):
    plain, changed = both
    assert plain[BASAL]["trunk"]["azimuth"] == neurots_growth.FREE
    law = changed[BASAL]["trunk"]["azimuth"]["uniform"]
    most = math.cos(law["max"])
    assert math.cos(law["min"]) == pytest.approx(-most)
    assert 0.0 < most <= neurots_growth.MOST
    assert {k: v for k, v in changed[BASAL]["trunk"].items() if k != "azimuth"} == {
        k: v for k, v in plain[BASAL]["trunk"].items() if k != "azimuth"
    }


def test_the_extracted_ones_come_back_but_for_whole_turns(both):
    plain, changed = both
    back = neurots_growth.as_extracted(changed[BASAL])
    assert back["trunk"] == plain[BASAL]["trunk"]
    turns = (angles({BASAL: back}) - angles(plain)) / (2 * math.pi)
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-12)
    assert neurots_growth.as_extracted(plain[BASAL]) is plain[BASAL]


def test_types_without_trees_or_trunks_stay():
    entry = {"trunk": None, "num_trees": {}}
    assert neurots_growth.fit_to_growth(entry, BASAL, []) == entry
    assert neurots_growth.as_extracted({}) == {}
