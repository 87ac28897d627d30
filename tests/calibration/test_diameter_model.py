import pytest

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
        ({"models": ["generic"]}, r"needs the key\(s\) terminal_threshold, taper"),
        ({"models": ["simpler"], "neurite_types": ["basal"]}, "'neurite_types' is"),
        ({"neurite_types": "axon"}, "'neurite_types' is 'axon'"),
        ("M6", "unknown method 'M6'.* did you mean 'M"),
        ({"method": "uniform"}, "a diameter per neurite type"),
        ({"method": "uniform", "axon": 1, "seed": 0}, "and nothing else"),
        ({"method": "uniform", "axon": 0}, "above 0"),
        ({"method": "uniform", "axon": True}, "above 0"),
    ],
)
def test_bad_configurations(config, expected):
    with pytest.raises(InvalidInput, match=expected):
        resolve_diameter_model(config)
