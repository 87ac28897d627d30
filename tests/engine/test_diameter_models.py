"""Diameters on flat arrays, against NeuroTS and diameter_synthesis with the same generator."""

import copy

import numpy as np
import pytest
from diameter_synthesis import build_diameters
from hypothesis import given, settings
from hypothesis import strategies as st
from neurots.generate import diametrizer

from helpers.diameter_inputs import TYPES, parameters, sampled_model, taper_model
from helpers.factories import copy_morphology, random_morphology
from helpers.oracle import needs_oracle
from region_grower_flow.engine.diameters import prepare
from region_grower_flow.errors import DropCell, GrowthFailed, InvalidInput
from region_grower_flow.morphology import (
    APICAL_DENDRITE,
    AXON,
    BASAL_DENDRITE,
    FlatMorphology,
)

TREES = ((BASAL_DENDRITE, 7), (AXON, 5), (BASAL_DENDRITE, 1), (APICAL_DENDRITE, 15))
SEEDS = range(3)


def with_reference(morphology, params, distributions, apical_sections, rng):
    """The steps of NeuronGrower._diametrize, on MorphIO."""
    from morphio.mut import Morphology

    cell = Morphology(morphology.to_morphio())
    model_params = copy.deepcopy(distributions["diameter"])
    diam_params = copy.deepcopy(params["diameter_params"])
    model_params["apical_point_sec_ids"] = apical_sections
    method = model_params["method"]
    if method == "default":
        diam_params["models"] = ["simpler"]
    if method in ("default", "external"):
        method = build_diameters.build
    diametrizer.build(
        cell,
        model_params,
        neurite_types=diam_params.get("neurite_types") or params["grow_types"],
        diam_method=method,
        diam_params=diam_params,
        random_generator=rng,
    )
    return FlatMorphology.from_morphio(cell)


def assert_as_reference(morphology, params, model, apical_sections=(), seed=0, atol=1e-6):
    distributions = {"diameter": model}
    ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
    expected = with_reference(morphology, params, distributions, list(apical_sections), theirs)
    actual = copy_morphology(morphology)
    prepare(params, distributions).apply(actual, list(apical_sections), ours)
    np.testing.assert_allclose(actual.diameters, expected.diameters, atol=atol, rtol=0)
    np.testing.assert_array_equal(actual.points, morphology.points)
    assert ours.bit_generator.state == theirs.bit_generator.state
    return actual


@pytest.mark.parametrize("diameters", ["one", "random"])
@pytest.mark.parametrize("method", ["uniform", "M1", "M2", "M3"])
@pytest.mark.parametrize("seed", SEEDS)
def test_methods_without_draws(seed, method, diameters):
    morphology = random_morphology(seed, TREES, (2, 300), diameters=diameters)
    params = parameters(method, basal_dendrite=0.6, axon=0.3)
    assert_as_reference(morphology, params, {"method": method}, seed=seed)


