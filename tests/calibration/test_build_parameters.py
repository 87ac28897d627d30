"""The final parameters: generated ones, fits, scaling rules, and overrides that win."""

import copy
import re

import numpy as np
import pytest
from neurots import NeuronGrower
from neurots.validator import validate_neuron_params

from helpers.reference_cells import INTERNEURON, PYRAMIDAL
from helpers.sentences import says
from region_grower_flow.calibration.build import Additions, build_parameters
from region_grower_flow.calibration.distributions import extract_distributions
from region_grower_flow.calibration.overrides import Table
from region_grower_flow.calibration.parameters import generate_parameters
from region_grower_flow.calibration.path_distances import fit_path_distances
from region_grower_flow.calibration.populations import gather_populations
from region_grower_flow.calibration.trunk_fits import AngleHistogram, fit_form, fit_mtype
from region_grower_flow.calibration.trunks import ALL, ASKED, NONE, TrunkChoice
from region_grower_flow.errors import InvalidInput

BASAL, APICAL = "basal_dendrite", "apical_dendrite"
RULES = {"default": {APICAL: {"extent_to_target": {"layer": "L1", "fraction": 0.8}}}}


@pytest.fixture(scope="module")
def made(dataset):
    """(generated parameters, distributions, trunk fits, path fits) of the reference cells."""
    generated = generate_parameters(dataset)[0]["default"]
    drawn = extract_distributions(dataset, processes=1)[0]["default"]
    paths = {
        mtype: {name: fit.as_dict() for name, fit in by_type.items()}
        for mtype, by_type in fit_path_distances(gather_populations(dataset)).items()
    }
    return generated, drawn, {m: fit_mtype(entry) for m, entry in drawn.items()}, paths


def build(made, wanted=NONE, rules=None, **additions):
    generated, _, fits, paths = made
    before = copy.deepcopy(generated)
    choice = TrunkChoice(wanted, rules)
    found = build_parameters(generated, Additions(choice, fits, path_fits=paths, **additions))
    assert generated == before
    return found


def problems(made, *arguments, **keywords):
    with pytest.raises(InvalidInput) as caught:
        build(made, *arguments, **keywords)
    return [str(problem) for problem in getattr(caught.value, "problems", [caught.value])]


def orientation(found, mtype, name):
    return found[mtype][name]["orientation"]


def test_nothing_asked_changes_nothing(made):
    found, report = build(made)
    assert found == made[0]
    assert list(report.sentences()) == ["Final parameters of 2 mtypes."]


def test_all_trunks_get_laws_and_the_cells_grow(made):
    found, report = build(made, ALL)
    fits = made[2]
    laws = fits[PYRAMIDAL][BASAL]["pia"]["laws"]
    assert laws["normal"]["ks"] < laws["step"]["ks"]  # a step at its bound
    assert orientation(found, PYRAMIDAL, BASAL) == {
        "mode": "normal_pia_constraint",
        "values": {"direction": {k: laws["normal"][k] for k in ("mean", "std")}},
    }
    assert any("the form 'step' describes the angles" in note for note in report.notes)
    normal = fits[PYRAMIDAL][APICAL]["pia"]["laws"]["normal"]
    assert orientation(found, PYRAMIDAL, APICAL) == {
        "mode": "normal_pia_constraint",
        "values": {"direction": {"mean": normal["mean"], "std": normal["std"]}},
    }
    laws = fits[INTERNEURON][BASAL]["pia"]["laws"]
    assert laws["normal"]["ks"] < laws["flat"]["ks"]
    assert orientation(found, INTERNEURON, BASAL)["mode"] == "normal_pia_constraint"
    law = report.trunks[PYRAMIDAL][BASAL]
    assert (law["n_trees"], law["n_cells"]) == (18, 6)
    assert {"ks", "mean", "std"} <= set(law)
    for mtype, params in found.items():
        validate_neuron_params(params)
        grower = NeuronGrower(
            input_parameters=params, input_distributions=made[1][mtype], rng_or_seed=2
        )
        assert len(grower.grow().root_sections) > 1


