"""Parameters and distributions of one mtype, small and sound, for tests that spoil them."""

import math

NAN = math.nan


def neurite_parameters(**changes):
    return {
        "randomness": 0.24,
        "targeting": 0.14,
        "radius": 0.3,
        "orientation": None,
        "growth_method": "tmd",
        "branching_method": "bio_oriented",
        "modify": None,
        "step_size": {"norm": {"mean": 1.0, "std": 0.2}},
        "metric": "path_distances",
        "tree_type": 3,
        **changes,
    }


def mtype_parameters(**changes):
    return {
        "basal_dendrite": neurite_parameters(),
        "apical_dendrite": neurite_parameters(
            tree_type=4,
            growth_method="tmd_apical",
            branching_method="directional",
            has_apical_tuft=True,
            orientation=[[0.0, 1.0, 0.0]],
        ),
        "axon": {},
        "origin": [0.0, 0.0, 0.0],
        "grow_types": ["basal_dendrite", "apical_dendrite"],
        "diameter_params": {"method": "default"},
        **changes,
    }


def histogram(bins=(1, 2), weights=(1, 3)):
    return {"data": {"bins": list(bins), "weights": list(weights)}}


def neurite_distributions(**changes):
    return {
        "filtration_metric": "path_distances",
        "num_trees": histogram(),
        "min_bar_length": 5.0,
        # The root's bar comes last and has no angles, as TMD writes it.
        "persistence_diagram": [
            [[50.0, 20.0, 0.1, 0.2, 0.3, 0.4], [120.0, 0.0, NAN, NAN, NAN, NAN]],
            [[80, 40, 0.1, 0.2, 0.3, 0.4], [90, 0, NAN, NAN, NAN, NAN]],
        ],
        "trunk": {
            "orientation_deviation": histogram(bins=[0.5, 1.5]),
            "absolute_elevation_deviation": histogram(bins=[0.1]  , weights=[1]),
            "azimuth": {"uniform": {"min": 0.0, "max": 3.14}},
        },
        **changes,
    }  # fmt: skip


def mtype_distributions(**changes):
    return {
        "soma": {"size": {"norm": {"mean": 7.5, "std": 0.9}}},
        "basal_dendrite": neurite_distributions(),
        "apical_dendrite": neurite_distributions(num_trees=histogram([1], [1])),
        "axon": {},
        "diameter": {"method": "default", "basal_dendrite": [0.3, 0.5], "apical_dendrite": [1.0]},
        **changes,
    }
