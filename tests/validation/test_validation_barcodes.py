"""References that are barcodes only: topology, and trunks by their laws, with their controls."""

from types import SimpleNamespace

import pytest

from helpers.made_cells import make_cells
from region_grower_flow.validation import topology
from region_grower_flow.validation.mtype import MtypeReference, statistics
from region_grower_flow.validation.verdict import FAIL, NOT_TESTABLE, PASS

BASAL = "basal_dendrite"
FLAT = {BASAL: {"orientation": {"mode": "uniform", "values": {}}}}


def unit(cells, other, count):
    codes = [
        {BASAL: [bars for cell in group for bars in topology.barcodes(cell, BASAL)]}
        for group in (cells, other)
    ]
    reference = MtypeReference(
        barcodes=codes[0],
        filtrations={BASAL: topology.FILTRATION},
        cells_of_barcodes={BASAL: count},
        other_barcodes=codes[1],
    )
    about = {"seed": 0, "mtype": "L5_TPC", "parameters": FLAT, "inverted": False}
    return SimpleNamespace(reference=reference, **about)


def verdicts(count, synthesized):
    narrow = {"spread": 0.05, "basals": 5.0}
    reference, other = make_cells(20, 0, **narrow), make_cells(12, 1, branching=0.95, **narrow)
    cells = make_cells(synthesized, 2, **narrow)
    found = statistics(unit(reference, other, count), None, cells, [BASAL])
    return {(v.tier, v.test): v for v in found}


@pytest.mark.slow
def test_barcodes_are_tested_with_controls():
    found = verdicts(20, 20)
    assert found["topology", topology.ENERGY].verdict == PASS
    assert found["trunks", "pia angle"].verdict == PASS
    control = found["controls", f"topology: {topology.ENERGY}"]
    assert (control.verdict, control.values["another mtype"]) == (PASS, FAIL)
    assert control.n_reference == found["topology", topology.ENERGY].n_reference
    assert found["controls", "trunks: pia angle"].verdict == PASS


@pytest.mark.slow
def test_barcodes_of_few_cells_are_not_testable_however_many_trees():
    for count, synthesized in ((7, 20), (20, 7)):
        found = verdicts(count, synthesized)
        of_topology = [v.verdict for (tier, _), v in found.items() if tier == "topology"]
        assert of_topology == [NOT_TESTABLE, NOT_TESTABLE]
        trunk = found["trunks", "pia angle"]
        assert (trunk.verdict, trunk.n_reference) == (NOT_TESTABLE, count)
    assert verdicts(None, 20)["topology", topology.ENERGY].verdict == PASS
