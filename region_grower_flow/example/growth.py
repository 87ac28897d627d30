"""Growth of one reference cell: a persistent random walk that branches at a falling rate.

A branch turns a little at every step (persistence), and towards a direction (pull). The path to
its next bifurcation is drawn from a rate that falls with the distance from the soma, so that
branch points lie near the soma and terminal segments are long. Tips end at the reach
of their tree. Nothing leaves through the pia: the walk slides along under it.

Diameters come afterwards, from the tips to the soma: a branch widens by its taper, and at a
bifurcation ``d_parent ** 3/2 = d_1 ** 3/2 + d_2 ** 3/2`` [Rall1959]. The sources are named in
:mod:`region_grower_flow.example.targets`. None of this is NeuroTS's algorithm: the example has to
be independent of the method that is fitted to it.

Frame: the soma's center is the origin, y points to the pia; lengths are um, angles rad.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from region_grower_flow.example.targets import UP, ApicalRule, CellType, TreeRule
from region_grower_flow.morphology import APICAL_DENDRITE, AXON, FlatMorphology

STEP = 2.5
"""Distance (um) between two points of a branch."""
PIA_MARGIN = 8.0
"""Distance (um) that branches keep from the pia."""
SHORTEST_SECTION = 6.0
"""Path (um) from a bifurcation to the next one."""
SHORTEST_TIP = 15.0
"""A branch that would end sooner (um) after a bifurcation does not bifurcate."""
TRUNK_TAPER = 0.0004
"""Diameter (um) that an apical trunk loses per um of path."""
REGULARITY = 2.0
"""Shape of the gamma law between bifurcations: 1 is a Poisson process, more is more regular."""
SOMA_POINTS = 14
RALL, MURRAY = 1.5, 3.0
"""Powers of the diameters that a bifurcation conserves: of dendrites and of axons."""


@dataclass
class Branch:
    """A section while it grows: its points, children and, at last, diameters."""

    points: np.ndarray
    section_type: int
    children: list[Branch] = field(default_factory=list)
    tip_diameter: float = 0.5
    taper: float = 0.001
    diameters: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def direction(self) -> np.ndarray:
        """The unit vector at the end, from the last few points."""
        return _unit(self.points[-1] - self.points[max(-4, -len(self.points))])


@dataclass(frozen=True)
class Walk:
    """Forces that turn a branch: see :class:`~region_grower_flow.example.targets.TreeRule`."""

    persistence: float
    pull: tuple[float, float, float] | None
    pull_length: float
    ceiling: float


def grow_cell(
    cell_type: CellType, soma_depth: float, rng: np.random.Generator, with_axon: bool = False
) -> FlatMorphology:
    """Grow one cell.

    Args:
        cell_type: a :class:`~region_grower_flow.example.targets.CellType`.
        soma_depth: depth (um) of the soma below the pia.
        rng: :class:`numpy.random.Generator`; all randomness comes from it.
        with_axon: grow the local axon too.

    Returns:
        A :class:`~region_grower_flow.morphology.FlatMorphology`, soma at the origin, pia at
        y = ``soma_depth``.
    """
    radius = cell_type.soma_radius * float(np.exp(rng.normal(0.0, 0.06)))
    ceiling = soma_depth - PIA_MARGIN
    roots = grow_trees(cell_type.basal, radius, ceiling, rng)
    if cell_type.apical is not None:
        roots.append(grow_apical(cell_type.apical, radius, soma_depth, rng))
    if with_axon:
        roots.extend(grow_trees(cell_type.axon, radius, ceiling, rng))
    for root in roots:
        set_diameters(root)
    return flatten(roots, _soma(radius, cell_type.apical is not None, rng))


def grow_trees(
    rule: TreeRule, soma_radius: float, ceiling: float, rng: np.random.Generator
) -> list[Branch]:
    """Grow the trees of one rule; returns their root branches."""
    count = int(rng.integers(rule.trees[0], rule.trees[1] + 1))
    directions = _trunk_directions(rule, count, rng)
    vigour = np.exp(rng.normal(0.0, 0.12))
    return [
        _grow_tree(
            rule, direction * soma_radius, direction, (0.0, rule.reach * vigour), ceiling, rng
        )
        for direction in directions
    ]


def grow_apical(
    rule: ApicalRule, soma_radius: float, soma_depth: float, rng: np.random.Generator
) -> Branch:
    """Grow the apical dendrite of a soma ``soma_depth`` um below the pia; returns its root."""
    ceiling = soma_depth - PIA_MARGIN
    trunk_length = max(60.0, soma_depth - rule.tuft_depth * np.exp(rng.normal(0.0, 0.12)))
    walk = Walk(rule.persistence, UP, rule.pull_length, ceiling)
    start = np.array([0.0, soma_radius, 0.0])
    direction = _unit(np.array([0.0, 1.0, 0.0]) + rng.normal(0.0, 0.06, 3))
    forks = _oblique_positions(rule, trunk_length, rng)
    trunk: list[Branch] = []
    path = 0.0
    for stop in [*forks, trunk_length]:
        branch = Branch(_walk(start, direction, stop - path, walk, rng), APICAL_DENDRITE)
        branch.taper = TRUNK_TAPER
        if trunk:
            trunk[-1].children.append(branch)
        trunk.append(branch)
        path, start = stop, branch.points[-1]
        if stop < trunk_length:
            side = _aside(branch.direction, rng.normal(rule.oblique.angle, 0.2), rng)
            room = (0.0, rule.oblique.reach * np.exp(rng.normal(0.0, 0.25)))
            branch.children.append(_grow_tree(rule.oblique, start, side, room, ceiling, rng))
            direction = _aside(branch.direction, abs(rng.normal(0.0, 0.08)), rng)
    top = trunk[-1]
    for direction in _fork(top.direction, rule.tuft.angle, rng):
        reach = rule.tuft.reach * np.exp(rng.normal(0.0, 0.15))
        top.children.append(
            _grow_tree(rule.tuft, top.points[-1], direction, (0.0, reach), ceiling, rng)
        )
    return trunk[0]


def _oblique_positions(
    rule: ApicalRule, trunk_length: float, rng: np.random.Generator
) -> list[float]:
    """Paths (um) along the trunk of its obliques, sorted and apart from one another."""
    count = int(rng.poisson(rule.obliques))
    last = max(rule.oblique_zone * trunk_length, 30.0)
    drawn = np.sort(15.0 + (last - 15.0) * rng.beta(1.2, 1.8, count))
    kept: list[float] = []
    for position in drawn:
        if (not kept or position - kept[-1] >= SHORTEST_SECTION) and position < trunk_length - 10:
            kept.append(float(position))
    return kept


def _grow_tree(
    rule: TreeRule,
    start: np.ndarray,
    direction: np.ndarray,
    span: tuple[float, float],
    ceiling: float,
    rng: np.random.Generator,
) -> Branch:
    """Grow a tree from ``start``; ``span`` is (path already covered, path at which tips end)."""
    walk = Walk(rule.persistence, rule.pull, rule.pull_length, ceiling)
    branches: list[Branch] = []
    parent: Branch | None = None
    pending = [(parent, start, direction, *span)]
    while pending:
        parent, start, direction, path, reach = pending.pop()
        length, forks = _section_length(rule, path, reach, rng)
        branch = Branch(_walk(start, direction, length, walk, rng), rule.section_type)
        branch.tip_diameter = rule.tip_diameter * float(np.exp(rng.normal(0.0, 0.12)))
        branch.taper = rule.taper
        branches.append(branch)
        if parent is not None:
            parent.children.append(branch)
        if forks:
            here = path + length
            for child in _fork(branch.direction, rule.angle, rng):
                end = max(span[1] * float(np.exp(rng.normal(0.0, 0.13))), here + SHORTEST_TIP)
                pending.append((branch, branch.points[-1], child, here, end))
    return branches[0]


def _section_length(
    rule: TreeRule, path: float, reach: float, rng: np.random.Generator
) -> tuple[float, bool]:
    """The length (um) to the next event, and whether it is a bifurcation.

    The rate ``branching * exp(-path / decay)`` is integrated in closed form and inverted at a
    gamma variate of mean 1 (an exponential one would make trees vary more than real ones do).
    """
    begin = max(path + SHORTEST_SECTION, rule.first)
    hazard = rng.gamma(REGULARITY) / REGULARITY
    available = rule.branching * rule.decay * np.exp(-begin / rule.decay)
    if hazard < available:
        stop = -rule.decay * np.log(np.exp(-begin / rule.decay) * (1.0 - hazard / available))
        if stop <= reach - SHORTEST_TIP:
            return float(stop - path), True
    return float(max(reach - path, SHORTEST_SECTION)), False


def _walk(
    start: np.ndarray, direction: np.ndarray, length: float, walk: Walk, rng: np.random.Generator
) -> np.ndarray:
    """The points of a branch of ``length`` um: (n, 3), the first one is ``start``."""
    n_steps = max(2, round(length / STEP))
    step = length / n_steps
    noise = rng.normal(0.0, np.sqrt(step / walk.persistence), (n_steps, 3))
    turn = step / walk.pull_length
    # Plain floats: on three numbers they are five times faster than arrays.
    x, y, z = (float(value) for value in start)
    u, v, w = (float(value) for value in direction)
    points = [(x, y, z)]
    for du, dv, dw in noise.tolist():
        goal = walk.pull or _unit_floats(x, y, z)
        u, v, w = u + du + turn * goal[0], v + dv + turn * goal[1], w + dw + turn * goal[2]
        if y + step * v > walk.ceiling:
            # Under the pia a branch keeps what horizontal direction it has.
            v = -0.05
        u, v, w = _unit_floats(u, v, w)
        x, y, z = x + step * u, y + step * v, z + step * w
        points.append((x, y, z))
    return np.array(points)


def _trunk_directions(rule: TreeRule, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Unit vectors of ``count`` trunks, each the farthest of a few draws from those before."""
    chosen: list[np.ndarray] = []
    for i in range(count):
        draws = [_trunk_direction(rule, i, rng) for _ in range(8)]
        if chosen:
            nearest = [max(float(draw @ other) for other in chosen) for draw in draws]
            chosen.append(draws[int(np.argmin(nearest))])
        else:
            chosen.append(draws[0])
    return chosen


