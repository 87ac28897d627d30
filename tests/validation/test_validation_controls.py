"""Controls: they behave for sensible tests, and take back the verdicts of those that do not."""

import numpy as np
import pytest

from helpers.made_cells import make_cells
from region_grower_flow.validation import classifier, controls, morphometrics, topology, trunks
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.verdict import FAIL, NO_POWER, NOT_TESTABLE, PASS, Verdict

pytestmark = pytest.mark.slow

BASAL, APICAL = "basal_dendrite", "apical_dendrite"
ENERGY = f"{topology.TIER}: {topology.ENERGY}"
RATIO = f"{topology.TIER}: {topology.RATIO}"


@pytest.fixture(scope="module")
def populations():
    """Reference, synthesized and another mtype's cells, of little spread: tests have power."""
    narrow = {"spread": 0.05, "basals": 5.0}
    return (
        make_cells(24, 0, **narrow),
        make_cells(40, 1, **narrow),
        make_cells(16, 2, branching=0.95, **narrow),
    )


@pytest.fixture(scope="module")
def found(populations):
    return controls.run(*populations, Comparison((BASAL,), 0, "L5_TPC"))


def test_controls_of_sensitive_tests_behave(found):
    by_test = {c.test: c for c in found}
    assert list(by_test) == [
        "morphometrics: features",
        RATIO,
        ENERGY,
        f"{classifier.TIER}: {classifier.TEST}",
        "trunks: pia angle",
        "trunks: angle between trunks",
    ]
    assert {c.tier for c in found} == {"controls"}
    assert {c.mtype for c in found} == {"L5_TPC"}
    for test in (ENERGY, "morphometrics: features", "classifier: real against synthesized"):
        assert by_test[test].verdict == PASS, by_test[test].detail
        assert by_test[test].values == {
            "half-split": PASS,
            "barcodes times 1.2": FAIL,
            "barcodes divided by 1.2": FAIL,
            "another mtype": FAIL,
        }
    assert by_test["trunks: pia angle"].values == {"half-split": PASS, "bent trunks": FAIL}


def test_ratio_is_not_asked_about_smaller_trees(found):
    by_test = {c.test: c for c in found}
    assert controls.SMALLER not in by_test[RATIO].values


def test_few_and_varied_cells_leave_no_power():
    cells = make_cells(8, 0, spread=0.5), make_cells(8, 1, spread=0.5)
    verdicts = topology.compare(*cells, Comparison((BASAL,), 0))
    found = controls.run(*cells, [], Comparison((BASAL,), 0))
    control = {c.test: c for c in found}[ENERGY]
    assert control.verdict == NO_POWER
    assert "does not fail barcodes times 1.2" in control.detail
    assert "another mtype" not in control.values
    energy = [v for v in verdicts if v.test == topology.ENERGY]
    assert energy[0].verdict == PASS
    applied = controls.apply(energy, found)[0]
    assert applied.verdict == NO_POWER
    assert applied.values["without_controls"] == PASS
    assert control.detail in applied.detail


def test_the_same_mtype_as_another_one_shows_no_power(populations):
    reference, synthesized, _ = populations
    found = controls.run(reference, synthesized, synthesized[:16], Comparison((BASAL,), 0))
    control = {c.test: c for c in found}[ENERGY]
    assert control.verdict == NO_POWER
    assert control.detail.startswith("the test does not fail cells of another mtype (half-split: ")


def test_a_test_that_fails_half_splits_is_not_believed(monkeypatch, populations):
    reference, synthesized, other = (cells[:8] for cells in populations)

    def always_fails(first, second, comparison):
        return [Verdict(topology.TIER, topology.ENERGY, FAIL, comparison.mtype, BASAL)]

    monkeypatch.setattr(topology, "compare", always_fails)
    found = controls.run(reference, synthesized, other, Comparison((BASAL,), 0))
    control = {c.test: c for c in found}[ENERGY]
    assert control.verdict == NO_POWER
    assert "also fails halves of the reference" in control.detail
    failed = always_fails(reference, synthesized, Comparison((BASAL,), 0))
    assert controls.apply(failed, found)[0].verdict == NO_POWER


def control(verdict, **values):
    return Verdict(
        "controls", ENERGY, verdict, "m", BASAL, detail="the test is blind", values=values
    )


