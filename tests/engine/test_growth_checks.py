import copy
import math

import pytest

from helpers.mtype_factory import (
    NAN,
    histogram,
    mtype_distributions,
    mtype_parameters,
    neurite_parameters,
)
from helpers.nested import LEFT_OUT, set_at
from helpers.sentences import says
from region_grower_flow.engine.growth_checks import EntryChecker

BARS = ("basal_dendrite", "persistence_diagram")


@pytest.fixture(scope="module")
def checker():
    return EntryChecker("parameters.json", "distributions.json")


def problems(checker, parameters=None, distributions=None):
    parameters = mtype_parameters() if parameters is None else parameters
    distributions = mtype_distributions() if distributions is None else distributions
    found = checker.problems(("A", "X", parameters), ("A", "X", distributions))
    return [str(problem) for problem in found]


def only(found, *words):
    assert len(found) == 1, found
    for word in words:
        assert word in found[0]


def test_a_sound_mtype(checker):
    assert problems(checker) == []


def test_inputs_are_not_changed(checker):
    parameters, distributions = mtype_parameters(), mtype_distributions()
    before = repr((parameters, distributions))
    problems(checker, parameters, distributions)
    assert repr((parameters, distributions)) == before


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (("apical_dendrite", "randomness"), "x", "-> randomness: expected a number, not \"x\""),
        (("apical_dendrite", "randomness"), 2, "-> randomness: expected at most 1, not 2"),
        (("apical_dendrite", "randomness"), LEFT_OUT, "apical_dendrite: 'randomness' is missing"),
        (("apical_dendrite", "targetin"), 1, "Did you mean 'targeting' or"),
        (("basal_dendrite", "targeting"), 0.9, "add up to 1.14"),
        (("basal_dendrite", "growth_method"), "tdm", "-> growth_method: expected 'tmd'"),
        (("basal_dendrite", "growth_method"), LEFT_OUT, "'growth_method' is missing"),
        (("basal_dendrite", "branching_method"), "bio_orientd", "Did you mean 'bio_oriented'?"),
        (("basal_dendrite", "metric"), "path_distance", "Did you mean 'path_distances' or"),
        (("basal_dendrite", "metric"), "trunk_length", "-> metric: expected one of"),
        (("basal_dendrite", "step_size"), LEFT_OUT, "-> step_size: expected {'norm'"),
        (("basal_dendrite", "step_size", "norm", "mean"), -1, "expected at least 0, not -1"),
        (("basal_dendrite", "step_size", "norm"), {"mean": 0, "std": 0}, "growth would not end"),
        (("basal_dendrite", "growth_method"), "tmd_gradient", "needs 'bias'"),
        (("basal_dendrite", "orientation"), [[0, 0, 0]], "vectors that are not 0"),
        (("basal_dendrite", "orientation"), [["a", 0, 0]], "vectors that are not 0"),
        (("basal_dendrite", "orientation"), [[0, 1]], "at least 3 items"),
        (("basal_dendrite", "orientation"), {"mode": "uniform", "values": None}, "grow_types"),
        (("basal_dendrite", "orientation"), "up", "basal_dendrite -> orientation"),
        (("axon",), 5, "axon"),
        (("grow_types",), [], "nothing is to be grown"),
        (("grow_types",), ["axon"], "axon: is in 'grow_types' but has no"),
        (("basal_dendrite", "tree_type"), 1, "tree_type: expected 3 (SWC's number)"),
        (("origin",), LEFT_OUT, "'origin' is missing"),
        (("diameter_params",), LEFT_OUT, "'diameter_params' is missing"),
        (("diameter_params", "taper"), math.inf, "taper: expected a finite number"),
        (("basal_dendrite", "randomness"), NAN, "randomness: expected a finite number"),
    ],
)  # fmt: skip
def test_parameters(checker, keys, value, words):
    parameters = mtype_parameters()
    set_at(parameters, keys, value)
    found = problems(checker, parameters)
    assert any(words in text for text in found), found
    assert all("A -> X" in text for text in found)
    assert any(text.startswith("parameters.json: ") for text in found)


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (BARS, [], "expected at least one barcode"),
        (BARS, LEFT_OUT, "expected at least one barcode"),
        (BARS, "x", "-> persistence_diagram: expected a list"),
        ((*BARS, 1), [], "persistence_diagram -> 1: expected a list"),
        ((*BARS, 1), 5, "persistence_diagram -> 1: expected a list"),
        ((*BARS, 1, 1), [1, 2], "-> 1: bar 1: expected 6 numbers"),
        ((*BARS, 0, 0, 3), "x", "-> 0: bar 0: expected 6 numbers"),
        ((*BARS, 0, 0, 3), "1.0", "-> 0: bar 0: expected 6 numbers"),
        ((*BARS, 0, 0, 3), True, "-> 0: bar 0: expected 6 numbers"),
        ((*BARS, 0, 0, 3), 10**400, "longer than 1e+07 um"),
        ((*BARS, 0, 0, 1), NAN, "bar 0: its ends are not finite"),
        ((*BARS, 0, 0, 3), NAN, "bar 0: its angles are not finite"),
        ((*BARS, 0, 1, 0), 1e9, "longer than 1e+07 um"),
        (("basal_dendrite", "num_trees"), LEFT_OUT, "'num_trees' is missing"),
        (("basal_dendrite", "num_trees"), histogram([], []), "expected at least one bin"),
        (("basal_dendrite", "num_trees"), histogram([1], [1, 2]), "1 bins but 2 weights"),
        (("basal_dendrite", "num_trees"), histogram([1, 2], [0, 0]), "not all 0"),
        (("basal_dendrite", "num_trees"), histogram([1, 2], [-1, 2]), "weights of at least 0"),
        (("basal_dendrite", "num_trees"), histogram([1e6], [1]), "at most 10000 trees"),
        (("basal_dendrite", "trunk"), None, "trunk -> orientation_deviation: is missing"),
        (("basal_dendrite", "trunk", "azimuth"), {}, "trunk -> azimuth: is missing"),
        (("basal_dendrite", "trunk", "azimuth", "uniform", "max"), LEFT_OUT, "expected {'uniform'"),
        (("apical_dendrite", "persistence_diagram", 1, 0), LEFT_OUT, "no apical point can be"),
        (("basal_dendrite",), LEFT_OUT, "basal_dendrite"),
        (("soma",), LEFT_OUT, "'soma' is missing"),
        (("soma",), {}, "soma -> size: expected"),
        (("soma", "size", "norm", "mean"), -5, "a soma of -5 um (std 0.9) is never positive"),
        (("soma", "size", "norm", "std"), -1, "std: expected at least 0"),
        (("soma", "size", "norm", "mean"), NAN, "mean: expected a finite number"),
        (("diameter",), LEFT_OUT, "'diameter' is missing"),
        (("diameter", "method"), LEFT_OUT, "diameter: 'method' is missing"),
        (("diameter", "apical_dendrite"), [], "expected at least one coefficient"),
        (("diameter",), {"method": "M9"}, "diameter -> method: expected one of external"),
        (("diameter",), {"method": "M4"}, "diameter -> basal_dendrite: | M4 | trunk"),
    ],
)  # fmt: skip
def test_distributions(checker, keys, value, words):
    distributions = mtype_distributions()
    set_at(distributions, keys, value)
    found = problems(checker, distributions=distributions)
    assert any(says(text, words) for text in found), found
    assert all(text.startswith("distributions.json: A -> X") for text in found)


