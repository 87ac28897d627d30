"""The calibration of one mtype: values, folds, ranks, and what is left alone."""

import numpy as np
import pytest

from helpers.factories import random_morphology
from helpers.growth_inputs import mtype
from helpers.sentences import says
from region_grower_flow.calibration import growth_amount, growth_calibration, growth_values
from region_grower_flow.calibration.growth_cells import (
    Grower,
    GrowthCell,
    folds,
    of_some_cells,
)
from region_grower_flow.calibration.growth_moments import NAMES, growth_table
from region_grower_flow.engine.levers import KEY
from region_grower_flow.morphology import NEURITE_TYPES

TYPE = {
    "growth_method": "tmd",
    "metric": "path_distances",
    "randomness": 0.24,
    "targeting": 0.14,
    "branching_method": "bio_oriented",
    "orientation": None,
}
PARAMS = {"grow_types": ["basal_dendrite"], "basal_dendrite": TYPE}


def cells(groups):
    return tuple(GrowthCell(f"c{i}", f"c{i}.h5", f"g{group}") for i, group in enumerate(groups))


def test_variants_of_a_parent_are_in_one_fold():
    some = cells([0, 0, 1, 1, 2, 3, 4, 5, 6])
    found = folds(some, 3)
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert set(found) == {0, 1, 2}
    assert folds(some[::-1], 3).tolist() == found[::-1].tolist()


def test_few_independent_cells_get_the_usual_values_and_are_told_so():
    task = growth_calibration.GrowthTask(
        "L5", growth_values.EXTENDED, PARAMS, {}, cells([0, 0, 0, 1, 1, 1, 2, 2, 2])
    )
    entry = growth_calibration.calibrate_mtype(task)
    assert entry["values"] == {"basal_dendrite": growth_values.usual_values("extended")}
    assert (entry["cells"], entry["independent"], entry["fitted"]) == (9, 3, False)
    assert list(growth_calibration.sentences({"L5": entry})) == [
        "Growth is fitted for 0 of 1 mtypes.",
        "L5: 3 independent cells, where a fit needs 8: the usual values are used.",
    ]


def test_cells_that_cannot_be_fitted_get_the_usual_values_and_stop_nothing(monkeypatch):
    def fails(_path):
        raise ValueError("no such number")

    monkeypatch.setattr(growth_calibration, "read_centered", fails)
    task = growth_calibration.GrowthTask("L5", "extended", PARAMS, {}, cells(range(9)))
    entry = growth_calibration.calibrate_mtype(task)
    assert entry["values"] == {"basal_dendrite": growth_values.usual_values("extended")}
    (line,) = list(growth_calibration.sentences({"L5": entry}))[1:]
    assert says(line, "fit | failed | ValueError: no such number")


def test_the_terminal_says_what_is_odd_once_for_all_mtypes():
    few = {"fitted": False, "independent": 3, "why": "3 independent cells, where a fit needs 8"}
    good = {"fitted": True, "independent": 9, "bounds": [], "folds": {"failing": {"a": ["tips"]}}}
    odd = good | {
        "bounds": [["basal_dendrite", "wander"]],
        "folds": {"failing": {"basal_dendrite": ["tips", "area"], "axon": ["trees"]}},
    }
    broken = {"fitted": False, "independent": 9, "why": "the fit to its cells failed"}
    entries = {"A": few, "B": good, "C": odd, "D": few, "E": broken}
    first, second, third, fourth = growth_calibration.remarks(entries)
    assert first.startswith("A, D have fewer than 8 independent cells")
    assert second == "E: the fit to its cells failed."
    assert third.startswith("C: grown cells differ")
    assert third.endswith("tips (basal dendrite), area (basal dendrite), trees (axon).")
    assert fourth == "Values at the bound of what is tried: C (wander)."
    assert list(growth_calibration.remarks({"B": good})) == []


def test_parameters_within_neurots_have_no_levers():
    found = growth_values.with_values(PARAMS, growth_values.PARAMETERS)
    assert KEY not in found
    assert found["basal_dendrite"]["branching_method"] == "bio_oriented"
    assert found["basal_dendrite"]["step_size"] == {"norm": {"mean": 2.0, "std": 0.1}}
    assert found["basal_dendrite"]["randomness"] == pytest.approx(0.2)
    assert PARAMS["basal_dendrite"]["randomness"] == 0.24
    given = {"basal_dendrite": {"randomness": 0.8, "targeting": 0.6}}
    both = growth_values.with_values(PARAMS, growth_values.PARAMETERS, given)["basal_dendrite"]
    assert (both["randomness"], both["targeting"]) == (0.8, pytest.approx(0.15))


