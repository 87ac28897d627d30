"""Small mtypes for tests of the growth: valid NeuroTS inputs with short barcodes."""

import numpy as np

from region_grower_flow import engine
from region_grower_flow.engine.model import GrowthSite
from region_grower_flow.errors import DropCell, GrowthFailed

TYPES = {"basal_dendrite": 3, "apical_dendrite": 4, "axon": 2}

STEPS = {
    "norm": {"norm": {"mean": 1.5, "std": 0.8}},
    "uniform": {"uniform": {"min": -0.2, "max": 3.0}},
    "expon": {"expon": {"loc": 0.1, "lambda": 0.8}},
    "data": {"data": {"bins": [0.8, 1.0, 2.5], "weights": [1, 5, 2]}},
    "constant": {"norm": {"mean": 1.25, "std": 0.0}},
}

ORIENTATIONS = {
    "list": [[0.0, 1.0, 0.0], [1.0, -0.5, 0.0], [0.3, 0.3, -1.0], [-1.0, 0.0, 0.4]],
    "drawn": None,
    "use_predefined": {
        "mode": "use_predefined",
        "values": {"orientations": [[0, 2, 0], [1, 0, 1]]},
    },
    "primary": {
        "mode": "sample_around_primary_orientation",
        "values": {"primary_orientation": [0.5, 1.0, 0.0]},
    },
    "pairwise": {"mode": "sample_pairwise_angles", "values": {}},
    "uniform": {"mode": "uniform", "values": {}},
    "normal_pia": {
        "mode": "normal_pia_constraint",
        "values": {"direction": {"mean": [0.0, 0.7], "std": [0.2, 0.3]}},
    },
    "pia": {"mode": "pia_constraint", "values": {"form": "step", "params": [0.4, 0.5]}},
    "pia_flat": {"mode": "pia_constraint", "values": {"form": "flat", "params": []}},
    "apical": {
        "mode": "apical_constraint",
        "values": {"form": "double_step", "params": [1.5, 0.3, -1.0, 0.4]},
    },
}
BY_ANGLES = {"normal_pia", "pia", "pia_flat", "apical"}


def barcode(rng, n_bars, length, trunk=1.0):
    """A persistence barcode with bars within one another's range.

    The bar from the soma is the longest, or ``trunk`` times that: then two sections are to end
    where one bar ends, and the second one has to look for another termination.
    """
    ends = np.sort(rng.uniform(0.3 * length, 0.95 * length, n_bars - 1))
    starts = rng.uniform(0.05, 0.95, n_bars - 1) * ends
    bars = np.concatenate([[[trunk * length, 0.0]], np.column_stack([ends, starts])])
    angles = rng.normal(0.0, 0.7, (n_bars, 4))
    return np.column_stack([bars, angles])[rng.permutation(n_bars)].tolist()


def type_distributions(seed, n_bars=7, length=45.0, trunk=1.0):
    """The distributions of one neurite type."""
    rng = np.random.default_rng(seed)
    return {
        "num_trees": {"data": {"bins": [1, 2, 3, 4], "weights": [1, 4, 3, 1]}},
        "persistence_diagram": [barcode(rng, n_bars + i, length, trunk) for i in range(3)],
        "trunk": {
            "azimuth": {"uniform": {"min": np.pi, "max": 0.0}},
            "orientation_deviation": {"norm": {"mean": 0.0, "std": 0.3}},
            "absolute_elevation_deviation": {"data": {"bins": [0.1, 0.5], "weights": [1, 2]}},
        },
    }


def type_params(kind, **changes):
    """The parameters of one neurite type."""
    params = {
        "growth_method": "tmd",
        "metric": "path_distances",
        "branching_method": "bio_oriented",
        "orientation": ORIENTATIONS["list"],
        "randomness": 0.2,
        "targeting": 0.3,
        "step_size": STEPS["norm"],
        "tree_type": TYPES[kind],
        "radius": 0.3,
        "modify": None,
        "bias": 0.6,
        "bias_length": 0.4,
        "num_seg": 12,
        "has_apical_tuft": False,
    }
    return {**params, **changes}


def mtype(types, seed=0, **shape):
    """(params, distributions) of an mtype; ``types`` is {neurite type: changed parameters}."""
    params = {
        "grow_types": list(types),
        "origin": [0.0, 0.0, 0.0],
        "diameter_params": {"method": "M1"},
        **{kind: type_params(kind, **changes) for kind, changes in types.items()},
    }
    model = {
        "term": [0.3, 0.4],
        "taper": [0.001, 0.002],
        "Rall_ratio": 1.5,
        "siblings_ratio": 1.0,
        "trunk": [1.0, 2.0],
        "trunk_taper": [0.001],
    }
    distributions = {
        "diameter": {"method": "M1", **dict.fromkeys(types, model)},
        "soma": {"size": {"norm": {"mean": 6.0, "std": 1.0}}},
        **{kind: type_distributions(seed + i, **shape) for i, kind in enumerate(types)},
    }
    return params, distributions


def site(seed=0, scaling=None, constraints=()):
    """A GrowthSite anywhere in the atlas, turned in any way."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return GrowthSite(rng.uniform(-3000.0, 3000.0, 3), turn, scaling or {}, constraints)


def grown(prepared, where, seed, which):
    """(Grown or the kind of the error, the generator's state afterwards)."""
    rng = np.random.default_rng(seed)
    try:
        result = engine.grow(prepared, where, rng, engine=which)
    except (GrowthFailed, DropCell) as error:
        result = type(error)
    return result, rng.bit_generator.state


def assert_same_cells(inputs, where, seeds):
    """Both engines grow the same cells (or fail in the same way) and leave the same state.

    Returns:
        How many cells grew.
    """
    prepared = engine.prepare(*inputs)
    assert prepared.unsupported is None
    count = 0
    for seed in seeds:
        expected, state = grown(prepared, where, seed, "neurots")
        found, found_state = grown(prepared, where, seed, "compiled")
        assert found_state == state, seed
        if isinstance(expected, type):
            assert found is expected, seed
            continue
        assert found.engine == "compiled", seed
        assert found.fallback is None, seed
        assert_same_cell(found, expected)
        count += 1
    return count


def assert_same_cell(found, expected):
    """Same topology, points and diameters to 1e-4 um, same apical sections and scaling log."""
    for name in ("offsets", "types", "parents"):
        np.testing.assert_array_equal(
            getattr(found.morphology, name), getattr(expected.morphology, name), err_msg=name
        )
    for name in ("points", "diameters", "soma_points", "soma_diameters"):
        ours, theirs = getattr(found.morphology, name), getattr(expected.morphology, name)
        assert ours.dtype == theirs.dtype == np.float32
        # 1e-4 um and what float32 leaves of it 3 mm away from the origin.
        np.testing.assert_allclose(ours, theirs, rtol=2.4e-7, atol=1e-4, err_msg=name)
    assert found.apical_sections == expected.apical_sections
    assert found.scaling_log == expected.scaling_log
