"""Compiled growth against NeuroTS with the same generator: same cells, same state afterwards."""

import json
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.growth_inputs import (
    BY_ANGLES,
    ORIENTATIONS,
    STEPS,
    assert_same_cells,
    grown,
    mtype,
    site,
    type_params,
)
from helpers.oracle import needs_oracle
from region_grower_flow import engine
from region_grower_flow.engine.model import BarcodeScaling
from region_grower_flow.errors import DropCell, GrowthFailed

pytestmark = needs_oracle

SEEDS = range(3)
SCENARIOS = ["plain", "limits", "external_diameters", "sscx", "synthdb_rat"]
THOROUGH = "RGF_STRESS" in os.environ
"""True when all mtypes and many more seeds and drawn parameters are tried, which takes minutes."""
MORE = range(12 if THOROUGH else 3)
UNHURRIED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
METHODS = ["tmd", "tmd_apical", "tmd_gradient"]
TRUNK = {"growth_method": "trunk", "metric": "trunk_length"}
PIA = {"orientation": ORIENTATIONS["pia"]}


@pytest.mark.parametrize("branching", ["bio_oriented", "symmetric", "directional"])
@pytest.mark.parametrize("metric", ["path_distances", "radial_distances"])
@pytest.mark.parametrize("method", METHODS)
def test_methods_metrics_and_branchings(method, metric, branching):
    changes = {"growth_method": method, "metric": metric, "branching_method": branching}
    inputs = mtype({"apical_dendrite": changes, "basal_dendrite": changes})
    assert assert_same_cells(inputs, site(), SEEDS) > 0


@pytest.mark.parametrize("step", list(STEPS))
def test_step_sizes(step):
    changes = {"step_size": STEPS[step]}
    inputs = mtype({"axon": changes, "basal_dendrite": changes})
    assert assert_same_cells(inputs, site(), SEEDS) > 0


@pytest.mark.parametrize("method", METHODS)
def test_major_termination_length(method):
    changes = {"growth_method": method, "major_termination_length": 20.0}
    inputs = mtype({"axon": changes, "basal_dendrite": {}})
    assert assert_same_cells(inputs, site(), MORE) > 0


@pytest.mark.parametrize("method", ["tmd_apical", "tmd_gradient"])
def test_apical_tuft(method):
    changes = {"growth_method": method, "has_apical_tuft": True}
    inputs = mtype({"apical_dendrite": changes, "basal_dendrite": {}}, n_bars=25)
    assert assert_same_cells(inputs, site(), MORE) > 0


@pytest.mark.parametrize("growth", ["trunk", "axon_trunk"])
def test_trunks_without_barcode(growth):
    changes = {**TRUNK, "growth_method": growth}
    inputs = mtype({"axon": changes, "basal_dendrite": {}})
    assert assert_same_cells(inputs, site(), SEEDS) > 0


@pytest.mark.parametrize("name", list(ORIENTATIONS))
def test_orientations(name):
    first = {"orientation": ORIENTATIONS["normal_pia"]} if name in BY_ANGLES else {}
    if name not in BY_ANGLES and isinstance(ORIENTATIONS[name], dict):
        first = {"orientation": ORIENTATIONS["uniform"]}
    inputs = mtype(
        {"apical_dendrite": first, "basal_dendrite": {"orientation": ORIENTATIONS[name]}}
    )
    assert assert_same_cells(inputs, site(3), MORE) > 0


def test_one_orientation_around_which_trunks_are_drawn():
    around = {"orientation": [[0.2, 1.0, 0.3]], "trunk_absolute_orientation": True}
    assert assert_same_cells(mtype({"basal_dendrite": around}), site(2), MORE) > 0


@pytest.mark.parametrize(
    "scaling",
    [
        BarcodeScaling("default", reference=1500.0, target=1100.0),
        BarcodeScaling("default", reference=30.0, target=41.0),
        BarcodeScaling("default"),
        BarcodeScaling("target", path_distance=61.7),
    ],
)
def test_barcodes_modified_by_space(scaling):
    changes = {"growth_method": "tmd_apical", "has_apical_tuft": True}
    inputs = mtype({"apical_dendrite": changes, "axon": {}, "basal_dendrite": {}}, n_bars=20)
    where = site(1, {"apical_dendrite": scaling, "basal_dendrite": scaling})
    assert assert_same_cells(inputs, where, SEEDS) > 0


def test_equal_bars():
    params, distributions = mtype({"basal_dendrite": {}})
    bars = [
        [40.0, 0.0],
        [25.0, 10.0],
        [25.0, 10.0],
        [25.00001, 10.00001],
        [30.0, 10.0],
        [12.0, 5.0],
    ]
    barcode = [[*bar, 0.1 * i, 0.2, -0.3 * i, 0.4] for i, bar in enumerate(bars)]
    distributions["basal_dendrite"]["persistence_diagram"] = [barcode, barcode[::-1]]
    assert assert_same_cells((params, distributions), site(), MORE) > 0