def _trunk_direction(rule: TreeRule, index: int, rng: np.random.Generator) -> np.ndarray:
    if rule.poles is None:
        return _unit(rng.normal(0.0, 1.0, 3))
    pole = np.asarray(rule.poles[index % len(rule.poles)])
    return _aside(pole, rule.spread * np.sqrt(rng.random()), rng)


def _fork(
    direction: np.ndarray, angle: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The directions of two sisters, ``angle`` apart on average and not quite symmetric."""
    opening = max(0.25, rng.normal(angle, 0.25))
    share = rng.uniform(0.25, 0.75)
    normal = _orthogonal(direction, rng)
    return (
        np.cos(share * opening) * direction + np.sin(share * opening) * normal,
        np.cos((1 - share) * opening) * direction - np.sin((1 - share) * opening) * normal,
    )


def _aside(direction: np.ndarray, angle: float, rng: np.random.Generator) -> np.ndarray:
    """``direction`` turned by ``angle`` (rad) to a random side."""
    return np.cos(angle) * direction + np.sin(angle) * _orthogonal(direction, rng)


def _orthogonal(direction: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    vector = rng.normal(0.0, 1.0, 3)
    return _unit(vector - (vector @ direction) * direction)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(np.sqrt(vector @ vector), 1e-12)


def _unit_floats(x: float, y: float, z: float) -> tuple[float, float, float]:
    norm = max(math.sqrt(x * x + y * y + z * z), 1e-12)
    return x / norm, y / norm, z / norm


def set_diameters(root: Branch) -> None:
    """Give every branch of a tree its diameters, from the tips to the soma.

    Dendrites follow Rall's power; axons, which stay thin for hundreds of um, Murray's cube law.
    """
    power = MURRAY if root.section_type == AXON else RALL
    order, pending = [], [root]
    while pending:
        branch = pending.pop()
        order.append(branch)
        pending.extend(branch.children)
    for branch in reversed(order):
        if branch.children:
            end = sum(child.diameters[0] ** power for child in branch.children) ** (1.0 / power)
        else:
            end = branch.tip_diameter
        steps = np.linalg.norm(np.diff(branch.points, axis=0), axis=1)
        to_end = np.concatenate([[0.0], np.cumsum(steps[::-1])])[::-1]
        branch.diameters = end + branch.taper * to_end


def _soma(radius: float, pyramidal: bool, rng: np.random.Generator) -> np.ndarray:
    """The (n, 3) contour of a soma in the xy plane; a pyramidal one is drawn out to the pia."""
    angles = np.linspace(0.0, 2.0 * np.pi, SOMA_POINTS, endpoint=False)
    radii = radius * (1.0 + rng.normal(0.0, 0.04, SOMA_POINTS))
    if pyramidal:
        radii *= 1.0 + 0.12 * np.sin(angles)
    contour = np.column_stack(
        [radii * np.cos(angles), radii * np.sin(angles), np.zeros(SOMA_POINTS)]
    )
    contour *= radius / np.linalg.norm(contour - contour.mean(axis=0), axis=1).mean()
    return contour - contour.mean(axis=0)


def flatten(roots: Sequence[Branch], soma_points: np.ndarray) -> FlatMorphology:
    """Lay trees out as a :class:`~region_grower_flow.morphology.FlatMorphology`."""
    points, diameters, parents = [], [], []
    types: list[int] = []
    pending = [(root, -1) for root in reversed(roots)]
    while pending:
        branch, parent = pending.pop()
        index = len(types)
        points.append(branch.points)
        diameters.append(branch.diameters)
        types.append(branch.section_type)
        parents.append(parent)
        pending.extend((child, index) for child in reversed(branch.children))
    return FlatMorphology(
        points=np.concatenate(points).astype(np.float32),
        diameters=np.concatenate(diameters).astype(np.float32),
        offsets=np.concatenate([[0], np.cumsum([len(p) for p in points])]).astype(np.int64),
        types=np.array(types, dtype=np.int32),
        parents=np.array(parents, dtype=np.int64),
        soma_points=soma_points.astype(np.float32),
        soma_diameters=np.zeros(len(soma_points), dtype=np.float32),
    )
