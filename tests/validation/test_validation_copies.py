"""Tests above the floor of copies: real cells against real cells pass, others fail."""

import csv
import os
from collections import defaultdict

import numpy as np
import pytest
from scipy import stats

from helpers.made_cells import make_cells
from region_grower_flow.calibration.dataset import ReferenceCell
from region_grower_flow.validation import (
    classifier,
    clustered,
    copies,
    morphometrics,
    populations,
    topology,
    trunks,
)
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.results import deciding, plain_verdict
from region_grower_flow.validation.verdict import FAIL

BASAL = "basal_dendrite"
TIERS = (morphometrics, topology, classifier, trunks)


def failures(reference, synthesized, fitted, tiers=TIERS):
    """{tier: names of the deciding tests that fail}."""
    found = {}
    terms = Comparison((BASAL,), 0, "X", fitted=fitted or ())
    for tier in tiers:
        verdicts = tier.compare(reference, synthesized, terms)
        wrong = [v for v in deciding([plain_verdict(v) for v in verdicts]) if v["verdict"] == FAIL]
        found[tier.TIER] = [v["test"] for v in wrong]
    return found


def halves_and_copies(cells, seed, wanted):
    """(one half, copies of the other one, that one)."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(cells))
    half = len(cells) // 2
    reference, fitted = ([cells[i] for i in part] for part in (order[:half], order[half:]))
    drawn = [fitted[i] for i in rng.integers(len(fitted), size=wanted)]
    return reference, drawn, fitted


def test_deals():
    rng = np.random.default_rng(0)
    for found in (copies.deal((3, 5), 40, 7, rng), copies.draw((3, 5), 40, 7, rng)):
        assert (found[0].sum(axis=1) == 3).all()
        assert (found[1].sum(axis=1) == 40).all()
        assert not (found[0].astype(bool) & found[1].astype(bool)).any()
    assert (found[0][:, :3] == 1).all()
    places = copies.deal_places((3, 5), 40, 7, rng)
    assert places.shape == (7, 43)
    assert all(set(row[:3]).isdisjoint(row[3:]) for row in places.tolist())


def test_distances_are_scipys():
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 9, 20), rng.integers(2, 12, 30)
    assert copies.ks_distance(first, second) == pytest.approx(stats.ks_2samp(first, second)[0])
    weights = rng.integers(0, 3, (2, 20))
    expected = stats.ks_2samp(*(np.repeat(first, w) for w in weights))[0]
    found = clustered.weighted_ks(first, weights[:1], weights[1:])
    assert found[0] == pytest.approx(expected)


def test_copies_of_the_fitted_cells_fail_at_the_nominal_rate_only():
    """Where copies are counted as so many independent cells, most comparisons fail."""
    naive, floored = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        reference, fitted = rng.normal(size=(2, 12))
        grown = rng.choice(fitted, 150) + 0.05 * rng.normal(size=150)
        naive.append(stats.ks_2samp(reference, grown).pvalue)
        found = copies.compare_cells("x", reference, grown, fitted, rng, 8)
        floored.append(found.p)
        assert 0.15 < found.floor < 0.8
    assert np.mean(np.array(naive) < 0.05) > 0.15
    assert np.mean(np.array(floored) < 0.05) < 0.12


def test_cells_that_differ_fail_above_the_floor():
    rng = np.random.default_rng(2)
    reference, fitted = rng.normal(size=(2, 20))
    found = copies.compare_cells("x", reference, rng.normal(2.5, 1, 150), fitted, rng, 8)
    assert found.p < 0.01
    assert found.interval[0] > 0.5


@pytest.mark.slow
def test_made_cells_pass_and_larger_ones_fail():
    cells = make_cells(32, 3)
    reference, drawn, fitted = halves_and_copies(cells, 0, 60)
    assert failures(reference, drawn, fitted) == {tier.TIER: [] for tier in TIERS}
    larger = [cell.scaled(1.6) for cell in make_cells(60, 4)]
    found = failures(reference, larger, fitted, (morphometrics, topology))
    assert found["morphometrics"] == ["features"]
    assert found["topology"]
    upwards = failures(reference, make_cells(60, 5, toward_pia=3.0), fitted, (trunks,))
    assert "pia angle" in upwards["trunks"]


def pool(shared, suffix):
    """The rat's cells of all mtypes with this ending, over the layers."""
    folder = shared / "realdata" / "rat_s1_nmc2015_dendrites"
    if not (folder / "index.csv").is_file():
        pytest.skip("the reconstructions are absent")
    mtypes = defaultdict(list)
    with open(folder / "index.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["mtype"].partition("_")[2] == suffix:
                path = folder / row["mtype"] / f"{row['name']}.h5"
                mtypes[row["mtype"]].append(ReferenceCell(row["name"], str(path)))
    cells = [cell for of_mtype in mtypes.values() for cell in of_mtype]
    found, lost = populations.read_references(cells, suffix)
    assert not lost
    return found


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["LBC", "MC", "NBC"])
def test_real_cells_against_real_cells_pass(shared, suffix):
    """Copies of one half of the reconstructions against the other half: nothing may fail."""
    cells = pool(shared, suffix)
    for split in (0, 1) if "RGF_STRESS" in os.environ else (1,):
        reference, drawn, fitted = halves_and_copies(cells, split, 150)
        assert failures(reference, drawn, fitted) == {tier.TIER: [] for tier in TIERS}
    other = [cell.scaled(1.3) for cell in drawn]
    assert failures(reference, other, fitted, (morphometrics,)) == {"morphometrics": ["features"]}
