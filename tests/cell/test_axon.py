"""Axon grafting, against neuroc, morph-tool and frozen results of both."""

import numpy as np
import pytest

from helpers.factories import copy_morphology, random_morphology
from helpers.real_parts import neuroc_scale
from helpers.sentences import saying
from region_grower_flow.cell.axon import place_axon
from region_grower_flow.errors import DropCell, GrowthFailed
from region_grower_flow.morphology import (
    APICAL_DENDRITE,
    AXON,
    BASAL_DENDRITE,
    FlatMorphology,
)

CELL = ((BASAL_DENDRITE, 5), (BASAL_DENDRITE, 3), (APICAL_DENDRITE, 9))
CELL_WITH_AXON = ((BASAL_DENDRITE, 5), (AXON, 5), (APICAL_DENDRITE, 9), (AXON, 3))
DONOR = ((BASAL_DENDRITE, 3), (AXON, 31), (BASAL_DENDRITE, 7), (AXON, 5))
ORIENTATION = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])


def donor(seed=0, trees=DONOR, n_points=(3, 12)):
    morphology = random_morphology(100 + seed, trees, n_points, diameters="random")
    morphology.points += np.float32(37.5)
    return morphology


class PrincipalAxis:
    """scikit-learn's PCA as 1.4 turned it, which neuroc needs: the largest score is positive."""

    def __init__(self, n_components):
        assert n_components == 1

    def fit(self, points):
        from scipy.linalg import svd

        centered = points - points.mean(axis=0)
        axis = svd(centered, full_matrices=False)[2][0]
        scores = centered @ axis
        self.components_ = [axis * np.sign(scores[np.argmax(np.abs(scores))])]


@pytest.fixture
def neuroc(monkeypatch):
    scale = neuroc_scale()
    monkeypatch.setattr(scale, "PCA", PrincipalAxis)
    return scale


def graft_with_reference(neuroc, cell, axon_morph, rng, scale, rotational, scaling):
    """The steps of SpaceWorker.transform_morphology and graft_axon, on MorphIO."""
    from morph_tool import transform
    from morph_tool.graft import graft_axon
    from scipy.spatial.transform import Rotation

    cell, axon_morph = cell.to_morphio(), axon_morph.to_morphio()
    matrix = np.identity(4)
    turn = Rotation.from_euler("y", rng.uniform(-np.pi, np.pi, size=1).reshape(-1, 1)).as_matrix()
    matrix[:3, :3] = np.matmul(ORIENTATION, turn[0])
    transform.transform(axon_morph, matrix if scale is None else scale * matrix)
    if rotational is not None:
        neuroc.rotational_jitter(
            axon_morph, neuroc.RotationParameters(std_angle=rotational), rng=rng
        )
    if scaling is not None:
        neuroc.scale_morphology(
            axon_morph, section_scaling=neuroc.ScaleParameters(std=scaling), rng=rng
        )
    graft_axon(cell, axon_morph, rng=rng)
    return FlatMorphology.from_morphio(cell)


def graft(cell, axon_morph, rng, scale=None, rotational=None, scaling=None):
    return place_axon(
        cell,
        axon_morph,
        ORIENTATION,
        scale=scale,
        rotational_jitter_std=rotational,
        scaling_jitter_std=scaling,
        rng=rng,
    )


@pytest.mark.parametrize("trees", [CELL, CELL_WITH_AXON])
@pytest.mark.parametrize(
    ("scale", "rotational", "scaling"),
    [(None, None, None), (1.3, None, None), (None, 5.0, None), (0.7, None, 0.2), (1.1, 15.0, 0.5)],
)
@pytest.mark.parametrize("seed", range(3))
def test_as_reference(neuroc, seed, scale, rotational, scaling, trees):
    cell = random_morphology(seed, trees)
    ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
    expected = graft_with_reference(neuroc, cell, donor(seed), theirs, scale, rotational, scaling)
    actual = graft(cell, donor(seed), ours, scale, rotational, scaling)
    for name in ("offsets", "types", "parents", "diameters", "soma_points"):
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name))
    # The reference moves points in single precision, once a section above: its own last bits.
    np.testing.assert_allclose(actual.points, expected.points, atol=1e-4, rtol=0)
    assert ours.bit_generator.state == theirs.bit_generator.state


