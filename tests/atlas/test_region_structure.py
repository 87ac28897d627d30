import math

import pytest

from helpers.atlas_factory import REGION, column_structure, write_structure
from helpers.sentences import says
from region_grower_flow.atlas.structure import (
    cortical_depths,
    load_region_structure,
    structure_problems,
    used_layers,
)
from region_grower_flow.errors import InvalidInput, InvalidInputs


def found(**entry):
    structure = {REGION: {**column_structure()[REGION], **entry}}
    return [str(p) for p in structure_problems(structure, "rs.yaml")]


def only(problems, *words):
    assert len(problems) == 1, problems
    for word in words:
        assert word in problems[0]


def test_a_sound_structure(tmp_path):
    path = tmp_path / "rs.yaml"
    write_structure(path, column_structure())
    assert load_region_structure(path) == column_structure()


def test_the_order_of_regions_is_kept(tmp_path):
    path = tmp_path / "rs.yaml"
    path.write_text("B:\n  layers: null\nA:\n  layers: null\n")
    assert list(load_region_structure(path)) == ["B", "A"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("COL:\n  layers: [1, 2\n", "line 3, column 1"),
        (
            "COL: {layers: [1]}\nCOL: {layers: [2]}\n",
            "line 2, column 1: the key 'COL' is there",
        ),
        ("COL: !!python/object/apply:os.system ['true']\n", "line 1, column 6"),
        ("COL:\n\t- 1\n", "line 2"),
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("- COL\n", 'expected an object, not ["COL"]'),
        ("COL: 5\n", "COL: expected an object, not 5"),
        ("COL: null\n", "COL: expected an object, not null"),
        ("1: {layers: null}\n", "the name of a region must be text"),
        ("COL: {layers: 5}\n", "COL -> layers: expected a list or null, not 5"),
        ("COL: {layers: [1.5]}\n", "COL -> layers -> 0: | whole number | text"),
        ("COL: {layers: [1], thicknesses: {1: thick}}\n", 'expected a number, not "thick"'),
        ("COL: &a\n  names: *a\n  layers: null\n", "nested too deeply"),
    ],
)
def test_broken_files(tmp_path, text, words):
    path = tmp_path / "rs.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        load_region_structure(path)
    assert says(caught.value, words)
    assert "rs.yaml" in str(caught.value)


def test_aliases_of_aliases_end(tmp_path):
    path = tmp_path / "rs.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    path.write_text("\n".join(lines))
    with pytest.raises(InvalidInput, match="too large"):
        load_region_structure(path)


@pytest.mark.parametrize("value", [0, -10, math.nan, math.inf])
def test_thicknesses_are_positive(value):
    problems = found(thicknesses={1: 300, 2: value, 3: 500})
    only(problems, "COL -> thicknesses -> 2")


def test_thicknesses_fit_the_layers():
    only(found(thicknesses={1: 1, 2: 1}), "no thickness is given for layer 3")
    only(found(thicknesses={1: 1, 2: 1, 3: 1, 4: 1}), "layer 4 is not in 'layers'")
    only(found(thicknesses={2: 1, 1: 1, 3: 1}), "in the order 2, 1, 3", "the layers are 1, 2, 3")
    only(found(layers=None), "has 'thicknesses' but no 'layers'")
    assert found(thicknesses={"1": 1, "2": 1, "3": 1}) == []
    assert found(thicknesses=None) == []


def test_layers_are_there_once():
    problems = found(layers=[1, 2, 2, 3])
    only(problems, "layer 2 is there twice")
    assert any("at least one layer" in p for p in found(layers=[], thicknesses={}))


def test_a_misspelt_key_is_refused_and_another_is_only_named(caplog):
    only(found(thickness={1: 1}), "unknown key 'thickness'", "Did you mean 'thicknesses'?")
    assert found(comment="ours") == []
    assert "'comment'" in caplog.text


def test_a_key_that_means_nothing_is_named_once(caplog, tmp_path):
    """The stages of a run read the file many times: it was told eight times."""
    path = tmp_path / "rs.yaml"
    write_structure(path, {REGION: {**column_structure()[REGION], "notes": "mine"}})
    for _ in range(3):
        load_region_structure(path)
    assert caplog.text.count("the key 'notes'") == 1


@pytest.mark.parametrize("key", ["description", "region", "label", "depths", "total_thickness"])
def test_keys_of_other_tools_are_passed_over(key):
    assert found(**{key: "mine"}) == []


@pytest.mark.parametrize("key", ["layer", "thicknes", "boundary", "direction", "region_query"])
def test_misspelt_keys_are_refused(key):
    only(found(**{key: {}}), f"unknown key {key!r}", "Did you mean")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("directions", {}, "expected a list or null"),
        ("directions", [{}], "directions -> 0: 'params' is missing"),
        ("directions", [7], "directions -> 0: expected an object, not 7"),
        ("boundaries", [{"mode": "repulsive"}], "boundaries -> 0: 'path' is missing"),
        ("boundaries", {"path": "a"}, "expected a list or null"),
    ],
)
def test_constraints(key, value, words):
    problems = found(**{key: value})
    only(problems, f"COL -> {key}", words)


