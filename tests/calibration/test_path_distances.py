"""Path distances against extents: as synthesis-workflow fits them, measured independently here."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.reference_cells import INTERNEURON, PYRAMIDAL, make_cell, write_cell
from region_grower_flow.calibration.path_distances import (
    ALL,
    FIRST,
    fit_line,
    fit_path_distances,
    measure_trees,
    sentences,
)
from region_grower_flow.calibration.populations import gather_populations
from region_grower_flow.errors import InvalidInput

BASAL, APICAL = "basal_dendrite", "apical_dendrite"


def by_curve_fit(x, y):
    """The reference's way: curve_fit, twice."""
    from scipy.optimize import curve_fit

    def line(x, slope):
        return slope * x

    slope = curve_fit(line, x, y)[0][0]
    errors = np.abs(slope * x - y)
    kept = errors <= np.percentile(np.sort(errors), 90)
    return curve_fit(line, x[kept], y[kept])[0][0], kept


def by_barcodes(paths, kind, tree=0):
    """The reference's way: the greatest number of the persistence barcode of the first tree."""
    from tmd.io.io import load_population
    from tmd.Topology.methods import get_persistence_diagram

    trees = [getattr(n, kind) for n in load_population(list(map(str, paths))).neurons]
    return np.array(
        [
            [np.max(get_persistence_diagram(own[tree], feature=feature)) for own in trees if own]
            for feature in ("projection", "path_distances")
        ]
    ).T


def from_sections(path, kind):
    """(extent, path length) of each tree, from MorphIO's sections."""
    from morphio import IterType, Morphology, SectionType

    rows = []
    for root in Morphology(str(path)).root_sections:
        if root.type != getattr(SectionType, kind):
            continue
        start, heights, lengths = root.points[0].astype(float), [0.0], [0.0]
        for section in root.iter():
            points = [s.points.astype(float) for s in section.iter(IterType.upstream)]
            lengths.append(sum(np.linalg.norm(np.diff(p, axis=0), axis=1).sum() for p in points))
            heights.append(section.points[-1][1] - start[1])
        rows.append((max(heights), max(lengths)))
    return np.array(rows)


@pytest.fixture
def cells(tmp_path):
    rng = np.random.default_rng(3)
    return [
        write_cell(make_cell(rng, apicals=1, depth=2 + i % 3), tmp_path, f"c{i}", "swc")
        for i in range(12)
    ]


def test_measures_are_those_of_the_barcodes(cells):
    for kind in (BASAL, APICAL):
        found = measure_trees(cells)[kind]
        np.testing.assert_allclose(found, by_barcodes(cells, kind), rtol=1e-12)


def test_measures_are_those_of_the_sections(cells):
    found = measure_trees(cells, ALL)
    for kind in (BASAL, APICAL):
        expected = np.concatenate([from_sections(path, kind) for path in cells])
        np.testing.assert_allclose(found[kind], expected, rtol=1e-5, atol=1e-4)
        assert len(found[kind]) == 12 * (3 if kind == BASAL else 1)


def test_the_first_tree_counts_unless_all_are_wanted(cells):
    first, every = measure_trees(cells, FIRST)[BASAL], measure_trees(cells, ALL)[BASAL]
    np.testing.assert_array_equal(first, every[::3])


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 10**6), st.integers(3, 60), st.floats(0.5, 5.0))
def test_slopes_are_those_of_curve_fit(seed, count, slope):
    rng = np.random.default_rng(seed)
    extents = rng.uniform(10.0, 1000.0, count)
    lengths = slope * extents * rng.lognormal(0.0, 0.2, count)
    expected, kept = by_curve_fit(extents, lengths)
    fit = fit_line(extents, lengths)
    assert fit.slope == pytest.approx(expected, rel=1e-8)
    np.testing.assert_array_equal(fit.used, kept)


def test_outliers_are_left_out():
    extents = np.arange(1.0, 21.0)
    lengths = 1.5 * extents
    lengths[[3, 17]] += 50.0
    fit = fit_line(extents, lengths)
    assert np.flatnonzero(~fit.used).tolist() == [3, 17]
    assert fit.slope == pytest.approx(1.5, abs=1e-12)
    assert fit.r2 == pytest.approx(1.0)
    told = fit.as_dict()
    assert (told["n_trees"], told["n_used"], told["intercept"]) == (20, 18, 0)
    assert told["rms_residual"] == pytest.approx(0.0, abs=1e-9)
    noisy = fit_line([10.0, 10.0], [18.0, 22.0], percentile=100).as_dict()
    assert (noisy["rms_residual"], noisy["relative_residual"]) == pytest.approx((2.0, 0.1))
    assert fit.residuals[3] == pytest.approx(50.0)
    # With all trees the line is another one: the test sees outliers that stay.
    assert fit_line(extents, lengths, percentile=100).slope > 1.6


@pytest.mark.parametrize(
    ("extents", "lengths"), [([], []), ([0.0], [30.0]), ([0.0, 0.0], [10.0, 20.0])]
)
def test_trees_that_do_not_rise_have_no_slope(extents, lengths):
    fit = fit_line(extents, lengths)
    assert fit.slope is None
    assert fit.as_dict()["n_used"] == 0


def test_one_tree_has_a_slope_and_no_r2():
    fit = fit_line([100.0], [130.0])
    assert fit.slope == pytest.approx(1.3)
    assert fit.r2 is None


def test_all_mtypes(dataset):
    populations = gather_populations(dataset)
    fits = fit_path_distances(populations)
    assert {mtype: set(found) for mtype, found in fits.items()} == {
        PYRAMIDAL: {BASAL, APICAL},
        INTERNEURON: {BASAL},
    }
    expected = by_curve_fit(*by_barcodes(populations[PYRAMIDAL].paths, APICAL).T)[0]
    assert fits[PYRAMIDAL][APICAL].slope == pytest.approx(expected, rel=1e-8)
    told = list(sentences(fits))
    assert len(told) == 3
    assert f"path distance = {expected:.3f} x extent (5 of 6 trees" in told[1]
    with pytest.raises(InvalidInput, match="neither 'first' nor 'all'"):
        fit_path_distances(populations, "last")


def test_a_cell_without_the_tree_does_not_end_the_fit(tmp_path):
    rng = np.random.default_rng(5)
    paths = [
        write_cell(make_cell(rng, apicals=int(i > 0)), tmp_path, f"c{i}", "swc") for i in range(4)
    ]
    assert len(measure_trees(paths)[APICAL]) == 3


def test_an_unreadable_file_is_named(tmp_path):
    path = tmp_path / "bad.swc"
    path.write_text("1 2 3", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"bad\.swc: not a readable morphology"):
        measure_trees([path])
