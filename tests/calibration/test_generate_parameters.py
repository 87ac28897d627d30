import copy
import json

import pytest
from neurots import NeuronGrower, extract_input
from neurots.validator import validate_neuron_params

from helpers.reference_cells import INTERNEURON, PYRAMIDAL, make_cell, write_cell, write_dat
from helpers.sentences import says
from region_grower_flow.calibration.build import Additions, build_parameters
from region_grower_flow.calibration.choices import CalibrationSettings
from region_grower_flow.calibration.dataset import read_dataset
from region_grower_flow.calibration.distributions import extract_distributions
from region_grower_flow.calibration.parameters import generate_parameters
from region_grower_flow.errors import InvalidInput

BASAL, APICAL = "basal_dendrite", "apical_dendrite"
SIMPLER = {"models": ["simpler"], "neurite_types": [BASAL, APICAL]}
LIMITS = {"context_constraints": {APICAL: {"hard_limit_max": {"layer": 1, "fraction": 0.9}}}}


def generate(dataset, tmd_parameters=None, **settings):
    result, report = generate_parameters(dataset, CalibrationSettings(**settings), tmd_parameters)
    return next(iter(result.values())), report


def override(dataset, overrides):
    return build_parameters(generate(dataset)[0], Additions(overrides=overrides))


def test_equal_to_neurots(dataset):
    result, report = generate_parameters(dataset)
    assert list(result) == ["default"]
    found = result["default"]
    assert list(found) == [PYRAMIDAL, INTERNEURON]
    assert found[PYRAMIDAL] == extract_input.parameters(neurite_types=[BASAL, APICAL])
    assert found[INTERNEURON] == extract_input.parameters(neurite_types=[BASAL])
    assert json.loads(json.dumps(result)) == result
    assert next(report.sentences()) == "parameters of 2 mtypes from 12 cells."


@pytest.mark.parametrize("config", [SIMPLER, {"neurite_types": [BASAL]}, "M1", None])
def test_diameter_parameters_are_those_of_neurots(dataset, config):
    found, _ = generate(dataset, diametrizer_config=config)
    expected = extract_input.parameters(
        neurite_types=[BASAL, APICAL], diameter_parameters=copy.deepcopy(config)
    )
    assert found[PYRAMIDAL] == expected


def test_region_and_feature(dataset):
    result, _ = generate_parameters(
        dataset, CalibrationSettings("S1", feature={APICAL: "radial_distances"})
    )
    assert result["S1"][PYRAMIDAL][APICAL]["metric"] == "radial_distances"
    assert result["S1"][PYRAMIDAL][BASAL]["metric"] == "path_distances"
    found, _ = generate(dataset, feature="radial_distances")
    expected = extract_input.parameters(neurite_types=[BASAL], feature="radial_distances")
    assert found[INTERNEURON] == expected


@pytest.mark.parametrize(
    "config",
    [None, SIMPLER, "M1", {"method": "uniform", BASAL: 0.5, APICAL: 1.5}],
    ids=["default", "external", "M1", "uniform"],
)
def test_parameters_and_distributions_grow_together(dataset, config):
    from diameter_synthesis import build_diameters

    parameters, _ = generate(dataset, diametrizer_config=config)
    distributions, _ = extract_distributions(
        dataset, CalibrationSettings(diametrizer_config=config)
    )
    for mtype, params in parameters.items():
        grower = NeuronGrower(
            input_parameters=params,
            input_distributions=distributions["default"][mtype],
            external_diametrizer=build_diameters.build,
            rng_or_seed=1,
        )
        grower.grow()
        types = {int(tree.type) for tree in grower.neuron.root_sections}
        assert types == ({3, 4} if mtype == PYRAMIDAL else {3})


def test_axons_grow_where_they_are_asked_for(tmp_path):
    import numpy as np

    rng = np.random.default_rng(2)
    for i in range(3):
        write_cell(make_cell(rng, apicals=1, axons=1), tmp_path / "cells", f"p{i}")
    dat_file = write_dat(tmp_path, [f"p{i} 5 PC" for i in range(3)])
    dataset = read_dataset(tmp_path / "cells", dat_file)
    settings = CalibrationSettings(neurite_types=["axon", BASAL, APICAL])
    parameters = generate_parameters(dataset, settings)[0]["default"]["PC"]
    distributions = extract_distributions(dataset, settings)[0]["default"]["PC"]
    assert parameters["grow_types"] == [BASAL, APICAL, "axon"]
    grower = NeuronGrower(
        input_parameters=parameters, input_distributions=distributions, rng_or_seed=1
    )
    grower.grow()
    assert {int(tree.type) for tree in grower.neuron.root_sections} == {2, 3, 4}