@pytest.mark.parametrize("method", METHODS)
def test_terminations_that_other_sections_have_used(method):
    inputs = mtype({"axon": {"growth_method": method}, "basal_dendrite": {}}, trunk=0.6)
    assert assert_same_cells(inputs, site(), MORE) > 0


def test_one_bar():
    inputs = mtype({"basal_dendrite": {}}, n_bars=1)
    assert assert_same_cells(inputs, site(), SEEDS) > 0


def test_no_targeting_gives_nan_as_in_neurots():
    inputs = mtype({"basal_dendrite": {"targeting": 0.0}})
    prepared = engine.prepare(*inputs)
    for which in engine.ENGINES:
        result, _ = grown(prepared, site(), 1, which)
        assert np.isnan(result.morphology.points[1]).all()
    assert_same_cells(inputs, site(), [1])


@pytest.mark.parametrize(
    ("types", "error"),
    [
        ({"basal_dendrite": {"orientation": [[0, 1, 0]]}}, GrowthFailed),
        ({"basal_dendrite": {"orientation": [[0, 0, 0]] * 9}}, DropCell),
        ({"axon": {"orientation": ORIENTATIONS["pia"]}, "basal_dendrite": {}}, GrowthFailed),
        ({"axon": {"orientation": ORIENTATIONS["uniform"]}, "basal_dendrite": {}}, DropCell),
        ({"basal_dendrite": {"orientation": ORIENTATIONS["apical"]}}, DropCell),
        ({"basal_dendrite": {"branching_method": "random"}}, DropCell),
    ],
)
def test_failures(types, error):
    inputs = mtype(types)
    prepared = engine.prepare(*inputs)
    assert assert_same_cells_fail(prepared, error) > 0


def assert_same_cells_fail(prepared, error):
    failed = 0
    for seed in range(6):
        results = [grown(prepared, site(), seed, which)[0] for which in engine.ENGINES]
        assert isinstance(results[0], type) == isinstance(results[1], type)
        if isinstance(results[0], type):
            assert results == [error, error]
            failed += 1
    return failed


def test_too_few_basals_leave_the_same_state():
    params, distributions = mtype({"axon": {}, "basal_dendrite": {}})
    distributions["basal_dendrite"]["num_trees"] = {"data": {"bins": [1], "weights": [1]}}
    prepared = engine.prepare(params, distributions)
    outcomes = [grown(prepared, site(), 0, which) for which in engine.ENGINES]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] is GrowthFailed


def test_retries_go_on_from_the_same_state():
    inputs = mtype({"basal_dendrite": {"major_termination_length": 20.0}})
    prepared = engine.prepare(*inputs)
    cells = []
    for which in engine.ENGINES:
        rng, attempts, cell = np.random.default_rng(5), 0, None
        while cell is None and attempts < 50:
            attempts += 1
            try:
                cell = engine.grow(prepared, site(), rng, engine=which)
            except GrowthFailed:
                continue
        cells.append((attempts, cell))
    assert cells[0][0] == cells[1][0]
    np.testing.assert_allclose(
        cells[0][1].morphology.points, cells[1][1].morphology.points, rtol=2.4e-7, atol=1e-4
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"modify": {"funct": None, "kwargs": {}}},
        {"randomness": 0.9, "targeting": 0.4},
        {"growth_method": "tmd", "metric": "trunk_length"},
        {"growth_method": "unknown"},
        {"growth_method": "tmd_apical", "step_size": STEPS["expon"]},
        {**TRUNK, "major_termination_length": 3.0},
    ],
)
def test_what_is_not_compiled_has_a_reason(changes):
    params, distributions = mtype({"axon": {}, "basal_dendrite": changes})
    assert engine.prepare(params, distributions).unsupported


def test_fallback_is_told():
    params, distributions = mtype({"basal_dendrite": {}})
    params["basal"] = type_params("basal_dendrite")
    prepared = engine.prepare(params, distributions)
    result, _ = grown(prepared, site(), 1, "compiled")
    assert result.engine == "neurots"
    assert result.fallback == prepared.unsupported


def test_log_is_enlarged(monkeypatch):
    from region_grower_flow.engine import compiled

    monkeypatch.setattr(compiled, "FIRST_LOG", 8)
    monkeypatch.setattr(compiled, "_workspace", compiled.Workspace())
    inputs = mtype({"axon": {}, "basal_dendrite": {}}, n_bars=40)
    assert assert_same_cells(inputs, site(), SEEDS) > 0
    assert len(compiled._workspace.log) > 8


