import copy
import json
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.mtype_factory import mtype_distributions, mtype_parameters
from helpers.sentences import says
from region_grower_flow.engine.parameters import (
    check_mtypes,
    convert_legacy_names,
    load_distributions,
    load_parameters,
    mtype_entries,
    mtype_entry,
    wanted_mtypes,
)
from region_grower_flow.errors import InvalidInput, InvalidInputs


@pytest.fixture
def file(tmp_path):
    def write(value, name="tmd.json"):
        path = tmp_path / name
        path.write_text(json.dumps(value), encoding="utf-8")
        return path

    return write


def problems_of(load, path):
    with pytest.raises(InvalidInput) as caught:
        load(path)
    assert isinstance(caught.value, InvalidInputs)
    assert all(str(path) in str(problem) for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def test_parameters_come_as_they_are(file):
    data = {"SSCX": {"L5_PC": mtype_parameters()}}
    assert load_parameters(file(data)) == data


def test_distributions_come_with_their_nan(file):
    loaded = load_distributions(file({"SSCX": {"L5_PC": mtype_distributions()}}))
    bars = loaded["SSCX"]["L5_PC"]["basal_dendrite"]["persistence_diagram"][0]
    assert bars[0] == [50.0, 20.0, 0.1, 0.2, 0.3, 0.4]
    assert bars[1][2] != bars[1][2]


def test_metadata_beside_the_regions_are_left_out(file):
    # As region-grower's generate-distributions writes them.
    metadata = {"cortical_thickness": [165, 149, 353, 190, 525, 700]}
    path = file({"SSCX": {"L5_PC": mtype_distributions()}, "metadata": metadata})
    assert list(load_distributions(path)) == ["SSCX"]


def test_axons_grow_only_when_asked_for(file, caplog):
    kinds = ["basal_dendrite", "axon", "apical_dendrite"]
    path = file({"A": {"X": mtype_parameters(grow_types=kinds), "Y": mtype_parameters()}})
    assert load_parameters(path)["A"]["X"]["grow_types"] == ["basal_dendrite", "apical_dendrite"]
    assert caplog.text == ""
    assert load_parameters(path, synthesize_axons=True)["A"]["X"]["grow_types"] == kinds
    assert "Y in A" in caplog.text
    assert "X in A" not in caplog.text


def test_default_fills_the_other_regions(file):
    data = {
        "default": {"X": {"grow_types": ["axon"]}, "Y": {"grow_types": []}},
        "A": {"X": {"grow_types": ["basal_dendrite"]}},
        "B": {},
    }
    loaded = load_parameters(file(data))
    assert loaded["A"] == {"X": {"grow_types": ["basal_dendrite"]}, "Y": {"grow_types": []}}
    assert loaded["B"]["X"]["grow_types"] == []
    assert list(loaded["default"]) == ["X", "Y"]


def test_without_validation_nothing_is_checked(file):
    assert load_distributions(file({"A": {"X": 5}}), validate=False) == {"A": {"X": 5}}


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        ((), [1], "expected an object of regions, not [1]"),
        ((), {}, "there is no region in it"),
        (("A",), 5, "A: expected an object, not 5"),
        (("A", "X"), [], "A -> X: expected an object, not []"),
        (("A", "X"), {}, "A -> X: 'grow_types' is missing"),
        (("A", "X", "grow_types"), "axon", "grow_types: expected a list, not \"axon\""),
        (("A", "X", "grow_types"), ["axn"], "Did you mean 'axon'?"),
        (("A", "X", "diameter_params"), {}, "A -> X -> diameter_params: 'method' is missing"),
        (("A", "X", "context_constraints"), {"basl": {}}, "unknown key 'basl'"),
        (("A", "X", "context_constraints"), {"axon": {"extent_to_target": {}}}, "unknown key"),
    ],
)  # fmt: skip
def test_the_form_of_parameters(file, keys, value, words):
    data = {"A": {"X": mtype_parameters()}}
    if keys:
        target = data
        for key in keys[:-1]:
            target = target[key]
        target[keys[-1]] = value
    else:
        data = value
    with pytest.raises(InvalidInput) as caught:
        load_parameters(file(data))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"layer": "", "fraction": 0.5}, "hard_limit_max -> layer: | at least 1 characters"),
        ({"layer": True, "fraction": 0.5}, "layer: | whole number | text | true"),
        ({"layer": 0, "fraction": 0.5}, "layer: expected at least 1, not 0"),
        ({"layer": 1.5, "fraction": 0.5}, "layer: | whole number | text | 1.5"),
        ({"layer": 1}, "hard_limit_max: 'fraction' is missing"),
        ({"layer": 1, "fraction": "top"}, "fraction: expected a number, not \"top\""),
        ({"layer": 1, "fraktion": 1}, "Did you mean 'fraction'?"),
    ],
)  # fmt: skip
def test_limits_by_layers(file, limit, words):
    entry = mtype_parameters(context_constraints={"apical_dendrite": {"hard_limit_max": limit}})
    found = problems_of(load_parameters, file({"A": {"X": entry}}))
    assert any(says(text, words) for text in found)
    assert "A -> X -> context_constraints -> apical_dendrite" in found[0]


