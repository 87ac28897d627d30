"""Cells that are grown with fitted laws have trunks at the angles of these laws."""

import copy

import numpy as np
import pytest

from helpers.growth_inputs import mtype
from region_grower_flow import engine
from region_grower_flow.calibration.trunk_fits import cumulative, fit_mtype
from region_grower_flow.calibration.trunks import ALL, TrunkChoice, set_trunks
from region_grower_flow.engine.angle_laws import with_laws
from region_grower_flow.engine.model import GrowthSite
from region_grower_flow.morphology import APICAL_DENDRITE, BASAL_DENDRITE

CELLS = 150
BASAL, APICAL = "basal_dendrite", "apical_dendrite"
LIMIT = 1e-3
"""Least p that does not refuse a law."""


def reference(seed=3):
    """Histograms of angles of basal trunks that go down, and apical trunks that go up."""
    rng = np.random.default_rng(seed)

    def hist(angles):
        weights, edges = np.histogram(angles, bins=30, density=True)
        return {
            "data": {"bins": (0.5 * (edges[1:] + edges[:-1])).tolist(), "weights": weights.tolist()}
        }

    down = np.pi - np.abs(rng.normal(0.0, 0.7, 400))
    return {BASAL: hist(down), APICAL: hist(np.abs(rng.normal(0.0, 0.2, 100)))}


def grow_angles(params, distributions):
    """{neurite type: angles (rad) to the pia of the trunks of CELLS cells}."""
    prepared = engine.prepare(params, distributions)
    up = np.array([0.0, 1.0, 0.0])
    found = {BASAL_DENDRITE: [], APICAL_DENDRITE: []}
    for seed in range(CELLS):
        site = GrowthSite(np.zeros(3), np.eye(3), {}, ())
        cell = engine.grow(prepared, site, np.random.default_rng(seed)).morphology
        for root in np.flatnonzero(cell.parents < 0):
            vector = cell.points[cell.offsets[root]].astype(float)
            cosine = vector @ up / np.linalg.norm(vector)
            found[int(cell.types[root])].append(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return {BASAL: np.array(found[BASAL_DENDRITE]), APICAL: np.array(found[APICAL_DENDRITE])}


def fitted(rules):
    params, distributions = mtype({APICAL: {"growth_method": "tmd"}, BASAL: {}}, length=15.0)
    for name, angles in reference().items():
        distributions[name]["trunk"]["pia_3d_angles"] = angles
    parameters = {"PC": params}
    done = set_trunks(parameters, {"PC": fit_mtype(distributions)}, TrunkChoice(ALL, rules), set())
    assert not done.problems
    return parameters["PC"], distributions, done.laws["PC"]


@pytest.mark.parametrize("form", ["step", "double_step", "flat"])
def test_angles_follow_the_fitted_law(form):
    from scipy.stats import kstest

    rules = {"PC": {BASAL: {"mode": "pia_constraint", "form": form}}}
    params, distributions, laws = fitted(rules)
    angles = grow_angles(params, distributions)
    assert len(angles[BASAL]) > 2 * CELLS
    for name in (BASAL, APICAL):
        law = {"form": "normal", **laws[name]}
        assert kstest(angles[name], lambda a, law=law: cumulative(law, a)).pvalue > LIMIT, name
    # The test has power: the law of another form is refused.
    flat, step = {"form": "flat", "params": []}, {"form": "step", "params": [2.0, 0.2]}
    other = step if form == "flat" else flat
    assert kstest(angles[BASAL], lambda a: cumulative(other, a)).pvalue < LIMIT


@pytest.mark.parametrize("values", [None, {}, {"form": "double_step"}])
def test_a_law_that_is_not_given_is_fitted_as_neurots_does(values):
    from neurots.generate.orientations import fit_3d_angles

    params, distributions = reference_without_law(values)
    before = copy.deepcopy(params)
    ours = with_laws(params, distributions)
    theirs = fit_3d_angles(copy.deepcopy(params), distributions)
    assert ours == theirs
    assert ours["basal_dendrite"]["orientation"]["values"]["params"]
    assert params == before
    assert engine.prepare(params, distributions).unsupported is None
    assert with_laws(ours, distributions) is ours


def reference_without_law(values):
    """(parameters, distributions) of an mtype whose basal dendrites have no law."""
    params, distributions = mtype({APICAL: {"growth_method": "tmd"}, BASAL: {}}, length=15.0)
    edges = np.linspace(0, np.pi, 21)
    centers = (edges[1:] + edges[:-1]) / 2
    weights = np.exp(-((centers - 2.2) ** 2)) * np.sin(centers)
    data = {"bins": centers.tolist(), "weights": weights.tolist()}
    up = {"mode": "normal_pia_constraint", "values": {"direction": {"mean": 0.0, "std": 0.1}}}
    params[APICAL]["orientation"] = up
    params[BASAL]["orientation"] = {"mode": "pia_constraint", "values": values}
    distributions[BASAL]["trunk"]["pia_3d_angles"] = {"data": data}
    return params, distributions
