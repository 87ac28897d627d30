"""Apical points found once per barcode against TMD's estimate for each scaled barcode."""

import json
import os

import numpy as np
import pytest
from tmd.Topology.analysis import find_apical_point_distance_smoothed

from helpers.growth_inputs import barcode
from region_grower_flow.engine.apical import NO_POINT, ApicalPoint, safe_bin
from region_grower_flow.errors import DropCell

pytestmark = pytest.mark.slow

RATIOS = np.concatenate([np.random.default_rng(0).uniform(0.05, 4.0, 40), [1.0, 0.5, 2.0, 1e-3]])


def expected(bars, ratio):
    scaled = [[bar[0] * ratio, bar[1] * ratio, *bar[2:]] for bar in bars]
    return find_apical_point_distance_smoothed(scaled)


def assert_same_points(bars, ratios):
    bars = np.array(bars, dtype=float)
    point = ApicalPoint.prepare(bars)
    assert point.distance(bars, None) == find_apical_point_distance_smoothed(bars.tolist())
    for ratio in ratios:
        assert point.distance(bars, ratio) == expected(bars.tolist(), ratio)
    return point.bin is not None


def test_random_barcodes():
    rng = np.random.default_rng(3)
    found = [assert_same_points(barcode(rng, 25, 300.0), RATIOS[:4]) for _ in range(12)]
    assert sum(found) > 7


def test_bars_on_the_edges_of_bins_are_estimated_each_time():
    # 99 bins of 1 um: whether such a bar spans a bin hangs on rounding once it is scaled.
    bars = [[99.0, 0.0], [60.0, 20.0], [33.0, 12.0], [50.0, 40.0]]
    assert ApicalPoint.prepare(np.array(bars)).bin is None
    assert_same_points(bars, RATIOS)


def test_a_tie_is_not_decided_beforehand():
    # Mirrored bars: the density is symmetric, its slope in the middle is zero but for rounding.
    bars = np.array([[99.5, 0.5], [20.2, 10.7], [89.3, 79.8]])
    assert safe_bin(bars, 0.5, 99.5) is None or assert_same_points(bars, RATIOS)


def test_a_single_bar_of_no_length():
    bars = np.array([[10.0, 10.0]])
    with pytest.raises(ValueError, match="multiple elements"):
        ApicalPoint.prepare(bars).distance(bars, 2.0)


def test_barcode_without_apical_point():
    # A single long bar: TMD looks for a minimum of its density forever.
    bars = np.array([[10.0, 0.0], [0.05, 0.01]])
    assert ApicalPoint.prepare(bars).bin == NO_POINT
    with pytest.raises(DropCell, match="no apical point"):
        ApicalPoint.prepare(bars).distance(bars, 2.0)


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["plain", "synthdb_rat", "sscx"])
def test_golden_barcodes(shared, scenario):
    path = shared / "golden" / scenario / "inputs" / "tmd_distributions.json"
    safe = []
    for mtypes in json.loads(path.read_text()).values():
        apicals = [entry.get("apical_dendrite", {}) for entry in mtypes.values()]
        barcodes = [entry["persistence_diagram"][0] for entry in apicals if entry]
        for bars in barcodes[:: 1 if "RGF_STRESS" in os.environ else 4]:
            safe.append(assert_same_points(bars, RATIOS[::8]))
    assert np.mean(safe) > 0.8
