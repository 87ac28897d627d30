"""Trunk angles against NeuroTS's laws and against reference cells."""

import numpy as np
import pytest
from neurots.generate.orientations import OrientationManager, get_probability_function
from scipy import stats

from helpers.made_cells import by_test, make_cells
from region_grower_flow.validation import trunk_laws, trunks
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.verdict import FAIL, NOT_TESTABLE, PASS

BASAL, APICAL = "basal_dendrite", "apical_dendrite"
STEP = {"mode": "pia_constraint", "values": {"form": "step", "params": [1.5, 0.3]}}
DOUBLE = {"mode": "pia_constraint", "values": {"form": "double_step", "params": [2, 0.2, -1, 0.2]}}
FLAT = {"mode": "pia_constraint", "values": {"form": "flat", "params": []}}
NORMAL = {"mode": "normal_pia_constraint", "values": {"direction": {"mean": 1.0, "std": 0.3}}}
EXPONENTIAL = {"mode": "normal_pia_constraint", "values": {"direction": {"mean": 0, "std": 0.2}}}
UP = {"mode": "normal_pia_constraint", "values": {"direction": {"mean": 0.0, "std": 0.0}}}
TO_APICAL = {"mode": "apical_constraint", "values": {"form": "step", "params": [2.0, 0.2]}}


def read(orientation):
    return trunk_laws.read_law({"orientation": orientation})


def by_neurots(orientation, number, seed=0, apical=None):
    """Directions of ``number`` trunks drawn by NeuroTS itself."""
    parameters = {BASAL: {"orientation": orientation}}
    distributions = {BASAL: {"num_trees": {"data": {"bins": [number], "weights": [1]}}}}
    rng = np.random.default_rng(seed)
    manager = OrientationManager(None, parameters, distributions, {}, rng)
    if apical is not None:
        manager._orientations[APICAL] = np.array([apical])
    return np.array(manager.compute_tree_type_orientations(BASAL))


def cells_with(directions):
    """Cells whose basal trunks have these directions: a list of (k, 3) arrays."""
    cells = make_cells(len(directions), seed=5)
    for cell, vectors in zip(cells, directions, strict=True):
        for origin in (trunks.ORIGIN, trunks.SOMA):
            cell.measured[(trunks.TIER, BASAL, origin)] = np.asarray(vectors, dtype=float)
    return cells


