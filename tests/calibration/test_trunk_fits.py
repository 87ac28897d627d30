"""Laws of trunk angles: NeuroTS's fits, with residuals that say how good they are."""

import json
import math

import numpy as np
import pytest

from helpers.reference_cells import INTERNEURON, PYRAMIDAL
from region_grower_flow.calibration.distributions import extract_distributions
from region_grower_flow.calibration.trunk_fits import (
    AngleHistogram,
    cumulative,
    distance,
    fit_form,
    fit_mtype,
    fit_normal,
    fit_trunk_angles,
    sentences,
)

BASAL, APICAL = "basal_dendrite", "apical_dendrite"


def histogram(angles, bins=30):
    """As neurots.extract_input.from_neurom makes it."""
    weights, edges = np.histogram(angles, bins=bins, density=True)
    return AngleHistogram(0.5 * (edges[1:] + edges[:-1]), weights)


def draw(law, count, seed=0):
    """Angles of a law, by its cumulative probability."""
    grid = np.linspace(0.0, math.pi, 2000)
    return np.interp(np.random.default_rng(seed).uniform(size=count), cumulative(law, grid), grid)


LAWS = [
    {"form": "flat", "params": []},
    {"form": "step", "params": [1.6, 0.3]},
    {"form": "double_step", "params": [2.4, 0.2, -0.9, 0.2]},
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law["form"])
def test_a_law_is_found_in_angles_drawn_from_it(law):
    angles = draw(law, 20_000)
    fit = fit_form(histogram(angles), law["form"])
    assert fit["form"] == law["form"]
    assert fit["ks"] < 0.04
    others = [
        fit_form(histogram(angles), form)["ks"] for form in ("flat", "step") if form != law["form"]
    ]
    if law["form"] != "flat":  # the others can be nearly flat
        assert min(others) > 2.0 * fit["ks"]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law["form"])
def test_cumulative_laws_are_integrals_of_neurots_densities(law):
    from neurots.generate.orientations import get_probability_function
    from scipy.integrate import quad

    density = get_probability_function(law["form"], with_density=True)
    total = quad(lambda a: density(a, *law["params"]), 0, math.pi, points=[1.0, 2.0])[0]
    for angle in (0.3, 1.2, 2.9):
        part = quad(lambda a: density(a, *law["params"]), 0, angle)[0]
        assert cumulative(law, [angle])[0] == pytest.approx(part / total, abs=1e-5)
    assert cumulative(law, [0.0, math.pi]).tolist() == pytest.approx([0.0, 1.0])


def test_normal_and_exponential_laws_of_the_angle():
    rng = np.random.default_rng(1)
    tilted = fit_normal(histogram(rng.normal(1.2, 0.2, 5000)))
    assert tilted["mean"] == pytest.approx(1.2, abs=0.02)
    assert tilted["std"] == pytest.approx(0.2, abs=0.02)
    upright = fit_normal(histogram(rng.exponential(0.15, 5000)))
    assert upright["mean"] == 0.0
    assert upright["std"] == pytest.approx(0.15, abs=0.01)
    assert max(tilted["ks"], upright["ks"]) < 0.12
    single = fit_normal(histogram([0.4]))
    assert (single["mean"], single["std"]) == (pytest.approx(0.4, abs=0.02), 0.0)


def test_normal_laws_are_clipped_as_in_growth():
    law = {"form": "normal", "mean": 3.0, "std": 0.5}
    assert cumulative(law, [-0.1, 3.0, 3.1, math.pi]).tolist() == pytest.approx(
        [0.0, 0.5, 0.5793, 1.0], abs=1e-3
    )
    assert cumulative({"form": "normal", "mean": 0.0, "std": 0.0}, [0.0]).tolist() == [1.0]


def test_the_distance_sees_a_wrong_law():
    angles = draw(LAWS[1], 5000)
    assert distance(histogram(angles), LAWS[1]) < 0.05
    assert distance(histogram(angles), LAWS[0]) > 0.25


@pytest.fixture(scope="module")
def distributions(dataset):
    return extract_distributions(dataset, processes=1)[0]


def test_fits_are_those_of_neurots(distributions):
    from neurots.generate.orientations import fit_3d_angles

    drawn = distributions["default"][PYRAMIDAL]
    params = {
        "grow_types": [BASAL, APICAL],
        BASAL: {"orientation": {"mode": "pia_constraint"}},
        APICAL: {"orientation": None},
    }
    expected = fit_3d_angles(params, drawn)[BASAL]["orientation"]["values"]
    found = fit_mtype(drawn)[BASAL]["pia"]["laws"]["step"]
    assert {key: found[key] for key in expected} == expected
    params[BASAL]["orientation"] = {"mode": "apical_constraint", "values": {"form": "double_step"}}
    expected = fit_3d_angles(params, drawn)[BASAL]["orientation"]["values"]
    found = fit_mtype(drawn)[BASAL]["apical"]["laws"]["double_step"]
    assert {key: found[key] for key in expected} == expected


def test_numbers_and_histograms_are_told(distributions):
    fits = fit_trunk_angles(distributions)
    assert json.loads(json.dumps(fits)) == fits
    basal = fits["default"][PYRAMIDAL][BASAL]
    assert (basal["n_cells"], basal["n_trees"], basal["trees_per_cell"]) == (6, 18, 3.0)
    data = distributions["default"][PYRAMIDAL][BASAL]["trunk"]["pia_3d_angles"]["data"]
    assert basal["pia"]["histogram"] == data
    assert set(fits["default"][INTERNEURON]) == {BASAL}
    assert "apical" not in fits["default"][INTERNEURON][BASAL]
    assert any(
        s.startswith(f"{PYRAMIDAL}, basal_dendrite: 18 trees of 6 cells") for s in sentences(fits)
    )


def test_empty_histograms_have_no_fit():
    entry = {
        BASAL: {
            "num_trees": {"data": {"bins": [0], "weights": [3]}},
            "trunk": {"pia_3d_angles": {"data": {"bins": [0.1, 0.2], "weights": [math.nan] * 2}}},
        }
    }
    assert fit_mtype(entry) == {BASAL: {"n_cells": 3, "n_trees": 0, "trees_per_cell": 0.0}}


@pytest.mark.golden
@pytest.mark.slow
def test_the_published_fits_are_found_again(shared):
    """52 laws of the 58 mtypes of synthdb, made by synthesis-workflow from the same histograms."""
    inputs = shared / "golden" / "synthdb_rat" / "inputs"
    drawn = json.loads((inputs / "tmd_distributions.json").read_text())["SSCX"]
    count = 0
    for mtype, params in json.loads((inputs / "tmd_parameters.json").read_text())["SSCX"].items():
        for name in params["grow_types"]:
            orientation = params[name]["orientation"]
            mode = orientation["mode"] if isinstance(orientation, dict) else None
            if mode not in ("pia_constraint", "apical_constraint"):
                continue
            data = drawn[mtype][name]["trunk"][mode.replace("_constraint", "_3d_angles")]["data"]
            values = orientation["values"]
            law = fit_form(AngleHistogram.of(data), values["form"])
            assert law["params"] == pytest.approx(values["params"], rel=1e-4, abs=1e-6), mtype
            count += 1
    assert count == 52