def test_a_law_that_does_not_describe_the_angles_is_not_used_or_told(made):
    """All trunks down: NeuroTS's step is at both of its bounds, its trunks would go everywhere."""
    parameters, _, fits, paths = made
    angles = np.random.default_rng(0).uniform(2.6, 3.05, 60)
    weights, edges = np.histogram(angles, bins=30, density=True)
    data = {"bins": ((edges[1:] + edges[:-1]) / 2).tolist(), "weights": weights.tolist()}
    drawn = {
        "num_trees": {"data": {"bins": [4], "weights": [15]}},
        "trunk": {"pia_3d_angles": {"data": data}},
    }
    narrow = {PYRAMIDAL: {**fits[PYRAMIDAL], **fit_mtype({BASAL: drawn})}}
    laws = narrow[PYRAMIDAL][BASAL]["pia"]["laws"]
    assert laws["step"]["ks"] > 0.5 > 0.1 > laws["normal"]["ks"]
    narrow = ({PYRAMIDAL: parameters[PYRAMIDAL]}, None, narrow, paths)
    found, report = build(narrow, ALL)
    assert orientation(found, PYRAMIDAL, BASAL)["mode"] == "normal_pia_constraint"
    assert not any("WARNING" in note for note in report.notes)
    # Whoever asks for the step gets it, and is told.
    up = {"mode": "normal_pia_constraint"}
    rules = {"default": {BASAL: {"mode": "pia_constraint", "form": "step"}, APICAL: up}}
    found, report = build(narrow, ASKED, rules)
    assert orientation(found, PYRAMIDAL, BASAL)["values"]["form"] == "step"
    assert any("WARNING: step does not describe the angles" in note for note in report.notes)


def test_the_published_way_modes_in_a_table_and_fitted_values(made):
    """As AddTrunkFitToParameters after OverwriteCustomParameters, with NeuroTS's own function."""
    from neurots.generate.orientations import fit_3d_angles

    rows = {
        "apical_dendrite.orientation.mode": "normal_pia_constraint",
        "apical_dendrite.orientation.values.direction.mean": 0.0,
        "apical_dendrite.orientation.values.direction.std": 0.0,
        "basal_dendrite.orientation.mode": "pia_constraint",
        "basal_dendrite.orientation.values.form": "double_step",
    }
    found, _ = build(made, ASKED, overrides=Table({PYRAMIDAL: rows}))
    asked = copy.deepcopy(found[PYRAMIDAL])
    asked[BASAL]["orientation"]["values"] = {"form": "double_step"}
    assert found[PYRAMIDAL] == fit_3d_angles(asked, made[1][PYRAMIDAL])
    direction = orientation(found, PYRAMIDAL, APICAL)["values"]["direction"]
    assert direction == {"mean": 0.0, "std": 0.0}
    assert found[INTERNEURON] == made[0][INTERNEURON]


def test_overrides_win_over_fits(made):
    values = {"direction": {"mean": 1.0, "std": 0.3}}
    own = {"mode": "normal_pia_constraint", "values": values}
    rules = {"default": {BASAL: {"mode": "pia_constraint", "form": "flat"}}}
    overrides = {"*": {"basal_dendrite.orientation": own}}
    found, _ = build(made, ALL, rules, overrides=overrides)
    assert orientation(found, PYRAMIDAL, BASAL) == own
    assert orientation(found, PYRAMIDAL, APICAL)["mode"] == "normal_pia_constraint"


def test_overrides_without_a_mode_keep_their_trunks(made):
    vectors = [[0.0, 1.0, 0.0]]
    own = {"apical_dendrite.orientation": vectors, "basal_dendrite.orientation": None}
    found, report = build(made, ALL, overrides={PYRAMIDAL: own})
    assert orientation(found, PYRAMIDAL, APICAL) == vectors
    assert orientation(found, PYRAMIDAL, BASAL) is None
    assert set(report.trunks) == {INTERNEURON}