def test_only_the_bar_of_the_root_may_lack_angles(checker):
    distributions = mtype_distributions()
    bars = distributions["basal_dendrite"]["persistence_diagram"][0]
    bars.reverse()
    assert problems(checker, distributions=distributions) == []


@pytest.mark.parametrize(
    ("bars", "even"),
    [
        ([[90, 0]], True),
        ([[90, 0], [90, 0]], True),
        ([[0, 90], [90, 0]], True),
        ([[90, 0], [50, 20]], False),
        ([[90, 0], [50, 0]], False),
    ],
)
def test_barcodes_without_apical_point(checker, bars, even):
    # In an even barcode TMD looks for the apical point forever.
    distributions = mtype_distributions()
    barcode = [[*bar, 0.1, 0.2, 0.3, 0.4] for bar in bars]
    distributions["apical_dendrite"]["persistence_diagram"].append(barcode)
    found = problems(checker, distributions=distributions)
    assert [("persistence_diagram -> 2: no apical point" in text) for text in found] == [
        True
    ] * even
    basal = mtype_distributions()
    basal["basal_dendrite"]["persistence_diagram"].append(barcode)
    assert problems(checker, distributions=basal) == []


def test_external_diameters_are_asked_for_on_both_sides(checker):
    distributions = mtype_distributions(diameter={"method": "external"})
    found = problems(checker, distributions=distributions)
    assert any("diameter_params -> method: expected 'external'" in text for text in found)
    parameters = mtype_parameters(diameter_params={"method": "external", "models": ["generic"]})
    found = problems(checker, parameters, distributions)
    assert len(found) == 5
    assert says(found[0], "sibling_ratios: | model | basal_dendrite, apical_dendrite")
    # The other way round the reference grows them, with the diameters of the distributions.
    assert problems(checker, parameters) == []


def test_external_diameters_need_a_known_model(checker):
    parameters = mtype_parameters(diameter_params={"method": "external", "models": ["genric"]})
    distributions = mtype_distributions(diameter={"method": "external"})
    only(problems(checker, parameters, distributions), "diameter_params -> models", "generic")


