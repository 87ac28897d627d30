"""The schema of parameters knows the growth methods of the engine, and what they need."""

import jsonschema
import pytest

from helpers.mtype_factory import mtype_distributions, mtype_parameters, neurite_parameters
from helpers.sentences import says
from region_grower_flow.calibration import overrides, parameters
from region_grower_flow.engine import growth_checks, parameter_schema
from region_grower_flow.engine.kernels import state

PLACE = ("basal_dendrite", "straightness")


@pytest.fixture
def straight(monkeypatch):
    """Parameters of an mtype with a growth method of which NeuroTS knows nothing."""
    for module in (parameter_schema, growth_checks):
        monkeypatch.setattr(module, "METHODS", {**state.METHODS, "tmd_straight": state.TMD})
    needed = {**state.NEEDED, "tmd_straight": PLACE[1:]}
    monkeypatch.setattr(parameter_schema, "NEEDED", needed)
    parameter_schema.parameters_schema.cache_clear()
    basal = neurite_parameters(growth_method="tmd_straight", straightness=0.5)
    yield mtype_parameters(basal_dendrite=basal)
    parameter_schema.parameters_schema.cache_clear()


def problems(params):
    checker = growth_checks.EntryChecker()
    return checker.problems(("R", "M", params), ("R", "M", mtype_distributions()))


def test_without_methods_of_ours_it_is_that_of_neurots():
    validator = pytest.importorskip("neurots.validator")
    schema = parameter_schema.parameters_schema()
    assert schema["properties"] == validator.PARAMS_SCHEMA["properties"]
    own, theirs = (s["definitions"]["neurite"] for s in (schema, validator.PARAMS_SCHEMA))
    assert own["properties"].keys() == theirs["properties"].keys()
    methods = [each["properties"]["growth_method"]["enum"] for each in (own, theirs)]
    assert set(methods[0]) == set(methods[1]) == state.METHODS.keys()


def test_a_method_of_ours_passes_every_check(straight):
    assert problems(straight) == []
    assert parameters.refused({"M": straight}, "R") == []
    assert overrides.known_keys(PLACE) is None


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
