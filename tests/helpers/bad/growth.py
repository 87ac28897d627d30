"""Bad parameters and distributions: forms, ranges, and growth that would not end."""

import json
import math

from helpers.bad.bases import NAN, both, distribs, options, params, text
from helpers.bad.harness import Bad
from helpers.nested import LEFT_OUT
from helpers.reference_cells import INTERNEURON, PYRAMIDAL

BASAL, APICAL = "basal_dendrite", "apical_dendrite"
PLACE = "parameters.json: default -> PC -> "
DRAWN = "distributions.json: default -> PC -> "
TREE = [[60.0, 30.0, 0.1, 0.1, 0.1, 0.1], [100.0, 0.0, NAN, NAN, NAN, NAN]]


LEVERS = {"basal_dendrite": {"wander": 0.2}}


def _parameters_alone(flow):
    """Parameters with levers are given, and distributions are made of reconstructions."""
    content = flow.json("parameters.json")
    levered = {**content["default"]["PC"], "growth_levers": LEVERS}
    content["default"] = {PYRAMIDAL: levered, INTERNEURON: content["default"]["PC"]}
    flow.path("parameters.json").write_text(json.dumps(content))
    flow.options.update(tmd_parameters="parameters.json", engine="neurots")


def _base_parameters(flow):
    """The same as the parameters that the calibration begins from."""
    _parameters_alone(flow)
    flow.options["base_parameters"] = flow.options.pop("tmd_parameters")


def _numbers():
    """NaN, infinite and negative numbers in every place that has a number."""
    values = {"nan": NAN, "infinite": math.inf, "negative": -2.0, "text": "two", "list": [1]}
    for key in ("randomness", "targeting"):
        for name, value in values.items():
            if name not in ("nan", "infinite"):
                yield Bad(f"{key}-{name}", params(BASAL, key, value=value), (
                    f"{PLACE}basal_dendrite -> {key}: expected",
                ))  # fmt: skip
    for key in ("mean", "std"):
        for name, value in values.items():
            if name not in ("nan", "infinite"):
                yield Bad(
                    f"step-{key}-{name}",
                    params(BASAL, "step_size", "norm", key, value=value),
                    (f"{PLACE}basal_dendrite -> step_size",),
                )
            if name != "negative" or key == "std":
                yield Bad(
                    f"soma-{key}-{name}",
                    distribs("soma", "size", "norm", key, value=value),
                    ("distributions.json", "soma" if name != "infinite" else "Infinity"),
                )
    for name, value in values.items():
        yield Bad(
            f"bar-{name}",
            distribs(BASAL, "persistence_diagram", 0, 0, 0, value=value if name != "negative"
                     else -math.inf),
            ("distributions.json",),
        )  # fmt: skip
        yield Bad(
            f"weight-{name}",
            distribs(BASAL, "num_trees", "data", "weights", 0, value=value),
            ("distributions.json",),
        )
        if name != "negative":
            yield Bad(
                f"azimuth-{name}",
                distribs(BASAL, "trunk", "azimuth", "uniform", "max", value=value),
                ("distributions.json",),
            )
            yield Bad(
                f"diameter-{name}",
                distribs("diameter", BASAL, 0, value=value),
                ("distributions.json",),
            )
            yield Bad(
                f"deviation-{name}",
                distribs(BASAL, "trunk", "orientation_deviation", "data", "bins", 0, value=value),
                ("distributions.json",),
            )
    for name in ("nan", "infinite"):
        for keys in ((BASAL, "randomness"), (BASAL, "step_size", "norm", "mean"), ("origin", 0)):
            yield Bad(f"parameter-{keys[-1]}-{name}", params(*keys, value=values[name]), (
                "parameters.json: ", "is not a number that JSON knows",
            ))  # fmt: skip


def limits(**values):
    return params("context_constraints", value={APICAL: values})


PLACE_IN_LAYER = {"layer": 1, "fraction": 0.5}

