"""The schema of parameters knows the growth methods of the engine, and what they need."""

import jsonschema
import numpy as np
import pytest

from helpers.mtype_factory import mtype_distributions, mtype_parameters, neurite_parameters
from helpers.sentences import says
from region_grower_flow import engine
from region_grower_flow.calibration import overrides, parameters
from region_grower_flow.engine import GrowthSite, growth_checks, parameter_schema
from region_grower_flow.engine.kernels import state
from region_grower_flow.engine.parameters import check_mtypes
from region_grower_flow.errors import DropCell

PLACE = ("basal_dendrite", "straightness")


@pytest.fixture
def straight(monkeypatch):
    """Parameters of an mtype with a growth method of which NeuroTS knows nothing."""
    for module in (parameter_schema, growth_checks):
        monkeypatch.setattr(module, "METHODS", {**state.METHODS, "tmd_straight": state.TMD})
    needed = {**state.NEEDED, "tmd_straight": PLACE[1:]}
    monkeypatch.setattr(parameter_schema, "NEEDED", needed)
    clear()
    basal = neurite_parameters(growth_method="tmd_straight", straightness=0.5)
    yield mtype_parameters(basal_dendrite=basal)
    clear()


def clear():
    for found_once in (parameter_schema.parameters_schema, parameter_schema.own_methods):
        found_once.cache_clear()


def problems(params):
    checker = growth_checks.EntryChecker()
    return checker.problems(("R", "M", params), ("R", "M", mtype_distributions()))


def test_but_for_methods_of_ours_it_is_that_of_neurots():
    validator = pytest.importorskip("neurots.validator")
    schema = parameter_schema.parameters_schema()
    assert schema["properties"] == validator.PARAMS_SCHEMA["properties"]
    own, theirs = (s["definitions"]["neurite"] for s in (schema, validator.PARAMS_SCHEMA))
    methods = parameter_schema.own_methods()
    keys = {key for method in methods for key in state.NEEDED.get(method, ())}
    assert own["properties"].keys() - keys == theirs["properties"].keys() - keys
    known = [set(each["properties"]["growth_method"]["enum"]) for each in (own, theirs)]
    assert known[0] == known[1] | methods == state.METHODS.keys()
    assert not methods & known[1]


def test_a_method_of_ours_passes_every_check(straight):
    assert problems(straight) == []
    assert parameters.refused({"M": straight}, "R") == []
    assert overrides.known_keys(PLACE) is None


def test_neurots_does_not_grow_a_method_of_ours(straight):
    given, drawn = {"A": {"X": straight}}, {"A": {"X": mtype_distributions()}}
    wanted = [("A", "a", "X")]
    assert check_mtypes(given, drawn, wanted, ("p", "d")) == []
    (found,) = check_mtypes(given, drawn, wanted, ("p", "d"), engine="neurots")
    assert says(found, "basal_dendrite -> growth_method: | 'tmd_straight' | Set the option engine")
    prepared = engine.prepare(straight, mtype_distributions())
    where = GrowthSite(np.zeros(3), np.eye(3))
    with pytest.raises(DropCell, match="only the compiled engine knows the growth method 'tmd_st"):
        engine.grow(prepared, where, np.random.default_rng(0), "neurots")


def test_what_it_needs_is_asked_for(straight):
    del straight["basal_dendrite"]["straightness"]
    for (problem,) in (problems(straight), parameters.refused({"M": straight}, "R")):
        assert says(problem, "M -> basal_dendrite: | 'tmd_straight' | needs 'st")


def test_others_do_not_know_it():
    params = mtype_parameters(basal_dendrite=neurite_parameters(straightness=0.5))
    assert "straightness" in str(problems(params)[0])
    assert overrides.known_keys(PLACE)[0] == 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(params, parameter_schema.parameters_schema())