@pytest.mark.parametrize("orientation", [STEP, DOUBLE, FLAT, NORMAL, EXPONENTIAL, UP])
def test_law_is_that_of_neurots(orientation):
    expected = trunks.angles_between(by_neurots(orientation, 400), trunks.PIA)
    found = read(orientation).draw(4000, 1, np.random.default_rng(0), None)[:, 0]
    angles = trunks.angles_between(found, trunks.PIA)
    assert stats.ks_2samp(np.round(expected, 3), np.round(angles, 3)).pvalue > 0.01
    if orientation is not UP:
        around = np.arctan2(found[:, 2], found[:, 0])
        assert stats.kstest(around, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.001


def test_law_about_the_apical_dendrite_is_that_of_neurots():
    apical = np.array([0.6, 0.8, 0.0])
    expected = by_neurots(TO_APICAL, 300, apical=apical)
    found = read(TO_APICAL).draw(3000, 1, np.random.default_rng(0), np.tile(apical, (3000, 1)))
    for direction in (apical, trunks.PIA):
        pair = [trunks.angles_between(v, direction) for v in (expected, found[:, 0])]
        assert stats.ks_2samp(*pair).pvalue > 0.01


def test_density_of_angles_is_that_of_neurots():
    quantiles = read(STEP).angles
    density = get_probability_function("step")(trunk_laws.GRID, 1.5, 0.3)
    middle = np.interp(0.5, np.cumsum(density) / density.sum(), trunk_laws.GRID)
    assert np.median(quantiles) == pytest.approx(middle, abs=0.01)


def test_uniform_and_fixed_directions():
    cosines = np.cos(read({"mode": "uniform", "values": {}}).angles)
    assert stats.kstest(cosines, stats.uniform(-1, 2).cdf).statistic < 0.001
    for orientation in (
        [[0, 2.0, 0]],
        {"mode": "use_predefined", "values": {"orientations": [[0, 1, 0]]}},
    ):
        drawn = read(orientation).draw(5, 1, np.random.default_rng(0), None)
        np.testing.assert_array_equal(drawn, np.tile([0, 1.0, 0], (5, 1, 1)))


@pytest.mark.parametrize(
    "orientation", [None, {"mode": "sample_pairwise_angles", "values": {}}, {"mode": "x"}]
)
def test_modes_without_a_law_of_single_directions(orientation):
    assert read(orientation) is None
    around = {"orientation": [[0, 1, 0]], "trunk_absolute_orientation": True}
    assert trunk_laws.read_law(around) is None


def test_frames_are_orthonormal_with_y_along_the_direction():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 3))
    vectors[0], vectors[1] = [1, 0, 0], [0, 1, 0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = trunk_laws.frames(vectors)
    products = np.einsum("nij,nkj->nik", found, found)
    np.testing.assert_allclose(products, np.tile(np.eye(3), (50, 1, 1)), atol=1e-12)
    np.testing.assert_array_equal(found[:, 1], vectors)


def test_directions_are_seen_from_the_origin_or_from_the_soma():
    cell = make_cells(1, seed=0)[0]
    roots = cell.morphology.parents < 0
    starts = cell.morphology.points[cell.morphology.offsets[:-1][roots]]
    found = trunks.directions(cell, BASAL, trunks.ORIGIN)
    np.testing.assert_allclose(found, starts / 5.0, rtol=1e-5, atol=1e-6)
    moved = ValidationCell("moved", cell.morphology)
    moved.morphology.soma_points = cell.morphology.soma_points + np.float32([0, 2, 0])
    from_soma = trunks.directions(moved, BASAL, trunks.SOMA)
    neurons = moved.neurom(BASAL)
    import neurom

    vectors = np.array(neurom.get("trunk_vectors", neurons))
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(from_soma, expected, atol=1e-5)


def test_angles_by_hand():
    cell = {BASAL: np.eye(3), APICAL: np.array([[0, 1.0, 0]])}
    half = np.pi / 2
    assert trunks.angles(cell, trunks.Angle(BASAL)).tolist() == [half, 0, half]
    assert trunks.angles(cell, trunks.Angle(BASAL, BASAL)).tolist() == [half] * 3
    assert trunks.angles(cell, trunks.Angle(BASAL, APICAL)).tolist() == [half, 0, half]
    assert len(trunks.angles(cell, trunks.Angle(APICAL, APICAL))) == 0


def test_ks_distances_of_histograms_are_scipys():
    rng = np.random.default_rng(0)
    a, b = np.round(rng.uniform(0, 3, 30), 3), np.round(rng.uniform(0.2, 3.1, 50), 3)
    found = trunks.ks_distances(trunks.histogram(a), trunks.histogram(b)[0])
    assert found[0] == pytest.approx(stats.ks_2samp(a, b).statistic)


def drawn_cells(orientation, count, seed, trees=4):
    law = read(orientation)
    return cells_with(law.draw(count, trees, np.random.default_rng(seed), None))


def p_values(observed, against, reference=None):
    """{test: p} of cells with trunks by one law against another law."""
    verdicts = trunks.compare(
        reference, observed, Comparison((BASAL,), 0, "L5_TPC", parameters={BASAL: against})
    )
    return {test: verdict.p for test, verdict in by_test(verdicts).items()}


@pytest.mark.slow
def test_trunks_by_the_law_pass_at_the_nominal_rate():
    found = [p_values(drawn_cells(STEP, 20, seed), {"orientation": STEP}) for seed in range(16)]
    for test in ("pia angle", "angle between trunks"):
        p = np.array([values[test] for values in found])
        assert np.mean(p < 0.05) <= 0.2
        assert stats.kstest(p, "uniform").pvalue > 0.005


def test_trunks_of_another_law_fail():
    verdicts = trunks.compare(
        None,
        drawn_cells(FLAT, 20, 0),
        Comparison((BASAL,), 0, parameters={BASAL: {"orientation": STEP}}),
    )
    assert by_test(verdicts)["pia angle"].verdict == FAIL
    assert all(v.values["by_law"] for v in verdicts)
    assert "differ from those of the fitted law" in verdicts[0].detail


def test_a_constant_law_is_kept_to_a_thousandth_of_a_radian():
    up = {BASAL: {"orientation": UP}}
    straight = cells_with(np.tile([1e-4, 1.0, 0], (10, 1, 1)))
    assert (
        by_test(trunks.compare(None, straight, Comparison((BASAL,), 0, parameters=up)))[
            "pia angle"
        ].p
        == 1.0
    )
    tilted = cells_with(np.tile([0.05, 0.9987, 0], (10, 1, 1)))
    found = by_test(trunks.compare(None, tilted, Comparison((BASAL,), 0, parameters=up)))[
        "pia angle"
    ]
    assert found.verdict == FAIL


def test_without_a_law_trunks_are_compared_with_the_reference():
    reference, same = make_cells(30, 0), make_cells(40, 1)
    verdicts = trunks.compare(
        reference, same, Comparison((BASAL,), 0, "L5_TPC", parameters={BASAL: {}})
    )
    assert [(v.test, v.verdict) for v in verdicts] == [
        ("pia angle", PASS),
        ("angle between trunks", PASS),
    ]
    assert not verdicts[0].values["by_law"]
    upwards = make_cells(40, 2, toward_pia=1.0)
    found = by_test(trunks.compare(reference, upwards, Comparison((BASAL,), 0, "L5_TPC")))
    assert found["pia angle"].verdict == found["angle between trunks"].verdict == FAIL


def turned_up(count, degrees, seed):
    """Cells with one trunk each, about so many degrees off the pia's direction."""
    rng = np.random.default_rng(seed)
    polar = np.radians(degrees) * rng.uniform(0.9, 1.1, size=count)
    around = rng.uniform(0, 2 * np.pi, size=count)
    parts = np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)
    return cells_with(np.stack(parts, axis=-1)[:, None])