GROWTH = [
    *_numbers(),
    Bad("mtype-without-content", text("parameters.json", '{"default": {"PC": {}, "IN": {}}}'),
             ("parameters.json: default -> PC | 'grow_types' | missing",)),
    Bad("mtype-a-list", text("parameters.json", '{"default": {"PC": [], "IN": 5}}'), (
        "parameters.json: default -> PC | object | []", "default -> IN",
    )),
    Bad("region-a-list", text("distributions.json", '{"default": []}'), (
        "distributions.json: default | object | []",
    )),
    Bad("other-region-only", text("parameters.json", '{"X": {}}'), ("parameters.json", "'COL'")),
    Bad("grow-types-unknown", params("grow_types", value=["basal_dendrit"]), (
        f"{PLACE}grow_types -> 0: expected", "basal_dendrite",
    )),
    Bad("grow-types-empty", params("grow_types", value=[]), (
        f"{PLACE}grow_types | nothing",
    )),
    Bad("grow-types-twice", params("grow_types", value=[BASAL, BASAL, APICAL]), (
        f"{PLACE}grow_types | once",
    )),
    Bad("grow-types-many", params("grow_types", value=[BASAL] * 10_000), (
        f"{PLACE}grow_types | once",
    )),
    Bad("neurite-missing", params(BASAL, value=LEFT_OUT), ("basal_dendrite", "has no parameters")),
    Bad("method-unknown", params(BASAL, "growth_method", value="tdm"), (
        f"{PLACE}basal_dendrite -> growth_method", "'tmd'",
    )),
    Bad("branching-unknown", params(BASAL, "branching_method", value="bio"), (
        f"{PLACE}basal_dendrite -> branching_method",
    )),
    Bad("metric-unknown", params(BASAL, "metric", value="meters"), (
        f"{PLACE}basal_dendrite -> metric",
    )),
    Bad("key-unknown", params(BASAL, "randomnes", value=0.1), (
        "unknown key 'randomnes'", "Did you mean 'randomness'",
    )),
    Bad("weights-beyond-one", params(BASAL, "targeting", value=0.9), ("add up to 1.14",)),
    Bad("steps-tiny", params(BASAL, "step_size", "norm", value={"mean": 1e-9, "std": 0.0}), (
        f"{PLACE}basal_dendrite -> step_size", "growth would not end",
    )),
    Bad("steps-zero", params(BASAL, "step_size", "norm", value={"mean": 0, "std": 0}), (
        "growth would not end",
    )),
    Bad("steps-small-bars-long", both(
        params(BASAL, "step_size", "norm", value={"mean": 0.002, "std": 0.0}),
        distribs(BASAL, "persistence_diagram", value=[[[1e7, 0.0, 0.1, 0.1, 0.1, 0.1]]]),
    ), (f"{PLACE}basal_dendrite -> step_size -> norm -> mean | 3 trees | 1e+07 um",)),
    Bad("bars-long", distribs(BASAL, "persistence_diagram", 0, 0, 0, value=1e9), (
        f"{DRAWN}basal_dendrite -> persistence_diagram -> 0 | bar | longer",
    )),
    Bad("bars-of-five", distribs(BASAL, "persistence_diagram", 0, 0, value=[1, 2, 3, 4, 5]), (
        "persistence_diagram -> 0 | bar 0 | 6 numbers",
    )),
    Bad("bars-none", distribs(BASAL, "persistence_diagram", value=[]), (
        "expected at least one barcode",
    )),
    Bad("bars-empty", distribs(BASAL, "persistence_diagram", 0, value=[]), (
        "persistence_diagram -> 0 | list",
    )),
    Bad("bars-million", distribs(BASAL, "persistence_diagram", value=[TREE * 500_000]), (
        "persistence_diagram -> 0",
    ), slow=True),
    Bad("bars-of-no-length", distribs(BASAL, "persistence_diagram", value=[[[0, 0, 0, 0, 0, 0]]]), (
        "no bar is longer than 0",
    )),
    Bad("bars-without-apical-point", distribs(APICAL, "persistence_diagram", value=[TREE[1:]]), (
        "no apical point can be found",
    )),
    Bad("trees-billion", distribs(BASAL, "num_trees", "data", value={"bins": [10**9],
        "weights": [1]}), (f"{DRAWN}basal_dendrite -> num_trees", "at most")),
    Bad("trees-huge-integer", distribs(BASAL, "num_trees", "data", value={"bins": [10**400],
        "weights": [1]}), ("distributions.json",)),
    Bad("trees-negative", distribs(BASAL, "num_trees", "data", value={"bins": [-3],
        "weights": [1]}), ("num_trees -> data -> bins | from 0",)),
    Bad("trees-no-bins", distribs(BASAL, "num_trees", "data", value={"bins": [], "weights": []}), (
        "num_trees -> data | at least one",
    )),
    Bad("trees-weights", distribs(BASAL, "num_trees", "data", value={"bins": [1], "weights": [1, 2]
        }), ("1 bins | 2 weights",)),
    Bad("trees-of-no-weight", distribs(BASAL, "num_trees", "data", value={"bins": [1, 2],
        "weights": [0, 0]}), ("not all 0",)),
    Bad("soma-missing", distribs("soma", value=LEFT_OUT), ("'soma' is missing",)),
    Bad("soma-never-positive", distribs("soma", "size", "norm", value={"mean": -50, "std": 0.1}), (
        "never positive",
    )),
    Bad("soma-huge", distribs("soma", "size", "norm", value={"mean": 1e300, "std": 0.1}), (
        f"{DRAWN}soma",
    )),
    Bad("diameter-neurites", params("diameter_params", "neurite_types", value=1), (
        f"{PLACE}diameter_params -> neurite_types | list or null | 1",
    )),
    Bad("diameter-missing", distribs("diameter", value=LEFT_OUT), ("'diameter' is missing",)),
    Bad("diameter-unknown", distribs("diameter", value={"method": "M9"}), ("M9",)),
    Bad("diameter-external", distribs("diameter", value={"method": "external"}), ("external",)),
    Bad("trunk-missing", distribs(BASAL, "trunk", value=None), ("trunk",)),
    Bad("orientation-zero", params(BASAL, "orientation", value=[[0, 0, 0]]), (
        "vectors that are not 0",
    )),
    Bad("orientation-mode", params(BASAL, "orientation", value={"mode": "up", "values": {}}), (
        f"{PLACE}basal_dendrite -> orientation",
    )),
    Bad("limit-layer-zero", limits(hard_limit_max={"layer": 0, "fraction": 0.5}), (
        "hard_limit_max -> layer | at least 1 | 0",
    )),
    Bad("limit-layer-beyond", limits(hard_limit_max={"layer": 5, "fraction": 0.5}), (
        "layer 5 | 3 layers",
    )),
    Bad("limit-fraction", limits(hard_limit_max={"layer": 1, "fraction": "half"}), ("fraction",)),
    Bad("limit-unknown", limits(hard_limit={"layer": 1, "fraction": 0.5}), ("hard_limit",)),
    Bad("target-no-slope", limits(extent_to_target=PLACE_IN_LAYER), (
        "extent_to_target | 'slope' | 'intercept' | missing",
    )),
    Bad("two-mtypes-at-once", both(
        params(BASAL, "randomness", value=7),
        distribs("soma", value=LEFT_OUT),
        text("nothing", ""),
    ), (f"{PLACE}basal_dendrite -> randomness | at most 1 | 7", "'soma' is missing")),
    Bad("levers-for-neurots", both(
        params("growth_levers", value={}), options(engine="neurots"),
    ), (f"{PLACE}growth_levers: | NeuroTS | growth levers | engine to compiled",)),
    Bad("levers-for-neurots-in-parameters-alone", _parameters_alone, (
        f"default -> {PYRAMIDAL} -> growth_levers -> basal_dendrite: | NeuroTS | engine",
    ), "calibration"),
    Bad("levers-for-neurots-in-base-parameters", _base_parameters, (
        f"option engine (neurots) | growth levers | base_parameters | ({PYRAMIDAL}) | compiled",
    ), "calibration"),
]  # fmt: skip