def test_room_for_a_huge_cell_is_given_back(monkeypatch):
    from region_grower_flow.engine import compiled

    monkeypatch.setattr(compiled, "KEPT_LOG", 1 << 10)
    monkeypatch.setattr(compiled, "FIRST_LOG", 1 << 9)
    monkeypatch.setattr(compiled, "_workspace", compiled.Workspace())
    large = engine.prepare(*mtype({"basal_dendrite": {}}, n_bars=40, length=500.0))
    small = engine.prepare(*mtype({"basal_dendrite": {}}, n_bars=2, length=10.0))
    lengths = []
    for prepared in (large, small):
        engine.grow(prepared, site(), np.random.default_rng(1))
        lengths.append(len(compiled._workspace.log))
    assert lengths[0] > 1 << 10 > lengths[1]


def test_endless_growth_is_given_up(monkeypatch):
    from region_grower_flow.engine import compiled

    monkeypatch.setattr(compiled, "MAX_POINTS", 20_000)
    tiny_steps = {"step_size": {"norm": {"mean": 1e-9, "std": 0.0}}}
    prepared = engine.prepare(*mtype({"basal_dendrite": tiny_steps}))
    with pytest.raises(DropCell, match="more than 20000 points"):
        engine.grow(prepared, site(), np.random.default_rng(0))


angle_types = st.sampled_from(["normal_pia", "pia", "pia_flat"])
other_types = st.sampled_from(["list", "drawn"])
mode_types = st.sampled_from(["use_predefined", "primary", "pairwise", "uniform"])


@st.composite
def neurite_types(draw):
    orientations = draw(st.sampled_from([angle_types, other_types, mode_types]))
    kinds = draw(
        st.sampled_from(
            [["apical_dendrite", "basal_dendrite"], ["axon", "basal_dendrite"], ["basal_dendrite"]]
        )
    )
    types = {}
    for kind in kinds:
        randomness = draw(st.floats(0.0, 0.7))
        types[kind] = {
            "growth_method": draw(st.sampled_from(METHODS)),
            "metric": draw(st.sampled_from(["path_distances", "radial_distances"])),
            "branching_method": draw(st.sampled_from(["bio_oriented", "symmetric", "directional"])),
            "orientation": ORIENTATIONS[draw(orientations)],
            "randomness": randomness,
            "targeting": draw(st.floats(0.01, 0.99 - randomness)),
            "has_apical_tuft": draw(st.booleans()),
            "bias": draw(st.floats(0.0, 1.0)),
            "bias_length": draw(st.floats(0.0, 1.5)),
        }
        if types[kind]["growth_method"] == "tmd" or types[kind]["has_apical_tuft"]:
            types[kind]["step_size"] = STEPS[draw(st.sampled_from(list(STEPS)))]
        if draw(st.booleans()):
            types[kind]["major_termination_length"] = draw(st.floats(5.0, 60.0))
    return types


@st.composite
def sites(draw, kinds):
    scalings = st.one_of(
        st.none(),
        st.builds(
            BarcodeScaling,
            st.just("default"),
            reference=st.floats(20.0, 90.0),
            target=st.floats(20.0, 90.0),
        ),
        st.builds(BarcodeScaling, st.just("target"), path_distance=st.floats(20.0, 70.0)),
    )
    scaling = {kind: draw(scalings) for kind in kinds if kind != "axon"}
    return site(draw(st.integers(0, 99)), {k: s for k, s in scaling.items() if s is not None})


def check_drawn_parameters(data, seeds):
    types = data.draw(neurite_types())
    shape = {
        "n_bars": data.draw(st.integers(2, 14)),
        "length": data.draw(st.floats(15.0, 50.0)),
        "trunk": data.draw(st.sampled_from([1.0, 0.7])),
    }
    inputs = mtype(types, seed=data.draw(st.integers(0, 1000)), **shape)
    assert_same_cells(inputs, data.draw(sites(list(types))), seeds)


@given(data=st.data())
@settings(UNHURRIED, max_examples=8)
def test_drawn_parameters(data):
    check_drawn_parameters(data, seeds=range(2))


@pytest.mark.slow
@given(data=st.data())
@settings(
    deadline=None,
    derandomize=True,
    max_examples=300 if THOROUGH else 25,
    suppress_health_check=list(HealthCheck),
)
def test_drawn_parameters_at_length(data):
    check_drawn_parameters(data, seeds=range(100, 105 if THOROUGH else 102))


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario", ["plain", "limits", "external_diameters", "sscx", "synthdb_rat"]
)
def test_golden_inputs(shared, scenario):
    inputs = shared / "golden" / scenario / "inputs"
    params = json.loads((inputs / "tmd_parameters.json").read_text())
    distributions = json.loads((inputs / "tmd_distributions.json").read_text())
    seeds = MORE if scenario in ("plain", "limits") else range(1)
    for region, mtypes in params.items():
        for name, entry in list(mtypes.items())[:: 1 if THOROUGH else 30]:
            entry = {**entry, "grow_types": [k for k in entry["grow_types"] if entry[k]]}
            where = site(
                7,
                {
                    kind: BarcodeScaling("default", reference=1500.0, target=1200.0)
                    for kind in entry["grow_types"]
                    if kind != "axon"
                },
            )
            assert_same_cells((entry, distributions[region][name]), where, seeds)
