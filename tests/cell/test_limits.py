"""Hard limits and translation, against neuroc, morph-tool and frozen expectations."""

import numpy as np
import pytest

from helpers.factories import copy_morphology, random_morphology
from helpers.real_parts import neuroc_scale
from region_grower_flow.cell.limits import fit_to_limits, output_scaling
from region_grower_flow.errors import DropCell
from region_grower_flow.morphology import (
    APICAL_DENDRITE,
    AXON,
    BASAL_DENDRITE,
    NEURITE_TYPES,
    FlatMorphology,
)

UP = np.array([0.0, 1.0, 0.0])
TREES = ((BASAL_DENDRITE, 7), (AXON, 9), (BASAL_DENDRITE, 5), (APICAL_DENDRITE, 21))


def assert_same(actual, expected, atol=1e-4):
    for name in ("offsets", "types", "parents"):
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name))
    for name in ("points", "diameters", "soma_points", "soma_diameters"):
        np.testing.assert_allclose(getattr(actual, name), getattr(expected, name), atol=atol)


def extent_of(morphology, root, direction=UP):
    last = root + 1
    while last < morphology.n_sections and morphology.parents[last] >= 0:
        last += 1
    points = morphology.points[morphology.offsets[root] : morphology.offsets[last]]
    along = points.astype(float) @ direction
    return along.max() - along[0]


def rescale_with_neuroc(morphology, limits, direction, min_hard_scale):
    """The steps of SpaceWorker._post_growth_rescaling, on MorphIO."""
    scale = neuroc_scale()
    cell = morphology.to_morphio()
    names = {number: name for name, number in NEURITE_TYPES.items()}
    for root in cell.root_sections:
        extent = max(
            p for section in root.iter() for p in section.points.astype(float).dot(direction)
        ) - root.points[0].dot(direction)
        low, high = limits.get(names[int(root.type)], (None, None))
        factor = output_scaling(extent, low, high)
        if factor > min_hard_scale:
            scale.scale_section(root, scale.ScaleParameters(mean=factor), recursive=True)
        else:
            cell.delete_section(root, recursive=True)
    return FlatMorphology.from_morphio(cell)