def test_a_cell_without_basal_dendrites_grows(tmp_path):
    import numpy as np

    rng = np.random.default_rng(2)
    for i in range(2):
        write_cell(make_cell(rng, basals=0, apicals=1), tmp_path / "cells", f"p{i}")
    dat_file = write_dat(tmp_path, ["p0 1 Purkinje", "p1 1 Purkinje"])
    dataset = read_dataset(tmp_path / "cells", dat_file)
    parameters, report = generate(dataset)
    assert parameters["Purkinje"]["grow_types"] == [APICAL]
    assert "p0: it has no basal dendrite" in report.mtypes["Purkinje"]["notes"]
    distributions, _ = extract_distributions(dataset)
    grower = NeuronGrower(
        input_parameters=parameters["Purkinje"],
        input_distributions=distributions["default"]["Purkinje"],
        rng_or_seed=1,
    )
    grower.grow()
    assert {int(tree.type) for tree in grower.neuron.root_sections} == {4}


def test_inverted_mtypes_grow_their_apicals_to_the_white_matter(dataset):
    upright, _ = generate(dataset)
    inverted, _ = generate(dataset, inverted=(PYRAMIDAL, INTERNEURON))
    entry = inverted[PYRAMIDAL]["apical_dendrite"]
    assert entry["orientation"] == [[0.0, -1.0, 0.0]]
    entry["orientation"] = [[0.0, 1.0, 0.0]]
    assert inverted == upright


def given_parameters():
    pyramidal = extract_input.parameters(neurite_types=[BASAL, APICAL])
    pyramidal[BASAL]["randomness"] = 0.11
    return {
        PYRAMIDAL: pyramidal,
        INTERNEURON: extract_input.parameters(neurite_types=[BASAL]),
        "other": {"grow_types": []},
    }


def test_given_parameters(dataset):
    given = given_parameters()
    expected = {mtype: given[mtype] for mtype in (PYRAMIDAL, INTERNEURON)}
    for nested in (given, {"S1": given}, {"default": given, "S1": {}}):
        found, _ = generate(dataset, tmd_parameters=nested)
        assert found == expected
    found, _ = generate(dataset, region="S1", tmd_parameters={"default": {}, "S1": given})
    assert found == expected


def test_given_parameters_get_the_diameter_model(dataset):
    given = given_parameters()
    untouched = copy.deepcopy(given)
    found, _ = generate(dataset, tmd_parameters=given, diametrizer_config=SIMPLER)
    assert found[PYRAMIDAL]["diameter_params"] == {**SIMPLER, "method": "external"}
    assert found[PYRAMIDAL][BASAL]["randomness"] == 0.11
    assert given == untouched
    assert "method" not in SIMPLER


def test_given_parameters_with_legacy_names(dataset):
    text = json.dumps(given_parameters())
    legacy = json.loads(
        text.replace("basal_dendrite", "basal").replace("apical_dendrite", "apical")
    )
    found, _ = generate(dataset, tmd_parameters=legacy)
    assert found[PYRAMIDAL] == given_parameters()[PYRAMIDAL]


def test_given_parameters_that_grow_more_than_the_references(dataset):
    given = given_parameters()
    given[INTERNEURON] = given[PYRAMIDAL]
    _, report = generate(dataset, tmd_parameters=given)
    assert report.notes == [
        f"{INTERNEURON}: apical_dendrite is to be grown, but most of its reference cells have none."
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({PYRAMIDAL: {"grow_types": []}}, f"none for the mtype '{INTERNEURON}'"),
        ({"L5_PC:B": {"grow_types": []}}, "Did you mean 'L5_PC:B'"),
        ({"S1": {}, "S2": {}}, "none for the region 'default', only for S1, S2"),
        ([], "expected {mtype: parameters}"),
        ({"S1": 3}, "expected {mtype: parameters}"),
    ],
)
def test_bad_given_parameters(dataset, given, expected):
    with pytest.raises(InvalidInput, match=expected):
        generate(dataset, tmd_parameters=given)


def test_given_parameters_that_neurots_refuses(dataset):
    given = given_parameters()
    given[PYRAMIDAL][BASAL]["targeting"] = "much"
    del given[INTERNEURON]["origin"]
    with pytest.raises(InvalidInput) as error:
        generate(dataset, tmd_parameters=given)
    first, second = str(error.value).splitlines()
    assert says(first, f"{PYRAMIDAL} -> basal_dendrite -> targeting: | number")
    assert f"{INTERNEURON}: 'origin' is missing" in second


