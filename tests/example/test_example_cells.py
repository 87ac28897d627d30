"""The reference cells meet their published targets, and are sound morphologies."""

import numpy as np
import pytest

from helpers.example_features import measure
from helpers.example_targets import COMMON_TARGETS, TARGETS
from region_grower_flow.example.celltypes import CELL_TYPES
from region_grower_flow.example.content import reference_cells
from region_grower_flow.example.growth import PIA_MARGIN, STEP
from region_grower_flow.example.overrides import section_lengths
from region_grower_flow.example.targets import COLUMN_HEIGHT, depth_of_layer
from region_grower_flow.morphology import APICAL_DENDRITE, AXON

IDS = [cell_type.mtype for cell_type in CELL_TYPES]


@pytest.fixture(scope="module")
def grown():
    """{mtype: [(name, depth, cell)]} for the default seed."""
    return {cell_type.mtype: reference_cells(cell_type, seed=0) for cell_type in CELL_TYPES}


def test_column_height_is_that_of_the_published_column():
    assert COLUMN_HEIGHT == 2082.0
    assert depth_of_layer(1) == (0.0, 165.0)
    assert depth_of_layer(4) == (667.0, 857.0)


@pytest.mark.parametrize("cell_type", CELL_TYPES, ids=IDS)
def test_means_lie_within_the_targets(cell_type, grown):
    cells = grown[cell_type.mtype]
    rows = [
        {**(found := measure(cell)), "top_depth": depth - found["top"]} for _, depth, cell in cells
    ]
    misses = {}
    for target in (*TARGETS[cell_type.mtype], *COMMON_TARGETS):
        mean = np.mean([row[target.feature] for row in rows])
        if not target.low <= mean <= target.high:
            misses[target.feature] = (mean, target)
    assert not misses


@pytest.mark.parametrize("cell_type", CELL_TYPES, ids=IDS)
def test_cells_differ_from_one_another(cell_type, grown):
    lengths = [section_lengths(cell).sum() for _, _, cell in grown[cell_type.mtype]]
    assert np.std(lengths) > 0.05 * np.mean(lengths)
    assert len({name for name, _, _ in grown[cell_type.mtype]}) == len(lengths)


@pytest.mark.parametrize("cell_type", CELL_TYPES, ids=IDS)
def test_cells_are_sound(cell_type, grown):
    for _, depth, cell in grown[cell_type.mtype]:
        assert np.isfinite(cell.points).all()
        assert (cell.diameters > 0).all()
        assert cell.points[:, 1].max() <= depth - PIA_MARGIN + STEP
        for i in range(cell.n_sections):
            points = cell.section(i)
            assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() < 2 * STEP
            if cell.parents[i] >= 0:
                np.testing.assert_array_equal(points[0], cell.section(cell.parents[i])[-1])
        children = np.bincount(cell.parents[cell.parents >= 0], minlength=cell.n_sections)
        assert set(children) <= {0, 2}


@pytest.mark.parametrize("cell_type", CELL_TYPES, ids=IDS)
def test_only_pyramidal_cells_have_an_apical_dendrite(cell_type, grown):
    for _, _, cell in grown[cell_type.mtype]:
        roots = cell.types[cell.parents < 0]
        expected = 1 if cell_type.morph_class == "PYR" else 0
        assert (roots == APICAL_DENDRITE).sum() == expected
        assert not (cell.types == AXON).any()


@pytest.mark.parametrize("cell_type", CELL_TYPES, ids=IDS)
def test_donors_have_one_thin_axon(cell_type):
    for _, _, cell in reference_cells(cell_type, seed=0, count=2, donors=True):
        roots = np.flatnonzero((cell.parents < 0) & (cell.types == AXON))
        assert len(roots) == 1
        assert 0.25 < cell.diameters[cell.offsets[roots[0]]] < 2.5
        assert section_lengths(cell)[cell.types == AXON].sum() > 200.0


def test_a_seed_gives_the_same_cell_and_another_seed_another():
    first, same, other = (reference_cells(CELL_TYPES[0], seed, count=1)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first[2].points, same[2].points)
    np.testing.assert_array_equal(first[2].diameters, same[2].diameters)
    assert (
        first[2].points.shape != other[2].points.shape or (first[2].points != other[2].points).any()
    )


def test_martinotti_axon_ascends_to_layer_1():
    martinotti = next(c for c in CELL_TYPES if c.mtype == "L5_MC")
    for _, depth, cell in reference_cells(martinotti, seed=0, count=2, donors=True):
        axon = np.concatenate(
            [cell.section(i) for i in np.flatnonzero(cell.types == AXON)],
        )
        assert depth - axon[:, 1].max() < depth_of_layer(2)[1]