@pytest.mark.parametrize(
    ("limits", "min_hard_scale"),
    [
        ({}, 0.2),
        ({"apical_dendrite": (300.0, None)}, 0.2),
        ({"basal_dendrite": (None, 8.0), "apical_dendrite": (None, 40.0)}, 0.2),
        ({"basal_dendrite": (None, 8.0), "axon": (50.0, 60.0)}, 0.6),
        ({"basal_dendrite": (None, 1e-3)}, 1e-6),
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_as_neuroc(seed, limits, min_hard_scale):
    morphology = random_morphology(seed, TREES, diameters="random")
    direction = np.array([0.1, 0.9, -0.2]) / np.linalg.norm([0.1, 0.9, -0.2])
    expected = rescale_with_neuroc(morphology, limits, direction, min_hard_scale)
    actual, _, _ = fit_to_limits(morphology, limits, direction, min_hard_scale)
    assert_same(actual, expected, atol=0)


def line(kind, points, parent=-1):
    return kind, np.array(points, dtype=np.float32), parent


def build(*sections):
    counts = [len(points) for _, points, _ in sections]
    return FlatMorphology(
        points=np.concatenate([points for _, points, _ in sections]),
        diameters=np.ones(sum(counts), dtype=np.float32),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        types=np.array([kind for kind, _, _ in sections], dtype=np.int32),
        parents=np.array([parent for _, _, parent in sections], dtype=np.int64),
        soma_points=np.zeros((1, 3), dtype=np.float32),
        soma_diameters=np.array([6.0], dtype=np.float32),
    )


def fork():
    return build(
        line(APICAL_DENDRITE, [[0, 3, 0], [0, 13, 0]]),
        line(APICAL_DENDRITE, [[0, 13, 0], [5, 23, 0]], 0),
        line(APICAL_DENDRITE, [[0, 13, 0], [-5, 43, 0], [-9, 41, 0]], 0),
    )


def test_too_long_is_shortened_about_its_first_point():
    fitted, changes, kept = fit_to_limits(fork(), {"apical_dendrite": (None, 20.0)}, UP, 0.2)
    np.testing.assert_allclose(fitted.section(0), [[0, 3, 0], [0, 8, 0]], atol=1e-6)
    np.testing.assert_allclose(fitted.section(1), [[0, 8, 0], [2.5, 13, 0]], atol=1e-6)
    np.testing.assert_allclose(
        fitted.section(2), [[0, 8, 0], [-2.5, 23, 0], [-4.5, 22, 0]], atol=1e-6
    )
    assert changes == [
        {
            "section_id": 0,
            "neurite_type": "apical_dendrite",
            "scale": 0.5,
            "target_min_length": None,
            "target_max_length": 20.0,
            "deleted": False,
        }
    ]
    assert kept.tolist() == [0, 1, 2]


def test_too_short_is_stretched():
    fitted, _, _ = fit_to_limits(fork(), {"apical_dendrite": (80.0, 90.0)}, UP, 0.2)
    assert extent_of(fitted, 0) == pytest.approx(80.0)


def test_within_limits_nothing_changes():
    fitted, changes, _ = fit_to_limits(fork(), {"apical_dendrite": (30.0, 50.0)}, UP, 0.2)
    assert changes == []
    assert_same(fitted, fork(), atol=1e-6)


def test_minimum_goes_before_maximum():
    assert output_scaling(40.0, 80.0, 20.0) == 2.0


@pytest.mark.parametrize("extent", [0.0, 4.9e-4])
def test_a_tree_that_grows_downwards_is_left_alone(extent):
    assert output_scaling(extent, 100.0, 100.0) == 1.0


def test_extent_is_measured_along_the_direction():
    fitted, _, _ = fit_to_limits(fork(), {"apical_dendrite": (None, 1.0)}, -UP, 0.2)
    assert_same(fitted, fork(), atol=1e-6)


def test_small_tree_is_removed_and_sections_are_found_again():
    basal = random_morphology(3, ((BASAL_DENDRITE, 5), (AXON, 3), (BASAL_DENDRITE, 3)))
    extents = [extent_of(basal, root) for root in np.flatnonzero(basal.parents < 0)]
    limits = {"axon": (None, extents[1] * 0.1)}
    fitted, changes, kept = fit_to_limits(copy_morphology(basal), limits, UP, 0.2)
    assert kept.tolist() == [0, 1, 2, 3, 4, -1, -1, -1, 5, 6, 7]
    assert [(c["section_id"], c["deleted"]) for c in changes] == [(5, True)]
    for old, new in enumerate(kept):
        if new >= 0:
            np.testing.assert_allclose(fitted.section(new), basal.section(old), atol=1e-5)
    assert fitted.parents.tolist() == [kept[p] if p >= 0 else -1 for p in basal.parents[kept >= 0]]


def test_all_trees_may_be_removed():
    fitted, _, kept = fit_to_limits(
        build(line(BASAL_DENDRITE, [[0, 0, 0], [0, 9, 0]])), {"basal_dendrite": (None, 1.0)}, UP, 1
    )
    assert fitted.n_sections == 0
    assert fitted.points.shape == (0, 3)
    assert kept.tolist() == [-1]


def test_removing_an_apical_drops_the_cell():
    with pytest.raises(DropCell, match=r"Apical is removed because rescale = 0\.1"):
        fit_to_limits(fork(), {"apical_dendrite": (None, 4.0)}, UP, 0.2)


@pytest.mark.parametrize("seed", range(3))
def test_cells_are_moved_as_by_morph_tool(seed):
    from morph_tool import transform

    morphology = random_morphology(seed, TREES)
    shift = np.random.default_rng(seed).normal(scale=5000.0, size=3)
    cell = morphology.to_morphio()
    transform.translate(cell, shift)
    moved = FlatMorphology.from_morphio(cell)
    expected = rescale_with_neuroc(moved, {}, UP, 0.2)
    actual, _, _ = fit_to_limits(morphology, {}, UP, 0.2, shift)
    assert_same(actual, expected, atol=0)
    np.testing.assert_array_equal(actual.soma_points, moved.soma_points)
