"""Layers by name: the numbers that they are in a region, in parameters and in digests."""

import copy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.sentences import says
from region_grower_flow.io.layer_names import (
    absent_layer,
    constrained_layers,
    layer_number,
    with_layer_numbers,
)

FIELD = ["SLM", "SR", "SP", "SO"]


def limited(*layers):
    places = [{"layer": layer, "fraction": 0.5} for layer in layers]
    return {
        "grow_types": ["apical_dendrite"],
        "context_constraints": {
            "apical_dendrite": dict(
                zip(("extent_to_target", "hard_limit_max"), places, strict=True)
            ),
            "basal_dendrite": {},
        },
    }


def layers_in(params):
    return [place["layer"] for _, place in constrained_layers(params)]


@pytest.mark.parametrize(
    ("layer", "layers", "number"),
    [
        ("SLM", FIELD, 1),
        ("SO", FIELD, 4),
        ("so", FIELD, None),
        ("1", FIELD, None),
        (1, FIELD, 1),
        (5, FIELD, None),
        (0, FIELD, None),
        (2, [2, 3, 5], 2),
        ("2", [2, 3, 5], 1),
        ("5", [2, 3, 5], 3),
        ("4", [2, 3, 5], None),
        (3, [], None),
    ],
)
def test_a_number_is_a_place_and_a_text_is_a_name(layer, layers, number):
    assert layer_number(layer, layers) == number


def test_names_become_numbers_in_a_copy():
    params = limited("SLM", 3)
    before = copy.deepcopy(params)
    assert layers_in(with_layer_numbers(params, FIELD)) == [1, 3]
    assert layers_in(with_layer_numbers(params, ["SO", "SLM", "X"])) == [2, 3]
    assert params == before


@pytest.mark.parametrize("layers", [FIELD, None, []])
def test_numbers_are_left_alone(layers):
    params = limited(1, 6)
    assert with_layer_numbers(params, layers) is params


@pytest.mark.parametrize("params", [{}, {"context_constraints": None}, limited("SLM", "SX")])
def test_what_cannot_be_resolved_stays(params):
    assert with_layer_numbers(params, None) is params
    assert layers_in(with_layer_numbers(params, ["other"])) == layers_in(params)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.data())
def test_each_name_is_found_at_its_place(layers, data):
    place = data.draw(st.integers(0, len(layers) - 1))
    assert layer_number(layers[place], layers) == place + 1
    resolved = with_layer_numbers(limited(layers[place], layers[-1]), layers)
    assert layers_in(resolved) == [place + 1, len(layers)]


def test_what_is_said_of_absent_layers():
    assert absent_layer(7, [1, 2]) == ("layer 7 of a region that has 2 layers", None)
    problem, hint = absent_layer("SLMM", FIELD)
    assert says(problem, "layer 'SLMM' | SLM, SR, SP, SO")
    assert hint == "Did you mean 'SLM'?"


def test_a_digest_holds_numbers(tmp_path):
    """Integer parameters keep their digests; a name is what it stands for in the region."""
    import json

    from region_grower_flow.cell.settings import SynthesisSettings
    from region_grower_flow.cell.synthesis import open_synthesizer
    from region_grower_flow.io.table import write_table
    from region_grower_flow.options import Growth
    from region_grower_flow.stages.vacuum import VacuumPlan, vacuum_table

    plan = VacuumPlan(
        tmp_path / "parameters.json", tmp_path / "distributions.json", tmp_path, cells=1
    )
    plan.distributions.write_text(json.dumps({"default": {"PC": {}}}))

    def digest(layers, *asked):
        plan.parameters.write_text(json.dumps({"default": {"PC": limited(*asked)}}))
        table = vacuum_table(["PC"], plan)
        meta = {**table.meta, "layers": {"default": layers}} if layers else {}
        meta = meta or {k: v for k, v in table.meta.items() if k != "layers"}
        write_table(tmp_path / "cells.h5", replace(table, meta=meta))
        paths = [str(tmp_path / f"{name}.json") for name in ("parameters", "distributions")]
        settings = SynthesisSettings(
            Growth(), str(tmp_path / "cells.h5"), (0, 1), *paths, str(tmp_path)
        )
        return open_synthesizer(settings).digest(0)

    numbers = digest(None, 1, 3)
    assert digest(FIELD, 1, 3) == digest(FIELD, "SLM", "SP") == numbers
    assert digest(["SP", "SR", "SLM"], "SP", "SLM") == numbers
    assert digest(["SR", "SP", "SLM"], "SP", "SLM") != numbers