def test_rules_choose_mode_form_and_bounds(made):
    bounds = [[1.0, 0.2], [2.0, 0.4]]
    rules = {
        "default": {BASAL: {"mode": "pia_constraint", "form": "best"}},
        PYRAMIDAL: {BASAL: {"mode": "pia_constraint", "form": "step", "bounds": bounds}},
    }
    found, report = build(made, ALL, rules)
    fits = made[2]
    histogram = AngleHistogram.of(fits[PYRAMIDAL][BASAL]["pia"]["histogram"])
    expected = fit_form(histogram, "step", bounds)["params"]
    assert orientation(found, PYRAMIDAL, BASAL)["values"]["params"] == expected
    scale, rate = expected
    assert 1.0 <= scale <= 2.0
    assert 0.2 <= rate <= 0.4
    laws = fits[INTERNEURON][BASAL]["pia"]["laws"]
    best = min(("flat", "step", "double_step"), key=lambda form: laws[form]["ks"])
    assert report.trunks[INTERNEURON][BASAL]["form"] == best


def test_apical_dendrites_grow_before_what_goes_by_them(made):
    rules = {PYRAMIDAL: {BASAL: {"mode": "apical_constraint"}}}
    found, report = build(made, ALL, rules)
    assert made[0][PYRAMIDAL]["grow_types"] == [BASAL, APICAL]
    assert found[PYRAMIDAL]["grow_types"] == [APICAL, BASAL]
    assert any("apical dendrites grow first" in note for note in report.notes)
    expected = made[2][PYRAMIDAL][BASAL]["apical"]["laws"]["step"]["params"]
    assert orientation(found, PYRAMIDAL, BASAL)["values"]["params"] == expected
    (problem,) = problems(made, ALL, {INTERNEURON: {BASAL: {"mode": "apical_constraint"}}})
    assert "hold no angles to the apical dendrite" in problem


def test_predefined_directions_and_modes_without_values(made):
    rules = {PYRAMIDAL: {APICAL: {"mode": "use_predefined"}, BASAL: {"mode": "uniform"}}}
    found, _ = build(made, ASKED, rules)
    (vector,) = orientation(found, PYRAMIDAL, APICAL)["values"]["orientations"]
    mean = AngleHistogram.of(made[2][PYRAMIDAL][APICAL]["pia"]["histogram"]).mean
    assert np.arccos(vector[1]) == pytest.approx(mean)
    assert np.linalg.norm(vector) == pytest.approx(1.0)
    assert orientation(found, PYRAMIDAL, BASAL) == {"mode": "uniform", "values": None}
    assert orientation(found, INTERNEURON, BASAL) is None


def test_modes_that_growth_cannot_mix_are_refused(made):
    (problem,) = problems(made, ASKED, {PYRAMIDAL: {BASAL: {"mode": "pia_constraint"}}})
    assert "but not of the others, is given by" in problem


def test_a_mode_without_values_needs_fits(made):
    overrides = {INTERNEURON: {"basal_dendrite.orientation.mode": "normal_pia_constraint"}}
    (problem,) = problems(made, overrides=overrides)
    assert problem.startswith(f"parameters, {INTERNEURON}, {BASAL}: the orientation has a mode")
    assert "set trunk_fits to asked" in problem