def test_the_schema_of_diameter_models(checker):
    model = {"basal_dendrite": {"distribution": "gama"}}
    parameters = mtype_parameters(diameter_params={"method": "default", "tapers": model})
    only(problems(checker, parameters), "tapers -> basal_dendrite -> distribution", "'gamma'")


def test_modes_of_orientation(checker):
    def with_modes(basal, apical, kinds=("apical_dendrite", "basal_dendrite")):
        parameters = mtype_parameters(grow_types=list(kinds))
        parameters["basal_dendrite"]["orientation"] = basal
        parameters["apical_dendrite"]["orientation"] = apical
        return problems(checker, parameters)

    up = {"mode": "normal_pia_constraint", "values": {"direction": {"mean": 0.0, "std": 0.0}}}
    step = {"mode": "pia_constraint", "values": {"form": "step", "params": [0.4, 0.5]}}
    beside = {"mode": "apical_constraint", "values": {"form": "flat", "params": []}}
    predefined = {"mode": "use_predefined", "values": {"orientations": [[0, 1, 0]]}}
    pairs = {"mode": "sample_pairwise_angles", "values": None}
    assert with_modes(step, up) == []
    assert with_modes(beside, up) == []
    assert with_modes(pairs, predefined) == []
    only(with_modes(beside, up, ("basal_dendrite", "apical_dendrite")), "before it")
    only(with_modes(pairs, up), "the orientation of apical_dendrite, but not of the others", "3D")
    only(
        with_modes({"mode": "pia_constrain", "values": None}, predefined),
        "Did you mean",
        "orientation -> mode",
    )
    only(with_modes({"mode": "uniform"}, predefined), "expected 'mode' and 'values'")
    only(with_modes({**step, "values": None}, up), "the law of trunks is fitted to it")
    wrong = {"mode": "pia_constraint", "values": {"form": "step", "params": [1]}}
    only(with_modes(wrong, up), "the form 'step' has 2 numbers, not [1]")
    nowhere = {"mode": "normal_pia_constraint", "values": None}
    only(with_modes(step, nowhere), "values -> direction: expected 'mean' and 'std'")


def test_trunks_without_barcodes(checker):
    parameters = mtype_parameters(grow_types=["basal_dendrite", "axon"])
    distributions = mtype_distributions()
    distributions["axon"] = copy.deepcopy(distributions["basal_dendrite"])
    del distributions["axon"]["persistence_diagram"]
    trunk = {"growth_method": "axon_trunk", "metric": "trunk_length", "tree_type": 2}
    parameters["axon"] = neurite_parameters(**trunk)
    assert problems(checker, parameters, distributions) == []
    parameters["axon"]["growth_method"] = "trunk"
    only(
        problems(checker, parameters, distributions), "axon: the growth method 'trunk' needs 'num_"
    )
    parameters["axon"]["num_seg"] = 5
    assert problems(checker, parameters, distributions) == []
    parameters["axon"]["modify"] = {"funct": "scale"}
    only(problems(checker, parameters, distributions), "axon -> modify: expected null")
    parameters["axon"] |= {"modify": None, "metric": "path_distances"}
    only(problems(checker, parameters, distributions), "needs 'trunk_length'")


def test_another_metric_of_the_barcodes_is_refused_as_by_neurots(checker):
    distributions = mtype_distributions()
    distributions["basal_dendrite"]["filtration_metric"] = "radial_distances"
    words = "basal_dendrite -> metric: the barcodes are of 'radial_distances', growth is by"
    only(problems(checker, distributions=distributions), words)


def test_neurites_that_are_not_grown_do_not_matter(checker):
    parameters = mtype_parameters(grow_types=["basal_dendrite"], apical_dendrite={})
    distributions = mtype_distributions(apical_dendrite={})
    assert problems(checker, parameters, distributions) == []


def test_several_problems_at_once(checker):
    parameters, distributions = mtype_parameters(), mtype_distributions()
    set_at(parameters, ("basal_dendrite", "metric"), "x")
    set_at(parameters, ("apical_dendrite", "branching_method"), "x")
    set_at(distributions, ("soma", "size", "norm", "mean"), -5)
    assert len(problems(checker, parameters, distributions)) == 3


def test_what_passes_grows_in_the_reference(checker):
    """The sound mtype of these tests is one that NeuroTS can grow."""
    from neurots import NeuronGrower

    distributions = mtype_distributions()
    distributions["basal_dendrite"]["num_trees"] = histogram([3], [1])
    grower = NeuronGrower(
        input_parameters=mtype_parameters(),
        input_distributions=distributions,
        skip_preprocessing=True,
        rng_or_seed=1,
    )
    assert len(grower.grow().root_sections) == 4
