"""Grafting of a reconstructed axon onto a grown cell.

Mirrors region_grower's SpaceWorker.transform_morphology, neuroc.scale's jitters and
morph_tool.graft.graft_axon on flat arrays: same draws, same points.
"""

from dataclasses import dataclass

import numpy as np

from region_grower_flow.errors import DropCell, GrowthFailed
from region_grower_flow.morphology import AXON, FlatMorphology
from region_grower_flow.space.limits import keep_sections

PARALLEL = 1e-7
"""A cross product (um) shorter than this means parallel vectors."""


@dataclass(frozen=True)
class _Donor:
    """What grafting needs of a placed donor.

    Attributes:
        points: (n, 3) float32, of the axon's sections.
        sections: the slice of the donor's sections that are the axon.
        chord: (3,) float32, from the first to the last point of the axon's root section.
        dendrites: (d, 3) float32, from the first to the last point of each root dendrite section.
    """

    points: np.ndarray
    sections: slice
    chord: np.ndarray
    dendrites: np.ndarray


def place_axon(
    morphology,
    donor,
    orientation,
    *,
    scale=None,
    rotational_jitter_std=None,
    scaling_jitter_std=None,
    rng,
):
    """Replace the cell's axon by the donor's: turned into the atlas, jittered, at the soma.

    Args:
        morphology: the cell's FlatMorphology, its soma at the origin (left as it is).
        donor: the FlatMorphology that has the axon (left as it is).
        orientation: (3, 3) float64, the atlas's rotation at the cell.
        scale: factor of the donor's size, None to keep it.
        rotational_jitter_std: degrees by which sections are turned, None for no jitter.
        scaling_jitter_std: relative change of the lengths of sections, None for no jitter.
        rng: the cell's :class:`numpy.random.Generator`.

    Returns:
        FlatMorphology: without its own axons, the new axon as the last tree. The other sections
        keep their order; :func:`kept_sections` maps their indices.

    Raises:
        DropCell: the donor has no axon, or a neuron without axon has no dendrite.
        GrowthFailed: all points of a donor's branch coincide.
    """
    roots = np.flatnonzero(donor.parents < 0)
    axons = roots[donor.types[roots] == AXON]
    if not len(axons):
        raise DropCell("the donor of the axon has no axon")
    turn = rng.uniform(-np.pi, np.pi)
    matrix = np.matmul(np.asarray(orientation, dtype=np.float64), _rotation_y(turn))
    if scale is not None:
        matrix = scale * matrix
    placed = _jitter(donor, roots, axons[0], matrix, rotational_jitter_std, scaling_jitter_std, rng)
    if not np.isfinite(placed.points).all():
        raise DropCell("the grafted axon has points that are not finite (repeated donor points)")
    position = _grafting_position(morphology, placed, rng)
    return _graft(morphology, donor, placed, position)


def kept_sections(morphology):
    """(M,) int64, the index of each section after :func:`place_axon`; -1 for the old axons'."""
    keep = _without_axons(morphology)
    return np.where(keep, np.cumsum(keep) - 1, -1)


def _jitter(donor, roots, axon, matrix, rotational_std, scaling_std, rng):
    """Transform the donor and apply its jitters; the draws are those for the whole donor."""
    from region_grower_flow.engine.kernels import axon as kernels
    from region_grower_flow.engine.kernels.geometry import subtree_ends

    parents = np.array(donor.parents, dtype=np.int64)
    ends = subtree_ends(parents)
    sections = slice(axon, ends[axon])
    offsets = np.array(donor.offsets[axon : ends[axon] + 1], dtype=np.int64)
    points = _transformed(donor.points[offsets[0] : offsets[-1]], matrix)
    offsets -= offsets[0]
    tree_parents, tree_ends = parents[sections] - axon, ends[sections] - axon
    factors = None
    if rotational_std is not None:
        angles = kernels.draw_angles(rng, parents, ends, float(rotational_std))
        if kernels.turn_sections(points, offsets, tree_parents, tree_ends, angles[sections]):
            raise GrowthFailed("all points of a branch of the donor's axon coincide")
    if scaling_std is not None:
        factors = kernels.draw_factors(rng, ends, float(scaling_std))
        kernels.scale_sections(points, offsets, tree_ends, factors[sections])
    dendrites = roots[donor.types[roots] != AXON]
    chords = [_root_chord(donor, root, matrix, factors) for root in dendrites]
    chord = points[offsets[1] - 1] - points[0]
    return _Donor(points, sections, chord, np.array(chords, dtype=np.float32).reshape(-1, 3))


def _root_chord(donor, root, matrix, factors):
    """(3,) float32, from the first to the last point of a placed root section."""
    from region_grower_flow.engine.kernels import axon as kernels

    points = _transformed(donor.section(root), matrix)
    if factors is not None:
        ends, offsets = np.array([1]), np.array([0, len(points)])
        kernels.scale_sections(points, offsets, ends, factors[root : root + 1])
    return points[-1] - points[0]


