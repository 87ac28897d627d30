"""Beginnings of trees: orientations of trunks around the soma.

Mirrors the trunk part of neurots.NeuronGrower (``_convert_orientation2points``) and
neurots.generate.orientations.OrientationManager. There are few trunks, so this is plain Python;
the draws come in NeuroTS's order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.engine.angle_laws import ANGLE_MODES, FLAT, AngleLaw
from region_grower_flow.engine.kernels.state import Vector
from region_grower_flow.engine.soma import (
    Soma,
    angle_between,
    from_spherical,
    norm,
    sphere_vector,
    spherical,
    stable_order,
    unit,
)
from region_grower_flow.errors import DropCell, GrowthFailed

if TYPE_CHECKING:
    from region_grower_flow.engine.distributions import TrunkDistributions
    from region_grower_flow.engine.kernels.acceptance import SpaceConstraints
    from region_grower_flow.engine.model import Params

MAX_TRIES = 100
"""Proposals of a trunk direction before the best one is taken."""


@dataclass(frozen=True)
class TrunkRules:
    """Rules for the orientation of one neurite type's trunks.

    Attributes:
        kind: the neurite type.
        orientation: NeuroTS's entry: None, a list of vectors, or a dict with mode and values.
        distributions: TrunkDistributions.
        absolute: the list has one vector around which trunks are drawn.
        law: AngleLaw of the modes pia_constraint and apical_constraint, flat for others.
    """

    kind: str
    orientation: Any
    distributions: TrunkDistributions
    absolute: bool = False
    law: AngleLaw = FLAT

    @classmethod
    def prepare(cls, kind: str, params: Params, distributions: TrunkDistributions) -> TrunkRules:
        """Prepare the rules of a neurite type.

        Raises:
            KeyError, TypeError, ValueError: NeuroTS could not use the parameters.
        """
        orientation, law = params["orientation"], FLAT
        if isinstance(orientation, dict) and orientation.keys() == {"mode", "values"}:
            values = orientation["values"]
            if orientation["mode"] in ("pia_constraint", "apical_constraint"):
                law = AngleLaw.prepare(values)
            elif orientation["mode"] == "normal_pia_constraint":
                _check_normal(values["direction"])
        absolute = bool(params.get("trunk_absolute_orientation", False))
        return cls(kind, orientation, distributions, absolute, law)

    @property
    def mode(self) -> str | None:
        """The name of the mode, None for a list or None."""
        return self.orientation.get("mode") if isinstance(self.orientation, dict) else None


@dataclass
class TrunkSite:
    """Surroundings of the trunks of one cell.

    Attributes:
        soma: the Soma.
        turn: (3, 3) the atlas's rotation at the cell, for lists of orientations.
        y_direction: the direction of the pia.
        y_rotation: (3, 3) from the y axis to the pia, None for none.
        space: kernels.acceptance.SpaceConstraints, None without constraints.
        rng: the cell's generator.
        found: {neurite type: unit vectors} of the types that have been oriented.
    """

    soma: Soma
    turn: np.ndarray
    y_direction: Vector
    y_rotation: np.ndarray | None
    space: SpaceConstraints | None
    rng: np.random.Generator
    found: dict[str, list[Vector]] = field(default_factory=dict)


def check_angle_modes(all_rules: Iterable[TrunkRules]) -> bool:
    """True if all types draw 3D angles (mirrors neurots' check_3d_angles).

    Raises:
        GrowthFailed: some do and others do not.
        DropCell: there is nothing to grow.
    """
    modes = {rules.mode in ANGLE_MODES for rules in all_rules}
    if not modes:
        raise DropCell("the parameters have no neurite types to grow")
    if len(modes) > 1:
        raise GrowthFailed("only some neurite types draw their trunks by 3D angles")
    return modes.pop()


def orientations(rules: TrunkRules, by_mode: bool, site: TrunkSite) -> list[Vector]:
    """Unit vectors of the trunks of a neurite type, drawn for one cell.

    Args:
        rules: TrunkRules.
        by_mode: the cell's first neurite type has a mode (NeuroTS then expects one of each).
        site: TrunkSite.

    Raises:
        GrowthFailed, DropCell: as NeuroTS fails.
    """
    if not by_mode:
        return _legacy(rules, site)
    if rules.orientation is None:
        raise GrowthFailed(f"the orientation of {rules.kind} has no mode")
    if not isinstance(rules.orientation, dict):
        raise DropCell(f"the orientation of {rules.kind} is a list where a mode is expected")
    if rules.orientation.keys() != {"mode", "values"} or rules.mode not in MODES:
        raise GrowthFailed(f"the orientation of {rules.kind} is no mode with values")
    site.found[rules.kind] = MODES[rules.mode](rules, site)
    return site.found[rules.kind]


def check_basals(kind: str, number: int) -> None:
    """NeuroTS wants two basal dendrites, except where trunks are drawn by 3D angles."""
    if kind == "basal_dendrite" and number < 2:
        raise GrowthFailed(f"there should be at least 2 basal dendrites (got {number})")


# Orientations without a mode.


def _legacy(rules: TrunkRules, site: TrunkSite) -> list[Vector]:
    number = rules.distributions.draw_number(site.rng)
    check_basals(rules.kind, number)
    if rules.orientation is None:
        return _between_trunks(rules, number, site)
    if isinstance(rules.orientation, list):
        return _of_list(rules, number, site)
    raise GrowthFailed(f"the orientation of {rules.kind} has a mode, that of the first type none")


def _of_list(rules: TrunkRules, number: int, site: TrunkSite) -> list[Vector]:
    vectors = [tuple(np.dot(site.turn, vector).tolist()) for vector in rules.orientation]
    if not all(norm(vector) > 0 for vector in vectors):
        raise DropCell(f"an orientation of {rules.kind} has no length")
    if rules.absolute:
        if len(vectors) != 1:
            raise GrowthFailed(f"the orientation of {rules.kind} should be one vector")
        return _around(unit(vectors[0]), rules.distributions, number, site.rng)
    if len(vectors) < number:
        raise GrowthFailed(f"not enough orientations of {rules.kind} for {number} trees")
    return [unit(vector) for vector in vectors][:number]


def _around(
    orientation: Vector, distributions: TrunkDistributions, number: int, rng: np.random.Generator
) -> list[Vector]:
    """Trunks around one orientation (mirrors trunk_absolute_orientation_to_spherical_angles)."""
    angles = distributions.draw_absolute(number, rng)
    azimuths = distributions.draw_azimuths(number, rng)
    phi, theta = spherical(orientation)
    return [
        from_spherical(phi + angles[i] - 0.5 * math.pi, theta + azimuths[i] - 0.5 * math.pi)
        for i in stable_order(angles)
    ]


def _between_trunks(rules: TrunkRules, number: int, site: TrunkSite) -> list[Vector]:
    """Trunks at drawn angles to each other, between those that are there already.

    Mirrors compute_interval_n_tree and trunk_to_spherical_angles.
    """
    found = []
    for interval, count in _intervals(site.soma, number, site.rng):
        angles = rules.distributions.draw_relative(count, site.rng)
        azimuths = rules.distributions.draw_azimuths(count, site.rng)
        if len(angles) > len(azimuths):
            raise DropCell(f"no {rules.kind} is to grow, whose angles NeuroTS cannot draw")
        found += _spread(angles, azimuths, interval)
    if not found:
        raise GrowthFailed(f"no {rules.kind} is to grow")
    return found


def _spread(
    angles: Sequence[float], azimuths: Sequence[float], interval: tuple[float, float] | None
) -> list[Vector]:
    low, high = interval or (0.0, 2.0 * math.pi)
    step = (high - low) / (len(angles) + (interval is not None))
    return [
        from_spherical((k + 1) * step + angles[i] + low, azimuths[i])
        for k, i in enumerate(stable_order(angles))
    ]


def _intervals(
    soma: Soma, number: int, rng: np.random.Generator
) -> list[tuple[tuple[float, float] | None, int]]:
    """The gaps between trunks (in the x-y plane) and how many new trunks come into each."""
    if not soma.points:
        return [(None, number)]
    phis = sorted(spherical(soma.direction(point))[0] for point in soma.points)
    phis.append(phis[0] + 2.0 * math.pi)
    edges = np.array(phis)
    sizes = edges[1:] - edges[:-1]
    if number < 0 or np.isnan(sizes).any():
        raise GrowthFailed("trunks cannot be placed between those that are there")
    cumulated = (sizes / sizes.sum()).cumsum()
    cumulated /= cumulated[-1]
    counts = [0] * len(sizes)
    for place in cumulated.searchsorted(rng.random(number), side="right").tolist():
        counts[place] += 1
    return [((phis[i], phis[i + 1]), count) for i, count in enumerate(counts) if count > 0]


# Modes.


def _use_predefined(rules: TrunkRules, site: TrunkSite) -> list[Vector]:
    rules.distributions.draw_number(site.rng)
    values = rules.orientation["values"]
    if "orientations" not in values:
        raise DropCell(f"the orientation of {rules.kind} has no 'orientations'")
    return [unit(vector) for vector in values["orientations"]]


def _sample_around_primary(rules: TrunkRules, site: TrunkSite) -> list[Vector]:
    number = rules.distributions.draw_number(site.rng)
    primary = unit(rules.orientation["values"]["primary_orientation"])
    return _around(primary, rules.distributions, number, site.rng)


def _sample_pairwise(rules: TrunkRules, site: TrunkSite) -> list[Vector]:
    number = rules.distributions.draw_number(site.rng)
    return _between_trunks(rules, number, site)


def _uniform(rules: TrunkRules, site: TrunkSite) -> list[Vector]:
    number = rules.distributions.draw_number(site.rng)
    return [sphere_vector(site.rng) for _ in range(number)]


def _normal_pia(rules: TrunkRules, site: TrunkSite) -> list[Vector]:
    """Trunks at normal or exponential angles to the pia (_mode_normal_pia_constraint)."""
    number = rules.distributions.draw_number(site.rng)
    direction = rules.orientation["values"]["direction"]
    means, stds = _as_list(direction["mean"]), _as_list(direction["std"])
    if isinstance(direction["mean"], list) and len(means) == number:
        number = 1
    if site.space is None:
        return [_normal_pia_vector(means, stds, site) for _ in range(number)]

    def propose() -> Vector:
        return _normal_pia_vector(means, stds, site)

    return [accepted(propose, lambda _: 1.0, site) for _ in range(number)]


def _normal_pia_vector(means: Sequence[float], stds: Sequence[float], site: TrunkSite) -> Vector:
    """One vector; the angles of all means are drawn, the first ones are used."""
    thetas = [_pia_angle(mean, std, site.rng) for mean, std in zip(means, stds, strict=True)]
    phis = [site.rng.uniform(0, 2 * math.pi) for _ in means]
    phi, theta = phis[0], thetas[0]
    sine = math.sin(theta)
    vector = (math.cos(phi) * sine, math.cos(theta), math.sin(phi) * sine)
    if site.y_rotation is None:
        return vector
    return tuple(np.array(vector).dot(site.y_rotation.T).tolist())


def _pia_angle(mean: float, std: float, rng: np.random.Generator) -> float:
    if mean == 0 and std <= 0:
        return 0.0
    angle = rng.exponential(std) if mean == 0 else rng.normal(mean, std)
    return min(max(angle, 0.0), math.pi)


def _pia(rules: TrunkRules, site: TrunkSite) -> list[Vector]:
    number = rules.distributions.draw_number(site.rng)
    return [_by_angle(rules.law, site.y_direction, site) for _ in range(number)]


def _apical(rules: TrunkRules, site: TrunkSite) -> list[Vector]:
    number = rules.distributions.draw_number(site.rng)
    apicals = site.found.get("apical_dendrite")
    if not apicals:
        raise DropCell(f"the trunks of {rules.kind} need an apical dendrite that came before them")
    return [_by_angle(rules.law, apicals[0], site) for _ in range(number)]


MODES = {
    "use_predefined": _use_predefined,
    "sample_around_primary_orientation": _sample_around_primary,
    "sample_pairwise_angles": _sample_pairwise,
    "uniform": _uniform,
    "normal_pia_constraint": _normal_pia,
    "pia_constraint": _pia,
    "apical_constraint": _apical,
}


def _by_angle(law: AngleLaw, reference: Vector, site: TrunkSite) -> Vector:
    """A direction accepted by its angle to ``reference`` (_sample_trunk_from_3d_angle)."""
    return accepted(
        lambda: sphere_vector(site.rng),
        lambda vector: law.probability(angle_between(reference, vector)),
        site,
    )


def accepted(
    propose: Callable[[], Vector], law: Callable[[Vector], float], site: TrunkSite
) -> Vector:
    """A proposal that its law and the cell's boundaries accept (neurots.utils.accept_reject)."""
    best, best_probability = (math.nan, math.nan, math.nan), -1.0
    for _ in range(MAX_TRIES):
        vector = propose()
        probability = law(vector)
        if site.space is not None:
            from region_grower_flow.engine.kernels.acceptance import probability_of_trunk

            limit = probability_of_trunk(site.space, vector, site.soma.center)
            probability = min(probability, limit)
        if probability == 1.0 or site.rng.binomial(1, probability):
            return vector
        if probability > best_probability:
            best, best_probability = vector, probability
    return best


def _as_list(value: Any) -> list[float]:
    return value if isinstance(value, list) else [value]


def _check_normal(direction: Mapping[str, Any]) -> None:
    means, stds = _as_list(direction["mean"]), _as_list(direction["std"])
    if len(means) != len(stds) or not means or any(std < 0 for std in stds):
        raise ValueError("'mean' and 'std' of a trunk's direction do not fit")
