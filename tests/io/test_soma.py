"""Somas keep their surface in all formats."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from region_grower_flow.io.soma import contour_area, soma_contour, soma_sphere


def ellipse(a, b, n=200, center=(0.0, 0.0, 0.0), turn=0.0):
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
    x, y = a * np.cos(angles), b * np.sin(angles)
    points = np.column_stack(
        [x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn), 0 * x]
    )
    return points + center


def spheroid_area(a, b):
    """The surface of an ellipse turned around its longer axis."""
    e = np.sqrt(1 - (b / a) ** 2)
    return 2 * np.pi * b * b * (1 + a / (b * e) * np.arcsin(e))


@pytest.mark.parametrize(("a", "b"), [(10.0, 9.0), (10.0, 5.0), (14.0, 3.0)])
@pytest.mark.parametrize("turn", [0.0, 1.0])
def test_area_of_an_ellipse_is_that_of_the_spheroid(a, b, turn):
    area = contour_area(ellipse(a, b, center=(300.0, -20.0, 5.0), turn=turn))
    # NEURON cuts the ends and takes 20 cylinders: a few percent.
    assert area == pytest.approx(spheroid_area(a, b), rel=0.04)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.floats(0.1, 50), st.floats(-500, 500), st.integers(3, 40))
def test_area_follows_size_and_not_place(scale, shift, n):
    contour = ellipse(1.0, 0.6, n=n, turn=0.3)
    area = contour_area(contour)
    moved = contour_area(scale * contour + [shift, -shift, shift])
    if area is None:
        assert moved is None
    else:
        assert moved == pytest.approx(area * scale**2, rel=1e-6)


def test_dents_of_a_contour_do_not_count():
    round_soma = ellipse(10, 9, n=60)
    dented = round_soma.copy()
    dented[10] *= 0.2
    assert contour_area(dented) == pytest.approx(contour_area(round_soma), rel=0.1)


def test_sphere_of_a_contour_has_its_area_and_center():
    contour = ellipse(10, 6, n=12, center=(100.0, 50.0, -3.0)).astype(np.float32)
    center, diameter = soma_sphere(contour, np.zeros(12))
    assert np.pi * diameter**2 == pytest.approx(contour_area(contour))
    np.testing.assert_allclose(center, [100, 50, -3], rtol=1e-6)
    assert center.dtype == np.float32


def test_a_single_point_stays_what_it_is():
    center, diameter = soma_sphere([[1, 2, 3]], [7.5])
    assert center.tolist() == [1, 2, 3]
    assert diameter == 7.5


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((4, 3)),
        [[0, 0, 0], [0, 0, 1], [0, 0, 2]],
        [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
        [[0, 0, 0], [2, 0, 0]],
    ],
)
def test_contours_that_neuron_refuses_still_have_a_size(points):
    center, diameter = soma_sphere(np.array(points, dtype=float), np.zeros(len(points)))
    assert np.isfinite(center).all()
    spread = np.linalg.norm(np.array(points) - np.mean(points, axis=0), axis=1).mean()
    assert diameter == pytest.approx(2 * spread)


def test_a_point_becomes_a_circle_of_the_same_area():
    points, diameters = soma_contour([[5, 6, 7]], [12])
    assert points.shape == (20, 3)
    assert len(diameters) == 20
    # A circle has no longest axis: rounding decides where NEURON cuts it.
    assert contour_area(points) == pytest.approx(np.pi * 12**2, rel=0.01)
    np.testing.assert_allclose(points.mean(axis=0), [5, 6, 7], atol=1e-5)
    contour = ellipse(3, 2, n=8)
    np.testing.assert_array_equal(soma_contour(contour, np.ones(8))[0], contour.astype("f4"))


def test_neuron_measures_the_same_area_in_both_formats(tmp_path):
    """With NEURON where it is installed (it is not among our requirements)."""
    neuron_cells = pytest.importorskip("bluepyopt.ephys.morphologies")
    neuron = pytest.importorskip("neuron")
    from helpers.factories import random_morphology
    from region_grower_flow.io.morphologies import write_morphology

    assert neuron_cells
    rng = np.random.default_rng(5)
    for case in range(12):
        morphology = random_morphology(seed=case, trees=((3, 1),))
        n = int(rng.integers(5, 30))
        contour = ellipse(*rng.uniform(4, 15, 2), n=n) * (1 + 0.2 * rng.normal(size=(n, 1)))
        morphology.soma_points = contour.astype(np.float32)
        morphology.soma_diameters = np.zeros(n, np.float32)
        write_morphology(tmp_path, "m", morphology, ["asc", "swc"])
        asc, swc = (_neuron_area(neuron, tmp_path / f"m.{kind}") for kind in ("asc", "swc"))
        assert swc == pytest.approx(asc, rel=1e-5)
        assert contour_area(morphology.soma_points) == pytest.approx(asc, rel=1e-5)


def _neuron_area(neuron, path):
    from bluepyopt import ephys

    assert neuron
    cell = ephys.models.CellModel(
        "cell", morph=ephys.morphologies.NrnFileMorphology(str(path)), mechs=[]
    )
    cell.instantiate(sim=ephys.simulators.NrnSimulator())
    return sum(segment.area() for section in cell.icell.soma for segment in section)
