"""Hard limits: neurites scaled, or removed, so that they end between two depths of the atlas.

Mirrors region_grower.modify.output_scaling and SpaceWorker._post_growth_rescaling, with neuroc's
recursive scaling of sections, and before that morph_tool.transform.translate.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from region_grower_flow.errors import DropCell
from region_grower_flow.morphology import APICAL_DENDRITE, NEURITE_TYPES, FlatMorphology

TYPE_NAMES = {number: name for name, number in NEURITE_TYPES.items()}

NO_LIMITS = (None, None)

EXTENT_DECIMALS = 3
"""An extent (um) that rounds to 0 belongs to a tree that grows away from the pia: not scaled."""

ROUNDED_AWAY = 0.5
"""Largest value that NumPy rounds to 0: it rounds halves to even numbers."""


Limits: TypeAlias = Mapping[str, tuple[float | None, float | None]]
"""{neurite type: (target_min_length, target_max_length)} in um."""


def output_scaling(
    extent: float, target_min_length: float | None, target_max_length: float | None
) -> float:
    """The factor that brings a tree's extent (um) between its limits (um; None for no limit).

    Mirrors region_grower.modify.output_scaling.
    """
    if -ROUNDED_AWAY <= extent * 10**EXTENT_DECIMALS <= ROUNDED_AWAY:
        return 1.0
    if target_min_length is not None and target_min_length / extent > 1:
        return target_min_length / extent
    if target_max_length is not None and target_max_length / extent < 1:
        return target_max_length / extent
    return 1.0


def fit_to_limits(
    morphology: FlatMorphology,
    limits: Limits,
    direction: Sequence[float] | np.ndarray,
    min_hard_scale: float,
    shift: Sequence[float] | np.ndarray = (0.0, 0.0, 0.0),
) -> tuple[FlatMorphology, list[dict[str, Any]], np.ndarray]:
    """Move a cell, then scale each tree to its limits or remove it when it would become too small.

    Every tree is scaled, those within their limits by 1 as the reference does: its float32
    rounding is part of the result. The points of ``morphology`` are changed in place.

    Args:
        morphology: the FlatMorphology, its soma at the origin once it has been moved.
        limits: {neurite type: (target_min_length or None, target_max_length or None)} in um.
        direction: (3,) float64, towards the pia at the cell.
        min_hard_scale: a tree whose factor is not above this is removed.
        shift: (3,) um, what all points are moved by; computed in float64, stored as float32.

    Returns:
        (FlatMorphology, changes, kept): the morphology without removed trees; one dict for each
        tree that was scaled or removed (region-grower's debug data, with ``section_id``, its
        root's index before removals: the reference puts all removed trees under one id);
        (M,) int64, the new index of each section or -1. The reference's section ids don't change
        when trees are removed, these do: look sections up with ``kept``.

    Raises:
        DropCell: an apical dendrite would have to be removed.
    """
    from region_grower_flow.engine.kernels import geometry

    shift, direction = (np.ascontiguousarray(v, dtype=np.float64) for v in (shift, direction))
    offsets = morphology.offsets
    ends, roots, extents = geometry.place_cell(
        morphology.points, morphology.soma_points, offsets, morphology.parents, shift, direction
    )
    factors, changes = np.ones(len(roots)), []
    if limits or not min_hard_scale < 1:
        factors, changes = _tree_factors(morphology.types, roots, extents, limits, min_hard_scale)
    geometry.scale_all_trees(morphology.points, offsets, ends, roots, factors)
    removed = np.isnan(factors)
    if not removed.any():
        return morphology, changes, np.arange(morphology.n_sections)
    keep = np.repeat(~removed, ends[roots] - roots)
    fitted, kept = keep_sections(morphology, keep)
    return fitted, changes, kept


def _tree_factors(
    types: np.ndarray,
    roots: np.ndarray,
    extents: np.ndarray,
    limits: Limits,
    min_hard_scale: float,
) -> Any:
    """The factor of each tree (NaN: remove it), and what the debug data say of the changes."""
    factors, changes = np.empty(len(roots)), []
    places = zip(roots.tolist(), types[roots].tolist(), extents.tolist(), strict=True)
    for i, (root, number, extent) in enumerate(places):
        kind = TYPE_NAMES.get(number, str(number))
        target_min_length, target_max_length = limits.get(kind, NO_LIMITS)
        scale = float(output_scaling(extent, target_min_length, target_max_length))
        deleted = not scale > min_hard_scale
        if deleted and number == APICAL_DENDRITE:
            raise DropCell(f"Apical is removed because rescale = {scale}")
        factors[i] = np.nan if deleted else scale
        if scale != 1.0:
            changes.append(
                {
                    "section_id": root,
                    "neurite_type": kind,
                    "scale": scale,
                    "target_min_length": target_min_length,
                    "target_max_length": target_max_length,
                    "deleted": deleted,
                }
            )
    return factors, changes


def keep_sections(
    morphology: FlatMorphology, keep: np.ndarray
) -> tuple[FlatMorphology, np.ndarray]:
    """The morphology with the sections of ``keep`` only ((M,) bool, whole trees).

    Returns:
        (FlatMorphology, kept): kept[i] is the new index of section i, -1 when it is gone.
    """
    kept = np.where(keep, np.cumsum(keep) - 1, -1)
    counts = np.diff(morphology.offsets)
    points_kept = np.repeat(keep, counts)
    parents = morphology.parents[keep]
    return (
        FlatMorphology(
            points=morphology.points[points_kept],
            diameters=morphology.diameters[points_kept],
            offsets=np.concatenate([[0], np.cumsum(counts[keep])]).astype(np.int64),
            types=morphology.types[keep],
            parents=np.where(parents >= 0, kept[parents], -1),
            soma_points=morphology.soma_points,
            soma_diameters=morphology.soma_diameters,
        ),
        kept,
    )
