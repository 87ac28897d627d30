"""Grafting of a reconstructed axon onto a grown cell.

Mirrors region_grower's SpaceWorker.transform_morphology, neuroc.scale's jitters and
morph_tool.graft.graft_axon on flat arrays: same draws, same points.
"""

import numpy as np

from region_grower_flow.cell.limits import keep_sections
from region_grower_flow.errors import DropCell, GrowthFailed
from region_grower_flow.morphology import AXON, FlatMorphology


def place_axon(
    morphology: FlatMorphology,
    donor: FlatMorphology,
    orientation: np.ndarray,
    *,
    scale: float | None = None,
    rotational_jitter_std: float | None = None,
    scaling_jitter_std: float | None = None,
    rng: np.random.Generator,
) -> FlatMorphology:
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
        keep their order.

    Raises:
        DropCell: the donor has no axon, or a neuron without axon has no dendrite.
        GrowthFailed: all points of a donor's branch coincide, in its axon or elsewhere.
    """
    roots = np.flatnonzero(donor.parents < 0)
    axons = roots[donor.types[roots] == AXON]
    if not len(axons):
        raise DropCell("the donor of the axon has no axon")
    if rotational_jitter_std is not None and _has_stuck_branch(donor):
        raise GrowthFailed("a branch of the axon's donor ends where it began: it has no axis")
    matrix = np.matmul(np.asarray(orientation, dtype=np.float64), _random_rotation_y(rng))
    if scale is not None:
        matrix = scale * matrix
    turning = np.nan if rotational_jitter_std is None else float(rotational_jitter_std)
    scaling = np.nan if scaling_jitter_std is None else float(scaling_jitter_std)
    sections, points, chords = _place_donor(donor, roots, axons[0], matrix, (turning, scaling), rng)
    if not np.isfinite(points).all():
        raise DropCell("the grafted axon has points that are not finite (repeated donor points)")
    shift = _grafting_position(morphology, chords, rng) - points[0]
    return _graft(morphology, donor, sections, points, np.asarray(shift, dtype=np.float64))


def _has_stuck_branch(donor: FlatMorphology) -> bool:
    """True if rotational jitter, which turns all trees of a donor, fails for want of an axis.

    neuroc turns a section around the principal axis of its branch. The tips of a section whose
    points coincide have no axis and become NaN; when it has no other children nothing is left for
    its own axis, and the PCA fails. Root sections are not turned.
    """
    parents, offsets = donor.parents, donor.offsets
    count = len(parents)
    is_tip = ~np.isin(np.arange(count), parents)
    inner = parents >= 0
    children = np.bincount(parents[inner], minlength=count)
    tips = np.bincount(parents[inner & is_tip], minlength=count)
    firsts = np.repeat(offsets[:-1], np.diff(offsets))
    at_start = (donor.points == donor.points[firsts]).all(axis=1)
    is_stuck = np.logical_and.reduceat(at_start, offsets[:-1])
    return bool((inner & ~is_tip & is_stuck & (children == tips)).any())


def _random_rotation_y(rng: np.random.Generator) -> np.ndarray:
    """A (3, 3) rotation around y by a random angle (mirrors region_grower's random_rotation_y)."""
    angle = rng.uniform(-np.pi, np.pi)
    sin, cos = np.sin(angle), np.cos(angle)
    return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])


def _place_donor(
    donor: FlatMorphology,
    roots: np.ndarray,
    axon: int,
    matrix: np.ndarray,
    jitters: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[slice, np.ndarray, np.ndarray]:
    """(the axon's sections as a slice, its points, chords of root sections) of the placed donor.

    The arrays are copied, since kernels take arrays that can be written only.
    """
    from region_grower_flow.engine.kernels import axon as kernels

    parents = np.array(donor.parents, dtype=np.int64)
    points = np.array(donor.points, dtype=np.float32)
    arrays = (points, np.array(donor.offsets, dtype=np.int64), parents)
    following = roots[roots > axon]
    end = int(following[0]) if len(following) else len(parents)
    dendrites = roots[donor.types[roots] != AXON]
    status, points, chords = kernels.place_donor(rng, arrays, dendrites, axon, matrix, jitters)
    if status == kernels.NO_DIRECTION:
        raise GrowthFailed("all points of a branch of the donor's axon coincide")
    return slice(axon, end), points, chords


def _grafting_position(
    morphology: FlatMorphology, chords: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(3,) where the axon starts: the cell's own axon's place, or found from the dendrites.

    Mirrors morph_tool.graft.grafting_position; float32 where that is.
    """
    from region_grower_flow.engine.kernels import axon as kernels

    roots = np.flatnonzero(morphology.parents < 0)
    axons = roots[morphology.types[roots] == AXON]
    if len(axons):
        return morphology.section(axons[0])[0]
    if not len(roots):
        raise DropCell("an axon cannot be placed on a neuron without dendrites")
    if len(chords) == 1:
        raise DropCell("the donor of the axon has no dendrites to orient it by")
    firsts, lasts = morphology.offsets[roots], morphology.offsets[roots + 1] - 1
    # NumPy's float32 functions, as the reference: compiled ones round differently.
    angle = np.arccos(np.float32(kernels.axon_dendrites_cosine(chords)))
    return kernels.graft_start(
        np.array(morphology.soma_points, dtype=np.float32),
        np.array(morphology.soma_diameters, dtype=np.float32),
        morphology.points[lasts] - morphology.points[firsts],
        rng.uniform(low=0.0, high=2.0 * np.pi),
        (float(np.sin(angle)), float(np.cos(angle))),
    )


def _without_axons(morphology: FlatMorphology) -> np.ndarray:
    """(M,) bool, the sections of trees whose root is not an axon."""
    roots = np.flatnonzero(morphology.parents < 0)
    counts = np.diff(np.append(roots, morphology.n_sections))
    return np.repeat(morphology.types[roots] != AXON, counts)


def _graft(
    morphology: FlatMorphology,
    donor: FlatMorphology,
    sections: slice,
    points: np.ndarray,
    shift: np.ndarray,
) -> FlatMorphology:
    """The morphology with the donor's axon, its points moved by ``shift``, instead of its own."""
    keep = _without_axons(morphology)
    cell = morphology if keep.all() else keep_sections(morphology, keep)[0]
    offsets = donor.offsets[sections.start : sections.stop + 1]
    parents = donor.parents[sections] + (cell.n_sections - sections.start)
    parents[0] = -1
    axon_points = (points + shift).astype(np.float32)
    return FlatMorphology(
        points=np.concatenate([cell.points, axon_points]),
        diameters=np.concatenate([cell.diameters, donor.diameters[offsets[0] : offsets[-1]]]),
        offsets=np.concatenate([cell.offsets, cell.offsets[-1] + offsets[1:] - offsets[0]]),
        types=np.concatenate([cell.types, donor.types[sections]]),
        parents=np.concatenate([cell.parents, parents]),
        soma_points=cell.soma_points,
        soma_diameters=cell.soma_diameters,
    )