AXIS = [0, 1, 0]


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"params": None}, " -> params", "an object, not null"),
        ({"params": {}}, " -> params", "'direction' is missing"),
        ({"params": {"direction": [0, 1]}}, " -> params -> direction", "at least 3 items"),
        ({"params": {"direction": [0, 1, math.nan]}}, " -> direction -> 2", "a finite number"),
        ({"params": {"direction": AXIS, "mode": "across"}}, " -> mode", "'parallel' or 'perp"),
        ({"params": {"direction": AXIS, "power": -1}}, " -> power", "at least 0, not -1"),
        ({"params": {"direction": AXIS, "power": "2"}}, " -> power", 'a number, not "2"'),
        ({"params": {"direction": AXIS, "power": math.inf}}, " -> power", "a finite number"),
        ({"params": {"direction": AXIS, "pover": 2}}, " -> params", "'pover' | mean 'power'"),
        ({"mtypes": 3}, " -> mtypes", "a list or a text or null, not 3"),
        ({"neurite_types": ["apical"]}, " -> neurite_types -> 0", "mean 'apical_dendrite'"),
        ({"neurite_types": "apical"}, " -> neurite_types", "mean 'apical_dendrite'"),
        ({"processes": ["mayor"]}, " -> processes -> 0", "mean 'major'"),
        ({"neurite_type": ["axon"]}, "", "'neurite_type' | mean 'neurite_types'"),
        ({"mtype": []}, "", "'mtype' | mean 'mtypes'"),
        ({"params_section": []}, " -> params_section", "an object, not []"),
        ({"params_section": {"max_tries": 0}}, " -> max_tries", "at least 1, not 0"),
        ({"params_section": {"max_tries": 1e5}}, " -> max_tries", "at most 10000"),
        ({"params_section": {"max_tries": True}}, " -> max_tries", "a whole number, not true"),
        ({"params_section": {"randomness_increase": -1}}, " -> randomness_increase", "least 0"),
    ],
)
def test_wrong_directions_get_one_sentence(change, place, words):
    sound = {"neurite_types": ["axon"], "processes": "major", "params": {"direction": AXIS}}
    assert found(directions=[sound]) == []
    (problem,) = found(directions=[sound, sound | change])
    assert says(problem, f"rs.yaml: COL -> directions -> 1 | {place}: | {words}")


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"path": None}, " -> path", "a text, not null"),
        ({"path": ""}, " -> path", "at least 1 characters"),
        ({"mode": "repulsiv"}, " -> mode", "Did you mean 'repulsive'?"),
        ({"mesh_type": "pixel"}, " -> mesh_type", "'voxel' or 'spatial', not \"pixel\""),
        ({"multimesh_mode": "near"}, " -> multimesh_mode", "'closest_y'"),
        ({"params_section": 4}, " -> params_section", "an object, not 4"),
        ({"params_trunk": {"d_max": "far"}}, " -> params_trunk -> d_max", 'a number, not "far"'),
        ({"params_trunk": {"d_min": math.nan}}, " -> params_trunk -> d_min", "a finite number"),
        ({"params_trunk": {"max_tries": 0}}, " -> params_trunk -> max_tries", "at least 1"),
        ({"params_section": {"dmax": 5}}, " -> params_section", "'dmax' | mean 'd_max'"),
        ({"meshtype": "voxel"}, "", "'meshtype' | mean 'mesh_type'"),
    ],
)
def test_wrong_boundaries_get_one_sentence(change, place, words):
    sound = {"path": "a.obj", "neurite_types": ["axon"], "params_section": {"d_max": 5}}
    assert found(boundaries=[sound]) == []
    (problem,) = found(boundaries=[sound, sound | change])
    assert says(problem, f"rs.yaml: COL -> boundaries -> 1 | {place}: | {words}")


@pytest.mark.parametrize("layer", [0, 4])
def test_directions_name_layers_that_exist(layer):
    direction = {"params": {"direction": [0, 1, 0], "layers": [1, layer]}}
    only(found(directions=[direction]), "COL -> directions -> 0 -> params -> layers")
    assert found(directions=[{"params": {"direction": [0, 1, 0], "layers": [3]}}]) == []


def test_all_problems_at_once(tmp_path):
    path = tmp_path / "rs.yaml"
    path.write_text("A: {layers: 1}\nB: {layers: [1], thicknesses: {1: -1}}\nC: 3\n")
    with pytest.raises(InvalidInputs) as caught:
        load_region_structure(path)
    assert len(caught.value.problems) == 3


def test_depths_of_the_model():
    assert cortical_depths({"thicknesses": {1: 165, 2: 149}}) == [165, 314]
    assert cortical_depths({"thicknesses": None}) is None


def test_used_layers_once_and_in_order():
    structure = {
        "A": {"layers": [1, 2], "thicknesses": {1: 1, 2: 1}},
        "B": {"layers": [2, 3], "thicknesses": {2: 1, 3: 1}},
        "C": {"layers": [9], "thicknesses": None},
    }
    assert used_layers(structure, ["A", "B", "C", "default"]) == [1, 2, 3]
