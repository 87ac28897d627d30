"""Trees beyond the orientations that parameters give: sampled from the reconstructions' angles.

A type with a list of fewer orientations than its cells have trees makes the reference drop such a
cell after ten attempts (the bipolar pyramidal cells of layer 6: one orientation, two apicals).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

VARIANTS = 32
"""Sets of sampled orientations of an mtype. A cell takes one by its seed, so that mtypes are still
prepared once per set and not once per cell."""


Params: TypeAlias = Mapping[str, Any]
"""Parameters or distributions of an mtype."""


def oriented_variants(params: Params, distributions: Params) -> list[Params]:
    """The parameters of an mtype with orientations for all trees of its cells.

    Args:
        params, distributions: NeuroTS's, of one mtype.

    Returns:
        [params] when no type lacks orientations, else VARIANTS copies with sampled ones.
    """
    lacking = [kind for kind in params["grow_types"] if _lacks(params[kind], distributions[kind])]
    if not lacking:
        return [params]
    return [_oriented(params, distributions, lacking, variant) for variant in range(VARIANTS)]


def complete_orientations(
    given: Sequence[Any],
    bins: Sequence[float],
    weights: Sequence[float],
    count: int,
    rng: np.random.Generator,
) -> list[Any]:
    """Add directions to a list of orientations until there is one for each of ``count`` trees.

    The angles of the reconstructions' trunks to the pia are cut into ``count`` groups of equal
    weight: of two apicals, those that rise and those that descend. Each given orientation stands
    for the group that it is nearest to; the others' angles are drawn from their groups, and their
    azimuths are uniform.

    Args:
        given: vectors, the pia at +y.
        bins, weights: angles to the pia (radians, ascending) and their weights.
        count: number of orientations to return.
        rng: numpy.random.Generator.

    Returns:
        list of 3D vectors, the given ones first.
    """
    angles = np.asarray(bins, dtype=float)
    shares = np.cumsum(weights) / np.sum(weights)

    def angle_at(share: float) -> float:
        return angles[min(int(np.searchsorted(shares, share)), len(angles) - 1)]

    groups = list(range(count))
    for vector in given:
        angle = math.acos(np.clip(vector[1] / np.linalg.norm(vector), -1.0, 1.0))
        groups.remove(min(groups, key=lambda g: abs(angle_at((g + 0.5) / count) - angle)))
    drawn = [
        (angle_at((g + rng.random()) / count), rng.uniform(0.0, 2.0 * math.pi)) for g in groups
    ]
    return [*given, *(_direction(angle, azimuth) for angle, azimuth in drawn)]


def _direction(angle: float, azimuth: float) -> list[float]:
    sine = math.sin(angle)
    return [math.cos(azimuth) * sine, math.cos(angle), math.sin(azimuth) * sine]


def _lacks(params: Params, distributions: Params) -> bool:
    orientation = params["orientation"]
    if not isinstance(orientation, list) or params.get("trunk_absolute_orientation", False):
        return False
    return len(orientation) < _most_trees(distributions["num_trees"])


def _oriented(params: Params, distributions: Params, kinds: Iterable[str], variant: int) -> Params:
    rng = np.random.default_rng(variant)
    made = dict(params)
    for kind in kinds:
        made[kind] = {**params[kind], "orientation": _sampled(params, distributions, kind, rng)}
    return made


def _sampled(
    params: Params, distributions: Params, kind: str, rng: np.random.Generator
) -> list[Any] | None:
    """Orientations of a type; None (oriented by the angles between trunks) without angles."""
    law = distributions[kind].get("trunk", {}).get("pia_3d_angles", {}).get("data")
    if law is None or not np.sum(law["weights"]) > 0:
        return None
    count = _most_trees(distributions[kind]["num_trees"])
    given = params[kind]["orientation"]
    return complete_orientations(given, law["bins"], law["weights"], count, rng)


def _most_trees(num_trees: Mapping[str, Any]) -> int:
    data = num_trees.get("data")
    if data is None:
        return 0
    return int(
        max((b for b, w in zip(data["bins"], data["weights"], strict=True) if w > 0), default=0)
    )
