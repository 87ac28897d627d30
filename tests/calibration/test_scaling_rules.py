"""Scaling rules and fits become context constraints, with layers by name."""

import copy
import re

import pytest

from helpers.sentences import says
from region_grower_flow.calibration.scaling_rules import (
    add_constraints,
    check_rules,
    layer_number,
    layers_of,
    needs_fits,
)

BASAL, APICAL = "basal_dendrite", "apical_dendrite"
CA3 = ["CA3slm", "CA3sr", "CA3sp", "CA3so"]
CORTEX = [1, 2, 3, 4, 5, 6]
FIT = {"slope": 1.25, "intercept": 0, "n_trees": 9, "n_used": 8, "r2": 0.9}
FIT["relative_residual"] = 0.2


def params(*kinds):
    return {"grow_types": list(kinds), **{kind: {"randomness": 0.2} for kind in kinds}}


def mtypes():
    return {"PC": params(BASAL, APICAL), "IN": params(BASAL)}


def constraints(parameters, mtype):
    return parameters[mtype].get("context_constraints")


@pytest.mark.parametrize("layer", [2, "2", "L2", "l2", " L2 "])
def test_numbers_of_layers(layer):
    assert layer_number(layer) == 2
    assert layer_number(layer, [CORTEX]) == 2
    assert layer_number(layer, [CA3]) == 2


@pytest.mark.parametrize(
    ("layer", "layers", "number"),
    [
        ("CA3sp", [CA3], 3),
        ("CA3sp", [CA3, CA3], 3),
        ("L5", [CORTEX, CA3], 5),
        ("L5", [[1, 2, 3, 5, 6]], 4),
        (5, [[1, 2, 3, 5, 6]], 4),
        ("L4", [["L1", "L23", "L4"]], 3),
        (1, [["L1", "L23", "L4"]], 1),
        # Not at one place: the synthesis resolves the name region by region.
        ("CA3sp", [CA3, ["CA3sp"]], "CA3sp"),
        # The third layer of a cortex is another one.
        ("CA3sp", [CA3, CORTEX], "CA3sp"),
        ("L5", [[4, 5], [5]], "5"),
    ],
)
def test_a_name_comes_before_a_number(layer, layers, number):
    assert layer_number(layer, layers) == number


@pytest.mark.parametrize(
    ("layer", "layers", "message"),
    [
        ("CA3sp", [], "no layer 'CA3sp'"),
        ("CA3spx", [CA3], "no layer 'CA3spx'"),
        ("L5", [CA3], "no layer 'L5', only 4"),
        (0, [], "no layer 0"),
        ("L", [], "no layer 'L'"),
        (True, [], "True is no layer"),
        (None, [], "no layer None"),
        ("L5", [["L5"], [4, 5]], "number 1 and 2 in regions that share"),
    ],
)
def test_layers_that_are_none(layer, layers, message):
    with pytest.raises(ValueError, match=message):
        layer_number(layer, layers)


def test_layers_of_the_region_or_of_all():
    structure = {"S1": {"layers": CORTEX}, "CA3": {"layers": CA3}, "TH": {}}
    assert layers_of(structure, "CA3") == [CA3]
    assert layers_of(structure, "default") == [CORTEX, CA3]
    assert layers_of(structure, "TH") == []
    assert layers_of(None, "CA3") == []


RULES = {
    "default": {
        APICAL: {"hard_limit_max": {"layer": "L1", "fraction": 0.99}},
        BASAL: {"hard_limit_max": {"layer": "L1", "fraction": 0.9}},
    },
    "PC": {
        APICAL: {
            "hard_limit_min": {"layer": 1, "fraction": 0.1},
            "extent_to_target": {"layer": "L1", "fraction": 0.8},
        },
        BASAL: {"hard_limit_max": None},
    },
}


def test_rules_and_fits_become_constraints():
    parameters, before = mtypes(), mtypes()
    done = add_constraints(parameters, RULES, {"PC": {APICAL: FIT}})
    assert (done.notes, done.problems) == ([], [])
    assert constraints(parameters, "PC") == {
        APICAL: {
            "hard_limit_min": {"layer": 1, "fraction": 0.1},
            "extent_to_target": {"layer": 1, "fraction": 0.8, "slope": 1.25, "intercept": 0},
            "hard_limit_max": {"layer": 1, "fraction": 0.99},
        },
        BASAL: {},
    }
    assert constraints(parameters, "IN") == {
        BASAL: {"hard_limit_max": {"layer": 1, "fraction": 0.9}}
    }
    for mtype, entry in parameters.items():
        entry.pop("context_constraints")
        assert entry == before[mtype]