def test_overrides(dataset):
    plain, _ = generate(dataset)
    overrides = {
        PYRAMIDAL: {"apical_dendrite.randomness": 0.3, APICAL: {"has_apical_tuft": True}},
        "*": {"apical_dendrite": {"randomness": 0.2}, "basal_dendrite.step_size.norm.mean": 2.0},
    }
    untouched = copy.deepcopy(overrides)
    found, report = override(dataset, overrides)
    assert overrides == untouched
    assert found[PYRAMIDAL][APICAL]["randomness"] == 0.3  # "*" comes first
    assert found[PYRAMIDAL][APICAL]["has_apical_tuft"] is True
    assert found[INTERNEURON][APICAL] == {}  # "*" passes over mtypes that do not grow it
    for mtype in (PYRAMIDAL, INTERNEURON):
        assert found[mtype][BASAL]["step_size"] == {"norm": {"mean": 2.0, "std": 0.2}}
        validate_neuron_params(found[mtype])
    assert found[PYRAMIDAL]["diameter_params"] == plain[PYRAMIDAL]["diameter_params"]
    assert report.overrides[0] == {
        "mtype": PYRAMIDAL,
        "path": "apical_dendrite.randomness",
        "old": 0.24,
        "new": 0.2,
    }
    assert report.overrides[-2]["old"] == 0.2
    assert f"{PYRAMIDAL}: apical_dendrite.has_apical_tuft is True (was None)." in report.sentences()


def test_overrides_of_constraints_orientations_and_steps(dataset):
    orientation = {"mode": "normal_pia_constraint", "values": {"direction": {"mean": 0, "std": 1}}}
    overrides = {
        "*": LIMITS,
        PYRAMIDAL: {
            APICAL: {"orientation": orientation},
            "context_constraints.apical_dendrite.extent_to_target": {
                "layer": 1,
                "fraction": 0.8,
                "slope": 1.2,
                "intercept": 0,
            },
            "basal_dendrite.step_size": {"uniform": {"min": 0.5, "max": 1.5}},
            "diameter_params.seed": 3,
        },
    }
    found, _ = override(dataset, overrides)
    params = found[PYRAMIDAL]
    assert params[APICAL]["orientation"] == orientation
    limits = params["context_constraints"][APICAL]
    assert limits["hard_limit_max"] == {"layer": 1, "fraction": 0.9}
    assert limits["extent_to_target"]["slope"] == 1.2
    assert params[BASAL]["step_size"]["uniform"] == {"min": 0.5, "max": 1.5}
    assert params["diameter_params"]["seed"] == 3
    assert found[INTERNEURON]["context_constraints"] == LIMITS["context_constraints"]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"L5_PC": {}}, "unknown mtype 'L5_PC'. Did you mean 'L5_PC:A'"),
        ({PYRAMIDAL: {"apical_dendrite.randomnes": 1}}, "Did you mean 'randomness'"),
        ({PYRAMIDAL: {"apical": {"randomness": 1}}}, "Did you mean 'apical_dendrite'"),
        ({PYRAMIDAL: {"basal_dendrite.randomness": 3}}, "randomness: expected at most 1, not 3"),
        ({PYRAMIDAL: {"basal_dendrite.tree_type.x": 3}}, "unknown key 'x'"),
        ({PYRAMIDAL: {"basal_dendrite": {"step_size": {"normal": {}}}}}, "Did you mean 'norm'"),
        ({"*": {"context_constraints.apical_dendrite.hard_limit_mx.layer": 1}}, "hard_limit_max"),
        ({"*": {"context_constraints.apical_dendrite.hard_limit_max.slope": 1}}, "Known are"),
        ({INTERNEURON: {"apical_dendrite.randomness": 1}}, "does not grow apical_dendrite"),
        ({"*": {"axon.randomness": 1}}, "no mtype grows axon"),
        ({"*": {"diameter_params.method": "M1"}}, "diameter method is 'M1'"),
        ({"*": {"basal_dendrite.metric": "radial_distances"}}, "metric of basal_dendrite"),
        ({INTERNEURON: {"grow_types": [BASAL, APICAL]}}, "no parameters to grow apical_dendrite"),
        ({PYRAMIDAL: 3}, "expected a mapping, found 3"),
        ([PYRAMIDAL], "expected a mapping of mtypes"),
    ],
)
def test_bad_overrides(dataset, overrides, expected):
    with pytest.raises(InvalidInput, match=expected):
        override(dataset, overrides)


def test_all_bad_overrides_are_reported_together(dataset):
    overrides = {"L5": {}, PYRAMIDAL: {"orgin": [0, 0, 0], "basal_dendrite.bias": 0.1, "x.y": 1}}
    with pytest.raises(InvalidInput) as error:
        override(dataset, overrides)
    assert len(str(error.value).splitlines()) == 3


def test_a_sensible_trunk_length_metric_is_allowed(dataset):
    found, _ = override(dataset, {"*": {"basal_dendrite.metric": "trunk_length"}})
    assert found[INTERNEURON][BASAL]["metric"] == "trunk_length"


def test_without_overrides_nothing_is_reported(dataset):
    assert override(dataset, {})[1].overrides == []
    assert override(dataset, None)[1].overrides == []