@pytest.mark.parametrize("method", ["M4", "M5"])
@pytest.mark.parametrize("n_children", [2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_tapered_methods(seed, n_children, method):
    morphology = random_morphology(seed, TREES, (2, 40), n_children)
    model = {"method": method, **taper_model(np.random.default_rng(seed))}
    assert_as_reference(morphology, parameters(method), model, seed=seed)


@needs_oracle
@pytest.mark.parametrize("method", ["default", "external"])
@pytest.mark.parametrize("seed", SEEDS)
def test_simpler(seed, method):
    morphology = random_morphology(seed, TREES, (2, 200))
    model = {
        "method": method,
        "basal_dendrite": [0.3, 1.1],
        "apical_dendrite": [0.4, 1.2, 0.7],
        "axon": [0.2, 0.1],
    }
    params = parameters(method, models=["simpler"], neurite_types=[*TYPES, "axon"], seed=0)
    assert_as_reference(morphology, params, model, seed=seed, atol=0)
    params = parameters(method, models=["simpler"])
    result = assert_as_reference(morphology, params, model, seed=seed, atol=0)
    axon = np.flatnonzero(morphology.types == AXON)[0]
    assert (result.diameters[result.offsets[axon] : result.offsets[axon + 1]] == 1.0).all()


def apical_sections_of(morphology):
    """A section in the middle of the apical tree."""
    apical = np.flatnonzero(morphology.types == APICAL_DENDRITE)
    inner = [int(i) for i in apical if i in morphology.parents and morphology.parents[i] >= 0]
    return inner[len(inner) // 2 :][:1]


@pytest.mark.parametrize("name", ["generic", "astrocyte", "neurite_based"])
@pytest.mark.parametrize("n_samples", [1, 3])
@pytest.mark.parametrize("cell_seed", [None, 5])
@pytest.mark.parametrize("n_children", [2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_sampled_models(seed, n_children, cell_seed, n_samples, name):
    morphology = random_morphology(seed, TREES, (2, 40), n_children)
    more = {} if cell_seed is None else {"seed": cell_seed}
    params = parameters("external", models=[name], n_samples=n_samples, trunk_max_tries=8, **more)
    apical = apical_sections_of(morphology)
    assert apical
    result = assert_as_reference(morphology, params, sampled_model(), apical, seed)
    assert np.ptp(result.diameters) > 0.5


@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(0.5, 3.0),
    n_sections=st.integers(1, 40),
    n_samples=st.integers(1, 3),
    tries=st.integers(0, 30),
    name=st.sampled_from(["generic", "astrocyte", "neurite_based"]),
)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_sampled_models_over_parameters(seed, scale, n_sections, n_samples, tries, name):
    trees = ((APICAL_DENDRITE, n_sections), (BASAL_DENDRITE, 3))
    morphology = random_morphology(seed, trees, (2, 20))
    params = parameters("external", models=[name], n_samples=n_samples, trunk_max_tries=tries)
    apical = apical_sections_of(morphology)
    assert_as_reference(morphology, params, sampled_model(scale), apical, seed)


def test_no_diameters_leaves_the_cell_as_grown():
    morphology = random_morphology(0, TREES)
    prepare(parameters("no_diameters"), {"diameter": {"method": "no_diameters"}}).apply(
        morphology, [None], np.random.default_rng(0)
    )
    assert (morphology.diameters == 1.0).all()


def test_neurite_types_choose_what_is_diametrized():
    morphology = random_morphology(0, TREES)
    params = parameters("uniform", basal_dendrite=0.5, apical_dendrite=0.7)
    params["diameter_params"]["neurite_types"] = ["apical_dendrite"]
    prepare(params, {"diameter": {"method": "uniform"}}).apply(morphology, [], None)
    per_point = np.repeat(morphology.types, np.diff(morphology.offsets))
    expected = np.where(per_point == APICAL_DENDRITE, np.float32(0.7), np.float32(1.0))
    np.testing.assert_array_equal(morphology.diameters, expected)


def apply(params, model, apical_sections=()):
    prepare(params, {"diameter": model}).apply(
        random_morphology(0, TREES), list(apical_sections), np.random.default_rng(0)
    )


def test_a_missing_apical_point_drops_the_cell():
    with pytest.raises(DropCell, match="apical point"):
        apply(parameters("external", models=["generic"]), sampled_model(), [None])


@pytest.mark.parametrize("quantity", ["tapers", "sibling_ratios", "trunk_diameters"])
def test_an_incomplete_model_drops_cells_that_need_it(quantity):
    model = sampled_model()
    del model[quantity]["basal_dendrite"]
    with pytest.raises(DropCell, match=f"basal_dendrite lacks {quantity}"):
        apply(parameters("external", models=["generic"]), model)
    only_apical = parameters("external", models=["generic"], neurite_types=["apical_dendrite"])
    apply(only_apical, model)


def test_bounds_without_values_drop_the_cell():
    model = sampled_model()
    model["tapers"]["basal_dendrite"]["params"].update(min=5.0, max=6.0)
    with pytest.raises(DropCell, match="no value in its bounds"):
        apply(parameters("external", models=["generic"]), model)


def test_bifurcations_that_never_get_thinner_drop_the_cell():
    model = sampled_model()
    for quantity, value in (("sibling_ratios", 0.5), ("diameter_power_relation", 0.1)):
        model[quantity]["basal_dendrite"] = {
            "distribution": "constant",
            "params": {"value": value},
        }
    with pytest.raises(DropCell, match="never makes bifurcations thinner"):
        apply(parameters("external", models=["generic"]), model)


@pytest.mark.parametrize("method", ["M4", "M5"])
def test_tapered_models_without_data(method):
    model = {"method": method, **taper_model(np.random.default_rng(0))}
    model["basal_dendrite"]["trunk"] = []
    with pytest.raises(GrowthFailed, match="no values of trunk"):
        apply(parameters(method), model)
    del model["basal_dendrite"]
    with pytest.raises(DropCell, match="basal_dendrite is not complete"):
        apply(parameters(method), model)


@pytest.mark.parametrize(
    ("params", "model", "sentence"),
    [
        (parameters("M6"), {"method": "M6"}, r"Did you mean 'M\d'"),
        (parameters("uniform"), {"method": "external"}, "Set it to 'external'"),
        (parameters("external", models=["generik"]), {"method": "external"}, "'generic'"),
        (parameters("external"), {"method": "external"}, "Known are simpler, generic"),
        (
            parameters("external", models=["generic"], seed="x"),
            {"method": "external"},
            r"diameter_params\.seed",
        ),
        (
            parameters("uniform", neurite_types=["apical"]),
            {"method": "uniform"},
            "Did you mean 'apical_dendrite'",
        ),
    ],
)
def test_wrong_parameters(params, model, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        prepare(params, {"diameter": model})
