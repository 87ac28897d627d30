"""Warming up compiles all that diameters, axons and limits call: nothing is compiled later."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import numpy as np
from helpers.factories import random_morphology
from helpers.diameter_inputs import TYPES, parameters, sampled_model, taper_model
from region_grower_flow.cell.axon import place_axon
from region_grower_flow.engine.diameters import prepare
from region_grower_flow.engine.kernels import axon, diameters, diameters_sampled, geometry
from region_grower_flow.cell.limits import fit_to_limits
from region_grower_flow.cell.making import encode_in_order

MODULES = (geometry, axon, diameters, diameters_sampled)


def compiled():
    return {
        (module.__name__, name): list(value.signatures)
        for module in MODULES
        for name, value in vars(module).items()
        if hasattr(value, "signatures")
    }


for module in MODULES:
    module.warm_up()
before = compiled()
assert sum(map(len, before.values())) > 10
cell = random_morphology(0)
rng = np.random.default_rng(0)
tapered = taper_model(rng)
polynomials = {name: [0.3, 1.0] for name in TYPES}
for method, model, options in [
    ("uniform", {}, {"apical_dendrite": 0.5}),
    ("M1", {}, {}),
    ("M2", {}, {}),
    ("M3", {}, {}),
    ("M4", tapered, {}),
    ("M5", tapered, {}),
    ("default", polynomials, {}),
    ("external", sampled_model(), {"models": ["generic"], "n_samples": 2}),
    ("external", sampled_model(), {"models": ["neurite_based"], "seed": 1}),
    ("external", sampled_model(), {"models": ["astrocyte"]}),
]:
    model = prepare(parameters(method, **options), {"diameter": {**model, "method": method}})
    model.apply(cell, [], rng)
limits = {"basal_dendrite": (None, 1.0)}
cell, _, _ = fit_to_limits(cell, limits, [0.0, 1.0, 0.0], 0.2, [1, 2, 3])
encode_in_order(cell)
donor = random_morphology(1, ((2, 5), (3, 3)))
for jitter in (None, 0.3):
    for base in (cell, random_morphology(0, ((3, 3), (2, 3)))):
        place_axon(
            base,
            donor,
            np.eye(3),
            scale=jitter,
            rotational_jitter_std=jitter,
            scaling_jitter_std=jitter,
            rng=rng,
        )
late = {name: found for name, found in compiled().items() if found != before[name]}
assert not late, late
"""


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="nothing is compiled")
def test_nothing_is_compiled_after_warming_up():
    tests = Path(__file__).resolve().parents[1]
    paths = [str(tests), str(tests.parent)]
    script = f"import sys; sys.path[:0] = {paths!r}\n" + SCRIPT
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