@pytest.mark.parametrize("seed", range(2))
def test_as_reference_with_many_points(neuroc, seed):
    big = donor(seed, ((AXON, 41), (BASAL_DENDRITE, 3)), (20, 60))
    cell = random_morphology(seed, CELL)
    ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
    expected = graft_with_reference(neuroc, cell, big, theirs, 1.0, 5.0, 0.2)
    actual = graft(cell, big, ours, 1.0, 5.0, 0.2)
    np.testing.assert_allclose(actual.points, expected.points, atol=1e-4, rtol=0)
    assert ours.bit_generator.state == theirs.bit_generator.state


# What region-grower 1.6.0's SpaceWorker.transform_morphology and morph-tool's graft_axon gave, with
# neuroc 0.3.0 and scikit-learn 1.4.2: seed, scale, jitters, the axon's first, last and mean point,
# and the generator's next number.
FROZEN = [
    (
        (0, 1.1, 15.0, 0.5),
        [-1.754879117012024, -3.9741132259368896, 6.717649936676025],
        [8.4205322265625, -15.823802947998047, 10.732810020446777],
        [7.712606578899419, 2.6915767192991398, -1.838493712759211],
        0.014706304965369288,
    ),
    (
        (1, None, 5.0, 0.2),
        [3.9298036098480225, -6.326716899871826, -2.9204957485198975],
        [-16.448596954345703, -6.256272792816162, -39.86469268798828],
        [4.306804432134543, 8.882974076101423, -19.920160080821784],
        0.17857187817437192,
    ),
    (
        (2, 0.7, None, None),
        [-3.38738751411438, 7.088122844696045, -1.511330246925354],
        [-45.81964874267578, -3.3773863315582275, 0.43034493923187256],
        [-26.463858643357973, -3.228620478891591, -21.223780742825916],
        0.8142257405942803,
    ),
]


@pytest.mark.parametrize(("options", "first", "last", "mean", "following"), FROZEN)
def test_as_frozen(options, first, last, mean, following):
    seed, *jitters = options
    rng = np.random.default_rng(seed)
    grafted = graft(random_morphology(seed, CELL), donor(seed), rng, *jitters)
    root = np.flatnonzero(grafted.parents < 0)[-1]
    axon = grafted.points[grafted.offsets[root] :]
    np.testing.assert_allclose(axon[0], first, atol=1e-4)
    np.testing.assert_allclose(axon[-1], last, atol=1e-4)
    np.testing.assert_allclose(axon.astype(float).mean(axis=0), mean, atol=1e-4)
    assert rng.random() == following


def test_inputs_are_left_alone():
    cell, axon_morph = random_morphology(1, CELL_WITH_AXON), donor(1)
    before = copy_morphology(cell), copy_morphology(axon_morph)
    graft(cell, axon_morph, np.random.default_rng(0), 1.2, 5.0, 0.2)
    for now, then in zip((cell, axon_morph), before, strict=True):
        for name, value in vars(now).items():
            np.testing.assert_array_equal(value, getattr(then, name))


def test_arrays_that_cannot_be_written_are_accepted():
    cell, axon_morph = random_morphology(1, CELL), donor(1)
    expected = graft(cell, axon_morph, np.random.default_rng(0), None, 5.0, 0.2)
    for value in (*vars(cell).values(), *vars(axon_morph).values()):
        value.setflags(write=False)
    actual = graft(cell, axon_morph, np.random.default_rng(0), None, 5.0, 0.2)
    np.testing.assert_array_equal(actual.points, expected.points)