def _transformed(points, matrix):
    from region_grower_flow.engine.kernels import axon as kernels

    return kernels.transform_points(np.array(points, dtype=np.float32), matrix)


def _rotation_y(angle):
    """The (3, 3) rotation by ``angle`` (rad) around y (mirrors voxcell's angles_to_matrices)."""
    sin, cos = np.sin(angle), np.cos(angle)
    return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])


def _grafting_position(morphology, placed, rng):
    """(3,) where the axon starts: the cell's own axon's place, or found from the dendrites.

    Mirrors morph_tool.graft.grafting_position; float32 where that is.
    """
    roots = np.flatnonzero(morphology.parents < 0)
    axons = roots[morphology.types[roots] == AXON]
    if len(axons):
        return morphology.section(axons[0])[0]
    if not len(roots):
        raise DropCell("an axon cannot be placed on a neuron without dendrites")
    if not len(placed.dendrites):
        raise DropCell("the donor of the axon has no dendrites to orient it by")
    chords = [morphology.section(root)[-1] - morphology.section(root)[0] for root in roots]
    axis = np.mean(np.array(chords), axis=0)
    direction = _random_direction(axis, _axon_dendrites_angle(placed), rng)
    center = _soma_center(morphology.soma_points)
    return center + _soma_mean_radius(morphology, center) * direction


def _axon_dendrites_angle(placed):
    """The angle (rad, float32) between the donor's axon and the mean of its dendrites.

    Mirrors morph_tool.graft._axon_dendrites_angle, but for rounding beyond parallel vectors.
    """
    mean = np.mean(placed.dendrites, axis=0)
    norms = np.linalg.norm(mean), np.linalg.norm(placed.chord)
    cosine = mean.dot(placed.chord) / norms[0] / norms[1]
    return np.arccos(np.clip(cosine, np.float32(-1.0), np.float32(1.0)))


def _random_direction(axis, angle, rng):
    """A unit vector at ``angle`` from ``axis``, all around it (mirrors morph_tool.graft's)."""
    orthogonal = np.cross(axis, [0, 0, 1])
    if np.linalg.norm(orthogonal) < PARALLEL:
        orthogonal = np.cross(axis, [0, 1, 0])
    around = rng.uniform(low=0.0, high=2.0 * np.pi)
    orthogonal = np.dot(_rotation_around(axis, around), orthogonal)
    direction = np.dot(_rotation_around(orthogonal, angle), axis)
    return direction / np.linalg.norm(direction)


def _rotation_around(axis, angle):
    """The (3, 3) rotation by ``angle`` (rad) around ``axis`` (mirrors morph_tool.graft's)."""
    x, y, z = np.array(axis, dtype=np.float64) / np.linalg.norm(axis)
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * skew + (1.0 - np.cos(angle)) * np.matmul(skew, skew)


def _soma_center(points):
    """(3,) float32, the mean of the soma's points (mirrors MorphIO's centerOfGravity)."""
    return np.add.accumulate(points, axis=0)[-1] / np.float32(len(points))


def _soma_mean_radius(morphology, center):
    """Mirrors morph_tool.graft._soma_mean_radius (um)."""
    if len(morphology.soma_points) == 1:
        return morphology.soma_diameters[0] / 2.0
    return np.mean(np.linalg.norm(morphology.soma_points - center, axis=1))


def _without_axons(morphology):
    """(M,) bool, the sections of trees whose root is not an axon."""
    roots = np.flatnonzero(morphology.parents < 0)
    counts = np.diff(np.append(roots, morphology.n_sections))
    return np.repeat(morphology.types[roots] != AXON, counts)


def _graft(morphology, donor, placed, position):
    """The morphology with the placed axon, moved to ``position``, instead of its own."""
    keep = _without_axons(morphology)
    cell = morphology if keep.all() else keep_sections(morphology, keep)[0]
    offsets = donor.offsets[placed.sections.start : placed.sections.stop + 1]
    parents = donor.parents[placed.sections] - placed.sections.start
    shift = np.asarray(position - placed.points[0], dtype=np.float64)
    axon_points = (placed.points + shift).astype(np.float32)
    return FlatMorphology(
        points=np.concatenate([cell.points, axon_points]),
        diameters=np.concatenate([cell.diameters, donor.diameters[offsets[0] : offsets[-1]]]),
        offsets=np.concatenate([cell.offsets, cell.offsets[-1] + offsets[1:] - offsets[0]]),
        types=np.concatenate([cell.types, donor.types[placed.sections]]),
        parents=np.concatenate(
            [cell.parents, np.where(parents < 0, -1, parents + cell.n_sections)]
        ),
        soma_points=cell.soma_points,
        soma_diameters=cell.soma_diameters,
    )
