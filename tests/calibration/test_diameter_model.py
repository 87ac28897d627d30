import pytest

from helpers.sentences import says
from region_grower_flow.calibration.choices import CalibrationSettings
from region_grower_flow.calibration.diameter_model import resolve_diameter_model
from region_grower_flow.errors import InvalidInput

GENERIC = {"models": ["generic"], "terminal_threshold": 2.0, "taper": {"max": 0.1}}
DEFAULT = {"method": "default", "models": ["simpler"]}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, DEFAULT),
        ("default", DEFAULT),
        ("simpler", DEFAULT),
        ({"neurite_types": ["axon"]}, {**DEFAULT, "neurite_types": ["axon"]}),
        ("M3", {"method": "M3"}),
        ({"method": "M3"}, {"method": "M3"}),
        ({"method": "uniform", "axon": 0.3}, {"method": "uniform", "axon": 0.3}),
        (GENERIC, {**GENERIC, "method": "external"}),
        ({**GENERIC, "method": "external"}, {**GENERIC, "method": "external"}),
        ({"models": ["simpler"]}, {"models": ["simpler"], "method": "external"}),
    ],
)
def test_parameters(config, expected):
    assert resolve_diameter_model(config).parameters() == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (3, "expected a mapping"),
        ({}, "'models' is None"),
        ({"models": []}, "'models' is"),
        ({"models": "simpler"}, "'models' is 'simpler'"),
        ({"models": ["complex"]}, "unknown model 'complex'"),
        ({"models": ["generic"]}, "needs terminal_threshold, taper"),
        ({"models": ["simpler"], "neurite_types": ["basal"]}, "'neurite_types' is"),
        ({"neurite_types": "axon"}, "'neurite_types' is 'axon'"),
        ({"neurite_types": [["axon"]]}, "'neurite_types' is"),
        ("M6", "unknown method 'M6'.* Did you mean 'M"),
        ({"method": "uniform"}, "a diameter per neurite type"),
        ({"method": "uniform", "axon": 1, "seed": 0}, "and nothing else"),
        ({"method": "uniform", "axon": 0}, "above 0"),
        ({"method": "uniform", "axon": True}, "above 0"),
    ],
)
def test_bad_configurations(config, expected):
    with pytest.raises(InvalidInput, match=expected):
        resolve_diameter_model(config)


BASAL, APICAL = "basal_dendrite", "apical_dendrite"
TAPER = {"min": -0.01, "max": 1e-6}
PER_TYPE = {
    "models": ["generic"],
    "terminal_threshold": {BASAL: 2.0, APICAL: 0.5},
    "taper": {BASAL: TAPER, APICAL: {"min": -0.002, "max": 1e-6}},
    "neurite_types": [BASAL, APICAL],
}
MIXED = {"method": {BASAL: "simpler", APICAL: "uniform"}, APICAL: 0.7}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"method": {BASAL: "uniform"}, BASAL: 0.4}, {"method": "uniform", BASAL: 0.4}),
        (MIXED, {**DEFAULT, "neurite_types": [BASAL, APICAL]}),
        ({"method": {BASAL: "simpler"}}, {**DEFAULT, "neurite_types": [BASAL]}),
        ({"method": {BASAL: "M2", APICAL: "M2"}}, {"method": "M2"}),
        ({"method": "generic", **GENERIC}, {**GENERIC, "method": "external"}),
        (
            {"method": {BASAL: "generic"}, **GENERIC},
            {**GENERIC, "neurite_types": [BASAL], "method": "external"},
        ),
        (PER_TYPE, {**PER_TYPE, "method": "external"}),
    ],
)
def test_methods_and_settings_per_neurite_type(config, expected):
    assert resolve_diameter_model(config).parameters() == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"method": {BASAL: "M1", APICAL: "M2"}}, "one method per mtype: M1, M2 cannot be mixed"),
        ({"method": {BASAL: "M1", APICAL: "simpler"}}, "cannot be mixed.*Only simpler may be"),
        ({"method": {BASAL: "M1"}}, "'M1' makes the diameters of all neurite types"),
        ({"method": {"basal": "M1"}}, "'basal' is no neurite type.* 'basal_dendrite'"),
        ({"method": {BASAL: "M8"}}, "unknown method 'M8'"),
        ({"method": {BASAL: "simpler", APICAL: "uniform"}}, "a diameter for each type"),
        ({**MIXED, "axon": 1.0}, "and no more"),
        ({**MIXED, APICAL: -1.0}, "above 0"),
        ({**PER_TYPE, "taper": {BASAL: TAPER}}, "'taper' is given by type, but not for apical"),
    ],
)
def test_what_cannot_be_expressed(config, expected):
    with pytest.raises(InvalidInput, match=expected):
        resolve_diameter_model(config)


@pytest.mark.slow
def test_types_with_settings_of_their_own_are_fitted_by_these(dataset):
    from helpers.reference_cells import PYRAMIDAL
    from region_grower_flow.calibration.distributions import extract_distributions

    def fitted(config):
        found = extract_distributions(dataset, CalibrationSettings(diametrizer_config=config), 1)[0]
        return found["default"][PYRAMIDAL]["diameter"]

    own = fitted(PER_TYPE)
    for name in (BASAL, APICAL):
        alike = {key: PER_TYPE[key][name] for key in ("terminal_threshold", "taper")}
        alone = fitted({**PER_TYPE, **alike})
        for quantity, models in own.items():
            if quantity != "method":
                assert models[name] == alone[quantity][name], (quantity, name)
    other = fitted({**PER_TYPE, "taper": TAPER, "terminal_threshold": 2.0})
    assert own["tapers"][APICAL] != other["tapers"][APICAL]


def test_uniform_beside_simpler_grows_uniform_diameters(dataset):
    import numpy as np
    from neurots import NeuronGrower

    from helpers.reference_cells import PYRAMIDAL
    from region_grower_flow.calibration.distributions import extract_distributions
    from region_grower_flow.calibration.parameters import generate_parameters

    settings = CalibrationSettings(diametrizer_config=MIXED)
    params = generate_parameters(dataset, settings)[0]["default"][PYRAMIDAL]
    drawn = extract_distributions(dataset, settings, 1)[0]["default"]
    cell = NeuronGrower(params, drawn[PYRAMIDAL], rng_or_seed=1).grow()
    diameters = {int(s.type): [] for s in cell.iter()}
    for section in cell.iter():
        diameters[int(section.type)].extend(section.diameters)
    assert np.unique(diameters[4]).tolist() == pytest.approx([0.7])
    assert len(np.unique(diameters[3])) > 10


def test_diameters_below_the_thinnest_reconstructed_are_told():
    from region_grower_flow.calibration.diameter_model import thin_diameters

    model = {"basal_dendrite": [0.01, 1.0], "apical_dendrite": [0.3, 2.0], "axon": [-0.5, 1.0]}
    thinnest = {"basal_dendrite": 0.286, "apical_dendrite": 0.4, "axon": 0.1}
    basal, axon = sorted(thin_diameters(model, thinnest), key=lambda text: "axon" in text)
    assert says(basal, "basal_dendrite | 0.01 um | thinnest | 0.29 um")
    assert "axon go down to -0.50 um" in axon
