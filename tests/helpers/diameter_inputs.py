"""Parameters and models of diameters."""

TYPES = ["basal_dendrite", "apical_dendrite"]


def law(form, low, high, **params):
    return {"distribution": form, "params": {"min": low, "max": high, **params}}


def sampled_model(scale=1.0):
    """Distributions of diameter_synthesis, of plausible size."""
    return {
        "method": "external",
        "trunk_diameters": {
            "basal_dendrite": law("exponnorm", 0.8, 3.5, a=1.2, loc=1.5, scale=0.4),
            "apical_dendrite": law("gamma", 1.0, 5.0, a=7.0, loc=-1e-9, scale=0.8),
        },
        "terminal_diameters": {
            "basal_dendrite": law("exponnorm", 0.2, 0.6 * scale, a=0.1, loc=0.4, scale=0.1),
            "apical_dendrite": law("gamma", 0.2, 0.9 * scale, a=2.5, loc=0.1, scale=0.15),
        },
        "tapers": {name: law("expon_rev", -0.01, 0.003, loc=-0.003, scale=0.005) for name in TYPES},
        "sibling_ratios": {name: law("expon_rev", 0.5, 1.0, loc=-1.0, scale=0.2) for name in TYPES},
        "diameter_power_relation": {
            "basal_dendrite": law("exponnorm", 1.8, 9.8, a=4.0, loc=2.0, scale=0.6),
            "apical_dendrite": {"distribution": "constant", "params": {"value": 5.0}},
        },
    }


def taper_model(rng):
    return {
        name: {
            "trunk": rng.uniform(1.5, 4.0, 5).tolist(),
            "trunk_taper": rng.uniform(0.0, 0.6, 4).tolist(),
            "taper": rng.uniform(-0.1, 0.4, 7).tolist(),
            "term": rng.uniform(0.3, 0.6, 3).tolist(),
            "Rall_ratio": 1.5,
            "siblings_ratio": float(rng.uniform(0.6, 1.0)),
        }
        for name in TYPES
    }


def parameters(method, **more):
    return {"grow_types": TYPES, "diameter_params": {"method": method, **more}}