def test_fractions_that_are_not_given():
    rules = {"PC": {APICAL: {limit: {"layer": 2} for limit in FRACTIONS}}}
    parameters = mtypes()
    add_constraints(parameters, rules, {"PC": {APICAL: FIT}})
    found = constraints(parameters, "PC")[APICAL]
    assert {limit: place["fraction"] for limit, place in found.items()} == FRACTIONS


FRACTIONS = {"hard_limit_min": 0.0, "extent_to_target": 0.5, "hard_limit_max": 1.0}


def test_constraints_that_are_there_stay_where_no_rule_is():
    parameters = mtypes()
    parameters["PC"]["context_constraints"] = {
        APICAL: {
            "hard_limit_min": {"layer": 3, "fraction": 0.0},
            "hard_limit_max": {"layer": 3, "fraction": 0.9},
        }
    }
    add_constraints(parameters, {"PC": {APICAL: {"hard_limit_max": {"layer": 2}}}}, {})
    assert constraints(parameters, "PC")[APICAL] == {
        "hard_limit_min": {"layer": 3, "fraction": 0.0},
        "hard_limit_max": {"layer": 2, "fraction": 1.0},
    }


def test_a_default_target_is_fitted_for_every_mtype():
    rules = {"default": {BASAL: {"extent_to_target": {"layer": 1}}}}
    parameters = mtypes()
    fits = {"PC": {BASAL: FIT}, "IN": {BASAL: {**FIT, "slope": 2.0}}}
    assert add_constraints(parameters, rules, fits).problems == []
    slopes = [constraints(parameters, m)[BASAL]["extent_to_target"]["slope"] for m in parameters]
    assert slopes == [1.25, 2.0]


@pytest.mark.parametrize("fit", [{}, {"slope": None, "n_trees": 3}])
def test_a_target_without_a_fit_is_a_problem(fit):
    (problem,) = add_constraints(mtypes(), RULES, {"PC": {APICAL: fit}}).problems
    assert says(problem, "PC: | target | apical_dendrite | none of its")
    # Without fits only the form of the rules is looked at.
    assert add_constraints(mtypes(), RULES, None).problems == []


def test_poor_fits_and_unused_mtypes_are_told():
    fit = {**FIT, "r2": -2.0}
    done = add_constraints(mtypes(), {**RULES, "CA1": {}}, {"PC": {APICAL: fit}})
    assert "worse than their mean (R2 -2.00)" in done.notes[0]
    assert says(done.notes[1], "CA1 | not used | no such mtype")
    alike = {**fit, "relative_residual": 0.05}
    assert add_constraints(mtypes(), RULES, {"PC": {APICAL: alike}}).notes == []
    few = add_constraints(mtypes(), RULES, {"PC": {APICAL: {**FIT, "n_used": 1, "r2": None}}})
    assert "is fitted to 1 tree" in few.notes[0]


def test_limits_upside_down():
    rules = copy.deepcopy(RULES)
    rules["PC"][APICAL]["hard_limit_max"] = {"layer": 3}
    (problem,) = add_constraints(mtypes(), rules, {"PC": {APICAL: FIT}}).problems
    assert says(problem, "hard_limit_min | apical_dendrite | above hard_limit_max")


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([], "expected {mtype"),
        ({"PC": 3}, "scaling rules, PC: expected a mapping, found 3"),
        ({"PC": {"apical": {}}}, "PC, apical: .*neurite type.* 'apical_dendrite'"),
        ({"PC": {APICAL: {"hard_limit": {}}}}, "no such limit.* 'hard_limit_m"),
        ({"PC": {"axon": {"extent_to_target": {"layer": 1}}}}, "axon has no such limit"),
        ({"PC": {APICAL: {"hard_limit_max": {"fraction": 1}}}}, r"expected \{layer, fraction\}"),
        ({"PC": {APICAL: {"hard_limit_max": {"layer": 1, "f": 1}}}}, "unknown key 'f'"),
        ({"PC": {APICAL: {"hard_limit_max": {"layer": 1, "fraction": "a"}}}}, "no number"),
        ({"PC": {APICAL: {"hard_limit_max": {"layer": "CA3sb"}}}}, "mean 'CA3s"),
        ({"PC": {APICAL: {"hard_limit_max": {"layer": "SLM"}}}}, "Known are CA3slm, CA3sr"),
    ],
)
def test_bad_rules(rules, message):
    (problem,) = check_rules(rules, [CA3])
    assert re.search(message, str(problem))


def test_a_layer_by_name_asks_for_the_region_structure():
    (problem,) = check_rules({"PC": {APICAL: {"hard_limit_max": {"layer": "CA3sp"}}}})
    assert "Name the region structure" in str(problem)


def test_good_rules():
    assert check_rules(RULES, [CORTEX]) == check_rules(None) == check_rules({"default": None}) == []
    assert needs_fits(RULES)
    assert not needs_fits({"PC": {APICAL: {"extent_to_target": None}}, "default": None})
    assert not needs_fits(None)