def test_old_axons_go_and_the_new_one_is_last_at_their_place():
    cell = random_morphology(4, CELL_WITH_AXON)
    grafted = graft(cell, donor(4), np.random.default_rng(0))
    roots = np.flatnonzero(grafted.parents < 0)
    assert grafted.types[roots].tolist() == [BASAL_DENDRITE, APICAL_DENDRITE, AXON]
    old = np.flatnonzero((cell.parents < 0) & (cell.types == AXON))[0]
    np.testing.assert_allclose(grafted.section(roots[-1])[0], cell.section(old)[0], atol=1e-5)


def test_other_sections_keep_their_order():
    cell = random_morphology(4, CELL_WITH_AXON)
    grafted = graft(cell, donor(4), np.random.default_rng(0))
    for new, old in enumerate(np.flatnonzero(cell.types != AXON)):
        np.testing.assert_array_equal(grafted.section(new), cell.section(old))


def test_without_jitter_the_axon_keeps_its_size():
    axon_morph = donor(5)
    grafted = graft(random_morphology(5, CELL), axon_morph, np.random.default_rng(0), scale=2.0)
    root = np.flatnonzero(grafted.parents < 0)[-1]
    original = np.flatnonzero((axon_morph.parents < 0) & (axon_morph.types == AXON))[0]
    steps = np.linalg.norm(np.diff(grafted.section(root), axis=0), axis=1)
    expected = 2.0 * np.linalg.norm(np.diff(axon_morph.section(original), axis=0), axis=1)
    np.testing.assert_allclose(steps, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("trees", "donor_trees", "sentence"),
    [
        (CELL, ((BASAL_DENDRITE, 3),), "no axon"),
        ((), DONOR, "without dendrites"),
        (CELL, ((AXON, 3),), "no dendrites to orient"),
    ],
)
def test_what_cannot_be_placed_is_dropped(trees, donor_trees, sentence):
    cell = random_morphology(0, trees)
    with pytest.raises(DropCell, match=sentence):
        graft(cell, donor(0, donor_trees), np.random.default_rng(0))


def donor_with_a_stuck_dendrite():
    """A donor whose dendrite has, in its middle, a section that ends where it begins."""
    chain = np.array([0, 0, 1, 1, 0]) + 5
    axon_morph = donor(0, ((AXON, 5), (BASAL_DENDRITE, 5)))
    axon_morph.parents[6:] = chain[1:]
    axon_morph.section(6)[:] = axon_morph.section(6)[0]
    return axon_morph


def test_a_dendrite_of_the_donor_that_cannot_be_turned_is_a_failure():
    cell, axon_morph = random_morphology(0, CELL), donor_with_a_stuck_dendrite()
    graft(cell, axon_morph, np.random.default_rng(0), None, None, 0.3)
    graft(cell, donor(0, ((AXON, 5), (BASAL_DENDRITE, 5))), np.random.default_rng(0), None, 5.0)
    with pytest.raises(GrowthFailed, match=saying("branch | donor | ends where it began")):
        graft(cell, axon_morph, np.random.default_rng(0), None, 5.0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_reference_cannot_turn_it_either(neuroc):
    cell, axon_morph = random_morphology(0, CELL), donor_with_a_stuck_dendrite()
    # The PCA of no points: scikit-learn's error is a ValueError, SciPy's by its version.
    with pytest.raises((IndexError, ValueError)):
        graft_with_reference(neuroc, cell, axon_morph, np.random.default_rng(0), None, 5.0, None)


def test_repeated_points_are_dropped_not_written():
    axon_morph = donor(0, ((AXON, 3), (BASAL_DENDRITE, 3)))
    axon_morph.section(0)[:] = axon_morph.section(0)[0]
    with pytest.raises(DropCell, match="repeated donor points"):
        graft(random_morphology(0, CELL), axon_morph, np.random.default_rng(0), None, 5.0)