def test_apical_dendrites_are_freer_than_others():
    params = {"grow_types": ["basal_dendrite", "apical_dendrite"], "basal_dendrite": TYPE}
    levers = growth_values.with_values(
        {**params, "apical_dendrite": {**TYPE, "growth_method": "tmd_apical"}}, "extended"
    )[KEY]
    for name in ("owner_fidelity", "heading"):
        assert levers["apical_dendrite"][name] < levers["basal_dendrite"][name]


def test_what_overrides_have_set_stays():
    built = {**PARAMS, "basal_dendrite": {**TYPE, "randomness": 0.5, "orientation": {"mode": "x"}}}
    kept = growth_values.kept_by_hand(PARAMS, built)
    found = growth_values.with_values(built, growth_values.EXTENDED, None, kept)
    assert found["basal_dendrite"]["randomness"] == 0.5
    levers = found[KEY]["basal_dendrite"]
    assert "trunks" not in levers
    assert levers["angles"] == "measured"
    names = [v.name for v in growth_values.fitted_levers(built, "extended", kept)["basal_dendrite"]]
    assert "randomness" not in names
    assert "wander" in names


def test_trunks_without_barcodes_have_no_levers():
    trunk = {**TYPE, "growth_method": "trunk", "metric": "trunk_length"}
    params = {"grow_types": ["basal_dendrite"], "basal_dendrite": trunk}
    assert growth_values.calibrated_types(params, growth_values.EXTENDED) == []
    assert KEY not in growth_values.with_values(params, "extended")


def test_distributions_of_some_cells_are_made_of_their_trees():
    trees = [{"cell": cell, "bars": [[float(cell), 0, 0, 0, 0, -1]]} for cell in (0, 0, 1, 2, 2)]
    radii = [{"name": name, "soma_radius": size} for name, size in (("a", 4), ("b", 5), ("c", 8))]
    whole = {
        "soma": {"size": {"norm": {"mean": 0.0, "std": 0.0}}},
        "basal_dendrite": {"persistence_diagram": [[0], [1], [2], [3], [4]], "num_trees": {}},
        "measured": {"cells": radii, "basal_dendrite": trees},
    }
    counts = {"basal_dendrite": np.array([2, 1, 2])}
    found = of_some_cells(whole, np.array([True, False, True]), counts)
    assert found["soma"]["size"]["norm"] == {"mean": 6.0, "std": 2.0}
    assert [tree["cell"] for tree in found["measured"]["basal_dendrite"]] == [0, 0, 1, 1]
    assert found["basal_dendrite"]["persistence_diagram"] == [[0], [1], [3], [4]]
    assert found["basal_dendrite"]["num_trees"]["data"] == {"bins": [2], "weights": [2]}
    assert len(whole["measured"]["basal_dendrite"]) == 5
    whole["basal_dendrite"]["persistence_diagram"].pop()
    assert of_some_cells({**whole, "measured": None}, np.ones(3, bool), counts) is None


def test_ranks_of_real_cells_in_real_cells_are_uniform_and_of_others_are_not():
    rng = np.random.default_rng(0)
    real, alike = rng.normal(size=(40, len(NAMES))), rng.normal(size=(900, len(NAMES)))
    other = alike.copy()
    other[:, 4] += 3.0
    tables = ("a", alike), ("b", other)
    found = {name: growth_calibration.rank(real, table, rng) for name, table in tables}
    failing = growth_calibration.not_uniform(found)
    assert failing == {"a": [], "b": [NAMES[4]]}
    few = {"a": found["b"][:5]}
    assert growth_calibration.not_uniform(few) == {"a": []}
    missing = growth_calibration.rank(np.array([[np.nan]]), np.array([[1.0]]), rng)
    assert np.isnan(missing).all()


def test_features_that_hardly_vary_differ_only_where_they_do():
    rng = np.random.default_rng(0)
    real, grown = np.ones((40, len(NAMES))), np.ones((900, len(NAMES)))
    grown[:45, 1] = 2.0  # one of twenty, of which 40 real cells may well have none
    grown[:, 2] = 2.0
    grown[:450, 3] = 2.0
    found = growth_calibration.not_uniform({"a": growth_calibration.rank(real, grown, rng)})
    assert set(found["a"]) == {NAMES[2], NAMES[3]}