@pytest.mark.parametrize(
    ("verdict", "said", "expected"),
    [
        (PASS, control(PASS), PASS),
        (PASS, control(NO_POWER, larger=PASS), NO_POWER),
        (PASS, control(NOT_TESTABLE), NO_POWER),
        # A test that misses small errors is right about a large one.
        (FAIL, control(NO_POWER, larger=PASS), FAIL),
        (FAIL, control(NO_POWER, **{"half-split": FAIL}), NO_POWER),
        (NOT_TESTABLE, control(NO_POWER), NOT_TESTABLE),
        (NO_POWER, control(NO_POWER), NO_POWER),
    ],
)
def test_verdicts_in_the_light_of_controls(verdict, said, expected):
    before = Verdict(topology.TIER, topology.ENERGY, verdict, "m", BASAL)
    assert controls.apply([before], [said])[0].verdict == expected


def test_verdicts_without_controls_of_their_own_stay():
    others = [
        Verdict(topology.TIER, topology.ENERGY, PASS, "m", APICAL),
        Verdict(topology.TIER, topology.ENERGY, PASS, "another", BASAL),
        Verdict(topology.TIER, "longest bar", PASS, "m", BASAL),
        Verdict("structure", "finite points", PASS, "m", BASAL),
    ]
    assert controls.apply(others, [control(NO_POWER)]) == others


@pytest.mark.parametrize(("failed", "expected"), [(0, PASS), (1, PASS), (2, FAIL)])
def test_one_half_split_of_five_may_fail(failed, expected):
    words = [FAIL] * failed + [PASS] * (3 - failed) + [NO_POWER] * 2
    assert controls._outcome(controls.HALF_SPLIT, words) == expected
    assert controls._outcome(controls.HALF_SPLIT, [NOT_TESTABLE] * 5) == NOT_TESTABLE


def test_too_few_cells_have_no_controls():
    assert controls.run(make_cells(7, 0), make_cells(9, 1), [], Comparison((BASAL,), 0)) == []


def test_controls_of_barcodes_alone(populations):
    trees = [
        {BASAL: [bars for cell in cells for bars in topology.barcodes(cell, BASAL)]}
        for cells in populations
    ]
    found = {c.test: c for c in controls.run_trees(*trees, Comparison((BASAL,), 0, "L5_TPC"))}
    assert list(found) == [RATIO, ENERGY]
    assert found[ENERGY].verdict == PASS, found[ENERGY].detail
    assert found[ENERGY].values["barcodes times 1.2"] == FAIL
    without = {c.test: c for c in controls.run_trees(*trees[:2], None, Comparison((BASAL,), 0))}
    assert "another mtype" not in without[ENERGY].values


def test_controls_of_trunks_where_only_laws_are_known(populations):
    flat = {"mode": "pia_constraint", "values": {"form": "flat", "params": []}}
    terms = Comparison((BASAL,), 0, "L5_TPC", parameters={BASAL: {"orientation": flat}})
    found = controls.run_trunks(None, populations[1], terms)
    assert [(c.test, c.verdict, c.values) for c in found] == [
        ("trunks: pia angle", PASS, {"bent trunks": FAIL}),
        ("trunks: angle between trunks", PASS, {"bent trunks": FAIL}),
    ]


def test_halves_share_no_cell_and_take_all():
    halves = list(controls._halves(list(range(11)), 3))
    assert len(halves) == controls.SPLITS
    for first, second in halves:
        assert sorted([*first, *second]) == list(range(11))
    assert len({tuple(first) for first, _ in halves}) > 1


def test_scaled_cells_have_scaled_barcodes():
    cells = make_cells(2, 0)
    for cell, copy in zip(cells, controls.scaled(cells, 1.2, (BASAL,)), strict=True):
        measured = topology.barcodes(cell.scaled(1.2), BASAL)
        for bars, expected in zip(topology.barcodes(copy, BASAL), measured, strict=True):
            np.testing.assert_allclose(bars, expected, rtol=1e-4)
        assert morphometrics.measure(copy, BASAL)[0] == morphometrics.measure(cell, BASAL)[0]
        np.testing.assert_allclose(
            trunks.directions(copy, BASAL, trunks.ORIGIN),
            trunks.directions(cell, BASAL, trunks.ORIGIN),
            atol=1e-6,
        )


def test_the_other_mtype_is_neither_the_most_similar_nor_the_most_different():
    lengths = {"own": 100.0, "twin": 101.0, "half": 50.0, "giant": 5000.0}
    assert controls.choose_other("own", lengths) == "half"
    assert controls.choose_other("own", {"own": 1.0}) is None


def test_controls_depend_on_the_seed_alone(populations):
    cells = [population[:8] for population in populations[:2]]
    first, again = (controls.run(*cells, [], Comparison((BASAL,), 3)) for _ in range(2))
    assert first == again
