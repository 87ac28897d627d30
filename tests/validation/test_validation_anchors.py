"""Values measured before on the barcodes of real neurons, and on what NeuroTS makes of them.

The published values (58 rat mtypes, 15 cells each, NeuroTS 3.7.0 in vacuum): median MVS of basal
bars 0.00, of their total length 0.015, of the longest bar 0.018; ratio of image distances 0.97
(90 % below 1.00); no energy distance below p = 0.01. L5_TPC:A against L5_UPC: apical ratio 2.13, p
0.002; halves of L5_TPC:A: apical trees times 1.1 are told (p 0.002).
"""

import json

import numpy as np
import pytest

from helpers.made_cells import by_test
from region_grower_flow.io.morphologies import read_morphology
from region_grower_flow.validation import controls, topology, trunks
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.verdict import FAIL, NO_POWER, PASS

BASAL, APICAL = "basal_dendrite", "apical_dendrite"
MTYPES = ("L1_DAC", "L23_MC", "L4_LBC", "L5_TPC:A", "L6_LBC")


@pytest.fixture(scope="module")
def inputs(shared):
    """(parameters, distributions) of the 58 mtypes, and their folder."""
    folder = shared / "golden" / "synthdb_rat" / "inputs"
    names = ("tmd_parameters.json", "tmd_distributions.json")
    return folder, *(json.loads((folder / name).read_text())["SSCX"] for name in names)


def barcodes(inputs, mtype, kinds=(BASAL, APICAL)):
    return {
        kind: inputs[2][mtype][kind]["persistence_diagram"]
        for kind in kinds
        if kind in inputs[2][mtype]
    }


def halves(trees, seed, factor):
    order = np.random.default_rng(seed).permutation(len(trees))
    half = len(trees) // 2
    scaled = [np.asarray(trees[i], dtype=float)[:, :2] * factor for i in order[half:]]
    return [trees[i] for i in order[:half]], scaled


def test_another_mtype_is_told_as_before(inputs):
    pair = barcodes(inputs, "L5_TPC:A"), barcodes(inputs, "L5_UPC")
    found = by_test(topology.compare_trees(*pair, Comparison((APICAL,), 0)), APICAL)
    assert found[topology.RATIO].statistic == pytest.approx(2.13, abs=0.05)
    assert found[topology.ENERGY].p <= 0.002
    assert found[topology.RATIO].verdict == found[topology.ENERGY].verdict == FAIL


def test_similar_mtypes_are_at_the_edge_as_before(inputs):
    pair = barcodes(inputs, "L5_TPC:A"), barcodes(inputs, "L5_TPC:B")
    found = by_test(topology.compare_trees(*pair, Comparison((APICAL,), 0)), APICAL)
    assert 0.005 < found[topology.ENERGY].p < 0.08


@pytest.mark.parametrize(("factor", "told"), [(1.0, 0), (1.2, 5)])
def test_scaled_halves_are_told_as_before(inputs, factor, told):
    trees = barcodes(inputs, "L5_TPC:A", (APICAL,))[APICAL]
    found = []
    for seed in range(5):
        first, second = halves(trees, seed, factor)
        verdicts = topology.compare_trees(
            {APICAL: first}, {APICAL: second}, Comparison((APICAL,), seed)
        )
        found.append(by_test(verdicts)[topology.ENERGY].p)
    assert np.sum(np.array(found) < 0.01) == told


@pytest.fixture(scope="module")
def grown(inputs, tmp_path_factory):
    """{mtype: [ValidationCell]}, 15 cells each, in vacuum."""
    from region_grower_flow.stages.vacuum import VacuumPlan, synthesize_vacuum

    folder = tmp_path_factory.mktemp("vacuum")
    paths = [inputs[0] / name for name in ("tmd_parameters.json", "tmd_distributions.json")]
    synthesize_vacuum(VacuumPlan(*paths, folder / "out", mtypes=MTYPES, cells=15, region="SSCX"))
    # The folder of an mtype has what a file system takes of its name.
    index = (folder / "out" / "index.csv").read_text().splitlines()[1:]
    cells = {mtype: [] for mtype in MTYPES}
    for line in index:
        name, mtype, _, path = line.split(",")
        cells[mtype].append(ValidationCell(name, read_morphology(folder / "out" / path)))
    return cells


@pytest.mark.slow
def test_grown_cells_have_the_topology_of_their_barcodes(inputs, grown):
    ratios, scores = [], []
    for mtype, cells in grown.items():
        codes = barcodes(inputs, mtype)
        trees = {kind: [b for c in cells for b in topology.barcodes(c, kind)] for kind in codes}
        verdicts = topology.compare_trees(codes, trees, Comparison(tuple(codes), 0, mtype))
        for kind in codes:
            found = by_test(verdicts, kind)
            assert found[topology.ENERGY].p >= 0.01
            assert found[topology.RATIO].verdict == PASS
            if kind == BASAL:
                ratios.append(found[topology.RATIO].statistic)
                scores += [
                    found[name].values["mvs"]
                    for name in ("bars per tree", "total bar length", "longest bar")
                ]
    assert np.median(ratios) == pytest.approx(0.98, abs=0.03)
    assert np.median(scores) < 0.05
    assert max(scores) < 0.15


@pytest.mark.slow
def test_grown_trunks_follow_their_laws_and_bent_ones_do_not(inputs, grown):
    p, bent = [], []
    for mtype, cells in grown.items():
        law = inputs[1][mtype]
        kinds = tuple(kind for kind in (BASAL, APICAL) if kind in law["grow_types"])
        terms = Comparison(kinds, 0, mtype, parameters=law)
        p += [v.p for v in trunks.compare(None, cells, terms)]
        bent += [
            control.verdict
            for control in controls.run_trunks(None, cells, terms)
            if control.test == "trunks: pia angle"
        ]
    assert min(p) > 0.001
    assert bent.count(PASS) >= 0.8 * len(bent)
    assert set(bent) <= {PASS, NO_POWER}