def test_a_law_that_neurots_fits_needs_no_values(made):
    """NeuroTS fits a pia_constraint without a law before it grows, and so does the engine."""
    overrides = {INTERNEURON: {"basal_dendrite.orientation.mode": "pia_constraint"}}
    found, _ = build(made, overrides=overrides)
    assert orientation(found, INTERNEURON, BASAL) == {"mode": "pia_constraint"}
    found, _ = build(made, ASKED, overrides=overrides)
    assert orientation(found, INTERNEURON, BASAL)["values"] == {"form": "flat", "params": []}
    # So it is for one that base parameters name, but for empty values.
    generated = copy.deepcopy(made[0])
    generated[INTERNEURON][BASAL]["orientation"] = {"mode": "pia_constraint"}
    found, _ = build((generated, *made[1:]))
    assert orientation(found, INTERNEURON, BASAL) == {"mode": "pia_constraint"}
    generated[INTERNEURON][BASAL]["orientation"]["values"] = {}
    (problem,) = problems((generated, *made[1:]))
    assert problem.startswith(f"parameters, {INTERNEURON}, {BASAL}: the orientation has a mode")


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([], "expected {mtype"),
        ({"PC": 3}, "trunk rules, PC: expected {neurite type: rule}"),
        ({"PC": {"basal": {}}}, "no neurite type.* 'basal_dendrite'"),
        ({"PC": {BASAL: {"mode": "pia"}}}, "the mode is 'pia', expected one of pia_constraint"),
        ({"PC": {BASAL: {"mode": "uniform", "form": "step"}}}, "the form is 'step'"),
        ({"PC": {BASAL: {"mode": "pia_constraint", "form": "round"}}}, "the form is 'round'"),
        ({"PC": {BASAL: {"mode": "pia_constraint", "f": 1}}}, "unknown key 'f'"),
        ({"PC": {BASAL: {"mode": "pia_constraint", "bounds": [[0], [1]]}}}, "'bounds' are two"),
        (
            {"PC": {BASAL: {"mode": "pia_constraint", "form": "step", "bounds": [[2, 1], [1, 2]]}}},
            "'bounds' are two",
        ),
        ({"PC": {BASAL: {"mode": "pia_constraint", "form": ["step"]}}}, "the form is ..step"),
    ],
)
def test_bad_trunk_rules(made, rules, message):
    (problem,) = problems(made, ASKED, rules)
    assert re.search(message, problem)


def test_rules_without_fits_and_rules_of_others(made):
    rules = {"PD": {BASAL: {"mode": "pia_constraint"}}}
    (problem,) = problems(made, NONE, rules)
    assert "no trunk fits are wanted" in problem
    _, report = build(made, ASKED, rules)
    assert report.notes == ["Trunk rules of PD are not used: no such mtype."]


def test_scaling_rules_get_the_slopes(made):
    found, report = build(made, scaling=RULES)
    target = found[PYRAMIDAL]["context_constraints"][APICAL]["extent_to_target"]
    slope = made[3][PYRAMIDAL][APICAL]["slope"]
    assert target == {"layer": 1, "fraction": 0.8, "slope": slope, "intercept": 0}
    assert "context_constraints" not in found[INTERNEURON]
    assert list(report.constraints) == [PYRAMIDAL]
    assert any("Scaling rules set constraints of L5_PC:A." in s for s in report.sentences())


def test_overrides_win_over_scaling_rules(made):
    path = "context_constraints.apical_dendrite.extent_to_target.slope"
    found, report = build(made, scaling=RULES, overrides={PYRAMIDAL: {path: 9.0}})
    assert found[PYRAMIDAL]["context_constraints"][APICAL]["extent_to_target"]["slope"] == 9.0
    (change,) = report.overrides
    assert change["old"] == made[3][PYRAMIDAL][APICAL]["slope"]


def test_the_form_of_everything_can_be_checked_before_any_fit(made):
    additions = Additions(
        TrunkChoice(ALL, {PYRAMIDAL: {BASAL: {"mode": "apical_constraint"}}}),
        scaling=RULES,
        overrides={
            PYRAMIDAL: {
                "basal_dendrite.orientation.mode": "pia_constraint",
                "basal_dendrite.orientation.values.form": "double_step",
            }
        },
    )
    found, _ = build_parameters(made[0], additions)
    assert "slope" not in found[PYRAMIDAL]["context_constraints"][APICAL]["extent_to_target"]
    additions.overrides = {PYRAMIDAL: {"basal_dendrite.randomnes": 1}}
    with pytest.raises(InvalidInput, match="unknown key 'randomnes'"):
        build_parameters(made[0], additions)


FIELD = [["SLM", "SR", "SP", "SO"], ["SP", "SO"]]


def limited(layer, **more):
    place = {"layer": layer, "fraction": 0.9, **more}
    return {PYRAMIDAL: {"context_constraints": {"apical_dendrite": {"hard_limit_max": place}}}}


