"""The fit of growth, on a growth whose truth is known."""

import numpy as np
import pytest

from region_grower_flow.calibration import growth_fit
from region_grower_flow.calibration.growth_fit import FitReference, Fitter, Lever
from region_grower_flow.calibration.growth_moments import growth_table
from region_grower_flow.morphology import FlatMorphology

LEVERS = (
    Lever("roughness", 0.2, 1.0, 0.01, 2.0, 0.2),
    Lever("angle", 0.8, 0.5, 0.1, 1.5, 0.15),
    Lever("thickness", 1.0, 0.5, 0.2, 4.0, 0.15),
)


def grow(values, count, seed):
    """Cells of a trunk and two branches, random walks of given roughness and angle."""
    found = []
    values = values[3]
    for place in range(count):
        rng = np.random.default_rng((seed, place))
        rough = values["roughness"] * np.exp(values.get(growth_fit.SPREAD, 0) * rng.normal())
        ways, begin = [], np.zeros(3)
        for angle in (0.0, values["angle"], -values["angle"]):
            straight = np.array([np.sin(angle), np.cos(angle), 0.0])
            steps = straight + rough * rng.normal(size=(40, 3))
            ways.append(np.vstack([begin, begin + np.cumsum(steps, axis=0)]))
            begin = ways[0][-1]
        points = np.vstack(ways).astype(np.float32)
        diameters = np.full(len(points), values["thickness"], np.float32)
        soma = np.zeros((1, 3), np.float32), np.ones(1, np.float32)
        found.append(
            FlatMorphology(
                points, diameters, np.array([0, 41, 82, 123]), np.full(3, 3),
                np.array([-1, 0, 0]), *soma,
            )
        )  # fmt: skip
    return found


def reference(count=30, **values):
    cells = grow({3: values}, count, 99)
    return FitReference.of({3: growth_table(cells, 3)}, count)


def fitter(target, levers=LEVERS, **more):
    return Fitter(grow, target, {3: levers}, spread=0.1, cells=20, **more)


def test_the_fit_finds_the_values_that_the_cells_were_grown_with():
    target = reference(roughness=0.5, angle=0.5, thickness=2.0, randomness_spread=0.3)
    found = fitter(target).fit()
    assert found.values[3]["roughness"] == pytest.approx(0.5, rel=0.15)
    assert found.values[3]["angle"] == pytest.approx(0.5, rel=0.15)
    assert found.values[3]["thickness"] == pytest.approx(2.0, rel=0.15)
    assert found.values[3][growth_fit.SPREAD] == pytest.approx(0.3, abs=0.15)
    assert found.losses[found.kept] < 0.2 * found.losses[0]
    again = fitter(target).fit()
    assert again.values == found.values
    assert again.losses == found.losses


def test_a_given_jacobian_is_not_measured_again():
    target = reference(roughness=0.4, angle=0.6, thickness=1.5)
    found = fitter(target).fit()
    cheap = fitter(target, steps=3).fit(found.jacobian)
    assert found.evaluations == 2 + len(LEVERS) + 4
    assert cheap.evaluations == 2 + 3
    assert cheap.values[3]["angle"] == pytest.approx(found.values[3]["angle"], rel=0.1)


def test_the_values_are_never_worse_than_the_start_and_stay_in_their_bounds():
    target = reference(roughness=1.9, angle=0.8, thickness=9.0)
    found = fitter(target).fit()
    assert min(found.losses) == found.losses[found.kept] <= found.losses[0]
    assert found.values[3]["thickness"] <= 4.0
    tight = [Lever("roughness", 0.2, 1e-3, 0.01, 2.0, 0.2), *LEVERS[1:]]
    kept = fitter(target, tight).fit()
    assert kept.values[3]["roughness"] == pytest.approx(0.2, rel=0.01)


def test_growth_that_fails_leaves_the_usual_values():
    target = reference(roughness=0.5, angle=0.5, thickness=2.0)
    failing = Fitter(lambda *_: [], target, {3: LEVERS}, cells=20)
    found = failing.fit()
    assert found.values[3] == {lever.name: pytest.approx(lever.start) for lever in LEVERS}
    assert found.evaluations == 1