def test_values_at_their_bounds_and_the_pull_of_the_prior_are_named():
    values = {"basal_dendrite": {"randomness": 0.45, "wander": 0.15, "randomness_spread": 0.2}}
    assert growth_values.at_bounds(values, "extended") == [("basal_dendrite", "randomness")]
    pull = growth_values.pulls(values, "extended")["basal_dendrite"]
    assert pull["wander"] == pytest.approx(0.0, abs=1e-6)
    assert pull["randomness"] > 1.0
    assert "randomness_spread" not in pull


@pytest.mark.parametrize("mode", ["none", "parameters"])
def test_cells_without_levers_are_grown_with_one_number_after_the_other(mode, kernels):
    params, distributions = mtype({"basal_dendrite": {}})
    grower = Grower(params, distributions, mode)
    kinds = [NEURITE_TYPES[name] for name in params["grow_types"]]
    grown = []
    for randomness in (0.1, 0.6, 0.1):
        values = {"randomness": randomness, "targeting": 0.2}
        grown.append(grower.grow(dict.fromkeys(kinds, values), 3, 0))
    points = [np.vstack([cell.points for cell in cells]) for cells in grown]
    assert points[0].tolist() == points[2].tolist()
    same = points[0].shape == points[1].shape and np.allclose(points[0], points[1])
    assert same == (mode == "none")


def test_cells_with_points_that_are_no_numbers_are_not_grown(kernels):
    params, distributions = mtype({"basal_dendrite": {}})
    for code in distributions["basal_dendrite"]["persistence_diagram"]:
        for bar in code:
            bar[2:] = [float("nan")] * 4
    assert Grower(params, distributions, "none").grow({}, 3, 0) == []


def test_what_is_not_done_for_very_large_cells_is_told():
    good = {"fitted": True, "independent": 9, "bounds": [], "folds": {}}
    entries = {
        "A": good | {"cells_grown": 60, "points_grown": 10_000_000, "check_parts": 5},
        "B": good | {"cells_grown": 8, "points_grown": 250_000_000, "check_parts": 5},
    }
    (line,) = growth_calibration.remarks(entries)
    assert line.startswith("B: the cells are so large that the fit grows as few as 8 at a time")
    assert line.endswith("where it grows 60 (in all, up to 250 million points).")
    _, few = growth_calibration.remarks({"B": entries["B"] | {"check_parts": 2}})
    assert few == "B: for that reason the check has as few as 2 parts of 5."
    _, none = growth_calibration.remarks({"B": entries["B"] | {"check_parts": 0}})
    assert none == "B: for that reason the check has no parts of 5."


@pytest.mark.parametrize(
    ("most", "cells_grown", "parts"),
    [(6 * 37, 6, 5), (6 * 22, 6, 2), (6 * 12, 6, 0), (4 * 12, 4, 0), (4 * 11, None, None)],
)
def test_the_fit_grows_what_its_bound_allows(most, cells_grown, parts, monkeypatch):
    """The bound allows ``most`` cells in all."""
    reconstructions = [
        random_morphology(seed=i, n_points=(15, 30), diameters="random") for i in range(9)
    ]
    table = growth_table(reconstructions, NEURITE_TYPES["basal_dendrite"])
    total = (most + 0.5) * table[:, NAMES.index("total length")].mean()
    monkeypatch.setattr(growth_amount, "TOTAL", total)
    monkeypatch.setattr(growth_calibration, "read_centered", lambda at: reconstructions[int(at)])
    monkeypatch.setattr(growth_calibration, "_check", lambda task, *_: {"groups": task.folds})
    grown = []

    def grow(_self, _values, count, _seed):
        grown.append(count)
        return reconstructions[:count]

    monkeypatch.setattr(Grower, "grow", grow)
    some = tuple(GrowthCell(str(i), str(i), str(i)) for i in range(9))
    task = growth_calibration.GrowthTask("L5", "extended", PARAMS, {}, some, cells_grown=6)
    entry = growth_calibration.calibrate_mtype(task)
    if cells_grown is None:
        assert not grown
        assert not entry["fitted"]
        assert "too large for a fit: the usual values are used" in entry["why"]
        return
    assert set(grown) == {cells_grown}
    assert (entry["cells_grown"], entry["check_parts"]) == (cells_grown, parts)
    assert entry["points_grown"] <= total
    assert entry["folds"] == {"groups": parts} if parts else "too large" in entry["folds"]["why"]