@pytest.mark.parametrize(("degrees", "verdict"), [(4, PASS), (8, FAIL)])
def test_angles_that_differ_by_less_than_they_are_known_agree(degrees, verdict):
    straight, tilted = turned_up(16, 0.1, 0), turned_up(40, degrees, 1)
    found = by_test(trunks.compare(straight, tilted, Comparison((BASAL,), 0)))["pia angle"]
    assert found.statistic == 1.0
    assert found.verdict == verdict
    assert f"{degrees}." in found.detail or f"{degrees - 1}." in found.detail


def test_angles_between_types_are_tested():
    reference, same = make_cells(20, 0, apicals=1), make_cells(20, 1, apicals=1)
    verdicts = trunks.compare(reference, same, Comparison((BASAL, APICAL), 0))
    assert [(v.neurite_type, v.test) for v in verdicts] == [
        (BASAL, "pia angle"),
        (BASAL, "angle between trunks"),
        (APICAL, "pia angle"),
        (BASAL, "angle to the apical dendrite"),
    ]
    parameters = {BASAL: {"orientation": TO_APICAL}, APICAL: {"orientation": UP}}
    found = by_test(
        trunks.compare(None, same, Comparison((BASAL, APICAL), 0, parameters=parameters))
    )
    assert found["angle to the apical dendrite"].verdict == FAIL


def test_cells_that_follow_a_law_which_does_not_fit_fail():
    """A law that is fitted badly is no excuse: the reconstructions decide."""
    down = np.random.default_rng(3).normal([0, -1, 0], 0.2, size=(16, 4, 3))
    reference = cells_with(down / np.linalg.norm(down, axis=-1, keepdims=True))
    grown = drawn_cells(STEP, 30, 0)
    verdicts = trunks.compare(
        reference, grown, Comparison((BASAL,), 0, parameters={BASAL: {"orientation": STEP}})
    )
    assert by_test(verdicts)["pia angle"].verdict == FAIL
    assert "those of the reference cells" in verdicts[0].detail


def test_angles_are_corrected_for_their_number():
    cells = make_cells(20, 0, apicals=2), make_cells(20, 1, apicals=2)
    verdicts = trunks.compare(*cells, Comparison((BASAL, APICAL), 0))
    assert len(verdicts) == 5
    expected = stats.false_discovery_control([v.p for v in verdicts])
    np.testing.assert_allclose([v.p_adjusted for v in verdicts], expected)
    assert any(v.p_adjusted > v.p for v in verdicts)


@pytest.mark.slow
def test_trunks_of_one_cell_are_not_independent():
    """Cells that differ only in a common direction are one population: cells are permuted."""
    rng = np.random.default_rng(0)
    p = []
    for seed in range(16):
        centers = rng.normal(size=(24, 1, 3))
        vectors = centers + 0.2 * rng.normal(size=(24, 6, 3))
        cells = cells_with(vectors / np.linalg.norm(vectors, axis=2, keepdims=True))
        halves = cells[:12], cells[12:]
        p.append(by_test(trunks.compare_halves(halves, Comparison((BASAL,), seed)))["pia angle"].p)
    assert np.mean(np.array(p) < 0.05) <= 0.2


def test_few_cells_are_not_testable_by_law_or_without():
    parameters = {BASAL: {"orientation": STEP}}
    for sizes in ((7, 20), (20, 7)):
        cells = make_cells(sizes[0], 0), make_cells(sizes[1], 1)
        for law in (parameters, None):
            verdicts = trunks.compare(*cells, Comparison((BASAL,), 0, parameters=law))
            assert {v.verdict for v in verdicts} == {NOT_TESTABLE}


def test_bent_trunks_fail_by_law_and_without():
    for orientation in (FLAT, UP):
        cells = drawn_cells(orientation, 20, 0)
        parameters = {BASAL: {"orientation": orientation}}
        bent = trunks.bent(cells, (BASAL,))
        for law, reference in ((parameters, None), (None, cells)):
            straight = by_test(
                trunks.compare(reference, cells, Comparison((BASAL,), 0, parameters=law))
            )
            found = by_test(
                trunks.compare(reference, bent, Comparison((BASAL,), 0, parameters=law))
            )
            assert straight["pia angle"].verdict == PASS
            assert found["pia angle"].verdict == FAIL


def test_verdicts_depend_on_the_seed_alone():
    cells = drawn_cells(STEP, 12, 0)
    first, again, other = (
        trunks.compare(
            None, cells, Comparison((BASAL,), seed, parameters={BASAL: {"orientation": STEP}})
        )
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other