def test_the_form_of_distributions(file):
    found = problems_of(load_distributions, file({"A": 1, "B": {"X": "text"}, "C": {}}))
    assert len(found) == 2
    assert "A: expected an object, not 1" in found[0]
    assert 'B -> X: expected an object, not "text"' in found[1]


def test_legacy_names_in_files(file):
    entry = mtype_parameters(grow_types=["basal", "apical"])
    for kind in ("basal", "apical"):
        entry[kind] = entry.pop(f"{kind}_dendrite")
    loaded = load_parameters(file({"A": {"X": entry}}))
    assert loaded["A"]["X"] == mtype_parameters()


# An old and a new name side by side make NeuroTS stumble.
NAMES = st.sampled_from(["basal", "apical", "axon", "x"])
TREES = st.recursive(
    NAMES | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_legacy_names_are_converted_as_neurots_does(value):
    from neurots.utils import convert_from_legacy_neurite_type

    before = copy.deepcopy(value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        expected = convert_from_legacy_neurite_type(copy.deepcopy(value))
    assert convert_legacy_names(value) == expected
    assert value == before


def test_entries_are_found_as_in_the_reference():
    data = {"SSCX": {"X": 1}, "other": {"X": 2}, "default": {"X": 3}}
    assert mtype_entry(data, "SSCX", "SSCX;L1", "X") == 1
    assert mtype_entry(data, "default", "other", "X") == 3
    assert mtype_entry({"other": {"X": 2}}, "default", "other", "X") == 2
    # The reference ends here with an error; default serves every region without an entry.
    assert mtype_entry(data, "unknown", "nowhere", "X") == 3


def test_the_region_of_the_distributions_gives_the_parameters():
    parameters = {"default": {"X": "p0"}, "other": {"X": "p1"}}
    given = parameters, {"other": {"X": "d1"}}, "default", "other", "X"
    assert mtype_entries(*given) == ("p1", "d1")
    (problem,) = check_mtypes(*given[:2], [("default", "other", "Y")], ("p", "d"))[:1]
    assert says(problem, "'Y' | missing | 'other' | parameters")
    # Distributions that serve all regions do not keep parameters from being of one.
    parameters = {"default": {"X": "p0"}, "SSCX": {"X": "p1"}}
    given = parameters, {"default": {"X": "d0"}}, "SSCX", "SSCX;L1", "X"
    assert mtype_entries(*given) == ("p1", "d0")


def test_an_entry_that_is_not_there():
    data = {"SSCX": {"L5_TPC:A": 1, "L1_DAC": 2}}
    with pytest.raises(InvalidInput, match=r"'L5_TPC' .* missing in the region 'SSCX'") as caught:
        mtype_entry(data, "SSCX", "SSCX;L1", "L5_TPC")
    assert "Did you mean 'L5_TPC:A'" in str(caught.value)
    with pytest.raises(InvalidInput, match="no region 'A' nor 'default' for the mtype 'X'"):
        mtype_entry(data, "A", "A;1", "X")


def test_wanted_mtypes_are_distinct():
    mapper = {"a1": "A", "a2": "A", "b": "default"}
    regions, mtypes = ["a1", "a2", "a1", "b"], ["X", "X", "X", "Y"]
    assert wanted_mtypes(regions, mtypes, mapper) == [
        ("A", "a1", "X"),
        ("A", "a2", "X"),
        ("default", "b", "Y"),
    ]


def test_regions_that_meet_nowhere_are_one_problem_per_file():
    """Some pipelines write {} as region structure, with parameters by region."""
    parameters = {"COL": {"A": mtype_parameters(), "B": mtype_parameters()}}
    distributions = {"COL": {"A": mtype_distributions(), "B": mtype_distributions()}}
    wanted = [("default", "COL;L2", "A"), ("default", "COL;L1", "B")]
    found = [str(p) for p in check_mtypes(parameters, distributions, wanted, ("P", "D"))]
    assert says(found[0], "P: | no entry | COL;L2, COL;L1 | parameters have COL | 'default'")
    assert says(found[0], "Add an entry COL to the region structure")
    assert len(found) == 2


def test_missing_mtypes_are_all_named_once():
    parameters = {"A": {"L5_TPC": mtype_parameters()}}
    distributions = {"A": {"L5_TPC": mtype_distributions(), "L5_UPC": mtype_distributions()}}
    wanted = [
        ("A", "a1", "L5_TPC"),
        ("A", "a1", "L5_UPC"),
        ("A", "a2", "L5_UPC"),
        ("B", "b", "L5_TPC"),
        ("A", "a1", "zzz"),
    ]
    found = [str(p) for p in check_mtypes(parameters, distributions, wanted, ("P", "D"))]
    assert len(found) == 5
    assert says(found[0], "P: | 'L5_UPC' | missing | 'A' | parameters | Did you mean 'L5_TPC'?")
    assert says(found[1], "P: | no region 'B' | 'default' | 'L5_TPC' | only A")
    assert found[2].startswith("D: the distributions have no region 'B'")
    assert "'zzz'" in found[3]
    assert "There are L5_TPC" in found[3]
    assert found[4].startswith("D: the mtype 'zzz'")


def test_entries_that_no_cell_uses_are_not_looked_at():
    parameters = {"A": {"X": mtype_parameters(), "broken": {"grow_types": ["axon"]}}}
    distributions = {"A": {"X": mtype_distributions(), "broken": {}}}
    assert check_mtypes(parameters, distributions, [("A", "a", "X")]) == []
    assert check_mtypes(parameters, distributions, [("A", "a", "broken")]) != []


def test_limits_in_layers_that_a_region_does_not_have():
    limits = {"hard_limit_max": {"layer": 4, "fraction": 0.5}}
    entry = mtype_parameters(context_constraints={"basal_dendrite": limits})
    parameters, distributions = {"default": {"X": entry}}, {"default": {"X": mtype_distributions()}}
    wanted = [("A", "a", "X"), ("B", "b", "X"), ("default", "c", "X")]
    layers = {"A": [1, 2, 3], "B": list(range(1, 7)), "default": []}
    found = check_mtypes(parameters, distributions, wanted, ("P", "D"), layers=layers)
    (problem,) = found
    place = "default -> X -> context_constraints -> basal_dendrite -> hard_limit_max -> layer"
    assert says(problem, f"P: {place}: | layer 4 | 3 layers")


@pytest.mark.golden
@pytest.mark.parametrize(
    "scenario", ["plain", "limits", "axon", "external_diameters", "peer_suite", "sscx"]
)
def test_the_golden_files_are_sound(shared, scenario):
    inputs = shared / "golden" / scenario / "inputs"
    parameters = load_parameters(inputs / "tmd_parameters.json")
    distributions = load_distributions(inputs / "tmd_distributions.json")
    wanted = [
        (region, region, mtype)
        for region, mtypes in distributions.items()
        for mtype in mtypes
        if region in parameters
    ]
    assert wanted
    assert check_mtypes(parameters, distributions, wanted) == []