@pytest.mark.parametrize("layer", ["SLM", "SO", 4])
def test_overrides_may_name_layers(made, layer):
    final, _ = build(made, layers=FIELD, overrides=limited(layer))
    limits = final[PYRAMIDAL]["context_constraints"]["apical_dendrite"]
    assert limits["hard_limit_max"]["layer"] == layer


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (limited("SLMM"), "layer 'SLMM' .* SLM, .*mean 'SLM'"),
        (limited(5), "layer 5 of a region that has 4 layers"),
        (limited(1.5), "layer: expected a whole number or a text, not 1.5"),
        (limited("SP", fraction="top"), "fraction: expected a number"),
        (
            {PYRAMIDAL: {"context_constraints.apical_dendrite.hard_limit_max.fraction": 1.0}},
            "'layer' is missing",
        ),
    ],
)
def test_constraints_that_growth_could_not_use_are_refused(made, overrides, message):
    """Else every cell of the mtype would be dropped after all the work."""
    with pytest.raises(InvalidInput, match=message):
        build(made, layers=FIELD, overrides=overrides)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("grow_types", None, "expected a list, not null"),
        ("grow_types", [[BASAL]], "grow_types -> 0: expected 'axon'"),
        (BASAL, 5, "expected an object or null, not 5"),
        (f"{BASAL}.orientation", {"mode": ["uniform"]}, "mode: expected a text"),
        (f"{BASAL}.orientation", {"mode": "pia_constraint", "values": 5}, "values: expected"),
        ("context_constraints", [1], "expected an object or null"),
        (f"context_constraints.{BASAL}", "x", "expected an object or null"),
    ],
)
def test_overrides_of_another_form_are_told_with_their_place(made, path, value, expected):
    """They ended with a traceback, in what fits are added to."""
    (problem,) = problems(made, ASKED, overrides={PYRAMIDAL: {path: value}})
    place = path.replace(".", " -> ")
    assert problem.startswith(f"overrides: default -> {PYRAMIDAL} -> {place}")
    assert expected in problem


def test_given_parameters_of_another_form_are_told_before_rules_are_added(made):
    generated = copy.deepcopy(made[0])
    generated[PYRAMIDAL]["context_constraints"] = 5
    rules = {PYRAMIDAL: {BASAL: {"hard_limit_max": {"layer": 1}}}}
    (problem,) = problems((generated, *made[1:]), scaling=rules, where="given.json")
    assert problem.startswith(f"given.json: default -> {PYRAMIDAL} -> context_constraints: ")


def test_rules_by_layers_that_other_regions_do_not_have(made):
    """The third layer of another region is not this one: the name stays."""
    rules = {PYRAMIDAL: {BASAL: {"hard_limit_max": {"layer": "SLM"}}}}
    for layers, expected in ((FIELD, "SLM"), (FIELD[:1], 1)):
        final, _ = build(made, layers=layers, scaling=rules)
        limit = final[PYRAMIDAL]["context_constraints"][BASAL]["hard_limit_max"]
        assert limit == {"layer": expected, "fraction": 1.0}


def test_rules_by_layers_that_are_elsewhere_in_other_regions(made):
    """The name stays, and each region resolves it; the order is looked at in each."""
    rules = {PYRAMIDAL: {"basal_dendrite": {"hard_limit_max": {"layer": "SP", "fraction": 0.5}}}}
    final, _ = build(made, layers=FIELD, scaling=rules)
    limits = final[PYRAMIDAL]["context_constraints"]["basal_dendrite"]
    assert limits == {"hard_limit_max": {"layer": "SP", "fraction": 0.5}}
    rules[PYRAMIDAL]["basal_dendrite"]["hard_limit_min"] = {"layer": "SP", "fraction": 0.6}
    with pytest.raises(InvalidInput, match="hard_limit_min of basal_dendrite is above"):
        build(made, layers=FIELD, scaling=rules)


def test_laws_without_their_values_are_told_with_the_file_of_the_parameters(made):
    path = "basal_dendrite.orientation"
    overrides = {PYRAMIDAL: {path: {"mode": "pia_constraint", "values": {"form": "step"}}}}
    (told,) = problems(made, overrides=overrides, where="mine.json")
    assert says(told, f"mine.json, {PYRAMIDAL}, basal_dendrite: | orientation | mode")
    assert "set trunk_fits to asked" in told
