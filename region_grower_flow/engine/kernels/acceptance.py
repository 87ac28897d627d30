"""Steps under space constraints (mirrors SectionGrower.next_point and neurots' accept_reject).

A proposed direction is accepted with the probability that the constraints give it; the random part
grows with each try, and after the last one the likeliest proposal is taken.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from region_grower_flow.engine.kernels.constraints import (
    INVALID,
    accepts,
    section_probability,
    trunk_probability,
)
from region_grower_flow.engine.kernels.constraints_table import ConstraintTable
from region_grower_flow.engine.kernels.jit import entry, kernel, uncounted
from region_grower_flow.engine.kernels.state import (
    CONTINUE,
    DONE,
    INVALID_PROBABILITY,
    Forest,
    Triple,
    Vector,
)
from region_grower_flow.engine.kernels.step import (
    advance,
    drift,
    heading,
    random_direction,
    step_length,
    unit,
)
from region_grower_flow.engine.kernels.stop import section_state


class SpaceConstraints(NamedTuple):
    """The space constraints of a cell.

    The constraints that act on the sections of neurite type ``k`` are those of slot ``2 * k`` for
    major and ``2 * k + 1`` for secondary ones.

    Attributes:
        table: ConstraintTable.
        active: int64, the constraints of all slots.
        first_active: (2 * K + 1,) int64, slot ``i`` has ``active[first_active[i]:...[i + 1]]``.
        max_tries: (2 * K,) int64, proposals before the best is taken.
        randomness_increase: (2 * K,) float64, factor of the random part per try.
    """

    table: ConstraintTable
    active: np.ndarray
    first_active: np.ndarray
    max_tries: np.ndarray
    randomness_increase: np.ndarray


@kernel
def slot_of(kind: int, major: int) -> int:
    """The slot of SpaceConstraints of a neurite type and a process."""
    return 2 * kind + (1 - major)


@kernel
def is_free(space: SpaceConstraints, slot: int) -> bool:
    """True if no constraint acts on the sections of a slot."""
    return space.first_active[slot] == space.first_active[slot + 1]


@kernel
def accepted_direction(
    ahead: Vector,
    randomness: float,
    space: SpaceConstraints,
    slot: int,
    point: Triple,
    rng: np.random.Generator,
) -> tuple[int, Vector]:
    """A direction that the constraints accept.

    Args:
        ahead: where target and history lead, three numbers.
        randomness: weight of the random part.
        space: SpaceConstraints.
        slot: slot with at least one constraint.
        point: three numbers (um), as ``ahead`` a tuple: one type, compiled once.
        rng: the cell's generator.

    Returns:
        (status, direction).
    """
    active = space.active[space.first_active[slot] : space.first_active[slot + 1]]
    best, best_probability = ahead, -1.0
    for tries in range(space.max_tries[slot]):
        x, y, z = random_direction(rng)
        weight = (1 + tries) * space.randomness_increase[slot]
        direction = unit(
            ahead[0] + randomness * x * weight,
            ahead[1] + randomness * y * weight,
            ahead[2] + randomness * z * weight,
        )
        probability = section_probability(space.table, active, direction, point)
        taken = accepts(rng, probability)
        if taken == INVALID:
            return INVALID_PROBABILITY, direction
        if taken == 1:
            return DONE, direction
        if probability > best_probability:
            best, best_probability = direction, probability
    return DONE, best


@kernel
def step_in_space(
    section: np.record, kind: int, forest: Forest, space: SpaceConstraints, rng: np.random.Generator
) -> int:
    """One step of a section on which constraints act, which need not be random by itself.

    Returns:
        A status.
    """
    rules = forest.rules[kind]
    slot = slot_of(kind, section.major)
    point = (section.last[0], section.last[1], section.last[2])
    if rules.wander > 0.0:
        x, y, z = random_direction(rng)
        drift(section, rules, x, y, z)
    status, direction = accepted_direction(
        heading(section, rules), rules.randomness * section.bend, space, slot, point, rng
    )
    if status == DONE:
        advance(section, direction, step_length(rules, forest.steps, rng))
    return status


@kernel
def grow_in_space(
    section: np.record, kind: int, forest: Forest, space: SpaceConstraints, rng: np.random.Generator
) -> tuple[int, int]:
    """One step under constraints, then the section's state: (status, state)."""
    status = step_in_space(section, kind, forest, space, rng)
    if status != DONE:
        return status, CONTINUE
    return DONE, section_state(section, forest.rules[kind], rng)


@entry("space")
def first_direction(
    ahead: Vector,
    randomness: float,
    space: SpaceConstraints,
    slot: int,
    point: Triple,
    rng: np.random.Generator,
) -> tuple[int, Vector]:
    """accepted_direction for the first step of a tree, as Python calls it between the trunks.

    Args and returns: as accepted_direction.
    """
    space, rng = uncounted((space, rng))
    return accepted_direction(ahead, randomness, space, slot, point, rng)


@entry("space")
def probability_of_trunk(space: SpaceConstraints, direction: Triple, point: Triple) -> float:
    """Probability (0 to 1) that a trunk leaves the soma's center ``point`` in ``direction``."""
    return trunk_probability(uncounted(space).table, direction, point)
